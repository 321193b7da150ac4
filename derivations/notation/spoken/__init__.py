"""Formulas said aloud: the phrases of each language, and the speaker that reads the boxes."""
