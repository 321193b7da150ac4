"""What the first part of a page says: the aim, the loss, data and start, batches and epochs, rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from flint import arb

from derivations.audit.sentences.losses import ONE, SEVERAL, named_loss
from derivations.audit.sentences.place import (
    Place,
    Predicate,
    entries,
    items,
    names,
    reach,
    target,
    whole,
)
from derivations.catalogue import functions
from derivations.catalogue.loss import Loss
from derivations.catalogue.losses import LOSSES
from derivations.catalogue.sample_losses import SAMPLE_LOSSES
from derivations.document.blocks import Display, Message, Prose, Table
from derivations.language.errors import ArithmeticFault
from derivations.language.parser import parse
from derivations.language.tree import Expr, Mean, Number, Ref, Sum, refs, substitute, transform, walk
from derivations.notation.chain import Formula
from derivations.numbers.systems import ball
from derivations.run.training import Step, worked

# --- what is looked for ----------------------------------------------------------------------------------


def _ways(place: Place) -> set[bool]:
    """Whether parameters are moved towards a larger loss, by the spec: false, true, or both."""
    again = place.sight.again
    return {again.knob(name, "maximize") == 1 for name in place.sight.example.start}


def _loss_follows(place: Place) -> bool:
    shown = place.displays()
    return bool(shown) and target(shown[0]) == Ref(place.sight.example.loss)


def _all_parameters(said: Message, place: Place) -> bool:
    counted = said.parts[-1] if said.many else said.parts[0]
    wanted = list(place.sight.example.start)
    count = said.count if said.many and whole(said.parts[0]) == said.count else 1
    return names(counted) == wanted and count == (len(wanted) if said.many else 1)


def smallest(said: Message, place: Place) -> bool:
    """The loss stands below, and no parameter is moved upwards."""
    return _all_parameters(said, place) and _loss_follows(place) and _ways(place) == {False}


def largest(said: Message, place: Place) -> bool:
    """The loss stands below, and every parameter is moved upwards."""
    return _all_parameters(said, place) and _loss_follows(place) and _ways(place) == {True}


def both_ways(said: Message, place: Place) -> bool:
    """The loss stands below; some parameters are moved upwards, some downwards."""
    return _all_parameters(said, place) and _loss_follows(place) and len(_ways(place)) == 2


def of_the_model(said: Message, place: Place) -> bool:
    """A model stands below, on which the loss depends."""
    shown, example = place.displays(), place.sight.example
    first = target(shown[0]).name if shown else ""
    return _all_parameters(said, place) and first in reach(example, example.loss) - {example.loss}


def the_loss(said: Message, place: Place) -> bool:
    """The loss stands below."""
    return _loss_follows(place)


def reported(said: Message, place: Place) -> bool:
    """What stands below does not lead to the loss."""
    example = place.sight.example
    shown = [target(each).name for each in place.displays()]
    return entries(said.parts[0]) == [Ref(example.loss)] and not {*shown} & reach(example, example.loss)


def whole_loss(said: Message, place: Place) -> bool:
    """The formula of the named row, at the trace's own numbers, gives the loss of every shown step."""
    name, words = said.parts
    if not isinstance(name, Message) or not isinstance(words, Message):
        return False
    row = next((row for row in LOSSES if (row.name, row.convention) == (name.text, words.text)), None)
    if row is None or any(part != place.sight.symbols.count for part in words.parts):
        return False
    example = place.sight.example
    body = example.forward.targets[example.loss].body
    read = refs(body)
    steps = [place.sight.trace.steps[number - 1] for number in place.sight.shown]
    pairs = [(a, b) for a in read for b in read if a != b]
    return any(all(_gives(row, pair, step, example.loss) for step in steps) for pair in pairs)


