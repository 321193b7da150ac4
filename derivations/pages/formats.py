"""The output formats: one row each. The home of a row is a printer, imported when it is needed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """One row: name on the command line, suffix of the file, ``module:NAME`` of its `Printer`."""

    name: str
    suffix: str
    home: str
    summary: str


FORMATS = (
    Format("md", ".md", "derivations.pages.markdown:PRINTER", "Markdown for GitHub, and for everywhere"),
    Format("myst", ".myst.md", "derivations.pages.dialects:MYST", "Markdown for MyST: Jupyter Book, Sphinx"),
    Format("qmd", ".qmd", "derivations.pages.dialects:QUARTO", "Markdown for Quarto"),
    Format("tex", ".tex", "derivations.pages.latex:ARTICLE", "LaTeX that compiles by itself with pdflatex"),
    Format("fragment", ".fragment.tex", "derivations.pages.latex:FRAGMENT", r"LaTeX for \input"),
    Format("beamer", ".beamer.tex", "derivations.pages.beamer:PRINTER", "slides for Beamer, line by line"),
    Format("ipynb", ".ipynb", "derivations.pages.notebook:PRINTER", "a Jupyter notebook that checks itself"),
    Format("pdf", ".pdf", "derivations.pages.pdf:PRINTER", "PDF/UA-1: tagged and spoken, without LaTeX"),
    Format("typ", ".typ", "derivations.pages.pdf:SOURCE", "Typst, the source of the PDF"),
    Format("json", ".json", "derivations.pages.trace_json:PRINTER", "the whole trace, for programs"),
    Format("html", ".html", "derivations.pages.html:PRINTER", "one HTML file that works offline"),
    Format("slides", ".slides.html", "derivations.pages.slides:PRINTER", "slides in HTML, step by step"),
    Format("csv", ".csv", "derivations.pages.trace_csv:PRINTER", "the whole trace as a tidy table"),
    Format("xlsx", ".xlsx", "derivations.pages.spreadsheet:PRINTER", "a spreadsheet of live formulas"),
    Format(
        "svg",
        ".svg",
        "derivations.pages.pictures:PRINTER",
        "one picture: the fit, a network, the path or the graph",
    ),
)
BY_NAME = {row.name: row for row in FORMATS}
DEFAULT = ("md", "tex", "json")
