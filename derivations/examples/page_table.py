"""``[page]`` of a spec: what a page shows and how it prints numbers; and the types of fields of a spec."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,30}$")]
SIMPLIFIED = ("zh_Hans", "zh-Hans", "zh_CN", "zh-CN")  # other codes of the same language
Folder = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00.][^/\\\x00]{0,60}$")]
Positive = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """A table of a spec: unknown keys are refused, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Part = Literal[
    "problem", "quantities", "gradient", "matrix", "steps", "summary", "program", "checks", "figures"
]
PARTS: tuple[str, ...] = get_args(Part)


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
        Field(description="brief: results only; full: every rule and every scalar."),
    ] = "standard"
    show: Annotated[
        tuple[Part, ...] | None, Field(description="The parts that are shown; all if left out.")
    ] = None
    hide: Annotated[tuple[Part, ...], Field(description="Parts that are left out.")] = ()
    names: Annotated[
        dict[str, Name], Field(description='Names of entries, as "W[1, 1]" = "w1" or "z[i, 2]" = "net_h2".')
    ] = {}

    language: Annotated[
        Literal["en", "de", "fr", "es", "zh"],
        BeforeValidator(lambda code: "zh" if code in SIMPLIFIED else code),
        Field(description="The language of the page; zh is Simplified Chinese."),
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
        if self.show is not None and self.hide:
            raise ValueError("either 'show' lists the parts of the page or 'hide' those left out, not both")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the page shows, in its order."""
        wanted = PARTS if self.show is None else self.show
        return tuple(part for part in PARTS if part in wanted and part not in self.hide)
