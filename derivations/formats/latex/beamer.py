r"""Beamer: slides for pdflatex, one thought a frame, line by line; with ``[handout]`` one page a frame.

What is uncovered on which slide is said in numbers, for amsmath sets a display twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from derivations.audit.items import Item, dollar_pieces
from derivations.document.blocks import Display, Figure, Heading, Listing, Prose
from derivations.formats.latex import setting as latex_set
from derivations.formats.latex.held import hold_latex
from derivations.formats.latex.read import Found, latex_items, put_together
from derivations.formats.latex.setting import Setter, row, space
from derivations.formats.latex.text import LANGUAGE, escape
from derivations.formats.press import Press, Printer, audited
from derivations.formats.render import render
from derivations.layout.frames import Frame, frames
from derivations.layout.pieces import SKIP, Piece, Slide, ends, figure_height
from derivations.layout.widths import LARGE, SPACED, Sheet, row_heights
from derivations.notation.breaking import SLIDE, Line

FURTHER = "% further lines\n"
LONGEST, SMALL = 1000, r"[basicstyle=\ttfamily\scriptsize]"  # a line that would fill the slide
STEPWISE = ("derivation",)  # tables whose rows are uncovered one after another


@dataclass(frozen=True)
class Show:
    """A frame as the template has it: the opening words, options, pieces in LaTeX.

    One that holds a listing is fragile: Beamer must read it as it stands.
    """

    heading: Heading
    number: int
    count: int
    pieces: tuple[Markup, ...]
    is_fragile: bool


@dataclass(frozen=True)
class Stage:
    """How pieces are set and uncovered."""

    setter: Setter
    slide: Slide

    @property
    def most(self) -> float:
        """The height that one row may have; a higher one is set smaller."""
        return self.slide.height - SKIP["Table"]

    def show(self, frame: Frame, count: int) -> Show:
        """A frame; a listing is there at once with all that stands beside it."""
        still = any(isinstance(piece.block, Listing) for piece in frame.pieces)
        at, shown = 1, []
        for place, piece in enumerate(frame.pieces):
            goes_on = place == 0 or _introduces(frame.pieces[place - 1])
            at += not goes_on and not still
            shown.append(Markup(self.piece(piece, 0 if still else at)))
            at += 0 if still else self.steps(piece) - 1
        fragile = any("\\begin{lstlisting}" in piece for piece in shown)
        return Show(frame.heading, frame.number, count, tuple(shown), fragile)

    def steps(self, piece: Piece) -> int:
        """How many clicks a piece takes."""
        if isinstance(piece.block, Display):
            return len(_clicks(piece.lines))
        if piece.sheet and piece.sheet.table.kind in STEPWISE:
            return len(piece.sheet.table.rows)
        return 1

    def piece(self, piece: Piece, at: int) -> str:
        """A piece that is there from a slide on."""
        mark = FURTHER if piece.continues else ""
        match piece.block:
            case Display():
                return mark + self.display(piece.lines, at)
            case Prose(words):
                return mark + covered(f"{self.setter.words(words)}\\par", at)
            case Listing(_, text):
                code = text.replace("\\end{lstlisting}", "")
                small = SMALL if max(map(len, code.split("\n"))) > LONGEST else ""
                return f"{mark}\\begin{{lstlisting}}{small}\n{code}\n\\end{{lstlisting}}"
            case Figure() as figure:
                high = figure_height(figure.drawing, self.slide)
                shown = latex_set.figure_latex(figure, self.setter.symbols)
                return covered(shown.replace("center}", f"max height={high:.2f}em,center}}", 1), at)
        assert piece.sheet
        return self.table(piece.sheet, at)

    def display(self, found: tuple[Line, ...], at: int) -> str:
        """Lines that are uncovered one after another."""
        marks = self.setter.symbols.marks
        if not latex_set.is_within(found, self.slide.width):
            body = " ".join(latex_set.aligned(found, marks))
            shown = f"$\\begin{{aligned}}[t] {body} \\end{{aligned}}$"
            return covered(f"\\[\n{latex_set.smaller(shown, self.slide.width)}\n\\]", at)
        if len(found) == 1 and not found[0].indent and found[0].role == "head":
            return covered(latex_set.displayed(found, marks), at)
        rows = [
            f"{_uncovered(row(line.before, marks), click)} &"
            + _uncovered(space(line.indent) + row(line.parts, marks), click)
            for line, click in zip(found, _numbers(found, at), strict=True)
        ]
        return latex_set.in_display(" \\\\\n".join(text.lstrip() for text in rows))

    def table(self, sheet: Sheet, at: int) -> str:
        """A table; a derivation row by row, any other at once."""
        stepwise = sheet.table.kind in STEPWISE
        rows = []
        for place, cells in enumerate(sheet.table.rows):
            columns = zip(cells, sheet.table.align, sheet.widths, strict=True)
            shown = [self.setter.cell(*column, sheet.table.kind in LARGE) for column in columns]
            click = at + place if stepwise and at else 0
            rows.append(" & ".join(_uncovered(cell, click, "") for cell in shown) + r" \\")
        if sheet.table.total:
            rows.insert(-1, r"\midrule")
        gap = "\n\\addlinespace\n" if sheet.table.kind in SPACED else "\n"
        inside = f"\\toprule\n{self.setter.header(sheet)} \\\\\n\\midrule\n{gap.join(rows)}\n\\bottomrule"
        mark, start = latex_set.MARKS[sheet.continues], latex_set.start(sheet, False)
        whole = f"{start.removeprefix(mark)}\n{inside}\n{latex_set.end(False)}"
        if len(sheet.table.rows) == 1 and sum(row_heights(sheet, self.setter.symbols)) > self.most:
            smaller = f"\\adjustbox{{max totalheight={self.most:.2f}em}}{{%\n"
            whole = whole.replace("\\begin{tabular}", f"{smaller}\\begin{{tabular}}", 1)
            whole = whole.replace("\\end{tabular}", "\\end{tabular}}")
        return mark + covered(whole, at)


def covered(text: str, at: int) -> str:
    """LaTeX that is there from a slide on."""
    return text if at <= 1 else f"\\begin{{uncoverenv}}<{at}->%\n{text}%\n\\end{{uncoverenv}}%"


def _uncovered(text: str, at: int, spaced: str = "{}") -> str:
    return text if at <= 1 or not text else f"\\uncover<{at}->{{{spaced}{text}}}"


def _clicks(found: tuple[Line, ...]) -> list[Line]:
    """The lines that come with a click of their own: those that begin a side."""
    return [line for at, line in enumerate(found) if at == 0 or line.role != "continuation"]


def _numbers(found: tuple[Line, ...], at: int) -> Iterator[int]:
    """The slide from which on each line is there."""
    for place, line in enumerate(found):
        at += bool(at) and place > 0 and line.role != "continuation"
        yield at


def _introduces(piece: Piece) -> bool:
    return isinstance(piece.block, Prose) and not ends(piece.block.words)


def write(press: Press) -> str:
    """The slides."""
    slide = Slide()
    stage = Stage(Setter(press.symbols, SLIDE), slide)
    found = frames(press.document, press.symbols, slide)
    counts = {frame.heading: frame.number for frame in found}
    shows = [stage.show(frame, counts[frame.heading]) for frame in found]
    filters: dict[str, Callable[..., Any]] = {"words": stage.setter.words, **LANGUAGE}
    return render(press.document, "beamer/page.tex.j2", escape, filters, (Show,), frames=shows)


# --- read back ------------------------------------------------------------------------------------------

FRAME = re.compile(
    r"\\begin\{frame\}(?:\[fragile\])?"
    r"(?:\{(?P<heading>.*)\\progress\{(?P<number>\d+)\}\{\d+\}\}|\n+\\opening\{(?P<title>.*)\})\n"
    r"(?P<inside>(?:.*\n)*)\\end\{frame\}\s*",
)


def read(page: str) -> list[Item]:
    """The items of the slides, frames put together again."""
    body = page.partition("\\begin{document}\n")[2].partition("\n\\end{document}")[0]
    return put_together(_items(body))


def _items(body: str) -> Iterator[Found]:
    for source in re.split(r"(?m)^(?=\\begin\{frame\})", body):
        frame = FRAME.fullmatch(source)
        if not frame:
            yield from [("", Item("unknown", text=source))] if source.strip() else []
            continue
        if frame["title"] is not None or frame["number"] == "1":
            yield "", Item("Heading", dollar_pieces(frame["heading"] or frame["title"] or ""))
        yield from latex_items(_opened(frame["inside"] or ""))


def _opened(text: str) -> str:
    """A frame without its coverings; one with a listing has none."""
    if "\\begin{lstlisting}" in text:
        return text
    return re.sub(r"%\n\\end\{uncoverenv\}%$|^\\begin\{uncoverenv\}<\d+->%\n", "", text, flags=re.MULTILINE)


def check(page: str, press: Press) -> None:
    """Raise `CheckFailed` unless finished slides show what was verified."""
    hold_latex(page, press, write)
    audited(read, escape, latex_set.check_figure)(page, press)


PRINTER = Printer(write, check)
