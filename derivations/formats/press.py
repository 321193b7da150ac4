"""What a format is given to print, and what it must offer: writing, and reading back what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from derivations.audit.evidence import Evidence
from derivations.audit.fidelity import Fidelity
from derivations.audit.items import Item
from derivations.audit.truth import require_added
from derivations.document.blocks import Document, Figure
from derivations.formats.table import BY_NAME
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.witnesses.work import Verified

Content: TypeAlias = str | bytes


@dataclass(frozen=True)
class Press:
    """A document that is true, ready to be printed in any format, with what it was held against.

    ``stem`` is the name of its files without the suffix.
    """

    evidence: Evidence
    digest: str
    stem: str = "page"

    @property
    def run(self) -> Verified:
        """The run, for formats that print numbers which the document has not."""
        return self.evidence.run

    @property
    def document(self) -> Document:
        """What formats print."""
        return self.evidence.document

    @property
    def symbols(self) -> Symbols:
        """How quantities are written."""
        return self.evidence.symbols

    @property
    def rounding(self) -> Rounding:
        """How numbers are rounded."""
        return self.evidence.rounding


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
    read: Callable[[Any], list[Item]],
    text: Callable[[str], str],
    figure: Callable[[Item, Figure, Press], None],
) -> Callable[[Any, Press], None]:
    """The check of a format of blocks: ``read`` cuts a file into items, ``text`` is its escaping.

    ``figure`` raises `Mismatch` or `CheckFailed` unless an item shows a figure. What a template adds is
    held against the run like the document itself.
    """

    def check(file: Any, press: Press) -> None:
        faithful = Fidelity(
            press.document, press.symbols, text, lambda item, block: figure(item, block, press)
        )
        added = faithful.require(read(file))
        require_added(added, press.evidence)

    return check


def printer(name: str) -> Printer:
    """The printer of a format by its row."""
    module, _, attribute = BY_NAME[name].home.partition(":")
    found: Printer = getattr(import_module(module), attribute)
    return found
