"""The symbols that an author gave to names: ``[page.notation]`` against the quantities of an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from derivations.language.errors import LanguageError, nearest
from derivations.language.names import made_of, raised, shifted
from derivations.language.tree import FRESH, refs
from derivations.model.example import Example
from derivations.notation.symbols import ACCENTS, Symbol, Symbols, meet, symbol_of
from derivations.spec.spec import Source, check_name

COUNT = "n"  # the key for the number of samples
CLOCK = "t"  # the number of the step, which some optimizers read


@dataclass(frozen=True)
class Renaming:
    """The symbols of renamed quantities, the key of the spec that gave each, and letters of indices."""

    symbols: Mapping[str, Symbol] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    counting: str = ""
    letters: Mapping[str, str] = field(default_factory=dict)


def renaming_of(example: Example, ranks: Mapping[str, int]) -> Renaming:
    """What ``[page.notation]`` renames, with what belongs to it.

    Where ``w`` is θ, the state ``v_w`` is v with the subscript θ; a key ``v`` names the states of every
    parameter, a key ``lr`` the learning rates of every group.
    """
    given = dict(example.spec.page.notation.symbols)
    counting = "" if COUNT in ranks else given.pop(COUNT, "")
    letters = {key: given.pop(key) for key in _letters(example) & given.keys() - ranks.keys()}
    spelling = _spelling(example)
    given = {key if key in ranks else spelling.get(key, key): text for key, text in given.items()}
    words = {own: word for word, own in spelling.items() if word in example.spec.page.notation.symbols}
    symbols: dict[str, Symbol] = {}
    keys: dict[str, str] = {}
    for name in ranks:
        for symbol, key in _own(name, given, example):
            symbols[name], keys[name] = symbol, words.get(key, key)
    if given or letters:
        stems = {(symbols.get(name) or symbol_of(name)).stem for name in ranks}
        letters |= _moved(letters, _letters(example), {*ranks}, {*stems, counting or COUNT})
    return Renaming(symbols, keys, counting, letters)


def _spelling(example: Example) -> dict[str, str]:
    """Other words for the hyper-parameters of the optimizer, those that say one of them."""
    return {word: names[0] for word, names in example.rule.row.words.items() if len(names) == 1}


def _moved(
    letters: Mapping[str, str], own: set[str], names: set[str], symbols: set[str]
) -> Mapping[str, str]:
    """Other letters for indices that a derivation may bring, where the author gave theirs away.

    The number of the step is no index: it keeps its letter, and no index gets it.
    """
    taken = symbols | {CLOCK} | {letters.get(name, name) for name in own}
    alphabet = list(dict.fromkeys("klm" + FRESH))
    found: dict[str, str] = {}
    for name in (name for name in alphabet if name not in own | names | {CLOCK}):
        free = [letter for letter in (name, *alphabet) if letter not in taken]
        if free:
            found[name] = free[0]
            taken.add(free[0])
    return {name: letter for name, letter in found.items() if name != letter}


def _own(name: str, given: Mapping[str, str], example: Example) -> Iterator[tuple[Symbol, str]]:
    """The symbol of a name and its key, if the author gave one to it or to what it is made of."""
    if name in given:
        yield symbol_of(given[name]), name
        return
    for parameter in example.start:
        own = symbol_of(given.get(parameter, parameter))
        if name == shifted(parameter) and parameter in given and " " not in own.stem:
            yield replace(own, stem=f"{ACCENTS['tilde']} {own.stem}"), parameter
    quantities = {*example.forward.targets, *example.data, *example.start}
    for base, below in _made_of(name, example):
        is_base = base in given and base not in quantities
        if is_base or below in given:
            own = symbol_of(given[base] if is_base else base)
            script = symbol_of(given[below]) if below in given else below
            yield replace(own, subscripts=(*own.subscripts, script)), base if is_base else below


def _made_of(name: str, example: Example) -> Iterator[tuple[str, str]]:
    """What the name of a quantity of the update consists of: ``v`` and ``w``, ``lr`` and the group ``1``."""
    if name in {*example.forward.targets, *example.data, *example.start}:
        return
    ends = dict.fromkeys([*example.start, *(group.suffix.strip("_") for group in example.rule.groups)])
    yield from made_of(name, ends)


def check_notation(example: Example, source: Source, symbols: Symbols, renaming: Renaming) -> None:
    """Raise `SpecError` at a key that means nothing, or at a symbol that looks like another one."""
    given = example.spec.page.notation.symbols
    known = {*symbols.ranks, COUNT, *(base for name in symbols.ranks for base, _ in _made_of(name, example))}
    known |= {word for word, own in _spelling(example).items() if own in known}
    for key, text in given.items():
        try:
            if key in renaming.letters:
                _check_letter(key, symbols, example)
                continue
            if key not in known:
                raise LanguageError(f"unknown name '{key}'", hint=nearest(key, known, "quantities"))
            check_name(raised(text)[0])
            if key == COUNT and renaming.counting:
                _check_count(renaming.counting, symbols, example)
        except LanguageError as fault:
            raise source.error(fault.message, "page", "notation", "symbols", key, hint=fault.hint) from None
    for name, key in renaming.keys.items():
        if other := _like(name, symbols, example):
            message = f"this symbol looks like {other}"
            raise source.error(message, "page", "notation", "symbols", key, hint="Choose another symbol.")


def _letters(example: Example) -> set[str]:
    """The letters of all indices; a twin ``i1`` has that of its index."""
    return {name[0] for name in example.forward.indices | example.backward.indices | example.update.indices}


def _shown_letters(symbols: Symbols, example: Example) -> set[str]:
    return set(map(symbols.letter, _letters(example)))


def _check_letter(key: str, symbols: Symbols, example: Example) -> None:
    """The new letter of an index is one letter and that of nothing else, as the page shows it."""
    letter = symbols.letters[key]
    if len(letter) != 1:
        raise LanguageError("the symbol of an index is one letter", hint=f'As in {key} = "k".')
    if same := next((other for other in _letters(example) - {key} if symbols.letter(other) == letter), ""):
        hint = f'Give that one another letter too, as in {{ {key} = "{letter}", {same} = "{key}" }}.'
        raise LanguageError(f"this symbol looks like the index '{same}'", hint=hint)
    for name, own in symbols.table.items():
        if own.stem == letter:
            raise LanguageError(f"this symbol looks like that of '{name}'", hint="Choose another letter.")
    if letter == symbols.count:
        hint = 'That can have another letter too, as in n = "N".'
        raise LanguageError(f"'{letter}' is the number of samples", hint=hint)
    if CLOCK in (key, letter) and any(ref.name == CLOCK for eq in example.update for ref in refs(eq.body)):
        raise LanguageError(f"'{CLOCK}' is the number of the step", hint="Choose another letter.")


def _check_count(letter: str, symbols: Symbols, example: Example) -> None:
    if len(letter) != 1:
        raise LanguageError("the number of samples is one letter", hint='As in n = "N".')
    if letter in _shown_letters(symbols, example) or any(
        own.stem == letter for own in symbols.table.values()
    ):
        raise LanguageError(f"this symbol looks like another '{letter}'", hint="Choose another letter.")


def _like(name: str, symbols: Symbols, example: Example) -> str:
    """What a renamed quantity looks like; empty if nothing does."""
    own, rank = symbols.wanted(name), symbols.ranks[name]
    if symbols.is_slope(own):
        return "the slope of the loss"
    if len(own.stem) == 1 and own.stem in _shown_letters(symbols, example) and own == Symbol(own.stem):
        return f"the index '{own.stem}'"
    for other, size in symbols.ranks.items():
        wanted = symbols.wanted(other)
        if other != name and (meet(own, rank, wanted, size) or own.spelled == wanted.spelled):
            return f"that of '{other}'"
    return ""
