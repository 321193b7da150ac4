"""The languages of pages: how each says our texts, joins lists and writes numbers.

What a language writes is in Babel's locale data (CLDR), what it says in the catalogue of its row
(`derivations.notation.languages`). Both are read when a page asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from typing import TYPE_CHECKING

from derivations.notation.languages import LANGUAGES, SOURCE

if TYPE_CHECKING:
    import babel
    from babel.messages.catalog import Catalog

# --- How a language writes a decimal: its mark, thousands, and what separates arguments -------

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

    def between(self, axis: int) -> str:
        """What separates the entries of an array along an axis, the last axis counted as 0.

        ``(1, 2; 3, 4)`` in English, where the semicolon ends a row; ``(1; 2 | 3; 4)`` where it stands
        between entries already. Matrices of one array are ``|`` or ``||`` apart, and so on.
        """
        small = [", ", "; "] if self.separator == "," else ["; "]
        return small[axis] if axis < len(small) else f" {'|' * (axis + 1 - len(small))} "

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


@dataclass(frozen=True)
class Locale:
    """A language as pages need it, by its code in a spec; ``own`` are an author's own words for ours."""

    language: str
    own: tuple[tuple[str, str], ...] = ()

    @cached_property
    def data(self) -> babel.Locale:
        """What Babel knows about it."""
        from babel import Locale as Data

        return Data.parse(LANGUAGES[self.language].locale)

    @cached_property
    def marks(self) -> Marks:
        """The marks of decimals, thousands and arguments."""
        signs = self.data.number_symbols["latn"]
        return Marks(signs["decimal"], signs["group"])

    @cached_property
    def catalogue(self) -> NullTranslations:
        """The translations of our texts."""
        return NullTranslations() if self.language == SOURCE else _catalogue(self.language)

    def text(self, text: str) -> str:
        """What a text of ours is in this language, the author's own words first; the text itself if none."""
        return dict(self.own).get(text) or self.catalogue.gettext(text)

    def several(self, one: str, many: str, count: int) -> str:
        """The form of a text that belongs to a count."""
        found = self.catalogue.ngettext(one, many, count)
        return dict(self.own).get(one if count == 1 else many) or found

    def digits(self, text: str) -> str:
        """Canonical digits with the marks of this language; an exponent stays as it is."""
        mantissa, e, exponent = text.partition("e")
        sign = "-" if mantissa.startswith("-") else ""
        return f"{sign}{self.marks.numeral(mantissa.removeprefix('-'))}{e}{exponent}"

    def joints(self, count: int, joint: str) -> list[str]:
        """What stands between the items of a list: ``a, b and c``, ``a, b, c``, ``a; b; c``."""
        if joint == "and":
            return self._patterns(count)
        return [self._joint(f"{joint} ")] * (count - 1)

    def _joint(self, joint: str) -> str:
        return LANGUAGES[self.language].joints.get(joint, joint)

    def _patterns(self, count: int) -> list[str]:
        """What stands between the holes of CLDR's patterns such as ``{0} and {1}``."""
        patterns = self.data.list_patterns["standard"]
        kinds = ["2"] if count == 2 else ["start", *["middle"] * (count - 3), "end"] if count > 2 else []
        return [self._joint(patterns[kind].removeprefix("{0}").removesuffix("{1}")) for kind in kinds]


def phrase(text: str) -> str:
    """A text of ours that is said elsewhere: it stands in the message catalogues."""
    return text


def phrases(one: str, many: str) -> tuple[str, str]:
    """A text for one and a text for several that are said elsewhere."""
    return one, many


@cache
def locale(language: str, own: tuple[tuple[str, str], ...] = ()) -> Locale:
    """The language by its code, with an author's own words."""
    return Locale(language, own)


def _catalogue(language: str) -> GNUTranslations:
    """The catalogue, compiled in memory."""
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, messages(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def messages(language: str) -> Catalog:
    """The catalogue of a language as its file has it: every text of ours with its translation."""
    from babel.messages.pofile import read_po

    row = LANGUAGES[language]
    assert row.catalogue is not None, "the language of the code needs no catalogue"
    with row.catalogue.open("rb") as file:
        return read_po(file, locale=row.locale)


@cache
def several() -> Mapping[str, str]:
    """The form for several of every text that has one, as the catalogues list them."""
    pairs = (message.id for message in messages("de") if isinstance(message.id, (list, tuple)))
    return {pair[0]: pair[1] for pair in pairs}


@cache
def texts() -> frozenset[str]:
    """Every text of ours, as the catalogues list them, forms for several among them."""
    ids = [message.id for message in messages("de") if message.id]
    return frozenset(text for one in ids for text in ([one] if isinstance(one, str) else one))
