"""The command line. Status 0: written and verified; 1: a check failed; 2: bad usage or a bad spec."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from derivations import __version__
from derivations.cache import key, recall, remember, write_atomically
from derivations.catalogue.table import rows
from derivations.examples.gallery import find, names, titles
from derivations.examples.specimen import SPECIMEN
from derivations.language.errors import DerivationsError, SpecError, nearest
from derivations.pages.formats import BY_NAME, DEFAULT

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Worked examples of how models learn, proved and verified line by line.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"derivations {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def build(
    specs: Annotated[list[str], typer.Argument(help="Spec files, or names of the gallery.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")] = Path("output"),
    formats: Annotated[
        str, typer.Option("--format", "-f", help=f"Formats, of {','.join(BY_NAME)}.")
    ] = ",".join(DEFAULT),
    fresh: Annotated[bool, typer.Option("--fresh", help="Verify again what was verified before.")] = False,
) -> None:
    """Work, verify and write the page of each spec."""
    wanted = _formats(formats)
    status = 0
    stems: dict[str, str] = {}
    for spec in specs:
        try:
            first = stems.setdefault(Path(spec).stem, spec)
            if first is not spec:
                raise SpecError(f"'{first}' has the same name; one page would overwrite the other", file=spec)
            _build_one(spec, output, wanted, fresh)
        except DerivationsError as fault:
            _complain(fault)
            status = 1 if fault.exit_status == 1 else status or fault.exit_status
    raise typer.Exit(status)


def _formats(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in wanted or ("",):
        if name not in BY_NAME:
            raise SpecError(f"unknown format '{name}'", hint=nearest(name, BY_NAME, "formats"))
    return wanted


def _build_one(spec: str, output: Path, formats: tuple[str, ...], fresh: bool) -> None:
    path = find(spec)
    digest = key(path, formats)
    files = None if fresh else recall(digest)
    if files is None:
        with _without_collections():
            from derivations.pages.page import build as build_page

        files = build_page(path, formats).files(formats)
        remember(digest, files)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(output / name, content)
    except OSError as fault:
        raise SpecError(f"cannot write here: {fault.strerror}", file=str(output)) from None
    for name in files:
        typer.echo(str(output / name))


@app.command()
def gallery(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")] = Path("output"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Verify again what was verified before.")] = False,
) -> None:
    """Build every example of the gallery, with pictures and an index page."""
    from derivations.pages.gallery_index import BUILT, INDEX, index

    for name in names():
        _build_one(name, output, BUILT, fresh)
    write_atomically(output / INDEX, index().encode())
    typer.echo(str(output / INDEX))


@contextmanager
def _without_collections() -> Iterator[None]:
    """Import torch and SymPy without looking for garbage in them: they stay until the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@app.command()
def new(name: Annotated[str, typer.Argument(help="Name of the spec, without .toml.")]) -> None:
    """Write a commented spec to start from."""
    path = Path(f"{name.removesuffix('.toml')}.toml")
    if path.exists():
        raise SpecError("this file exists already", file=str(path), hint="Choose another name, or remove it.")
    try:
        write_atomically(path, SPECIMEN.encode())
    except OSError as fault:
        raise SpecError(f"cannot write this file: {fault.strerror}", file=str(path)) from None
    typer.echo(f"{path}\nBuild it with: derivations build {path}")


@app.command("list")
def list_(
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="The rows of the catalogue instead.")
    ] = False,
) -> None:
    """Show the gallery, or the rows of the catalogue."""
    found = rows() if catalogue else list(titles().items())
    widths = [max(len(row[column]) for row in found) for column in range(len(found[0]))]
    for row in found:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    from derivations.examples.spec import Spec

    typer.echo(json.dumps(Spec.model_json_schema(), indent=2))


def _complain(fault: DerivationsError) -> None:
    typer.echo(f"error: {fault}", err=True)


def main() -> None:
    """Run the command line; faults of the user's become one message and a status."""
    try:
        app()
    except DerivationsError as fault:
        _complain(fault)
        sys.exit(fault.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:
        if os.environ.get("DERIVATIONS_TRACEBACK"):
            raise
        typer.echo(f"internal error: {type(fault).__name__}: {fault}", err=True)
        typer.echo("  This is a fault of derivations. Set DERIVATIONS_TRACEBACK=1 to see where.", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
