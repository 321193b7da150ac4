"""Jinja for templates of others: what they may call, and how much of it.

Jinja's own sandbox keeps a template from Python's insides, but not from ``'a' * 4000000000`` or from a loop
in a loop. Here everything that a template does is counted while it does it: turns of loops and calls,
characters and items that it makes, and, last of all, time. What would be too large is refused before it is
made. Our own templates are not counted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError
from jinja2.runtime import Context, markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from derivations.language.errors import DerivationsError, SpecError, nearest

TURNS, SIZE, BITS, NUMBER, SECONDS = 300_000, 20_000_000, 4_000, 2_000, 10
"""Turns of loops and calls, characters and items in all, bits of a number, columns or items asked for by a
number, seconds of the processor."""
DEEPEST = 9  # templates that extend each other
CALL, PARTS = 6, 200_000  # turns that a call is worth; parts that a value may have

METHODS = frozenset(
    [
        *(
            "capitalize",
            "casefold",
            "count",
            "endswith",
            "find",
            "format",
            "index",
            "join",
            "lower",
            "lstrip",
        ),
        *(
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "islower",
            "isnumeric",
            "isspace",
            "istitle",
        ),
        *("isupper", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rpartition"),
        *("rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "striptags", "swapcase", "title"),
        *("upper", "center", "ljust", "rjust", "zfill", "expandtabs"),
    ]
)
"""What may be called on a text: nothing that leaves text, and nothing of a size that is not told before."""
FIELD = re.compile(r"[%{]")
WIDE = re.compile(r"\d{5,}|%[-+ #0]*\*|\{[^}]*\{")  # a width that is large, or comes from elsewhere
GLOBALS = ("range", "dict", "cycler", "joiner", "namespace")
LEFT_OUT = ("random", "urlize")  # another page every time; addresses
ACROSS = ("indent", "expandtabs", "wordwrap")  # adds to every line or tab
MORE = ("center", "ljust", "rjust", "zfill", "batch", "slice", "truncate")
NUMBERED = (*ACROSS, *MORE, "round", "tojson")  # their numbers say how much is made


class Meter:
    """How much one rendering has done. Raises `SecurityError` when it is too much."""

    def __init__(self) -> None:
        self.turns, self.size = 0, 0
        self.until = time.process_time() + SECONDS

    def turn(self, cost: int = 1) -> None:
        """One more turn of a loop; a call is worth ``CALL``."""
        self.turns += cost
        if self.turns > TURNS:
            raise SecurityError(f"loops and calls may take {TURNS:,} turns in all, and this is one more")
        if self.turns % 256 < cost:
            self.look()

    def look(self) -> None:
        """At the clock."""
        if time.process_time() > self.until:
            raise SecurityError(f"a template may work for {SECONDS} seconds, and this takes longer")

    def room(self, size: int) -> None:
        """Whether there is room for so much more."""
        if self.size + size > SIZE:
            raise SecurityError(f"a template may make {SIZE:,} characters in all, and this is more")

    def made(self, value: Any) -> Any:
        """What was made, counted."""
        sized = isinstance(value, (str, list, tuple, dict, set, frozenset))
        self.size += len(value) if sized else 1
        self.room(0)
        return value

    def weigh(self, value: Any) -> int:
        """The characters and items of a value, however deep they lie in it."""
        if isinstance(value, str):
            return len(value) + 1
        left, found, parts = [value], 0, 0
        while left:
            one = left.pop()
            found, parts = found + (len(one) + 1 if isinstance(one, (str, bytes)) else 1), parts + 1
            left += _parts(one)
            if parts + len(left) > PARTS:
                raise SecurityError(f"a value may have {PARTS:,} parts, and this one has more")
            if parts % 4096 == 0:
                self.look()
        return found

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The items of a loop, each a turn."""
        for value in values:
            self.turn()
            yield value

    def operands(self, operator: str, left: Any, right: Any) -> None:
        """Whether the result of an operator may be made."""
        if operator == "%" and isinstance(left, str):
            self.room(self.formatted(left, (right,)))
        elif any(isinstance(one, (str, list, tuple)) for one in (left, right)):
            sizes = [one if isinstance(one, int) else self.weigh(one) for one in (left, right)]
            self.room(sizes[0] * sizes[1] if operator == "*" else sum(sizes))
        elif isinstance(left, int) and isinstance(right, int):
            bits, more = left.bit_length(), right.bit_length()
            if (bits * abs(right) if operator == "**" else bits + more) > BITS and operator in ("*", "**"):
                raise SecurityError("this number has too many digits")

    def formatted(self, pattern: str, values: Iterable[Any]) -> int:
        """How large a text may become that values are formatted into."""
        if WIDE.search(pattern):
            raise SecurityError("a width must be written out, and have at most four digits")
        widest = 10**4 + sum(map(self.weigh, values))
        return len(pattern) + len(FIELD.findall(pattern)) * widest

    def growth(self, name: str, value: Any, others: list[Any]) -> int:
        """How large the result of a filter, or of a method of a text, may become."""
        numbers = [abs(one) for one in others if isinstance(one, int)]
        if name in NUMBERED and max(numbers, default=0) > NUMBER:
            raise SecurityError(f"'{name}' with a number above {NUMBER:,}")
        size, texts = self.weigh(value), sum(map(self.weigh, others))
        if name == "format":
            return self.formatted(str(value), others)
        if name == "replace":
            found = str(value)
            return len(found) + (found.count(str(others[0])) if others[0] else len(found) + 1) * texts
        if name in ACROSS:
            return size * (1 + max(numbers, default=4) + texts)
        return size + texts + (max(numbers, default=80) if name in MORE else 0)


