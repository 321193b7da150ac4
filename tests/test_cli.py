"""The command line as its users meet it: status, messages, files, what is imported."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from derivations import cache, cli
from derivations.catalogue import optimizers
from derivations.catalogue.table import rows
from derivations.courses.inputs import key
from derivations.spec import gallery
from derivations.spec.specimen import SPECIMEN


def run(*arguments: str) -> int:
    """The status of a command, run in this process."""
    before, sys.argv = sys.argv, ["derivations", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


def test_build_writes_the_formats_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("build", "linear-regression", "--output", str(tmp_path), "--format", "md,fragment") == 0
    pages = {"linear-regression.md", "linear-regression.fragment.tex"}
    assert {p.name for p in tmp_path.iterdir() if p.suffix != ".svg"} == pages
    assert set(capsys.readouterr().out.splitlines()) == {str(p) for p in tmp_path.iterdir()}


def test_a_spec_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine") == 0
    assert Path("mine.toml").read_text() == SPECIMEN
    assert run("new", "mine") == 2
    assert run("build", "mine.toml") == 0
    pages = sorted(p.name for p in Path("output").iterdir() if p.suffix != ".svg")
    assert pages == ["mine.json", "mine.md", "mine.tex"]


def test_what_was_verified_is_remembered_and_needs_no_torch(tmp_path: Path) -> None:
    assert run("build", "linear-regression", "--output", str(tmp_path / "a")) == 0
    program = (
        "import sys; from derivations.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'sympy', 'flint', 'jinja2'} & set(sys.modules), sorted(sys.modules)"
    )
    command = [sys.executable, "-c", program, "build", "linear-regression", "--output", str(tmp_path / "b")]
    subprocess.run(command, check=True, env=dict(os.environ))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_another_byte_is_another_key(tmp_path: Path) -> None:
    spec = tmp_path / "a.toml"
    spec.write_text(gallery.path("linear-regression").read_text())
    first = key(spec, ("md",))
    assert key(spec, ("md", "tex")) != first
    spec.write_text(spec.read_text() + "\n")
    assert key(spec, ("md",)) != first
    csv = spec.read_text().replace("x = [1, 2, 3, 4, 5, 6]", 'x = { csv = "d.csv", column = "x" }')
    spec.write_text(csv)
    keys = []
    for numbers in ("1\n2\n", "1\n3\n"):
        (tmp_path / "d.csv").write_text("x\n" + numbers)
        keys.append(key(spec, ("md",)))
    assert len(set(keys)) == 2


def test_a_damaged_memory_is_not_believed(tmp_path: Path) -> None:
    assert run("build", "linear-regression", "--output", str(tmp_path)) == 0
    digest = key(gallery.path("linear-regression"), ("md", "tex", "json"))
    stored = cache.folder() / f"{digest}.page"
    known = cache.recall(digest)
    assert known is not None
    assert known.files() is not None
    stored.write_bytes(stored.read_bytes().replace(b"127.125", b"127.126"))
    known = cache.recall(digest)
    assert known is not None
    assert known.files() is None
    stored.write_bytes(stored.read_bytes().replace(b"linear-regression.md", b"linear-regression.mx", 1))
    assert cache.recall(digest) is None
    stored.write_text("not a page")
    assert cache.recall(digest) is None


@pytest.mark.parametrize("row", ["theta = theta + lr*g", "theta = theta - 2*lr*g", "theta = theta - lr*g**2"])
def test_a_failed_check_leaves_the_old_page_and_names_the_row_and_the_quantity(
    row: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = tmp_path / "linear-regression.md"
    old.write_text("the old page")
    wrong = {**vars(optimizers.BY_NAME["SGD"]), "equations": row}
    monkeypatch.setitem(optimizers.BY_NAME, "SGD", optimizers.Optimizer(**wrong))
    assert run("build", "linear-regression", "--fresh", "--output", str(tmp_path)) == 1
    message = capsys.readouterr().err
    named = (
        r"the update of SGD is not that of torch\.optim\.SGD: step 1: \w+'\S*: by hand \S+, optimizer \S+ "
    )
    assert re.match(f"error: not verified: {named}", message)
    assert old.read_text() == "the old page"
    assert list(tmp_path.iterdir()) == [old]


def test_a_killed_write_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.write_atomically(page, b"new")
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.slow
def test_one_failing_spec_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("build", "no-such-spec", "linear-regression", "--output", str(tmp_path))
    assert status == 2
    assert len([path for path in tmp_path.iterdir() if path.suffix != ".svg"]) == 3
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "liner-regression"), "Did you mean 'linear-regression'?"),
        (("build", "linear-regression", "--format", "mdd"), "Did you mean 'md'?"),
        (("build", "linear-regression", "--format", ""), "unknown format ''"),
        (("build", "docs"), "there is no spec in it"),
        (("new", "no/such/folder/x"), "cannot write this file"),
        (("new", "../x"), "into this folder or one below it"),
        (("new", ".toml"), "into this folder or one below it"),
        (("build", ""), "'' is no spec"),
        (("build", "linear-regression", " ", "--watch"), "'' is no spec"),
        (("build", "linear-regression", "--output", "/dev/null/x"), "cannot write here"),
    ],
)
def test_bad_usage_is_one_message_and_status_2(
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_a_folder_without_specs_is_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", str(tmp_path), "--output", str(tmp_path / "out")) == 2
    said = capsys.readouterr().err
    assert "there is no spec in it" in said
    assert "page" not in said


def test_the_command_for_a_name_with_spaces_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "my model") == 0
    command = capsys.readouterr().out.splitlines()[-1].partition(": ")[2]
    assert shlex.split(command) == ["derivations", "build", "my model.toml"]


def test_the_catalogue_fits_a_terminal() -> None:
    folded = list(cli._columns(rows(), 80))
    assert max(map(len, folded)) <= 80 or all(" " not in line.strip() for line in folded if len(line) > 80)
    assert " ".join(" ".join(folded).split()) == " ".join(" ".join(map(" ".join, rows())).split())
    plain = list(cli._columns(rows(), None))
    assert len(plain) == len(rows())  # a line each for what reads it


def test_list_shows_gallery_and_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("linear-regression", "logistic-regression"))
    assert run("list", "--catalogue") == 0
    shown = capsys.readouterr().out
    assert all(
        word in shown for word in ("sigmoid(x)", "mean squared error", "torch.optim.Adam", "torch.nn.Linear")
    )


def test_schema_accepts_the_gallery_and_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    tables = {"title", "model", "data", "parameters", "training", "page", "exercise"}
    assert set(schema["properties"]) == tables
    training = schema["$defs"]["TrainingTable"]["properties"]
    assert {"optimizer", "batch_size", "batches", "shuffle", "epochs", "carry"} <= set(training)
    assert all("description" in entry for entry in training.values())


def test_a_shell_completes_commands() -> None:
    """As bash asks for it, by the variables of its completion."""
    program = "import sys; sys.argv[0] = 'derivations'; from derivations.cli import main; main()"
    asked = {"_DERIVATIONS_COMPLETE": "complete_bash", "COMP_WORDS": "derivations ga", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gallery"]
