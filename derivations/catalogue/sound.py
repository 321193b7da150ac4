"""What is wrong with a row as it is written, seen before anything is worked with it: field by field.

Rows of our own are held by tests; those of other packages are asked here, so that a slip in one of them is
told of its package and not of somebody's spec. That slopes are true is asked where they are used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from derivations.catalogue.function import Function
from derivations.catalogue.slip import Memory, Rewrite, Slip, Stage

LATEX = re.compile(r"\\[A-Za-z]+|\\mathrm\{[A-Za-z0-9]+\}")
HOLE = re.compile(r"\{(\w+)\}")
INDEX = "k"  # the index of a row that goes over one
EQUATIONS = ("equations", "equation", "formula", "matrix", "at")
WORD = re.compile(r"[A-Za-z_]\w*")
REDUCTIONS = frozenset({"sum", "mean", "largest", "count", "pad", "same"})


def fault_of(row: object, known: Iterable[object]) -> str:
    """The field of a row that cannot be read, what stands in it and what may; empty where all can."""
    if isinstance(row, Function):
        return next(_function(row, known), "")
    return next(_slip(row) if isinstance(row, Slip) else _others(row), "")


def _function(row: Function, known: Iterable[object]) -> Iterator[str]:
    before = {other.name: other for other in known if isinstance(other, Function)}
    if not row.formula:
        yield "formula is empty; write the function by means of others"
    yield from _expression("formula", row.formula, row, before)
    for field, text in _slopes(row):  # a slope may call the function itself: 1 - tanh(x)**2
        yield from _expression(field, text, row, {**before, row.name: row})
    if row.arguments and not row.over and not row.slope:
        yield f"slope is empty; write the derivative by {row.arguments[0]}, 0 where it is 0"
    if not LATEX.fullmatch(row.latex):
        yield rf"latex {row.latex!r} cannot be read; write \name or \mathrm{{name}}"
    same = [name for name, other in before.items() if other.latex == row.latex]
    if same:
        yield f"latex {row.latex!r} is that of '{same[0]}'"
    yield from _torch(row)


def _slopes(row: Function) -> list[tuple[str, str]]:
    return [("slope", row.slope), *((f"slopes[{by!r}]", text) for by, text in row.slopes.items())]


def _expression(field: str, text: str, row: Function, known: Mapping[str, Function]) -> Iterator[str]:
    """A formula over the arguments of a row and earlier functions."""
    if not text:
        return
    tree = _parsed(text, "eval")
    if tree is None:
        yield f"{field} {text!r} cannot be read"
        return
    called = {node.func.id for node in ast.walk(tree) if _is_call(node)}  # type: ignore[attr-defined]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called
    constants = {name for name, other in known.items() if not other.arguments}
    for name in sorted(called - {*known, *REDUCTIONS}):
        yield f"{field} {text!r} calls '{name}', which is no earlier function"
    for name in sorted(names - {*row.arguments, *constants, *([INDEX] if row.over else [])}):
        yield f"{field} {text!r} reads '{name}', which is no argument"


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _torch(row: Function) -> Iterator[str]:
    holes = set(HOLE.findall(row.torch))
    code = HOLE.sub(r"\1", row.torch)
    parts = [code] if holes else code.split() or [""]
    if any(_parsed(part, "eval") is None for part in parts) or "torch." not in code:
        hint = "write torch.name, or an expression such as torch.exp({x})"
        yield f"torch {row.torch!r} cannot be read; {hint}"
    for name in sorted(holes - {*row.arguments}):
        yield f"torch {row.torch!r} reads '{name}', which is no argument"


def _slip(row: Slip) -> Iterator[str]:
    """Sentences that say something, and changes whose formulas read what they are given."""
    for field in ("title", "explanation", "absent", "changes"):
        if not getattr(row, field):
            yield f"{field} is empty"
    for change in row.changes:
        if isinstance(change, Rewrite) and change.of not in get_args(Stage):
            yield f"of {change.of!r} is no stage; write {', '.join(get_args(Stage))}"
        if isinstance(change, Rewrite):
            yield from _pattern(change.new, f"{change.old} = {change.given or change.old}")
        elif isinstance(change, Memory):
            yield from _pattern(change.new, f"{change.old} = {change.name}")


def _pattern(new: str, given: str) -> Iterator[str]:
    """``old -> new``, where ``given`` are the formulas that say what the names of ``new`` stand for."""
    known = set(REDUCTIONS)
    for text in (part.strip() for part in given.split(" = ")):
        if _parsed(text.replace("'", ""), "eval") is None:
            yield f"pattern {text!r} cannot be read"
        known |= set(WORD.findall(text))
    if _parsed(new.replace("'", ""), "eval") is None:
        yield f"pattern {new!r} cannot be read"
    for name in WORD.findall(new):
        if name not in known and f"{name}(" not in new:
            yield f"pattern {new!r} reads '{name}', which stands for nothing"


def _others(row: object) -> Iterator[str]:
    """Lines ``name = expression``; those of a layer are written with braces and read where it is used."""
    for field in EQUATIONS if type(row).__name__ != "Layer" else ():
        text = getattr(row, field, "")
        lines = [line.strip() for line in text.splitlines() if line.strip()] if isinstance(text, str) else []
        for line in lines:
            if _parsed(line, "exec") is None:
                yield f"{field} {line!r} cannot be read"


def _parsed(text: str, mode: str) -> ast.AST | None:
    try:
        return ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError):
        return None
