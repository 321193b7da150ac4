"""What the end of a page says: the summary, the check table, how many numbers and proofs, the versions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version

from flint import arb

from derivations.audit.sentences.place import Place, Predicate, entries, items, whole
from derivations.document.blocks import Digits, Listing, Message, Table
from derivations.language.tree import Ref
from derivations.witnesses.check import Check, Report

CANCELLED = 1_000  # ulp beyond which a distance says nothing
WITNESS = {
    "torch autograd on the author's equations": "autograd",
    "torch's own layers and losses": "library",
    "the torch.optim optimizer": "optimizer",
    "the module itself": "module",
    "the torch.optim scheduler": "scheduler",
    "the optimizer's equations read a second time": "row",
}
UNMATCHED = "a layer or loss of torch's was not found for {}"
ABSENT = (
    "sympy.diff of the written-out loss: a maximum over an index has no formula",
    "sympy.diff of the written-out loss: {} operations are too many",
    "sympy.diff of the written-out loss: powers up to {} are too high",
    "sympy.diff of the written-out loss: a formula of {} operations is too long",
    "sympy.diff of the written-out loss: a slope of {} operations is too long",
    UNMATCHED,
    "torch {} is too old to have {}",
)

# --- the summary -----------------------------------------------------------------------------------------


def own_loss(said: Message, place: Place) -> bool:
    """Steps use a part of the samples; the summary, which follows, has the loss."""
    loss, several = Ref(place.sight.example.loss), any(len(epoch) > 1 for epoch in place.sight.again.epochs)
    return several and entries(said.parts[0]) == [loss] and _follows(place, "summary")


def _follows(place: Place, kind: str) -> bool:
    return any(isinstance(block, Table) and block.kind == kind for block in place.section())


def other_steps(said: Message, place: Place) -> bool:
    """The steps of the spec that have no row in the summary above."""
    table = next((block for block in place.before() if isinstance(block, Table)), None)
    rows = len(table.rows) if table is not None and table.kind == "summary" else -1
    left = len(place.sight.again.steps) - rows
    return rows == len(place.sight.shown) and left == said.count == whole(said.parts[0]) > 0


def other_columns(said: Message, place: Place) -> bool:
    """Columns of wide quantities that the tables above leave out."""
    tables = []
    for block in place.before():
        if not isinstance(block, Table):
            break
        tables.append(block)
    step = place.step
    if step is None or not tables:
        return False
    shown = [ref for table in tables for cell in table.header[1:] for ref in entries(cell[0]) if cell]
    wide = {ref.name for ref in shown}
    along = {entries(table.header[0][0])[0] for table in tables}
    total = sum(
        len({_beside(ref, at, along) for own, at in step.layout.tape.slots if own == ref.name})
        for ref in {ref.name: ref for ref in shown}.values()
    )
    known = len([ref for ref in shown if ref.name in wide])
    return said.count == whole(said.parts[0]) == total - known > 0


def _beside(ref: Ref, at: tuple[int, ...], along: set[Ref]) -> tuple[int, ...]:
    """The places of an entry beside those along the rows of its table."""
    return tuple(place for place, part in zip(at, ref.indices, strict=True) if part not in along)


def exact_column(is_exact: bool) -> Predicate:
    """The values beside the carried ones are fractions, all of them; or some are not."""

    def asked(said: Message, place: Place) -> bool:
        balls = any(isinstance(value, arb) for step in place.sight.trace.steps for value in step.memory)
        carried = "carry" in place.sight.again.training
        return carried and place.cell == (-1, 3) and place.part == "checks" and balls != is_exact

    return asked


def column(carried: bool) -> Predicate:
    """A heading of the check table of a carried calculation, or of any other."""

    def asked(said: Message, place: Place) -> bool:
        is_carried = "carry" in place.sight.again.training
        return place.part == "checks" and place.cell == (-1, 2) and is_carried == carried

    return asked


# --- the witnesses ---------------------------------------------------------------------------------------


def cancelled(said: Message, place: Place) -> bool:
    """A distance beside which ulp say nothing; the gap of a check of the report."""
    assert isinstance(said.parts[0], Digits)
    checks = place.sight.report.checks
    gaps = {f"{check.gap:.1e}" for check in checks if check.ulps is None or check.ulps > CANCELLED}
    return said.parts[0].text in gaps


def witness(said: Message, place: Place) -> bool:
    """What a witness compared, so often as the report has it."""
    name = said.parts[0]
    if not isinstance(name, Message) or name.text not in WITNESS:
        return False
    own = [check for check in _float64(place.sight.report) if check.witness == WITNESS[name.text]]
    return whole(said.parts[1]) == len(own) > 0


def _float64(report: Report) -> list[Check]:
    """The checks of float64 numbers: those whose distance in ulp is known, or that failed."""
    return [check for check in report.checks if check.ulps is not None or not check.ok]


def compared(said: Message, place: Place) -> bool:
    """Every check of a float64 number is of a witness named; how many, and the largest distance in ulp."""
    report, told = place.sight.report, items(said.parts[0])
    own = _float64(report)
    inner = [each.parts[0] for each in told if isinstance(each, Message)]
    named = [each.text for each in inner if isinstance(each, Message)]
    witnesses = {check.witness for check in own}
    return (
        {WITNESS.get(name, "") for name in named} == witnesses
        and len(named) == len({*named}) == len(told)
        and whole(said.parts[1]) == len(own)
        and whole(said.parts[2]) == max([ulps for ulps in _ulps(report) if ulps <= CANCELLED], default=0)
        and (said.parts[3] == "") == (max(_ulps(report), default=0) <= CANCELLED)
        and all(check.ok for check in own)
    )


def printed(said: Message, place: Place) -> bool:
    """All checks that know no distance in ulp are of numbers that the program printed."""
    own = [check for check in place.sight.report.checks if check.ulps is None]
    holds = all(check.ok and check.witness == "PyTorch program" for check in own)
    return holds and said.count == whole(said.parts[0]) == len(own) > 0


def _ulps(report: Report) -> list[int]:
    return [check.ulps for check in report.checks if check.ulps is not None]


def but_for(said: Message, place: Place) -> bool:
    """How many checks cancel, and the largest gap of them."""
    own: list[Check] = [c for c in place.sight.report.checks if c.ulps is not None and c.ulps > CANCELLED]
    largest = max((check.gap for check in own), default=0.0)
    return whole(said.parts[0]) == said.count == len(own) and said.parts[1] == Digits(f"{largest:.1e}")


def proved(counts: Callable[[str], bool], written_out: bool | None = None) -> Predicate:
    """The number of proofs of the report whose witness is of a kind, all of which hold."""

    def asked(said: Message, place: Place) -> bool:
        proofs = place.sight.report.proofs
        own = [proof for proof in proofs if counts(proof.witness)]
        out = any(proof.witness == "sympy.diff of the written-out loss" for proof in proofs)
        fits = written_out is None or out == written_out
        return fits and whole(said.parts[0]) == len(own) > 0 and all(proof.ok for proof in own)

    return asked


def _is_symbolic(witness: str) -> bool:
    return witness.lower().startswith("sympy")


def missing(said: Message, place: Place) -> bool:
    """Everything of which the report says that it had nothing to say."""
    told = [(each.text, each.parts) for each in items(said.parts[0]) if isinstance(each, Message)]
    return bool(told) and told == [(each.text, each.parts) for each in place.sight.report.absent]


def reason(said: Message, place: Place) -> bool:
    """A reason of the report; and torch has no function for what it is said to have no layer or loss for."""
    known = (said.text, said.parts) in [(each.text, each.parts) for each in place.sight.report.absent]
    if said.text != UNMATCHED:
        return known
    functions = {
        leaf.output for layer in place.sight.example.layers for leaf in layer.leaves if leaf.row.function
    }
    return known and not functions & {*str(said.parts[0]).split(", ")}


# --- the program and the last line -----------------------------------------------------------------------


def listing(language: str) -> Predicate:
    """A listing follows: the program, or what it printed."""
    return lambda said, place: isinstance(place.next, Listing) and place.next.language == language


def footer(said: Message, place: Place) -> bool:
    """The versions that are installed, and the digest of the spec's own text."""
    packages = ("SymPy", "sympy"), ("python-flint", "python-flint"), ("torch", "torch")
    wanted = ", ".join(f"{name} {version(package).partition('+')[0]}" for name, package in packages)
    digest = hashlib.sha256(place.sight.text.encode()).hexdigest()[:16]
    return said.parts == (version("derivations"), wanted, f"sha256:{digest}")


