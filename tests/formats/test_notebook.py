"""The notebooks: they run, they check themselves, and nothing in them can be turned over unnoticed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

import derivations
from derivations.language.errors import CheckFailed
from derivations.spec import gallery
from tests.built import GALLERY, page

SOME = ("linear-regression", "two-two-two-network", "rnn-two-steps", "newton")


def notebook(name: str) -> Any:
    return nbformat.reads(page(name)["ipynb"], as_version=4)


def code(found: Any) -> list[Any]:
    return [cell for cell in found.cells if cell.cell_type == "code"]


def altered(text: str, old: str, new: str, place: int = 0) -> str:
    at = [hit.start() for hit in re.finditer(re.escape(old), text)][place]
    return text[:at] + new + text[at + len(old) :]


@pytest.mark.parametrize("name", GALLERY)
def test_every_page_is_a_notebook_that_checks_itself(name: str) -> None:
    found = notebook(name)
    nbformat.validate(found)
    ids = [cell.id for cell in found.cells]
    assert len(set(ids)) == len(ids)
    sources = [cell.source for cell in code(found)]
    assert "def check(" in sources[0]
    steps = {
        int(n) for source in sources for n in re.findall(r"^step(?:, batch)? = (\d+)", source, re.MULTILINE)
    }
    assert steps
    loss = page(name).trace.example.loss
    assert sum(f"check({loss}, " in source for source in sources) == len(steps)
    assert "".join(o.text for cell in code(found) for o in cell.outputs) == page(name).press.run.printed


def test_its_cells_follow_the_derivation() -> None:
    kinds = [cell.cell_type for cell in notebook("linear-regression").cells]
    sources = [cell.source for cell in notebook("linear-regression").cells]
    first = next(at for at, source in enumerate(sources) if source.startswith("## Mini-batch 1"))
    assert kinds[first - 1] == "code"
    assert kinds[first : first + 6] == ["markdown", "code"] * 3
    assert "check(yhat, [1.5, 2])" in sources[first + 1]
    assert sources[first + 2].startswith("$$\n\\frac{\\partial L}{\\partial w}")
    assert "check(model.weight.grad, -34.5)" in sources[first + 3]
    assert sources[first + 4].startswith("$$\nw \\leftarrow")
    assert "check(model.weight, 0.845)" in sources[first + 5]


def test_adjoints_in_between_are_checked() -> None:
    sources = "\n".join(cell.source for cell in code(notebook("two-two-two-network")))
    for name in ("net", "h", "out", "o"):
        assert f"{name}.retain_grad()" in sources
        assert f"check({name}.grad, " in sources


def test_steps_that_are_not_shown_are_worked_all_the_same() -> None:
    spec = gallery.path("linear-regression").read_text() + "\n[page]\nsteps = [1, 3]\n"
    found = nbformat.reads(derivations.build(spec, ("ipynb",))["ipynb"], as_version=4)
    assert any("in enumerate(([[1, 2], [3, 4], [5, 6]])[1:2], 2):" in cell.source for cell in code(found))
    hidden = derivations.build(spec + 'hide = ["steps"]\n', ("ipynb",))["ipynb"]
    assert hidden.count("check(L, ") == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_a_number_turned_over_is_noticed(name: str) -> None:
    shown, text = page(name), page(name)["ipynb"]
    for number in list(re.finditer(r"(?<![\w.])\d+\.\d+", text))[::7]:
        digit = str((int(number[0][-1]) + 1) % 10)
        with pytest.raises(CheckFailed):
            shown.check("ipynb", text[: number.end() - 1] + digit + text[number.end() :])
            pytest.fail(text[number.start() - 40 : number.end() + 10])


def test_a_cell_that_is_lost_or_added_is_noticed() -> None:
    shown = page("linear-regression")
    for at in range(len(notebook("linear-regression").cells)):
        found = json.loads(shown["ipynb"])
        del found["cells"][at]
        with pytest.raises(CheckFailed):
            shown.check("ipynb", json.dumps(found))
    for text in (
        altered(shown["ipynb"], "chain rule", "product rule"),
        altered(shown["ipynb"], "optimizer.step()", "optimizer.step(); optimizer.step()"),
        shown["ipynb"][:-20],
        "{}",
    ):
        with pytest.raises(CheckFailed):
            shown.check("ipynb", text)


FRESH = "%reset -f\nimport torch\ntorch.set_default_dtype(torch.float32)"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    """One kernel for several notebooks, so that torch is imported once."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def check_printed(name: str, printed: str) -> None:
    """What a kernel prints is what the page says, number by number of the trace."""
    loss = page(name).trace.example.loss
    lines = re.findall(rf"^step (\d+): {re.escape(loss)} = (\S+?)(?:,|$)", printed, re.MULTILINE)
    assert lines
    for number, value in lines:
        wanted = float(page(name).trace.steps[int(number) - 1][loss])
        assert float(value) == pytest.approx(wanted, rel=1e-7, abs=1e-12)


@pytest.mark.slow
def test_a_kernel_runs_it() -> None:
    from nbclient import NotebookClient

    found = notebook("linear-regression")
    for cell in code(found):
        cell.outputs = []
    NotebookClient(found, timeout=120, kernel_name="python3").execute()
    check_printed("linear-regression", "".join(o.text for cell in code(found) for o in cell.outputs))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group("kernel")) for name in gallery.names()]
)
def test_a_kernel_runs_every_notebook(name: str, kernel: Any) -> None:
    printed: list[str] = []

    def hear(message: Any) -> None:
        printed.append(message["content"].get("text", ""))

    for source in (FRESH, *(cell.source for cell in code(notebook(name)))):
        answer = kernel.execute_interactive(source, output_hook=hear, timeout=120)
        assert answer["content"]["status"] == "ok", answer["content"]
    check_printed(name, "".join(printed))


@pytest.mark.slow
def test_a_kernel_notices_a_wrong_number() -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    found = nbformat.reads(
        page("linear-regression")["ipynb"].replace("check(L, 127.125)", "check(L, 127.126)"), 4
    )
    with pytest.raises(CellExecutionError, match="AssertionError"):
        NotebookClient(found, timeout=120, kernel_name="python3").execute()
