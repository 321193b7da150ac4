"""Templates to text. Templates arrange blocks; they do no arithmetic, and all plain text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from derivations.document.blocks import Document
from derivations.language.errors import DerivationsError, SpecError


def templates_folder() -> Path:
    """The shipped templates: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


class Compiled(BytecodeCache):
    """Templates that were compiled before in this process; Jinja sees to it that their text is the same."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was compiled under a key, if anything."""
        if bucket.key in self.known:
            bucket.bytecode_from_string(self.known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.known[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def environment(
    escape: Callable[[str], str], filters: Mapping[str, Callable[..., Any]], own: Path | None = None
) -> ImmutableSandboxedEnvironment:
    """Jinja over the author's templates and the shipped ones; what is not marked as markup is escaped."""

    @pass_context  # or Jinja would escape what stands in a template itself, as HTML
    def finalize(context: Context, value: Any) -> Any:
        return value if isinstance(value, Markup) else Markup(escape(str(value)))

    found = ImmutableSandboxedEnvironment(
        loader=_loader(own),
        bytecode_cache=COMPILED,
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=True,  # by `finalize`; so that what a block or a macro prints is markup
        keep_trailing_newline=True,
    )
    found.filters |= dict(filters) | {"raw": Markup}
    found.tests["kind"] = lambda block, name: type(block).__name__ == name
    return found


def _loader(own: Path | None) -> BaseLoader:
    """The author's folder first; ours is also there as ``shipped/…``, to be extended."""
    ours = FileSystemLoader(templates_folder())
    theirs = [FileSystemLoader(own)] if own else []
    return ChoiceLoader([*theirs, PrefixLoader({"shipped": ours}), ours])


def filled(environment: ImmutableSandboxedEnvironment, template: str, **given: Any) -> str:
    """The text of a template; what is wrong with an author's one is a `SpecError` at its place."""
    try:
        return tidied(environment.get_template(template).render(**given))
    except TemplateSyntaxError as fault:
        where = fault.filename or fault.name or template
        raise SpecError(f"template: {fault.message}", file=where, line=fault.lineno, column=1) from None
    except DerivationsError:
        raise
    except Exception as fault:
        place = _place(fault, environment)
        if place is None:
            raise
        file, line = place
        message = f"template: {fault or type(fault).__name__}"
        raise SpecError(message, file=file, line=line, column=1) from None


def _place(fault: Exception, environment: ImmutableSandboxedEnvironment) -> tuple[str, int] | None:
    """The line of a template of the author's at which rendering stopped; None for one of ours."""
    frames = [(one.filename, one.lineno or 1) for one in extract_tb(fault.__traceback__)]
    ours = str(templates_folder())
    found = [(file, line) for file, line in frames if file.endswith(".j2")]
    return next((at for at in reversed(found) if not at[0].startswith(ours)), None)


def render(
    document: Document,
    template: str,
    escape: Callable[[str], str],
    filters: Mapping[str, Callable[..., Any]],
    **given: Any,
) -> str:
    """The document, and what else is given, through a template."""
    return filled(environment(escape, filters, document.templates), template, document=document, **given)


def tidied(text: str) -> str:
    """No blanks at the ends of lines, one empty line at most, exactly one line break at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return "\n".join(kept) + "\n"
