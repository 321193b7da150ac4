"""What a worked step says: its heading, what it has and gets, its tables, and the signs of its gradients."""

from __future__ import annotations

from flint import arb

from derivations.audit.sentences.place import (
    Place,
    Predicate,
    entries,
    entries_of,
    expr,
    is_update,
    items,
    placed,
    sample_axes,
    target,
    whole,
)
from derivations.document.blocks import Block, Display, Heading, Message, Prose, Table
from derivations.language.names import adjoint, after, is_after
from derivations.language.tree import Number, Ref, refs
from derivations.numbers.systems import Value

# --- headings --------------------------------------------------------------------------------------------


def heading(epoch: bool, batch: bool, samples: bool) -> Predicate:
    """The numbers of the step: its own without samples, else its epoch and mini-batch, and its samples.

    The epoch is said where there are several, the mini-batch where an epoch is not one step of all samples.
    """

    def asked(said: Message, place: Place) -> bool:
        again, step = place.sight.again, place.step
        if step is None or not isinstance(place.block, Heading) or place.block.part != "steps":
            return False
        number, own_epoch, own_batch, own = again.steps[step.number - 1]
        cut = again.samples > 0 and again.epochs[own_epoch - 1] != (own,)
        cut = cut or (again.samples > 0 and len(own) < again.samples)
        if (epoch, batch, samples) != (again.samples > 0 and len(again.epochs) > 1, cut, again.samples > 0):
            return False
        wanted = [own_epoch] * epoch + [own_batch] * batch or ([] if samples else [number])
        told = [whole(part) for part in said.parts if not isinstance(part, Message)]
        return told == wanted and (not samples or isinstance(said.parts[-1], Message))

    return asked


def samples(said: Message, place: Place) -> bool:
    """The samples of the step, by the spec; of many in a row the first and the last."""
    if place.step is None:
        return False
    own = place.sight.again.steps[place.step.number - 1][-1]
    told = tuple(whole(part) for part in items(said.parts[0]))
    if said.text == "samples {} to {}":
        told = tuple(range(whole(said.parts[0]), whole(said.parts[1]) + 1))
    return told == own and (len(own) == 1) == (said.text == "sample {}")


def pass_head(which: str) -> Predicate:
    """The formulas and tables below are of this pass: of the forward pass, the backward pass, the update."""

    def asked(said: Message, place: Place) -> bool:
        found = [ref.name for block in place.section() for ref in _subjects(block)]
        return bool(found) and all(_pass_of(name, place) == which for name in found)

    return asked


def _pass_of(name: str, place: Place) -> str:
    example = place.sight.example
    ahead = {eq.target.name for eq in example.rule.ahead}
    if name in example.forward.targets or name in example.data or name in ahead:
        return "forward"
    if is_after(name) or name in example.update.targets:
        return "update"
    return "backward"


def _subjects(block: Block) -> list[Ref]:
    """What a block is about; a column that is no entry, such as a residual, is about nothing."""
    match block:
        case Display(shown):
            ref = target(shown)
            return [Ref(after(ref.name))] if is_update(shown) and not is_after(ref.name) else [ref]
        case Table(_, _, header):
            return [ref for cell in header[1:] for ref in entries(cell[0]) if cell]
    return []


# --- values ----------------------------------------------------------------------------------------------


def opening(more: bool) -> Predicate:
    """``We have``: what goes from step to step, and a lone sample's data; or only the first of it."""

    def asked(said: Message, place: Place) -> bool:
        if place.step is None:
            return False
        kept, data = place.sight.example.kept, place.sight.example.data
        wanted = [(name, at) for name in kept for at in entries_of(place.step, name)]
        told = [(ref.name, placed(ref)) for ref in entries(said.parts[0])]
        own = [entry for entry in told if entry[0] in kept]
        extra = [entry for entry in told if entry[0] in data and len(place.step.samples) == 1]
        if own + extra != told or own != wanted[: len(own)] or (extra and own != wanted):
            return False
        left = sum(
            len(entries_of(place.step, name)) for name in data if name in sample_axes(place.sight.example)
        )
        lone = len(place.step.samples) == 1 and place.sight.again.samples > 0
        return (own == wanted and (not lone or len(extra) == left)) != more

    return asked


def results(more: bool) -> Predicate:
    """``We get``: every entry of one quantity; or only the first of them."""

    def asked(said: Message, place: Place) -> bool:
        told = entries(said.parts[0])
        if place.step is None or len({ref.name for ref in told}) != 1:
            return False
        count = len({ref.indices for ref in told})
        return count == len(told) and (len(entries_of(place.step, told[0].name)) > count) == more

    return asked


