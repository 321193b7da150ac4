"""What a symbol of a page means, once its scripts are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from derivations.language.tree import Count, Expr, Ref
from derivations.notation.numerals import Unreadable
from derivations.notation.symbols import Symbol, Symbols

Scripts: TypeAlias = list[list[str]]
Indices: TypeAlias = Callable[[Scripts], "tuple[Expr, ...] | None"]


@dataclass(frozen=True)
class Raised:
    """What stands above a symbol in brackets, and of how many tokens it is made."""

    text: str = ""
    length: int = 0


def raised(tokens: Sequence[str]) -> Raised:
    """The number or name in ``^{(1)}`` with which tokens begin; empty for a power."""
    inside: list[str] = []
    if list(tokens[:3]) == ["^", "{", "("] and ")" in tokens:
        inside = list(tokens[3 : tokens.index(")")])
    length = len(inside) + 5
    if not inside or not all(part.isalnum() for part in inside) or tokens[length - 1 : length] != ["}"]:
        return Raised()
    return Raised("".join(inside), length)


def _is_array(index: Expr, symbols: Symbols) -> bool:
    """Whether what stands below is a whole array: the script of a name, as in the state v_W, no index."""
    return isinstance(index, Ref) and symbols.ranks.get(index.name, 0) > len(index.indices)


def meaning(symbols: Symbols, shown: Symbol, scripts: Scripts, indices: Indices) -> Expr:
    """The entry, array, number of samples or index that a symbol with these scripts means.

    ``indices`` reads scripts as indices, None where they are words. Raises `Unreadable`.
    """
    texts, primes = tuple("".join(part) for part in scripts), shown.primes
    for given in dict.fromkeys((primes, "")):
        for own in range(len(texts), -1, -1):
            symbol = replace(shown, subscripts=texts[:own], primes=given)
            means = symbols.means(symbol, len(texts) - own)
            at = indices(scripts[own:]) if means else None
            if means and at is not None and not any(_is_array(one, symbols) for one in at):
                found = means(at)
                return Ref(found.name + primes[len(given) :], found.indices)
        if name := symbols.whole(replace(shown, subscripts=texts, primes=given)):
            return Ref(name + primes[len(given) :])
    if not primes and not shown.above and len(texts) <= 1:
        if shown.stem == symbols.count:
            return Count(symbols.index(texts[0]) if texts else symbols.sample or "")
        if len(shown.stem) == 1 and (not texts or texts[0].isdigit()):
            return Ref("".join((symbols.index(shown.stem), *texts)))  # an index, or the twin of one
    raise Unreadable(f"unknown symbol '{shown.stem}{primes}' with subscripts {texts}")
