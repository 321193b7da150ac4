"""Single faults put into the program: how many give a page that is false for its reader? There must be none.

A fault changes one node of the syntax tree of a function, or one sign or number in a row of the catalogue: a
coefficient, a sign, an index, a comparison, an operator, a branch, a word, a statement left out. It is put into a
process that has imported everything and is forked for it, and pages that run the line are built there:

    refused    the build fails with a message: a witness, a proof or the audit saw it
    crashed    the build fails without one
    unchanged  the pages are what they were, letter by letter
    layout     the pages differ in what is not said: a list with a reason for each, `mutation_layout.toml`
    escaped    the pages differ, and nothing noticed

    python benchmarks/mutation.py                    # 450 faults; prints the ratio of each outcome
    python benchmarks/mutation.py --count 40 --seed 7 --only document
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import importlib
import os
import pickle
import random
import re
import signal
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

import derivations

PACKAGE = Path(derivations.__file__).parent
HERE = Path(__file__).parent
ROOMS = ("language", "numbers", "model", "run", "catalogue", "claims", "document")
PAGES = (  # from the quick ones to the slow ones, of every kind
    "linear-regression",
    "linear-regression-by-calculator",
    "ridge-regression",
    "elastic-net",
    "logistic-regression",
    "huber-regression",
    "poisson-regression",
    "dying-relu",
    "optimizer-momentum",
    "optimizer-adam",
    "newton",
    "max-pooling",
    "convolution-1d",
    "word-embedding",
    "softmax-regression",
    "rnn-two-steps",
    "two-two-two-network",
)
EACH, SECONDS = 3, 90
FORMATS = ("md", "json")
Node: TypeAlias = ast.AST
Outcome: TypeAlias = tuple[str, str]  # the outcome and what shows it


@dataclass(frozen=True)
class Fault:
    """One changed node: its module, the function or the row's table it is in, its line, and what is changed."""

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


# --- what may be changed --------------------------------------------------------------------------------

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMBINED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
OPPOSITE = {
    "without": "with", "with": "without", "increases": "decreases", "decreases": "increases", "negative": "positive",
    "positive": "negative", "mean": "sum", "sum": "mean", "largest": "smallest", "smallest": "largest",
    "first": "last", "last": "first", "every": "no", "before": "after", "after": "before", "rows": "columns",
    "columns": "rows", "minus": "plus", "not": "", "exact": "rounded", "rounded": "exact", "one": "two",
}  # fmt: skip
SAID = ("say", "said", "message", "phrase", "phrases", "counted")


