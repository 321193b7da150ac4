"""What a page says about the update: the optimizer's words, held against the spec and the equations shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from derivations.audit.sentences.place import (
    Place,
    Predicate,
    Sight,
    entries,
    entries_of,
    expr,
    is_update,
    items,
    names,
    places,
    target,
)
from derivations.catalogue.algorithm import WHOLE, Optimizer
from derivations.catalogue.clipping import CLIPPINGS
from derivations.catalogue.optimizers import OPTIMIZERS
from derivations.catalogue.schedules import SCHEDULES
from derivations.document.blocks import Message
from derivations.language.names import adjoint, after, second, unprimed
from derivations.language.program import Equation
from derivations.language.tree import Add, Call, Expr, Ref, number, refs, walk
from derivations.notation.chain import Formula
from derivations.notation.printed import as_printed

STATED = re.compile(r"(_\d+)?$")


def _updates(place: Place) -> tuple[Equation, ...]:
    return place.sight.example.update.equations


def states(place: Place) -> set[str]:
    """What the update reads before it writes it and hands on, parameters aside: read off its equations."""
    written: set[str] = set()
    kept: set[str] = set()
    for eq in _updates(place):
        kept |= {ref.name for ref in refs(eq.body)} - written
        written.add(eq.target.name)
    return {name for name in kept if after(name) in written} - set(place.sight.example.start)


def none(said: Message, place: Place) -> bool:
    """The spec names no optimizer, and nothing is updated."""
    return place.sight.again.optimizer is None and not _updates(place)


# --- the optimizer and its numbers -----------------------------------------------------------------------


def optimizer(said: Message, place: Place) -> bool:
    """The row that the spec names; every number that the equations read is told as the spec gives it."""
    row = place.sight.again.optimizer
    told = items(said.parts[2]) if len(said.parts) > 2 else ()
    shown = [each for each in told if isinstance(each, Formula)]
    wanted = {*place.sight.example.update.inputs} & {*place.sight.example.hyper}
    known = {target(each).name for each in shown}
    return (
        row is not None
        and said.parts[0] == row.name
        and wanted <= known
        and len(shown) == len(told)
        and all(_is_given(each, place) for each in shown)
    )


def _is_given(shown: Formula, place: Place) -> bool:
    """``η = 0.01``: the spec's number for the optimizer, a group, the clipping or the schedule."""
    name, value = target(shown).name, place.sight.example.hyper.get(target(shown).name)
    again, training = place.sight.again, place.sight.again.training
    row = again.optimizer
    plain = STATED.sub("", name)
    found: set[object] = set()
    if row is not None:
        words = [word for word in (name, plain) if word in row.hyper]
        found |= {again.knob(parameter, word) for parameter in place.sight.example.start for word in words}
    found |= {_fraction(number) for number in training.get("clip", {}).values() if name == "clip"}
    if "schedule" in training:
        found |= _of_schedule(name, training["schedule"])
    return value in found


def _of_schedule(name: str, table: Mapping[str, object]) -> set[object]:
    row = next(row for row in SCHEDULES if row.name == table["name"])
    words = {name, *(word for word, own in row.words.items() if name in own)}
    given = {_fraction(value) for key, value in table.items() if key in words}
    default = row.hyper.get(name)
    return given or ({_fraction(default)} if default is not None else set())


def _fraction(value: object) -> object:
    return Fraction(str(value)) if not isinstance(value, bool) else Fraction(int(value))


def clipped(said: Message, place: Place) -> bool:
    """The way of clipping that the spec names, in the words of its row."""
    table = place.sight.again.training.get("clip", {})
    rows = {row.name: row.convention for row in CLIPPINGS}
    return [_texts(said.parts)] == [[name, rows[name]] for name in table]


def paced(every: str) -> Predicate:
    """The schedule that the spec names, in the words of its row, counted in steps or in epochs."""

    def asked(said: Message, place: Place) -> bool:
        table = place.sight.again.training.get("schedule", {})
        row = next((row for row in SCHEDULES if row.name == table.get("name")), None)
        if row is None or table.get("every", row.every) != every:
            return False
        return [said.parts[0], *_texts(said.parts[1:])] == [row.name, row.convention]

    return asked


