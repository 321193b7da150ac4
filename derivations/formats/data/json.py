"""The JSON format: the whole trace for programs, every quantity by the name that it has in the spec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

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

LONGEST, DIGITS = 200, 40
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


def _audit_gradients(shown: list[dict[str, str]], press: Press) -> None:
    """Each formula of LaTeX is read and must be an equation of the backward pass, each text the same one."""
    symbols = _spec_symbols(press)
    for eq, one in zip(needed_adjoints(press.run.example), shown, strict=True):
        sides = chain(one["latex"], symbols)
        press.evidence.claims.require(sides)
        left, _, right = one["text"].partition(" = ")
        own = one["quantity"] == eq.target.name and sides[0].expr == eq.target and len(sides) == 2
        if (
            not own
            or set(one) != {"quantity", "text", "latex"}
            or (left, right) != (text(eq.target), text(eq.body))
        ):
            raise CheckFailed(f"the finished JSON is wrong about the formula of {eq.target.name}: {one}")


def write(press: Press) -> str:
    """The JSON text of a page."""
    return json.dumps(trace_json(press), indent=1, ensure_ascii=False) + "\n"


def check(content: str, press: Press) -> None:
    """Read the finished file: every value against the trace, then all the rest; raises `CheckFailed`."""
    run = press.run
    try:
        read = json.loads(content)
        _audit(read, run.trace, run.report, press.rounding)
        _audit_gradients(read.pop("gradients"), press)
    except (KeyError, TypeError, IndexError, ValueError, Mismatch) as fault:
        raise CheckFailed(f"the finished JSON does not read back: {fault!r}") from None
    del read["steps"]
    if read != _header(press):
        raise CheckFailed("the finished JSON says something else than the run")


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


def _audit(read: Any, trace: Trace, report: Report, rounding: Rounding) -> None:
    if len(read["steps"]) != len(trace.steps):
        raise CheckFailed("the finished JSON has other steps than the trace")
    checks = {(c.step, c.quantity, c.witness): c for c in report.checks}
    for place, (entry, step) in enumerate(zip(read["steps"], trace.steps, strict=True)):
        own = {"step": step.number, "epoch": step.epoch, "samples": list(step.samples), "batch": _batch(step)}
        quantities = entry.pop("quantities")
        if entry != own or list(quantities) != list(step.labelled):
            raise CheckFailed(f"the finished JSON has other quantities in step {step.number}")
        carried = trace.carried[place].labelled if trace.carried else {}
        for name, value in step.labelled.items():
            shown = quantities[name]
            said = all(
                _heard(shown, who, checks[step.number, name, who]) for who in shown.get("witnesses", {})
            )
            same = shown.get("carried", "") == str(carried.get(name, ""))
            if not (said and same and set(shown) <= KEYS and _says(shown, value, rounding)):
                raise CheckFailed(f"the finished JSON is wrong about {name} in step {step.number}: {shown}")


def _heard(shown: Mapping[str, Any], witness: str, check: Check) -> bool:
    said = shown["witnesses"][witness]
    first = next(iter(shown["witnesses"])) == witness
    own = not first or (shown["torch"], shown["ulp"]) == (check.theirs, check.ulps)
    return own and (said["value"], said["ulp"], said["agrees"]) == (check.theirs, check.ulps, check.ok)


def _says(shown: Mapping[str, Any], value: Value, rounding: Rounding) -> bool:
    """The decimal and either the exact value or bounds that hold it, tight to the digits printed."""
    if shown["decimal"] != rounding(value).text:
        return False
    if "exact" in shown:
        return bool(shown["exact"] == str(value))
    (lower, upper), ends = bounds(value), [Fraction(text) for text in shown["enclosure"]]
    room = (upper - lower) + max(abs(lower), abs(upper)) / 10 ** (DIGITS - 4)
    return ends[0] <= lower <= upper <= ends[1] and ends[1] - ends[0] <= 2 * room


PRINTER = Printer(write, check)
