"""A spec with other keys in its ``[page]``: as a directive, a command or a program asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from derivations.examples.page_table import PageTable
from derivations.examples.spec import Spec
from derivations.language.errors import SpecError, nearest


def with_page(spec: Spec, page: Mapping[str, Any]) -> Spec:
    """The spec with other keys in its ``[page]``; ``show`` replaces ``hide`` and the other way round.

    Raises `SpecError` for a key or a value that ``[page]`` does not have.
    """
    if not page:
        return spec
    given = spec.page.model_dump(exclude_unset=True)
    for key, other in (("show", "hide"), ("hide", "show")):
        if key in page:
            given.pop(other, None)
    try:
        found = PageTable.model_validate({**given, **page})
    except ValidationError as fault:
        error = fault.errors()[0]
        key = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            hint = nearest(key, PageTable.model_fields, "keys of [page]")
            raise SpecError(f"unknown key '{key}' of the page", hint=hint) from None
        raise SpecError(f"page.{key}: {error['msg'][0].lower()}{error['msg'][1:]}") from None
    return spec.model_copy(update={"page": found})