def _texts(parts: tuple[object, ...]) -> list[str]:
    return [part.text for part in parts if isinstance(part, Message)]


def inner(said: Message, place: Place) -> bool:
    """The words of a row of clipping or of a schedule, for which the sentence that names it asks."""
    return bool(place.inside)


CLIPPED, PACED = ("gradients are clipped by",), ("the learning rate follows",)


# --- conventions -----------------------------------------------------------------------------------------


def about(place: Place) -> list[str]:
    """The parameters of which a convention speaks: those of the group that is named, or all."""
    groups = [each for each in place.inside if each.text == "for {}: {}"]
    return names(groups[-1].parts[0]) if groups else list(place.sight.example.start)


def group(said: Message, place: Place) -> bool:
    """Parameters whose hyper-parameters are the same in the spec, and others that have others."""
    again, own = place.sight.again, names(said.parts[0])
    tables = {name: again.group(name) for name in place.sight.example.start}
    inside = [tables[name] for name in own if name in tables]
    others = [table for name, table in tables.items() if name not in own]
    return len(inside) == len(own) > 0 and all(t == inside[0] for t in inside) and inside[0] not in others


def convention(said: Message, place: Place) -> bool:
    """The words of the row that the spec names, each true of the equations and of the spec's numbers."""
    row = place.sight.again.optimizer
    if row is None or said.text not in (row.convention, *row.conventions.values()):
        return False
    keys = [key for key, text in row.conventions.items() if text == said.text]
    if keys and not any(
        not place.sight.again.cuts if key == WHOLE else _knob(key, True)(place) for key in keys
    ):
        return False
    wanted = (claim for words, claim in WORDS if re.search(words, said.text))
    return all(claim(place) for claim in wanted)


def _knob(name: str, wanted: bool) -> Callable[[Place], bool]:
    """Whether a hyper-parameter is 0, or is not, for every parameter that is spoken of."""

    def asked(place: Place) -> bool:
        row = place.sight.again.optimizer
        known = row is not None and name in row.hyper
        return all(bool(known and place.sight.again.knob(p, name)) == wanted for p in about(place))

    return asked


def _has_state(wanted: bool) -> Callable[[Place], bool]:
    def asked(place: Place) -> bool:
        own = states(place)
        return all(any(state.endswith(f"_{name}") for state in own) == wanted for name in about(place))

    return asked


def _reads(*found: Callable[[Expr], bool]) -> Callable[[Place], bool]:
    """Whether some equation of the update has a node of a kind."""

    def asked(place: Place) -> bool:
        nodes = [node for eq in _updates(place) for node in walk(as_printed(eq.body))]
        return all(any(one(node) for node in nodes) for one in found)

    return asked


def _calls(name: str) -> Callable[[Expr], bool]:
    return lambda node: isinstance(node, Call) and node.function == name


def _is_eps(term: Expr) -> bool:
    return isinstance(term, Ref) and STATED.sub("", term.name) in ("eps", "eps2")


def _root_and_eps(node: Expr) -> bool:
    roots = [part for part in node.terms if _calls("sqrt")(part)] if isinstance(node, Add) else []
    return bool(roots) and isinstance(node, Add) and any(map(_is_eps, node.terms))


def _eps_in_root(node: Expr) -> bool:
    return (
        isinstance(node, Call)
        and node.function == "sqrt"
        and isinstance(node.arguments[0], Add)
        and any(map(_is_eps, node.arguments[0].terms))
    )


def _mini(wanted: bool) -> Callable[[Place], bool]:
    return lambda place: place.sight.again.cuts == wanted


