"""The optimizer of a PyTorch program: torch's own with everything around it, or written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from derivations.catalogue.algorithm import Optimizer, Schedule, cut
from derivations.language.names import adjoint, after, second, unprimed
from derivations.language.program import Equation
from derivations.language.ranges import sizes_of
from derivations.language.tree import Count, Expr, Number, Ref, refs, transform
from derivations.model.example import Example
from derivations.model.pace import Group
from derivations.model.update import gradient, kept_shape
from derivations.programs.code import Scope, assignment, variable
from derivations.spec.arrays import Array

LARGEST_INTEGER, MOST_PLACES = 2**53, 40


def decimal(value: Fraction) -> str:
    """A number as Python reads it back: ``0.01`` for 1/100, a quotient where there is no decimal."""
    if value.denominator == 1:
        large = abs(value.numerator) > LARGEST_INTEGER  # torch takes such a number as a float only
        return f"{value.numerator}.0" if large else str(value.numerator)
    places = next((n for n in range(1, 1_000) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    if places >= MOST_PLACES:
        return f"{value.numerator * 10**places // value.denominator}e-{places}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return ("-" if value < 0 else "") + f"{digits[:-places]}.{digits[-places:]}"


def tensor(array: Array) -> str:
    """An array as code: ``torch.tensor([1, 2], dtype=torch.float64)``."""
    return f"torch.tensor({_nested(array.shape, [decimal(v) for v in array.entries])}, dtype=torch.float64)"


def _nested(shape: tuple[int, ...], entries: list[str]) -> str:
    if not shape:
        return entries[0]
    size = len(entries) // shape[0]
    rows = [_nested(shape[1:], entries[k * size : (k + 1) * size]) for k in range(shape[0])]
    return f"[{', '.join(rows)}]"


# --- torch's words ------------------------------------------------------------------------------------


def arguments(
    row: Optimizer, values: Mapping[str, Fraction], only: tuple[str, ...] | None = None
) -> list[str]:
    """The arguments of the optimizer as torch spells them: ``lr=0.01``, without those that are left at 0.

    ``only`` asks for those that say one of these hyper-parameters.
    """
    shown = {name: str(v == 1) if name in row.flags else decimal(v) for name, v in values.items()}
    left = {name for name, v in values.items() if v == 0 and row.hyper[name] == "0"}
    return [
        part.format(**shown)
        for part in cut(row.arguments)
        if not (names := {name for name in values if f"{{{name}}}" in part}) <= left
        if only is None or names & set(only)
    ]


def schedule_arguments(row: Schedule, example: Example, number: Callable[[Fraction], str] = decimal) -> str:
    """The arguments of the scheduler; where groups have rates of their own, torch takes a list of them."""
    pace = example.rule.pace
    assert pace is not None
    rates = [number(group.values["lr"]) for group in filled(example)]
    shown = {name: number(value) for name, value in pace.values.items()}
    shown |= {name: f"[{', '.join(map(number, values))}]" for name, values in pace.lists.items()}
    return row.arguments.format(**shown, lr=rates[0] if len(set(rates)) == 1 else f"[{', '.join(rates)}]")


def filled(example: Example) -> list[Group]:
    """The groups that have parameters."""
    return [group for group in example.rule.groups if group.parameters]


def is_written_out(example: Example) -> bool:
    """Whether the program writes the update out: torch lacks the row, or works with fewer digits inside."""
    return not example.rule.row.torch or bool(example.rule.row.casts)


# --- making the optimizer ----------------------------------------------------------------------------


def preparation(example: Example, code: Mapping[str, str], everything: str) -> Iterator[str]:
    """What stands before the loop; ``code`` is how the program calls each parameter."""
    if not example.updates:
        return
    if is_written_out(example):
        yield from _written_preparation(example)
        return
    yield f"optimizer = {_made(example, code, everything)}"
    yield from _loaded(example, code)
    if example.rule.pace:
        row = example.rule.pace.row
        yield f"scheduler = {row.torch.removeprefix('torch.')}(optimizer, {schedule_arguments(row, example)})"
        if example.rule.first > 1 and example.rule.pace.every == "step":
            yield f"for earlier in range({example.rule.first - 1}):"
            yield "    scheduler.step()"


def needs_default_dtype(example: Example) -> bool:
    """Whether torch keeps a state in its default type, which then must be float64."""
    shared = any(not example.rule.owner(name) for name in example.states)
    return shared and not is_written_out(example)


def _made(example: Example, code: Mapping[str, str], everything: str) -> str:
    row, groups = example.rule.row, filled(example)
    if len(groups) > 1:
        everything = f"[{', '.join(_group(row, group, code) for group in groups)}]"
    given = ", ".join([everything, *arguments(row, example.rule.groups[0].values)])
    return f"{row.torch.removeprefix('torch.')}({given})"


def _group(row: Optimizer, group: Group, code: Mapping[str, str]) -> str:
    pairs = [part.split("=", 1) for part in arguments(row, group.values, group.own)]
    given = "".join(f', "{key}": {value}' for key, value in pairs)
    return f'{{"params": [{", ".join(code[name] for name in group.parameters)}]{given}}}'


def _loaded(example: Example, code: Mapping[str, str]) -> Iterator[str]:
    """The state before the first step, put where torch keeps it."""
    rule = example.rule
    if rule.first == 1:
        return
    for name in example.start:
        parts = [f"{rule.row.counter}=torch.tensor({rule.first - 1}.0)"] if rule.row.counter else []
        for state in rule.states(name):
            own = example.states[rule.name(state, name)].start
            shape = kept_shape(rule, state, name, example.start[name].shape)
            value = tensor(own) if shape == own.shape else f"{tensor(own)}.reshape{shape}"
            if own.shape == example.start[name].shape and code[name] != variable(name):
                value += f".reshape({code[name]}.shape)"
            parts.append(f"{rule.row.states[state]}={value}")
        if parts:
            yield f"optimizer.state[{code[name]}].update({', '.join(parts)})"


# --- one step --------------------------------------------------------------------------------------------


def cleared(example: Example, code: Mapping[str, str]) -> Iterator[str]:
    """The gradients of the step before are forgotten."""
    if example.updates and not is_written_out(example):
        yield "optimizer.zero_grad()"
    else:
        yield f"{' = '.join(f'{name}.grad' for name in code.values())} = None"


def stepped(example: Example, code: Mapping[str, str], sizes: Mapping[str, str]) -> Iterator[str]:
    """What stands after the backward pass: clipping, the step of the optimizer and of the scheduler."""
    rule = example.rule
    if not example.updates:
        return
    if is_written_out(example):
        yield from _written_step(example, code, sizes)
        return
    if rule.clip:
        yield f"{rule.clip.torch}([{', '.join(code.values())}], {decimal(rule.limit)})"
    yield "optimizer.step()"
    if rule.pace and rule.pace.every == "step":
        yield "scheduler.step()"
    elif rule.pace:
        per_epoch = len(example.batches[0])
        yield "scheduler.step()" if per_epoch == 1 else f"if step % {per_epoch} == 0:  # the end of an epoch"
        if per_epoch > 1:
            yield "    scheduler.step()"


def back(example: Example, code: Mapping[str, str]) -> Iterator[str]:
    """The backward pass, twice where the row reads the second derivative."""
    loss = variable(example.loss)
    if not reads_second(example):
        yield f"{loss}.backward()"
        return
    yield f"{loss}.backward(retain_graph=True)"
    for name, own in code.items():
        slope = f"torch.autograd.grad({loss}, {own}, create_graph=True)[0]"
        yield f"{second(name)} = torch.autograd.grad({slope}, {own})[0]"


def reads_second(example: Example) -> bool:
    """Whether the update reads a second derivative of the loss."""
    read = {ref.name for eq in example.update for ref in refs(eq.body)}
    return any(second(name) in read for name in example.start)


def shown_gradients(example: Example, code: Mapping[str, str]) -> dict[str, str]:
    """The gradient that each parameter's update reads, with how the program calls it."""
    own = is_written_out(example) and example.rule.clip
    return {
        gradient(example.rule, name): gradient(example.rule, name) if own else f"{call}.grad"
        for name, call in code.items()
    }


