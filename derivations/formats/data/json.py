"""The JSON format: the whole trace for programs, every quantity by the name that it has in the spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeVar

from flint import arb

from derivations.document.languages import text_of
from derivations.document.words import samples_words
from derivations.formats.press import Press, Printer
from derivations.language.errors import CheckFailed, Mismatch
from derivations.model.example import Example, needed_adjoints
from derivations.notation.chain import formula
from derivations.notation.latex import math
from derivations.notation.read import chain
from derivations.notation.symbols import Symbols
from derivations.notation.text import text
from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value, bounds, rational
from derivations.run.training import Step, Trace
from derivations.witnesses.check import PROGRAM, Check, Report
from derivations.witnesses.work import versions

T = TypeVar("T")
LONGEST, DIGITS = 200, 40
BOUND = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
KEYS = {"exact", "enclosure", "decimal", "carried", "torch", "ulp", "witnesses"}


def trace_json(press: Press) -> dict[str, Any]:
    """The trace and what every witness said, as JSON has it."""
    trace, report, rounding = press.run.trace, press.run.report, press.rounding
    by_step: dict[int, dict[str, list[Check]]] = {}
    for check in report.checks:
        by_step.setdefault(check.step, {}).setdefault(check.quantity, []).append(check)
    steps = [_step(step, by_step.get(step.number, {}), trace, rounding) for step in trace.steps]
    return {**_header(press), "gradients": list(_gradients(press)), "steps": steps}


def _header(press: Press) -> dict[str, Any]:
    """Everything but the formulas of the gradients and the steps."""
    example, report = press.run.example, press.run.report
    return {
        "title": example.spec.title,
        "spec": press.digest,
        **({"versions": dict(versions())} if example.spec.page.footer else {}),
        "dtype": "float64",
        "equations": example.spec.model.equations.strip().splitlines(),
        "loss": example.loss,
        "optimizer": {"name": example.rule.row.name, **{k: str(v) for k, v in example.hyper.items()}},
        **dict(_around(example)),
        "carry": example.spec.training.carry,
        "verdicts": dict(_verdicts(report)),
    }


def _around(example: Example) -> Iterator[tuple[str, Any]]:
    """Clipping, schedule and groups, as far as there are any."""
    rule = example.rule
    if rule.clip:
        yield "clip", rule.clip.name
    if rule.pace:
        yield "schedule", {"name": rule.pace.row.name, "every": rule.pace.every}
    if len(rule.groups) > 1:
        yield "groups", [list(group.parameters) for group in rule.groups]


def _spec_symbols(press: Press) -> Symbols:
    """The symbols that the names of the spec suggest, whatever the author's notation on the page."""
    plain = press.symbols
    return Symbols(plain.ranks, plain.loss, plain.sample)


def _gradients(press: Press) -> Iterator[dict[str, str]]:
    """The formulas of the gradients and of the adjoints that they need, in the order of the backward pass."""
    symbols = _spec_symbols(press)
    for eq in needed_adjoints(press.run.example):
        said = f"{text(eq.target)} = {text(eq.body)}"
        yield {"quantity": eq.target.name, "text": said, "latex": math(formula(eq.target, eq.body), symbols)}


def _audit_gradients(shown: list[Any], press: Press) -> None:
    """Each formula of LaTeX is read and must be an equation of the backward pass, each text the same one."""
    symbols, equations = _spec_symbols(press), list(needed_adjoints(press.run.example))
    if len(shown) != len(equations):
        raise Mismatch("it has other gradients than the derivation")
    for eq, one in zip(equations, shown, strict=True):
        sides = chain(_at(one, "latex", str), symbols)
        press.evidence.claims.require(sides)
        said = f"{text(eq.target)} = {text(eq.body)}"
        own = {"quantity": eq.target.name, "text": said, "latex": one["latex"]}
        if one != own or sides[0].expr != eq.target or len(sides) != 2:
            raise Mismatch(f"it is wrong about the formula of {eq.target.name}: {one}")


def write(press: Press) -> str:
    """The JSON text of a page."""
    return json.dumps(trace_json(press), indent=1, ensure_ascii=False) + "\n"


def check(content: str, press: Press) -> None:
    """Read the finished file: every value against the trace, then all the rest; raises `CheckFailed`."""
    run = press.run
    try:
        read = json.loads(content)
        steps, gradients = _at(read, "steps", list), _at(read, "gradients", list)
        _audit(steps, run.trace, run.report, press.rounding)
        _audit_gradients(gradients, press)
    except (json.JSONDecodeError, Mismatch) as fault:
        raise CheckFailed(f"the finished JSON does not read back: {fault}") from None
    if {key: value for key, value in read.items() if key not in ("steps", "gradients")} != _header(press):
        raise CheckFailed("the finished JSON says something else than the run")


def _at(read: Any, key: str, kind: type[T]) -> T:
    """What stands under a key; raises `Mismatch` where it is missing or of another kind."""
    found = read.get(key) if isinstance(read, dict) else None
    if not isinstance(found, kind):
        raise Mismatch(f"there is no {kind.__name__} under '{key}'")
    return found


