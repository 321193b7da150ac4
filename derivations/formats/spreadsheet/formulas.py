"""Reader of the tree that writes spreadsheet formulas: ``w - lr*dL/dw`` becomes ``B7-lr*B15``.

Sums are ranges where the cells stand in a line, ``SUM(F6:F9)``, and are written out term by term
otherwise. A unary minus binds tighter than a power in a spreadsheet, so what it stands before gets
brackets. Only functions that Excel, LibreOffice and Google Sheets share are used, none over arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from derivations.catalogue import functions
from derivations.formats.spreadsheet.cells import Place, address, is_line, span
from derivations.formats.spreadsheet.text import (
    ATOM,
    NOTHING,
    POWER,
    SUM,
    ZERO,
    Term,
    Text,
    inside,
    joined,
    minus,
    numeral,
    product,
    quotient,
)
from derivations.language.errors import LanguageError
from derivations.language.names import adjoint_of
from derivations.language.parser import parse
from derivations.language.ranges import whole_number
from derivations.language.tree import (
    Add,
    Call,
    Chosen,
    Count,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    substitute,
    walk,
)
from derivations.notation.text import text as plain

# --- Index expressions of a formula: which are known before the sheet is worked, and which a cell decides ---

Env: TypeAlias = Mapping[str, int]


def static(expr: Expr, env: Env) -> Fraction | None:
    """The value of an expression of letters and numbers alone."""
    match expr:
        case Number(value, _):
            return value
        case Ref(name, ()) if name in env:
            return Fraction(env[name])
        case Neg(a):
            return None if (inner := static(a, env)) is None else -inner
        case Add(parts):
            known = [static(part, env) for part in parts]
            return None if None in known else sum((v for v in known if v is not None), Fraction(0))
        case Mul((a, b)):
            x, y = static(a, env), static(b, env)
            return None if x is None or y is None else x * y
    return None


def is_looked_up(part: Expr, env: Env) -> bool:
    """Whether an index expression reads a cell."""
    if isinstance(part, Number) or (isinstance(part, Ref) and not part.indices):
        return isinstance(part, Ref) and part.name not in env
    return any(isinstance(node, Ref) and (node.indices or node.name not in env) for node in walk(part))


At: TypeAlias = tuple[int, ...]

FEW = 4  # terms of a sum of products that are written out even where SUMPRODUCT could do
LONGEST, CHOICES = 8_000, 254  # characters of a formula, arguments of a function
SPELLED = {
    "exp": "EXP({})",
    "log": "LN({})",
    "sqrt": "SQRT({})",
    "pi": "PI()",
    "sin": "SIN({})",
    "cos": "COS({})",
    "erf": "ERF({})",
    "step": "IF({}>0,1,0)",
    "sign": "SIGN({})",
    "floor": "INT({})",
    "max": "MAX({},{})",
    "min": "MIN({},{})",
    "abs": "ABS({})",
    "same": "IF({}={},1,0)",
    "relu": "MAX(0,{})",
    "tanh": "TANH({})",
}
FOLDED: dict[str, Callable[..., Fraction | int]] = {
    "same": lambda x, y: int(x == y),
    "step": lambda x: int(x > 0),
    "sign": lambda x: (x > 0) - (x < 0),
    "max": max,
    "min": min,
    "floor": lambda x: x // 1,
}


@dataclass(frozen=True)
class Formulas:
    """Writes the formulas of one sheet.

    ``places`` are the cells of all entries, ``names`` the named cells, ``exist`` the positions of every
    quantity, ``columns`` the cells of an expression for every value of an index, ``counts`` those that count,
    ``numbers`` makes the places of letters the numbers that they are read as.
    """

    sheet: str
    places: Mapping[tuple[str, At], Place]
    names: Mapping[str, str]
    exist: Mapping[str, Sequence[At]]
    sizes: Mapping[str, int]
    columns: Mapping[tuple[Expr, str], Sequence[Place]]
    counts: Mapping[str, Place]
    numbers: Callable[[Env], Env] = dict

    def formula(self, parts: Iterable[tuple[Expr, Env]]) -> str:
        """The formula of a cell to which right-hand sides add up; raises LanguageError if it is too long."""
        found, _ = joined([(False, self.expr(body, env)) for body, env in parts])
        if NOTHING[0] in found:
            raise LanguageError("a spreadsheet formula reads an entry that does not exist")
        if len(found) > LONGEST:
            hint = "Use smaller batches or layers, or leave the format xlsx out."
            raise LanguageError(f"a spreadsheet formula of {len(found)} characters: too long", hint=hint)
        return f"={found}"

    # --- the tree

    def expr(self, expr: Expr, env: Env) -> Text:
        """The text of an expression at values of its letters, and how tightly it binds."""
        for letter, row in env.items():
            if (expr, letter) in self.columns:
                return self.at(self.columns[expr, letter][row - 1]), ATOM
        match expr:
            case Number(value, _):
                return numeral(value)
            case Count(letter):
                return self.at(
                    self.counts[letter]
                ) if letter in self.counts else f"{self.sizes[letter]}", ATOM
            case Ref(name, ()) if name in env:
                return numeral(Fraction(self.numbers(env)[name]))
            case Ref():
                return self.read(expr, env)
            case Neg(a):
                return minus(self.expr(a, env))
            case Add(parts):
                return joined([self.term(part, env) for part in parts])
            case Mul(parts):
                return product([self.expr(part, env) for part in parts])
            case Div(a, b):
                return quotient(self.expr(a, env), self.expr(b, env))
            case Pow(a, b):
                return f"{inside(self.expr(a, env), ATOM)}^{inside(self.expr(b, env), ATOM)}", POWER
            case Call(name, parts):
                return self.call(name, parts, env)
            case Sum(body, letter):
                return self.sum(body, letter, env)
            case Mean(body, letter):
                return self.mean(body, letter, env)
            case Largest(body, letter):
                if cells := self.run(body, letter, env):
                    return f"MAX({span(cells[0], cells[-1], self.sheet)})", ATOM
                return self.most([part for _, part in self.open(body, letter, env)]), ATOM
            case Chosen():
                return self.chosen(expr, env)
        raise LanguageError(f"a spreadsheet has no formula for {plain(expr)}")

    def term(self, part: Expr, env: Env) -> Term:
        """A term of a sum: whether it is taken away, and its text without that sign."""
        if isinstance(part, Neg):
            return True, self.expr(part.argument, env)
        return False, self.expr(part, env)

    def at(self, place: Place) -> str:
        """The address of a cell."""
        return address(place, self.sheet)

    def call(self, name: str, parts: tuple[Expr, ...], env: Env) -> Text:
        """A function: folded where it compares letters, spelled as spreadsheets do, or by its formula."""
        known = [static(part, self.numbers(env)) for part in parts]
        if name in FOLDED and None not in known:
            return numeral(Fraction(FOLDED[name](*known)))
        if name in SPELLED:
            return SPELLED[name].format(*(self.expr(part, env)[0] for part in parts)), ATOM
        row = functions.BY_NAME[name]
        given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), parts, strict=True))
        return self.expr(substitute(parse(row.formula, functions.NAMES), given), env)

    # --- entries

    def read(self, ref: Ref, env: Env) -> Text:
        """The cell of an entry; one whose index is looked up in a cell is chosen there, live."""
        if ref.name in self.names and not ref.indices:
            return self.names[ref.name], ATOM
        looked = next((axis for axis, part in enumerate(ref.indices) if is_looked_up(part, env)), None)
        if looked is not None:
            return self.looked_up(ref, looked, env)
        at = tuple(whole_number(part, env, lambda _: None) for part in ref.indices)
        if (ref.name, at) in self.places:
            return self.at(self.places[ref.name, at]), ATOM
        if ref.padded or adjoint_of(ref.name) is not None:
            return ZERO  # outside the array; or no path of the chain rule reaches this entry
        return NOTHING

    def looked_up(self, ref: Ref, axis: int, env: Env) -> Text:
        """``E[token[i], k]``: INDEX or CHOOSE among the entries, by the value of the cell of the token."""
        values = sorted({at[axis] for at in self.exist[ref.name]})
        entries = [
            Ref(ref.name, (*ref.indices[:axis], Number(Fraction(value)), *ref.indices[axis + 1 :]))
            for value in values
        ]
        behind = Number(Fraction(1 - values[0]))
        index = ref.indices[axis] if values[0] == 1 else Add((ref.indices[axis], behind))
        where, _ = self.expr(index, env)
        texts = [self.expr(entry, env)[0] for entry in entries]
        places = [place for entry in entries if (place := self.place(entry, env))]
        if len(places) == len(entries) and is_line(places):
            found = f"INDEX({span(places[0], places[-1], self.sheet)},{where})"
        elif len(texts) > CHOICES:
            raise LanguageError(f"{ref.name} has too many entries to look one up in a spreadsheet")
        else:
            found = f"CHOOSE({where},{','.join(texts)})"
        within = f"AND({where}>=1,{where}<={len(values)})"
        return (f"IF({within},{found},0)" if ref.padded else found), ATOM

    def place(self, expr: Expr, env: Env) -> Place | None:
        """The one cell that an expression is, if it is one."""
        if not isinstance(expr, Ref) or (not expr.indices and expr.name in env):
            return None  # the value of a letter has no cell
        if any(is_looked_up(part, env) for part in expr.indices):
            return None
        at = tuple(whole_number(part, env, lambda _: None) for part in expr.indices)
        return self.places.get((expr.name, at))

    # --- what runs over an index

    def run(self, body: Expr, letter: str, env: Env) -> list[Place]:
        """The cells of a body for every value of a letter, if they stand in a line; else nothing."""
        if (body, letter) in self.columns:
            found: list[Place | None] = list(self.columns[body, letter])
        else:
            found = [self.place(body, inner) for inner in self.envs(letter, env)]
        known = [place for place in found if place]
        return known if known == found and is_line(known) else []

    def envs(self, letter: str, env: Env) -> list[dict[str, int]]:
        """The values of the letters, with every value of one more."""
        return [{**env, letter: value} for value in range(1, self.sizes[letter] + 1)]

    def sum(self, body: Expr, letter: str, env: Env) -> Text:
        """``SUM(F6:F9)``, ``SUMPRODUCT(B6:B9,C6:C9)``, or the terms one by one."""
        if cells := self.run(body, letter, env):
            return f"SUM({span(cells[0], cells[-1], self.sheet)})", ATOM
        if self.sizes[letter] > FEW and isinstance(body, Mul):
            runs = [self.run(part, letter, env) for part in body.factors]
            if all(runs) and len({(r[1].row - r[0].row) for r in runs}) == 1:
                spans = ",".join(span(cells[0], cells[-1], self.sheet) for cells in runs)
                return f"SUMPRODUCT({spans})", ATOM
        terms = [self.expr(body, inner) for inner in self.envs(letter, env)]
        several = sum(term != ZERO for term in terms) > 1
        return joined([(False, (f"({t[0]})", ATOM) if several and t[1] == SUM else t) for t in terms])

    def mean(self, body: Expr, letter: str, env: Env) -> Text:
        """``AVERAGE(F6:F9)``, or the sum over the count."""
        if cells := self.run(body, letter, env):
            return f"AVERAGE({span(cells[0], cells[-1], self.sheet)})", ATOM
        return quotient(self.sum(body, letter, env), self.expr(Count(letter), env))

    def open(self, body: Expr, letter: str, env: Env) -> list[tuple[int, Text]]:
        """The values of a letter at which a body exists, with its text."""
        texts = [(inner[letter], self.expr(body, inner)) for inner in self.envs(letter, env)]
        return [(value, part) for value, part in texts if part != ZERO]

    def most(self, parts: list[Text]) -> str:
        """The largest of some texts."""
        return parts[0][0] if len(parts) == 1 else f"MAX({','.join(part for part, _ in parts)})"

    def chosen(self, node: Chosen, env: Env) -> Text:
        """1 for the first of the largest entries: larger than all before, at least as large as all after."""
        here = whole_number(node.at, env, lambda _: None)
        texts = self.open(node.body, node.index, env)
        own = next((part for value, part in texts if value == here), None)
        if own is None:
            return ZERO
        before = [part for value, part in texts if value < here]
        after = [part for value, part in texts if value > here]
        wanted = [f"{own[0]}>{self.most(before)}"] if before else []
        wanted += [f"{own[0]}>={self.most(after)}"] if after else []
        both = f"AND({','.join(wanted)})" if len(wanted) == 2 else "".join(wanted)
        return f"IF({both},1,0)" if both else "1", ATOM
