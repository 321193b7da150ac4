"""Single faults: what may be changed in functions, rows and texts of the package, and how it is put in.

A fault changes one node of the syntax tree of a function, or one sign, number or word in a row of the
catalogue or in a text that stands alone. It is put into the running process, for good: fork one for each.
"""

from __future__ import annotations

import ast
import copy
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import derivations

PACKAGE = Path(derivations.__file__).parent
ROOMS = ("language", "numbers", "model", "run", "catalogue", "claims", "document")


@dataclass(frozen=True)
class Fault:
    """One changed node: its module, the function, row or text that it is in, its line, and what is changed.

    ``line`` is 0 for what is not in a function; ``number`` tells apart the changes of one owner.
    """

    module: str
    owner: str
    line: int
    number: int
    text: str
    what: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells a fault apart, wherever its line has gone."""
        return self.module, self.owner, self.text, self.what


def modules() -> list[str]:
    """The modules into which faults are put."""
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    names = (".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names]


def faults() -> list[Fault]:
    """Every fault that can be put in."""
    every = (_of_functions, _of_rows, _of_phrases)
    return [fault for module in modules() for kind in every for fault in kind(module)]


def put_in(fault: Fault) -> None:
    """Put a fault into this process, for good."""
    if fault.line:
        _put_in_function(fault)
    elif fault.owner.startswith("phrase "):
        _put_in_phrase(fault)
    else:
        _put_in_row(fault)


# --- what may be changed in a node of a syntax tree -------------------------------------------------------

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMBINED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
SAID = ("say", "said", "message", "phrase", "phrases", "counted")  # their arguments stand on a page


def changes(node: ast.AST, said: bool = False) -> Iterator[tuple[str, ast.AST]]:
    """The ways in which one node is changed: in words, and the new node."""
    match node:
        case ast.Constant(bool() as value):
            yield f"{value} to {not value}", ast.Constant(not value)
        case ast.Constant(int() as value):
            yield f"{value} to {value + 1}", ast.Constant(value + 1)
        case ast.Constant(str() as text) if said:
            yield from ((what, ast.Constant(new)) for what, new in opposites(text))
        case ast.expr():
            yield from _of_expression(node)
        case ast.If(test, body, orelse):
            yield "the other branch", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Expr(ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.AugAssign():
            yield "left out", ast.Pass()


def _of_expression(node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(left, [operation, *rest], comparators) if type(operation) in COMPARED:
            test = COMPARED[type(operation)]()
            yield f"{_name(operation)} to {_name(test)}", ast.Compare(left, [test, *rest], comparators)
        case ast.BinOp(left, sign, right) if type(sign) in COMBINED and not _is_text(left, right):
            new = COMBINED[type(sign)]()
            yield f"{_name(sign)} to {_name(new)}", ast.BinOp(left, new, right)
        case ast.BoolOp(junction, values):
            other = ast.Or() if isinstance(junction, ast.And) else ast.And()
            yield f"{_name(junction)} to {_name(other)}", ast.BoolOp(other, values)
        case ast.UnaryOp(ast.Not() | ast.USub() as mark, operand):
            yield f"without {_name(mark)}", operand
        case ast.IfExp(test, body, orelse):
            yield "the other branch", ast.IfExp(test, orelse, body)


def _name(node: ast.AST) -> str:
    return type(node).__name__


def _is_text(*nodes: ast.expr) -> bool:
    return any(
        isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str) for node in nodes
    )


# --- what may be changed in a formula or in words ---------------------------------------------------------

OPPOSITE = {
    "without": "with", "with": "without", "increases": "decreases", "decreases": "increases",
    "negative": "positive", "positive": "negative", "mean": "sum", "sum": "mean", "largest": "smallest",
    "smallest": "largest", "first": "last", "last": "first", "every": "no", "before": "after",
    "after": "before",
    "rows": "columns", "columns": "rows", "minus": "plus", "not": "", "exact": "rounded", "rounded": "exact",
    "one": "two", "product": "sum", "constant": "variable", "itself": "zero", "is": "is not", "only": "never",
}  # fmt: skip
SIGN = re.compile(
    r"(?<=[\w)\]]) ?([-+]) ?(?=[\w(])|(?<![\w.])(\d+)(?![\w.])|(?<=[\w)\]])(\*\*?|/)(?=[\w(])|([<>]=?)"
)
OTHER = {"-": "+", "+": "-", "*": "+", "/": "*", "**": "*", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def opposites(text: str) -> Iterator[tuple[str, str]]:
    """A text with one word turned round."""
    for word in dict.fromkeys(re.findall(r"[a-z]+", text)):
        if word in OPPOSITE:
            new = re.sub(rf"\b{word}\b", OPPOSITE[word], text, count=1)
            yield f"'{word}' to '{OPPOSITE[word]}'", new


def other_formulas(text: str) -> Iterator[tuple[str, str]]:
    """A formula of a row with another sign, another number, another operator."""
    for found in SIGN.finditer(text):
        old = found[0].strip()
        new = OTHER.get(old) or str(int(old) + 1)
        yield (
            f"'{old}' at {found.start()} to '{new}'",
            text[: found.start()] + found[0].replace(old, new) + text[found.end() :],
        )


# --- functions --------------------------------------------------------------------------------------------


@cache
def source(module: str) -> str:
    """The text of a module."""
    return Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")


def _of_functions(module: str) -> Iterator[Fault]:
    lines = source(module).splitlines()
    for owner, function in _functions(ast.parse(source(module)), ""):
        for number, (node, what, _) in enumerate(_changes_in(function)):
            line: int = node.lineno  # type: ignore[attr-defined]
            yield Fault(module, owner, line, number, lines[line - 1].strip(), what)


def _changes_in(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, str, ast.AST]]:
    said = _said(function)
    for node in _nodes(function):
        for what, new in changes(node, id(node) in said):
            yield node, what, new


def _functions(tree: ast.AST, inside: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{inside}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{inside}{node.name}.")


def _nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for statement in function.body[1:] if ast.get_docstring(function) is not None else function.body:
        yield from _inside(statement)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    hidden = {id(getattr(node, name, None)) for name in ("annotation", "returns")}
    if isinstance(node, (ast.Raise, ast.Assert)):  # what a message of an error says is no page's
        return
    for child in ast.iter_child_nodes(node):
        if id(child) not in hidden:
            yield from _inside(child)


def _said(function: ast.FunctionDef) -> set[int]:
    """The texts in a function that a page says."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    own = [call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in SAID]
    return {id(node) for call in own for argument in call.args for node in ast.walk(argument)}


