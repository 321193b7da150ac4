r"""Names of the spec as mathematical symbols, and back.

``yhat`` is :math:`\hat y`, ``lr`` is :math:`\eta`, ``w_1`` has a subscript, ``loss`` is upright.
The mapping of one example is one-to-one, so that a finished page can be read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

LOWER = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi
    pi rho sigma tau upsilon phi chi psi omega"""
GREEK = tuple(f"{LOWER} Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split())
SPECIAL = {"lr": r"\eta", "eps": r"\varepsilon", "lam": r"\lambda"}
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}


@dataclass(frozen=True, slots=True)
class Symbol:
    r"""A stem such as ``\hat y`` or ``w``, fixed subscripts, and primes for "after the update"."""

    stem: str
    subscripts: tuple[str, ...] = ()
    primes: str = ""


def symbol_of(name: str) -> Symbol:
    """The symbol that a name suggests, taken alone."""
    plain = name.rstrip("'")
    primes = name[len(plain) :]
    for accent, command in ACCENTS.items():
        found = re.fullmatch(rf"([A-Za-z]+?)_?{accent}((?:_\w+)?)", plain)
        if found and (stem := _stem(found[1])):
            return Symbol(f"{command} {stem}", _subscripts(found[2]), primes)
    found = re.fullmatch(r"([A-Za-z]+?)_?(\d*)((?:_\w+)?)", plain)
    if found and (stem := _stem(found[1])):
        return Symbol(stem, (*([found[2]] if found[2] else []), *_subscripts(found[3])), primes)
    return upright(name)


def upright(name: str) -> Symbol:
    """A name spelled out in upright letters; ``_`` is shown as a dot, which no name contains."""
    plain = name.rstrip("'")
    return Symbol(rf"\mathrm{{{plain.replace('_', '.')}}}", (), name[len(plain) :])


def _stem(word: str) -> str:
    if word in SPECIAL:
        return SPECIAL[word]
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 else ""


def _subscripts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("_") if part)


@dataclass(frozen=True)
class Symbols:
    """The symbols of one example: quantities, and the letter for the number of samples."""

    names: tuple[str, ...]
    loss: str
    sample: str | None

    @cached_property
    def table(self) -> dict[str, Symbol]:
        """The symbol of each name; two names never share one."""
        found: dict[str, Symbol] = {}
        for name in self.names:
            wanted = symbol_of(name)
            found[name] = upright(name) if wanted in found.values() else wanted
        return found

    @cached_property
    def names_by_symbol(self) -> dict[Symbol, str]:
        """The inverse of ``table``."""
        return {symbol: name for name, symbol in self.table.items()}

    @cached_property
    def count(self) -> str:
        """The letter for the number of samples in a batch: ``n``, unless a quantity has that name."""
        return next(letter for letter in ("n", "N", "m", "M", "K") if letter not in self.names)

    def of(self, name: str) -> Symbol:
        """The symbol of a quantity, before or after the update."""
        if name in self.table:
            return self.table[name]
        base = self.table.get(name.rstrip("'")) or symbol_of(name.rstrip("'"))
        return Symbol(base.stem, base.subscripts, base.primes + "'" * name.count("'"))

    def adjoint(self, name: str) -> str | None:
        """The quantity whose adjoint a name is: ``w`` for ``dL/dw``."""
        prefix = f"d{self.loss}/d"
        return name[len(prefix) :] if name.startswith(prefix) else None


def symbols(names: Iterable[str], loss: str, sample: str | None) -> Symbols:
    """The symbols of an example with these quantities."""
    return Symbols(tuple(dict.fromkeys(names)), loss, sample)
