"""From a spec to a finished, verified page: the whole way, once.

Nothing leaves here that a witness has not confirmed: the run is worked by hand, checked by torch and
SymPy, composed, printed, read back from what was printed, and only then handed out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from derivations import __version__
from derivations.audit.evidence import Evidence
from derivations.audit.reasons import require_reasons
from derivations.audit.sentences.asked import require_sentences, sight_of
from derivations.audit.truth import require
from derivations.document.author import check_title, own_words, templates_of
from derivations.document.blocks import Listed, Message, message, phrase
from derivations.document.compose import compose, rounding_of
from derivations.document.languages import translated
from derivations.document.symbols import check_page, symbols_of
from derivations.files import write_together
from derivations.formats.press import Content, Press, printer
from derivations.formats.table import BY_NAME, DEFAULT, formats_of
from derivations.language.errors import ArithmeticFault, CheckFailed, LanguageError, SpecError
from derivations.model.example import prepare
from derivations.numbers.systems import precision
from derivations.pytorch.from_module import in_the_module, translate
from derivations.pytorch.module_itself import module_witness
from derivations.run.training import Trace, certified, train
from derivations.spec.gallery import find
from derivations.spec.keywords import PageKeywords, TrainingKeywords
from derivations.spec.spec import Source, Spec, parse_spec, read_spec, with_page
from derivations.spec.template_folder import Templates
from derivations.witnesses.check import Check, Report
from derivations.witnesses.optimizer import check_optimizer
from derivations.witnesses.work import Verified, versions, work

if TYPE_CHECKING:
    from derivations.pytorch.from_module import Translation


@dataclass(frozen=True)
class Page:
    """A verified worked example: its files by format, the trace, and what the witnesses said.

    A format that was not asked for is printed, and read back, when it is. ``beside`` are the further files
    that a format refers to, by name. In a notebook a page shows itself.
    """

    title: str
    press: Press = field(repr=False)
    pressed: Callable[[int], Press] = field(repr=False)
    contents: dict[str, Content] = field(default_factory=dict, repr=False)
    beside: dict[str, Mapping[str, Content]] = field(default_factory=dict, repr=False)

    def content(self, form: str) -> Content:
        """The content of a format, printed and read back the first time; raises `CheckFailed`."""
        if form not in self.contents:
            formats_of([form])
            self.contents[form], self.beside[form] = certified(
                lambda bits: _print(form, self.press_at(bits)), self.trace.bits
            )
        return self.contents[form]

    def press_at(self, bits: int) -> Press:
        """The page for the press, with so narrow balls that its digits are certain."""
        return self.press if bits == self.trace.bits else self.pressed(bits)

    def __getitem__(self, form: str) -> str:
        """The text of a format: ``page["md"]``; raises TypeError for one that is not text."""
        found = self.content(form)
        if isinstance(found, bytes):
            raise TypeError(f"{form} is not text; page.file({form!r}) has its bytes")
        return found

    def file(self, form: str) -> bytes:
        """The file of a format: ``page.file("pdf")``."""
        return _as_bytes(self.content(form))

    def files(self, formats: str | Iterable[str] = ()) -> dict[str, bytes]:
        """The files of some formats, or of all, by their names, with those that they refer to."""
        wanted = formats_of(formats) or tuple(self.contents)
        found = {f"{self.press.stem}{BY_NAME[form].suffix}": self.file(form) for form in wanted}
        pairs = [pair for form in wanted for pair in self.beside[form].items()]
        return found | {name: _as_bytes(content) for name, content in pairs}

    @property
    def assets(self) -> dict[str, Content]:
        """The further files of all its formats."""
        return {name: content for files in self.beside.values() for name, content in files.items()}

    def save(self, folder: str | Path) -> list[Path]:
        """Write every format and what it refers to into a folder, all or none; the files."""
        files = self.files()
        write_together(Path(folder), files)
        return [Path(folder, name) for name in files]

    @property
    def trace(self) -> Trace:
        """The run, every value by its name: ``page.trace.steps[0]["dL/dw"]``."""
        return self.press.run.trace

    @property
    def report(self) -> Report:
        """What every witness compared and found."""
        return self.press.run.report

    def check(self, form: str, content: Content) -> None:
        """Hold a file of this page, perhaps edited since, against the verified run.

        Raises `CheckFailed` at the first formula, number or word that is not as verified.
        """
        with precision(self.trace.bits):
            printer(form).check(content, self.press)
        wanted = self.content(form)
        if isinstance(content, str) and isinstance(wanted, str):
            _same_lines(content, wanted)
        if content != wanted:
            raise CheckFailed("the file is not the verified one")

    def _repr_markdown_(self) -> str:
        return self["md"]

    def _repr_latex_(self) -> str:
        return self["fragment"]

    def _repr_html_(self) -> str:
        """The page in a frame, so that its styles and those of the notebook do not meet."""
        page, title = escape(self["html"]), escape(self.title)
        style = "width: 100%; height: 80vh; border: 1px solid #999"
        return f'<iframe title="{title}" style="{style}" srcdoc="{page}"></iframe>'


def _as_bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _same_lines(text: str, wanted: str) -> None:
    for number, (line, want) in enumerate(zip(text.splitlines(), wanted.splitlines(), strict=False), 1):
        if line != want:
            raise CheckFailed(f"line {number} is not as it was verified: {line}")


def make(
    spec: Spec,
    source: Source,
    formats: str | Iterable[str] = DEFAULT,
    witnesses: tuple[Callable[[Trace], tuple[Check, ...]], ...] = (),
) -> Page:
    """The verified page of a spec in the given formats, perhaps with witnesses of its own.

    Raises `DerivationsError`.
    """
    wanted = formats_of(formats)
    templates = templates_of(spec, source)
    own = own_words(templates, spec.page.language)
    try:
        example = prepare(spec, source)
        check_page(example, source)
        check_optimizer(example, source)
        check_title(example, source)
        run = work(example, *witnesses)
        desk = Desk(spec_digest(source), source.stem, templates, own, source)
        pressed = partial(_press, run, desk)
        page = Page(spec.title, certified(pressed, run.trace.bits), pressed)
        for form in wanted:
            page.content(form)
        return page
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


@dataclass(frozen=True)
class Desk:
    """What is printed beside the run: digest of the spec, stem of the files, the author's own, the source."""

    digest: str
    stem: str
    templates: Templates | None
    own: tuple[tuple[str, str], ...]
    source: Source


