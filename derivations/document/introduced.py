"""What a page says of its symbols before it uses them: indices, counts, named entries, sums, primes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from derivations.catalogue import functions
from derivations.document.blocks import (
    Block,
    Message,
    Part,
    Prose,
    Table,
    Words,
    counted,
    listed,
    message,
    phrase,
    phrases,
    say,
    series,
)
from derivations.document.symbols import symbols_of
from derivations.language.names import adjoint, is_after
from derivations.language.program import Equation
from derivations.language.tree import (
    Call,
    Chosen,
    Count,
    Expr,
    Largest,
    Mean,
    Ref,
    children,
    number,
    refs,
    walk,
)
from derivations.model.example import Example
from derivations.model.recognize import owner
from derivations.model.stated import authored
from derivations.notation.chain import formula
from derivations.notation.symbols import Named
from derivations.run.training import Layout, layout_of

WIDEST = 8  # columns of a table of names
SAMPLES = phrase("{} is the number of samples that a step uses; the sum over {} runs through them.")
RUNS = phrases("The index {1} runs from 1 to {2}.", "The indices {1} run from 1 to {2}.")
ONLY = phrases("The index {1} takes only the value 1.", "The indices {1} take only the value 1.")
PART_OF = (
    phrase("{} names a part of the formula of {}."),
    phrase("{} names a part of the formula of {}, which is differentiated on its own."),
)
OUTSIDE = phrase("An entry of {} outside its array is 0.")
PRIMES = phrase("A prime marks the value after the step: {}.")


# --- indices, counts and functions --------------------------------------------------------------------


def model_words(example: Example, equations: Iterable[Equation]) -> Iterator[Block]:
    """What the letters of the model mean: what was taken out, how far each index runs, its functions."""
    shown = [part for eq in equations for part in (eq.target, eq.body)]
    parts = [*taken_out(example), *index_words(example, shown), *padding_words(shown), *function_words(shown)]
    if parts:
        yield Prose((series(parts, ""),))


def index_words(example: Example, shown: Iterable[Expr], known: Iterable[Expr] = ()) -> Iterator[Message]:
    """How far every index runs that these formulas have and others have not; and the counts in them."""
    sizes = layout_of(example, example.batches[0][0]).sizes
    new, old = ([node for expr in exprs for node in walk(expr)] for exprs in (shown, known))
    letters, before = _letters(new, sizes), _letters(old, sizes)
    counts, told = _counts(new), _counts(old)
    sample = example.sample
    if sample in letters and sample not in before and sample not in counts:
        yield message("The index {} numbers the samples.", Ref(sample))
    others = [letter for letter in letters if letter not in before and letter != sample]
    for size in dict.fromkeys(sizes[letter] for letter in others):
        own = [Ref(letter) for letter in others if sizes[letter] == size]
        yield counted(*(RUNS if size > 1 else ONLY), len(own), listed(own), size)
    for letter in counts:
        if letter not in told:
            yield _count_words(example, letter, sizes)


def _letters(nodes: list[Expr], sizes: Mapping[str, int]) -> list[str]:
    """The index letters in formulas, free ones and those that are summed over, in their order."""
    parts = [part for node in nodes if isinstance(node, Ref) for part in node.indices]
    inside = [ref.name for part in parts for ref in refs(part)]
    summed = [getattr(node, "index", "") for node in nodes]
    return [letter for letter in dict.fromkeys([*inside, *summed]) if letter in sizes]


def _counts(nodes: list[Expr]) -> list[str]:
    """The indices whose number of values is printed as a letter."""
    return list(dict.fromkeys(node.index for node in nodes if isinstance(node, (Mean, Count))))


def _count_words(example: Example, letter: str, sizes: Mapping[str, int]) -> Message:
    if letter == example.sample:
        return message(SAMPLES, Count(letter), Ref(letter))
    return message("{} is the number of values of {}, here {}.", Count(letter), Ref(letter), sizes[letter])


def ones_words(ones: Ref, example: Example) -> Message:
    """What a column of ones is, and so how many there are."""
    index = refs(ones.indices[0])[0]
    if index.name == example.sample:
        return message("{} is a column of {} ones, one for each sample of the step.", ones, Count(index.name))
    return message("{} is a column of {} ones, one for each value of {}.", ones, Count(index.name), index)


def function_words(shown: Iterable[Expr], known: Iterable[Expr] = ()) -> Iterator[Message]:
    """What the functions in formulas are whose names do not say it, and that others have not."""
    new, old = (
        [node.function for expr in exprs for node in walk(expr) if isinstance(node, Call)]
        for exprs in (shown, known)
    )
    rows = (functions.BY_NAME[name] for name in dict.fromkeys(new) if name not in old)
    yield from (message(row.meaning) for row in rows if row.meaning)


def padding_words(shown: Iterable[Expr], known: Iterable[Expr] = ()) -> Iterator[Message]:
    """What stands outside an array that these formulas read there, and others do not."""
    (zero, apart), before = (_padded(exprs) for exprs in (shown, known))
    if names := [name for name in zero if name not in before[0]]:
        yield message(OUTSIDE, listed(list(map(Ref, names))))
    if apart and not before[1]:
        yield message("In a maximum, what lies outside its array takes no part.")


def _padded(exprs: Iterable[Expr]) -> tuple[list[str], list[str]]:
    """The quantities that are read outside their arrays, where 0 stands, and those of maxima."""
    exprs = list(exprs)
    reads = [ref.name for expr in exprs for ref in _reads_outside(expr, maxima=False)]
    most = [node for expr in exprs for node in walk(expr) if isinstance(node, (Largest, Chosen))]
    inside = [ref.name for node in most for ref in _reads_outside(node.body, maxima=True)]
    return list(dict.fromkeys(reads)), list(dict.fromkeys(inside))


def _reads_outside(expr: Expr, *, maxima: bool) -> Iterator[Ref]:
    """The padded reads in an expression, without those of its maxima unless they are asked for."""
    if isinstance(expr, Ref) and expr.padded:
        yield expr
    if maxima or not isinstance(expr, (Largest, Chosen)):
        for part in children(expr):
            yield from _reads_outside(part, maxima=maxima)


def new_symbols(
    example: Example, shown: list[Expr], known: Iterable[Expr] = (), equations: Iterable[Equation] = ()
) -> Iterator[Block]:
    """What the model does not have: functions of slopes, such as the unit step, and letters of adjoints."""
    model = [part for eq in example.forward for part in (eq.target, eq.body)]
    found = [*index_words(example, [eq.target for eq in equations], model)]
    found += [*padding_words(shown, [*model, *known]), *function_words(shown, [*model, *known])]
    if found:
        yield Prose((series(found, ""),))


def taken_out(example: Example) -> Iterator[Message]:
    """The parts of the author's formulas that were given a name, ``a_s1``: a sum that stands inside."""
    targets, own = example.forward.targets, authored(example)
    for eq in example.forward:
        others = tuple(name for name in targets if name != eq.target.name)
        if eq.target.name not in own and (whole := owner(eq.target.name, others)):
            derived = adjoint(example.loss, eq.target.name) in example.backward.targets
            yield message(PART_OF[derived], eq.target, _reader(eq, whole, example))