WORDS: tuple[tuple[str, Callable[[Place], bool]], ...] = (
    (r"without momentum", _has_state(False)),
    (r"\bvelocity (accumulates|sums)", _has_state(True)),
    (r"\bdescent\b", _knob("maximize", False)),
    (r"\bascent\b", _knob("maximize", True)),
    (r"with weight decay\b", _knob("lam", True)),
    (r"\bplain\b", _knob("lam", False)),
    (r"on each mini-batch", _mini(True)),
    (r"every step uses all the data", _mini(False)),
    (r"all but the first one damped", _knob("tau", True)),
    (r"accumulates the gradients;", _knob("tau", False)),
    (r"plus the momentum times the velocity", _knob("nesterov", True)),
    (r"the learning rate scales it", _knob("nesterov", False)),
    (r"epsilon is added after the root", _reads(_root_and_eps)),
    (r"epsilon is added inside", _reads(_eps_in_root)),
    (r"\bsign of", _reads(_calls("sign"))),
    (r"the maximum taken before", _reads(_calls("max"))),
    (r"largest second moment", _knob("amsgrad", True)),
    (r"weight decay (is )?apart", _knob("lam", True)),
    (r"momentum sums up", _knob("mu", True)),
    (r"momentum that grows", _knob("psi", True)),
)


def maximized(said: Message, place: Place) -> bool:
    """The loss is moved upwards, by the spec, by every parameter that is spoken of."""
    return entries(said.parts[0]) == [Ref(place.sight.example.loss)] and _knob("maximize", True)(place)


# --- what the equations bring in -------------------------------------------------------------------------


def the_same(said: Message, place: Place) -> bool:
    """Parameters whose own equations are not shown, each with the numbers of a group that is."""
    shown = {target(each).name for each in place.shown_before() if is_update(each)}
    shown = {unprimed(name) for name in shown}
    own, again = names(said.parts[0]), place.sight.again
    others = [name for name in place.sight.example.start if name not in shown]
    tables = [again.group(name) for name in place.sight.example.start if name in shown]
    return own == others != [] and all(again.group(name) in tables for name in own)


def carried_over(said: Message, place: Place) -> bool:
    """States of the optimizer; all that the equations above read."""
    own = names(said.parts[1])
    shown = (each for each in place.before() if hasattr(each, "formula"))
    read = {ref.name for each in shown for side in each.formula.sides for ref in refs(side.expr)}
    known = states(place)
    return said.count == len(own) > 0 and {*own} <= known and known & read <= {*own}


def _opened(place: Place) -> bool:
    """Whether each step that the page shows opens with the value of every entry of every state."""
    told: dict[int, set[Ref]] = {}
    for each, where in places(place.sight):
        if where.step is not None and each.text in ("We have {}.", "We have {}, and so on."):
            told.setdefault(where.step.number, {*entries(each.parts[0])})
    steps = [place.sight.trace.shown[number - 1] for number in place.sight.shown]
    wanted = {
        step.number: {
            Ref(name, tuple(map(number, at))) for name in states(place) for at in entries_of(step, name)
        }
        for step in steps
    }
    return all(own <= told.get(at, set()) for at, own in wanted.items())


def handed_on(opens: bool) -> Predicate:
    """What is carried over; the steps open with the values of all of it, or not all of them do."""
    return lambda said, place: carried_over(said, place) and _opened(place) == opens


def goes_on(said: Message, place: Place) -> bool:
    """The number of the first step that the spec gives."""
    first, shown = place.sight.again.training.get("start", {}).get("t", 1), said.parts[0]
    return first > 1 and isinstance(shown, Formula) and shown.sides[-1].expr == number(first)


def counted(name: str) -> Predicate:
    """A letter that the update reads and that counts from 1."""

    def asked(said: Message, place: Place) -> bool:
        first = place.sight.again.training.get("start", {}).get("t", 1)
        read = {ref.name for eq in _updates(place) for ref in refs(eq.body)}
        return expr(said.parts[0]) == Ref(name) and name in read and (name != "t" or first == 1)

    return asked


def second_derivative(said: Message, place: Place) -> bool:
    """The second derivative of the loss by the parameter, beside the first."""
    (parameter, *others), loss = place.sight.example.start, place.sight.example.loss
    found = [expr(part) for part in said.parts]
    return not others and found == [Ref(second(parameter)), Ref(adjoint(loss, parameter))]


