"""What a layer's text says: ``h: Linear(2, 3, bias=False)``, ``Residual(Linear(2, 2), Tanh())``.

The text is read by Python's own parser as an expression and taken apart; nothing in it is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.layer import WHOLE, Layer, is_required
from derivations.catalogue.layers import LAYERS, find_layer
from derivations.language.errors import LanguageError, nearest

MAX_LENGTH, LARGEST = 500, 10_000
OPTIONS = ("input", "share", "frozen")


@dataclass(frozen=True)
class Written:
    """A layer as its author wrote it: its row, its arguments by name, what is said of it besides.

    ``names`` are quantities and parameters given by name, ``inner`` the layers between its brackets.
    """

    row: Layer
    name: str
    arguments: Mapping[str, Any]
    names: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[Written, ...] = ()


def read_layer(text: str) -> Written:
    """Read one layer; raises `LanguageError` with the offset of the fault."""
    if len(text) > MAX_LENGTH:
        raise LanguageError(f"this layer has {len(text)} characters; {MAX_LENGTH} are allowed", at=0)
    try:
        (node,) = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise LanguageError(
            "this is no layer", at=0, hint="For example: Linear(2, 3), or h: Tanh()."
        ) from None
    match node:
        case ast.Expr(value=ast.Call() as call):
            return _layer(call, "", text)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Call() as call, value=None):
            return _layer(call, name, text)
    raise LanguageError("this is no layer", at=0, hint="For example: Linear(2, 3), or h: Tanh().")


def _layer(call: ast.Call, name: str, text: str) -> Written:
    if not isinstance(call.func, ast.Name):
        raise LanguageError("a layer starts with its name, as in Linear(2, 3)", at=_at(call, text))
    row = find_layer(call.func.id)
    if row is None:
        known = [*(row.name for row in LAYERS), *(row.name for row in FUNCTIONS)]
        hint = nearest(call.func.id, known, "layers")
        raise LanguageError(f"unknown layer '{call.func.id}'", at=_at(call, text), hint=hint)
    if row.inner:
        return _around(row, call, name, text)
    keys = [*row.arguments]
    if len(call.args) > len(keys):
        message = (
            f"{row.name} takes {len(keys)} argument{'s' if len(keys) != 1 else ''}, found {len(call.args)}"
        )
        raise LanguageError(message, at=_at(call.args[len(keys)], text), hint=f"Write {row.usage}.")
    given = dict(zip(keys, call.args, strict=False))
    for part in call.keywords:
        if part.arg is None or part.arg in given:
            raise LanguageError(f"{row.name}: an argument is given twice", at=_at(part.value, text))
        given[part.arg] = part.value
    return _sorted(row, name, given, call, text)


def _around(row: Layer, call: ast.Call, name: str, text: str) -> Written:
    """A layer that takes layers: ``Residual(Linear(2, 2), Tanh())``."""
    calls = [part for part in call.args if isinstance(part, ast.Call)]
    if call.keywords or len(calls) < len(call.args) or not calls:
        raise LanguageError(
            f"{row.name} takes layers",
            at=_at(call, text),
            hint=f"For example: {row.name}(Linear(2, 2), Tanh()).",
        )
    return Written(row, name, {}, {}, {}, tuple(_layer(part, "", text) for part in calls))


def _sorted(row: Layer, name: str, given: Mapping[str, ast.expr], call: ast.Call, text: str) -> Written:
    """Arguments, names and options apart, each checked."""
    arguments: dict[str, Any] = {}
    names: dict[str, str] = {}
    options: dict[str, Any] = {}
    for key, node in given.items():
        if key in row.arguments:
            arguments[key] = _value(row, key, row.arguments[key], node, text)
        elif key in OPTIONS:
            options[key] = _option(key, node, text)
        elif (key in row.inputs and key != "x") or key in symbols_of(row):
            names[key] = _word(key, node, text)
        else:
            known = [*row.arguments, *symbols_of(row), *(n for n in row.inputs if n != "x"), *OPTIONS]
            hint = nearest(key, known, f"arguments of {row.name}")
            raise LanguageError(f"{row.name} has no argument '{key}'", at=_at(node, text), hint=hint)
    for key, default in row.arguments.items():
        if key not in arguments and is_required(default):
            raise LanguageError(
                f"{row.name}: '{key}' is missing", at=_at(call, text), hint=f"Write {row.usage}."
            )
    return Written(row, name, _with_defaults(row, arguments), names, options)


def _with_defaults(row: Layer, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, default in row.arguments.items():
        default = found.get(default, default) if isinstance(default, str) else default
        found[key] = given.get(key, default)
    return found


def symbols_of(row: Layer) -> tuple[str, ...]:
    """The parameters of a row by their names in it, those of every variant."""
    packed = [name for names in row.packed.values() for name in names.split() if name != "0"]
    return tuple(dict.fromkeys(packed))


def _at(node: ast.AST, text: str) -> int:
    """The offset of a node of the first line in characters."""
    return len(text.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))


def _word(key: str, node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Name):
        return node.id
    raise LanguageError(
        f"'{key}' is the name of a quantity", at=_at(node, text), hint=f"For example: {key}=q."
    )


def _option(key: str, node: ast.expr, text: str) -> Any:
    match key, node:
        case "frozen", ast.Constant(value=bool() as flag):
            return flag
        case "share", ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number
        case (("share" | "input"), ast.Name(id=name)):
            return name
    hint = {"frozen": "frozen=True", "share": "share=1, the number of the earlier layer, or share=NAME"}
    raise LanguageError(
        f"'{key}' cannot be this", at=_at(node, text), hint=f"For example: {hint.get(key, 'input=x')}."
    )


def _value(row: Layer, key: str, default: Any, node: ast.expr, text: str) -> Any:
    """The value of an argument, of the kind that its default is."""
    if isinstance(default, str) and isinstance(row.arguments.get(default), (type, tuple)):
        default = row.arguments[default]  # the same as another argument
    found = _literal(node, text)
    wanted, ok = (
        "a whole number",
        isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= LARGEST,
    )
    if isinstance(default, bool):
        wanted, ok = "True or False", isinstance(found, bool)
    elif isinstance(default, tuple):
        pair = found if isinstance(found, tuple) else (found, found)
        ok = len(pair) == 2 and all(isinstance(part, int) and 0 <= part <= LARGEST for part in pair)
        wanted, found = "a whole number or a pair of them", pair
    elif isinstance(default, str) and (not default or default[0] in "0123456789.-"):
        wanted, ok = "a number", isinstance(found, (int, Fraction)) and not isinstance(found, bool)
        found = _shown(node, text)
    elif isinstance(default, str):
        wanted, ok = "the name of a function", isinstance(found, str) and _known_function(found)
    positive = default is WHOLE or default == (WHOLE, WHOLE) or key in ("stride", "dilation")
    if ok and positive and 0 in (found if isinstance(found, tuple) else (found,)):
        wanted, ok = "a whole number from 1", False
    if not ok:
        message = f"{row.name}: '{key}' is {wanted}, found {_shown(node, text)}"
        raise LanguageError(message, at=_at(node, text), hint=f"Write {row.usage}.")
    return found


def _known_function(name: str) -> bool:
    row = find_layer(name)
    return row is not None and bool(row.function)


def _literal(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | str() as value):
            return value
        case ast.Constant(value=float()):
            return Fraction(_shown(node, text))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return Fraction(_shown(node, text).replace(" ", ""))
        case ast.Tuple(elts=parts):
            return tuple(_literal(part, text) for part in parts)
        case ast.Name(id=name):
            return name
    return None


def _shown(node: ast.expr, text: str) -> str:
    return ast.get_source_segment(text, node) or ""
