"""Matrix form: an equation in index notation as an expression of whole arrays, where there is one.

``z[i, j] = sum(W[j, k]*x[i, k], k) + b[j]`` is ``Z = X Wᵀ + 1 bᵀ``. The expression is the same tree
with other readings: a `Ref` without indices is a whole array, a product is a matrix product,
``Pow(A, TRANSPOSED)`` is the transpose, and calls of `TIMES`, `OVER` and `NORM` are the product and
quotient of entries and the root of the sum of squares. Vectors are columns. A number is added to
every entry, and a function acts on every entry. `derivations.witnesses.matrix_forms` evaluates it.

Arrays that are *lying* stand for their transpose: where samples are columns, ``X`` has one for each of
them, and the equation above is ``Z = W X + b 1ᵀ``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from derivations.language.products import factors, product, terms, total
from derivations.language.program import Equation
from derivations.language.tree import (
    ONE,
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    number,
    walk,
)

TRANSPOSED = Ref("⊤")
ONES = "1"  # Ref("1", (i,)): a column of as many ones as the index has values
TIMES, OVER, NORM = "⊙", "⊘", "‖"
TWO = number(2)
Side: TypeAlias = str | None  # the index of the rows or columns; None where there is one only


class NoMatrixForm(Exception):
    """An equation that matrices with rows and columns cannot say."""


def matrix_form(eq: Equation, lying: frozenset[str] = frozenset()) -> Expr | None:
    """The right-hand side of an equation over whole arrays, shaped like its target; None if there is none.

    ``lying`` are the arrays that stand for their transpose.
    """
    names = [part.name for part in eq.target.indices if isinstance(part, Ref) and not part.indices]
    if len(names) > 2 or len(set(names)) < len(eq.target.indices):
        return None
    rows, cols = [*names, None, None][:2]
    rows, cols = (cols, rows) if eq.target.name in lying else (rows, cols)
    writer = _Writer(_letters(eq), lying)
    try:
        if names and not writer.free(eq.body):
            return None  # one number for every entry
        return writer.fitted(eq.body, rows, cols)
    except NoMatrixForm:
        return None


def _letters(eq: Equation) -> frozenset[str]:
    """Every index letter of an equation."""
    nodes = [node for side in (eq.target, eq.body) for node in walk(side)]
    bound = {node.index for node in nodes if isinstance(node, (Sum, Mean, Count))}
    read = {
        part.name
        for node in nodes
        if isinstance(node, Ref)
        for index in node.indices
        for part in walk(index)
        if isinstance(part, Ref) and not part.indices
    }
    return frozenset(bound | read)


def transposed(expr: Expr) -> Expr:
    """The transpose; that of a transpose is the array itself."""
    if isinstance(expr, Pow) and expr.exponent == TRANSPOSED:
        return expr.base
    return Pow(expr, TRANSPOSED)


def ones(index: Side) -> Expr:
    """A column of ones."""
    assert index is not None
    return Ref(ONES, (Ref(index),))


@dataclass(frozen=True)
class _Writer:
    """Writes expressions as arrays whose rows and columns run along two given indices.

    An expression that has only one of the indices becomes a column or a row, one that has neither a number.
    """

    letters: frozenset[str]
    lying: frozenset[str] = frozenset()

    def free(self, expr: Expr) -> set[str]:
        match expr:
            case Sum(body, bound) | Mean(body, bound):
                return self.free(body) - {bound}
            case Ref(_, indices):
                return {n.name for part in indices for n in walk(part) if isinstance(n, Ref)} & self.letters
            case Number() | Count():
                return set()
            case Neg(a):
                return self.free(a)
            case Add(parts) | Mul(parts) | Call(_, parts):
                return {name for part in parts for name in self.free(part)}
            case Div(a, b) | Pow(a, b):
                return self.free(a) | self.free(b)
        raise NoMatrixForm

    def fitted(self, expr: Expr, rows: Side, cols: Side) -> Expr:
        """The expression with exactly these rows and columns: a column beside ones, a row below ones."""
        free, found = self.free(expr), self.natural(expr, rows, cols)
        if not free:
            return found
        if rows is not None and rows not in free:
            found = product(ones(rows), found)
        if cols is not None and cols not in free:
            found = product(found, transposed(ones(cols)))
        return found

    def natural(self, expr: Expr, rows: Side, cols: Side) -> Expr:
        """The expression with rows and columns as far as it has these indices."""
        if not self.free(expr) <= {rows, cols}:
            raise NoMatrixForm
        own = (rows if rows in self.free(expr) else None, cols if cols in self.free(expr) else None)
        match expr:
            case Number() | Count():
                return expr
            case Ref():
                return self.array(expr, rows, cols)
            case Neg(a):
                return product(Neg(self.natural(a, rows, cols)))
            case Add(parts):
                return total(*(self.fitted(part, *own) for part in parts))
            case Mul(parts):
                return self.entrywise(parts, *own)
            case Div(a, b):
                return self.quotient(a, b, *own)
            case Pow(a, b):
                return self.power(a, b, *own)
            case Call(name, (a,)):
                return Call(name, (self.natural(a, rows, cols),))
            case Sum(body, bound):
                return self.summed(body, bound, *own)
            case Mean(body, bound):
                return product(Div(ONE, Count(bound)), self.summed(body, bound, *own))
        raise NoMatrixForm

    def array(self, ref: Ref, rows: Side, cols: Side) -> Expr:
        plain = [part.name if isinstance(part, Ref) and not part.indices else None for part in ref.indices]
        if None in plain or ref.padded or ref.name in self.letters:
            raise NoMatrixForm
        whole: Expr = Ref(ref.name)
        turned = transposed(whole)
        if plain and ref.name in self.lying:
            whole, turned = turned, whole
        if plain in ([], [rows], [rows, cols]):
            return whole
        if plain in ([cols], [cols, rows]):
            return turned
        raise NoMatrixForm

    def entrywise(self, parts: tuple[Expr, ...], rows: Side, cols: Side) -> Expr:
        """A product without sums: numbers in front, an outer product, or a product of entries."""
        numbers = [self.natural(part, None, None) for part in parts if not self.free(part)]
        arrays = [part for part in parts if self.free(part)]
        columns = [part for part in arrays if self.free(part) == {rows}]
        beside = [part for part in arrays if self.free(part) == {cols}]
        if columns and beside and len(columns) + len(beside) == len(arrays):
            return product(*numbers, self.times(columns, rows, None), self.times(beside, None, cols))
        return product(*numbers, self.times(arrays, rows, cols))

    def times(self, parts: list[Expr], rows: Side, cols: Side) -> Expr:
        """The product of entries of several factors."""
        if not parts:
            return ONE
        if len(parts) == 1:
            return self.natural(parts[0], rows, cols)
        return Call(TIMES, tuple(self.fitted(part, rows, cols) for part in parts))

    def quotient(self, a: Expr, b: Expr, rows: Side, cols: Side) -> Expr:
        if not self.free(b):
            below = self.natural(b, None, None)
            above = self.natural(a, rows, cols)
            return product(Div(ONE, below), above) if self.free(a) else Div(above, below)
        return Call(OVER, (self.fitted(a, rows, cols), self.fitted(b, rows, cols)))

    def power(self, base: Expr, exponent: Expr, rows: Side, cols: Side) -> Expr:
        inside = self.natural(base, rows, cols)
        whole = isinstance(exponent, Number) and exponent.value.denominator == 1
        if not self.free(base) and whole:
            return Pow(inside, exponent)
        if exponent != TWO:
            raise NoMatrixForm
        return Call(TIMES, (inside, inside))

    def summed(self, body: Expr, bound: str, rows: Side, cols: Side) -> Expr:
        """``Σ_k A[r, k] B[k, c]`` is ``A B``; what is missing on one side is ones."""
        if bound in (rows, cols):
            raise NoMatrixForm
        if isinstance(body, Neg):
            return product(Neg(self.summed(body.argument, bound, rows, cols)))
        if isinstance(body, Add) and all(self.is_pair(part, bound) for part in terms(body)):
            return total(*(self.summed(part, bound, rows, cols) for part in terms(body)))
        if (squares := self.norm(body, bound)) is not None:
            return squares
        if isinstance(body, Sum):  # what the inner sum need not hold stands before it: Σ_i x_i Σ_j A_ij b_j
            staying = [part for part in factors(body.body) if body.index in self.free(part)]
            moved = [part for part in factors(body.body) if part not in staying]
            body = product(*moved, Sum(product(*staying), body.index)) if staying else body
        inside = [part for part in factors(body) if bound in self.free(part)]
        outside = [part for part in factors(body) if part not in inside]
        if outside or not inside:
            own = Sum(product(*inside), bound) if inside else Count(bound)
            return self.entrywise((*outside, own), rows, cols)
        left, right = self.split(inside, rows, cols)
        above = self.turned(left, rows, bound) if left else transposed(ones(bound))
        beside = self.turned(right, bound, cols) if right else ones(bound)
        found = product(above, beside)
        if self.lying and rows is cols is None:  # a number: (x - y) 1, not 1ᵀ (x - y)ᵀ
            return min(found, product(transposed(beside), transposed(above)), key=_turns)
        return found

    def turned(self, parts: list[Expr], rows: Side, cols: Side) -> Expr:
        """A product of entries, transposed as a whole if that is no longer: ``(1 - y)ᵀ``, not ``1 - yᵀ``."""
        inside, outside = self.times(parts, rows, cols), transposed(self.times(parts, cols, rows))
        return min(outside, inside, key=_turns)

    def is_pair(self, part: Expr, bound: str) -> bool:
        """Whether a term has two or more factors along the index, so that ``aᵀb`` says its sum."""
        inner = part.argument if isinstance(part, Neg) else part
        return sum(bound in self.free(factor) for factor in factors(inner)) > 1

    def split(self, inside: list[Expr], rows: Side, cols: Side) -> tuple[list[Expr], list[Expr]]:
        """The factors of a summand that stand left and right of the matrix product."""
        left = [part for part in inside if rows in self.free(part)]
        right = [part for part in inside if cols in self.free(part)]
        if any(part in right for part in left):
            raise NoMatrixForm
        middle = [part for part in inside if part not in left and part not in right]
        if left and not right:
            return left, middle
        if right and not left:
            return middle, right
        if left:
            return left + middle, right
        return (middle[:1], middle[1:]) if len(middle) > 1 else ([], middle)

    def norm(self, body: Expr, bound: str) -> Expr | None:
        """The squared norm, for a sum of squares over all indices of what is squared."""
        numbers, over = list[Expr](), [bound]
        while isinstance(body, (Mul, Sum)):
            if isinstance(body, Sum):
                over.append(body.index)
                body = body.body
                continue
            rest = [part for part in factors(body) if self.free(part)]
            numbers += [part for part in factors(body) if not self.free(part)]
            if len(rest) != 1:
                return None
            body = rest[0]
        if not isinstance(body, Pow) or body.exponent != TWO:
            return None
        if self.free(body.base) != set(over) or len(over) > 2:
            return None
        rows, cols = [*over, None][:2]
        inside = self.natural(body.base, rows, cols)
        if self.lying:  # the norm of an array is that of its transpose
            inside = min(inside, self.natural(body.base, cols, rows), key=_turns)
        return product(*numbers, Pow(Call(NORM, (inside,)), TWO))


def _turns(expr: Expr) -> int:
    """How many transposes an expression has."""
    return list(walk(expr)).count(TRANSPOSED)