def _verdicts(report: Report) -> Iterator[tuple[str, Any]]:
    for witness in dict.fromkeys(check.witness for check in report.checks):
        own = [check for check in report.checks if check.witness == witness]
        found: dict[str, Any] = {
            "compared": len(own),
            "agree": all(check.ok for check in own),
        }
        distances = [check.ulps for check in own if check.ulps is not None]
        if distances:
            found["largest_distance_in_ulp"] = max(distances)
        yield witness, found
    for witness in dict.fromkeys(proof.witness for proof in report.proofs):
        proofs = [proof for proof in report.proofs if proof.witness == witness]
        yield witness, {"proved": len(proofs), "agree": all(proof.ok for proof in proofs)}
    if report.absent:
        yield "not available", list(map(str, report.absent))


def _step(step: Step, checks: Mapping[str, list[Check]], trace: Trace, rounding: Rounding) -> dict[str, Any]:
    carried = trace.carried[step.number - 1].labelled if trace.carried else {}
    quantities = {}
    for name, value in step.labelled.items():
        entry = exact_json(value) | {"decimal": rounding(value).text}
        if carried:
            entry["carried"] = str(carried[name])
        entry |= _torch(checks.get(name, []))
        quantities[name] = entry
    return {
        "step": step.number,
        "epoch": step.epoch,
        "samples": list(step.samples),
        "batch": _batch(step),
        "quantities": quantities,
    }


def _batch(step: Step) -> str:
    return text_of(samples_words(step.samples)) if step.samples else "all data"


def exact_json(value: Value) -> dict[str, Any]:
    """``{"exact": "-203/5"}``, or the bounds that were proved: ``{"enclosure": ["0.49…", "0.50…"]}``."""
    if not isinstance(value, arb) and len(text := str(value)) <= LONGEST:
        return {"exact": text}
    lower, upper = bounds(value)
    return {"enclosure": [_bound(lower, -1), _bound(upper, 1)]}


def _bound(exact: Fraction, side: int) -> str:
    """A decimal on the given side of a bound, so that the enclosure stays one."""
    policy = Rounding(significant=DIGITS)
    printed = policy(rational(exact))
    if (printed.value - exact) * side < 0:
        unit = abs(exact) / 10 ** (DIGITS - 2)
        printed = policy(rational(exact + side * unit))
    return printed.text


def _torch(checks: list[Check]) -> dict[str, Any]:
    found = [check for check in checks if check.witness != PROGRAM]
    if not found:
        return {}
    return {
        "torch": found[0].theirs,
        "ulp": found[0].ulps,
        "witnesses": {
            check.witness: {"value": check.theirs, "ulp": check.ulps, "agrees": check.ok} for check in checks
        },
    }


def _audit(read: list[Any], trace: Trace, report: Report, rounding: Rounding) -> None:
    if len(read) != len(trace.steps):
        raise Mismatch("it has other steps than the trace")
    checks: dict[tuple[int, str], dict[str, Check]] = {}
    for check in report.checks:
        checks.setdefault((check.step, check.quantity), {})[check.witness] = check
    for place, (entry, step) in enumerate(zip(read, trace.steps, strict=True)):
        own = {"step": step.number, "epoch": step.epoch, "samples": list(step.samples), "batch": _batch(step)}
        quantities = _at(entry, "quantities", dict)
        if entry != {**own, "quantities": quantities} or list(quantities) != list(step.labelled):
            raise Mismatch(f"it has other quantities in step {step.number}")
        carried = trace.carried[place].labelled if trace.carried else {}
        for name, value in step.labelled.items():
            shown, asked = _at(quantities, name, dict), checks.get((step.number, name), {})
            same = shown.get("carried", "") == str(carried.get(name, ""))
            heard = _heard(shown, asked)
            if not (heard and same and set(shown) <= KEYS and _says(shown, value, rounding)):
                raise Mismatch(f"it is wrong about {name} in step {step.number}: {shown}")


def _heard(shown: Mapping[str, Any], asked: Mapping[str, Check]) -> bool:
    """Whether every witness that was asked stands there, with what it said; torch itself before all."""
    said = {who: {"value": c.theirs, "ulp": c.ulps, "agrees": c.ok} for who, c in asked.items()}
    of_torch = [check for who, check in asked.items() if who != PROGRAM]
    if not of_torch:
        return not {"witnesses", "torch", "ulp"} & set(shown)
    first = of_torch[0].theirs, of_torch[0].ulps
    return shown.get("witnesses") == said and (shown.get("torch"), shown.get("ulp")) == first


def _says(shown: Mapping[str, Any], value: Value, rounding: Rounding) -> bool:
    """The decimal and either the exact value or bounds that hold it, tight to the digits printed."""
    if shown.get("decimal") != rounding(value).text or len(shown.keys() & {"exact", "enclosure"}) != 1:
        return False
    if "exact" in shown:
        return bool(shown["exact"] == str(value))
    (lower, upper), ends = bounds(value), list(map(_decimal, _at(shown, "enclosure", list)))
    if len(ends) != 2:
        return False
    room = (upper - lower) + max(abs(lower), abs(upper)) / 10 ** (DIGITS - 4)
    return ends[0] <= lower <= upper <= ends[1] and ends[1] - ends[0] <= 2 * room


def _decimal(read: object) -> Fraction:
    """A bound that is printed; raises `Mismatch` for what is no number."""
    if not isinstance(read, str) or not BOUND.fullmatch(read):
        raise Mismatch(f"{read!r} is not a number")
    return Fraction(read)


PRINTER = Printer(write, check)
