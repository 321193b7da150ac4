"""Modules of torch as specs: every row of the table, whole models, and what cannot be translated."""

from __future__ import annotations

import doctest
import inspect
import operator
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

import derivations
from derivations.catalogue.operation import Formula, Operation
from derivations.catalogue.operations import OPERATIONS
from derivations.language.errors import DerivationsError, SpecError
from derivations.model.example import prepare
from derivations.pytorch.from_module import Translation, in_the_module, translate
from derivations.pytorch.module_itself import module_witness
from derivations.pytorch.templates import reads as reads_of
from derivations.pytorch.templates import words
from derivations.run.training import certified, train
from derivations.spec.spec import parse_spec
from derivations.witnesses.check import Check

SGD = {"name": "SGD", "lr": 0.125}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def translated(module: Any, inputs: Any, loss: Any, target: Any = None, **training: Any) -> Translation:
    return translate(module, inputs, loss, target, "A module", {"sample": "i", **training})


def heard(found: Translation, text: str = "") -> tuple[Check, ...]:
    """What the module itself says about the run of its spec, or of another text."""
    example = prepare(*parse_spec(text or found.text))
    return certified(lambda bits: module_witness(found)(train(example, bits)))


def equations(found: Translation) -> list[str]:
    """The equations without the comments that say where they come from."""
    lines = found.text.split('"""')[1].strip().splitlines()
    return [line.partition("  #")[0].rstrip() for line in lines]


def agrees(module: Any, inputs: Any, loss: Any, target: Any = None, **training: Any) -> Translation:
    found = translated(module, inputs, loss, target, **training)
    checks = heard(found)
    assert checks
    assert [str(check) for check in checks if not check.ok] == []
    return found


# --- whole models -------------------------------------------------------------------------------


def squares(output: Tensor) -> Tensor:
    return (output**2).mean()


class Residual(nn.Module):
    """Functional calls, a residual, a parameter of its own, an axis of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(3, 3), nn.Linear(3, 1)
        self.alpha = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.alpha * functional.relu(self.inner(x))
        output: Tensor = self.outer(x)
        return output.squeeze(-1)


class Tied(nn.Module):
    """One matrix that is used twice, the second time transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(3, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.encoder(x)) @ self.encoder.weight


