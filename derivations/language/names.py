"""Names as data: what is made of the author's names, put together and read apart here and nowhere else.

=====================  =======================  ==================================================
kind                   written                  fields
=====================  =======================  ==================================================
adjoint                ``dL/dw``                the loss, the quantity
what an edge adds      ``dL through y/dw``      the loss, the quantity that reads, the one that is read
after the update       ``w'``                   the quantity before
state of an optimizer  ``m_w``                  the state, the parameter
part of a formula      ``L_s1``                 the quantity whose equation it was taken out of
shifted parameter      ``wtilde``               the parameter
=====================  =======================  ==================================================

How a name is spelled (``theta_1``, ``yhat``, ``a^(1)``) is what an author says by it: `spellings`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

ACCENTS = ("hat", "bar", "tilde")


# --- adjoints -------------------------------------------------------------------------------------


def adjoint(loss: str, quantity: str) -> str:
    """The name of the adjoint of a quantity: ``dL/dw``."""
    return f"d{loss}/d{quantity}"


def adjoint_of(name: str, loss: str = "") -> str | None:
    """The quantity whose adjoint a name is, of a loss or of any: ``w`` for ``dL/dw``; else None."""
    if loss:
        prefix = adjoint(loss, "")
        return name[len(prefix) :] if name.startswith(prefix) else None
    before, slash, of = name.partition("/d")
    return of if slash and before.startswith("d") else None


def of_adjoint(name: str, loss: str) -> str:
    """The quantity whose adjoint a name is, and any other name as it is."""
    of = adjoint_of(name, loss)
    return name if of is None else of


def edge_name(loss: str, start: str, end: str) -> str:
    """The name of what an edge adds to the adjoint of the quantity that is read: an adjoint's by its form."""
    return adjoint(f"{loss} through {end}", start)


def as_words(text: str, loss: str) -> str:
    """Every adjoint in a text as one word of the same length, ``dL_dh``, which a parser takes for a name."""
    prefix = adjoint(loss, "")
    return re.sub(rf"\b{re.escape(prefix)}(?=[A-Za-z])", prefix.replace("/", "_"), text)


def from_word(word: str, loss: str) -> str:
    """The adjoint whose word of `as_words` this is, and any other word as it is."""
    prefix = adjoint(loss, "")
    begins = prefix.replace("/", "_")
    return prefix + word.removeprefix(begins) if word.startswith(begins) else word


# --- the update -----------------------------------------------------------------------------------


def after(name: str) -> str:
    """The name of a quantity after the update: ``w'``."""
    return f"{name}'"


def unprimed(name: str) -> str:
    """The name of a quantity before the update: ``w`` for ``w'`` and for ``w``."""
    return name.rstrip("'")


def primes(name: str) -> str:
    """The primes of a name."""
    return name[len(unprimed(name)) :]


def is_after(name: str) -> bool:
    """Whether a name is that of a quantity after the update."""
    return name.endswith("'")


def state_name(state: str, parameter: str) -> str:
    """The name of a quantity of the optimizer for one parameter: ``m_w``."""
    return f"{state}_{parameter}"


def made_of(name: str, ends: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What a name of `state_name` consists of, if it ends with one of these: ``v`` and ``w``."""
    for end in ends:
        if end and name.endswith(state_name("", end)):
            yield name.removesuffix(state_name("", end)), end


def second(quantity: str, loss: str = "") -> str:
    """The name of the slope of a slope of the loss: ``h_w``, and ``h_dw`` by the adjoint of ``w``."""
    of = adjoint_of(quantity, loss)
    return state_name("h", quantity if of is None else f"d{of}")


def shifted(parameter: str) -> str:
    """The name of a parameter where the gradient is taken: ``wtilde``, shown with a tilde."""
    return f"{parameter}tilde"


# --- parts of formulas ----------------------------------------------------------------------------


def part_name(owner: str, taken: Collection[str]) -> str:
    """A free name for a sum that is taken out of the equation of a quantity: ``L_s1``."""
    return next(name for k in range(1, 10_000) if (name := f"{owner}_s{k}") not in taken)


def is_part_of(name: str, owner: str) -> bool:
    """Whether a name is that of a quantity, or of a part of its formula."""
    return name == owner or re.fullmatch(rf"{re.escape(owner)}_s\d+", name) is not None


# --- spelling -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name read apart: ``theta_1`` is a word with a script below, ``yhat`` a word with an accent."""

    word: str
    accent: str = ""
    scripts: tuple[str, ...] = ()
    primes: str = ""


def raised(name: str) -> tuple[str, str]:
    """A name and what stands above it in brackets: ``a`` and ``1`` for ``a^(1)``; nothing for ``a``."""
    found = re.fullmatch(r"(\w+)\^\((\w+)\)", name)
    return (found[1], found[2]) if found else (name, "")


def spellings(name: str) -> Iterator[Spelling]:
    """The ways in which a name may be read apart, the likeliest first; whoever shows it knows the words."""
    plain, marks = unprimed(name), primes(name)
    for accent in ACCENTS:
        if found := re.fullmatch(rf"([A-Za-z]+?)_?{accent}((?:_\w+)?)", plain):
            yield Spelling(found[1], accent, _scripts(found[2]), marks)
    if found := re.fullmatch(r"([A-Za-z]+?)_?(\d*)((?:_\w+)?)", plain):
        yield Spelling(found[1], "", (*([found[2]] if found[2] else []), *_scripts(found[3])), marks)


def long_word(name: str) -> Spelling | None:
    """A word of several letters with scripts behind a line: ``net_h1``."""
    word, _, scripts = unprimed(name).partition("_")
    return Spelling(word, "", _scripts(scripts), primes(name)) if word.isalpha() and scripts else None


def _scripts(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split("_") if each)