def _press(run: Verified, desk: Desk, bits: int) -> Press:
    """The document of a run, true before any format of it is printed."""
    run = run.with_bits(bits)
    example = run.example
    symbols = symbols_of(example)
    composed = compose(run, symbols, footer(desk.digest, bool(desk.templates)))
    require_reasons(composed, example.forward, example.loss)
    require_sentences(sight_of(composed, run, symbols, desk.source))
    language = example.spec.page.language
    composed = replace(composed, language=language, own=desk.own, templates=desk.templates)
    evidence = Evidence(run, translated(composed), composed, symbols, rounding_of(example))
    require(evidence)
    return Press(evidence, desk.digest, desk.stem)


def _print(form: str, press: Press) -> tuple[Content, Mapping[str, Content]]:
    """A format of a page, read back, and the files that it refers to, by name."""
    content = printer(form).write(press)
    printer(form).check(content, press)
    return content, {f"{press.stem}{end}": asset for end, asset in printer(form).assets(press).items()}


def spec_digest(source: Source) -> str:
    """The digest of a spec's text: ``sha256:`` and 16 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(source.text.encode()).hexdigest()[:16]}"


OWN_WORDS = phrase(
    "Where the author's own words stand in the place of ours or beside them, only their numbers and "
    "formulas were checked."
)


def footer(digest: str, own: bool = False) -> Message | Listed:
    """The last line of a page: versions, dtype, digest of the spec, and whose words are ``own``."""
    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    words = phrase("Worked and verified with derivations {} ({}; torch in float64) from the spec {}.")
    worked = message(words, __version__, known, digest)
    return Listed((worked, message(OWN_WORDS)), "") if own else worked


def build(spec: str | Path, formats: str | Iterable[str] = DEFAULT, **page: Unpack[PageKeywords]) -> Page:
    """The verified page of a spec: a path, a gallery name, or the text of a spec (with line breaks).

    Keywords are keys of ``[page]`` and stand in the place of the spec's: ``detail="brief"``. Other data,
    start values and hyper-parameters are those of another run: `session` gives it.

    >>> page = build("linear-regression")
    >>> page.trace.steps[0]["dL/dw"]
    -69/2

    Raises `DerivationsError`: `SpecError` for a spec that cannot be worked, `CheckFailed` if a
    witness disagrees.
    """
    found, source = opened(spec)
    return make(with_page(found, page), source.with_values({"page": page}), formats)


def opened(spec: str | Path) -> tuple[Spec, Source]:
    """The spec that a path, a gallery name, or the text of a spec (with line breaks) gives."""
    if isinstance(spec, str) and "\n" in spec:
        return parse_spec(spec)
    return read_spec(find(str(spec)))


# --- From a module of PyTorch to a verified page ----------------------------------------------


def from_module(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any = None,
    optimizer: Any = None,
    *,
    title: str = "",
    formats: str | Iterable[str] = DEFAULT,
    **training: Unpack[TrainingKeywords],
) -> Page:
    """The verified page of a ``torch.nn.Module`` on a batch of samples.

    ``sample_input`` is a tensor whose first axis is the samples', or a tuple of tensors; NumPy's arrays and
    nested lists are taken as tensors of float64, or of whole numbers. ``loss`` is a module, a function of
    the output and the target, or torch's name of one. ``optimizer`` is ``{"name": "SGD", "lr": 0.1}`` or an
    optimizer of torch; without one a single forward and backward pass is worked.
    ``batch_size``, ``epochs`` and other keys of ``[training]`` may follow. Parameters have the module's own
    values, exactly; frozen ones and buffers are data. The page is verified against the module itself.

    Raises `DerivationsError` for what cannot be translated, naming the line of the module's code.
    """
    found = _translated(module, sample_input, loss, target, optimizer, title, training)
    try:
        return make(*parse_spec(found.text), formats, (module_witness(found),))
    except SpecError as fault:
        raise in_the_module(fault, found.text) from None


def spec_from_module(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any = None,
    optimizer: Any = None,
    *,
    title: str = "",
    **training: Unpack[TrainingKeywords],
) -> str:
    """The text of the spec that `from_module` makes, to be saved and edited.

    The module itself says beforehand that its run is the spec's; raises `CheckFailed` if it is not.
    """
    found = _translated(module, sample_input, loss, target, optimizer, title, training)
    try:
        example = prepare(*parse_spec(found.text))
    except SpecError as fault:
        raise in_the_module(fault, found.text) from None
    certified(lambda bits: Report(module_witness(found)(train(example, bits))).require())
    return found.text


def _translated(
    module: Any,
    sample_input: Any,
    loss: Any,
    target: Any,
    optimizer: Any,
    title: str,
    training: Mapping[str, Any],
) -> Translation:
    name = title or f"{type(module).__name__} of PyTorch"
    keys = {"optimizer": optimizer, "sample": "i", **training}
    return translate(module, sample_input, loss, target, name, keys)
