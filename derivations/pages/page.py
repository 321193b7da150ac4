"""From a spec to a finished, verified page: the whole way, once.

Nothing leaves here that a witness has not confirmed: the run is worked by hand, checked by torch and
SymPy, composed, printed, read back from what was printed, and only then handed out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from derivations import __version__
from derivations.examples.example import Example, prepare
from derivations.examples.listing import listing
from derivations.examples.spec import Source, Spec, parse_spec, read_spec
from derivations.examples.training import Trace, certified, train
from derivations.language.proof import prove
from derivations.language.steps import Chain, derive
from derivations.notation.symbols import Symbols
from derivations.pages.audit import Audit
from derivations.pages.blocks import Document
from derivations.pages.claims import Claims
from derivations.pages.compose import compose, rounding_of, symbols_of
from derivations.pages.finished import Item, read_latex, read_markdown
from derivations.pages.latex import FRAGMENT, LATEX
from derivations.pages.latex import escape as latex_text
from derivations.pages.markdown import MARKDOWN
from derivations.pages.render import Format, render
from derivations.pages.trace_json import audit_json, trace_json
from derivations.pages.versions import versions
from derivations.witnesses.check import Proof, Report
from derivations.witnesses.run_listing import listing_checks, run_listing
from derivations.witnesses.verify import verify

DEFAULT_FORMATS = ("md", "tex", "json")


@dataclass(frozen=True)
class Printer:
    """A text format with the reader of its finished pages."""

    format: Format
    read: Callable[[str], list[Item]]
    text: Callable[[str], str]


PRINTERS = {
    "md": Printer(MARKDOWN, read_markdown, str),
    "tex": Printer(LATEX, read_latex, latex_text),
    "fragment": Printer(FRAGMENT, read_latex, latex_text),
}
SUFFIXES = {name: printer.format.suffix for name, printer in PRINTERS.items()} | {"json": ".json"}


@dataclass(frozen=True)
class Worked:
    """A verified run before it is printed."""

    example: Example
    trace: Trace
    derivation: tuple[Chain, ...]
    program: str
    printed: str
    report: Report


@dataclass(frozen=True)
class Page:
    """A verified worked example: its texts by format, the trace, and what the witnesses said.

    In a notebook it shows itself.
    """

    title: str
    texts: Mapping[str, str] = field(repr=False)
    trace: Trace = field(repr=False)
    report: Report = field(repr=False)
    document: Document = field(repr=False)

    def __getitem__(self, form: str) -> str:
        """The text of a format: ``page["md"]``."""
        return self.texts[form]

    def _repr_markdown_(self) -> str:
        return self.texts["md"]


def work(example: Example) -> Worked:
    """Work a run by hand, derive its gradient, run its PyTorch program, and ask every witness.

    Raises `CheckFailed` naming the first quantity and step that differ.
    """
    derivation = derive(example.forward, example.backward, example.loss, example.parameters)
    proofs = tuple(Proof(what, "SymPy", ok) for what, ok in prove(derivation, example.forward, example.loss))
    program = listing(example)
    printed = run_listing(program)

    def attempt(bits: int) -> Worked:
        trace = train(example, bits)
        report = verify(trace)
        checks = (*report.checks, *listing_checks(trace, printed))
        report = Report(checks, report.proofs + proofs, report.absent)
        report.require()
        return Worked(example, trace, derivation, program, printed, report)

    return certified(attempt)


def make(spec: Spec, source: Source, formats: tuple[str, ...] = DEFAULT_FORMATS) -> Page:
    """The verified page of a spec in the given formats; raises `DerivationsError`."""
    example = prepare(spec, source)
    found = work(example)
    digest = spec_digest(source)
    return certified(lambda bits: _print(found, formats, digest, bits), found.trace.bits)


def _print(found: Worked, formats: tuple[str, ...], digest: str, bits: int) -> Page:
    if bits != found.trace.bits:
        found = Worked(**{**vars(found), "trace": train(found.example, bits)})
    example, report = found.example, found.report
    document = compose(found.trace, found.derivation, found.program, found.printed, report, footer(digest))
    symbols, rounding = symbols_of(example), rounding_of(example)
    texts = {}
    for name in dict.fromkeys((*formats, "md")):
        if name == "json":
            texts[name] = trace_json(found.trace, report, digest, versions(), rounding)
            audit_json(texts[name], found.trace, rounding)
        else:
            texts[name] = _printed(PRINTERS[name], document, symbols, found)
    return Page(example.spec.title, texts, found.trace, report, document)


def _printed(printer: Printer, document: Document, symbols: Symbols, found: Worked) -> str:
    text = render(document, symbols, printer.format)
    claims = Claims(found.example, found.derivation)
    rounding = rounding_of(found.example)
    audit = Audit(document, found.trace, found.report, claims, symbols, rounding, printer.text)
    audit.require(printer.read(text), f"({printer.format.name})")
    return text


def spec_digest(source: Source) -> str:
    """The digest of a spec's text: ``sha256:`` and 16 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(source.text.encode()).hexdigest()[:16]}"


def footer(digest: str) -> str:
    """The last line of a page: versions, dtype, digest of the spec."""
    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"Worked and verified with derivations {__version__} ({known}; torch in float64) from the spec {digest}."


def build(spec: str | Path, formats: tuple[str, ...] = DEFAULT_FORMATS) -> Page:
    """The verified page of a spec: a path, a gallery name, or the text of a spec (with line breaks).

    >>> page = build("linear-regression")
    >>> page.trace.steps[0]["dL/dw"]
    -69/2

    Raises `DerivationsError`: `SpecError` for a spec that cannot be worked, `CheckFailed` if a
    witness disagrees.
    """
    if isinstance(spec, str) and "\n" in spec:
        return make(*parse_spec(spec), formats)
    from derivations.examples.gallery import find

    return make(*read_spec(find(str(spec))), formats)
