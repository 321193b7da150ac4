"""The command line. Status 0: written and verified; 1: a check failed; 2: bad usage or a bad spec."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from derivations import __version__
from derivations.cache import write_atomically
from derivations.catalogue.table import rows
from derivations.courses import command
from derivations.courses.workers import cores
from derivations.exercises.exports.table import DEFAULT as BANK
from derivations.exercises.exports.table import KNOWN, exports_of
from derivations.files import write_together
from derivations.formats.table import BY_NAME, DEFAULT, formats_of
from derivations.language.errors import DerivationsError, SpecError, nearest
from derivations.spec.gallery import names, titles
from derivations.spec.specimen import EXERCISE, SPECIMEN

app = typer.Typer(
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


WIDEST = 34  # of a column; a cell that is wider shifts what follows it
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Verify again what was verified before.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Pages at a time; 0: as many as cores.")]


@app.command()
def build(
    specs: Annotated[list[str], typer.Argument(help="Spec files, folders of them, or names of the gallery.")],
    output: Output = Path("output"),
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help=f"Formats, of {','.join(BY_NAME)}; else {','.join(DEFAULT)} unless course.toml says.",
        ),
    ] = None,
    fresh: Fresh = False,
    jobs: Jobs = 0,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Build again whenever a file is saved.")
    ] = False,
) -> None:
    """Work, verify and write the page of each spec; of a folder, of every spec in it, with an index."""
    if "" in map(str.strip, specs):
        raise SpecError("'' is no spec", hint="Name a spec, a folder of specs (. is this one) or an example.")
    wanted = () if formats is None else _formats(formats)
    request = command.Request(tuple(specs), output, wanted, fresh, jobs or cores())
    if watch:
        command.watch(request)
    raise typer.Exit(command.build(request))


def _formats(text: str) -> tuple[str, ...]:
    wanted = formats_of(text)
    if not wanted:
        raise SpecError("unknown format ''", hint=nearest("", BY_NAME, "formats"))
    return wanted


@app.command()
def exercise(
    spec: Annotated[str, typer.Argument(help="A spec file, or a name of the gallery.")],
    count: Annotated[int | None, typer.Option("--count", help="How many variants.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Which ones: the same seed, the same bank.")
    ] = None,
    formats: Annotated[str, typer.Option("--format", "-f", help=f"Any of {', '.join(KNOWN)}.")] = ",".join(
        BANK
    ),
    output: Output = Path("bank"),
) -> None:
    """Write a bank of exercises: variants with their answers and worked solutions, every one verified."""
    exports_of(formats)
    from derivations.exercises.made import save
    from derivations.sessions import session

    given = {key: value for key, value in {"count": count, "seed": seed}.items() if value is not None}
    bank = session(spec).exercises(**given)
    try:
        written = save(bank, formats, output)
    except OSError as fault:
        raise SpecError(f"cannot write into this folder: {fault.strerror}", file=str(output)) from None
    for name in written:
        typer.echo(output / name)


@app.command()
def gallery(output: Output = Path("output"), fresh: Fresh = False, jobs: Jobs = 0) -> None:
    """Build every example of the gallery, with pictures and an index page."""
    from derivations.courses.gallery import BUILT, INDEX, index

    def write_index() -> list[str]:
        write_together(output, {INDEX: index().encode()})
        return [INDEX]

    request = command.Request(tuple(names()), output, BUILT, fresh, jobs or cores(), write_index)
    raise typer.Exit(command.build(request))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the spec, without .toml.")],
    exercise: Annotated[bool, typer.Option("--exercise", help="A spec for a bank of exercises.")] = False,
) -> None:
    """Write a commented spec to start from."""
    plain = name.removesuffix(".toml")
    path = Path(f"{plain}.toml")
    if not Path(plain).name.strip(". ") or not path.resolve().is_relative_to(Path.cwd()):
        hint = "Give a name, such as 'momentum' or 'week1/momentum'."
        raise SpecError("a new spec is written into this folder or one below it", file=str(path), hint=hint)
    if path.exists():
        raise SpecError("this file exists already", file=str(path), hint="Choose another name, or remove it.")
    try:
        write_atomically(path, (SPECIMEN + EXERCISE if exercise else SPECIMEN).encode())
    except OSError as fault:
        raise SpecError(f"cannot write this file: {fault.strerror}", file=str(path)) from None
    command = "exercise" if exercise else "build"
    typer.echo(f"{path}\nBuild it with: derivations {command} {shlex.quote(str(path))}")


@app.command("list")
def list_(
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="The rows of the catalogue instead.")
    ] = False,
) -> None:
    """Show the gallery, or the rows of the catalogue."""
    found = rows() if catalogue else list(titles().items())
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in _columns(found, room):
        typer.echo(line)


def _columns(rows: Sequence[tuple[str, ...]], room: int | None) -> Iterator[str]:
    """Rows in columns; what is wider than the room goes on below, set in."""
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield from textwrap.wrap(line, room, subsequent_indent=" " * 4) if room else [line]


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    from derivations.spec.spec import Spec

    typer.echo(json.dumps(Spec.model_json_schema(), indent=2))


def _complain(fault: DerivationsError) -> None:
    typer.echo(f"error: {fault}", err=True)


def main() -> None:
    """Run the command line; faults of the user's become one message and a status."""
    os.environ.setdefault("MKL_CBWR", "COMPATIBLE")  # torch adds up in one order on every processor
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