class Attention(nn.Module):
    """Heads cut from the features, looked-up tokens, a causal mask."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(4, 4)
        self.query, self.key, self.value = (nn.Linear(4, 4) for _ in range(3))

    def heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], 2, 2).transpose(1, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens)
        query, key, value = (self.heads(layer(x)) for layer in (self.query, self.key, self.value))
        found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return found.transpose(1, 2).flatten(2).mean(1)


def test_a_sequential() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    found = agrees(model, torch.randn(4, 3), nn.MSELoss(), torch.randn(4, 1), optimizer=SGD, batch_size=2)
    assert equations(found) == [
        "z1[i, k] = sum(W1[k, j]*x[i, j], j) + b1[k]",
        "h1[i, k] = tanh(z1[i, k])",
        "yhat[i] = sum(w2[k]*h1[i, k], k) + b2",
        "L = mean((yhat[i] - y[i])**2, i)",
    ]


def test_numbers_are_taken_exactly() -> None:
    model = nn.Linear(2, 1)
    found = translated(model, torch.randn(3, 2), nn.MSELoss(), torch.randn(3, 1))
    start = prepare(*parse_spec(found.text)).start
    assert [float(value) for value in start["w1"].entries] == model.weight.flatten().tolist()
    assert list(start) == ["w1", "b1"]


def test_functional_calls_and_a_residual() -> None:
    found = agrees(Residual(), torch.randn(3, 3), "mse_loss", torch.randn(3), optimizer=SGD)
    assert "z3[i, j] = x[i, j] + z2[i, j]" in equations(found)


def test_shared_weights_stay_one_parameter() -> None:
    found = agrees(Tied(), torch.randn(2, 3), squares, optimizer=SGD)
    assert list(found.parameters) == ["W1"]
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    assert list(agrees(tied, torch.randn(2, 2), squares).parameters) == ["W1", "b1", "b2"]


def test_frozen_weights_and_buffers_are_data() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)).eval()
    model[0].weight.requires_grad_(False)
    found = agrees(model, torch.randn(3, 2), squares)
    example = prepare(*parse_spec(found.text))
    assert {"W1", "mu2", "var2"} < set(example.data)
    assert "W1" not in example.start


def test_several_inputs_and_a_join() -> None:
    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(3, 2), nn.Linear(3, 1)

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            joined: Tensor = self.last(torch.cat([torch.sigmoid(self.first(left)), right], dim=1))
            return joined[:, 0]

    inputs = torch.randn(4, 3), torch.randn(4, 1)
    found = agrees(Joined(), inputs, functional.mse_loss, torch.randn(4), optimizer=SGD, batch_size=3)
    assert list(found.inputs) == ["left", "right"]


def test_names_that_look_alike_on_a_page_are_avoided() -> None:
    class Weighted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.i = nn.Linear(2, 1), nn.Parameter(torch.ones(()))

        def forward(self, w: Tensor, z: Tensor) -> Tensor:
            output: Tensor = self.layer(w * z)
            return torch.tanh(output) * self.i

    found = agrees(Weighted(), (torch.randn(2, 2), torch.randn(2, 1)), squares)
    assert list(found.inputs) == ["w", "z"]
    assert list(found.parameters) == ["weight1", "b1", "i1"]
    assert equations(found)[0] == "zz1[i, j] = w[i, j]*z[i]"


def test_a_single_sample() -> None:
    agrees(nn.Sequential(nn.Linear(1, 2), nn.Softmax(dim=1)), torch.randn(1, 1), squares)


def test_class_numbers_are_counted_from_1() -> None:
    labels = torch.tensor([0, 2, 1, 2])
    found = agrees(
        nn.Linear(2, 3), torch.randn(4, 2), "CrossEntropyLoss", labels, optimizer=SGD, batch_size=2
    )
    assert "y = [1, 3, 2, 3]" in found.text
    assert equations(found)[-1] == "L = -mean(p1[i, y[i]], i)"


def test_a_convolutional_network() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 2, 2, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)
    )
    found = agrees(model, torch.randn(2, 1, 5, 5), nn.CrossEntropyLoss(), torch.tensor([0, 1]))
    assert equations(found)[3] == "yhat[i, m] = sum(W2[m, l, u, s]*h2[i, l, u, s], l, u, s) + b2[m]"


def test_a_transposed_parameter_keeps_its_rows() -> None:
    class Transposed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix = nn.Parameter(torch.randn(3, 4))

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) @ self.matrix.T

    agrees(Transposed(), torch.randn(2, 2, 2), squares)


def test_attention_with_heads() -> None:
    agrees(Attention(), torch.randint(0, 4, (2, 3)), squares)


def test_a_loss_of_the_users_own() -> None:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        return ((output - target) ** 2).sum(-1).mean() + 0.5 * output.abs().mean()

    agrees(nn.Linear(2, 2), torch.randn(3, 2), loss, torch.randn(3, 2))


SIZES = st.integers(1, 3)
POINTWISE = (nn.Identity, nn.Tanh, nn.Sigmoid, nn.ReLU, nn.LeakyReLU, nn.SiLU, nn.Softplus, nn.Hardtanh)


@st.composite
def sequentials(draw: st.DrawFn) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(draw(st.integers(0, 99)))
    width, layers = draw(SIZES), list[nn.Module]()
    inputs = torch.randn(draw(SIZES), width)
    for _ in range(draw(st.integers(1, 3))):
        new = draw(SIZES)
        layers.append(nn.Linear(width, new, bias=draw(st.booleans())))
        layers.append(draw(st.sampled_from(POINTWISE))())
        width = new
        if width > 1 and draw(st.booleans()):
            layers.append(draw(st.sampled_from([nn.LayerNorm(width), nn.Softmax(dim=-1)])))
    return nn.Sequential(*layers), inputs


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(sequentials())
def test_random_sequentials(case: tuple[nn.Module, Tensor]) -> None:
    agrees(*case, squares)


# --- every row of the table -------------------------------------------------------------------------

EXTENTS = {"n": 2, "c": 3, "k": 3, "j": 2, "l": 2, "o": 2, "q": 3, "e": 2, "v": 2}
HOMES = (functional, torch, torch.special, operator)
DATA = ("target", "key", "value", "input2")  # tensors beside the first that have samples


def function_of(name: str) -> Callable[..., Any]:
    """One spelling of an operation: a function, a functional, an operator, or else a method."""
    found = [getattr(home, name) for home in HOMES if hasattr(home, name)]
    if name in ("T", "mT"):
        return lambda tensor: getattr(tensor, name)
    return found[0] if found else lambda tensor, *arguments: getattr(tensor, name)(*arguments)


def shape_of(parts: list[str], sampled: bool) -> list[int]:
    """A shape for a pattern: lengths by letter; ``...`` are the samples, or nothing for a parameter."""
    if parts == ["..."]:
        return [2, 3] if sampled else [3]
    rest = [2] if sampled and "n" not in parts else []
    return [size for part in parts for size in (rest if part == "..." else [EXTENTS.get(part, 3)])]


class OneCall(nn.Module):
    """The call of one row: the first tensor is an input times a parameter, the others are learnt."""

    def __init__(self, row: Operation, formula: Formula | None) -> None:
        super().__init__()
        self.row, self.function = row, function_of(row.names[0])
        self.names = [part.partition("=")[0].lstrip("*") for part in row.arguments.split(", ")]
        text = formula.text if formula else ""
        reads = {name: parts for name, parts in reversed(list(reads_of(text))) if name in self.names}
        shapes = {key: value for key, value in row.specimen.items() if isinstance(value, list)}
        self.sampled = not formula or bool({"...", "n"} & set(reads[self.names[0]]))
        shapes |= {
            name: shape_of(parts, self.sampled and name in (self.names[0], *DATA))
            for name, parts in reads.items()
            if name not in shapes
        }
        wanted = words(text) | {self.names[0]} if formula else set(self.names)
        self.settings = {**row.when, **(formula.when if formula else {})}
        self.numbers = {
            k: v for k, v in row.specimen.items() if not isinstance(v, list) and k not in self.settings
        }
        self.tensors = nn.ParameterDict()
        for name, shape in shapes.items():
            if name in wanted:
                looked_up = re.search(rf"\[[^\]]*\b{name}\[", text) is not None
                tensor = torch.randint(0, 3, shape) if looked_up else torch.rand(shape) * 0.6 + 0.2
                learnt = not looked_up and not name.startswith("running")
                self.tensors[name] = nn.Parameter(tensor, requires_grad=learnt)
        self.scale = nn.Parameter(torch.ones(()))
        self.inputs = [name for name in (self.names[0], *DATA) if self.sampled and name in self.tensors]
        self.samples = tuple(self.tensors.pop(name).detach() for name in self.inputs) or (torch.ones(2),)

    def forward(self, first: Tensor, second: Any = None, third: Any = None) -> Any:
        first = first * self.scale if first.dtype.is_floating_point else first
        known = {**self.numbers, **dict(self.tensors.items())}
        known |= dict(zip(self.inputs, (first, second, third), strict=False))
        positional = []
        for name in self.names:
            if name not in known:
                break
            positional.append(known.pop(name))
        found = self.function(*positional, **known, **self.settings)
        found = found[1] if self.row.view == "chunk" else found
        return found if self.sampled else found * first.mean()


def cases() -> Iterator[Any]:
    for row in OPERATIONS:
        if not row.joins:
            for place, formula in enumerate(row.formulas or (None,)):
                yield pytest.param(row, formula, id=f"{row.names[0]}-{place}")


@pytest.mark.few(10)
@pytest.mark.parametrize(("row", "formula"), list(cases()))
def test_every_row_agrees_with_torch(row: Operation, formula: Formula | None) -> None:
    call = OneCall(row, formula)
    found = agrees(call, call.samples, lambda output: (output * output).sum())
    assert formula is None or len(equations(found)) >= len(formula.text.splitlines())


@pytest.mark.parametrize("name", sorted({name for row in OPERATIONS for name in row.names}))
def test_every_name_is_torchs(name: str) -> None:
    assert any(hasattr(home, name) for home in (*HOMES, Tensor))


@pytest.mark.parametrize("join", [torch.cat, torch.stack])
def test_joins(join: Callable[..., Tensor]) -> None:
    class Join(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return join([x, torch.exp(self.layer(x))], 1)

    agrees(Join(), torch.randn(3, 2), squares)


# --- what cannot be translated ------------------------------------------------------------------------


class Calls(nn.Module):
    """A module whose forward is one line of this file."""

    def __init__(self, line: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.line = nn.Linear(3, 3), line

    def forward(self, x: Tensor) -> Any:
        return self.line(self.layer(x))


UNSUPPORTED = {
    "torch.cumsum": lambda x: torch.cumsum(x, 1),
    "torch.Tensor.detach": lambda x: x.detach(),
    "torch.fft": lambda x: torch.fft.fft(x).real,
    "torch.Tensor.masked_fill": lambda x: x.masked_fill(torch.ones(4, 3) > 0, 0.0),
    "torch.sum cannot be said in index notation: dtype": lambda x: torch.sum(x, 1, dtype=torch.float32),
    "a slice of the samples": lambda x: x[0],
    "the samples along one axis": lambda x: x + torch.ones(4, 1),
    "samples along two": lambda x: x @ x.T,
    "control flow": lambda x: x if x.sum() > 0 else -x,
    "cuts across the axes": lambda x: x.reshape(6, 2),
    "RuntimeError": lambda x: x @ torch.ones(5, 5),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_unsupported_lines_are_named(what: str) -> None:
    line: Any = UNSUPPORTED[what]
    with pytest.raises(DerivationsError) as fault:
        translated(Calls(line), torch.randn(4, 3), squares)
    number = inspect.getsourcelines(line)[1]
    assert what in str(fault.value)
    assert re.match(rf".*test_from_module\.py:{number}: model", str(fault.value))


MODULES = {
    "training=True": nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)),
    "groups=3": nn.Sequential(nn.Unflatten(1, (3, 1)), nn.Conv1d(3, 3, 1, groups=3)),
    "training mode": nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)),
    "ceil_mode=True": nn.Sequential(nn.Unflatten(1, (1, 3)), nn.MaxPool1d(2, ceil_mode=True)),
    "FractionalMaxPool2d": nn.Sequential(
        nn.Unflatten(1, (1, 3, 1)), nn.FractionalMaxPool2d(1, output_size=1)
    ),
}


@pytest.mark.parametrize("what", MODULES)
def test_unsupported_modules_are_named_by_their_path(what: str) -> None:
    with pytest.raises(DerivationsError, match=what) as fault:
        translated(MODULES[what], torch.randn(4, 3), squares)
    assert f"model.1 ({type(MODULES[what][1]).__name__})" in str(fault.value)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((nn.Linear(2, 1), torch.randn(3, 2), "MSEloss", None), "Did you mean 'MSELoss'"),
        ((nn.Linear(2, 1), torch.tensor(1.0), squares, None), "first axis"),
        ((nn.Linear(2, 1), [["1.0"]], squares, None), "expected a tensor"),
        ((torch.tanh, torch.randn(3, 2), squares, None), "expected a torch.nn.Module"),
        ((nn.Linear(2, 1), torch.randn(3, 5), squares, None), "RuntimeError"),
        ((nn.Linear(2, 1), torch.randn(3, 2), torch.square, None), "not one number"),
        ((nn.Linear(2, 1), torch.full((3, 2), float("nan")), squares, None), "nan"),
        ((nn.Linear(2, 1), (torch.randn(3, 2), torch.randn(3)), squares, None), "2 inputs are given"),
        ((nn.Linear(2, 1), torch.randn(3, 2), nn.MSELoss(), torch.randn(3)), "samples along two"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_bad_arguments_are_explained(arguments: Any, what: str) -> None:
    with pytest.raises(DerivationsError, match=what):
        translated(*arguments)


# --- the witness --------------------------------------------------------------------------------------


def faults(text: str) -> Iterator[str]:
    """The spec with one equation altered at a time: a sign turned, a factor 2, another function."""
    for line in text.split('"""')[1].strip().splitlines():
        equation = line.partition("  #")[0].rstrip()
        target, _, body = equation.partition(" = ")
        yield text.replace(line, f"{target} = 2*({body})")
        yield text.replace(line, f"{target} = -({body})")
        if " + " in body:
            yield text.replace(line, f"{target} = {body.replace(' + ', ' - ', 1)}")


