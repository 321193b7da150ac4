"""What a page must tell: the steps of the spec with their data, batches, update, and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import pack, unpack

from flint import arb

from derivations.audit.sentences import digits, kinks, outside, update
from derivations.audit.sentences.drawn import LEADS
from derivations.audit.sentences.losses import untold_losses
from derivations.audit.sentences.place import (
    Sight,
    entries,
    entries_of,
    is_update,
    names,
    places,
    sample_axes,
    target,
)
from derivations.audit.sentences.problem import ROUNDING
from derivations.catalogue import functions
from derivations.document.blocks import Display, Figure, Heading, Table
from derivations.language.names import (
    adjoint,
    adjoint_of,
    after,
    is_after,
    is_part_of,
    second,
    unprimed,
)
from derivations.language.tree import Call, Count, Mean, Number, Ref, walk
from derivations.notation.chain import Formula
from derivations.notation.symbols import symbol_of
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import ball, fraction, precise
from derivations.run.training import Step

ONCE = {  # of each of these sets exactly one sentence stands in a part
    "problem": (
        ("We look for the parameter {1} with", "We learn the parameter"),
        ("We start from",),
        ("The optimizer is", "There is no optimizer"),
        ("Every step uses", "We work {}", "{} We work"),
        tuple(ROUNDING),
    ),
    "checks": (("Compared with",), ("SymPy proved",)),
}


def untold(sight: Sight) -> Iterator[str]:
    """What is not as the spec wants it in steps and batches, and what the page leaves out."""
    yield from _steps(sight)
    yield from _labels(sight)
    yield from _distances(sight)
    yield from _data(sight)
    yield from _update(sight)
    yield from update.untold(sight)
    yield from _sentences(sight)
    yield from _openings(sight)
    yield from _letters(sight)
    yield from _primes(sight)
    yield from _symbols(sight)
    yield from untold_losses(sight)
    yield from _parts(sight)
    yield from kinks.untold(sight)
    yield from outside.untold(sight)
    yield from digits.untold(sight)
    yield from _samples(sight)


# --- steps, batches, data --------------------------------------------------------------------------------


def _steps(sight: Sight) -> Iterator[str]:
    """The run has the batches of the spec, each with the data of its samples; the page shows its steps."""
    for steps in (sight.trace.steps, sight.trace.carried or sight.trace.steps):
        if [(step.number, step.epoch, step.samples) for step in steps] != [
            (number, epoch, batch) for number, epoch, _, batch in sight.again.steps
        ]:
            yield "the mini-batches are not those of the spec"
            return
    heads = [block for block in sight.document.blocks if isinstance(block, Heading) and block.part == "steps"]
    wanted = sight.shown if "steps" in sight.example.spec.page.parts else ()
    if len(heads) != len(wanted):
        yield "the steps are not those that the spec wants"
    for number in sight.shown:
        step = sight.trace.steps[number - 1]
        yield from (
            f"step {number} does not work with the data of {name}" for name in _other_data(sight, step)
        )


def _other_data(sight: Sight, step: Step) -> Iterator[str]:
    """Data of which a step has other values than the spec has for its samples."""
    for name, array in sight.example.data.items():
        axis = sample_axes(sight.example).get(name)
        values = dict(zip(array.positions(), array.entries, strict=True))
        for at in entries_of(step, name):
            own = at if axis is None else (*at[:axis], step.samples[at[axis] - 1], *at[axis + 1 :])
            if fraction(step.at(name, at)) != values[own]:
                yield name
                break


def _labels(sight: Sight) -> Iterator[str]:
    """Every value of a step has its own name, in which a sample has its number in the data set."""
    axes = {sight.example.sample or "": 0, **sample_axes(sight.example)}  # numbers of samples, read as such
    for step in (*sight.trace.steps, *sight.trace.carried):
        samples = sight.again.steps[step.number - 1][-1]
        for entry, label in zip(step.layout.tape.slots, step.labelled, strict=False):
            wanted = _label(*entry, axes.get(unprimed(entry[0])), samples)
            if label != wanted:
                yield f"step {step.number} calls {wanted} '{label}'"
                return
        if len(step.labelled) != len(step.layout.tape.slots):
            yield f"step {step.number} has two values of one name"
        clock = {"t": int(sight.again.training.get("start", {}).get("t", 1)) + step.number - 1}
        clock["epoch"] = sight.again.steps[step.number - 1][1]
        counted = ((name, at) for name, at in step.layout.tape.slots if name in sight.example.rule.clock)
        if any(fraction(step.at(*entry)) != clock[entry[0]] for entry in counted):
            yield f"step {step.number} counts other steps or epochs"


def _label(name: str, at: tuple[int, ...], axis: int | None, samples: tuple[int, ...]) -> str:
    numbers = [samples[place - 1] if number == axis else place for number, place in enumerate(at)]
    return f"{name}[{', '.join(map(str, numbers))}]" if numbers else name


def _distances(sight: Sight) -> Iterator[str]:
    """The numbers of float64 between a witness and us, counted from the bits of the two."""
    for check in sight.report.checks:
        with precise(check.ours):
            same = bool(ball(check.ours).contains(arb(check.theirs)))  # a ball around zero, and zero
        apart = 0 if same else abs(_place(nearest_float(check.ours)) - _place(check.theirs))
        if check.ulps is not None and check.ulps != apart:
            yield f"step {check.step}: '{check.quantity}' is {apart} ulp from torch, not {check.ulps}"
            return


def _place(value: float) -> int:
    """The place of a float64 among all of them, 0 in the middle."""
    (bits,) = unpack("<Q", pack("<d", value))
    return int(bits) if bits < 2**63 else 2**63 - int(bits)


def _data(sight: Sight) -> Iterator[str]:
    """Every array of the data stands in the problem, in a table of the samples or in a sentence."""
    if "problem" not in sight.example.spec.page.parts:
        return
    tables = [block for block in sight.document.blocks if isinstance(block, Table) and block.kind == "data"]
    told = {ref.name for table in tables for cell in table.header for ref in entries(cell[0])}
    told |= {name for said, _ in places(sight) if said.text == "Given: {}." for name in names(said.parts[0])}
    yield from (f"the data '{name}' are not told" for name in sight.example.data if name not in told)
    yield from (
        "the data of a sample are not told" for table in tables if len(table.rows) != sight.again.samples
    )


# --- the update ------------------------------------------------------------------------------------------


def _update(sight: Sight) -> Iterator[str]:
    """Every parameter has its update in the problem, or is named beside one."""
    if not sight.example.updates:
        return
    parts, part = sight.example.spec.page.parts, ""
    shown: set[str] = set()
    for block in sight.document.blocks:
        part = block.part or part if isinstance(block, Heading) else part
        if part == "problem" and isinstance(block, Display) and is_update(block.formula):
            shown.add(unprimed(target(block.formula).name))
    for said, _ in places(sight):
        shown |= {*names(said.parts[0])} if said.text == "and the same for {}." else set()
    if "problem" in parts:
        yield from (
            f"the update of '{name}' is not told" for name in sight.example.start if name not in shown
        )


# --- sentences -------------------------------------------------------------------------------------------


def _sentences(sight: Sight) -> Iterator[str]:
    found = list(places(sight))
    for part, sets in ONCE.items():
        if part not in sight.example.spec.page.parts:
            continue
        said = [each for each, place in found if place.part == part and not place.inside]
        inner = [each for each, place in found if place.part == part]
        for texts in sets:
            own = [each for each in (said if part == "problem" else inner) if each.text.startswith(texts)]
            if len(own) != 1:
                yield f"'{texts[0]}' is said {len(own)} times, not once"
    yield from _signs(sight)


def _openings(sight: Sight) -> Iterator[str]:
    """Figures and tables of formulas stand below what they are; functions of the model are explained."""
    found = [(said.text, place) for said, place in places(sight)]
    opened = {place.at + 1 for text, place in found if text in LEADS}
    for at, block in enumerate(sight.document.blocks):
        if isinstance(block, Figure) and at not in opened:
            yield f"nothing says what the figure '{block.name}' is"
    said = {text for text, _ in found}
    parts = sight.example.spec.page.parts
    if "quantities" in parts and not any(text.startswith("Each quantity is computed") for text in said):
        yield "nothing says what the table of the quantities is"
    if sight.example.spec.page.footer and not any(text.startswith("Worked and verified") for text in said):
        yield "nothing says with what the page was worked"
    called = {
        node.function for eq in sight.example.forward for node in walk(eq.body) if isinstance(node, Call)
    }
    meant = {name: functions.BY_NAME[name].meaning for name in sorted(called) if "problem" in parts}
    derived = (row[1][0] for block in blocks_of(sight, "derivation") for row in block.rows)
    lines = (side.expr for shown in derived if isinstance(shown, Formula) for side in shown.sides)
    calls = (node.function for line in lines for node in walk(line) if isinstance(node, Call))
    meant |= {name: functions.BY_NAME[name].meaning for name in calls}
    yield from (f"nothing says what {name} is" for name, text in meant.items() if text and text not in said)


def blocks_of(sight: Sight, kind: str) -> Iterator[Table]:
    """The tables of a kind."""
    blocks = sight.document.blocks
    return (block for block in blocks if isinstance(block, Table) and block.kind == kind)


def _primes(sight: Sight) -> Iterator[str]:
    """A prime is explained where one stands in a formula of its own or in the summary."""
    shown = [block.formula for block in sight.document.blocks if isinstance(block, Display)]
    cells = (cell for table in blocks_of(sight, "summary") for cell in table.header)
    shown += [word for cell in cells for word in cell if isinstance(word, Formula)]
    primed = any(is_after(ref.name) for each in shown for ref in _reads(each))
    if primed and not any(said.text.startswith("A prime marks") for said, _ in places(sight)):
        yield "nothing says what a prime is"


def _letters(sight: Sight) -> Iterator[str]:
    """The number of samples and a second derivative are explained where equations read them."""
    example, said = sight.example, {each.text for each, _ in places(sight)}
    if "problem" not in example.spec.page.parts:
        return
    nodes = [node for eq in example.forward for node in walk(eq.body)]
    counted = any(isinstance(node, (Count, Mean)) and node.index == example.sample for node in nodes)
    if (
        example.sample
        and counted
        and not any(text.startswith("{} is the number of samples") for text in said)
    ):
        yield "nothing says what n is"
    read = {part for node in nodes if isinstance(node, Ref) for part in node.indices}
    numbered = {*said_in(sight, "problem")} & {"The index {} numbers the samples."}
    if Ref(example.sample or "") in read and not counted and not numbered:
        yield f"nothing says what {example.sample} numbers"
    twice = {second(name, example.loss) for name in example.start} & {
        node.name for eq in example.update for node in walk(eq.body) if isinstance(node, Ref)
    }
    if twice and not any(text.startswith("{} is the second derivative") for text in said):
        yield f"nothing says what {min(twice)} is"


def said_in(sight: Sight, part: str) -> Iterator[str]:
    """The texts of the messages in a part of the page."""
    return (said.text for said, place in places(sight) if place.part == part)


def _symbols(sight: Sight) -> Iterator[str]:
    """A quantity has the symbol that the author gave to it."""
    example, page = sight.example, sight.again.tables.get("page", {})
    given = page.get("notation", {}).get("symbols", {})
    for name in sorted({*example.data, *example.start, *example.forward.targets} & given.keys()):
        if sight.symbols.wanted(name) != symbol_of(given[name]):
            yield f"'{name}' does not have the symbol {given[name]}"


def _parts(sight: Sight) -> Iterator[str]:
    """Every gradient is derived, every part of a formula named, and it is said what the losses are of."""
    example, parts, found = sight.example, sight.example.spec.page.parts, list(places(sight))
    targets = example.forward.targets
    if "gradient" in parts and example.spec.page.detail != "brief":
        tables = (block for block in sight.document.blocks if isinstance(block, Table))
        rows = [row for table in tables if table.kind == "derivation" for row in table.rows]
        derived = {ref.name for row in rows for ref in entries(row[1][0])}
        wanted = dict.fromkeys(adjoint(example.loss, name) for name in example.start)
        wanted |= {
            ref.name: None for row in rows for ref in _reads(row[1][0]) if adjoint_of(ref.name, example.loss)
        }
        known = {*example.backward.targets}
        yield from (f"{name} is not derived" for name in wanted if name in known - derived)
    if "quantities" in parts:
        named = {
            name for said, _ in found if " names a part of " in said.text for name in names(said.parts[0])
        }
        made = [name for name in targets if any(is_part_of(name, of) for of in {*targets} - {name})]
        unknown = (name for name in made if name not in named and not re.search(rf"\b{name}\b", sight.text))
        yield from (f"nothing says that {name} is a part of a formula" for name in unknown)
    several = any(place > 1 for _, _, place, _ in sight.again.steps)
    if (
        "summary" in parts
        and several
        and not any(each.text.startswith("{} is in every row") for each, _ in found)
    ):
        yield "nothing says of which samples the loss is"


def _reads(shown: object) -> Iterator[Ref]:
    """The entries in a line of the derivation."""
    sides = shown.sides if isinstance(shown, Formula) else ()
    return (node for side in sides for node in walk(side.expr) if isinstance(node, Ref))


def _signs(sight: Sight) -> Iterator[str]:
    """Where every parameter is one number and goes plainly against its gradient, every sign is told."""
    example, parts = sight.example, sight.example.spec.page.parts
    row, knob = sight.again.optimizer, sight.again.knob
    plain = row is not None and row.name in ("SGD", "GD") and "schedule" not in sight.again.training
    plain = plain and not sight.again.training.get("clip") and "steps" in parts
    scalar = all(not array.shape for array in example.start.values())
    if not plain or not scalar or any(knob(n, k) for n in example.start for k in ("mu", "lam", "maximize")):
        return
    told = {
        (place.step.number, names(said.parts[1])[0])
        for said, place in places(sight)
        if place.step and place.inside and place.inside[-1].text == "{}." and len(said.parts) == 2
    }
    for number in sight.shown:
        step = sight.trace.shown[number - 1]
        for name in example.start:
            slope = step.at(adjoint(example.loss, name))
            moved = step.at(after(name)) - step.at(name)
            if (moved > 0 or moved < 0 or slope == 0) and (number, name) not in told:
                yield f"step {number}: the sign of the gradient of '{name}' is not told"


# --- the numbers of samples ------------------------------------------------------------------------------


def _samples(sight: Sight) -> Iterator[str]:
    """A whole number in the place of the samples is the number of a sample of the step, in every formula."""
    axes, step = sample_axes(sight.example), None
    steps = iter(sight.shown)
    for block in sight.document.blocks:
        if isinstance(block, Heading) and block.level < 3:
            number = next(steps, 0) if block.part == "steps" else 0
            step = sight.trace.shown[number - 1] if number else None
        if step is None or not isinstance(block, Display):
            continue
        own = sight.again.steps[step.number - 1][-1]
        for ref in _entries_in(block.formula):
            axis = axes.get(unprimed(ref.name))
            part = ref.indices[axis] if axis is not None and axis < len(ref.indices) else None
            if isinstance(part, Number) and part.value not in own:
                yield f"step {step.number}: '{ref.name}' has the number of a sample that is not in the step"


def _entries_in(shown: Formula) -> Iterator[Ref]:
    for side in shown.sides:
        yield from (node for node in walk(side.expr) if isinstance(node, Ref))
