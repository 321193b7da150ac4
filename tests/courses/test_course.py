"""Courses: what is found, what is built again, what fails alone, what a killed process leaves."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from derivations import cache, cli
from derivations.courses import command, inputs
from derivations.courses.building import Building, exit_status, failed
from derivations.courses.finding import Planned, natural, plan
from derivations.courses.inputs import key
from derivations.courses.record import RECORD
from derivations.courses.workers import UNFINISHED, Answer, Workers
from derivations.files import ASIDE
from derivations.formats.table import BY_NAME

MAIN = [sys.executable, "-m", "derivations"]
Run = Callable[..., tuple[int, str, str]]


def spec(title: str = "T", x: str = "[1, 2]", more: str = "") -> str:
    """A spec that is as small as a spec can be."""
    return f"""title = {json.dumps(title)}
[model]
equations = "L = mean((w*x[i] - y[i])**2, i)"
[data]
x = {x}
y = [2, 3]
[parameters]
w = 1
{more}"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def plant(folder: Path, formats: tuple[str, ...] = ("md",)) -> list[Path]:
    """Remember a page for every spec of a folder, as if it had been verified."""
    specs = sorted(folder.rglob("*.toml"))
    for path in specs:
        files = {f"{path.stem}.{form}": f"the {form} page of {path.stem}\n".encode() for form in formats}
        cache.remember(key(path, formats), files)
    return specs