def _gives(row: Loss, pair: tuple[Ref, Ref], step: Step, loss: str) -> bool:
    """Whether a row's formula over a prediction and a target is the loss of a step."""
    letters = [part.name for ref in pair for part in ref.indices if isinstance(part, Ref)]
    theirs = parse(row.equation, functions.NAMES)
    bound = {getattr(node, "index", "") for node in walk(theirs)} - {""}
    if bool(letters) != bool(bound) or {ref.indices for ref in pair} != {pair[0].indices}:
        return False
    form = _relettered(theirs, dict.fromkeys(bound, letters[0])) if bound else theirs
    given: dict[Expr, Expr] = {
        node: pair["ab".index(node.name)]
        for node in walk(form)
        if isinstance(node, Ref) and node.name in ("a", "b")
    }
    try:
        found = worked(substitute(form, given), {}, step)
    except ArithmeticFault:  # a logarithm of what is no probability
        return False
    return bool(ball(found).overlaps(ball(step.at(loss))))


def _relettered(found: Expr, new: Mapping[str, str]) -> Expr:
    def rule(node: Expr) -> Expr | None:
        match node:
            case Sum() | Mean() if node.index in new:
                return replace(node, body=transform(node.body, rule), index=new[node.index])
            case Ref(name, ()) if name in new:
                return Ref(new[name])
        return None

    return transform(found, rule)


def named_where_asked(said: Message, place: Place) -> bool:
    """A part of a sentence that asks for it itself."""
    return bool(place.inside)


# --- data and start --------------------------------------------------------------------------------------


def sample_count(said: Message, place: Place) -> bool:
    """The data have so many samples, and the tables below as many rows."""
    count, block = place.sight.again.samples, place.next
    rows = len(block.rows) if isinstance(block, Table) and block.kind == "data" else -1
    return (whole(said.parts[0]), said.count, rows) == (count, count, count)


def given(said: Message, place: Place) -> bool:
    """All entries of one array of the data."""
    found = entries(said.parts[0])
    arrays = {ref.name for ref in found}
    data = place.sight.example.data
    return len(arrays) == 1 and arrays <= set(data) and found == data[found[0].name].refs(found[0].name)


def start(said: Message, place: Place) -> bool:
    """All entries of all parameters."""
    arrays = place.sight.example.start.items()
    return entries(said.parts[0]) == [ref for name, array in arrays for ref in array.refs(name)]


# --- steps and batches -----------------------------------------------------------------------------------


def epoch_count(said: Message, place: Place) -> bool:
    """The spec wants so many epochs, which are steps where there are no batches."""
    count = len(place.sight.again.epochs)
    return (whole(said.parts[0]), said.count) == (count, count)


def step_count(said: Message, place: Place) -> bool:
    """So many steps, where every epoch is one step."""
    return epoch_count(said, place) and len(place.sight.again.steps) == said.count


def without_samples(with_data: bool) -> Predicate:
    """Nothing is cut into batches, for there are no samples; and data are, or are not, given."""

    def asked(said: Message, place: Place) -> bool:
        example = place.sight.example
        return place.sight.again.samples == 0 and bool(example.data) == with_data

    return asked


def all_in_each(said: Message, place: Place) -> bool:
    """Every step uses every sample, and there are as many as is said."""
    again = place.sight.again
    full = all(sorted(batch) == list(range(1, again.samples + 1)) for *_, batch in again.steps)
    return full and (whole(said.parts[0]), said.count) == (again.samples, again.samples)


def batch_opening(shuffled: bool, listed: bool, partition: bool) -> Predicate:
    """How the samples are cut: shuffled with a seed, in order, as listed; each sample once, or not."""

    def asked(said: Message, place: Place) -> bool:
        again = place.sight.again
        first, training = again.epochs[0], again.training
        told = sorted(sample for batch in first for sample in batch)
        once = told == list(range(1, again.samples + 1))
        found = ("shuffle" in training, "batches" in training, once)
        seed = not shuffled or said.parts[1] == str(training.get("shuffle"))
        in_order = shuffled or listed or [sample for batch in first for sample in batch] == told
        count = whole(said.parts[0]) == len(first) and (not said.many or said.count == len(first))
        return found == (shuffled, listed, partition) and seed and in_order and count

    return asked


