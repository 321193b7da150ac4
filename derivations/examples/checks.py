"""What must hold of a model before it is worked: names, indices, shapes, powers, paths to the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from derivations.examples.arrays import Array
from derivations.examples.spec import Source, check_name
from derivations.language.backward import active
from derivations.language.degree import degree
from derivations.language.errors import LanguageError, nearest
from derivations.language.parser import Assignment
from derivations.language.program import Equation, Program
from derivations.language.symbolic import Atoms, to_sympy
from derivations.language.tree import (
    Add,
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
    free_indices,
    has_reduction,
    refs,
    values,
    walk,
)

MAX_DEGREE = 30
EXPONENT = (Number, Neg, Add, Mul, Div, Pow)


def check_names(lines: list[Assignment], indices: frozenset[str], data: set[str], start: set[str]) -> None:
    """Every name is defined once, before it is read, and is no index and no reserved word."""
    targets = [line.target.name for line in lines]
    defined: set[str] = set()
    for line in lines:
        for ref in refs(line.body):
            _check_read(ref, defined | data | start, targets, indices)
        name = line.target.name
        if name in defined | data | start:
            raise LanguageError(f"'{name}' is defined twice", at=line.target.at)
        check_name(name, line.target.at)
        if name in indices or name.endswith("'"):
            raise LanguageError(f"'{name}' cannot be the name of a quantity here", at=line.target.at)
        defined.add(name)
    for line in lines:
        for node in (*walk(line.target), *walk(line.body)):
            _check_index(node, line)
    clash = sorted(indices & (data | start))
    if clash:
        raise LanguageError(f"'{clash[0]}' is used both as an index and as a quantity", at=0)


def _check_index(node: Expr, line: Assignment) -> None:
    """No index of the node is a word that means something else."""
    if isinstance(node, (Sum, Mean, Count)):
        _check_letter(node.index, line.target.at)
    elif isinstance(node, Ref):
        for part in node.indices:
            if isinstance(part, Ref) and not part.indices:
                _check_letter(part.name, part.at)


def _check_letter(name: str, at: int) -> None:
    check_name(name, at)
    if len(name) > 1 or name == "n":
        message = f"'{name}' cannot be an index; an index is a single letter and not n"
        raise LanguageError(message, at=at, hint="n is how many values an index takes; write i, j or k.")


def _check_read(ref: Ref, known: set[str], targets: list[str], indices: frozenset[str]) -> None:
    if ref.name in known or (ref.name in indices and not ref.indices):
        return
    if ref.name in targets:
        hint = "Equations are worked from top to bottom; move its equation up."
        raise LanguageError(f"'{ref.name}' is used before it is defined", at=ref.at, hint=hint)
    hint = nearest(ref.name, known, "names")
    raise LanguageError(f"unknown name '{ref.name}'", at=ref.at, hint=hint)


def check_line(line: Assignment, indices: frozenset[str]) -> None:
    """One equation: different letters on the left, plain indices, no division by 0, no free index."""
    target = [part.name for part in line.target.indices if isinstance(part, Ref) and not part.indices]
    if len(set(target)) < len(line.target.indices):
        raise LanguageError(
            f"the indices of '{line.target.name}' must be different letters", at=line.target.at
        )
    for ref in refs(line.body):
        for part in ref.indices:
            if not (isinstance(part, Number) or (isinstance(part, Ref) and not part.indices)):
                hint = "Write a letter or a whole number between the brackets."
                raise LanguageError(f"'{ref.name}' is indexed by an expression", at=ref.at, hint=hint)
    for node in walk(line.body):
        if isinstance(node, Pow) and not all(isinstance(part, EXPONENT) for part in walk(node.exponent)):
            hint = "There is no rule for other powers; write exp(w*log(2)) for 2**w."
            message = "powers have whole or fractional numbers as exponents"
            raise LanguageError(message, at=line.target.at, hint=hint)
    if degree(line.body, {}) > MAX_DEGREE:
        hint = f"Powers up to {MAX_DEGREE} can be worked by hand."
        raise LanguageError(
            f"the powers in the equation of '{line.target.name}' are too high", at=line.target.at, hint=hint
        )
    if any(_divides_by_zero(node) for node in walk(line.body)):
        raise LanguageError("division by zero", at=line.target.at)
    _check_free(line.body, set(target), indices, line.target)


def _divides_by_zero(node: Expr) -> bool:
    """Whether a divisor is zero whatever the data: ``w/(1 - 1)``, ``w/(x - x)``, ``0**-1``."""
    if isinstance(node, Div) and not has_reduction(node.denominator):
        return bool(to_sympy(node.denominator, Atoms(node.denominator)) == 0)
    if isinstance(node, Pow) and not has_reduction(node.base):
        exponent = to_sympy(node.exponent, Atoms())
        return not exponent.is_nonnegative and bool(to_sympy(node.base, Atoms(node.base)) == 0)
    return False


def _check_free(body: Expr, bound: set[str], indices: frozenset[str], target: Ref) -> None:
    if isinstance(body, (Sum, Mean)):
        _check_free(body.body, bound | {body.index}, indices, target)
        return
    for node in values(body):
        if isinstance(node, (Sum, Mean)):
            _check_free(node, bound, indices, target)
    for name in free_indices(body, indices):
        if name not in bound:
            place = next((r.at for r in refs(body) if Ref(name) in r.indices), target.at)
            hint = f"Write sum(..., {name}) or mean(..., {name}), or put [{name}] after '{target.name}'."
            raise LanguageError(
                f"the index '{name}' is neither summed over nor on the left", at=place, hint=hint
            )


def check_shapes(source: Source, program: Program, arrays: Mapping[str, Array]) -> None:
    """Every read has as many indices as the array has axes, and every index one range."""
    try:
        shapes = {name: array.shape for name, array in arrays.items()}
        ranges: dict[str, tuple[int, Ref]] = {}
        for eq in program:
            for ref in (node for node in walk(eq.body) if isinstance(node, Ref)):
                if ref.name in shapes:
                    _check_read_shape(ref, shapes[ref.name], ranges)
            shapes[eq.target.name] = tuple(_range(part, ranges, eq) for part in eq.target.indices)
            for node in values(eq.body):
                if isinstance(node, (Sum, Mean, Count)):
                    _range(Ref(node.index), ranges, eq)
    except LanguageError as fault:
        raise source.misread(fault, "model", "equations") from None


def _check_read_shape(ref: Ref, shape: tuple[int, ...], ranges: dict[str, tuple[int, Ref]]) -> None:
    if len(ref.indices) != len(shape):
        wanted = f"{len(shape)} {'index' if len(shape) == 1 else 'indices'}" if shape else "no index"
        raise LanguageError(f"'{ref.name}' takes {wanted}, found {len(ref.indices)}", at=ref.at)
    for part, extent in zip(ref.indices, shape, strict=True):
        if isinstance(part, Number):
            if part.value.denominator != 1:
                raise LanguageError(f"the entries of '{ref.name}' are counted by whole numbers", at=ref.at)
            if not 1 <= part.value <= extent:
                raise LanguageError(f"'{ref.name}' has entries 1 to {extent}", at=ref.at)
        elif isinstance(part, Ref):
            known, first = ranges.setdefault(part.name, (extent, ref))
            if known != extent:
                raise LanguageError(
                    f"arrays do not fit: '{first.name}' has {known} values along '{part.name}', "
                    f"'{ref.name}' has {extent}",
                    at=ref.at,
                )


def _range(part: Expr, ranges: dict[str, tuple[int, Ref]], eq: Equation) -> int:
    if isinstance(part, Ref) and part.name in ranges:
        return ranges[part.name][0]
    name = part.name if isinstance(part, Ref) else "?"
    hint = f"Some array of the data or the parameters must be read with the index '{name}'."
    raise LanguageError(f"the index '{name}' has no range", at=eq.target.at, hint=hint)


def check_entries(source: Source, program: Program, parameters: Iterable[str]) -> None:
    """What depends on a parameter is read by different letters: ``w[j]``, not ``w[1]`` or ``A[i, i]``."""
    alive = active(program, parameters)
    for eq in program:
        for ref in refs(eq.body):
            letters = {part.name for part in ref.indices if isinstance(part, Ref)}
            if ref.name in alive and len(letters) < len(ref.indices):
                hint = "Only data are read so; give each entry a name of its own: w1, w2."
                message = (
                    f"'{ref.name}' is learnt, or depends on what is, and is read by different letters only"
                )
                raise source.misread(LanguageError(message, at=ref.at, hint=hint), "model", "equations")


def check_paths(source: Source, program: Program, loss: str, start: Mapping[str, Array]) -> None:
    """There are parameters, and the loss depends on every one of them."""
    if not start:
        raise source.error("there is no parameter to learn", "parameters", hint="For example: w = 0.5")
    needed = {loss}
    for eq in reversed(program.equations):
        if eq.target.name in needed:
            needed |= {ref.name for ref in refs(eq.body)}
    for name in start:
        if name not in needed or loss not in active(program, [name]):
            hint = f"Use it in an equation, or move '{name}' to [data]."
            raise source.error(
                f"there is no path from '{name}' to the loss '{loss}'", "parameters", name, hint=hint
            )


def check_samples(source: Source, program: Program, data: Mapping[str, Array], sample: str | None) -> None:
    """An array is cut into batches along one axis only: ``x[i, j]`` and not ``x[i, i]``."""
    axes: dict[str, set[int]] = {}
    for eq in program:
        for ref in (ref for ref in refs(eq.body) if ref.name in data):
            found = {axis for axis, part in enumerate(ref.indices) if part == Ref(sample or "")}
            axes.setdefault(ref.name, set()).update(found)
            if len(axes[ref.name]) > 1:
                message = f"'{ref.name}' is read with the samples' index '{sample}' along two axes"
                fault = LanguageError(message, at=ref.at, hint="Use another letter for one of them.")
                raise source.misread(fault, "model", "equations")
