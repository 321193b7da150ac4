"""Run the PyTorch program of a page and compare what it prints with the trace.

The program runs freely from the start values, without being set right at each step, so what it may
differ is the rounding of the whole run so far: enclosures are carried from step to step.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import torch
from flint import arb

from derivations.language.errors import ArithmeticFault, CheckFailed, DerivationsError
from derivations.language.names import after
from derivations.model.update import gradient
from derivations.numbers.float64 import FLOAT64, Enclosure, enclose
from derivations.numbers.systems import Undecided, ball, precision, rational
from derivations.numbers.tape import Entry, label
from derivations.programs.listing import shown_steps
from derivations.run.training import Step, Trace
from derivations.witnesses.check import PROGRAM, Check
from derivations.witnesses.optimizer import default_type
from derivations.witnesses.quick_start import without_compiler
from derivations.witnesses.torch_rows import lacking

IMPORTS = {"torch", "torch.testing"}
CALLS = {"print", "enumerate", "range", "len", "zip", "tuple", "padded", "model", "loss_function"}
CALLS |= {"check", "assert_close"}
SIGNIFICANT, ENOUGH_BITS = 8, 256


def run_listing(program: str) -> str:
    """What the program prints. It is our own text; still, it may only do what such a program does."""
    return run_cells([program])[0]


def run_cells(cells: Sequence[str]) -> list[str]:
    """What each cell of a program prints, one after another; raises `CheckFailed` at a check that fails."""
    for cell in cells:
        _refuse_anything_else(cell)
        _check_age(cell)
    names, found = {"__name__": "__listing__"}, []
    own_type = default_type(torch.get_default_dtype())  # a program may set another one
    with without_compiler(), own_type, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a scheduler taken to a later step
        for cell in cells:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                try:
                    exec(compile(cell, "<listing>", "exec"), names)
                except AssertionError as fault:
                    raise CheckFailed(f"a check of the program fails: {fault}") from None
            found.append(printed.getvalue())
    return found


def _refuse_anything_else(program: str) -> None:
    """Only torch is imported, no name or attribute is private, and only known functions are called."""
    for node in ast.walk(ast.parse(program)):
        names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        if isinstance(node, ast.ImportFrom):
            names = {node.module or ""}
        word = getattr(node, "attr", None) or getattr(node, "id", None) or ""
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else "print"
        if names - IMPORTS or word.startswith("_") or called not in CALLS:
            raise CheckFailed(f"the PyTorch program contains something unexpected: {ast.unparse(node)}")


def _check_age(program: str) -> None:
    """Raise `DerivationsError` at a name of the program that this torch is too old to have."""
    nodes = list(ast.walk(ast.parse(program)))
    homes = {"torch": "torch"}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            inside = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            homes |= {part.asname: f"{inside}{part.name}" for part in node.names if part.asname}
            homes |= {part.name: f"{inside}{part.name}" for part in node.names if inside and not part.asname}
    for node in nodes:
        root, _, rest = ast.unparse(node).partition(".") if isinstance(node, ast.Attribute) else ("", "", "")
        path = f"{homes.get(root, '')}.{rest}"
        if root in homes and re.fullmatch(r"torch(\.\w+)+", path) and lacking(path):
            hint = "Install a newer torch; the PyTorch program of the page needs it."
            raise DerivationsError(f"torch {torch.__version__} has no {path}", hint=hint)


def listing_checks(trace: Trace, printed: str) -> tuple[Check, ...]:
    """Every number that the program printed, against the trace."""
    lines = printed.splitlines()
    shown = shown_steps(trace.example)
    if re.findall(r"^step (\d+): ", printed, re.MULTILINE) != [str(number) for number in shown]:
        raise CheckFailed(f"the PyTorch program printed steps other than {shown}")
    with precision(trace.bits):
        bounds = {step.number: values for step, values in free_run(trace, set(shown))}
        return tuple(
            check
            for number, line in zip(shown, lines, strict=True)
            for check in _line(trace, trace.steps[number - 1], line, bounds[number])
        )


def free_run(trace: Trace, wanted: set[int]) -> Iterator[tuple[Step, list[Enclosure]]]:
    """Enclosures of a run in float64 that starts once and is never set right."""
    runs: dict[int, Callable[..., list[Enclosure]]] = {}
    now: dict[Entry, Enclosure] = {}
    for step in trace.steps:
        tape = step.layout.tape
        run = runs.setdefault(id(tape), tape.bind(FLOAT64))
        inputs = [now.get(entry) or enclose(step.memory[slot]) for slot, entry in enumerate(tape.inputs)]
        try:
            memory = run(inputs)
        except Undecided as fault:
            if trace.bits < ENOUGH_BITS:
                raise
            hint = f"Let the page show earlier steps only: steps = {list(range(1, min(step.number, 4)))}"
            message = f"float64 may have gone astray by step {step.number}: what it prints cannot be checked"
            raise ArithmeticFault(message, hint=hint) from fault
        if step.number in wanted:
            yield step, memory
        if step.number >= max(wanted):
            return
        for name, array in trace.example.kept.items() if trace.example.updates else ():
            for at in array.positions():
                bound = memory[tape.slots[after(name), at]].settled()
                now[name, at] = Enclosure(bound, float(bound.abs_upper()))


def _line(trace: Trace, step: Step, line: str, bounds: list[Enclosure]) -> Iterator[Check]:
    loss, arrays = trace.example.loss, trace.example.start.items()
    wanted: list[Entry] = [(loss, ())]
    wanted += [(gradient(trace.example.rule, name), at) for name, array in arrays for at in array.positions()]
    new = after if trace.example.updates else str  # without an optimizer the parameters stay as they are
    wanted += [(new(name), at) for name, array in arrays for at in array.positions()]
    numbers = re.findall(r"(?<![\w.])-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)(?![\w.])", line.split(":", 1)[1])
    if len(numbers) != len(wanted):
        raise CheckFailed(
            f"the PyTorch program printed {len(numbers)} numbers, expected {len(wanted)}: {line}"
        )
    for (name, at), number in zip(wanted, numbers, strict=True):
        yield _compare(
            step, label(name, at), step.at(name, at), number, bounds[step.layout.tape.slots[name, at]]
        )


def _compare(step: Step, quantity: str, ours: object, number: str, bound: Enclosure) -> Check:
    theirs = float(number)
    printed = Fraction(number) if abs(theirs) < float("inf") else Fraction(0)
    unit = Fraction(10) ** (_exponent(printed) - SIGNIFICANT + 1)
    room = ball(rational(unit / 2)).abs_upper() + 2 * bound.settled().rad()
    gap = abs(ball(rational(printed)) - ball(ours))
    ok = abs(theirs) < float("inf") and bool(gap.abs_lower() <= arb(room))
    return Check(quantity, step.number, PROGRAM, ours, theirs, None, float(room), ok)


def _exponent(value: Fraction) -> int:
    """The decimal exponent of the leading digit."""
    return int(f"{float(value):e}".split("e")[1]) if value else 0
