"""How a language writes a decimal: its mark, thousands, and what separates arguments."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 5  # digits before the mark from which on thousands are marked: 1000 but 10 000


@dataclass(frozen=True, slots=True)
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


PLAIN = Marks()