def epoch_goes(only_first: bool) -> Predicate:
    """The batches of the first epoch; or those of every epoch, where all are alike."""

    def asked(said: Message, place: Place) -> bool:
        epochs = place.sight.again.epochs
        batches = [each.parts[0] for each in items(said.parts[1]) if isinstance(each, Message)]
        told = tuple(tuple(map(whole, items(batch))) for batch in batches)
        return told == epochs[0] and (len(epochs) > 1 if only_first else set(epochs) == {epochs[0]})

    return asked


def batch(said: Message, place: Place) -> bool:
    """The samples of a batch in brackets, in the sentence that says the batches of an epoch."""
    return tuple(map(whole, items(said.parts[0]))) in place.sight.again.epochs[0]


def batches_and_epochs(said: Message, place: Place) -> bool:
    """How an epoch is cut, then how many there are; both are sentences of their own, and are asked."""
    cut, count = said.parts
    return isinstance(cut, Message) and isinstance(count, Message) and place.sight.again.samples > 0


# --- rounding --------------------------------------------------------------------------------------------


def exact(said: Message, place: Place) -> bool:
    """No value of the run is a ball, and nothing is carried rounded."""
    return not _kept(place) and not _carry(place) and _policy(said, place)


def kept(said: Message, place: Place) -> bool:
    """Some value of the run is a ball, and nothing is carried rounded."""
    return _kept(place) and not _carry(place) and _policy(said, place)


def carried(said: Message, place: Place) -> bool:
    """The spec carries rounded values, and so many places are said; all values of a step have no more."""
    places, trace = place.sight.again.training.get("carry"), place.sight.trace
    inner = said.parts[0]
    known = isinstance(inner, Message) and inner.text == "{} decimal place" and places is not None
    return known and bool(trace.carried) and _decimals_said(inner) == places


def _kept(place: Place) -> bool:
    return any(isinstance(value, arb) for step in place.sight.trace.steps for value in step.memory)


def _carry(place: Place) -> bool:
    return "carry" in place.sight.again.training


def _decimals_said(said: object) -> int:
    return whole(said.parts[0]) if isinstance(said, Message) and said.count == whole(said.parts[0]) else -1


def _policy(said: Message, place: Place) -> bool:
    """The numbers that are printed have the places that are said, those near 0 and large ones too."""
    said_of: dict[str, int] = {}
    inner: object = said.parts[0]
    while isinstance(inner, Message) and inner.text in EXTREMES:
        said_of[EXTREMES[inner.text]] = _decimals_said(inner.parts[1])
        inner = inner.parts[0]
    assert isinstance(inner, Message)
    kind = inner.text.rpartition(" ")[0]
    printed = list(_values(place))
    if (kind == "{} significant") != ("significant" in place.sight.again.tables.get("page", {})):
        return False  # numbers that are all short do not tell which of the two the author asked for
    if kind == "{} significant":
        most = _decimals_said(inner)
        return most > 0 and all(len(_digits(text).strip("0")) <= most for text in printed)
    places = _decimals_said(inner)
    large = {text for text in printed if abs(Fraction(text)) >= 10**9 and Fraction(text) % 10 == 0}
    whole_ones = {t for t in large if len(_digits(t).strip("0")) > places + 1 and abs(Fraction(t)) < 10**12}
    large -= whole_ones  # short whole numbers stand in full
    small = {text for text in printed if Fraction(text) * 10**places % 1}
    return (
        places >= 0
        and bool(small) == ("small" in said_of)
        and bool(large) == ("large" in said_of)
        and all(len(_digits(text)) <= said_of["small"] for text in small)
        and all(len(_digits(text).strip("0")) <= said_of["large"] for text in large)
    )


EXTREMES = {"{}, small numbers to {}": "small", "{}, large numbers to {}": "large"}


def _digits(text: str) -> str:
    """The digits of a number from the first that is not 0."""
    return text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")


