"""How a language writes a decimal: its mark, thousands, and what separates arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

LATEX = {",": "{,}", "\u202f": r"\thinspace ", "\u00a0": r"\thinspace "}  # as a comma is punctuation
LEAST = 5  # digits before the mark from which on thousands are marked: 1000 but 10 000


@dataclass(frozen=True)
class Marks:
    """The decimal mark, the mark between thousands (empty for none), and the one between arguments.

    ``164621.8125`` is ``164,621.8125`` in English, ``164.621,8125`` in German; where the decimal mark is a
    comma, arguments are separated by semicolons: ``max(1,5; 2)``.
    """

    decimal: str = "."
    group: str = ""

    @property
    def separator(self) -> str:
        """What separates the arguments of a function."""
        return ";" if self.decimal == "," else ","

    def numeral(self, digits: str) -> str:
        """Canonical digits, ``10234.5`` without a sign, in the marks of the language."""
        whole, point, places = digits.partition(".")
        if self.group and len(whole) >= LEAST:
            head = len(whole) % 3
            threes = [whole[at : at + 3] for at in range(head, len(whole), 3)]
            whole = self.group.join([whole[:head], *threes] if head else threes)
        return f"{whole}{self.decimal}{places}" if point else whole

    def canonical(self, shown: str) -> str:
        """The inverse of `numeral`: the digits with a point and without marks of thousands."""
        plain = shown.replace(self.group, "") if self.group else shown
        return plain.replace(self.decimal, ".")

    def latex(self, digits: str) -> str:
        r"""`numeral` in LaTeX: ``10{,}234.5``, ``10.234{,}5``, ``10\thinspace 234{,}5``."""
        return "".join(LATEX.get(sign, sign) for sign in self.numeral(digits))

    @cached_property
    def reads(self) -> str:
        """A regular expression for such a number in LaTeX, with or without marked thousands."""
        point, group = (re.escape(LATEX.get(sign, sign)) for sign in (self.decimal, self.group))
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+" if group else r"\d+"
        return rf"(?:{whole})(?:{point}\d+)?"

    def read(self, token: str) -> str:
        """The canonical digits of a number that `reads` found."""
        point, group = (LATEX.get(sign, sign) for sign in (self.decimal, self.group))
        return (token.replace(group, "") if group else token).replace(point, ".")


PLAIN = Marks()
