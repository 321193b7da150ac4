"""Templates to text. Templates arrange blocks; they do no arithmetic, and all plain text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from derivations.pages.blocks import Document


def templates_folder() -> Path:
    """The shipped templates: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def environment(
    escape: Callable[[str], str], filters: Mapping[str, Callable[..., Any]]
) -> ImmutableSandboxedEnvironment:
    """Jinja over the shipped templates; what is not marked as markup is escaped."""

    def finalize(value: Any) -> Any:
        return value if isinstance(value, Markup) else escape(str(value))

    found = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        finalize=finalize,
        keep_trailing_newline=True,
    )
    found.filters |= dict(filters) | {"raw": Markup}
    found.tests["kind"] = lambda block, name: type(block).__name__ == name
    return found


def render(
    document: Document,
    template: str,
    escape: Callable[[str], str],
    filters: Mapping[str, Callable[..., Any]],
    **given: Any,
) -> str:
    """The document, and what else is given, through a template."""
    return tidied(environment(escape, filters).get_template(template).render(document=document, **given))


def tidied(text: str) -> str:
    """No blanks at the ends of lines, one empty line at most, exactly one line break at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return "\n".join(kept) + "\n"
