"""``course.toml`` as its author writes it, validated."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, field_validator

from derivations.courses.finding import near, one_line
from derivations.formats.table import BY_NAME
from derivations.language.errors import SpecError, nearest
from derivations.spec.spec import Source, broken_toml
from derivations.spec.tables import LanguageCode, Strict


class CourseTable(Strict):
    """What a course may say about itself."""

    title: Annotated[
        str, StringConstraints(min_length=1, max_length=300), Field(description="Heading of the index.")
    ] = "Course"
    formats: Annotated[
        tuple[str, ...], Field(description="Formats of every page, unless --format says.")
    ] = ()
    order: Annotated[
        tuple[str, ...], Field(description='Pages and folders in order, as ["week1/sgd", "week2"].')
    ] = ()

    language: Annotated[
        LanguageCode | None,
        Field(description="Language of the index; if left out, that of its pages."),
    ] = None

    @field_validator("title")
    @classmethod
    def _plain(cls, title: str) -> str:
        return one_line(title)

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for name in formats:
            if name not in BY_NAME:
                raise ValueError(f"unknown format '{name}'. {nearest(name, BY_NAME, 'formats')}")
        return tuple(dict.fromkeys(formats))


def read_table(file: Path) -> CourseTable:
    """The table of a course; raises `SpecError` with line and column."""
    try:
        source = Source(file.read_text(encoding="utf-8-sig"), str(near(file)))
    except (OSError, UnicodeDecodeError) as fault:
        raise SpecError(f"cannot read this file: {fault}", file=str(near(file))) from None
    try:
        return CourseTable.model_validate(tomllib.loads(source.text))
    except ValidationError as fault:
        raise _explained(fault, source) from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise broken_toml(fault, source) from None


def _explained(fault: ValidationError, source: Source) -> SpecError:
    error = fault.errors()[0]
    path, key = error["loc"], str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        hint = nearest(key, CourseTable.model_fields, "keys of a course")
        return source.error(f"unknown key '{key}'", *path, hint=hint)
    message = error["msg"].removeprefix("Value error, ")
    return source.error(f"{'.'.join(map(str, path))}: {message[0].lower()}{message[1:]}", *path)
