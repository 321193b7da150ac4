"""Layers: every row worked at small awkward sizes, against autograd and torch's own module."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

import derivations
from derivations.catalogue import layers as catalogue
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.catalogue.layer import WHOLE, Layer
from derivations.catalogue.layers import LAYERS, find_layer
from derivations.language.errors import ArithmeticFault, LanguageError, SpecError
from derivations.model.example import Example, prepare
from derivations.model.recognize import recognize
from derivations.run.training import Trace, certified, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import Check, Report
from derivations.witnesses.verify import verify
from tests.built import thinned

# What is written, and the shape of the input; a new row without an entry gets twos and threes.
SPECIMENS: dict[str, list[tuple[str, tuple[int, ...]]]] = {
    "Linear": [("Linear(3, 2)", (2, 3)), ("Linear(2, 3, bias=False)", (2,)), ("Linear(1, 1)", (3, 2, 1))],
    "Embedding": [("Embedding(4, 3)", (5,)), ("Embedding(3, 1)", (2, 2))],
    "Flatten": [("Flatten()", (2, 3, 2)), ("Flatten()", (2, 2, 1, 3)), ("Flatten(0)", (2, 3))],
    "Squeeze": [("Squeeze()", (3, 1))],
    "Dropout": [("Dropout(0.25, mask=mask)", (2, 3))],
    "Residual": [("Residual(Linear(2, 2), Tanh())", (3, 2)), ("Residual(Residual(Tanh()))", (2,))],
    "Conv1d": [
        ("Conv1d(2, 3, 2)", (2, 2, 5)),
        ("Conv1d(1, 2, 3, stride=2, padding=2, dilation=2)", (2, 1, 6)),
        ("Conv1d(2, 1, 1, bias=False)", (2, 3)),
    ],
    "Conv2d": [
        ("Conv2d(1, 2, 2)", (2, 1, 3, 4)),
        ("Conv2d(2, 2, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))", (1, 2, 4, 3)),
        ("Conv2d(1, 1, 3, padding=1, bias=False)", (1, 3, 2)),
    ],
    "MaxPool1d": [
        ("MaxPool1d(2)", (2, 2, 5)),
        ("MaxPool1d(3, 2, 1)", (2, 6)),
        ("MaxPool1d(2, 1, dilation=2)", (1, 1, 5)),
    ],
    "MaxPool2d": [("MaxPool2d(2)", (2, 1, 4, 4)), ("MaxPool2d((3, 2), (1, 2), padding=1)", (1, 4, 3))],
    "AvgPool1d": [("AvgPool1d(2)", (2, 2, 5)), ("AvgPool1d(3, 2, 1)", (2, 6))],
    "AvgPool2d": [("AvgPool2d(2)", (2, 1, 4, 4)), ("AvgPool2d((3, 2), 1, padding=1)", (1, 2, 3, 3))],
    "BatchNorm1d": [
        ("BatchNorm1d(2)", (3, 2)),
        ("BatchNorm1d(2, eps=0.5)", (2, 2, 3)),
        ("BatchNorm1d(1, affine=False)", (4, 1)),
    ],
    "BatchNorm2d": [("BatchNorm2d(2)", (2, 2, 2, 3))],
    "LayerNorm": [
        ("LayerNorm(3)", (2, 3)),
        ("LayerNorm(2, bias=False)", (2, 2, 2)),
        ("LayerNorm(3, elementwise_affine=False)", (3,)),
    ],
    "GroupNorm": [("GroupNorm(2, 4)", (2, 4, 3)), ("GroupNorm(1, 2, affine=False)", (2, 2, 2, 2))],
    "RMSNorm": [("RMSNorm(3)", (2, 3)), ("RMSNorm(2, 0.1, elementwise_affine=False)", (2, 2))],
    "RNN": [
        ("RNN(2, 3)", (3, 2)),
        ("RNN(1, 2, nonlinearity=relu)", (2, 3, 1)),
        ("RNN(2, 2, bias=False, h0=state)", (2, 3, 2)),
    ],
    "LSTM": [
        ("LSTM(2, 1)", (3, 2)),
        ("LSTM(1, 2, h0=state, c0=cell)", (2, 2, 1)),
        ("LSTM(1, 1, bias=False)", (2, 1)),
    ],
    "GRU": [("GRU(2, 2)", (3, 2)), ("GRU(1, 2, h0=state)", (2, 2, 1)), ("GRU(1, 1, bias=False)", (2, 1))],
    "OriginalGRU": [
        ("OriginalGRU(2, 2)", (3, 2)),
        ("OriginalGRU(1, 2, h0=state)", (2, 2, 1)),
        ("OriginalGRU(1, 1, bias=False)", (2, 1)),
    ],
    "ScaledDotProductAttention": [
        ("ScaledDotProductAttention(key=memory, value=cell)", (2, 3)),
        ("ScaledDotProductAttention(causal=True)", (2, 3, 2)),
    ],
    "Attention": [("Attention(2)", (3, 2)), ("Attention(3, 2, bias=True, causal=True)", (2, 2, 3))],
    "MultiheadAttention": [
        ("MultiheadAttention(4, 2)", (3, 4)),
        ("MultiheadAttention(2, 2, bias=False, causal=True)", (2, 2, 2)),
    ],
    "AdditiveAttention": [
        ("AdditiveAttention(2, 2, 3)", (3, 2)),
        ("AdditiveAttention(2, 2, 1, causal=True)", (2, 2, 2)),
        ("AdditiveAttention(2, 3, 2, key=memory)", (3, 2)),
    ],
    "TransformerEncoderLayer": [
        ("TransformerEncoderLayer(2, 1, 3)", (2, 2)),
        ("TransformerEncoderLayer(4, 2, 1, causal=True, activation=gelu)", (1, 2, 4)),
    ],
}
OTHERS = {"mask": (2, 3), "state": (2, 2), "cell": (2, 2), "memory": (2, 3)}


def specimens(row: Layer) -> list[tuple[str, tuple[int, ...]]]:
    if row.name in SPECIMENS:
        return SPECIMENS[row.name]
    given = ", ".join("2" for default in row.arguments.values() if default is WHOLE)
    axes = row.inputs["x"].replace("...", "3").split(", ")
    known = {letter for letter, formula in row.sizes.items() if formula.strip("{}") in row.arguments}
    return [(f"{row.name}({given})", tuple(2 if axis in known else 3 for axis in axes))]


def numbers(shape: tuple[int, ...], name: str, whole: bool = False) -> str:
    """Numbers of two decimals without ties, or token numbers, as TOML has them."""
    generator = random.Random(f"{name} {shape}")

    def made(shape: tuple[int, ...]) -> object:
        if not shape:
            return generator.randint(1, 3) if whole else round(generator.uniform(-2, 2), 2)
        return [made(shape[1:]) for _ in range(shape[0])]

    return str(made(shape))


def spec_of(text: str, shape: tuple[int, ...], rank: int, *, learn: bool = True) -> str:
    """The layer's output in a loss that tells its entries apart; the input is learnt too, if it can be."""
    letters = ", ".join("abde"[:rank])
    at, over = (f"[{letters}]", f", {letters}") if rank else ("", "")
    body = f"yhat{at}**2*(1 + 0.5*yhat{at})"
    others = {name: own for name, own in OTHERS.items() if f"={name}" in text}
    learnt = learn and "Embedding" not in text
    kept = [f"{name} = {numbers(own, name)}" for name, own in others.items() if name != "mask"]
    mask = ["mask = [[1, 0, 1], [0, 1, 1]]"] if "mask" in others else []
    x = f"x = {numbers(shape, 'x', whole='Embedding' in text)}"
    return "\n".join(
        [
            'title = "one layer"',
            "[model]",
            f"layers = [{json.dumps(text)}]",
            f'equations = "L = {f"sum({body}{over})" if rank else body}"',
            "[data]",
            *mask,
            *([] if learnt else [x]),
            "[parameters]",
            *kept,
            *([x] if learnt else []),
        ]
    )