def own_words(said: Message, place: Place) -> bool:
    """The page has templates of the author's."""
    return bool(place.sight.again.tables.get("page", {}).get("templates"))


ULP = (
    "An ulp, a unit in the last place, is the step from one float64 to the next: at 0 ulp torch has the "
    "float64 nearest to the exact value."
)
COLUMNS: dict[str, Predicate] = {
    "exact": exact_column(True),
    "not rounded": exact_column(False),
    "carried rounded": column(True),
    "by hand": column(False),
    "cancellation, {} apart": cancelled,
}
PREDICATES: dict[str, Predicate] = {
    ULP: lambda said, place: place.part == "checks",  # the definition of a word, true of every page
    "{} is in every row the loss of the step's own mini-batch, before the step.": own_loss,
    "The other step is worked and checked like these; the JSON file holds them all.": other_steps,
    "The other column goes the same way; the JSON file holds them all.": other_columns,
    **COLUMNS,
    "Compared with {}: {} numbers, all within the rounding that float64 itself may make, "
    "at most {} ulp apart{}.": compared,
    "The number that the program in PyTorch prints was compared in the digits printed, and agrees.": printed,
    "SymPy proved {} identities: every line of the derivation, and the gradients against the derivative of "
    "the written-out loss.": proved(_is_symbolic, True),
    "SymPy proved {} identities: every line of the derivation.": proved(_is_symbolic, False),
    "The matrix forms were evaluated {} times, in every step shown and at random numbers.": proved(
        lambda witness: "matri" in witness
    ),
    "The {} rounded values were worked a second time in Python's decimal arithmetic.": proved(
        lambda witness: witness == "decimal arithmetic"
    ),
    "Not available: {}.": missing,
    "A complete program:": listing("python"),
    "It prints:": listing("text"),
    "Worked and verified with derivations {} ({}; torch in float64) from the spec {}.": footer,
    "Where the author's own words stand in the place of ours or beside them, only their numbers and "
    "formulas were checked.": own_words,
}
PARTS: dict[str, tuple[tuple[str, ...], Predicate]] = {
    "{} ({})": (("Compared with",), witness),
    **dict.fromkeys(WITNESS, (("{} ({})",), lambda said, place: True)),  # asked with its number
    ", but for {} where terms cancel and {} is left": (("Compared with",), but_for),
    **dict.fromkeys(ABSENT, (("Not available",), reason)),
}
"""Messages inside others: the beginnings of those in which they stand, and what is asked of them."""
