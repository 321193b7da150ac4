"""Markdown for MyST (Jupyter Book, Sphinx) and for Quarto: native boxes, exercises and folds."""

from __future__ import annotations

import json
import re

from derivations.document.regions import Region
from derivations.pages.markdown import Dialect, dialect_printer
from derivations.pages.press import Press


def _label(region: Region, press: Press) -> str:
    """A label that no other page of a book has."""
    stem = re.sub(r"[^a-z0-9]+", "-", press.stem.lower()).strip("-") or "page"
    return f"{stem}-exercise-{region.number}"


def _myst_open(region: Region, press: Press) -> str:
    title = region.title(press.document.wording) if region.kind else ""
    match region.kind:
        case "":
            return ""
        case "warning":
            return f":::{{admonition}} {title}\n:class: warning"
        case "exercise":
            return f":::{{exercise}}\n:label: {_label(region, press)}"
        case "solution":
            return f":::{{solution}} {_label(region, press)}\n:class: dropdown"
        case _:
            return f":::{{dropdown}} {title}"


def _myst_close(region: Region, press: Press) -> str:
    return ":::" if region.kind else ""


def _quarto_open(region: Region, press: Press) -> str:
    title = json.dumps(region.title(press.document.wording), ensure_ascii=False) if region.kind else ""
    match region.kind:
        case "":
            return ""
        case "warning":
            return f"::: {{.callout-warning title={title}}}"
        case "exercise":
            return f"::: {{#exr-{_label(region, press)}}}"
        case _:
            return f'::: {{.callout-note collapse="true" title={title}}}'


def _quarto_close(region: Region, press: Press) -> str:
    return ":::" if region.kind else ""


def _quarto_front(press: Press) -> str:
    """The language as YAML; a JSON string is one."""
    return f"---\nlang: {json.dumps(press.document.language)}\n---"


MYST = dialect_printer(Dialect("markdown/page.myst.md.j2", _myst_open, _myst_close))
QUARTO = dialect_printer(Dialect("markdown/page.qmd.j2", _quarto_open, _quarto_close, _quarto_front))