def _parts(value: Any) -> Iterable[Any]:
    """What lies directly in a value."""
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values())
    if isinstance(value, Namespace):
        return tuple(object.__getattribute__(value, "_Namespace__attrs").values())
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()


class Instrumented(NodeTransformer):
    """A template in which whatever grows or goes round passes a filter that counts it."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """The items of a loop."""
        self.generic_visit(node)
        node.iter = _through("counted", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """``a ~ b``."""
        self.generic_visit(node)
        return _through("joined", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """Two values that are compared, whatever lies in them."""
        self.generic_visit(node)
        node.expr = _through("weighed", node.expr)
        for operand in node.ops:
            operand.expr = _through("weighed", operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:
        """A part of a list is a new list."""
        self.generic_visit(node)
        is_read = node.ctx == "load" and isinstance(node.arg, nodes.Slice)
        return _through("made", node) if is_read else node

    def visit_List(self, node: nodes.List) -> nodes.Node:
        """A list that is written out."""
        self.generic_visit(node)
        return _through("made", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        """A tuple that is written out, and not what a loop assigns to."""
        self.generic_visit(node)
        return _through("made", node) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        """A mapping that is written out."""
        self.generic_visit(node)
        return _through("made", node)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        """Text of the template itself, every time that it is printed."""
        return nodes.MarkSafe(nodes.Const(node.data, lineno=node.lineno), lineno=node.lineno)


def _through(name: str, first: Any, *others: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(first, name, list(others), [], None, None, lineno=first.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja whose templates are counted, if there is a meter."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, meter: Meter | None, **options: Any) -> None:
        super().__init__(**options)
        self.meter = meter
        self.globals = {name: self.globals[name] for name in GLOBALS}
        if meter is None:
            return
        plain = {name: work for name, work in self.filters.items() if name not in LEFT_OUT}
        self.filters = {name: _measured(name, work, meter) for name, work in plain.items()}
        self.tests = {name: _weighed(work, meter) for name, work in self.tests.items()}
        self.filters |= {
            "counted": meter.counted,
            "made": meter.made,
            "weighed": lambda value: (meter.weigh(value), value)[1],
            "joined": self._joined,
        }

    def _joined(self, *values: Any) -> str:
        assert self.meter is not None
        self.meter.room(sum(map(self.meter.weigh, values)))
        return markup_join(values)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        found = super()._parse(source, name, filename)
        if self.meter is not None:
            self._require_known(found, filename or name or "")
            found = Instrumented().visit(found)
        return found

    def _require_known(self, template: nodes.Template, file: str) -> None:
        """Raise `SpecError` at a block that no template above has: Jinja would print it nowhere."""
        known = self._blocks_above(template, DEEPEST)
        for block in _outermost(template):
            if known is not None and block.name not in known:
                hint = nearest(block.name, known, "blocks")
                message = f"template: there is no block '{block.name}' to override"
                raise SpecError(message, file=file, line=block.lineno, column=1, hint=hint)

    def _blocks_above(self, template: nodes.Template, deep: int) -> set[str] | None:
        """The blocks of the templates that a template extends; None where it extends none."""
        above = next(template.find_all(nodes.Extends), None)
        if above is None or not isinstance(above.template, nodes.Const) or self.loader is None or not deep:
            return None
        try:
            source, filename, _ = self.loader.get_source(self, str(above.template.value))
        except TemplateNotFound:
            return None  # as is told when it is printed
        parent = super()._parse(source, str(above.template.value), filename)
        own = {block.name for block in parent.find_all(nodes.Block)}
        return own | (self._blocks_above(parent, deep - 1) or set())

    def compile(self, source: Any, name: str | None = None, filename: str | None = None, *more: Any) -> Any:
        """Compile a template; one that is too deep or too long for Python is told, with its file."""
        try:
            return super().compile(source, name, filename, *more)
        except (TemplateSyntaxError, DerivationsError):
            raise
        except (RecursionError, SyntaxError, MemoryError, ValueError, OverflowError) as fault:
            what = "nested too deeply" if isinstance(fault, RecursionError) else fault
            raise SpecError(f"template: {what}", file=filename or name or "", line=1, column=1) from None

    def get_template(self, *values: Any, **more: Any) -> Any:
        """A template that is included, extended or imported."""
        if self.meter is not None:
            self.meter.turn(CALL)
        return super().get_template(*values, **more)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result may be large."""
        if self.meter is None:
            return super().call_binop(context, operator, left, right)
        self.meter.operands(operator, left, right)
        return self.meter.made(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A call of a macro, of ``super()``, or of a method of a text."""
        meter = __self.meter
        if meter is None:
            return super().call(__context, __obj, *args, **kwargs)
        meter.turn(CALL)
        for value in (*args, *kwargs.values()):
            meter.weigh(value)
        method = getattr(__obj, "__wrapped__", __obj)  # Jinja stands before `format`
        owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if isinstance(owner, (str, bytes, int, float)):
            if not isinstance(owner, str) or name not in METHODS:
                raise SecurityError(f"'{name}' may not be called here")
            args = tuple(tuple(meter.counted(one)) if hasattr(one, "__next__") else one for one in args)
            meter.room(_method(meter, name, owner, [*args, *kwargs.values()]))
        found = super().call(__context, __obj, *args, **kwargs)
        return found if __obj is safe_range else meter.made(found)


def _outermost(node: nodes.Node) -> Iterator[nodes.Block]:
    """The blocks that stand in no other one."""
    for part in node.iter_child_nodes():
        if isinstance(part, nodes.Block):
            yield part
        else:
            yield from _outermost(part)


def _method(meter: Meter, name: str, owner: str, others: list[Any]) -> int:
    if name == "join":
        return sum(meter.weigh(one) + len(owner) for one in others[0]) if others else 0
    return meter.growth(name, owner, others)


def _measured(name: str, work: Callable[..., Any], meter: Meter) -> Callable[..., Any]:
    """A filter of Jinja's whose result is not made where it would be too large."""
    at = 1 if hasattr(work, "jinja_pass_arg") else 0

    @wraps(work)
    def measured(*values: Any, **named: Any) -> Any:
        meter.turn()
        before, value, others = values[:at], values[at], values[at + 1 :]
        if hasattr(value, "__next__"):
            value = tuple(meter.made(one) for one in meter.counted(value))
        given = [*others, *named.values()]
        if name == "join" and not isinstance(value, str):
            between = meter.weigh(given[0]) if given else 0
            meter.room(sum(meter.weigh(one) + between for one in value))
        if name == "sum" and any(not isinstance(one, (int, float, str)) for one in given):
            raise SecurityError("'sum' adds numbers only")
        meter.room(meter.growth(name, value, given))
        return meter.made(work(*before, value, *others, **named))

    return measured


def _weighed(work: Any, meter: Meter) -> Callable[..., Any]:
    @wraps(work)
    def weighed(*values: Any) -> Any:
        for value in values:
            meter.weigh(value)
        return work(*values)

    return weighed