def _values(place: Place) -> list[str]:
    """The digits of every value that the steps and the summary print."""
    found: list[str] = []
    part = ""
    for block in place.sight.document.blocks:
        part = getattr(block, "part", "") or part
        if part not in ("steps", "summary"):
            continue
        match block:
            case Display(shown):
                found += _last(shown)
            case Prose(words):
                found += [text for word in words for text in _inside(word)]
            case Table():
                cells = (word for row in block.rows for cell in row for word in cell)
                found += [text for word in cells for text in _inside(word)]
    return found


def _last(shown: Formula) -> list[str]:
    nodes = walk(shown.sides[-1].expr)
    return [node.text for node in nodes if isinstance(node, Number) and node.text]


def _inside(part: object) -> list[str]:
    if isinstance(part, Formula):
        return _last(part)
    parts = (*getattr(part, "parts", ()), *getattr(part, "items", ()))
    return [text for inner in parts for text in _inside(inner)]


ROUNDING = {
    "The calculation is exact; only what is printed is rounded, to {}. "
    "= means equal, ≈ means rounded.": exact,
    "The calculation keeps more digits than are printed; only what is printed is rounded, to {}. "
    "= means equal, ≈ means rounded.": kept,
    "Every product, quotient, power, sum and function value is rounded to {} and carried on rounded, "
    "as with a pocket calculator; = stands where the printed numbers are equal.": carried,
}
OPENINGS: dict[str, Predicate] = {
    "The samples are cut into {} mini-batches, shuffled before every epoch with seed {}": batch_opening(
        True, False, True
    ),
    "The samples are cut into {} mini-batches, in order": batch_opening(False, False, True),
    "The samples are cut into {} mini-batches, as listed": batch_opening(False, True, True),
    "There is {} mini-batch, as listed": batch_opening(False, True, False),
}
PREDICATES: dict[str, Predicate] = {
    **ROUNDING,
    "We look for the parameter {1} with the smallest": smallest,
    "We look for the parameter {1} with the largest": largest,
    "We learn the parameters {} with the loss": both_ways,
    "We learn the parameter {1} of the model": of_the_model,
    "The loss is": the_loss,
    "The loss is the {}:": the_loss,
    "Reported beside {}, and not trained on:": reported,
    ONE: named_loss(several=False),
    SEVERAL: named_loss(several=True),
    "The data set has {} sample:": sample_count,
    "Given: {}.": given,
    "We start from {}.": start,
    "Every step uses all the data; we work {}.": without_samples(True),
    "We work {}.": without_samples(False),
    "Every step uses the only sample; we work {1}.": all_in_each,
    "{} We work {}.": batches_and_epochs,
}
PARTS: dict[str, tuple[tuple[str, ...], Predicate]] = {
    **dict.fromkeys((row.name for row in LOSSES), (("{}: {}",), named_where_asked)),
    **dict.fromkeys(
        (*(row.convention for row in LOSSES), *(row.convention for row in SAMPLE_LOSSES)),
        (("{}: {}", ONE, SEVERAL), named_where_asked),
    ),
    **dict.fromkeys((row.title for row in SAMPLE_LOSSES), ((ONE, SEVERAL), named_where_asked)),
    "{}: {}": (("The loss is the {}:",), whole_loss),
    "{} epoch": (("Every step uses", "{} We work {}."), epoch_count),
    "{} step": (("Every step uses all the data", "We work {}."), step_count),
    **{text: (("{}; ",), predicate) for text, predicate in OPENINGS.items()},
    "{}; the first epoch goes {}.": (("{} We work {}.",), epoch_goes(True)),
    "{}; an epoch goes {}.": (("{} We work {}.",), epoch_goes(False)),
    "({})": (("{}; ",), batch),
    **dict.fromkeys(EXTREMES, ((*ROUNDING, *EXTREMES), named_where_asked)),
    **dict.fromkeys(
        ("{} decimal place", "{} significant digit"), ((*ROUNDING, *EXTREMES), named_where_asked)
    ),
}
"""Messages inside others: the beginnings of those in which they stand, and what is asked of them."""
