"""The sentences of a page: rules of differentiation, roles and conventions in words."""

from __future__ import annotations

from derivations.catalogue import functions
from derivations.document.blocks import (
    Heading,
    Message,
    Part,
    Words,
    counted,
    listed,
    message,
    phrase,
    phrases,
    say,
)
from derivations.language.names import after
from derivations.language.rules import Reason
from derivations.language.tree import ONE, Call, Expr, Mul, Neg, Ref, children, walk
from derivations.model.example import Example
from derivations.model.recognize import Recognized
from derivations.notation.chain import formula
from derivations.numbers.systems import Value
from derivations.run.training import Step

# --- The parts of a page and their headings ---------------------------------------------------

HEADINGS: dict[str, Message] = {
    "problem": message("The problem"),
    "quantities": message("The quantities"),
    "gradient": message("The gradient"),
    "matrix": message("In matrix form"),
    "summary": message("Summary"),
    "program": message("The same in PyTorch"),
    "checks": message("Checks"),
}


def section(part: str) -> Heading:
    """The heading that opens a part."""
    return Heading(2, (HEADINGS[part],), part)


MANY = 4  # samples that are listed one by one even where they follow each other
RULES = {
    "definition": phrase("definition of {}"),
    "itself": phrase("the derivative of a quantity with respect to itself is 1"),
    "largest": phrase("the maximum passes its derivative on to the entry that is the largest"),
    "sum_terms": phrase("sum rule: term by term"),
    "sum_own": phrase("sum rule: only the term {} depends on {}"),
    "constant_factor": phrase("constant factor {}"),
    "linear": phrase("linear in {}"),
    "product": phrase("product rule"),
    "quotient": phrase("quotient rule"),
    "power": phrase("power rule"),
    "power_chain": phrase("power rule, then the chain rule for what is inside"),
    "function_chain": phrase("{}, then the chain rule"),
    "chain": phrase("chain rule: {} acts on {} {}"),
    "put_in": phrase("put in {}"),
    "front": phrase("what does not depend on the index goes in front of the sum"),
    "collect": phrase("the constants collected"),
    "order": phrase("in another order"),
    "sign": phrase("the minus sign goes in front"),
    "letter": phrase("another letter for the index"),
    "called": phrase("{} is {}"),
    "simplify": phrase("simplified"),
    "rewrite": phrase("the same in another form"),
}
WAYS = (phrase("through {}"), phrase("through every {}"), phrase("through every {} that reads it"))
NOT_DEPENDING = phrases("sum rule: {1} does not depend on {2}", "sum rule: {1} do not depend on {2}")


def reason_words(reason: Reason, example: Example) -> Words:
    """Why a line of the derivation holds."""
    text = RULES.get(reason.rule, "")
    match reason.rule:
        case "shortcut":
            return say(reason.words)
        case "sum":
            return _sum_words(reason.parts)
        case "chain":
            return _chain_words(text, reason.parts, example)
        case "put_in":
            return say(text, listed([f"({number})" for number in reason.lines]))
        case "sum_own":
            bound, own, by = reason.parts
            return say(text, formula(bound, own), by)
        case "constant_factor" if reason.parts == (Neg(ONE),):
            return say("constant factor −1")
        case "function" | "function_chain":
            call = reason.parts[0]
            assert isinstance(call, Call)
            rule = functions.BY_NAME[call.function].rule
            return say(text, message(rule)) if text else say(rule)
    return say(text, *reason.parts)


def _sum_words(parts: tuple[Expr, ...]) -> Words:
    by, *constant = parts
    if not constant:
        return say("sum rule: term by term")
    return (counted(*NOT_DEPENDING, len(constant), listed(constant), by),)


def _chain_words(text: str, parts: tuple[Expr, ...], example: Example) -> Words:
    """The ways in groups: the loss itself, single entries, every entry, every entry that a gate picks."""
    by, *through = parts
    assert isinstance(by, Ref)
    ways = list(dict.fromkeys(part for part in through if part != Ref(example.loss)))
    found: list[Part] = [message("directly")] * (len(ways) < len(set(through)))
    groups: dict[str, dict[Expr, None]] = {}
    for part in ways:
        entry = part.factors[-1] if isinstance(part, Mul) else part
        many = bool(_letters(entry) - _letters(by))
        groups.setdefault(WAYS[many + (many and entry != part)], {})[entry] = None
    found += [message(way, listed(list(groups[way]))) for way in WAYS if way in groups]
    return say(text, by, Ref(example.loss), listed(found))


def _letters(entry: Expr) -> set[str]:
    """The letters between the brackets of an entry."""
    parts = (part for place in children(entry) for part in walk(place) if isinstance(part, Ref))
    return {part.name for part in parts if not part.indices}


def samples_words(samples: tuple[int, ...]) -> Message:
    """``sample 3``, ``samples 3 and 4``, ``samples 1 to 6``."""
    shown = list(map(str, ends(samples)))
    if len(samples) == 1:
        return message("sample {}", *shown)
    return (
        message("samples {}", listed(shown))
        if len(shown) == len(samples)
        else message("samples {} to {}", *shown)
    )


def ends(samples: tuple[int, ...]) -> tuple[int, ...]:
    """The first and the last of many samples in a row, else all."""
    run = samples == tuple(range(samples[0], samples[-1] + 1))
    return (samples[0], samples[-1]) if run and len(samples) > MANY else samples


def convention(found: Recognized, count: str) -> Message:
    """The name and the convention of a recognized row, with the letter for the number of samples."""
    said = found.row.convention
    return message("{}: {}", message(found.row.name), message(said, *[count] * said.count("{}")))


def direction(step: Step, slope: Ref, parameter: Ref) -> Message | None:
    """What the sign of a gradient does to the parameter; None where that is not seen in the step.

    A parameter may stay although its gradient is not 0: with a learning rate of 0, or where a carried
    calculation rounds the step away.
    """
    gradient = step.at(slope.name)
    moved = sign(step.at(after(parameter.name)) - step.at(parameter.name))
    match sign(gradient), moved:
        case 0, 0:
            return message("{} is zero, so {} stays", slope, parameter)
        case -1, 1:
            return message("{} is negative, so {} increases", slope, parameter)
        case 1, -1:
            return message("{} is positive, so {} decreases", slope, parameter)
    return None


def sign(value: Value) -> int | None:
    """1, 0 or -1; None for a ball around 0, whose sign is not known."""
    return 1 if value > 0 else -1 if value < 0 else 0 if value == 0 else None