def _put_in_function(fault: Fault) -> None:
    module = importlib.import_module(fault.module)
    tree = ast.parse(source(fault.module))
    function = dict(_functions(tree, ""))[fault.owner]
    node, _, new = list(_changes_in(function))[fault.number]
    _replace(function, node, copy.deepcopy(new))
    code = compile(ast.fix_missing_locations(tree), str(module.__file__), "exec")
    _set_code(module, fault.owner, _code_of(code, fault.owner.split(".")))


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    ast.copy_location(new, old)
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is old for each in value):
                setattr(parent, name, [new if each is old else each for each in value])


def _code_of(code: CodeType, path: list[str]) -> CodeType:
    for name in path:
        code = next(each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)
    return code


def _set_code(module: ModuleType, owner: str, code: CodeType) -> None:
    *classes, name = owner.split(".")
    holder: Any = module
    for each in classes:
        holder = getattr(holder, each)
    function = vars(holder)[name]
    while not isinstance(function, FunctionType):  # a property, a cached function, a method of a class
        kept = ("fget", "func", "__wrapped__", "__func__")
        function = next(getattr(function, kind) for kind in kept if hasattr(function, kind))
    while "__wrapped__" in vars(function):
        function = vars(function)["__wrapped__"]
    function.__code__ = code


# --- rows of the catalogue --------------------------------------------------------------------------------

FORMULAS = ("formula", "slope", "slopes", "equation", "equations", "adjoints", "domain", "smooth")
WORDS = ("rule", "convention", "lead", "meaning")


def _of_rows(module: str) -> Iterator[Fault]:
    for name, row in _rows(importlib.import_module(module)):
        for field in fields(row):
            for number, (text, what, _) in enumerate(_changes_of(row, field.name)):
                yield Fault(module, f"{name}:{field.name}", 0, number, " ".join(text.split())[:70], what)


def _rows(module: ModuleType) -> Iterator[tuple[str, Any]]:
    if ".catalogue." not in module.__name__:
        return
    seen = set()
    for value in vars(module).values():
        for row in value if isinstance(value, tuple) else ():
            kind, name = type(row), getattr(row, "name", "")
            own = is_dataclass(row) and kind.__module__.startswith("derivations.catalogue.")
            if own and name and id(row) not in seen:
                seen.add(id(row))
                yield f"{kind.__name__} {name}", row


def _changes_of(row: Any, field: str) -> Iterator[tuple[str, str, Any]]:
    """The ways in which a field of a row is changed: the text, what is changed, the new value."""
    change = other_formulas if field in FORMULAS else opposites if field in WORDS else None
    value = getattr(row, field)
    if change is None:
        return
    if isinstance(value, str):
        yield from ((value, what, new) for what, new in change(value))
    elif isinstance(value, Mapping):
        for key, text in value.items():
            yield from ((text, what, {**value, key: new}) for what, new in change(str(text)))
    elif isinstance(value, tuple):
        for at, text in enumerate(value):
            each = change(text) if isinstance(text, str) else ()
            yield from ((text, what, (*value[:at], new, *value[at + 1 :])) for what, new in each)


def _put_in_row(fault: Fault) -> None:
    name, _, field = fault.owner.rpartition(":")
    row = dict(_rows(importlib.import_module(fault.module)))[name]
    object.__setattr__(row, field, list(_changes_of(row, field))[fault.number][2])


# --- texts that stand alone -------------------------------------------------------------------------------


def _of_phrases(module: str) -> Iterator[Fault]:
    for text in dict.fromkeys(_phrases(ast.parse(source(module)))):
        for number, (what, _) in enumerate(opposites(text)):
            yield Fault(module, f"phrase {text}", 0, number, text[:70], what)


def _phrases(tree: ast.AST) -> Iterator[str]:
    """The texts outside functions that a module says: ``WORDS = phrase("…")``."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef():
                continue
            case ast.Call(ast.Name("phrase" | "phrases"), arguments):
                yield from (str(each.value) for each in arguments if isinstance(each, ast.Constant))
            case _:
                yield from _phrases(node)


def _put_in_phrase(fault: Fault) -> None:
    """Another text, wherever the old one stands as a value of a module."""
    old = fault.owner.removeprefix("phrase ")
    new = [text for _, text in opposites(old)][fault.number]
    for module in [each for key, each in sys.modules.items() if key.startswith("derivations.")]:
        for key, value in list(vars(module).items()):
            if not key.startswith("__"):
                setattr(module, key, _with_text(value, old, new))


def _with_text(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return new if value == old else value
    if type(value) is tuple and any(_with_text(each, old, new) is not each for each in value):
        return tuple(_with_text(each, old, new) for each in value)
    if type(value) is dict:
        for key, each in value.items():
            value[key] = _with_text(each, old, new)
    return value
