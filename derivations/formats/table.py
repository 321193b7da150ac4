"""The output formats: one row each. The home of a row is a printer, imported when it is needed."""

from __future__ import annotations

from collections.abc import Iterable

from derivations.catalogue.outside import with_outside
from derivations.formats.format import Format
from derivations.language.errors import SpecError, nearest

FORMATS: tuple[Format, ...] = (
    Format(
        "md", ".md", "derivations.formats.markdown.write:PRINTER", "Markdown for GitHub, and for everywhere"
    ),
    Format(
        "myst",
        ".myst.md",
        "derivations.formats.markdown.write:MYST",
        "Markdown for MyST: Jupyter Book, Sphinx",
    ),
    Format("qmd", ".qmd", "derivations.formats.markdown.write:QUARTO", "Markdown for Quarto"),
    Format(
        "tex",
        ".tex",
        "derivations.formats.latex.write:ARTICLE",
        "LaTeX that compiles by itself with pdflatex",
    ),
    Format("fragment", ".fragment.tex", "derivations.formats.latex.write:FRAGMENT", r"LaTeX for \input"),
    Format(
        "beamer", ".beamer.tex", "derivations.formats.latex.beamer:PRINTER", "slides for Beamer, line by line"
    ),
    Format(
        "ipynb",
        ".ipynb",
        "derivations.formats.notebook.write:PRINTER",
        "a Jupyter notebook that checks itself",
    ),
    Format(
        "pdf", ".pdf", "derivations.formats.pdf.write:PRINTER", "PDF/UA-1: tagged and spoken, without LaTeX"
    ),
    Format("typ", ".typ", "derivations.formats.pdf.write:SOURCE", "Typst, the source of the PDF"),
    Format("json", ".json", "derivations.formats.data.json:PRINTER", "the whole trace, for programs"),
    Format("html", ".html", "derivations.formats.html.write:PRINTER", "one HTML file that works offline"),
    Format(
        "slides", ".slides.html", "derivations.formats.html.slides:PRINTER", "slides in HTML, step by step"
    ),
    Format("csv", ".csv", "derivations.formats.data.csv:PRINTER", "the whole trace as a tidy table"),
    Format(
        "xlsx", ".xlsx", "derivations.formats.spreadsheet.write:PRINTER", "a spreadsheet of live formulas"
    ),
    Format(
        "svg",
        ".svg",
        "derivations.formats.pictures:PRINTER",
        "one picture: the fit, a network, the path or the graph",
    ),
)
FORMATS = with_outside("formats", FORMATS)
BY_NAME = {row.name: row for row in FORMATS}
DEFAULT = ("md", "tex", "json")


def formats_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """The names of formats, each once: ``"html"``, ``"md,tex"`` or several; raises `SpecError` for others."""
    parts = given.split(",") if isinstance(given, str) else given
    wanted = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in wanted:
        if name not in BY_NAME:
            raise SpecError(f"unknown format '{name}'", hint=nearest(name, BY_NAME, "formats"))
    return wanted
