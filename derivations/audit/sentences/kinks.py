"""What a page says where a value has no derivative: that it sits there, and which slope is taken."""

from __future__ import annotations

from flint import arb

from derivations.audit.sentences.place import Place, Predicate, whole
from derivations.catalogue import functions
from derivations.claims.samples import with_positions
from derivations.claims.writer import Writer
from derivations.document.blocks import Digits, Message, Prose
from derivations.document.kinks import SHOWN, Kinks
from derivations.language.parser import parse
from derivations.language.tree import Call, Expr, Largest, Ref, substitute
from derivations.notation.chain import Formula
from derivations.numbers.digits import Rounding
from derivations.numbers.float64 import nearest_float
from derivations.run.training import worked
from derivations.witnesses.check import Check


def on_a_kink(said: Message, place: Place) -> bool:
    """The argument has in this step a value at which the row has a kink, and the slope is that of the row."""
    node, shown, slope = said.parts
    step = place.step
    if step is None or not isinstance(node, Formula) or not isinstance(shown, Formula):
        return False
    call = with_positions(node.sides, step)[0].expr
    argument = with_positions(shown.sides, step)[0].expr
    if not isinstance(call, Call) or call.arguments[0] != argument or len(call.arguments) < 1:
        return False
    row = functions.BY_NAME[call.function]
    given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), call.arguments, strict=True))
    system = place.sight.trace.system
    found = worked(substitute(parse(row.slope, functions.NAMES), given), {}, step, system)
    value = worked(argument, {}, step, system)
    kinks = [worked(substitute(parse(kink, functions.NAMES), given), {}, step, system) for kink in row.kinks]
    at_one = any(
        (value - kink).is_zero() if isinstance(value - kink, arb) else value == kink for kink in kinks
    )
    page = place.sight.example.spec.page
    rounding = Rounding(max(page.digits, place.sight.example.spec.training.carry or 0), page.significant)
    return at_one and isinstance(slope, Digits) and rounding(found).text == slope.text


def shared(said: Message, place: Place) -> bool:
    """A largest value that stands more than once among what it is chosen from."""
    node, step = said.parts[0], place.step
    if step is None or not isinstance(node, Formula):
        return False
    found = with_positions(node.sides, step)[0].expr
    return isinstance(found, Largest)


def more(said: Message, place: Place) -> bool:
    """As many more as the sentences above leave out."""
    step = place.step
    if step is None:
        return False
    trace, page = place.sight.trace, place.sight.example.spec.page
    rounding = Rounding(max(page.digits, trace.example.spec.training.carry or 0), page.significant)
    total = len({*Kinks(trace.example, Writer(step, rounding, trace.system)).sentences()})
    above = 0
    for block in place.before():
        if not isinstance(block, Prose) or not block.kink:
            break
        above += 1
    return above == SHOWN and said.count == whole(said.parts[0]) == total - above


def other_side(said: Message, place: Place) -> bool:
    """A call or a maximum of the model, in a step in which torch has a number that is far from ours."""
    node, step = said.parts[0], place.step
    if step is None or not isinstance(node, Formula):
        return False
    found = with_positions(node.sides, step)[0].expr
    checks = (check for check in place.sight.report.checks if check.step == step.number)
    return isinstance(found, (Call, Largest)) and any(map(_is_far, checks))


def _is_far(check: Check) -> bool:
    ours = nearest_float(check.ours)
    return abs(ours - check.theirs) > 1e-9 * max(abs(ours), abs(check.theirs))


PREDICATES: dict[str, Predicate] = {
    "Rounding in float64 brings {} to another side of a kink: PyTorch takes the slope of that side, so that "
    "its numbers and those of the program differ from the ones worked here.": other_side,
    "In {} the value {} sits on a kink, where the slope is taken as {}, as torch does.": on_a_kink,
    "{} stands more than once among its entries; the derivative goes to the first, as torch does.": shared,
    "So does {} more value of this step, on a kink of its own.": more,
}
