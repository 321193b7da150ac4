"""The sentences of a page: rules of differentiation, roles and conventions in words."""

from __future__ import annotations

from collections.abc import Sequence

from derivations.catalogue import functions
from derivations.examples.example import Example
from derivations.examples.recognize import Recognized
from derivations.language.rules import Reason
from derivations.language.tree import ONE, Call, Expr, Neg, Ref
from derivations.numbers.systems import Value
from derivations.pages.blocks import Words, formula, say

RULES = {
    "definition": "definition",
    "itself": "the derivative of a quantity by itself is 1",
    "largest": "the maximum passes its derivative on to the entry that is the largest",
    "sum_own": "sum rule: only the term {} depends on {}",
    "sum_terms": "sum rule: term by term",
    "constant_factor": "constant factor {}",
    "linear": "linear in {}",
    "product": "product rule",
    "quotient": "quotient rule",
    "power": "power rule",
    "power_chain": "power rule, then the chain rule for what is inside",
    "function": "derivative of {}",
    "function_chain": "derivative of {}, then the chain rule for what is inside",
    "collect": "the constants collected",
    "front": "what does not depend on the index goes in front of the sum",
}


def reason_words(reason: Reason, example: Example) -> Words:
    """Why a line of the derivation holds."""
    match reason.rule:
        case "shortcut":
            return (reason.words,)
        case "sum":
            return _sum_words(reason.parts)
        case "chain":
            return _chain_words(reason.parts, example)
        case "put_in":
            return (f"put in {join([f'({number})' for number in reason.lines])}",)
        case "sum_own":
            bound, own, by = reason.parts
            return say("sum rule: only the term {} depends on {}", formula(bound, own), by)
        case "constant_factor" if reason.parts == (Neg(ONE),):
            return ("constant factor −1",)
        case "function" | "function_chain":
            call = reason.parts[0]
            assert isinstance(call, Call)
            words = functions.BY_NAME[call.function].rule
            return (words + (", then the chain rule" if reason.rule == "function_chain" else ""),)
    return say(RULES[reason.rule], *reason.parts)


def _sum_words(parts: tuple[Expr, ...]) -> Words:
    by, *constant = parts
    if not constant:
        return ("sum rule: term by term",)
    verb = "does" if len(constant) == 1 else "do"
    holes = join(["{}"] * len(constant))
    return say(f"sum rule: {holes} {verb} not depend on {{}}", *constant, by)


def _chain_words(parts: tuple[Expr, ...], example: Example) -> Words:
    by, *through = parts
    several = example.sample is not None and any(
        Ref(example.sample) in t.indices for t in through if isinstance(t, Ref)
    )
    assert isinstance(by, Ref)
    every = "every " if several and Ref(example.sample or "") not in by.indices else ""
    ways = list(dict.fromkeys(part for part in through if part != Ref(example.loss)))
    directly = ["directly"] if len(ways) < len(set(through)) else []
    found = [*directly, f"through {every}{join(['{}'] * len(ways))}"] if ways else directly
    return say(f"chain rule: {{}} acts on {{}} {join(found)}", by, Ref(example.loss), *ways)


def join(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def samples_words(samples: tuple[int, ...]) -> str:
    """``sample 3``, ``samples 3 and 4``, ``samples 1 to 6``."""
    if len(samples) == 1:
        return f"sample {samples[0]}"
    if len(samples) > 4 and samples == tuple(range(samples[0], samples[-1] + 1)):
        return f"samples {samples[0]} to {samples[-1]}"
    return f"samples {join([str(s) for s in samples])}"


def convention(found: Recognized | None) -> str:
    """The convention of a recognized row, in words; empty if the formula is the author's own."""
    return f"{found.row.name}: {found.row.convention}" if found else ""


def direction(gradient: Value) -> str:
    """What the sign of a gradient does to the parameter under gradient descent."""
    if gradient == 0:
        return "zero, so {} stays"
    return "negative, so {} grows" if gradient < 0 else "positive, so {} shrinks"
