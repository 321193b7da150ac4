"""Module and loss as one function of the user's own parameters, and the user's objects as its witness."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import derivations
from derivations.language.errors import CheckFailed, DerivationsError
from derivations.model.example import prepare
from derivations.pytorch.from_module import Translation, translate
from derivations.pytorch.module_itself import module_witness
from derivations.run.training import certified, train
from derivations.spec.spec import parse_spec

SGD = {"name": "SGD", "lr": 0.125}
X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
Y = torch.tensor([[1.0], [0.0], [2.0]])


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 1)


def translated(module: Any, loss: Any, target: Any = Y, inputs: Any = X, **training: Any) -> Translation:
    return translate(module, inputs, loss, target, "A module", {"sample": "i", "optimizer": SGD, **training})


def refused(module: Any, loss: Any, target: Any = Y) -> DerivationsError:
    with pytest.raises(DerivationsError) as fault:
        heard(translated(module, loss, target))
    return fault.value


def heard(found: Translation) -> Any:
    """The first step of the run, when the module itself says so to every number of all of them."""
    trace = certified(lambda bits: train(prepare(*parse_spec(found.text)), bits))
    checks = module_witness(found)(trace)
    assert checks
    assert [str(check) for check in checks if not check.ok] == []
    return trace.steps[0]


def slopes(module: nn.Linear, loss: Callable[[Tensor, Tensor], Tensor]) -> list[float]:
    """The gradient that torch itself finds, on a float64 copy that the loss is told of."""
    module.double().zero_grad()
    loss(module(X.double()), Y.double()).backward()
    assert module.weight.grad is not None
    assert module.bias.grad is not None
    return [*module.weight.grad[0].tolist(), *module.bias.grad.tolist()]


# --- one function of the same parameters ---------------------------------------------------------------


def penalties(module: nn.Linear) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Every way in which a loss gets hold of the parameters."""
    listed, named = list(module.parameters()), dict(module.named_parameters())

    def squares(parameters: Any, output: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(output, target) + 0.5 * sum(p.pow(2).sum() for p in parameters)

    class Holder:
        def loss(self, output: Tensor, target: Tensor) -> Tensor:
            return squares(module.parameters(), output, target)

        __call__ = loss

    return {
        "parameters()": lambda o, y: squares(module.parameters(), o, y),
        "attributes": lambda o, y: squares((module.weight, module.bias), o, y),
        "a list": lambda o, y: squares(listed, o, y),
        "a dict": lambda o, y: squares(named.values(), o, y),
        "partial": partial(squares, listed),
        "a bound method": Holder().loss,
        "a callable object": Holder(),
        "a default": lambda o, y, held=listed: squares(held, o, y),
        "one vector": lambda o, y: (
            functional.mse_loss(o, y) + 0.5 * torch.cat([p.view(-1) for p in listed]).pow(2).sum()
        ),
        "operators": lambda o, y: functional.mse_loss(o, y) + sum((p * p / 2).sum() for p in listed),
        "called again": lambda o, y: (
            functional.mse_loss(o, y) + sum((-((0 - p) ** 2)).sum() for p in listed) * -0.5
        ),
    }


@pytest.mark.parametrize("way", penalties(linear()))
def test_a_loss_that_reads_the_parameters(way: str) -> None:
    module = linear()
    found = translated(module, penalties(module)[way])
    assert list(found.parameters) == ["w1", "b1"]
    step = heard(found)
    theirs = slopes(module, penalties(module)["parameters()"])
    assert [float(step[name]) for name in ("dL/dw1[1]", "dL/dw1[2]", "dL/db1")] == pytest.approx(
        theirs, rel=1e-12
    )


class Penalized(nn.Module):
    """A loss module that holds the model, and learns a number of its own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.scale = model, nn.Parameter(torch.tensor(2.0))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        weight: Any = self.model.weight
        return self.scale * functional.mse_loss(output, target) + weight.abs().sum()


def test_a_loss_module_that_holds_the_model_learns_no_second_copy() -> None:
    found = translated(module := linear(), Penalized(module))
    assert list(found.parameters) == ["w1", "b1", "scale"]
    heard(found)


def test_the_model_called_again_in_the_loss() -> None:
    module = linear()
    found = translated(module, lambda o, y: functional.mse_loss(o, y) + module(torch.ones(1, 2)).pow(2).sum())
    assert list(found.parameters) == ["w1", "b1"]
    heard(found)


def test_a_criterion_inside_a_lambda() -> None:
    criterion = nn.MSELoss()
    found = translated(linear(), lambda o, y: criterion(o.squeeze(-1), y.squeeze(-1)))
    assert "L = mean((yhat[i] - y[i])**2, i)" in found.text
    heard(found)


def test_a_layer_inside_a_lambda_is_learnt_too() -> None:
    torch.manual_seed(1)
    head = nn.Linear(1, 1)
    found = translated(linear(), lambda o, y: functional.mse_loss(head(o), y))
    assert list(found.parameters) == ["w1", "b1", "w2", "b2"]
    heard(found)
    assert head.weight.dtype == torch.float32


def test_weights_of_a_criterion_may_have_fewer_digits() -> None:
    weight = torch.tensor([0.5, 2.0])
    found = translated(linear(), lambda o, y: ((o - y).pow(2) * weight[1]).mean())
    heard(found)


def test_hooks_of_forward_passes_and_parametrizations_are_traced() -> None:
    module = linear()
    module.register_forward_hook(lambda m, given, output: torch.tanh(output))
    found = translated(module, nn.MSELoss())
    assert "yhat[i] = tanh(z1[i])" in found.text
    heard(found)

    class Positive(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight.exp()

    module = linear()
    nn.utils.parametrize.register_parametrization(module, "weight", Positive())
    heard(translated(module, nn.MSELoss()))


# --- what would be a constant is refused, with its line --------------------------------------------------


def stopped(module: nn.Linear, target: Tensor) -> Tensor:
    with torch.no_grad():
        return module.weight.abs().sum()


MODULE = linear()
BEFORE, LEAF = MODULE.weight.abs().sum(), torch.tensor(0.5, requires_grad=True)
CONSTANTS: dict[str, Any] = {
    "torch.Tensor.detach": lambda o, y: (o - y).pow(2).mean() + MODULE.weight.detach().abs().sum(),
    "torch.Tensor.data": lambda o, y: (o - y).pow(2).mean() + MODULE.weight.data.abs().sum(),
    "torch.Tensor.item": lambda o, y: (o - y).pow(2).mean() + MODULE.weight.abs().sum().item(),
    "a number is taken out": lambda o, y: (o - y).pow(2).mean() * float(MODULE.bias),
    "a number is taken": lambda o, y: (o - y).pow(2).mean() * float(MODULE.bias.sum()),
    "control flow": lambda o, y: (o - y).pow(2).mean() * (2 if MODULE.bias.sum() > 0 else 3),
    "no parameter of the module": lambda o, y: (o - y).pow(2).mean() + BEFORE,
    "is no parameter": lambda o, y: (o - y).pow(2).mean() * LEAF,
}


@pytest.mark.parametrize("what", CONSTANTS)
def test_constants_that_would_move_are_refused(what: str) -> None:
    loss = CONSTANTS[what]
    assert what in str(fault := refused(MODULE, loss))
    assert (fault.file, fault.line) == (__file__, inspect.getsourcelines(loss)[1])


def test_no_gradient_flows_out_of_no_grad() -> None:
    module = linear()
    fault = refused(module, lambda o, y: functional.mse_loss(o, y) + stopped(module, y))
    assert "torch.no_grad()" in str(fault)
    assert fault.line == inspect.getsourcelines(stopped)[1] + 2


def test_a_tensor_of_the_module_that_requires_a_gradient_is_no_constant() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = linear(), torch.ones(2, 1).requires_grad_()

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) @ self.scale.T

    fault = refused(Scaled(), nn.MSELoss(), torch.ones(3, 2))
    assert "is no parameter of the module" in str(fault)
    assert fault.line == inspect.getsourcelines(Scaled.forward)[1] + 1


# --- the backward pass of the user's own ----------------------------------------------------------------


class Straight(torch.autograd.Function):
    """Squares, and says that the slope is 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * x

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> Tensor:
        return slope[0]


class Squared(torch.autograd.Function):
    """Squares, with the right slope."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.x = x
        return x * x

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> Tensor:
        found: Tensor = 2 * ctx.x * slope[0]
        return found


class Custom(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.layer, self.function = linear(), function

    def forward(self, x: Tensor) -> Any:
        return self.function.apply(self.layer(x))


def doubled(weight: Any) -> None:
    weight.grad.mul_(2)


def hooked(kind: str) -> nn.Module:
    module = nn.Sequential(nn.Identity(), linear())
    if kind == "of a parameter":
        module[1].weight.register_hook(lambda slope: 2 * slope)
    elif kind == "after accumulation":
        module[1].weight.register_post_accumulate_grad_hook(doubled)
    else:
        module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        module[1].register_full_backward_hook(lambda m, inner, outer: (2 * inner[0],))
    return module


@pytest.mark.parametrize("kind", ["of a parameter", "after accumulation", "of a module"])
def test_hooks_that_change_a_gradient_are_refused_by_name(kind: str) -> None:
    with pytest.raises(
        CheckFailed, match=r"not verified: step 1: dL/d.*\n.* the hook of 1.* at test_own"
    ) as fault:
        heard(translated(hooked(kind), nn.MSELoss()))
    with pytest.raises(CheckFailed) as again:
        derivations.spec_from_module(hooked(kind), X, nn.MSELoss(), Y, SGD)
    assert str(fault.value).partition(":")[0] == str(again.value).partition(":")[0]


def test_hooks_that_only_look_are_welcome() -> None:
    module, seen = linear(), list[Tensor]()
    module.weight.register_hook(seen.append)
    heard(translated(module, nn.MSELoss()))
    assert len(seen) == 1


def test_a_function_with_a_false_backward_is_refused_by_name() -> None:
    for make in (derivations.from_module, derivations.spec_from_module):
        with pytest.raises(CheckFailed, match=r"Straight at test_own_objects\.py:\d+"):
            make(Custom(Straight), X, nn.MSELoss(), Y, SGD)
    heard(translated(Custom(Squared), nn.MSELoss()))


# --- what is borrowed is given back ------------------------------------------------------------------------


class Busy(nn.Module):
    """Leaves traces of every call: attributes, lists, buffers, random numbers, its mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.calls = linear(), 0
        self.log: list[Any] = []
        self.register_buffer("last", torch.zeros(3, 1))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x)
        self.calls += 1
        self.count += 1
        self.last = output
        self.log.append(output)
        torch.rand(1), random.random()
        return output


