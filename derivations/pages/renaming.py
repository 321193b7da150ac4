"""The symbols that an author gave to names: ``[page.notation]`` against the quantities of an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from derivations.examples.example import Example
from derivations.examples.spec import Source, check_name
from derivations.examples.update import shifted
from derivations.language.errors import LanguageError, nearest
from derivations.notation.symbols import ACCENTS, Symbol, Symbols, meet, symbol_of

COUNT = "n"  # the key for the number of samples


@dataclass(frozen=True)
class Renaming:
    """The symbols of renamed quantities, and for each the key of the spec that gave it."""

    symbols: Mapping[str, Symbol] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    counting: str = ""


def renaming_of(example: Example, ranks: Mapping[str, int]) -> Renaming:
    """What ``[page.notation]`` renames, with what belongs to it.

    Where ``w`` is θ, the state ``v_w`` is v with the subscript θ; a key ``v`` names the states of every
    parameter, a key ``lr`` the learning rates of every group.
    """
    given = dict(example.spec.page.notation.symbols)
    counting = "" if COUNT in ranks else given.pop(COUNT, "")
    spelling = example.rule.row.spelling
    given = {key if key in ranks else spelling.get(key, key): text for key, text in given.items()}
    words = {own: word for word, own in spelling.items() if word in example.spec.page.notation.symbols}
    symbols: dict[str, Symbol] = {}
    keys: dict[str, str] = {}
    for name in ranks:
        for symbol, key in _own(name, given, example):
            symbols[name], keys[name] = symbol, words.get(key, key)
    return Renaming(symbols, keys, counting)


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
    yield from ((name.removesuffix(f"_{end}"), end) for end in ends if end and name.endswith(f"_{end}"))


def check_notation(example: Example, source: Source, symbols: Symbols, renaming: Renaming) -> None:
    """Raise `SpecError` at a key that means nothing, or at a symbol that looks like another one."""
    given = example.spec.page.notation.symbols
    known = {*symbols.ranks, COUNT, *(base for name in symbols.ranks for base, _ in _made_of(name, example))}
    known |= {word for word, own in example.rule.row.spelling.items() if own in known}
    for key, text in given.items():
        try:
            if key not in known:
                _unknown(key, known, example)
            check_name(text.partition("^")[0])
            if key == COUNT and renaming.counting:
                _check_count(renaming.counting, symbols, example)
        except LanguageError as fault:
            raise source.error(fault.message, "page", "notation", "symbols", key, hint=fault.hint) from None
    for name, key in renaming.keys.items():
        if other := _like(name, symbols, example):
            message = f"this symbol looks like {other}"
            raise source.error(message, "page", "notation", "symbols", key, hint="Choose another symbol.")


def _unknown(key: str, known: set[str], example: Example) -> None:
    if key in example.forward.indices:
        hint = "Write another letter in the equations; it has no other meaning."
        raise LanguageError(f"'{key}' is an index", hint=hint)
    raise LanguageError(f"unknown name '{key}'", hint=nearest(key, known, "quantities"))


def _letters(example: Example) -> frozenset[str]:
    return example.forward.indices | example.backward.indices | example.update.indices


def _check_count(letter: str, symbols: Symbols, example: Example) -> None:
    if len(letter) != 1:
        raise LanguageError("the number of samples is one letter", hint='As in n = "N".')
    if letter in _letters(example) or any(own.stem == letter for own in symbols.table.values()):
        raise LanguageError(f"this symbol looks like another '{letter}'", hint="Choose another letter.")


def _like(name: str, symbols: Symbols, example: Example) -> str:
    """What a renamed quantity looks like; empty if nothing does."""
    own, rank = symbols.wanted(name), symbols.ranks[name]
    if symbols.is_slope(own):
        return "the slope of the loss"
    if len(own.stem) == 1 and own.stem in _letters(example) and own == Symbol(own.stem):
        return f"the index '{own.stem}'"
    for other, size in symbols.ranks.items():
        wanted = symbols.wanted(other)
        if other != name and (meet(own, rank, wanted, size) or own.spelled == wanted.spelled):
            return f"that of '{other}'"
    return ""
