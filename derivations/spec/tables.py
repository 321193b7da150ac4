"""``[page]`` of a spec: what a page shows and how it prints numbers; and the types of fields of a spec."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from derivations.language.errors import nearest
from derivations.notation.languages import LANGUAGES, code_of
from derivations.spec.keywords import Part

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,30}$")]
SYMBOL = r"^[A-Za-z][A-Za-z0-9_]{0,30}(\^\([A-Za-z0-9]{1,3}\))?$"  # with a number above: a^(1)
Folder = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00.][^/\\\x00]{0,60}$")]
Positive = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """A table of a spec: unknown keys are refused, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PARTS: tuple[str, ...] = get_args(Part)
FOOTER = "footer"  # the last line, with the versions: on every page that does not hide it


def _language(code: Any) -> str:
    found = code_of(code) if isinstance(code, str) else ""
    if found not in LANGUAGES:
        raise ValueError(f"unknown language. {nearest(found, LANGUAGES, 'languages')}")
    return found


LanguageCode = Annotated[str, BeforeValidator(_language), WithJsonSchema({"enum": sorted(LANGUAGES)})]


def _symbol(text: Any) -> Any:
    if not isinstance(text, str) or not re.fullmatch(SYMBOL, text):
        raise ValueError('expected a symbol such as "theta_1", "yhat" or "a^(1)"')
    return text


class NotationTable(Strict):
    """``[page.notation]``: how a page writes the names of a spec; its code and its JSON keep them."""

    symbols: Annotated[
        dict[Name, Annotated[str, StringConstraints(pattern=SYMBOL), BeforeValidator(_symbol)]],
        Field(description='Symbols for names, as { w = "theta_1", h1 = "a^(1)", n = "N", i = "k" }.'),
    ] = {}
    derivative: Annotated[
        Literal["partial", "nabla", "delta"],
        Field(description="The slope of the loss by w: ∂L/∂w, ∇_w L or δ_w."),
    ] = "partial"
    logarithm: Annotated[Literal["ln", "log"], Field(description="The name of the natural logarithm.")] = "ln"
    vectors: Annotated[
        Literal["row", "column"],
        Field(description="In matrix form, whether a sample is a row (X Wᵀ) or a column (W X)."),
    ] = "row"


class PageTable(Strict):
    """``[page]``: what a page shows, and how it prints numbers. What is left out is verified all the same."""

    digits: Annotated[int, Field(ge=0, le=50, description="Decimal places.")] = 6
    significant: Annotated[
        int | None, Field(ge=1, le=50, description="Significant digits, instead of decimal places.")
    ] = None
    steps: Annotated[
        Positive | Annotated[tuple[Positive, ...], Field(min_length=1)] | None,
        Field(description="The steps that are shown, [1, 2, 10000], or how many of the first, and the last."),
    ] = None
    detail: Annotated[
        Literal["brief", "standard", "full"],
        Field(
            description="brief: results, and the working of loss, gradients and update; full: every scalar."
        ),
    ] = "standard"
    show: Annotated[
        tuple[Part, ...] | None, Field(description="The parts that are shown; all if left out.")
    ] = None
    hide: Annotated[
        tuple[Part | Literal["footer"], ...],
        Field(description='Parts that are left out; "footer" is the last line, with the versions.'),
    ] = ()
    names: Annotated[
        dict[str, Name], Field(description='Names of entries, as "W[1, 1]" = "w1" or "z[i, 2]" = "net_h2".')
    ] = {}

    notation: Annotated[NotationTable, Field(description="The author's own symbols and signs.")] = (
        NotationTable()
    )
    language: Annotated[
        LanguageCode, Field(description="The language of the page; zh is Simplified Chinese.")
    ] = "en"
    templates: Annotated[
        Folder | None,
        Field(description="A folder of templates of your own, beside the spec or in a folder above it."),
    ] = None
    exercises: Annotated[
        bool, Field(description="Set every step after the first as an exercise; its solution is folded.")
    ] = False

    interactive: Annotated[
        bool, Field(description="Whether an HTML page has a part where one plays with its numbers.")
    ] = True

    @model_validator(mode="after")
    def _one_list_of_parts(self) -> PageTable:
        if self.show is not None and set(self.hide) - {FOOTER}:
            raise ValueError("either 'show' lists the parts of the page or 'hide' those left out, not both")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the page shows, in its order."""
        wanted = PARTS if self.show is None else self.show
        return tuple(part for part in PARTS if part in wanted and part not in self.hide)

    @property
    def footer(self) -> bool:
        """Whether the page ends with the versions that made it."""
        return FOOTER not in self.hide


# --- ``[model]`` of a spec: layers, equations, the loss ---------------------------------------


class ModelTable(Strict):
    """``[model]``: the equations, one a line, from the data to the loss."""

    equations: Annotated[str, Field(description="One equation a line; the last one is the loss.")]
    loss: Annotated[Name | None, Field(description="What is trained on, if it is not the last equation.")] = (
        None
    )
    layers: Annotated[
        tuple[str, ...],
        Field(description='Layers that stand before the equations: ["Linear(2, 3)", "Tanh()"].'),
    ] = ()
    input: Annotated[Name, Field(description="What the first layer reads.")] = "x"
    output: Annotated[Name, Field(description="The name of what the last layer computes.")] = "yhat"
    seed: Annotated[
        int, Field(ge=0, description="Draws the start values of the layers that are not given.")
    ] = 1
    ranges: Annotated[
        dict[Name, Positive],
        Field(description="How many values an index takes, where no array says it: { t = 4 }."),
    ] = Field(default_factory=dict)
