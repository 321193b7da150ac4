"""From a verified run to a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from derivations.document.blocks import (
    Block,
    Display,
    Document,
    Figure,
    Heading,
    Listed,
    Listing,
    Message,
    Part,
    Prose,
    Table,
    Words,
    message,
    phrase,
    say,
    series,
)
from derivations.document.introduced import new_symbols, ones_words
from derivations.document.problem import problem
from derivations.document.step import batch_blocks
from derivations.document.summary import check_blocks, summary_blocks
from derivations.document.words import reason_words, section
from derivations.figures.rows import BY_NAME as FIGURES
from derivations.figures.rows import figures_of
from derivations.figures.scene import Scene
from derivations.language.contributions import needed
from derivations.language.matrix import NORM, ONES, OVER, TIMES
from derivations.language.names import adjoint
from derivations.language.program import Equation
from derivations.language.steps import Chain, local_slopes
from derivations.language.tree import Call, Expr, Ref, refs, walk
from derivations.model.example import Example
from derivations.model.recognize import recognize
from derivations.notation.chain import Formula, formula
from derivations.notation.symbols import Symbols
from derivations.numbers.digits import Rounding
from derivations.programs.listing import shown_steps
from derivations.witnesses.matrix_forms import MatrixForm
from derivations.witnesses.work import Verified

ENTRYWISE = {
    TIMES: phrase("{} multiplies entry by entry."),
    OVER: phrase("{} divides entry by entry."),
    NORM: phrase("Double bars are the root of the sum of all squared entries."),
}

IN_ORDER = phrase(
    "Each quantity is computed from earlier ones; the local slope is its derivative with respect to an input."
)
IN_ANY_ORDER = phrase(
    "Each quantity is computed from others; the local slope is its derivative with respect to an input."
)
LAID = {
    "row": phrase(
        "The first index counts rows, vectors are columns, a function acts on every entry, "
        "and a number is added to every entry."
    ),
    "column": phrase(
        "Every sample is a column; in other arrays the first index counts rows, and vectors are columns. "
        "A function acts on every entry, and a number is added to every entry."
    ),
}


def rounding_of(example: Example) -> Rounding:
    """The rounding policy of a page; a carried calculation is printed with all its places."""
    page, carry = example.spec.page, example.spec.training.carry
    return Rounding(max(page.digits, carry or 0), page.significant)


def compose(run: Verified, symbols: Symbols, footer: Message | Listed) -> Document:
    """The page in its order, the parts that the spec wants."""
    example, trace = run.example, run.trace
    rounding = rounding_of(example)
    scene, wanted = Scene(trace, symbols, rounding), example.spec.page.parts
    figures = partial(figure_blocks, scene) if "figures" in wanted else lambda part: ()
    parts: dict[str, Callable[[], Iterable[Block]]] = {
        "problem": lambda: problem(trace, recognize(example), rounding, worked),
        "quantities": lambda: (*quantities(example), *figures("quantities")),
        "gradient": lambda: gradient(run),
        "matrix": lambda: matrices(run.matrices, example),
        "steps": lambda: steps(run, rounding, symbols, figures("steps")),
        "summary": lambda: (*summary_blocks(trace, rounding), *figures("summary")),
        "program": lambda: program_blocks(run.program, run.printed),
        "checks": lambda: check_blocks(trace, run.report, rounding),
    }
    later = {part: tuple(parts[part]()) for part in wanted if part in parts and part != "problem"}
    worked = (*later.get("steps", ()), *later.get("summary", ()))
    blocks: list[Block] = [Heading(1, (example.spec.title,))]
    for part in (part for part in wanted if part in parts):
        blocks += later[part] if part in later else parts[part]()
    if example.spec.page.footer:
        blocks.append(Prose((footer,)))
    return Document(example.spec.title, tuple(blocks))


def steps(
    run: Verified, rounding: Rounding, symbols: Symbols, figures: Iterable[Block] = ()
) -> Iterator[Block]:
    """The steps that are shown, one after another, the first with its figures."""
    for place, number in enumerate(shown_steps(run.example)):
        yield from batch_blocks(run.trace, run.trace.shown[number - 1], rounding, symbols)
        yield from () if place else figures


def figure_blocks(scene: Scene, part: str) -> Iterator[Block]:
    """The figures of a part, each below its sentence."""
    for name, drawing in figures_of(scene, part).items():
        lead, *notes = map(message, FIGURES[name].sentences(scene, drawing))
        yield Prose((series((lead, *notes), "") if notes else lead,))
        yield Figure(name, drawing)


# --- quantities and derivation ------------------------------------------------------------------------


def quantities(example: Example) -> Iterator[Block]:
    """The computation graph as a table: node, operation, inputs, local slopes."""
    yield section("quantities")
    yield Prose(say(IN_ORDER if _is_in_order(example) else IN_ANY_ORDER))
    yield from new_symbols(example, _local(example))
    header = say("node"), say("operation"), say("inputs"), say("local slopes")
    rows: list[tuple[Words, ...]] = []
    for eq in example.forward:
        inputs = [ref for ref in refs(eq.body) if ref.name not in example.forward.indices]
        slopes = series(list(_slopes(example, eq)))
        rows.append(((formula(eq.target),), (formula(eq.body),), (series(inputs),), (slopes,)))
    yield Table("quantities", "llll", header, tuple(rows))


def _is_in_order(example: Example) -> bool:
    """Whether every equation reads what the author's lines above have, entries of its own kind aside."""
    names = [eq.target.name for eq in example.forward]
    return all(
        ref.name not in names[place + 1 :]
        or ref.name in names[: place + 1]
        or eq.target.name in needed(example.forward, ref.name)
        for place, eq in enumerate(example.forward)
        for ref in refs(eq.body)
    )


