"""What a language needs to say formulas aloud: one value of `Phrases` is one language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language; ``{}`` are the parts, in the order of the mathematics.

    Every phrase that holds more than an entry has words of its own at its end, so that a listener hears
    where it ends; commas are pauses and carry no meaning. ``small`` are the whole numbers that are said
    as words, from zero on. ``functions`` are names by the row of the catalogue: a name, which stands in
    ``apply``, or a phrase of its own with ``{}``; a row that is missing is called as it is printed.
    ``joints`` are patterns of words that change where they meet, with what they become, ``de le`` to ``du``.
    ``has_rows`` is whether the rows speak this language themselves, ``spaced`` whether words stand apart.
    """

    small: str
    point: str
    plus: str
    minus: str
    negative: str
    times: str
    over: str
    fraction: str
    quantity: str
    sub: str
    comma: str
    index: str
    next_index: str
    squared: str
    cubed: str
    power: str
    transpose: str
    apply: str
    argument: str
    arguments: str
    sum: str
    end_sum: str
    largest: str
    end_largest: str
    norm: str
    same: str
    chosen: str
    derivative: str
    derivative_of: str
    gradient: str
    delta: str
    above: str
    ones: str
    dots: str
    entrywise_times: str
    entrywise_over: str
    equals: str
    approximately: str
    becomes: str
    prime: str
    capital: str
    variant: str
    dot: str
    name: str
    accents: Mapping[str, str]
    greek: str
    functions: Mapping[str, str] = field(default_factory=dict)
    joints: Mapping[str, str] = field(default_factory=dict)
    has_rows: bool = False
    spaced: bool = True

    @cached_property
    def numerals(self) -> tuple[str, ...]:
        """The words for small whole numbers, from zero on."""
        return tuple(self.small.split())

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the phrases and every letter's name: a quantity called like this needs more words."""
        own = [getattr(self, part.name) for part in fields(self)]
        texts = [part for part in own if isinstance(part, str)] + list(self.accents.values())
        return frozenset(re.findall(r"\w+", " ".join(texts).lower()))
