"""The program of a page as JavaScript: equations, data, batches, and how each formula is shown."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derivations.formats.play.javascript import (
    Scope,
    Unplayable,
    called,
    decimal,
    equation,
    letter,
    letters_of,
    members,
    quoted,
)
from derivations.formats.play.numbers import bare, entry_template, literal, numbers_template
from derivations.language.names import adjoint
from derivations.language.program import Equation
from derivations.language.tree import Ref, walk
from derivations.model.example import Example, sample_axes
from derivations.notation.chain import Side
from derivations.notation.mathml import mathml_of
from derivations.notation.printed import as_printed
from derivations.notation.spoken.speaker import spoken, spoken_chain
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import Value
from derivations.run.training import LIMIT, Trace, sample_numbers, sizes_at
from derivations.spec.arrays import Array

VERIFIED = 2_000  # numbers of the trace that a page brings to be compared with


def program_of(trace: Trace, symbols: Symbols, language: str) -> dict[str, str]:
    """The members of the object ``program``."""
    example = trace.example
    return {
        "loss": quoted(example.loss),
        "sample": quoted(example.sample and letter(example.sample)),
        "samples": str(example.samples),
        "sizes": _sizes(example),
        "counting": quoted(next(iter(sample_numbers(example).values()), None)),
        "data": quoted(_data(example)),
        "fixed": quoted(_fixed(example)),
        "start": quoted({name: _array(array) for name, array in example.start.items()}),
        "states": quoted(_states(example)),
        "hyper": quoted({name: _float(value) for name, value in example.hyper.items()}),
        "clock": quoted(list(example.rule.clock)),
        "first": str(example.rule.first),
        **_batches(example),
        **{part: _equations(example, part, symbols, language) for part in ("forward", "backward", "update")},
        "entries": members(_entries(example, symbols), "  "),
        "verified": quoted(_verified(trace)),
    }


def functions_of(example: Example) -> dict[str, str]:
    """The functions that the equations call, beside those that JavaScript has."""
    programs = (*example.forward, *example.backward, *example.update)
    return called(eq.body for eq in programs)


def _float(value: Fraction) -> float:
    return float(decimal(value))


def _array(array: Array) -> dict[str, object]:
    return {"shape": list(array.shape), "values": [_float(value) for value in array.entries]}


def _data(example: Example) -> dict[str, object]:
    axes = sample_axes(example)
    return {name: {**_array(array), "axis": axes.get(name)} for name, array in example.data.items()}


def _fixed(example: Example) -> list[str]:
    """Data that must stay: those used as indices, and those of which a short cut asks something."""
    asked = (node for found in example.shortcuts if found.condition for node in walk(found.condition[0]))
    return [
        *example.lookups,
        *(node.name for node in asked if isinstance(node, Ref) and node.name in example.data),
    ]


def _states(example: Example) -> dict[str, object]:
    """The states; ``from`` is the hyper-parameter that a state begins with, if it does."""
    found: dict[str, object] = {}
    for name, state in example.states.items():
        of = example.rule.row.starts.get(state.of, "0")
        given = {name, state.of} & set(example.spec.training.start)
        knob = example.rule.group(state.parameters[0]).named(of)
        found[name] = {**_array(state.start), "from": None if given or knob not in example.hyper else knob}
    return found


# --- batches --------------------------------------------------------------------------------------


def _sizes(example: Example) -> str:
    """How many values each index takes, by the size of the batch."""
    counts = range(1, example.samples + 1) if example.sample else [0]
    tables = [sizes_at(example, count) for count in counts]
    shown = {}
    for name, extent in tables[-1].items():
        own = [table.get(name) for table in tables]
        if all(size == extent for size in own) and example.sample != name:
            shown[letter(name)] = str(extent)
        elif own == list(counts):
            shown[letter(name)] = "n"
        else:
            raise Unplayable(f"the range of {name} does not follow the size of the batch")
    return "(n) => ({" + ", ".join(f"{name}: {size}" for name, size in shown.items()) + "})"


def _batches(example: Example) -> dict[str, str]:
    """The order of the samples in each epoch, and how they are cut."""
    batches, training = example.batches, example.spec.training
    orders = [[sample for batch in epoch for sample in batch] for epoch in batches]
    first = len(batches[0][0])
    orders = orders[:1] if all(order == orders[0] for order in orders) else orders
    listed = None
    if training.batches is not None:
        orders, listed = [list(range(1, example.samples + 1))], [list(batch) for batch in batches[0]]
    return {
        "epochs": str(len(batches)),
        "size": quoted(None if listed or not example.sample else first),
        "orders": quoted(orders),
        "listed": quoted(listed),
    }


# --- equations ------------------------------------------------------------------------------------


def _equations(example: Example, part: str, symbols: Symbols, language: str) -> str:
    names = frozenset(example.forward.indices | example.backward.indices | example.update.indices)
    found = (_equation(eq, names, example, symbols, language) for eq in getattr(example, part))
    return "[" + ", ".join(members(one, "  ") for one in found) + "]"


def _equation(
    eq: Equation, names: frozenset[str], example: Example, symbols: Symbols, language: str
) -> dict[str, str]:
    """An equation with the formula itself, its name, and the formula with numbers put in."""
    own = letters_of(eq, names)
    scope = Scope(frozenset(own), frozenset(example.lookups), sample_numbers(example))
    given = ", ".join(["r", "w", *map(letter, own)])
    sides = Side("", eq.target), Side("=", as_printed(eq.body))
    target, body = (literal(mathml_of(typeset(side.expr, symbols), symbols.marks)) for side in sides)
    return {
        **equation(eq, names, scope),
        "said": f"[`{target}`, `{body}`]",
        "called": quoted(spoken(eq.target, symbols, language)),
        "spoken": quoted(spoken_chain(sides, symbols, language)),
        "numbers": f"({given}) => {numbers_template(eq.body, scope, symbols, example.sample)}",
        "plainly": quoted(isinstance(eq.body, Ref)),
    }


def ranks_of(example: Example) -> dict[str, int]:
    """Every quantity of a step, with the number of its indices."""
    found = {name: len(array.shape) for name, array in {**example.data, **example.kept}.items()}
    found |= dict.fromkeys((*example.hyper, *example.rule.clock), 0)
    for eq in (*example.forward, *example.backward, *example.update):
        found.setdefault(eq.target.name, len(eq.target.indices))
    return found


def _entries(example: Example, symbols: Symbols) -> Mapping[str, str]:
    """How the entries of every quantity are written."""
    found = ranks_of(example).items()
    return {quoted(name): entry_template(name, rank, bare(symbols)) for name, rank in found}


def _verified(trace: Trace) -> dict[str, object]:
    """Numbers of the verified run: of every step the loss, the gradients and what goes to the next step."""
    example = trace.example
    names = [example.loss, *(adjoint(example.loss, name) for name in example.parameters)]
    names += [f"{name}'" for name in example.kept if example.updates]
    rows: list[list[float]] = []
    for step in trace.steps:
        slots = step.layout.tape.slots
        rows.append([_shown(step.memory[slots[entry]]) for entry in slots if entry[0] in names])
        if sum(map(len, rows)) > VERIFIED:
            break
    entries = [e for e in trace.steps[0].layout.tape.slots if e[0] in names] if trace.steps else []
    return {"names": [[name, list(at)] for name, at in entries], "rows": rows}


def _shown(value: Value) -> float:
    """The nearest float64 of a value of the run."""
    if abs(value) > LIMIT:
        raise Unplayable("a value of the run is beyond the largest of float64")
    return nearest_float(value)