def task(update: bool) -> Predicate:
    """A step after the first that the spec sets as an exercise, with an update to work or without."""

    def asked(said: Message, place: Place) -> bool:
        page, step = place.sight.example.spec.page, place.step
        later = step is not None and step.number > place.sight.shown[0]
        set_as_task = isinstance(place.block, Prose) and place.block.exercise
        updates = place.sight.again.optimizer is not None
        return page.exercises and later and set_as_task and update == updates

    return asked


def in_full(said: Message, place: Place) -> bool:
    """``Sample 3 in full``: a sample of the step, and the formulas below are of it."""
    sample, letter, step = whole(said.parts[0]), place.sight.example.sample, place.step
    shown = [target(each) for each in place.displays()]
    return step is not None and sample in step.samples and bool(shown) and _at(place, shown, letter, sample)


def value_in_full(said: Message, place: Place) -> bool:
    """``Value 1 of t in full``: the formulas below are at that value of the index."""
    letter = expr(said.parts[1])
    shown = [target(each) for each in place.displays()]
    return isinstance(letter, Ref) and bool(shown) and _at(place, shown, letter.name, whole(said.parts[0]))


def _at(place: Place, shown: list[Ref], letter: str | None, value: int) -> bool:
    """Whether entries have a value where their equations have an index letter."""
    return all(value in _values_at(place, ref, letter) for ref in shown)


def _values_at(place: Place, ref: Ref, letter: str | None) -> set[int]:
    example = place.sight.example
    for eq in (*example.forward, *example.backward, *example.update):
        if eq.target.name in (ref.name, after(ref.name)):
            pairs = zip(eq.target.indices, ref.indices, strict=True)
            return {int(at.value) for own, at in pairs if own == Ref(letter or "") and isinstance(at, Number)}
    return set()


def whole_table(sampled: bool, part: bool) -> Predicate:
    """The table below has a row for every value: for the samples of the step, all or a part, or an index."""

    def asked(said: Message, place: Place) -> bool:
        step, table = place.step, place.next
        if step is None or not isinstance(table, Table):
            return False
        labels = [whole(row[0][0]) for row in table.rows[: len(table.rows) - table.total]]
        along = expr(table.header[0][0])
        if not sampled:
            return along != Ref(place.sight.example.sample or "") and labels == [*range(1, len(labels) + 1)]
        own = place.sight.again.steps[step.number - 1][-1]
        return labels == list(own) and part == (len(own) < place.sight.again.samples)

    return asked


def other_entries(said: Message, place: Place) -> bool:
    """The entries of a quantity in one row of the step that the formulas above leave out."""
    ref, step = expr(said.parts[1]), place.step
    shown = [target(each) for each in place.shown_before()]
    own = [each for each in shown if isinstance(ref, Ref) and ref.name in (each.name, after(each.name))]
    own = [each for each in own if not any(getattr(part, "value", 1) < 1 for part in each.indices)]
    if step is None or not own or not isinstance(ref, Ref):
        return False
    letter = _row_letter(place)
    example = place.sight.example
    eqs = (*example.forward, *example.backward, *example.update)
    indices = next(eq.target.indices for eq in eqs if eq.target.name == ref.name)
    axis = indices.index(letter)
    part = own[0].indices[axis]
    assert isinstance(part, Number)
    at_sample = letter == Ref(example.sample or "")
    row = step.samples.index(int(part.value)) + 1 if at_sample else int(part.value)
    entries = (at for at in entries_of(step, ref.name) if min(at) >= 1)  # h[0] is of another equation
    count = sum(at[axis] == row for at in entries)
    return (said.count, whole(said.parts[0])) == (count - len(own), count - len(own))


def _row_letter(place: Place) -> Ref:
    """The index along which the rows run, from the sentence that opens the row above."""
    for block in place.before():
        first = block.words[0] if isinstance(block, Prose) and block.words else ""
        if isinstance(first, Message) and first.text == "Value {} of {} in full:":
            letter = expr(first.parts[1])
            assert isinstance(letter, Ref)
            return letter
        if isinstance(first, Message) and first.text == "Sample {} in full:":
            break
    return Ref(place.sight.example.sample or "")


# --- signs -----------------------------------------------------------------------------------------------


