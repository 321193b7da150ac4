"""Templates to text. Templates arrange blocks; they do no arithmetic, and all plain text is escaped.

They are given plain data (`derivations.formats.given`) and run in a sandbox with limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    FileSystemLoader,
    FunctionLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup

from derivations.document.blocks import Document
from derivations.formats.given import Given
from derivations.formats.sandbox import Meter, Sandbox
from derivations.language.errors import DerivationsError, SpecError
from derivations.spec.template_folder import Templates


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
    escape: Callable[[str], str],
    filters: Mapping[str, Callable[..., Any]],
    own: Templates | None = None,
    given: Given | None = None,
) -> Sandbox:
    """Jinja over the author's templates and the shipped ones; what is not marked as markup is escaped.

    With templates of an author's all work is counted and limited.
    """
    meter = Meter() if own else None
    data = given or Given()

    @pass_context  # or Jinja would escape what stands in a template itself, as HTML
    def finalize(context: Context, value: Any) -> Any:
        if meter is not None:
            meter.room(meter.weigh(value))
        found = value if isinstance(value, Markup) else Markup(escape(str(value)))
        return found if meter is None else meter.made(found)

    found = Sandbox(
        meter,
        loader=_loader(own),
        bytecode_cache=None if own else COMPILED,
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=True,  # by `finalize`; so that what a block or a macro prints is markup
        keep_trailing_newline=True,
    )
    found.filters |= {name: data.filter(work) for name, work in filters.items()} | {"raw": Markup}
    found.tests["kind"] = lambda block, name: isinstance(block, Mapping) and block.get("type") == name
    return found


def _loader(own: Templates | None) -> BaseLoader:
    """The author's folder first; ours is also there as ``shipped/…``, to be extended."""
    ours = FileSystemLoader(templates_folder())
    theirs = [FunctionLoader(lambda name: _own(own, name))] if own else []
    return ChoiceLoader([*theirs, PrefixLoader({"shipped": ours}), ours])


def _own(own: Templates, name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """A template of the author's, as it was read: its text, its place, and that it does not change."""
    return (own.text(name), own.place(name), lambda: True) if name in own else None


def filled(environment: Sandbox, template: str, own: Templates | None = None, **given: Any) -> str:
    """The text of a template; what is wrong with an author's one is a `SpecError` at its place."""
    try:
        return tidied("".join(environment.get_template(template).generate(**given)))
    except TemplateSyntaxError as fault:
        where = fault.filename or fault.name or template
        raise SpecError(f"template: {fault.message}", file=where, line=fault.lineno, column=1) from None
    except DerivationsError:
        raise
    except Exception as fault:
        place = _place(fault, own)
        if place is None:
            raise
        file, line = place
        raise SpecError(f"template: {_said(fault)}", file=file, line=line, column=1) from None


def _said(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "it calls itself, or includes itself, without end"
    return str(fault) or type(fault).__name__


def _place(fault: Exception, own: Templates | None) -> tuple[str, int] | None:
    """The line of a template of the author's at which rendering stopped; None for one of ours."""
    frames = [(one.filename, one.lineno or 1) for one in extract_tb(fault.__traceback__)]
    theirs = {own.place(name) for name, _ in own.files} if own else set()
    return next((frame for frame in reversed(frames) if frame[0] in theirs), None)


def render(
    document: Document,
    template: str,
    escape: Callable[[str], str],
    filters: Mapping[str, Callable[..., Any]],
    shapes: Sequence[type] = (),
    **more: Any,
) -> str:
    """The document, and what else is given, through a template, as plain data.

    ``shapes`` are dataclasses of the format whose fields a template may read.
    """
    data = Given(shapes)
    jinja = environment(escape, filters, document.templates, data)
    given = {name: data.of(value) for name, value in {"document": document, **more}.items()}
    return filled(jinja, template, document.templates, **given)


def tidied(text: str) -> str:
    """No blanks at the ends of lines, one empty line at most, exactly one line break at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return "\n".join(kept) + "\n"