def example_of(text: str, shape: tuple[int, ...], *, learn: bool = True) -> Example:
    for rank in range(5):
        try:
            return prepare(*parse_spec(spec_of(text, shape, rank, learn=learn)))
        except SpecError as fault:
            if not re.search(r"'yhat' takes .*, found", fault.message):
                raise
    raise AssertionError("no rank fits")


def run(example: Example) -> Trace:
    return certified(lambda bits: train(example, bits))


def assert_verified(trace: Trace) -> Report:
    report = verify(trace)
    assert report.failures == []
    return report


CASES = [(row, text, shape) for row in LAYERS for text, shape in specimens(row)]


@pytest.mark.few(8)
@pytest.mark.parametrize(("row", "text", "shape"), CASES, ids=[text for _, text, _ in CASES])
def test_a_layer_agrees_with_autograd_and_with_torchs_own(
    row: Layer, text: str, shape: tuple[int, ...]
) -> None:
    example = example_of(text, shape)
    report = assert_verified(run(example))
    heard = {(c.witness, c.quantity.split("[")[0]) for c in report.checks}
    for name in example.start:  # every gradient, of the input too, from both
        assert ("autograd", f"dL/d{name}") in heard
        assert ("library", f"dL/d{name}") in heard
    own = {name for placed in example.layers for name in placed.targets}
    assert {("autograd", name) for name in own} <= heard
    assert {("autograd", f"dL/d{name}") for name in own} <= heard
    assert ("library", "yhat") in heard
    assert example.layers[0].row.name == row.name