def test_the_users_objects_are_as_they_were() -> None:
    module = Busy()
    module.layer.weight.grad = torch.full((1, 2), 7.0)
    pending = module.layer(X).sum()
    numbers = {name: (value, value.clone()) for name, value in module.state_dict(keep_vars=True).items()}
    torch.manual_seed(5)
    random.seed(5)
    derivations.spec_from_module(module, X, nn.MSELoss(), Y, SGD)
    drawn = torch.rand(2), random.random()
    torch.manual_seed(5)
    random.seed(5)
    assert torch.equal(drawn[0], torch.rand(2))
    assert drawn[1] == random.random()
    for name, value in module.state_dict(keep_vars=True).items():
        same, before = numbers[name]
        assert value is same
        assert value.dtype == before.dtype
        assert torch.equal(value, before)
    assert (module.calls, module.log, module.training) == (0, [], True)
    assert torch.equal(module.layer.weight.grad, torch.full((1, 2), 7.0))
    assert torch.get_default_dtype() == torch.float32
    pending.backward()
    assert torch.equal(module.layer.weight.grad, 7 + X.sum(0, keepdim=True))


def test_the_users_objects_are_as_they_were_after_a_fault() -> None:
    module = linear()
    before = module.weight.detach().clone()
    refused(module, lambda o, y: 1 / 0)
    assert module.weight.dtype == torch.float32
    assert torch.equal(module.weight, before)


def test_numbers_with_few_digits_are_no_float64() -> None:
    assert "'weight' is bfloat16" in str(refused(linear().bfloat16(), nn.MSELoss()))
    with pytest.raises(DerivationsError, match="'sample_input' is float16"):
        translated(linear(), nn.MSELoss(), inputs=X.half())


def test_what_the_users_own_hooks_raise_is_named_with_its_line() -> None:
    module = linear()

    def broken(slope: Tensor) -> Tensor:
        raise ValueError("no such slope")

    module.weight.register_hook(broken)
    fault = refused(module, nn.MSELoss())
    assert "ValueError: no such slope" in str(fault)
    assert fault.line == inspect.getsourcelines(broken)[1] + 1


def test_what_draws_at_random_is_not_what_was_traced() -> None:
    fault = refused(linear(), lambda o, y: functional.mse_loss(o, y) + torch.rand(()))
    assert "the loss is not what torch.fx traced" in str(fault)