def long_course(folder: Path, pages: int = 200) -> list[Path]:
    for number in range(pages):
        write(folder / f"week{number // 20}" / f"page{number}.toml", spec(f"Page {number}"))
    return plant(folder)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """A command in an empty folder with a memory of its own: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["derivations", *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return called


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """What workers would answer, by the stem of the spec; no process is started."""
    wanted: dict[str, Answer] = {}

    def pretend(self: Workers, specs: list[Path], formats: tuple[str, ...]) -> Iterator[tuple[int, Answer]]:
        for number, path in reversed(list(enumerate(specs))):  # any order may come
            page = {f"{path.stem}{BY_NAME[form].suffix}": f"{form} of {path}\n".encode() for form in formats}
            yield number, wanted.get(path.stem) or Answer(0.1, page, key(path, formats))

    monkeypatch.setattr(Workers, "answers", pretend)
    return wanted


# --- what is found --------------------------------------------------------------------------------


def found(*words: Path | str, output: str = "output") -> list[str]:
    return [page.place for page in plan([str(word) for word in words], Path(output)).pages if not page.fault]


def faults(*words: Path | str) -> list[str]:
    return [str(page.fault) for page in plan([str(w) for w in words], Path("output")).pages if page.fault]


def test_every_spec_below_a_folder_in_the_order_of_people(tmp_path: Path) -> None:
    for name in ("week10/a", "week2/a", "week2/b c", "week2/ü", "week2/deep/a", "a"):
        write(tmp_path / f"{name}.toml", spec())
    expected = ["a", "week2/a", "week2/b c", "week2/ü", "week2/deep/a", "week10/a"]
    assert found(tmp_path) == expected
    assert sorted(["x10", "x9", "X1", "x"], key=natural) == ["x", "X1", "x9", "x10"]


@pytest.mark.parametrize(
    "place", [".hidden/a", "node_modules/a", ".venv/a", "mine/a", "output/a", "__pycache__/a", ".#a", ".a"]
)
def test_what_is_no_part_of_a_course_is_not_entered(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path(f"{place}.toml"), spec())
    write(Path("mine/pyvenv.cfg"), "")
    write(Path("seen.toml"), spec())
    assert found(".") == ["seen"]


def test_links_make_no_circles_and_a_broken_one_is_named(tmp_path: Path) -> None:
    write(tmp_path / "in/a.toml", spec())
    (tmp_path / "in/again").symlink_to(tmp_path)
    (tmp_path / "in/b.toml").symlink_to("a.toml")
    (tmp_path / "in/lost.toml").symlink_to("nowhere")
    assert found(tmp_path) == ["in/a", "in/b"]
    assert ["leads nowhere" in fault for fault in faults(tmp_path)] == [True]


def test_a_folder_may_be_called_like_a_spec(tmp_path: Path) -> None:
    write(tmp_path / "x.toml/a.toml", spec())
    assert found(tmp_path) == found(tmp_path / "x.toml", tmp_path) == ["x.toml/a"]


def test_folders_that_overlap_give_every_page_once(tmp_path: Path) -> None:
    for name in ("c/w1/a", "c/w2/a", "c/b"):
        write(tmp_path / f"{name}.toml", spec())
    c = tmp_path / "c"
    assert found(c, c / "w1", c / "w1/a.toml") == ["b", "w1/a", "w2/a"]
    assert found(c / "w2", c / "w1") == ["w2/a", "w1/a"]
    assert found(c / "w1/a.toml", c / "w1/a.toml") == ["a"]


def test_the_same_name_in_two_folders_is_no_conflict_but_in_one_output_it_is(tmp_path: Path) -> None:
    for name in ("c/w1/a", "c/a", "other/a"):
        write(tmp_path / f"{name}.toml", spec())
    assert faults(tmp_path / "c") == []
    assert "one page would overwrite the other" in faults(tmp_path / "c", tmp_path / "other/a.toml")[0]


@pytest.mark.parametrize(
    ("text", "is_spec"),
    [
        (spec(), True),
        ("[model]\n", True),
        ("title = 'x'\n[modle]\n[data]\n", True),  # misspelt, not another kind of file
        ("title = 'x'\n[model\n", True),  # broken: not to be lost
        ("[project]\nname = 'x'\n", False),
        ("title = 'My site'\n", False),
        ("", False),
    ],
)
def test_what_is_a_spec(text: str, is_spec: bool, tmp_path: Path) -> None:
    write(tmp_path / "x.toml", text)
    here = plan([str(tmp_path)], Path("output"))
    assert (found(tmp_path) == ["x"]) == is_spec
    assert (here.ignored == (str(tmp_path / "x.toml"),)) == (not is_spec)


def test_a_folder_that_cannot_be_read_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.toml", spec())
    write(tmp_path / "shut/b.toml", spec())
    look = os.scandir

    def scandir(path: os.PathLike[str]) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert found(tmp_path) == ["a"]
    assert "cannot read this folder: Permission denied" in faults(tmp_path)[0]


def test_a_folder_without_a_spec_is_bad_usage(run: Run) -> None:
    write(Path("c/notes.toml"), "x = 1")
    status, out, err = run("build", "c")
    assert (status, out) == (2, "")
    assert "c: there is no spec in it" in err
    assert "derivations new" in err
    assert "c/notes.toml" in err
    assert not Path("output").exists()


# --- only what changed ----------------------------------------------------------------------------

UNCHANGED = """
import multiprocessing, sys
from derivations.cli import main
try: main()
except SystemExit as end: assert not end.code, end.code
heavy = {"torch", "sympy", "flint", "jinja2", "rich.table", "babel", "lxml", "watchfiles", "tree_sitter"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert not multiprocessing.active_children()
"""


def seconds(*command: str) -> float:
    """What a command costs the processor, whatever else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
def test_two_hundred_unchanged_pages_cost_little_and_touch_nothing(run: Run, tmp_path: Path) -> None:
    long_course(tmp_path / "c")
    status, out, err = run("build", "c", "-f", "md")
    assert status == 0
    assert "200 pages: 200 restored" in err
    assert len(out.splitlines()) == 202
    before = times(tmp_path / "output")
    command = (sys.executable, "-c", UNCHANGED, "build", "c", "-f", "md")
    bare, taken = (min(seconds(*call) for _ in range(3)) for call in ((command[0], "-c", ""), command))
    assert taken < max(1, 50 * bare), (taken, bare)
    assert times(tmp_path / "output") == before


@pytest.mark.slow
def test_one_changed_page_is_built_and_no_other(run: Run, tmp_path: Path) -> None:
    long_course(tmp_path / "c")
    assert run("build", "c", "-f", "md")[0] == 0
    before = times(tmp_path / "output")
    write(Path("c/week3/page60.toml"), spec("Another title"))
    status, _, err = run("build", "c", "-f", "md")
    assert status == 0
    assert "200 pages: 1 built, 199 unchanged" in err
    changed = {path for path, when in times(tmp_path / "output").items() if before.get(path) != when}
    names = {str(Path(path).relative_to(tmp_path / "output")) for path in changed}
    own = {name for name in names if name.startswith("week3/page60")}
    assert "week3/page60.md" in own
    assert names - own == {"index.md", "index.html", RECORD}
    assert Path("output/week3/page60.md").read_text().startswith("# Another title")


def test_a_csv_file_that_changes_is_a_page_that_changes(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/d.csv"), "x\n1\n2\n")
    write(Path("c/a.toml"), spec(x='{ csv = "d.csv", column = "x" }'))
    write(Path("c/b.toml"), spec())
    assert "2 built" in run("build", "c")[2]
    assert "2 unchanged" in run("build", "c")[2]
    write(Path("c/d.csv"), "x\n1\n3\n")
    os.utime("c/d.csv", (0, 0))  # times lie
    assert "1 built, 1 unchanged" in run("build", "c")[2]


@pytest.mark.parametrize("harm", ["removed", "altered", "same length", "a link"])
def test_what_is_not_as_it_was_verified_is_written_again(
    harm: str, run: Run, answers: dict[str, Answer]
) -> None:
    write(Path("c/a.toml"), spec())
    run("build", "c", "-f", "md")
    page = Path("output/a.md")
    right = page.read_bytes()
    if harm == "a link":
        Path("copy").write_bytes(right)
    if harm in ("removed", "a link"):
        page.unlink()
    if harm == "a link":
        page.symlink_to(Path("copy").resolve())
    elif harm != "removed":
        page.write_bytes(right + b"x" if harm == "altered" else right.swapcase())
    assert "1 restored" in run("build", "c", "-f", "md")[2]
    assert page.read_bytes() == right
    assert not page.is_symlink()


def test_a_page_whose_spec_changed_while_it_was_worked_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from derivations import page
    from derivations.courses.workers import work

    path = write(tmp_path / "a.toml", spec())

    class Files:
        def files(self, formats: tuple[str, ...]) -> dict[str, bytes]:
            return {"a.md": b""}

    def saved_meanwhile(*_: object) -> Files:
        write(path, spec("Other"))
        return Files()

    assert work.__module__  # the real one
    monkeypatch.setattr(page, "build", lambda *_: Files())
    assert work(path, ("md",)).key == key(path, ("md",))
    monkeypatch.setattr(page, "build", saved_meanwhile)
    assert work(path, ("md",)).key == ""


def test_the_key_knows_every_file_of_the_package_and_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {path.relative_to(inputs.PACKAGE.parent).as_posix() for path in inputs._own_files()}
    assert {"derivations/cli.py", "derivations/spec/contents.toml"} <= own
    assert any(path.endswith("templates/markdown/page.md.j2") for path in own)
    project = tomllib.loads((inputs.PACKAGE.parent / "pyproject.toml").read_text())["project"]
    required = {re.split(r"[<>=~\[]", line)[0].lower() for line in project["dependencies"]}
    assert required <= set(inputs.libraries())
    path = inputs.PACKAGE / "spec" / "gallery" / "linear-regression.toml"
    inputs._own_digest.cache_clear()
    before = key(path, ("md",))
    monkeypatch.setattr(inputs, "_versions", lambda: iter(["torch 0"]))
    inputs._own_digest.cache_clear()
    assert key(path, ("md",)) != before
    monkeypatch.undo()
    inputs._own_digest.cache_clear()
    assert key(path, ("md",)) == before


def test_memory_forgets_the_oldest_but_nothing_of_today(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "pages")
    monkeypatch.setattr(cache, "KEPT_BYTES", 1500)
    now, day = time.time(), 24 * 3600
    for number, age in enumerate([0, 0.5, 0.9, 2, 3, 100]):
        cache.remember(str(number), {"a": b"x" * 500})
        os.utime(tmp_path / "pages" / f"{number}.page", (now - age * day,) * 2)
    cache.forget(now)
    assert {path.stem for path in (tmp_path / "pages").iterdir()} == {"0", "1", "2"}
    monkeypatch.setattr(cache, "KEPT_BYTES", 10**9)
    assert cache.recall("2") is not None
    assert time.time() - (tmp_path / "pages" / "2.page").stat().st_mtime < day / 2, "used: young again"


# --- failures -------------------------------------------------------------------------------------

BAD = Answer(0.1, message="c/bad.toml:3:1: nonsense\n  Did you mean sense?", status=2, key="b")
WRONG = Answer(0.1, message="not verified: step 1: w'", status=1, key="w")
DEAD = Answer(0.1, message="c/dead.toml: the process was killed", status=UNFINISHED)


@pytest.mark.parametrize(
    ("pages", "status"),
    [
        ({}, 0),
        ({"bad": BAD}, 2),
        ({"wrong": WRONG}, 1),
        ({"dead": DEAD}, 3),
        ({"bad": BAD, "wrong": WRONG, "dead": DEAD}, 1),
        ({"bad": BAD, "dead": DEAD}, 2),
    ],
)
def test_one_failing_page_does_not_stop_the_others(
    pages: dict[str, Answer], status: int, run: Run, answers: dict[str, Answer]
) -> None:
    for name in ("a", "z", *pages):
        write(Path(f"c/{name}.toml"), spec(name))
    answers |= pages
    got, out, err = run("build", "c", "-f", "md")
    assert got == status
    assert out.splitlines() == ["output/a.md", "output/z.md", "output/index.md", "output/index.html"]
    assert [answer.message in err for answer in pages.values()] == [True] * len(pages)
    assert f"{2 + len(pages)} pages: 2 built" in err
    assert all(f"{name}.md" not in Path("output/index.md").read_text() for name in pages)


@pytest.mark.slow
def test_a_real_bad_spec_beside_a_good_one(run: Run) -> None:
    write(Path("c/good.toml"), spec("Good"))
    write(Path("c/bad.toml"), spec("Bad").replace("[1, 2]", "[1, 2, 3]"))
    write(Path("c/broken.toml"), "title = \n")
    status, out, err = run("build", "c", "-f", "md,svg", "--jobs", "2")
    assert status == 2
    assert re.search(r"error: c/bad\.toml:\d+:\d+: ", err)
    assert re.search(r"error: c/broken\.toml:1:9: not valid TOML", err)
    assert "3 pages: 1 built, 2 failed" in err
    assert "![A picture of Good](good.svg)" in Path("output/index.md").read_text()
    assert out.splitlines()[:2] == ["output/good.md", "output/good.svg"]


def test_a_page_does_not_outlive_its_spec(run: Run, answers: dict[str, Answer]) -> None:
    for name in ("c/a", "c/w/b", "c/gone"):
        write(Path(f"{name}.toml"), spec(name))
    run("build", "c", "-f", "md,tex")
    write(Path("output/notes.md"), "the lecturer's")
    write(Path("c/w/b.toml"), spec("now wrong"))
    Path("c/gone.toml").unlink()
    answers["b"] = WRONG
    status, _, err = run("build", "c", "-f", "md")
    assert status == 1
    assert "removed: " in err
    expected = {"a.md", "a.tex", "index.md", "index.html", "notes.md", RECORD}
    assert set(tree(Path("output"))) == expected, "the tex of an unchanged spec still holds"
    write(Path("c/a.toml"), spec("changed"))
    run("build", "c", "-f", "md")
    assert "a.tex" not in tree(Path("output")), "the tex of the earlier spec"


@pytest.mark.parametrize("changed", [False, True])
def test_a_page_of_a_killed_course_does_not_stay_when_its_spec_fails(
    changed: bool, run: Run, answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("c/a.toml"), spec())
    write(Path("c/b.toml"), spec())
    if changed:
        run("build", "c", "-f", "md,tex")
        write(Path("c/a.toml"), spec("changed"))
    with monkeypatch.context() as patch:  # killed when every page is written, and nothing else
        patch.setattr(command, "_after", lambda *_: sys.exit(9))
        assert run("build", "c", "-f", "md")[0] == 9
    assert "a.md" in tree(Path("output"))
    write(Path("c/a.toml"), spec("wrong"))
    answers["a"] = WRONG
    assert run("build", "c", "-f", "md")[0] == 1
    assert not {"a.md", "a.tex"} & set(tree(Path("output")))
    assert "b.md" in tree(Path("output"))


def test_a_killed_course_that_is_built_again_keeps_no_format_of_the_earlier_spec(
    run: Run, answers: dict[str, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Path("c/a.toml"), spec())
    run("build", "c", "-f", "md,tex")
    write(Path("c/a.toml"), spec("changed"))
    with monkeypatch.context() as patch:
        patch.setattr(command, "_after", lambda *_: sys.exit(9))
        run("build", "c", "-f", "md")
    assert "a.tex" in tree(Path("output"))
    run("build", "c", "-f", "md")
    assert "a.tex" not in tree(Path("output"))


def test_what_a_killed_build_left_is_cleared_away_at_the_next_start(
    run: Run, answers: dict[str, Answer]
) -> None:
    write(Path("c/a.toml"), spec())
    run("build", "c", "-f", "md")
    before = tree(Path("output"))
    write(Path(f"output/{ASIDE}killed/new0"), "half")
    assert "1 unchanged" in run("build", "c", "-f", "md")[2]
    assert tree(Path("output")) == before


def test_nothing_is_written_through_a_link_in_the_output(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/week1/a.toml"), spec())
    write(Path("c/b.toml"), spec())
    write(Path("victim/a.md"), "mine")
    Path("output").mkdir()
    Path("output/week1").symlink_to("../victim")
    status, _, err = run("build", "c", "-f", "md")
    assert status == 2
    assert "'output/week1' is a link" in err
    assert tree(Path("victim")) == {"a.md": b"mine"}
    assert "b.md" in tree(Path("output"))


def test_names_that_some_file_systems_do_not_tell_apart(run: Run, answers: dict[str, Answer]) -> None:
    for name in ("c/a", "c/A", "c/ü", "c/u\u0308", "c/Index"):
        write(Path(f"{name}.toml"), spec())
    status, _, err = run("build", "c", "-f", "md")
    assert status == 2
    assert err.count("has the same name; one page would overwrite the other") == 2
    assert "its page would be the index" in err


def test_another_course_in_the_same_output_stays(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/a.toml"), spec())
    write(Path("d/b.toml"), spec())
    run("build", "c", "-f", "md")
    run("build", "d", "-f", "md")
    assert {"a.md", "b.md"} <= set(tree(Path("output")))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"x": 1}',
        '{"gone.toml": {"source": "", "files": ["../victim", "/tmp/victim", "link/victim", "c/a.toml"]}}',
    ],
)
def test_a_record_is_not_trusted(text: str, run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/a.toml"), spec())
    write(Path("victim"), "mine")
    write(Path("output/c/a.toml"), "mine too")
    Path("output/link").symlink_to(Path().resolve())
    write(Path("output") / RECORD, text)
    assert run("build", "c", "-f", "md")[0] == 0
    assert Path("victim").exists()
    assert Path("output/c/a.toml").exists()


def test_nothing_is_written_over_what_is_read(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/a.toml"), spec(x='{ csv = "a.md", column = "x" }'))
    write(Path("c/a.md"), "x\n1\n2\n")
    write(Path("c/index.toml"), spec())
    write(Path("c/b.toml"), spec())
    write(Path("c/b.fragment.toml"), spec())
    status, _, err = run("build", "c", "-o", "c", "-f", "md,tex,fragment")
    assert status == 2
    assert "'a.md' would overwrite a file that the course reads" in err
    assert "its page would be the index" in err
    assert (
        "'b.fragment.tex' is written by 'c/b.toml' too" in err
        or "is written by 'c/b.fragment.toml' too" in err
    )
    assert Path("c/a.md").read_text() == "x\n1\n2\n"


def test_building_into_the_course_itself(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/w/a.toml"), spec())
    assert run("build", "c", "-o", "c", "-f", "md")[0] == 0
    assert "1 unchanged" in run("build", "c", "-o", "c", "-f", "md")[2]
    assert set(tree(Path("c"))) == {"w/a.toml", "w/a.md", "index.md", "index.html", RECORD}


def test_status_of_outcomes() -> None:
    page = Planned(Path("a.toml"), "a.toml")
    for statuses, expected in (((2, 1, 3), 1), ((3, 2), 2), ((3,), 3), ((), 0)):
        assert exit_status([failed(page, "", status) for status in statuses]) == expected


# --- processes ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_worker_is_one_failed_page(tmp_path: Path) -> None:
    specs = [write(tmp_path / f"{name}.toml", spec(name)) for name in "ab"]
    workers = Workers(1)

    def kill() -> None:
        while not workers._busy:
            time.sleep(0.01)
        os.kill(workers._busy[0].process.pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        answers = dict(workers.answers(specs, ("md",)))
    finally:
        workers.close()
        killer.join()
    assert answers[0].status == UNFINISHED
    assert "killed by signal 9" in answers[0].message
    assert answers[1].status == 0
    assert answers[1].files["b.md"].startswith(b"# b")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(inputs.PACKAGE.parent), "PYTHONUNBUFFERED": "1"}


def _hears_interrupts() -> None:
    """Ctrl-C means something to the process, even where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MAIN, *arguments],
        preexec_fn=_hears_interrupts,
        cwd=cwd,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], bool], what: str, limit: float = 120) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


def group(leader: int) -> int:
    """How many processes belong to a group."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        found += of == str(leader) and state != "Z"
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
def test_ctrl_c_ends_everything_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"c/{number}.toml", spec(str(number)))
    running = started("build", "c", "--fresh", "--jobs", "2", cwd=tmp_path)
    until(lambda: group(running.pid) >= 3, "workers")
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    until(lambda: group(running.pid) == 0, "the workers to be gone")
    left = {name for name in tree(tmp_path) if not name.startswith("c/")}
    assert {f"output/{Path(line).name}" for line in out.splitlines()} >= left


@pytest.mark.slow
def test_a_watch_builds_what_is_saved_and_survives_mistakes(tmp_path: Path) -> None:
    course, page = tmp_path / "c", tmp_path / "output/w/a.md"
    write(course / "w/d.csv", "x\n1\n2\n")
    write(course / "w/a.toml", spec("First", x='{ csv = "d.csv", column = "x" }'))
    other = tmp_path / "output/w/b.md"
    running = started("build", "c", "-f", "md", "--watch", "--jobs", "1", cwd=tmp_path)
    try:
        until(lambda: page.exists() and (tmp_path / "output/index.html").exists(), "the first page")
        first = page.read_bytes()
        write(course / "w/new", spec("Second", x='{ csv = "d.csv", column = "x" }'))
        (course / "w/new").replace(course / "w/a.toml")  # as editors save
        until(lambda: page.read_bytes().startswith(b"# Second"), "the page of the saved spec")
        second = page.read_bytes()
        write(course / "w/d.csv", "x\n1\n4\n")
        until(lambda: page.read_bytes() not in (first, second), "the page of the saved data")
        write(course / "w/a.toml", "title = \n")
        until(lambda: not page.exists(), "the page of a broken spec to be removed")
        write(course / "w/a.toml", spec("Third"))
        until(lambda: page.exists() and page.read_bytes().startswith(b"# Third"), "the mended page")
        write(course / "later/deep/b.toml", spec("In a new folder"))
        until(lambda: (tmp_path / "output/later/deep/b.md").exists(), "a page in a new folder")
        write(course / "w/b.toml", spec("New"))
        until(other.exists, "a new page")
    finally:
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert "error: c/w/a.toml:1:9: not valid TOML" in err
    until(lambda: group(running.pid) == 0, "the workers to be gone")


@pytest.mark.slow
def test_on_a_terminal_there_is_a_table(tmp_path: Path) -> None:
    long_course(tmp_path / "c", 30)
    write(tmp_path / "c/[red]x.toml", "title =\n")
    ours, theirs = pty.openpty()
    call = [*MAIN, "build", "c", "-f", "md", "--jobs", "1"]
    running = subprocess.Popen(
        call, cwd=tmp_path, env={**environment(), "COLUMNS": "100"}, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 10_000)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    out, _ = running.communicate(timeout=60)
    os.close(ours)
    assert running.returncode == 2
    assert len(out.splitlines()) == 32
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    assert re.search(r"\[red\]x\.toml\s+│ failed\s+│\s+\d\.\d │ c/\[red\]x\.toml:1:8: not valid TOML", text)
    assert "31 pages: 30 restored, 1 failed" in text


def test_names_of_files_are_text(run: Run, answers: dict[str, Answer]) -> None:
    name = "a b\x1b[31m(c)#ü"
    write(Path(f"c/{name}.toml"), "title =\n")
    write(Path("c/d'\"<&>.toml"), spec())
    answers[name] = Answer(0.1, message=f"c/{name}.toml:1:8: bad", status=2)
    status, _, err = run("build", "c", "-f", "md")
    assert status == 2
    assert "\x1b" not in err
    assert links(Path("output")) == ["d'\"<&>.md"] * 2


# --- the index and the course -----------------------------------------------------------------------


class Anchors(HTMLParser):
    """The addresses, pictures and headings of an HTML page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.pictures: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append(tag)
        self.hrefs += [known["href"] or ""] if tag == "a" else []
        self.pictures += [known["src"] or ""] if tag == "img" else []


def links(output: Path) -> list[str]:
    """Where the index leads to, every target being there."""
    seen = Anchors((output / "index.html").read_text(encoding="utf-8"))
    found = [unquote(href) for href in (*seen.hrefs, *seen.pictures)]
    assert all((output / target).is_file() for target in found)
    blocks = MarkdownIt().parse((output / "index.md").read_text(encoding="utf-8"))
    inline = [token for block in blocks for token in block.children or ()]
    targets = [token.attrs.get("href") or token.attrs.get("src") for token in inline]
    assert sorted(unquote(str(target)) for target in targets if target) == sorted(found)
    return found


HOSTILE = "</title><script>alert(1)</script> ](javascript:x) `$\\evil$` {{ 7*7 }} | \"'"


def test_titles_stay_text_and_links_lead_somewhere(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/x (1) [a]/p q#?.toml"), spec(HOSTILE))
    write(Path("c/course.toml"), f"title = {json.dumps(HOSTILE)}\n")
    assert run("build", "c", "-f", "md,svg")[0] == 0
    assert set(links(Path("output"))) == {"x (1) [a]/p q#?.md", "x (1) [a]/p q#?.svg"}
    html = Path("output/index.html").read_text()
    assert "script" not in Anchors(html).tags
    assert html.count("<title>") == html.count("</title>") == 1
    assert "{{ 7*7 }}" in html
    assert "<script>" not in Path("output/index.md").read_text()


def test_the_index_is_the_same_whatever_was_built_first(run: Run, answers: dict[str, Answer]) -> None:
    for name in ("b/x", "a/x", "z", "a/x10", "a/x9"):
        write(Path(f"c/{name}.toml"), spec(name))
    run("build", "c", "-o", "one", "-f", "md")
    write(Path("c/a/x.toml"), spec("other"))
    run("build", "c", "-o", "two", "-f", "md")
    write(Path("c/a/x.toml"), spec("a/x"))
    run("build", "c", "-o", "two", "-f", "md")
    assert tree(Path("one")) == tree(Path("two"))
    assert links(Path("one"))[::2] == ["z.md", "a/x.md", "a/x9.md", "a/x10.md", "b/x.md"]


def test_the_picture_of_a_page_is_one_that_was_built(run: Run, answers: dict[str, Answer]) -> None:
    write(Path("c/a.toml"), spec())
    figures = {"a.md": b"", "a-values.svg": b"<svg/>", "a-graph.svg": b"<svg/>"}
    answers["a"] = Answer(0.1, figures)
    assert run("build", "c", "-f", "md")[0] == 0
    assert links(Path("output")) == ["a.md", "a.md", "a-graph.svg"]


def test_a_course_says_its_title_formats_and_order(run: Run, answers: dict[str, Answer]) -> None:
    for name in ("b/x", "a/x", "a/y", "z"):
        write(Path(f"c/{name}.toml"), spec(name))
    write(Path("c/course.toml"), 'title = "Learning"\nformats = ["md", "svg"]\norder = ["b", "a/y"]\n')
    status, out, _ = run("build", "c")
    assert status == 0
    places = [line.removeprefix("output/") for line in out.splitlines()]
    assert places[:4] == ["b/x.md", "b/x.svg", "a/y.md", "a/y.svg"]
    assert Path("output/index.md").read_text().startswith("# Learning\n")
    assert "output/a/x.tex" in run("build", "c", "-f", "tex")[1], "the command line is stronger"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('titel = "x"', "c/course.toml:1:1: unknown key 'titel'\n  Did you mean 'title'?"),
        ('formats = ["mdd"]', "c/course.toml:1:1: formats: unknown format 'mdd'. Did you mean 'md'?"),
        ('\norder = ["a", "wek1/a"]', "c/course.toml:2:15: the order names 'wek1/a'"),
        ('order = ["../a"]', "which is neither a page nor a folder"),
        ("title = \n", "c/course.toml:1:9: not valid TOML"),
        ("title = 1", "c/course.toml:1:1: title: "),
        ('title = ""', "c/course.toml:1:1: title: "),
    ],
)
def test_a_wrong_course_is_told_with_its_place(
    text: str, message: str, run: Run, answers: dict[str, Answer]
) -> None:
    write(Path("c/a.toml"), spec())
    write(Path("c/week1/a.toml"), spec())
    write(Path("c/course.toml"), text)
    status, out, err = run("build", "c")
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_one_spec_alone_makes_no_course(run: Run) -> None:
    write(Path("c/a.toml"), spec(more='[page]\nhide = ["figures"]\n'))
    status, out, err = run("build", "c/a.toml", "-f", "md")
    assert (status, out, err) == (0, "output/a.md\n", "")
    assert set(tree(Path("output"))) == {"a.md"}


def test_the_gallery_is_built_side_by_side(run: Run, answers: dict[str, Answer]) -> None:
    status, out, _ = run("gallery", "--jobs", "2")
    assert status == 0
    assert out.splitlines()[-1] == "output/README.md"
    assert not Path("output/index.md").exists()
    before = times(Path("output"))
    assert " unchanged" in run("gallery")[2]
    assert times(Path("output")) == before
    answers["attention"] = WRONG
    status, out, _ = run("gallery", "--fresh")
    assert status == 1
    assert "README.md" not in out


# --- for real ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_hundred_real_pages_whatever_the_number_of_workers(tmp_path: Path) -> None:
    for number in range(200):
        small = spec(f"Page {number}", x=f"[{number}, 2]", more='[page]\nhide = ["figures"]\n')
        write(tmp_path / f"c/week{number // 20}/{number}.toml", small)
    for jobs in ("1", "3"):
        call = [*MAIN, "build", "c", "-f", "md,svg", "--jobs", jobs, "--fresh", "-o", f"out{jobs}"]
        done = subprocess.run(call, cwd=tmp_path, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "200 pages: 200 built" in done.stderr
    one, three = tree(tmp_path / "out1"), tree(tmp_path / "out3")
    shutil.rmtree(tmp_path / "out1")
    assert one == three
    assert len(one) == 403


def test_building_asks_for_no_worker_when_nothing_is_missing(tmp_path: Path) -> None:
    long_course(tmp_path / "c", 3)
    here = plan([str(tmp_path / "c")], tmp_path / "output")

    class Unwilling(Workers):
        def answers(self, specs: object, formats: object) -> Iterator[tuple[int, Answer]]:
            assert not specs
            return iter(())

    building = Building(here, tmp_path / "output", ("md",), workers=Unwilling(1))
    assert [outcome.status for outcome in building.outcomes(lambda done, of: None)] == ["restored"] * 3