@pytest.mark.few(16)
@pytest.mark.parametrize(("row", "text", "shape"), CASES, ids=[text for _, text, _ in CASES])
def test_a_layer_is_its_equations(row: Layer, text: str, shape: tuple[int, ...]) -> None:
    """The equations that a layer becomes, written by an author, give the same numbers."""
    example = example_of(text, shape)
    ranges = ", ".join(f"{letter} = {size}" for letter, size in example.spec.model.ranges.items())
    arrays = {
        key: [
            f"{name} = {nested(array.shape, list(map(float, array.entries)))}"
            for name, array in table.items()
        ]
        for key, table in (("data", example.data), ("parameters", example.start))
    }
    tables = "\n".join(line for key, lines in arrays.items() for line in (f"[{key}]", *lines))
    equations = f"[model]\nequations = '''\n{example.spec.model.equations}'''\nranges = {{ {ranges} }}\n"
    written = prepare(*parse_spec(f'title = "by hand"\n{equations}{tables}'))
    assert written.layers == ()
    ours, theirs = run(example).steps[0], run(written).steps[0]
    assert {key: str(value) for key, value in ours.values.items()} == {
        key: str(value) for key, value in theirs.values.items()
    }


def nested(shape: tuple[int, ...], entries: list[float]) -> object:
    if not shape:
        return entries[0]
    step = len(entries) // shape[0]
    return [nested(shape[1:], entries[at : at + step]) for at in range(0, len(entries), step)]


# --- faults ------------------------------------------------------------------------------------------

NO_EFFECT = ("bk[",)  # a bias of the keys moves every score of a query alike, and the softmax forgets it


def faults(row: Layer) -> Iterator[str]:
    """The equations with one sign turned, and with a wrong output."""
    for found in re.finditer(r"(?<= )[+-](?= )", row.equations):
        if not any(row.equations[found.end() :].lstrip().startswith(name) for name in NO_EFFECT):
            turned = "-" if found[0] == "+" else "+"
            yield row.equations[: found.start()] + turned + row.equations[found.end() :]
    head, _, body = row.equations.rpartition("] = ")
    yield f"{head}] = 0.1 + {body}"