def changes(node: Node, said: bool) -> Iterator[tuple[str, Node]]:
    """The ways in which one node is changed: in words, and the new node."""
    match node:
        case ast.Compare(left, [operation, *rest], comparators) if type(operation) in COMPARED:
            new = COMPARED[type(operation)]()
            yield f"{_name(operation)} to {_name(new)}", ast.Compare(left, [new, *rest], comparators)
        case ast.BinOp(left, operation, right) if type(operation) in COMBINED and not _is_text(left, right):
            new = COMBINED[type(operation)]()
            yield f"{_name(operation)} to {_name(new)}", ast.BinOp(left, new, right)
        case ast.BoolOp(operation, values):
            new = ast.Or() if isinstance(operation, ast.And) else ast.And()
            yield f"{_name(operation)} to {_name(new)}", ast.BoolOp(new, values)
        case ast.UnaryOp(ast.Not() | ast.USub() as operation, operand):
            yield f"without {_name(operation)}", operand
        case ast.Constant(bool() as value):
            yield f"{value} to {not value}", ast.Constant(not value)
        case ast.Constant(int() as value):
            yield f"{value} to {value + 1}", ast.Constant(value + 1)
        case ast.Constant(str() as text) if said:
            for word in dict.fromkeys(re.findall(r"[a-z]+", text)):
                if word in OPPOSITE:
                    new = re.sub(rf"\b{word}\b", OPPOSITE[word], text, count=1)
                    yield f"'{word}' to '{OPPOSITE[word]}'", ast.Constant(new)
        case ast.IfExp(test, body, orelse):
            yield "the other branch", ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse):
            yield "the other branch", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Expr(ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield "left out", ast.Pass()
        case ast.AugAssign():
            yield "left out", ast.Pass()


def row_changes(text: str) -> Iterator[tuple[str, str]]:
    """The ways in which a formula of a row is changed: another sign, another number, another operator."""
    for found in re.finditer(
        r"(?<=[\w)\]]) ?([-+]) ?(?=[\w(])|(?<![\w.])(\d+)(?![\w.])|(?<=[\w)])(\*\*?|/)(?=[\w(])", text
    ):
        at, sign = found.start(), found[0]
        new = {"-": "+", "+": "-", "*": "+", "/": "*", "**": "*"}.get(sign.strip()) or str(int(sign) + 1)
        yield (
            f"'{sign.strip()}' at {at} to '{new}'",
            text[:at] + sign.replace(sign.strip(), new) + text[found.end() :],
        )


def _name(node: Node) -> str:
    return type(node).__name__


def _is_text(*nodes: Node) -> bool:
    return any(
        isinstance(node, (ast.JoinedStr,)) or isinstance(getattr(node, "value", None), str) for node in nodes
    )


# --- where it may be changed ----------------------------------------------------------------------------


@cache
def source(module: str) -> str:
    """The text of a module."""
    return Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")


def modules() -> list[str]:
    """The modules into which faults are put."""
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    names = (".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names]


def places(module: str) -> Iterator[tuple[str, ast.AST, list[ast.AST]]]:
    """Every function of a module with its nodes, those in annotations and docstrings aside."""
    for owner, function in _functions(ast.parse(source(module)), ""):
        yield owner, function, list(_nodes(function))


def _functions(tree: ast.AST, inside: str) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{inside}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{inside}{node.name}.")


def _nodes(function: ast.AST) -> Iterator[ast.AST]:
    body = function.body  # type: ignore[attr-defined]
    for statement in body[1:] if ast.get_docstring(function) is not None else body:  # type: ignore[arg-type]
        yield from _inside(statement)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    hidden = {id(getattr(node, name, None)) for name in ("annotation", "returns", "type_params")}
    if isinstance(node, ast.Raise):  # what a message of an error says is no page's
        return
    for child in ast.iter_child_nodes(node):
        if id(child) not in hidden:
            yield from _inside(child)


def faults() -> list[Fault]:
    """Every fault that can be put in."""
    return [fault for module in modules() for fault in (*_of_functions(module), *_of_rows(module))]


def _of_functions(module: str) -> Iterator[Fault]:
    lines = source(module).splitlines()
    for owner, function, nodes in places(module):
        number = 0
        said = _said(function)
        for node in nodes:
            for what, _ in changes(node, id(node) in said):
                yield Fault(module, owner, node.lineno, number, lines[node.lineno - 1].strip(), what)  # type: ignore[attr-defined]
                number += 1


def _said(function: ast.AST) -> set[int]:
    """The texts in a function that a page says."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    own = [call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in SAID]
    return {id(node) for call in own for argument in call.args for node in ast.walk(argument)}


# --- rows of the catalogue and texts that stand alone: values of modules ----------------------------------


def _of_rows(module: str) -> Iterator[Fault]:
    for owner, field, text in _texts(module):
        changed = row_changes(text) if field != "said" else _opposites(text)
        for number, (what, _) in enumerate(changed):
            yield Fault(module, f"{owner}:{field}", 0, number, text[:60], what)


def _opposites(text: str) -> Iterator[tuple[str, str]]:
    for what, node in changes(ast.Constant(text), said=True):
        yield what, node.value  # type: ignore[attr-defined]


def _phrases(module: str) -> Iterator[tuple[str, str]]:
    """The texts that a module says and that stand alone: ``WORDS = phrase("…")``."""
    for node in ast.parse(source(module)).body:
        match node:
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name("phrase"), [ast.Constant(str() as text)])):
                yield name, text


FORMULAS = ("formula", "slope", "equation", "equations", "statement", "slopes")


def _texts(module: str) -> Iterator[tuple[str, str, str]]:
    """Formulas of the rows of a module, and its texts: owner, field, text."""
    for name, text in _phrases(module):
        yield name, "said", text
    for name, row in _rows(importlib.import_module(module)):
        for field in fields(row):
            value = getattr(row, field.name)
            if field.name in FORMULAS and isinstance(value, str) and value:
                yield name, field.name, value


def _rows(module: ModuleType) -> Iterator[tuple[str, Any]]:
    if ".catalogue." not in module.__name__:
        return
    seen = set()
    for value in vars(module).values():
        for row in value if isinstance(value, tuple) else ():
            if is_dataclass(row) and id(row) not in seen and getattr(row, "name", ""):
                seen.add(id(row))
                yield f"{type(row).__name__} {row.name}", row  # type: ignore[attr-defined]


# --- putting it in ---------------------------------------------------------------------------------------


def put_in(fault: Fault) -> None:
    """Put a fault into this process, for good."""
    _put_in_row(fault) if fault.line == 0 else _put_in_function(fault)


def _put_in_row(fault: Fault) -> None:
    owner, _, field = fault.owner.rpartition(":")
    if field == "said":
        _put_in_phrase(fault, owner)
        return
    row = next(row for name, row in _rows(importlib.import_module(fault.module)) if name == owner)
    new = [text for _, text in row_changes(getattr(row, field))][fault.number]
    object.__setattr__(row, field, new)


def _put_in_phrase(fault: Fault, name: str) -> None:
    """Another text, wherever the old one has been imported."""
    old = getattr(importlib.import_module(fault.module), name)
    new = [text for _, text in _opposites(old)][fault.number]
    for module in [each for key, each in sys.modules.items() if key.startswith("derivations.")]:
        for key, value in list(vars(module).items()):
            if value is old:
                setattr(module, key, new)


def _put_in_function(fault: Fault) -> None:
    module = importlib.import_module(fault.module)
    tree = ast.parse(source(fault.module))
    function = dict(_functions(tree, ""))[fault.owner]
    said, number = _said(function), 0
    for node in _nodes(function):
        for _, new in changes(node, id(node) in said):
            if number == fault.number:
                _replace(function, node, copy.deepcopy(new))
                code = compile(ast.fix_missing_locations(tree), str(module.__file__), "exec")
                _set_code(module, fault.owner, _code_of(code, fault.owner.split(".")))
                return
            number += 1


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
    for attribute in ("fget", "func", "__wrapped__", "__func__"):
        function = getattr(function, attribute, function)
    assert isinstance(function, FunctionType), owner
    function.__code__ = code


# --- a process of its own for each -------------------------------------------------------------------------


def forked(work: Callable[[], object], seconds: int = SECONDS) -> object:
    """What a piece of work gives in a process of its own; None if it ends without an answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(seconds)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        try:
            answer = pickle.dumps(work())
        except BaseException as fault:  # whatever a fault in the program may do
            answer = pickle.dumps(fault_of(fault))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None


def fault_of(fault: BaseException) -> Outcome:
    """A build that failed: with a message of ours, or without."""
    from derivations.language.errors import DerivationsError

    kind = "refused" if isinstance(fault, DerivationsError) else "crashed"
    return kind, f"{type(fault).__name__}: {fault}"[:300]


def specs() -> dict[str, str]:
    """The specs whose pages are built: of the gallery, and some of our own for lines that those do not run."""
    from derivations.spec import gallery

    known = [name for name in PAGES if name in gallery.names()]
    own = tomllib.loads((HERE / "mutation_specs.toml").read_text(encoding="utf-8")) if OWN.exists() else {}
    return {name: gallery.path(name).read_text(encoding="utf-8") for name in known} | {
        name: each["spec"] for name, each in own.items()
    }


OWN = HERE / "mutation_specs.toml"


def built(spec: str) -> dict[str, str]:
    """The page of a spec in the formats that are compared."""
    page = derivations.build(spec if "\n" in spec else f"{spec}\n", formats=FORMATS)
    return {form: page[form] for form in FORMATS}


def lines_of(spec: str) -> set[tuple[str, int]]:
    """The lines of the package that a build runs."""
    ran: set[tuple[str, int]] = set()
    inside = tuple(f"{PACKAGE / room}{os.sep}" for room in ROOMS)

    def local(frame: Any, event: str, _: Any) -> Any:
        ran.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code.co_filename.startswith(inside):
            ran.add((frame.f_code.co_filename, frame.f_lineno))
            return local
        return None

    sys.settrace(trace)
    try:
        built(spec)
    finally:
        sys.settrace(None)
    return ran


def outcome(fault: Fault, wanted: dict[str, dict[str, str]], given: dict[str, str]) -> Outcome:
    """What a fault does to some pages: the worst of it."""
    found: Outcome = ("unchanged", "")
    for name, before in wanted.items():

        def work(name: str = name) -> object:
            put_in(fault)
            return built(given[name])

        now = forked(work)
        if now is None:
            return "crashed", f"{name}: no answer in {SECONDS} s, or the process died"
        if isinstance(now, tuple):
            return now
        if now != before:
            found = ("escaped", f"{name}: {_difference(before, now)}")  # type: ignore[arg-type]
            return found
    return found


def _difference(before: dict[str, str], now: dict[str, str]) -> str:
    for form in FORMATS:
        if before[form] != now[form]:
            lines = difflib.unified_diff(before[form].splitlines(), now[form].splitlines(), n=0, lineterm="")
            return "\n    ".join([form, *(line[:200] for line in list(lines)[2:12])])
    return ""


# --- the whole of it ---------------------------------------------------------------------------------------


def listed() -> dict[tuple[str, str, str, str], str]:
    """Faults that change only what a reader is not told, with the reason of each."""
    file = HERE / "mutation_layout.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8")).get("fault", []) if file.exists() else []
    return {(row["module"], row["owner"], row["text"], row["what"]): row["reason"] for row in rows}