def _reader(part: Equation, whole: str, example: Example) -> Ref:
    """The left-hand side in whose formula a part stands: ``h[t, j]``, where ``h[0, j]`` is another."""
    own = [eq for eq in example.forward if eq.target.name == whole]
    return next(
        (eq for eq in own if any(ref.name == part.target.name for ref in refs(eq.body))), own[0]
    ).target


def prime_words(shown: Iterable[Expr]) -> list[Message]:
    """What a prime means, if one stands in these formulas."""
    found = [ref for expr in shown for ref in refs(expr) if is_after(ref.name)]
    return [message(PRIMES, ref) for ref in found[:1]]


# --- names of entries ---------------------------------------------------------------------------------


def named_entries(example: Example) -> Iterator[Block]:
    """Which entry each of the author's names means: a table a quantity, or sentences where none fits."""
    named = symbols_of(example).named
    if not named:
        return
    layout = layout_of(example, example.batches[0][0])
    names = dict.fromkeys(row.quantity for row in named)
    kinds = {name: [row for row in named if row.quantity == name] for name in names}
    tables = [name for name, rows in kinds.items() if _is_table(rows, _shape(layout, name))]
    if tables:
        arrays = listed(list(map(Ref, tables)))
        yield Prose(say("The entries of {} by name, the first index down, the second across:", arrays))
    yield from (_names_table(name, _shape(layout, name)) for name in tables)
    others = [_name_words(row, layout) for name, rows in kinds.items() if name not in tables for row in rows]
    if others:
        yield Prose((series(others, ""),))


def _shape(layout: Layout, name: str) -> tuple[int, ...]:
    """How many values each index of a quantity takes in a step."""
    places = [at for own, at in layout.tape.slots if own == name]
    return tuple(map(max, zip(*places, strict=True)))


def _is_table(rows: list[Named], shape: tuple[int, ...]) -> bool:
    whole = all(place is not None for row in rows for place in row.places)
    return whole and len(shape) <= 2 and shape[-1] <= WIDEST


def _names_table(name: str, shape: tuple[int, ...]) -> Table:
    """The entries of an array by their names, laid out as the array is."""
    across, down = shape[-1], shape[0] if len(shape) == 2 else 0
    header: tuple[Words, ...] = ((formula(Ref(name)),), *((str(k),) for k in range(1, across + 1)))
    places: list[tuple[str, tuple[int, ...]]] = [(str(j), (j,)) for j in range(1, down + 1)] or [("", ())]
    rows: tuple[tuple[Words, ...], ...] = tuple(
        ((label,), *((formula(_entry(name, (*before, k))),) for k in range(1, across + 1)))
        for label, before in places
    )
    return Table("names", "r" + "l" * across, header, rows)


def _entry(name: str, places: tuple[int, ...]) -> Ref:
    return Ref(name, tuple(map(number, places)))


def _name_words(row: Named, layout: Layout) -> Message:
    """``net_{h2,i} is the entry i, 2 of z.``"""
    dims = layout.dims.get(row.quantity, ())
    letters: list[Expr] = [Ref(dim or "i") for dim in (*dims, *"ijkl"[len(dims) :])]
    pairs = list(zip(row.places, letters, strict=False))
    places: list[Part] = [formula(letter) if at is None else str(at) for at, letter in pairs]
    rest = tuple(letter for at, letter in pairs if at is None)
    return message("{} is entry {} of {}.", row.entry(rest), series(places), Ref(row.quantity))
