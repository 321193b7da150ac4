"""What a format is given to print, and what it must offer: writing, and reading back what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, TypeAlias

from derivations.audit.fidelity import Audit
from derivations.audit.items import Item
from derivations.audit.truth import Evidence
from derivations.claims.claims import Claims
from derivations.document.blocks import Document, Figure
from derivations.figures.rows import faults_of
from derivations.figures.scene import Scene
from derivations.formats.table import BY_NAME
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.witnesses.work import Verified

Content: TypeAlias = str | bytes


@dataclass(frozen=True)
class Press:
    """A verified run with its document, ready to be printed in any format.

    ``stem`` is the name of its files without the suffix.
    """

    run: Verified
    document: Document
    symbols: Symbols
    rounding: Rounding
    digest: str
    stem: str = "page"

    @cached_property
    def claims(self) -> Claims:
        """What the page may claim in symbols."""
        return Claims(self.run.example, self.run.derivation, self.run.matrices)

    @cached_property
    def figure_faults(self) -> tuple[str, ...]:
        """Figures that are missing, and what in a drawing is not as in the run; looked for once a page."""
        blocks = [block for block in self.document.blocks if isinstance(block, Figure)]
        scene = Scene(self.run.trace, self.symbols, self.rounding)
        return tuple(faults_of({block.name: block.drawing for block in blocks}, scene))


def _no_assets(press: Press) -> Mapping[str, Content]:
    return {}


@dataclass(frozen=True)
class Printer:
    """A format at work: ``check`` raises `CheckFailed` unless a finished file is what was verified.

    A file is text, or bytes for a format such as PDF. ``assets`` are further files that it refers to, as
    pictures of Markdown, by what follows the stem in their names: ``{"-graph.svg": …}``.
    """

    write: Callable[[Press], Content]
    check: Callable[[Any, Press], None]
    assets: Callable[[Press], Mapping[str, Content]] = _no_assets


def audited(
    read: Callable[[str], list[Item]],
    text: Callable[[str], str],
    figure: Callable[[Item, Figure, Press], None] | None = None,
) -> Callable[[str, Press], None]:
    """The check of a format of blocks: ``read`` cuts its text into items, ``text`` is its escaping.

    ``figure`` raises `CheckFailed` or ValueError unless an item shows a figure.
    """

    def check(page: str, press: Press) -> None:
        run = press.run
        language = press.document.wording
        evidence = Evidence(
            run.trace, run.report, press.claims, press.symbols, press.rounding, text, language
        )
        shown = None if figure is None else lambda item, block: figure(item, block, press)
        listings = run.program, run.printed
        Audit(press.document, evidence, listings, bool(run.matrices), shown, press.figure_faults).require(
            read(page)
        )

    return check


def printer(name: str) -> Printer:
    """The printer of a format by its row."""
    module, _, attribute = BY_NAME[name].home.partition(":")
    found: Printer = getattr(import_module(module), attribute)
    return found
