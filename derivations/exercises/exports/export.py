"""What an export is: a name, what it is for, and the files that it makes of a bank."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Export:
    """An export of banks.

    ``home`` is where its function stands, ``module:name``: of the bank and its items it makes the files by
    what follows the name of the bank, ``{".moodle.xml": …}``. ``lacks`` says what the system cannot award.
    """

    name: str
    home: str
    title: str
    lacks: str = ""