def _local(example: Example) -> list[Expr]:
    """The local slopes of the table."""
    return [slope for *_, slope in local_slopes(example.forward, example.loss, example.parameters)]


def _slopes(example: Example, eq: Equation) -> Iterator[Formula]:
    """``∂ŷ/∂w = x`` for every input that is learnt or computed."""
    slopes = local_slopes(example.forward, example.loss, example.parameters)
    for _, subject, slope in (part for part in slopes if part[0] == eq):
        whole = subject.body == Ref(example.loss)
        left = Ref(adjoint(example.loss, subject.by.name), subject.by.indices) if whole else subject
        yield formula(left, slope)


def gradient(run: Verified) -> Iterator[Block]:
    """The derivation in one table, with the rule beside each line; briefly, its results alone."""
    yield section("gradient")
    yield from _new_in_gradient(run)
    if run.example.spec.page.detail == "brief":
        yield from (Display(formula(eq.target, eq.body)) for eq in run.example.backward)
        return
    yield Prose(say("Every line says which rule it uses; numbers in brackets are lines above."))
    header = say("line"), ("",), say("rule")
    rows = tuple(row for chain in run.derivation for row in _chain_rows(chain, run.example))
    yield Table("derivation", "lll", header, rows)


def _new_in_gradient(run: Verified) -> Iterator[Block]:
    """The functions and the letters that only the derivation brings in."""
    example, backward = run.example, list(run.example.backward)
    lines = [line.expr for chain in run.derivation for line in chain.lines]
    before = _local(example) if "quantities" in example.spec.page.parts else []
    yield from new_symbols(example, [*lines, *(eq.body for eq in backward)], before, backward)


def _chain_rows(chain: Chain, example: Example) -> Iterator[tuple[Words, ...]]:
    for place, line in enumerate(chain.lines):
        shown = formula(chain.subject, line.expr) if place == 0 else formula(("=", line.expr))
        words = reason_words(line.reason, example)
        yield (f"({line.number})",), (shown,), words


def matrices(forms: tuple[MatrixForm, ...], example: Example) -> Iterator[Block]:
    """The equations that whole arrays can say, beside their index form."""
    if not forms:
        return
    yield section("matrix")
    used = {node.function for form in forms for node in walk(form.expr) if isinstance(node, Call)}
    ones = [node for form in forms for node in walk(form.expr) if isinstance(node, Ref) and node.name == ONES]
    words: list[Part] = [message(LAID[example.spec.page.notation.vectors])]
    words += [message(what, name) for name, what in ENTRYWISE.items() if name in used]
    words += [ones_words(one, example) for one in dict.fromkeys(ones)]
    yield Prose((series(words, ""),))
    rows: list[tuple[Words, ...]] = []
    for form in forms:
        eq = form.equation
        rows.append(((formula(eq.target, eq.body),), (formula(Ref(eq.target.name), form.expr),)))
    yield Table("matrix", "ll", (say("index form"), say("matrix form")), tuple(rows))


def program_blocks(program: str, printed: str) -> Iterator[Block]:
    """The PyTorch program and what it printed."""
    yield section("program")
    yield Prose(say("A complete program:"))
    yield Listing("python", program)
    yield Prose(say("It prints:"))
    yield Listing("text", printed)
