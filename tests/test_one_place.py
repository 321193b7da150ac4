"""The one-place promise: a row or a file is all that it takes to add something.

The package is copied, one row of each kind (or one file and its row) is added to the copy as an author
would type it, and a page that uses all of them is built by the copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ADDITIONS = {
    "catalogue/functions.py": (
        "BY_NAME = ",
        """FUNCTIONS += (
    Function("softplus", slope="sigmoid(x)", torch="torch.nn.functional.softplus",
             latex=r"\\mathrm{softplus}", rule="derivative of softplus", formula="log(1 + exp(x))"),
)
""",
    ),
    "catalogue/losses.py": (
        None,
        """
LOSSES += (
    Loss("quartic error", equation="mean((a[i] - b[i])**4, i)", convention="the mean of the fourth powers"),
)
""",
    ),
    "catalogue/layers.py": (
        None,
        """
LAYERS += (
    Layer("InputFirst", arguments={"size": WHOLE}, inputs={"x": "..., k"},
          sizes={"k": "{size}", "j": "{size}"}, equations="y[..., j] = sum(x[..., k]*W[j, k], k) - b[j]",
          convention="input times weight minus bias",
          source="none", reference=lambda torch, given, a: given["x"] @ given["W"].T - given["b"]),
)
""",
    ),
    "catalogue/optimizers.py": (
        "BY_NAME = ",
        """OPTIMIZERS += (
    Optimizer("HeavyBall", torch="torch.optim.SGD", hyper={"lr": None, "mu": "0.9"},
              equations='''
                  buf = mu*buf + g
                  theta = theta - lr*buf
              ''',
              arguments="lr={lr}, momentum={mu}", convention="the first buffer is the gradient",
              source="Polyak 1964", states={"buf": "momentum_buffer"}),
)
""",
    ),
    "catalogue/slips.py": (
        "BY_NAME = ",
        """SLIPS += (
    Slip("bias-forgotten", title="the bias forgotten", explanation="You forgot the bias.",
         absent="There is no bias.", changes=(Rewrite("values", "x - theta", "x"),)),
)
""",
    ),
    "formats/table.py": (
        "BY_NAME = ",
        'FORMATS += (Format("words", ".txt", "derivations.formats.plain_words:PRINTER", "words alone"),)\n',
    ),
}
NEW_FORMAT = '''"""A format of one's own: the headings, and nothing else."""

from derivations.language.errors import CheckFailed
from derivations.document.blocks import Heading
from derivations.formats.press import Printer


def write(press):
    """The headings of the page."""
    return "".join(f"{''.join(b.words)}\\n" for b in press.document.blocks if isinstance(b, Heading))


def check(text, press):
    """They must be the document's."""
    if text != write(press):
        raise CheckFailed("other headings")


PRINTER = Printer(write, check)
'''
SPEC = '''
title = "Added in one place each"
[model]
layers = ["InputFirst(1)", "Squeeze()"]
output = "z"
equations = """
p[i] = softplus(z[i])
L = mean((p[i] - y[i])**4, i)
"""
[data]
x = [[1], [-2], [0]]
y = [1, 0, 0.5]
[parameters]
W1 = [[0.5]]
b1 = [0]
[training]
optimizer = { name = "HeavyBall", lr = 0.1 }
batch_size = 2
epochs = 2
'''


@pytest.mark.slow
def test_adding_one_of_each_takes_one_place(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "derivations", tmp_path / "derivations", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    for name, (before, row) in ADDITIONS.items():
        path = tmp_path / "derivations" / name
        text = path.read_text()
        at = text.index(before) if before else len(text)
        path.write_text(text[:at] + row + text[at:])
    (tmp_path / "derivations" / "formats" / "plain_words.py").write_text(NEW_FORMAT)
    (tmp_path / "added.toml").write_text(SPEC)

    shown = command(tmp_path, "list", "--catalogue")
    for row in ("softplus(x)", "quartic error", "InputFirst(size)", "HeavyBall", "bias-forgotten"):
        assert row in shown
    command(tmp_path, "build", "added.toml", "--format", "md,tex,json,words")
    page = (tmp_path / "output" / "added.md").read_text()
    assert "The loss is the quartic error: the mean of the fourth powers:" in page
    assert "the first buffer is the gradient" in page
    assert r"\mathrm{softplus}(z_i)" in page
    assert "derivative of softplus" in page
    assert "the torch.optim optimizer" in page
    assert "Added in one place each" in (tmp_path / "output" / "added.txt").read_text()


def command(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    call = [sys.executable, "-m", "derivations.cli", *arguments]
    run = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_number_system_is_a_value() -> None:
    """The tape takes any arithmetic: here the integers modulo 97."""
    import operator
    from fractions import Fraction

    from derivations.model.example import prepare
    from derivations.numbers.systems import NumberSystem
    from derivations.run.training import layout_of
    from derivations.spec.gallery import path
    from derivations.spec.spec import read_spec

    p = 97

    def modulo(operation):  # type: ignore[no-untyped-def]
        return lambda a, b: operation(a, b) % p

    def number(value: Fraction) -> int:
        return value.numerator * pow(value.denominator, -1, p) % p

    basic = [
        modulo(f) for f in (operator.add, operator.sub, operator.mul, lambda a, b: a * pow(b, -1, p), pow)
    ]
    system = NumberSystem("modulo 97", number, *basic, lambda _, function: function)
    tape = layout_of(prepare(*read_spec(path("linear-regression"))), (1, 2)).tape
    values = {"x": [1, 2], "y": [12, 14], "w": [Fraction(1, 2)], "b": [1], "lr": [Fraction(1, 100)], "t": [1]}
    memory = tape.bind(system)([number(Fraction(v)) for name in values for v in values[name]])
    assert memory[tape.slots["dL/dw", ()]] == number(Fraction(-69, 2))
    assert memory[tape.slots["w'", ()]] == number(Fraction(169, 200))