# --- written out ---------------------------------------------------------------------------------------


def _written_preparation(example: Example) -> Iterator[str]:
    for name, value in example.hyper.items():
        yield f"{variable(name)} = {tensor(Array((), (value,)))}"
    for name, state in example.states.items():
        yield f"{variable(name)} = {tensor(state.start)}"


def _written_step(example: Example, code: Mapping[str, str], sizes: Mapping[str, str]) -> Iterator[str]:
    read = {ref.name for eq in example.update for ref in refs(eq.body)}
    if "t" in read:
        before = example.rule.first - 1
        yield f"t = torch.tensor({f'step + {before}' if before else 'step'}, dtype=torch.float64)"
    if "epoch" in read:
        per_epoch = len(example.batches[0])
        yield f"epoch = torch.tensor((step - 1)//{per_epoch} + 1, dtype=torch.float64)"
    yield "with torch.no_grad():"
    named, sizes = _in_code(example, code), {**_own_sizes(example), **sizes}
    for eq in example.update:
        name = unprimed(eq.target.name)
        target = Ref(name, eq.target.indices)
        line = assignment(Equation(target, transform(eq.body, named)), Scope((), {}, sizes))
        if name in code:
            line = f"{code[name]}.copy_({line.split(' = ', 1)[1]})"
        yield f"    {line}"


def _own_sizes(example: Example) -> dict[str, str]:
    """How many values the indices of the update take: those of the parameters and of what it computes."""
    shapes = {name: array.shape for name, array in example.kept.items()}
    shapes |= {adjoint(example.loss, name): array.shape for name, array in example.start.items()}
    return {name: str(size) for name, size in sizes_of(example.update, shapes).items()}


def _in_code(example: Example, code: Mapping[str, str]) -> Callable[[Expr], Expr | None]:
    """Gradients as autograd has them, and new values under their old names."""
    gradients = {adjoint(example.loss, name): f"{call}.grad" for name, call in code.items()}
    new = {after(name): name for name in (*example.start, *example.states)}
    names, sizes = {**gradients, **new}, _own_sizes(example)

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Count) and node.index in sizes:
            return Number(Fraction(sizes[node.index]))
        if isinstance(node, Ref) and node.name in names:
            return Ref(names[node.name], node.indices)
        return None

    return rule
