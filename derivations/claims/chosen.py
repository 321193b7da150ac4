"""What a largest value is chosen from, read a second time: the entries of its window that the step has.

The writer of a chain asks the walker of the run; here indices are reckoned in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derivations.language.tree import Add, Expr, Largest, Mul, Neg, Number, Ref
from derivations.run.training import Step

Env = Mapping[str, int]


def chosen_from(node: Expr, env: Env, step: Step) -> Iterator[tuple[Expr, Env]]:
    """The body at every value of its letters, without entries that are outside of their array."""
    if isinstance(node, Largest):
        for place in range(1, step.layout.sizes[node.index] + 1):
            yield from chosen_from(node.body, {**env, node.index: place}, step)
    elif not _is_outside(node, env, step):
        yield node, env


def _is_outside(node: Expr, env: Env, step: Step) -> bool:
    if not isinstance(node, Ref) or not node.indices:
        return False
    at = [_whole(part, env) for part in node.indices]
    known = [part for part in at if part is not None]
    return len(known) == len(at) and (node.name, tuple(known)) not in step.layout.tape.slots


def _whole(index: Expr, env: Env) -> int | None:
    """The number between brackets; None for one that is looked up."""
    match index:
        case Number(value):
            return int(value)
        case Ref(name, ()) if name in env:
            return env[name]
        case Neg(argument):
            found = _whole(argument, env)
            return None if found is None else -found
        case Add((first,)) | Mul((first,)):
            return _whole(first, env)
        case Add((first, *rest)) | Mul((first, *rest)):
            left, right = _whole(first, env), _whole(type(index)(tuple(rest)), env)
            if left is None or right is None:
                return None
            return left + right if isinstance(index, Add) else left * right
    return None