@pytest.mark.slow
def test_every_altered_equation_is_noticed() -> None:
    found = translated(Residual(), torch.randn(3, 3), "mse_loss", torch.randn(3))
    altered = list(faults(found.text))
    assert len(altered) >= 12
    for text in altered:
        assert not all(check.ok for check in heard(found, text))


def test_an_altered_translation_builds_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from derivations import page as home

    def wrong(*arguments: Any) -> Translation:
        found = translate(*arguments)
        from dataclasses import replace

        return replace(found, text=found.text.replace("+ b1", "- b1"))

    monkeypatch.setattr(home, "translate", wrong)
    with pytest.raises(derivations.DerivationsError, match=r"not verified: step 1: .* module"):
        derivations.from_module(nn.Linear(2, 1), torch.randn(3, 2), nn.MSELoss(), torch.randn(3, 1))


@pytest.mark.slow
def test_a_page_from_a_module() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    page = derivations.from_module(
        model, torch.randn(4, 2), nn.MSELoss(), torch.randn(4, 1), SGD, title="Two layers", batch_size=2
    )
    assert page["md"].startswith("# Two layers")
    assert "the module itself" in page["md"]
    assert {check.quantity for check in page.report.checks if check.witness == "module"} >= {
        "L",
        "dL/dW1[1, 2]",
    }
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_sessions_of_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (session,) = re.findall(r"```pycon\n(.*?)```", readme, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(session, {"derivations": derivations}, "README", None, None)
    assert doctest.DocTestRunner().run(example).failed == 0


def test_long_numbers_are_rounded_on_the_page() -> None:
    model = nn.Linear(1, 1)
    model.weight.data.fill_(1 / 3)
    model.bias.data.fill_(-0.5)
    page = derivations.from_module(model, torch.tensor([[0.1], [2.0]]), nn.MSELoss(), torch.ones(2, 1), SGD)
    assert r"$w_1 \approx 0.333333$ and $b_1 = -0.5$" in page["md"]
    assert "| 1 | 0.100000 | 1 |" in page["md"]


def test_the_spec_can_be_edited_and_built() -> None:
    text = derivations.spec_from_module(
        nn.Linear(1, 1), torch.ones(2, 1), nn.MSELoss(), torch.ones(2, 1), SGD
    )
    page = derivations.build(text.replace("epochs = 1", "epochs = 2"))
    assert page.trace.steps


class Gated(nn.Module):
    """The first entries of an input, of a computed array and of a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.scale = nn.Linear(3, 4), nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.inner(x)
        gated = hidden[:, :2] * torch.sigmoid(hidden[:, 2:]) + x[:, 0:2]
        return (gated * self.scale[:2]).sum(1)


def test_the_first_entries_of_an_axis() -> None:
    found = agrees(Gated(), torch.randn(2, 3), nn.MSELoss(), torch.randn(2), optimizer=SGD)
    assert "z2[i, l] = z1[i, l]*h1[i, l]" in equations(found)
    assert "ranges = { l = 2 }" in found.text
    made = derivations.build(found.text, ("md",))  # the program of the page too reads two entries only
    assert "z1[:, :2]*h1" in made["md"]


def test_faults_of_a_spec_that_nobody_wrote_are_said_of_the_call() -> None:
    given = nn.Linear(2, 1), torch.randn(3, 2), nn.MSELoss(), torch.randn(3, 1)
    with pytest.raises(DerivationsError, match=r"^batchsize = 2: unknown key"):
        derivations.from_module(*given, SGD, batchsize=2)  # type: ignore[call-arg]
    with pytest.raises(DerivationsError, match=r"^optimizer = .*'lr' must be at least 0"):
        derivations.spec_from_module(*given, {"name": "SGD", "lr": -1})

    text = translated(*given).text
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.startswith("yhat"))
    fault = in_the_module(SpecError("wrong", file="spec", line=line, column=2), text)
    assert str(fault) == "model: wrong"
