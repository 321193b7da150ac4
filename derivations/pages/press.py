"""What a format is given to print, and what it must offer: writing, and reading back what it wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.pages.audit import Audit
from derivations.pages.audit_formulas import Evidence
from derivations.pages.blocks import Document
from derivations.pages.claims import Claims
from derivations.pages.finished import Item
from derivations.pages.formats import BY_NAME
from derivations.pages.verified import Verified


@dataclass(frozen=True)
class Press:
    """A verified run with its document, ready to be printed in any format."""

    run: Verified
    document: Document
    symbols: Symbols
    rounding: Rounding
    digest: str

    @cached_property
    def claims(self) -> Claims:
        """What the page may claim in symbols."""
        return Claims(self.run.example, self.run.derivation, self.run.matrices)


@dataclass(frozen=True)
class Printer:
    """A format at work: ``check`` raises `CheckFailed` unless a finished text is what was verified."""

    write: Callable[[Press], str]
    check: Callable[[str, Press], None]


def audited(read: Callable[[str], list[Item]], text: Callable[[str], str]) -> Callable[[str, Press], None]:
    """The check of a format of blocks: ``read`` cuts its text into items, ``text`` is its escaping."""

    def check(page: str, press: Press) -> None:
        run = press.run
        evidence = Evidence(run.trace, run.report, press.claims, press.symbols, press.rounding, text)
        Audit(press.document, evidence, (run.program, run.printed), bool(run.matrices)).require(read(page))

    return check


def printer(name: str) -> Printer:
    """The printer of a format by its row."""
    module, _, attribute = BY_NAME[name].home.partition(":")
    found: Printer = getattr(import_module(module), attribute)
    return found
