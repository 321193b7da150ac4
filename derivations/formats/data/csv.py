"""The CSV format: the whole trace as a tidy table, one row for every value of every step.

Columns: ``step, epoch, samples, quantity, index_1 …, value, numerator, denominator``. ``quantity`` and the
indices are those of the spec, samples by their numbers in the data set; ``samples`` are those of the batch.
``value`` is the float64 nearest to the exact value, in the fewest digits (at most 17) that read back as it;
``numerator`` and ``denominator`` are the exact value where it is rational and short, and empty elsewhere.
With rounded arithmetic a last column ``carried`` holds what was carried on. The decimal mark is a point in
every language. RFC 4180; no cell begins with a sign but numbers, so that none is taken for a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from flint import arb

from derivations.formats.press import Press, Printer
from derivations.language.errors import CheckFailed
from derivations.numbers.float64 import nearest_float
from derivations.numbers.systems import Value
from derivations.run.training import Step, Trace, numbered

Row: TypeAlias = tuple[str, ...]

FIRST, LAST = ("step", "epoch", "samples", "quantity"), ("value", "numerator", "denominator")
FLOAT = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")
LONGEST = 200  # digits of a numerator that are still worth a cell


def write(press: Press) -> str:
    """The table of a run."""
    stream = io.StringIO()
    csv.writer(stream).writerows(_rows(press.run.trace))  # lines end with CR LF, as RFC 4180 has it
    return stream.getvalue()


def _rank(trace: Trace) -> int:
    return max(len(at) for step in trace.steps for _, at in step.layout.tape.slots)


def _header(trace: Trace) -> Row:
    indices = (f"index_{place}" for place in range(1, _rank(trace) + 1))
    return (*FIRST, *indices, *LAST, *(("carried",) if trace.carried else ()))


def _rows(trace: Trace) -> Iterator[Row]:
    rank = _rank(trace)
    yield _header(trace)
    for step in trace.steps:
        for (name, at), slot in step.layout.tape.slots.items():
            indices = [str(place) for place in numbered(step, (name, at))]
            carried = (decimal(trace.carried[step.number - 1].memory[slot]),) if trace.carried else ()
            value = step.memory[slot]
            blank = [""] * (rank - len(indices))
            yield (*_of_step(step), name, *indices, *blank, decimal(value), *_exact(value), *carried)


def _of_step(step: Step) -> Row:
    return str(step.number), str(step.epoch), " ".join(map(str, step.samples))


def decimal(value: Value) -> str:
    """The nearest float64 in the fewest digits that give it back: ``-10.5``, ``12``, ``1e-08``."""
    return repr(nearest_float(value) + 0.0).removesuffix(".0")


def _exact(value: Value) -> tuple[str, str]:
    if isinstance(value, arb) or len(str(value)) > LONGEST:
        return "", ""
    return str(value.p), str(value.q)


def check(text: str, press: Press) -> None:
    """Read the finished table: every value by its step, quantity and indices; raises `CheckFailed`."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as fault:
        raise CheckFailed(f"the finished CSV does not read back: {fault}") from None
    _check(rows, press.run.trace)


def _check(rows: list[list[str]], trace: Trace) -> None:
    if not rows or tuple(rows[0]) != _header(trace):
        raise CheckFailed("the finished CSV has another header")
    known = {
        (str(step.number), name): (step, value)
        for step in trace.steps
        for name, value in step.labelled.items()
    }
    rounded = [step.labelled for step in trace.carried]
    if len(rows) != len(known) + 1 or any(len(row) != len(rows[0]) for row in rows):
        raise CheckFailed("the finished CSV has not one row for every value")
    for row in (dict(zip(rows[0], row, strict=True)) for row in rows[1:]):
        where = _entry_of(row)
        found = known.pop((row["step"], where), None)
        if found is None or not _says(row, *found, rounded and rounded[found[0].number - 1][where]):
            raise CheckFailed(f"the finished CSV is wrong about {where} in step {row['step']}: {row}")


def _entry_of(row: Mapping[str, str]) -> str:
    indices = [value for key, value in row.items() if key.startswith("index_") and value]
    return f"{row['quantity']}[{', '.join(indices)}]" if indices else row["quantity"]


def _says(row: Mapping[str, str], step: Step, value: Value, carried: Value) -> bool:
    same = row["epoch"] == str(step.epoch) and row["samples"].split(" ") == list(
        map(str, step.samples or [""])
    )
    said = "carried" not in row or _is(row["carried"], carried)
    return (
        same and said and _is(row["value"], value) and _is_exact(row["numerator"], row["denominator"], value)
    )


def _is(text: str, value: Value) -> bool:
    """Whether a cell is a decimal number, of which a value is the nearest float64."""
    return FLOAT.fullmatch(text) is not None and float(text) == nearest_float(value)


def _is_exact(above: str, below: str, value: Value) -> bool:
    """Whether two cells are the numerator and the denominator, or empty where that is no short fraction."""
    if isinstance(value, arb) or len(str(value)) > LONGEST:
        return above == below == ""
    return (above if below == "1" else f"{above}/{below}") == str(value)


PRINTER = Printer(write, check)