def sample(count: int, seed: int, only: str, ran: dict[str, set[tuple[str, int]]]) -> list[Fault]:
    """Faults in lines that some page runs, as many from each room, no two in one line while others are left."""
    draw = random.Random(seed)
    lines = set().union(*ran.values())
    files = {module: importlib.import_module(module).__file__ for module in modules()}
    rooms: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults():
        if only in fault.module and (fault.line == 0 or (files[fault.module], fault.line) in lines):
            rooms[fault.module.split(".")[1]].append(fault)
    for own in rooms.values():
        draw.shuffle(own)
        firsts = {(fault.module, fault.line or fault.owner): fault for fault in reversed(own)}
        own[:] = [*(f for f in own if firsts[f.module, f.line or f.owner] is f),
                  *(f for f in own if firsts[f.module, f.line or f.owner] is not f)]  # fmt: skip
    turns: Iterable[Fault] = (
        f for turn in range(count) for own in rooms.values() for f in own[turn : turn + 1]
    )
    return [fault for fault, _ in zip(turns, range(count), strict=False)]


def pages_for(fault: Fault, ran: dict[str, set[tuple[str, int]]]) -> list[str]:
    """The pages that run the line of a fault, a few; for a row all kinds of pages that may use it."""
    if fault.line == 0:
        row = fault.owner.partition(" ")[2].partition(":")[0].lower()
        named = [name for name in ran if row in specs()[name].lower()]
        return named[:EACH] or list(ran)[:EACH]
    file = importlib.import_module(fault.module).__file__
    return [name for name, lines in ran.items() if (file, fault.line) in lines][:EACH]