def sign(way: int) -> Predicate:
    """The sign of a gradient in the trace, and where its parameter went: up (1), nowhere (0), down (-1)."""

    def asked(said: Message, place: Place) -> bool:
        slope, parameter = (expr(part) for part in said.parts)
        step, loss = place.step, place.sight.example.loss
        if step is None or not isinstance(parameter, Ref) or slope != Ref(adjoint(loss, parameter.name)):
            return False
        gradient = step.at(adjoint(loss, parameter.name))
        old, new = step.at(parameter.name), step.at(after(parameter.name))
        if way == 0:
            return _is_nothing(gradient) and _below(old, new) is _below(new, old) is False
        low, high = (old, new) if way > 0 else (new, old)
        return _below(low, high) is True and (_below(gradient, 0) if way > 0 else _below(0, gradient)) is True

    return asked


def _below(a: Value | int, b: Value | int) -> bool | None:
    """Whether a number is surely below another; None where balls do not tell."""
    gap = b - a
    if isinstance(gap, arb):
        low, high = gap.lower(), gap.upper()
        return True if low > 0 else False if high <= 0 else None
    return bool(gap > 0)


def _is_nothing(value: Value) -> bool:
    return bool(value.is_zero()) if isinstance(value, arb) else value == 0


def signs(said: Message, place: Place) -> bool:
    """A sentence of the signs of several gradients, each asked, none said twice."""
    found = [each for each in items(said.parts[0]) if isinstance(each, Message) and each.text in SIGNS]
    return len(items(said.parts[0])) == len(found) == len({str(each.parts[1]) for each in found}) > 0


SIGNS: dict[str, Predicate] = {
    "{} is zero, so {} stays": sign(0),
    "{} is negative, so {} increases": sign(1),
    "{} is positive, so {} decreases": sign(-1),
}

# --- leads -----------------------------------------------------------------------------------------------


def entries_lead(said: Message, place: Place) -> bool:
    """The formulas below are of entries of one quantity, up to those of another."""
    ref, shown = expr(said.parts[0]), place.displays()
    return isinstance(ref, Ref) and len(shown) > 1 and {target(each).name for each in shown[:2]} == {ref.name}


def parameters_lead(said: Message, place: Place) -> bool:
    """The formulas below are of parameters, or their gradients, that the equation of a quantity reads."""
    ref, example = expr(said.parts[0]), place.sight.example
    slopes = {adjoint(example.loss, name): name for name in example.start}
    shown = [slopes.get(target(each).name, target(each).name) for each in place.displays()[:2]]
    equation = example.forward.targets.get(ref.name) if isinstance(ref, Ref) else None
    if equation is None or len(shown) < 2:
        return False
    read = {each.name for each in refs(equation.body)}
    return {*shown} <= read & {*example.start}


HEADS: dict[str, Predicate] = {
    "Step {}": heading(False, False, False),
    "Epoch {}, mini-batch {}: {}": heading(True, True, True),
    "Epoch {}, all samples: {}": heading(True, False, True),
    "Mini-batch {}: {}": heading(False, True, True),
    "All samples: {}": heading(False, False, True),
    "The forward pass": pass_head("forward"),
    "The backward pass": pass_head("backward"),
    "The update": pass_head("update"),
}
PREDICATES: dict[str, Predicate] = {
    "{}.": signs,
    **HEADS,
    "The entries of {}:": entries_lead,
    "The parameters of {}:": parameters_lead,
    "We have {}.": opening(False),
    "We have {}, and so on.": opening(True),
    "We get {}.": results(False),
    "We get {}, and so on.": results(True),
    "Work this step by hand: the predictions, the loss, the gradients and the new parameters.": task(True),
    "Work this step by hand: the predictions, the loss and the gradients.": task(False),
    "Sample {} in full:": in_full,
    "Value {} of {} in full:": value_in_full,
    "All of them in a table:": whole_table(False, False),
    "All samples in a table:": whole_table(True, False),
    "All samples of the mini-batch in a table:": whole_table(True, True),
    "The other entry of {1} goes the same way.": other_entries,
}
PARTS: dict[str, tuple[tuple[str, ...], Predicate]] = {
    **{text: (("{}.",), predicate) for text, predicate in SIGNS.items()},
    **dict.fromkeys(
        ("sample {}", "samples {}", "samples {} to {}"),
        (("Epoch {}", "Mini-batch {}", "All samples:"), samples),
    ),
}
"""Messages inside others: the beginnings of those in which they stand, and what is asked of them."""
