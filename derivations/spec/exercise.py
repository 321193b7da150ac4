"""``[exercise]`` of a spec: what varies over which values, what is asked, how many variants, which seed."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from derivations.spec.exact import exact
from derivations.spec.tables import Name, Strict

MOST_VARIANTS, MOST_VALUES = 100_000, 1_000


class Range(Strict):
    """``{ from = -2, to = 2, step = 0.5 }``: both ends belong to it."""

    first: Annotated[Any, BeforeValidator(exact), Field(alias="from", description="The smallest value.")]
    last: Annotated[Any, BeforeValidator(exact), Field(alias="to", description="The largest value.")]
    step: Annotated[Any, BeforeValidator(exact), Field(description="From one to the next.")] = Fraction(1)

    @model_validator(mode="after")
    def _has_values(self) -> Range:
        ends = self.first, self.last, self.step
        if not all(isinstance(end, Fraction) for end in ends):
            raise ValueError("expected numbers, as in { from = -2, to = 2, step = 0.5 }")
        if self.step <= 0 or self.first > self.last:
            raise ValueError("has no value: 'from' is the smaller end, 'step' is more than 0")
        if (self.last - self.first) / self.step >= MOST_VALUES:
            raise ValueError(f"has more than {MOST_VALUES} values")
        return self

    def values(self) -> tuple[Fraction, ...]:
        """From the first to the last."""
        count = int((self.last - self.first) / self.step) + 1
        return tuple(self.first + k * self.step for k in range(count))


def _domain(value: Any) -> Any:
    """The values of a domain: numbers, or whole arrays as nested tuples."""
    if isinstance(value, dict):
        return Range.model_validate(value).values()
    found = exact(value)
    if not isinstance(found, tuple) or not found or any(isinstance(each, str) for each in found):
        raise ValueError("expected a list of values, or { from = -2, to = 2, step = 0.5 }")
    if len(found) > MOST_VALUES:
        raise ValueError(f"has more than {MOST_VALUES} values")
    return tuple(dict.fromkeys(found))


_VALUES = {"type": "array", "minItems": 1, "items": {"type": ["number", "string", "array"]}}
Domain = Annotated[
    Any,
    BeforeValidator(_domain),
    WithJsonSchema({"anyOf": [_VALUES, Range.model_json_schema()]}),
]


class ExerciseTable(Strict):
    """``[exercise]``: the variants of a spec, and what is asked of each."""

    vary: Annotated[
        dict[Name, Domain],
        Field(description="Data, start values and hyper-parameters, each with the values that it may take."),
    ] = Field(default_factory=dict)
    ask: Annotated[
        tuple[str, ...],
        Field(description='Quantities, as "dL/dw" and "w\'"; the gradients and new parameters if left out.'),
    ] = ()
    steps: Annotated[int, Field(ge=1, le=100, description="How many steps are worked; each is asked.")] = 1
    count: Annotated[int, Field(ge=1, le=MOST_VARIANTS, description="How many variants.")] = 10
    seed: Annotated[int, Field(ge=0, description="Which variants: the same seed gives the same ones.")] = 1
    decimals: Annotated[
        int, Field(ge=0, le=12, description="Every value on the way has at most so many decimal places.")
    ] = 4
    places: Annotated[
        int, Field(ge=0, le=12, description="Answers that do not end are asked to so many decimal places.")
    ] = 3
    slips: Annotated[
        tuple[str, ...] | None, Field(description="The mistakes that are recognized; all if left out.")
    ] = None
    options: Annotated[int, Field(ge=0, le=8, description="Wrong options beside the right one.")] = 4
