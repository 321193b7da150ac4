"""``python -m derivations`` is the command line."""

from derivations.cli import main

main()