def cast(said: Message, place: Place) -> bool:
    """torch's class of the row, and the type to which it casts."""
    row = place.sight.again.optimizer
    return row is not None and said.parts == (row.torch, row.casts) and bool(row.casts)


def _conventions() -> Iterator[str]:
    for row in OPTIMIZERS:
        yield from (row.convention, *row.conventions.values())


OPTIMIZER = ("The optimizer is {}",)
MAXIMIZED = "{} is maximized: gradients enter with the opposite sign"
GROUPS = (*OPTIMIZER, "for {}: {}")
PREDICATES: dict[str, Predicate] = {
    "There is no optimizer: one step shows the gradients, and nothing is updated.": none,
    "The optimizer is {} ({}) with {}:": optimizer,
    "The optimizer is {} ({}):": optimizer,
    "and the same for {}.": the_same,
    "{1} is carried over from step to step; every step opens with its value.": handed_on(True),
    "{1} is carried over from step to step; the JSON file holds its values.": handed_on(False),
    "The run goes on from earlier steps: the first step here has {}.": goes_on,
    "The steps are counted by {}, from 1.": counted("t"),
    "The epochs are counted by {}, from 1.": counted("epoch"),
    "{} is the second derivative of the loss, the derivative of {}.": second_derivative,
    "{} itself works with the few digits of {} inside; it is run here without that cast, in float64, "
    "and the program below writes the update out.": cast,
}
PARTS: dict[str, tuple[tuple[str, ...], Predicate]] = {
    "gradients are clipped by {}: {}": (OPTIMIZER, clipped),
    "the learning rate follows {}, every step: {}": (OPTIMIZER, paced("step")),
    "the learning rate follows {}, every epoch: {}": (OPTIMIZER, paced("epoch")),
    **dict.fromkeys((text for row in CLIPPINGS for text in (row.name, row.convention)), (CLIPPED, inner)),
    **dict.fromkeys((row.convention for row in SCHEDULES), (PACED, inner)),
    **dict.fromkeys(_conventions(), (GROUPS, convention)),
    "for {}: {}": (OPTIMIZER, group),
    MAXIMIZED: (GROUPS, maximized),
}
"""Messages inside others: the beginnings of those in which they stand, and what is asked of them."""


def untold(sight: Sight) -> Iterator[str]:
    """What the spec wants of the update and the words about the optimizer do not tell."""
    row, again = sight.again.optimizer, sight.again
    if row is None or "problem" not in sight.example.spec.page.parts:
        return
    told = [
        (said.text, about(place)) for said, place in places(sight) if place.part == "problem" and place.inside
    ]
    for key, (begins,) in (("clip", CLIPPED), ("schedule", PACED)):
        if again.training.get(key) and not any(text.startswith(begins) for text, _ in told):
            yield f"nothing says what the {key} of the spec is"
    yield from _unexplained(sight, row)
    conventions = (row.convention, *row.conventions.values())
    for name in sight.example.start:
        if not any(text in conventions and name in of for text, of in told):
            yield f"nothing says how {row.name} moves '{name}'"
        if again.knob(name, "maximize") and not any(text == MAXIMIZED and name in of for text, of in told):
            yield f"nothing says that the loss is maximized by '{name}'"


def _unexplained(sight: Sight, row: Optimizer) -> Iterator[str]:
    """What the equations of the update read and no sentence of the problem says what it is."""
    read = {ref.name for eq in sight.example.update for ref in refs(eq.body)}
    needed = {
        "how the steps are counted": ("t" in read, ("The steps are counted", "The run goes on")),
        "how the epochs are counted": ("epoch" in read, ("The epochs are counted",)),
        "what is carried over": (bool(states(Place(sight, 0)) & read), ("{1} is carried over",)),
        "what torch's class casts to": (bool(row.casts), ("{} itself works with",)),
    }
    texts = [said.text for said, place in places(sight) if place.part == "problem"]
    for what, (wanted, begins) in needed.items():
        if wanted and not any(text.startswith(begins) for text in texts):
            yield f"nothing says {what}"
