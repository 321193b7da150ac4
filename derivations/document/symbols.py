"""The symbols of a page: those of its quantities, and the names that the author gave to entries."""

from __future__ import annotations

from typing import TypeAlias

from derivations.document.renaming import check_notation, renaming_of
from derivations.language.errors import LanguageError, nearest
from derivations.language.names import adjoint_of, is_after
from derivations.language.parser import parse
from derivations.language.tree import Expr, Number, Ref
from derivations.model.example import Example
from derivations.notation.locales import locale
from derivations.notation.symbols import Named, Symbols, meet, symbol_of
from derivations.numbers.tape import Entry
from derivations.programs.listing import shown_steps
from derivations.run.training import Layout, layout_of
from derivations.spec.spec import Source, check_name

Places: TypeAlias = tuple[int | None, ...]


def check_page(example: Example, source: Source) -> None:
    """Raise `SpecError` at a step that does not exist, or at a name that cannot be given to an entry."""
    count, wanted = sum(map(len, example.batches)), example.spec.page.steps
    for place, number in enumerate(wanted if isinstance(wanted, tuple) else ()):
        if number not in shown_steps(example):
            there = f"there {'are' if count > 1 else 'is'} {count}"
            raise source.error(f"step {number} does not exist; {there}", "page", "steps", place)
    plain = symbols_of(example, ())
    check_notation(example, source, plain, renaming_of(example, plain.ranks))
    found: list[Named] = []
    for key, name in example.spec.page.names.items():
        try:
            check_name(name)
            found.append(_named(key, name, example))
            _check_free(found, plain)
        except LanguageError as fault:
            raise source.error(fault.message, "page", "names", key, hint=fault.hint) from None


def symbols_of(example: Example, named: tuple[Named, ...] | None = None) -> Symbols:
    """The symbols of every quantity and named entry of an example that `check_page` let pass."""
    ranks = {name: len(array.shape) for name, array in {**example.data, **example.start}.items()}
    for eq in example.forward:  # the author's own before the optimizer's: the later name makes way
        ranks.setdefault(eq.target.name, len(eq.target.indices))
    ranks |= dict.fromkeys((*example.hyper, *example.rule.clock[1:]), 0)
    ranks |= {name: len(state.start.shape) for name, state in example.states.items()}
    own = [eq for eq in example.backward if adjoint_of(eq.target.name, example.loss) is None]
    for eq in (*own, *example.update):
        if not is_after(eq.target.name):
            ranks.setdefault(eq.target.name, len(eq.target.indices))
    if named is None:
        named = tuple(_named(key, name, example) for key, name in example.spec.page.names.items())
    marks = locale(example.spec.page.language).marks
    renaming, notation = renaming_of(example, ranks), example.spec.page.notation
    ways = notation.derivative, notation.logarithm
    return Symbols(
        ranks,
        example.loss,
        example.sample,
        named,
        marks,
        renaming.symbols,
        renaming.counting,
        *ways,
        renaming.letters,
    )


def _named(key: str, name: str, example: Example) -> Named:
    """``"z[i, 2]" = "net_h2"``: an entry at whole numbers, or at a letter for every value of that index."""
    entry = parse(key)
    if not isinstance(entry, Ref) or not entry.indices:
        hint = 'Write its name and its indices, as in "W[1, 2]".'
        raise LanguageError(f"'{key}' is not an entry of a quantity", hint=hint)
    layout = layout_of(example, example.batches[0][0])
    known = {*example.data, *example.start, *example.forward.targets}
    if entry.name not in known:
        raise LanguageError(f"unknown name '{entry.name}'", hint=nearest(entry.name, known, "quantities"))
    places = tuple(_place(part, key) for part in entry.indices)
    if set(places) == {None}:
        raise LanguageError(f"'{key}' is not one entry", hint="Write a whole number for at least one index.")
    if not any(_is_at(layout, (entry.name, places), slot, example.samples) for slot in layout.tape.slots):
        last = max(at for name, at in layout.tape.slots if name == entry.name)
        hint = (
            f"Its indices go up to {', '.join(map(str, last))}." if last else f"'{entry.name}' has no index."
        )
        raise LanguageError(f"there is no entry {key}", hint=hint)
    return Named(entry.name, places, symbol_of(name), name)


def _place(part: Expr, key: str) -> int | None:
    if isinstance(part, Number) and part.value.denominator == 1:
        return int(part.value)
    if isinstance(part, Ref) and not part.indices:
        return None
    raise LanguageError(
        f"'{key}' is not an entry", hint="Between the brackets stand whole numbers or letters."
    )


def _is_at(layout: Layout, named: tuple[str, Places], entry: Entry, samples: int) -> bool:
    """Whether an entry of a step is at these places; samples have the numbers of the data set."""
    (name, places), (own, at) = named, entry
    dims = layout.dims.get(name, ("",) * len(at))
    return (name, len(places)) == (own, len(at)) and all(
        place in (None, here) or (dim == layout.sample and 1 <= place <= samples)
        for place, here, dim in zip(places, at, dims, strict=True)
    )


def _check_free(found: list[Named], symbols: Symbols) -> None:
    """The last name looks like no quantity and like no other name, and its entries have no other name."""
    *before, last = found
    if any(row.quantity == last.quantity and _overlap(row.places, last.places) for row in before):
        raise LanguageError(f"an entry of '{last.quantity}' has two names")
    taken = [(row.symbol, row.rank) for row in before]
    taken += [(symbol, symbols.ranks[name]) for name, symbol in symbols.table.items()]
    if symbols.is_slope(last.symbol):
        raise LanguageError("this name looks like the slope of the loss", hint="Choose another name.")
    if any(meet(last.symbol, last.rank, symbol, rank) for symbol, rank in taken):
        raise LanguageError("this name looks like another quantity or entry", hint="Choose another name.")


def _overlap(a: Places, b: Places) -> bool:
    return all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))
