"""What an author's template adds to a PDF: words are free, numbers and formulas must be right there.

A PDF has glyphs and no sentences, so that every number counts, in words too: it must be a value of the step
in which it stands, or one that the spec gives. Around ``=`` and ``≈`` must stand an equation of the example,
or an entry and its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, cached_property

from derivations.audit.additions import Known, Value
from derivations.document.blocks import Block, Heading
from derivations.formats.pdf.glyphs import Glyph
from derivations.formats.press import Press
from derivations.language.tree import Ref
from derivations.notation.chain import Side
from derivations.notation.glyphs import Glyphs
from derivations.notation.numerals import CHINESE, NAMED
from derivations.notation.spoken.speaker import spoken_chain
from derivations.notation.typeset import typeset
from derivations.programs.listing import shown_steps
from derivations.run.training import Step

OPERATORS = frozenset("−-+·/=≈<>()[]⊙⊘^%")
LONGEST = 40


class Additions:
    """Checks what stands between the blocks of a document, by the number of the step headings before it."""

    def __init__(self, press: Press) -> None:
        self.press = press
        self.values = cache(self._values)
        self.formulas = cache(self._formulas)
        self.said = cache(self._said)

    # --- what is right

    @cached_property
    def steps(self) -> list[Step]:
        """The steps that the page shows."""
        trace = self.press.run.trace
        return [trace.shown[number - 1] for number in shown_steps(trace.example)]

    def _values(self, place: int | None) -> list[Value]:
        return self.known.at(None if place is None else self.steps[place])

    @cached_property
    def known(self) -> Known:
        """The numbers that an author may repeat."""
        press = self.press
        return Known(press.run.trace, press.symbols, press.rounding, press.document.language)

    def _formulas(self, place: int | None) -> list[Glyphs]:
        chains = [value.sides for value in self.values(place) if isinstance(value.of, Ref)]
        chains += self._equations()
        return sorted(map(self.glyphs, chains), key=lambda found: -len(found.text))

    def _equations(self) -> Iterator[tuple[Side, Side]]:
        for left, sign, right in self.press.evidence.claims.equations:
            yield Side("", left), Side(sign, right)

    def _said(self, place: int | None) -> frozenset[str]:
        """What may be said aloud for a formula that is added."""
        chains = [value.sides for value in self.values(place)]
        chains += [(Side("", value.shown),) for value in self.values(place)]
        chains += self._equations()
        language = self.press.document.language
        return frozenset(spoken_chain(sides, self.press.symbols, language) for sides in chains)

    def glyphs(self, sides: Sequence[Side]) -> Glyphs:
        """The glyphs of a chain."""
        found = Glyphs()
        for side in sides:
            found.write(side.relation)
            found.box(typeset(side.expr, self.press.symbols), self.press.symbols.marks)
        return found

    @cached_property
    def number(self) -> re.Pattern[str]:
        """A number in the glyphs of a page, with the marks of the language."""
        marks = self.press.symbols.marks
        group, point = re.escape(marks.group.strip()), re.escape(marks.decimal)
        return re.compile(rf"[−-]?(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{point}\d+)?(?:·10−?\d+)?")

    # --- what is wrong

    def behind(self, body: Sequence[Glyph], at: int, wanted: str, place: int | None) -> tuple[int, str]:
        """Where what is due begins, behind what a template adds, and what is wrong with that."""
        for start in range(at, len(body)):
            here = (glyph.letter for glyph in body[start : start + len(wanted)])
            if wanted[:1] in ("", body[start].letter) and "".join(here) == wanted:
                return start, self.fault(body[at:start], place)
        return at, ""

    def fault(self, added: Sequence[Glyph], place: int | None) -> str:
        """What is wrong with glyphs that a template adds; empty if nothing is."""
        text = "".join(glyph.letter for glyph in added)
        at, words, names = 0, "", _names(added)
        while at < len(text):
            formula = self._formula_at(added, text, at, place)
            found = self.number.match(text, at)
            if formula:
                at += len(formula)
                words += " "
            elif found and at not in names:
                if fault := self._number_fault(found, place):
                    return fault
                at = found.end()
                words += " "
            elif text[at] in "=≈":
                return self._relation_fault(text, at, place)
            elif text[at].isnumeric() and not found and text[at] not in CHINESE:
                return f"a template adds '{text[at]}', a number that nobody verified"
            else:
                words += f"{' ' * added[at].spaced}{text[at]}"
                at += 1
        fault = self.known.fault(words, None if place is None else self.steps[place])
        return f"a template adds {fault}" if fault else ""

    def _formula_at(self, added: Sequence[Glyph], text: str, at: int, place: int | None) -> str:
        if text[at - 1 : at] in OPERATORS or (at and text[at - 1].isnumeric()):
            return ""
        for formula in self.formulas(place):
            end = at + len(formula.text)
            ends = not (text[end : end + 1] in OPERATORS or text[end : end + 1].isnumeric())
            if ends and text.startswith(formula.text, at):
                heights = [glyph.height + 1e4 * (1e3 - glyph.page) for glyph in added[at:end]]
                return "" if formula.misplaced(heights) else formula.text
        return ""

    def _number_fault(self, found: re.Match[str], place: int | None) -> str:
        shown = found[0].replace("-", "−")
        values = self.values(place)
        if any(shown in self._spellings(value) for value in values):
            return ""
        wanted = self._read(shown)
        nearest = min(values, key=lambda value: abs(value.shown.value - wanted))
        hint = self.glyphs(nearest.sides if isinstance(nearest.of, Ref) else nearest.sides[1:]).text
        where = f"step {self.steps[place].number}" if place is not None else "the spec"
        return f"{self._place(shown)}a template adds '{shown}', no value of {where}; the nearest is {hint}"

    def _relation_fault(self, text: str, at: int, place: int | None) -> str:
        before = text[max(at - LONGEST, 0) : at]
        values = [value for value in self.values(place) if isinstance(value.of, Ref)]
        known = [value for value in values if before.endswith(self.glyphs(value.sides[:1]).text)]
        best = max(known, key=lambda value: len(self.glyphs(value.sides[:1]).text), default=None)
        right = f"; right is {self.glyphs(best.sides).text}" if best else ""
        number = self.number.match(text, at + 1)
        where = self._place(number[0]) if number else ""
        shown = text[max(at - 12, 0) : at + 12]
        return f"{where}a template adds '{shown}', which is no formula of this part of the page{right}"

    def _spellings(self, value: Value) -> tuple[str, ...]:
        shown = self.glyphs(value.sides[1:]).text.removeprefix(value.sign)
        group = self.press.symbols.marks.group
        return shown, shown.replace(group, "") if group else shown

    def _read(self, shown: str) -> Fraction:
        mantissa, _, power = shown.replace("−", "-").partition("·10")
        digits = self.press.symbols.marks.canonical(mantissa)
        return Fraction(digits) * Fraction(10) ** int(power or 0)

    def _place(self, shown: str) -> str:
        """The line of a template in which a number stands as it is, if there is one."""
        templates, digits = self.press.document.templates, shown.lstrip("−-")
        for file, content in templates.files if templates else ():
            lines = content.decode(errors="replace").splitlines() if file.endswith(".j2") else ()
            for line, text in enumerate(lines, 1):
                if templates and re.search(rf"(?<![\d.]){re.escape(digits)}(?!\d)", text):
                    return f"{templates.folder.name}/{file}:{line}: "
        return ""


def _names(added: Sequence[Glyph]) -> frozenset[int]:
    """The glyphs of what only names something, as a date or ``Lecture 3``."""
    said = [(at, letter) for at, glyph in enumerate(added) for letter in " " * glyph.spaced + glyph.letter]
    found = NAMED.finditer("".join(letter for _, letter in said))
    return frozenset(said[at][0] for one in found for at in range(*one.span()) if said[at][1] != " ")


def places(blocks: Sequence[Block]) -> Iterator[int | None]:
    """For each block the place, among the steps that are shown, of the step in which it stands."""
    count, place = 0, None
    for block in blocks:
        if isinstance(block, Heading):
            place = count if block.part == "steps" else None
            count += block.part == "steps"
        yield place