def measured(count: int, seed: int, only: str = "", jobs: int = 1) -> list[tuple[Fault, Outcome]]:
    """The outcome of each of some faults."""
    _import_everything()
    given = specs()
    ran: dict[str, set[tuple[str, int]]] = {}
    wanted: dict[str, dict[str, str]] = {}
    for name, spec in given.items():
        page, lines = forked(lambda spec=spec: built(spec)), forked(lambda spec=spec: lines_of(spec), 600)  # type: ignore[misc]
        if not isinstance(page, dict) or not isinstance(lines, set):
            raise SystemExit(f"{name} does not build without a fault: {page}")
        wanted[name], ran[name] = page, lines
    chosen = sample(count, seed, only, ran)
    harmless = listed()

    def judge(fault: Fault) -> tuple[Fault, Outcome]:
        own = {name: wanted[name] for name in pages_for(fault, ran)}
        kind, shown = outcome(fault, own, given)
        return fault, ("layout", harmless[fault.key]) if kind == "escaped" and fault.key in harmless else (
            kind,
            shown,
        )

    if jobs == 1:
        return [judge(fault) for fault in chosen]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(jobs) as pool:  # threads only wait for their children
        return list(pool.map(judge, chosen))


def _import_everything() -> None:
    import pkgutil

    import torch

    torch.set_num_threads(1)
    for found in pkgutil.walk_packages(derivations.__path__, "derivations."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--count", type=int, default=450)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--only", default="", help="a part of the names of modules")
    reader.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    reader.add_argument("--quick", action="store_true", help="a few faults")
    reader.add_argument("--show", default="escaped,crashed", help="the outcomes that are told one by one")
    asked = reader.parse_args()
    found = measured(20 if asked.quick else asked.count, asked.seed, asked.only, asked.jobs)
    for fault, (kind, shown) in found:
        if kind in asked.show.split(","):
            print(
                f"{kind}: {fault.module}:{fault.line} {fault.owner}: {fault.what}\n    {fault.text}\n    {shown}"
            )
    told = Counter(kind for _, (kind, _) in found)
    for kind in ("refused", "crashed", "unchanged", "layout", "escaped"):
        print(f"{kind:<10} {told[kind]:>4} of {len(found)}: {told[kind] / max(len(found), 1):.3f}")
    sys.exit(told["escaped"] > 0)


if __name__ == "__main__":
    main()
