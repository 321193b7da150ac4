"""What must hold of a model before it is worked: names, indices, shapes, powers, paths to the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from derivations.language.contributions import active, needed
from derivations.language.errors import LanguageError, SpecError, nearest
from derivations.language.names import adjoint, is_after
from derivations.language.parser import Assignment
from derivations.language.program import Equation, Program
from derivations.language.ranges import affine, extremes, moving_letters, sizes_of
from derivations.language.symbolic import Atoms, degree, to_sympy
from derivations.language.tree import (
    ONE,
    REDUCTIONS,
    Add,
    Count,
    Div,
    Expr,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    children,
    free_indices,
    has_reduction,
    refs,
    values,
    walk,
)
from derivations.notation.text import text
from derivations.spec.arrays import Array
from derivations.spec.spec import Source, check_name

MAX_DEGREE = 30
EARLIER = "A recurrence reads an earlier entry: h[t - 1] in the equation of h[t]."
EXPONENT = (Number, Neg, Add, Mul, Div, Pow)


def check_names(lines: list[Assignment], indices: frozenset[str], data: set[str], start: set[str]) -> None:
    """Every name is defined once, before it is read, and is no index and no reserved word."""
    targets = {line.target.name for line in lines}
    defined: set[str] = set()
    patterns: set[Ref] = set()
    for line in lines:
        for ref in (node for node in walk(line.body) if isinstance(node, Ref)):
            _check_read(ref, targets | data | start, indices)
        name = line.target.name
        entry = any(isinstance(part, Number) for part in line.target.indices)
        if name in data | start or line.target in patterns or (name in defined and not entry):
            raise LanguageError(f"'{name}' is defined twice", at=line.target.at)
        patterns.add(line.target)
        check_name(name, line.target.at)
        if name in indices or is_after(name):
            raise LanguageError(f"'{name}' cannot be the name of a quantity here", at=line.target.at)
        defined |= set() if entry else {name}
    for line in lines:
        for node in (*walk(line.target), *walk(line.body)):
            _check_index(node, line)
    clash = sorted(indices & (data | start))
    if clash:
        raise LanguageError(f"'{clash[0]}' is used both as an index and as a quantity", at=0)


def _check_index(node: Expr, line: Assignment) -> None:
    """No index of the node is a word that means something else."""
    if isinstance(node, (*REDUCTIONS, Count)):
        _check_letter(node.index, line.target.at)
    elif isinstance(node, Ref):
        for part in (inner for outer in node.indices for inner in walk(outer)):
            if isinstance(part, Ref) and not part.indices:
                _check_letter(part.name, part.at)


def _check_letter(name: str, at: int) -> None:
    if name != "t":  # the number of the step in an optimizer's row, which never meets an index
        check_name(name, at)
    if len(name) > 1 or name == "n":
        message = f"'{name}' cannot be an index; an index is a single letter and not n"
        raise LanguageError(message, at=at, hint="n is how many values an index takes; write i, j or k.")


def _check_read(ref: Ref, known: set[str], indices: frozenset[str]) -> None:
    if ref.name in known or (ref.name in indices and not ref.indices):
        return
    hint = nearest(ref.name, known, "names")
    raise LanguageError(f"unknown name '{ref.name}'", at=ref.at, hint=hint)


def check_line(line: Assignment, indices: frozenset[str]) -> None:
    """One equation: different letters or whole numbers on the left, plain powers, no free index."""
    target = [part.name for part in line.target.indices if isinstance(part, Ref) and not part.indices]
    whole = [part for part in line.target.indices if isinstance(part, (Number, Neg))]
    if len(set(target)) + len(whole) < len(line.target.indices):
        raise LanguageError(
            f"the indices of '{line.target.name}' must be different letters or whole numbers",
            at=line.target.at,
        )
    for ref in (node for node in walk(line.body) if isinstance(node, Ref)):
        if ref == line.target:
            shown = text(ref)
            raise LanguageError(f"{shown} depends on itself", at=ref.at, hint=EARLIER)
        for part in ref.indices:
            if affine(part) is None and not (isinstance(part, Ref) and part.indices):
                hint = "Write a letter, a whole number, 2*t + k - 1, or an entry of the data: token[i]."
                raise LanguageError(f"'{ref.name}' is indexed by something else", at=ref.at, hint=hint)
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
    """Every index is on the left or summed over; a sum binds its index inside itself."""
    inner = bound | {body.index} if isinstance(body, REDUCTIONS) else bound
    if isinstance(body, Ref):
        for name in free_indices(body, indices):
            if name not in bound:
                hint = f"Write sum(..., {name}) or mean(..., {name}), or put [{name}] after '{target.name}'."
                message = f"the index '{name}' is neither summed over nor on the left"
                raise LanguageError(message, at=body.at if body.at >= 0 else target.at, hint=hint)
        return
    for part in children(body):
        _check_free(part, inner, indices, target)


def check_shapes(
    source: Source, program: Program, arrays: Mapping[str, Array], given: Mapping[str, int]
) -> None:
    """Every read has as many indices as the array has axes and stays inside it; every index has a range."""
    try:
        shapes = {name: array.shape for name, array in arrays.items()}
        sizes = sizes_of(program, shapes, given)
        first: dict[str, Ref] = {}
        moving = moving_letters(program) | set(given)
        lines = partial(_line, source)  # looked up for an error only
        for eq in program:
            for part in eq.target.indices:
                _check_range(part, sizes, eq)
            for node in values(eq.body):
                if isinstance(node, (*REDUCTIONS, Count)):
                    _check_range(Ref(node.index), sizes, eq)
            for ref in (node for node in walk(eq.body) if isinstance(node, Ref)):
                if ref.name in program.targets and ref.name not in shapes:
                    _check_count(ref, len(program.targets[ref.name].target.indices))
                elif ref.name in shapes:
                    _check_read_shape(ref, shapes[ref.name], sizes, first, moving, lines)
            written = tuple(sizes[p.name] for p in eq.target.indices if isinstance(p, Ref))
            if len(written) == len(eq.target.indices) and not _is_recurrent(program, eq.target.name):
                shapes[eq.target.name] = written
    except LanguageError as fault:
        raise source.misread(fault, "model", "equations") from None


def _is_recurrent(program: Program, name: str) -> bool:
    """Whether entries of a quantity are written by several equations; the tape then knows which exist."""
    return sum(eq.target.name == name for eq in program) > 1


def _line(source: Source, name: str) -> str:
    """Where the values of an array stand in the text: ``'x' in line 9``; empty for what comes from layers."""
    text = source.text.splitlines()
    numbers = [source.error("", table, name).line or 1 for table in ("data", "parameters")]
    own = [line for line in numbers if text[line - 1 : line] and text[line - 1].split("=")[0].strip() == name]
    return f"'{name}' in line {own[0]}" if own else ""


def _given_at(places: Iterable[str]) -> str:
    known = [place for place in dict.fromkeys(places) if place]
    return f"Their numbers stand here: {', '.join(known)}." if known else ""


def _check_count(ref: Ref, count: int, shape: tuple[int, ...] = ()) -> None:
    if len(ref.indices) != count:
        wanted = f"{count} {'index' if count == 1 else 'indices'}" if count else "no index"
        hint = _single_column(ref) if shape[len(ref.indices) :] == (1,) else ""
        raise LanguageError(f"'{ref.name}' takes {wanted}, found {len(ref.indices)}", at=ref.at, hint=hint)


def _single_column(ref: Ref) -> str:
    """What to write for an entry of an array whose last axis has one value, as of a layer of one unit."""
    inside = ", ".join(map(text, (*ref.indices, ONE)))
    return (
        f'Its last index takes only the value 1: write {ref.name}[{inside}], or end layers with "Squeeze()".'
    )


def _check_read_shape(
    ref: Ref,
    shape: tuple[int, ...],
    sizes: Mapping[str, int],
    first: dict[str, Ref],
    moving: set[str],
    lines: Callable[[str], str],
) -> None:
    _check_count(ref, len(shape), shape)
    for part, extent in zip(ref.indices, shape, strict=True):
        form = affine(part)
        if form is None or ref.padded:
            continue
        if any(value.denominator != 1 for value in form.values()):
            raise LanguageError(f"the entries of '{ref.name}' are counted by whole numbers", at=ref.at)
        low, high = extremes(form, sizes)
        if isinstance(part, Ref):
            first.setdefault(part.name, ref)
        loose = not isinstance(part, Ref) or part.name in moving
        if low >= 1 and (high == extent or (loose and high < extent)):
            continue
        if set(form) == {""}:
            raise LanguageError(f"'{ref.name}' has entries 1 to {extent}", at=ref.at)
        if isinstance(part, Ref):
            other = first[part.name]
            raise LanguageError(
                f"arrays do not fit: '{other.name}' has {sizes[part.name]} values along '{part.name}', "
                f"'{ref.name}' has {extent}",
                at=ref.at,
                hint=_given_at(map(lines, (other.name, ref.name))),
            )
        hint = f"Write pad({ref.name}[...]) to read 0 outside the array."
        message = f"'{ref.name}' has entries 1 to {extent}, and this read goes from {low} to {high}"
        raise LanguageError(message, at=ref.at, hint=hint)


def _check_range(part: Expr, sizes: Mapping[str, int], eq: Equation) -> None:
    if not isinstance(part, Ref) or part.name in sizes:
        return
    hint = f"Some array of the data or the parameters must be read with the index '{part.name}'"
    raise LanguageError(
        f"the index '{part.name}' has no range",
        at=eq.target.at,
        hint=f"{hint}, or [model] says: ranges = {{ {part.name} = 4 }}.",
    )


def check_paths(source: Source, program: Program, loss: str, start: Mapping[str, Array]) -> None:
    """There are parameters, and the loss depends on every one of them."""
    if not start:
        raise source.error("there is no parameter to learn", "parameters", hint="For example: w = 0.5")
    used = needed(program, loss)
    for name in start:
        if name not in used or loss not in active(program, [name]):
            hint = f"Use it in an equation, or move '{name}' to [data]."
            raise source.error(
                f"there is no path from '{name}' to the loss '{loss}'", "parameters", name, hint=hint
            )


def check_slopes(adjoints: Program, loss: str, start: Iterable[str]) -> None:
    """No parameter acts only through functions that are constant between their jumps."""
    for name in start:
        if adjoint(loss, name) not in adjoints.targets:
            hint = "Functions such as step, sign and floor pass no gradient on."
            raise SpecError(f"the derivative of '{loss}' by '{name}' is 0 everywhere", hint=hint)


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