SINGLE = [row for row in LAYERS if row.equations]


@pytest.mark.few(1)
@pytest.mark.parametrize("row", thinned(SINGLE, 3, lambda row: row.name))
def test_a_fault_in_a_row_is_caught(row: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By torch, in one of the row's specimens; the equations of the others have no such term."""
    for equations in faults(row):
        wrong = replace(row, equations=equations, start={})
        rows = tuple(wrong if other is row else replace(other, start={}) for other in LAYERS)
        monkeypatch.setattr(catalogue, "LAYERS", rows)
        assert any(is_caught(text, shape) for text, shape in specimens(row)), equations


def is_caught(text: str, shape: tuple[int, ...]) -> bool:
    try:
        failures = verify(run(example_of(text, shape))).failures
    except (SpecError, LanguageError, ArithmeticFault, AssertionError):  # a read outside an array
        return True
    return any(getattr(check, "witness", "") == "library" for check in failures)


@pytest.mark.parametrize("name", ["TransformerEncoderLayer"])
def test_a_fault_in_a_composed_row_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = find_layer(name)
    assert row is not None
    (names, first), second = row.parts
    for parts in (
        (
            (
                names,
                first.replace(
                    "Residual(LayerNorm({d_model}, {layer_norm_eps})", "Residual(LayerNorm({d_model}, 0.1)"
                ),
            ),
            second,
        ),
        (second, (names, first)),
    ):
        monkeypatch.setattr(
            catalogue, "LAYERS", tuple(replace(o, parts=parts) if o is row else o for o in LAYERS)
        )
        assert is_caught("TransformerEncoderLayer(2, 1, 3)", (2, 2))


# --- functions as layers -----------------------------------------------------------------------------

ENTRYWISE = [row for row in FUNCTIONS if row.arguments[:1] == ("x",) and row.slope != "0"]


@pytest.mark.few(6)
@pytest.mark.parametrize("row", ENTRYWISE, ids=[row.name for row in ENTRYWISE])
def test_every_function_is_a_layer(row: Function) -> None:
    given = ", ".join(
        str(0.25 + place) for place, name in enumerate(row.arguments[1:]) if name not in row.defaults
    )
    shown = row.name.title().replace("_", "")
    text = spec_of(f"{shown}({given})", (2, 3), 1 if row.name == "logsumexp" else 2, learn=True)
    positive = re.sub(r"-(\d)", r"\1", text)  # the logarithm and the root want positive arguments
    example = prepare(*parse_spec(positive))
    assert [found for found in verify(run(example)).failures if isinstance(found, Check)] == []
    assert example.spec.model.equations.startswith("yhat[a")


# --- recognized in an author's own equations ---------------------------------------------------------

ROWS = "x = [[1.5, -2], [0.5, 3], [0, -0.25]]"
LINEAR = [
    ("z[i] = w*x[i] + b", "x = [1.5, -2, 0.5]", "w = 0.7\nb = 0.1"),
    ("z[i] = x[i]*w", "x = [1.5, -2, 0.5]", "w = 0.7"),
    ("z[i] = sum(x[i, j]*w[j], j) + b", ROWS, "w = [0.7, -1.25]\nb = 0.1"),
    ("z[i] = sum(w[j]*x[i, j], j)", ROWS, "w = [0.7, -1.25]"),
    ("z[i, k] = w[k]*x[i] + b[k]", "x = [1.5, -2, 0.5]", "w = [0.7, 0.2]\nb = [0.1, 0]"),
    (
        "z[i, k] = sum(x[i, j]*w[k, j], j) + b[k]",
        ROWS,
        "w = [[0.7, -1.25], [1, 2], [0.5, 0]]\nb = [0.1, 0, 1]",
    ),
]


@pytest.mark.parametrize(("equation", "data", "parameters"), LINEAR)
@pytest.mark.parametrize("batches", ["", "batch_size = 2", "batches = [[3, 1], [2]]"])
def test_a_linear_layer_is_recognized_by_its_formula(
    equation: str, data: str, parameters: str, batches: str
) -> None:
    at = equation[1 : equation.index("=") - 1]
    loss = f"L = sum(z{at}**3, {at.strip('[]')})"
    text = (
        f'title = "t"\n[model]\nequations = """\n{equation}\n{loss}\n"""\n[data]\n{data}\n'
        f'[parameters]\n{parameters}\n[training]\noptimizer = {{ name = "SGD", lr = 0.01 }}\n{batches}'
    )
    example = prepare(*parse_spec(text))
    assert recognize(example)["z"].torch == "torch.nn.Linear"
    report = assert_verified(run(example))
    heard = {c.quantity.split("[")[0] for c in report.checks if c.witness == "library"}
    assert {"z", "dL/dz", *(f"dL/d{name}" for name in example.start)} <= heard


# --- names, letters and start values -----------------------------------------------------------------

BY_HAND = """title = "by hand"
[model]
equations = '''
z1[i, j] = sum(W1[j, k]*x[i, k], k) + b1[j]
h1[i, j] = tanh(z1[i, j])
z2[i, c] = sum(W2[c, j]*h1[i, j], j) + b2[c]
L = -mean(log_softmax(z2[i, c], c)*y[i, c], i, c)
'''
"""
BY_LAYERS = """title = "by layers"
[model]
layers = ["Linear(2, 3)", "Tanh()", "z2: Linear(3, 2)"]
output = "z2"
equations = "L = -mean(log_softmax(z2[i, c], c)*y[i, c], i, c)"
"""
NUMBERS = """[data]
x = [[1, 0.5], [0.5, -1], [0, 1]]
y = [[1, 0], [0, 1], [1, 0]]
[parameters]
W1 = [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]
b1 = [0, 0.1, 0.2]
W2 = [[0.5, -0.5, 1], [0.2, 0.3, 0.4]]
b2 = [0, 0.1]
[training]
optimizer = { name = "SGD", lr = 0.5 }
batch_size = 2
epochs = 2
"""


def test_layers_and_equations_give_the_same_run() -> None:
    hand, laid = (run(prepare(*parse_spec(text + NUMBERS))) for text in (BY_HAND, BY_LAYERS))
    for ours, theirs in zip(laid.steps, hand.steps, strict=True):
        assert {k: str(v) for k, v in ours.values.items()} == {k: str(v) for k, v in theirs.values.items()}


SQUARES = "L = sum(yhat[i, j]**2, i, j)"


def small(layers: str, equations: str = SQUARES, rest: str = "", model: str = "") -> str:
    return (
        f'title = "t"\n[model]\nlayers = [{layers}]\nequations = """{equations}"""\n{model}\n'
        f"[data]\nx = [[1, 0.5], [0.5, -1], [0, 1]]\n{rest}"
    )


def test_shared_frozen_and_given_parameters() -> None:
    example = prepare(*parse_spec(small('"Linear(2, 2)", "Tanh()", "Linear(2, 2, share=1)"')))
    assert set(example.start) == {"W1", "b1"}
    example = prepare(*parse_spec(small('"a: Linear(2, 2)", "Linear(2, 2, W=W1)"')))
    assert list(example.start) == ["W1", "b1", "b2"]
    assert_verified(run(example))
    example = prepare(*parse_spec(small('"Linear(2, 2, frozen=True)", "Linear(2, 2)"')))
    assert set(example.start) == {"W2", "b2"}
    example = prepare(*parse_spec(small('"Linear(2, 2)", "Linear(2, 2)"', rest="W1 = [[1, 2], [3, 4]]")))
    assert "W1" not in example.start
    assert_verified(run(example))


def test_start_values_are_drawn_for_each_name() -> None:
    both = [
        prepare(*parse_spec(small(text))) for text in ('"Linear(2, 2)"', '"Linear(2, 2)", "Linear(2, 3)"')
    ]
    assert both[0].start["W1"] == both[1].start["W1"]
    values = both[1].start["W2"].entries
    assert all(value != 0 and abs(value) < 1 and (10 * value).denominator == 1 for value in values)
    other = prepare(*parse_spec(small('"Linear(2, 2)"', model="seed = 2")))
    assert other.start["W1"] != both[0].start["W1"]


def test_layers_and_equations_mixed() -> None:
    """A layer of an author's own quantity, and quantities of layers in an author's equations."""
    text = small(
        '"Linear(2, 2)", "q: Tanh()", "Linear(2, 1, input=r)", "Squeeze()"',
        "r[i, j] = q[i, j] + x[i, j]**2\nL = mean((yhat[i] - y[i])**2, i) + 0.1*sum(W1[j, k]**2, j, k)",
        "y = [1, 0, 0.5]",
    )
    example = prepare(*parse_spec(text))
    assert example.sample == "i"
    assert_verified(run(example))


@pytest.mark.parametrize(
    ("layers", "column", "message"),
    [
        ('"Lineer(2, 3)"', 12, "unknown layer 'Lineer'"),
        (
            '"Linear(2, 3)", "Linear(4, 1)"',
            28,
            "Linear wants 4 values (in_features), and 'z1' with shape (3, 3)",
        ),
        ('"Linear(2)"', 12, "'out_features' is missing"),
        ('"Linear(2, 3, 4, 5)"', 28, "Linear takes 3 arguments, found 4"),
        ('"Linear(2, 3, biass=False)"', 31, "Linear has no argument 'biass'"),
        ('"Linear(2, 0)"', 22, "'out_features' is a whole number from 1, found 0"),
        ('"Linear(2, x)"', 22, "'out_features' is a whole number, found x"),
        ('"Linear(2, 3, share=4)"', 12, "no earlier Linear layer 4"),
        ('"Linear(2, 3, input=q)"', 12, "there is no input 'q'"),
        ('"Dropout(0.5)"', 12, "'mask' is missing"),
        ('"MaxPool1d(3)"', 12, "the sizes do not fit"),
        ('"MultiheadAttention(2, 3)"', 12, "the sizes do not fit"),
        ('"Conv1d(1, 1, 3)"', 12, "Conv1d wants 1 values (in_channels)"),
        ('"Conv2d(1, 1, 3)"', 12, "takes an input of at least 3 indices"),
        ('"Residual(3)"', 12, "Residual takes layers"),
        ('"Linear(2, 3"', 12, "this is no layer"),
        ('"__import__(2)"', 12, "unknown layer"),
        ('"x: 3"', 12, "this is no layer"),
        ('"a: Linear(2, 2)", "a: Tanh()", "Tanh()"', 31, "'a' is the name of two layers"),
    ],
)
def test_an_error_of_a_layer_says_where_and_what(layers: str, column: int, message: str) -> None:
    with pytest.raises(SpecError) as fault:
        prepare(*parse_spec(small(layers, model='output = "out"')))
    assert message in str(fault.value)
    assert (fault.value.line, fault.value.column) == (3, column)


def test_a_given_parameter_has_the_layers_shape() -> None:
    with pytest.raises(SpecError, match=r"'W1' has shape \(3,\); Linear needs \(3, 2\)"):
        prepare(*parse_spec(small('"Linear(2, 3)"', rest="[parameters]\nW1 = [1, 2, 3]")))


@pytest.mark.slow
def test_a_page_of_layers_and_equations() -> None:
    page = derivations.build(BY_LAYERS + NUMBERS, ("md", "tex", "json"))
    assert "W_{1" in page["md"]
    assert any(check.witness == "library" for check in page.report.checks)
