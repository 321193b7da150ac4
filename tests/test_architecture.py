"""The promises of the design that can be read off the source."""

from __future__ import annotations

import ast
import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

import derivations

PACKAGE = Path(derivations.__file__).parent
TIERS = (  # the way of the data, lowest first; rooms of one floor do not know each other
    {"files"},
    {"catalogue", "cache"},
    {"language"},
    {"numbers"},
    {"notation"},
    {"translations", "spec"},
    {"model"},
    {"run"},
    {"programs"},
    {"figures", "witnesses"},
    {"pytorch"},
    {"claims"},
    {"document"},
    {"layout", "audit"},
    {"formats"},
    {"page", "rows"},
    {"sessions"},
    {"exercises"},
    {"courses", "sphinx"},
    {"cli", "derivations"},  # the package itself hands out names, lazily
    {"__main__"},
)
HEAVY = ("torch", "sympy", "flint", "pydantic")
FORBIDDEN = {"eval", "exec", "sympify", "parse_expr", "lambdify"}
MAY_EXEC = "derivations.witnesses.run_listing"
VAGUE = {"utils", "util", "helpers", "common", "manager", "base", "misc"}
PUBLIC_NAMES, MEDIAN_LINES, LONG_LINES = 10, 8, 25
Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- reading the source ---------------------------------------------------------------------------


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def tier(module: str) -> int:
    return next(place for place, layers in enumerate(TIERS) if layer(module) in layers)


@cache
def source(module: str) -> str:
    return PATHS[module].read_text(encoding="utf-8")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module))


def imports(module: str) -> Iterator[str]:
    """Every module that is imported anywhere in the text, inside functions too."""
    package = module if PATHS[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield inner if inner in PATHS else origin


def own_imports(module: str) -> set[str]:
    """What a module imports of the package, the version aside."""
    return {name for name in imports(module) if name in PATHS} - {module, "derivations"}


def roots(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def names(module: str) -> set[str]:
    """Every name that is used, read off an object, or imported."""
    kinds = (ast.Name, "id"), (ast.Attribute, "attr"), (ast.alias, "name")
    return {
        getattr(node, field).split(".")[-1]
        for node in ast.walk(tree(module))
        for kind, field in kinds
        if isinstance(node, kind)
    }


def is_public(node: ast.AST) -> bool:
    return isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")


def body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def offenders(fault: Callable[[str], Any]) -> dict[str, Any]:
    """What is wrong in each module where something is, so that a failing test says it all."""
    return {module: found for module in PATHS if (found := fault(module))}


# --- the promises ---------------------------------------------------------------------------------


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer(module) for module in PATHS} <= set.union(*TIERS)


def test_layers_point_downwards() -> None:
    def upwards(module: str) -> set[str]:
        others = {name for name in own_imports(module) if layer(name) != layer(module)}
        return {name for name in others if tier(name) >= tier(module)}

    assert offenders(upwards) == {}


def test_no_imports_in_a_circle() -> None:
    graph = {module: own_imports(module) for module in PATHS}
    assert len(list(TopologicalSorter(graph).static_order())) == len(PATHS)


def test_the_package_itself_is_asked_for_nothing_but_its_version() -> None:
    def taken(module: str) -> set[str]:
        found = (node for node in ast.walk(tree(module)) if isinstance(node, ast.ImportFrom))
        words = {a.name for node in found if node.module == "derivations" for a in node.names}
        return {word for word in words - {"__version__"} if f"derivations.{word}" not in PATHS}

    assert offenders(taken) == {}


def test_the_language_knows_no_rows_but_what_is_written_in_it() -> None:
    """Functions, losses that are called like them, and short cuts, which are formulas of the language."""
    known = {name for module in PATHS if layer(module) == "language" for name in own_imports(module)}
    rows = {name.removeprefix("derivations.catalogue.") for name in known if layer(name) == "catalogue"}
    assert rows <= {"functions", "loss", "sample_losses", "shortcuts"}


def test_rows_are_data() -> None:
    rows = {module for module in PATHS if layer(module) == "catalogue"}
    foreign = {module: roots(module) - sys.stdlib_module_names - {"derivations"} for module in rows}
    assert {module: found for module, found in foreign.items() if found} == {}


def test_only_witnesses_import_torch() -> None:
    may = {"witnesses", "pytorch"}
    assert offenders(lambda module: layer(module) not in may and "torch" in roots(module)) == {}


def test_nothing_executes_text() -> None:
    found = offenders(lambda module: names(module) & FORBIDDEN)
    assert found == {MAY_EXEC: {"exec"}}


@pytest.mark.skipif("derivations.cli" not in PATHS, reason="this checkout has no command line")
def test_the_command_line_starts_light() -> None:
    program = f"import derivations.cli, sys; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_names_are_read_apart_in_one_module() -> None:
    """An adjoint, a value after the update, a part of a formula are made and read by `language.names`."""
    signs = ('rstrip("\'")', 'endswith("\'")', '"/d"', 'f"d{', "/d{", r"_s\\d", 'f"{owner}_s')
    others = [module for module in PATHS if module != "derivations.language.names"]
    found = {module: [sign for sign in signs if sign in source(module)] for module in others}
    assert {module: signs for module, signs in found.items() if signs} == {}


def test_modules_offer_few_names() -> None:
    """A module may be long where its thought is; what others must know of it is little."""
    offered = [sum(is_public(node) for node in tree(module).body) for module in PATHS]
    assert statistics.quantiles(offered, n=10)[-1] <= PUBLIC_NAMES


def test_functions_are_short() -> None:
    found = [node for module in PATHS for node in ast.walk(tree(module)) if isinstance(node, Function)]
    lengths = [body_lines(function) for function in found]
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert statistics.quantiles(lengths, n=10)[-1] <= LONG_LINES


def test_names_say_something() -> None:
    assert offenders(lambda module: VAGUE & set(module.split("."))) == {}


def test_what_is_public_is_explained() -> None:
    def mute(module: str) -> list[str]:
        top = tree(module)
        owners = [top, *(node for node in top.body if isinstance(node, ast.ClassDef) and is_public(node))]
        public = (node for owner in owners for node in owner.body if is_public(node))
        return [node.name for node in public if ast.get_docstring(node) is None]

    assert offenders(mute) == {}
