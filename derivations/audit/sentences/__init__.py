"""Every sentence of a page is a claim: each text has a predicate that shares nothing with its writer."""
