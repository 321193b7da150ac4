"""From a spec to a finished, verified page: the whole way, once.

Nothing leaves here that a witness has not confirmed: the run is worked by hand, checked by torch and
SymPy, composed, printed, read back from what was printed, and only then handed out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from derivations import __version__
from derivations.examples.example import prepare
from derivations.examples.gallery import find
from derivations.examples.spec import Source, Spec, parse_spec, read_spec
from derivations.examples.training import Trace, certified
from derivations.language.errors import ArithmeticFault, CheckFailed, LanguageError, SpecError
from derivations.numbers.systems import precision
from derivations.pages.compose import compose, rounding_of
from derivations.pages.formats import DEFAULT
from derivations.pages.naming import check_page, symbols_of
from derivations.pages.press import Press, printer
from derivations.pages.verified import Verified, work
from derivations.pages.versions import versions
from derivations.witnesses.check import Check, Report


@dataclass(frozen=True)
class Page:
    """A verified worked example: its texts by format, the trace, and what the witnesses said.

    In a notebook it shows itself.
    """

    title: str
    texts: Mapping[str, str] = field(repr=False)
    press: Press = field(repr=False)

    def __getitem__(self, form: str) -> str:
        """The text of a format: ``page["md"]``."""
        return self.texts[form]

    @property
    def trace(self) -> Trace:
        """The run, every value by its name: ``page.trace.steps[0]["dL/dw"]``."""
        return self.press.run.trace

    @property
    def report(self) -> Report:
        """What every witness compared and found."""
        return self.press.run.report

    def check(self, form: str, text: str) -> None:
        """Hold a text of this page, perhaps edited since, against the verified run.

        Raises `CheckFailed` at the first formula, number or word that is not as verified.
        """
        with precision(self.trace.bits):
            printer(form).check(text, self.press)
            pairs = zip(text.splitlines(), printer(form).write(self.press).splitlines(), strict=False)
        for number, (line, wanted) in enumerate(pairs, 1):
            if line != wanted:
                raise CheckFailed(f"line {number} is not as it was verified: {line}")
        if text != self.texts.get(form, text):
            raise CheckFailed("the text is shorter or longer than the verified one")

    def _repr_markdown_(self) -> str:
        return self.texts["md"]


def make(
    spec: Spec,
    source: Source,
    formats: tuple[str, ...] = DEFAULT,
    witnesses: tuple[Callable[[Trace], tuple[Check, ...]], ...] = (),
) -> Page:
    """The verified page of a spec in the given formats, perhaps with witnesses of its own.

    Raises `DerivationsError`.
    """
    try:
        example = prepare(spec, source)
        check_page(example, source)
        run = work(example, *witnesses)
        digest = spec_digest(source)
        return certified(lambda bits: _print(run.with_bits(bits), formats, digest), run.trace.bits)
    except ArithmeticFault as fault:
        raise _located(fault, spec, source) from None
    except LanguageError as fault:  # found where the program was unrolled
        raise source.misread(fault, "model", "equations") from None


def _located(fault: ArithmeticFault, spec: Spec, source: Source) -> SpecError:
    """A fault of arithmetic at the equation of its quantity, or at the optimizer that made it diverge."""
    name = re.match(r"\w*", fault.quantity)
    line = re.search(rf"^[ \t]*{name[0]}\b", spec.model.equations, re.MULTILINE) if name and name[0] else None
    if line is None:
        of_layer = spec.model.layers and fault.quantity and "'" not in fault.quantity
        where = ("model", "layers") if of_layer else ("training", "optimizer")
        return source.error(fault.message, *where, hint=fault.hint)
    at = line.end() - len(name[0] if name else "")
    return source.error(fault.message, "model", "equations", hint=fault.hint, at=at)


def _print(run: Verified, formats: tuple[str, ...], digest: str) -> Page:
    example = run.example
    symbols = symbols_of(example)
    document = compose(run, symbols, footer(digest))
    press = Press(run, document, symbols, rounding_of(example), digest)
    texts = {}
    for name in dict.fromkeys(("md", *formats)):
        texts[name] = printer(name).write(press)
        printer(name).check(texts[name], press)
    return Page(example.spec.title, texts, press)


def spec_digest(source: Source) -> str:
    """The digest of a spec's text: ``sha256:`` and 16 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(source.text.encode()).hexdigest()[:16]}"


def footer(digest: str) -> str:
    """The last line of a page: versions, dtype, digest of the spec."""
    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    own = f"Worked and verified with derivations {__version__}"
    return f"{own} ({known}; torch in float64) from the spec {digest}."


def build(spec: str | Path, formats: tuple[str, ...] = DEFAULT) -> Page:
    """The verified page of a spec: a path, a gallery name, or the text of a spec (with line breaks).

    >>> page = build("linear-regression")
    >>> page.trace.steps[0]["dL/dw"]
    -69/2

    Raises `DerivationsError`: `SpecError` for a spec that cannot be worked, `CheckFailed` if a
    witness disagrees.
    """
    if isinstance(spec, str) and "\n" in spec:
        return make(*parse_spec(spec), formats)
    return make(*read_spec(find(str(spec))), formats)
