"""Whether each line of a derivation does what the rule beside it says: asked of the two lines alone.

That the lines are equal is proved elsewhere; here the words are held against them. Every text that may
stand beside a line has a predicate in `PREDICATES`, which applies the rule by code of its own to the
earlier line and looks whether the later one comes out, or tells from their shapes what has changed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, prod
from typing import TypeAlias

from derivations.audit.shapes import (
    CONSTANTS,
    NOTHING,
    ORDERED,
    PULLED,
    UNIT,
    added,
    derivatives,
    factors,
    mentions,
    multiplied,
    same,
    settled,
    terms,
)
from derivations.catalogue import functions
from derivations.catalogue.shortcuts import SHORTCUTS, Shortcut
from derivations.document.blocks import Document, Listed, Message, Part, Table, Words
from derivations.language.errors import CheckFailed
from derivations.language.names import adjoint
from derivations.language.parser import parse, parse_program
from derivations.language.program import Program
from derivations.language.ranges import affine
from derivations.language.tree import (
    BINDERS,
    Add,
    Call,
    Chosen,
    Count,
    Derivative,
    Div,
    Expr,
    Largest,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
    children,
    free_indices,
    number,
    rename_index,
    substitute,
    transform,
    walk,
)
from derivations.notation.chain import Formula


@dataclass(frozen=True)
class Model:
    """What a derivation is about: the equations, and the name of the loss."""

    program: Program
    loss: str


@dataclass(frozen=True)
class Step:
    """One line as it stands on the page: the line before it (the subject above the first), itself, its words.

    ``results`` are the last lines of the chains above, each with its subject, by their numbers.
    """

    number: int
    subject: Expr
    before: Expr
    after: Expr
    first: bool
    said: Message
    results: Mapping[str, tuple[Expr, Expr]]
    model: Model

    @property
    def holes(self) -> list[Expr]:
        """The formulas in the words, lists opened; of ``k = i`` both sides."""
        return list(_formulas(self.said.parts))


Predicate: TypeAlias = Callable[[Step], bool]


def require_reasons(document: Document, program: Program, loss: str) -> None:
    """Raise `CheckFailed` at the first line whose words are not what the line does."""
    for step in steps(document, Model(program, loss)):
        if not holds(step):
            raise CheckFailed(
                f"not verified: line ({step.number}) of the derivation does not do what its words say: "
                f"'{step.said.text}'",
                hint="No page was written.",
            )


def holds(step: Step) -> bool:
    """Whether a line does what the words beside it say; words that are unknown say nothing true."""
    predicate = PREDICATES.get(step.said.text)
    return predicate is not None and predicate(step)


def steps(document: Document, model: Model) -> Iterator[Step]:
    """The lines of the derivation of a document, in order."""
    results: dict[str, tuple[Expr, Expr]] = {}
    for block in document.blocks:
        if isinstance(block, Table) and block.kind == "derivation":
            yield from _lines(block.rows, model, results)


def _lines(
    rows: tuple[tuple[Words, ...], ...], model: Model, results: dict[str, tuple[Expr, Expr]]
) -> Iterator[Step]:
    subject: Expr = NOTHING
    before: Expr = NOTHING
    last = ""
    for (label,), (shown,), (said,) in rows:
        assert isinstance(label, str)
        assert isinstance(shown, Formula)
        assert isinstance(said, Message)
        first = len(shown.sides) > 1
        if first:
            subject = before = shown.sides[0].expr
            last = ""
        after = shown.sides[-1].expr
        above = {key: found for key, found in results.items() if key != last}
        yield Step(int(label.strip("()")), subject, before, after, first, said, above, model)
        results.pop(last, None)  # only the last line of a chain is a result
        results[label], before, last = (subject, after), after, label


def _formulas(parts: tuple[Part, ...]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, Formula):
            yield from (side.expr for side in part.sides)
        elif isinstance(part, Listed):
            yield from _formulas(part.items)


# --- Rules of differentiation: applied to a derivative of the earlier line, they give the later one ---

Rule: TypeAlias = Callable[[Derivative, list[Expr]], Iterator[Expr]]


def applied(rule: Rule) -> Predicate:
    """Whether the rule, applied to one derivative of the earlier line, gives the later line."""

    def predicate(step: Step) -> bool:
        after, nodes = settled(step.after), derivatives(step.before)
        return any(
            same(settled(substitute(step.before, {node: found})), after)
            for node in nodes
            if not any(same(other.body, other.by) for other in nodes if other != node)
            for found in rule(node, step.holes)
        )

    return predicate


def either(*predicates: Predicate) -> Predicate:
    """One text for several rules."""
    return lambda step: any(predicate(step) for predicate in predicates)


def _slope(part: Expr, by: Ref) -> Expr:
    return Derivative(part, by)


def _itself(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    if same(node.body, node.by):
        yield UNIT


def _each_index(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """Σ f: the derivative of every term."""
    if isinstance(node.body, (Sum, Mean)):
        yield type(node.body)(_slope(node.body.body, node.by), node.body.index)


def _each_term(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """f + g, where both depend on it."""
    parts = node.body.terms if isinstance(node.body, Add) else ()
    if parts and all(mentions(part, node.by.name) for part in parts):
        yield Add(tuple(_slope(part, node.by) for part in parts))


def _some_terms(node: Derivative, holes: list[Expr]) -> Iterator[Expr]:
    """f + c: the constants are those that are named, and no others."""
    if not isinstance(node.body, Add) or not holes:
        return
    *named, by = holes
    free = [part for part in node.body.terms if not mentions(part, node.by.name)]
    plain = [part.argument if isinstance(part, Neg) else part for part in free]
    if by == node.by and len(named) == len(plain) > 0 and all(map(same, named, plain)):
        yield Add(tuple(_slope(part, node.by) for part in node.body.terms))


def _own_term(node: Derivative, holes: list[Expr]) -> Iterator[Expr]:
    """Σ_k f, of which one term reads it: seen by writing the sum out."""
    if not isinstance(node.body, (Sum, Mean)) or len(holes) != 3:
        return
    bound, own, by = holes
    if bound != Ref(node.body.index) or by != node.by or not _alone(node.body, own, node.by):
        return
    term = _slope(rename_index(node.body.body, {node.body.index: own}), node.by)
    yield Mul((Div(UNIT, Count(node.body.index)), term)) if isinstance(node.body, Mean) else term


FEW = 2


def _alone(total: Sum | Mean, own: Expr, by: Ref) -> bool:
    """Whether, among few values of every letter, only the term at ``own`` reads the entry ``by``."""
    reads = [node for node in walk(total.body) if isinstance(node, Ref) and node.name == by.name]
    inner = sorted({node.index for node in walk(total.body) if isinstance(node, BINDERS)})
    letters = {part.name for node in (by, own, *reads) for part in walk(node) if isinstance(part, Ref)}
    names = sorted(letters - {by.name, total.index, *inner})
    near = range(1 - FEW, 3 * FEW)
    for values in itertools.product(range(1, FEW + 1), repeat=len(names)):
        at = dict(zip(names, values, strict=True))
        here, entry = _position(own, at), _entry(by, at)
        for place in near:
            places = itertools.product(near, repeat=len(inner))
            envs = ({**at, **dict(zip(inner, k, strict=True)), total.index: place} for k in places)
            if any(_entry(node, env) == entry for env in envs for node in reads) != (place == here):
                return False
    return bool(reads)


def _entry(ref: Ref, at: Mapping[str, int]) -> tuple[object, ...]:
    return tuple(_position(part, at) for part in ref.indices)


def _position(part: Expr, at: Mapping[str, int]) -> object:
    """The place that an index means; what is looked up stays apart by where it is looked up."""
    form = affine(part)
    if form is not None and set(form) <= {"", *at}:
        return sum(value * (at[name] if name else 1) for name, value in form.items())
    if isinstance(part, Ref):
        return (part.name, *_entry(part, at))
    return (type(part).__name__, *(_position(inner, at) for inner in children(part)))


def _constant(node: Derivative, holes: list[Expr]) -> Iterator[Expr]:
    """c f: what stands in front is what is named, and does not depend on it."""
    yield from _in_front(node, factors(holes[0]) if holes else [])


def _minus(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """−f."""
    yield from _in_front(node, [Neg(UNIT)])


def _in_front(node: Derivative, named: list[Expr]) -> Iterator[Expr]:
    rest = factors(node.body)
    for part in named:
        found = next((other for other in rest if same(part, other)), None)
        if found is None or mentions(part, node.by.name) or same(part, UNIT):
            return
        rest.remove(found)
    if named:
        yield Mul((*named, _slope(multiplied(rest), node.by)))


def _product_of(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """f g: each factor in turn."""
    if not isinstance(node.body, Mul):
        return
    parts = node.body.factors
    if sum(mentions(part, node.by.name) for part in parts) > 1:
        turns = range(len(parts))
        yield Add(tuple(Mul((*parts[:k], *parts[k + 1 :], _slope(parts[k], node.by))) for k in turns))


def _quotient_of(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """f/g, where the denominator depends on it."""
    if isinstance(node.body, Div) and mentions(node.body.denominator, node.by.name):
        above, below = node.body.numerator, node.body.denominator
        left, right = Mul((_slope(above, node.by), below)), Mul((above, _slope(below, node.by)))
        yield Div(Add((left, Neg(right))), Pow(below, number(2)))


def _power_of(inner: bool) -> Rule:
    def rule(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
        body, by = node.body, node.by
        if not isinstance(body, Pow) or mentions(body.exponent, by.name) or not mentions(body.base, by.name):
            return
        if same(body.base, by) != inner:
            less = Pow(body.base, Add((body.exponent, Neg(UNIT))))
            yield Mul((body.exponent, less, _slope(body.base, by)))

    return rule


def _largest_of(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
    """max f: the chosen entry, or every entry with its gate."""
    body, by = node.body, node.by
    if not isinstance(body, Largest):
        return
    places = [part for place in by.indices for part in walk(place) if isinstance(part, (Ref, Number))]
    for at in dict.fromkeys(places):
        if _alone(Sum(body.body, body.index), at, by):
            term = rename_index(body.body, {body.index: at})
            yield Mul((Chosen(body.body, body.index, at), _slope(term, by)))
    gate = Chosen(body.body, body.index, Ref(body.index))
    yield Sum(Mul((gate, _slope(body.body, by))), body.index)


def _function_of(text: str, inner: bool) -> Rule:
    """f(g): the slope that a row with these words states, at the arguments, times the inner slope."""
    rows = [row for row in functions.FUNCTIONS if row.rule == text]

    def rule(node: Derivative, _: list[Expr]) -> Iterator[Expr]:
        body, by = node.body, node.by
        row = next((row for row in rows if isinstance(body, Call) and body.function == row.name), None)
        if row is None:
            return
        assert isinstance(body, Call)
        given: dict[Expr, Expr] = dict(zip(map(Ref, row.arguments), body.arguments, strict=True))
        moving = [name for name in row.arguments if mentions(given[Ref(name)], by.name)]
        if any(not same(given[Ref(name)], by) for name in moving) == inner:
            slopes = [substitute(parse(row.all_slopes[name], functions.NAMES), given) for name in moving]
            pairs = zip(slopes, moving, strict=True)
            yield added([Mul((slope, _slope(given[Ref(name)], by))) for slope, name in pairs])

    return rule


# --- Lines that differentiate nothing: what has changed between them -----------------------------------


def _definition(step: Step) -> bool:
    """The right-hand side of the equation of what is differentiated, and its name."""
    subject, after = step.subject, step.after
    of = subject.body if isinstance(subject, Derivative) else Ref(step.model.loss)
    if not step.first or not isinstance(after, Derivative) or step.holes != [of]:
        return False
    bodies = [eq.body for eq in step.model.program if same(eq.target, of)]
    if isinstance(subject, Derivative):
        right = same(after.by, subject.by)
    else:
        right = same(Ref(adjoint(step.model.loss, after.by.name), after.by.indices), subject)
    return right and any(same(body, after.body) for body in bodies)


def _linear(step: Step) -> bool:
    """The slope of a linear function: it does not depend on what is differentiated by."""
    subject = step.subject
    if not step.first or not isinstance(subject, Derivative) or step.holes != [subject.by]:
        return False
    return not derivatives(step.after) and not mentions(step.after, subject.by.name)


def _worked(step: Step) -> bool:
    """Whether nothing is left to differentiate, something changes, and every bound letter stays."""
    return not derivatives(step.before) and step.before != step.after and _letters(step.before, step.after)


def _letters(before: Expr, after: Expr) -> bool:
    """Whether the later line has no bound letter of its own."""
    return set(_bound(after)) <= set(_bound(before))


def _bound(expr: Expr) -> list[str]:
    return [node.index for node in walk(expr) if isinstance(node, BINDERS)]


def _collected(step: Step) -> bool:
    """Numbers and counts that stood apart stand together; nothing else has happened but order and signs."""
    alike = same(step.before, step.after, CONSTANTS)
    return _worked(step) and alike and _numbers(step.before) > _numbers(step.after)


def _numbers(expr: Expr) -> int:
    """How many parts are made of numbers and counts alone, each as large as it can be, but for 1 and −1."""
    if isinstance(expr, Ref) or expr in (UNIT, Neg(UNIT)):
        return 0
    return 1 if _is_number(expr) and not isinstance(expr, Mul) else sum(map(_numbers, children(expr)))


def _is_number(part: Expr) -> bool:
    return not any(isinstance(node, (Ref, Call, Chosen, Sum, Mean, Largest)) for node in walk(part))


def _reordered(step: Step) -> bool:
    """The same factors and terms in another order, and as many signs."""
    return _moved(step) and _behind(step.before) == _behind(step.after)


def _sign_to_front(step: Step) -> bool:
    """The same factors, and a sign that stood behind one stands in front."""
    return _moved(step) and _behind(step.before) > _behind(step.after)


def _moved(step: Step) -> bool:
    """Every part is still there, and nothing has come in."""
    alike = same(step.before, step.after) and _parts(step.before) == _parts(step.after)
    return _worked(step) and alike and _numbers(step.before) == _numbers(step.after)


def _parts(expr: Expr) -> Counter[str]:
    """What stands in an expression, but for products, sums, signs and ones."""
    kept = (node for node in walk(expr) if node != UNIT and not isinstance(node, (Mul, Add, Neg)))
    return Counter(f"{type(node).__name__} {getattr(node, 'name', '')}" for node in kept)


def _behind(expr: Expr) -> int:
    """How many minus signs stand at a factor rather than in front of a product or a term."""
    products = [node for node in walk(expr) if isinstance(node, (Mul, Div))]
    return sum(isinstance(part, Neg) for node in products for part in children(node))


def _to_front(step: Step) -> bool:
    """Something without the index has left a sum."""
    outside = same(step.before, step.after, PULLED) and not same(step.before, step.after, CONSTANTS)
    sums = any(isinstance(node, (Sum, Mean)) for node in walk(step.before))
    return _worked(step) and sums and outside


def _lettered(step: Step) -> bool:
    """Nothing but the names of bound letters."""
    changed = _bound(step.before) != _bound(step.after)
    return changed and same(step.before, step.after, ORDERED)


def _called(step: Step) -> bool:
    """A value of a function is written by the name that its equation gives it."""
    if len(step.holes) != 2 or derivatives(step.before):
        return False
    call, name = step.holes
    known = any(same(eq.body, call) and same(eq.target, name) for eq in step.model.program)
    renamed = transform(step.before, lambda node: name if same(node, call) else None)
    return known and renamed != step.before and same(renamed, step.after, CONSTANTS)


def _algebra(step: Step) -> bool:
    """Some algebra, and not the letters alone."""
    changed = step.before != step.after and not _lettered(step)
    return changed and not step.first and not derivatives(step.before)


def _simplified(step: Step) -> bool:
    """Some algebra that leaves less: fewer numbers, names and operations, and no number to be cancelled."""
    return _algebra(step) and _length(step.after) < _length(step.before) and not _uncancelled(step.after)


def _length(expr: Expr) -> int:
    return sum(1 for node in walk(expr) if not isinstance(node, Neg))


def _uncancelled(expr: Expr) -> bool:
    """Whether a fraction has numbers in front, above and below, with a common divisor: (½ a)/(½ b)."""
    return any(_reducible(*map(_in_all, children(node))) for node in walk(expr) if isinstance(node, Div))


def _reducible(above: Fraction, below: Fraction) -> bool:
    whole = above.denominator == below.denominator == 1
    return not (whole and gcd(above.numerator, below.numerator) == 1) and 1 not in (above, below)


def _in_all(expr: Expr) -> Fraction:
    """The product of the plain numbers among the factors, signs aside."""
    return prod((found for part in factors(expr) if (found := _plain(part))), start=Fraction(1))


def _plain(part: Expr) -> Fraction | None:
    match part:
        case Number(value):
            return abs(value)
        case Div(Number(above), Number(below)) if below:
            return abs(above / below)
    return None


# --- The chain rule, what is put in, and short cuts ---------------------------------------------------


def _chained(step: Step) -> bool:
    """The ways that are named are those of the terms: each once, with ``every`` where it is summed over."""
    by, loss = [*step.holes, NOTHING, NOTHING][:2]
    wanted = Ref(adjoint(step.model.loss, by.name), by.indices) if isinstance(by, Ref) else NOTHING
    if not step.first or not same(step.subject, wanted) or loss != Ref(step.model.loss):
        return False
    ways = step.said.parts[2]
    named = [way for part in (ways.items if isinstance(ways, Listed) else ()) for way in _ways(part)]
    found = dict.fromkeys(_term_way(term, step.model) for term in terms(step.after))
    return None not in found and sorted(map(repr, named)) == sorted(map(repr, found))


Way: TypeAlias = tuple[str, Expr]


def _ways(part: Part) -> Iterator[Way]:
    """The words for each quantity in a part such as "through every h and z"."""
    if isinstance(part, Message):
        yield from ((part.text, entry) for entry in _formulas(part.parts))
        if not part.parts:
            yield part.text, NOTHING


def _term_way(term: Expr, model: Model) -> Way | None:
    """The words for one term ``Σ gates · dL/dt · ∂t/∂u`` of the chain rule."""
    bound: set[str] = set()
    while isinstance(term, Sum):
        bound.add(term.index)
        term = term.body
    parts = factors(term)
    prefix = adjoint(model.loss, "")
    outer = [part for part in parts if isinstance(part, Ref) and part.name.startswith(prefix)]
    slopes = [part for part in parts if isinstance(part, Derivative)]
    gates = [part for part in parts if isinstance(part, Call) and part.function == "same"]
    if len(slopes) != 1 or len(outer) > 1 or len(outer) + 1 + len(gates) != len(parts):
        return None
    if not outer:
        return "directly", NOTHING
    entry = Ref(outer[0].name.removeprefix(prefix), outer[0].indices)
    if not bound.intersection(free_indices(entry, bound)):
        return "through {}", entry
    return ("through every {} that reads it" if gates else "through every {}"), entry


def _put_in(step: Step) -> bool:
    """Every slope, and what else is named, by the result of the line that is named; no line is idle."""
    (listed,) = step.said.parts
    lines = [str(item) for item in listed.items] if isinstance(listed, Listed) else []
    if not lines or any(line not in step.results for line in lines):
        return False
    used: set[str] = set()

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, (Derivative, Ref)) or (isinstance(node, Ref) and node.padded):
            return None
        for line in lines:
            subject, result = step.results[line]
            if (letters := fitting(subject, node)) is not None:
                used.add(line)
                return rename_index(result, letters)
        return None

    return same(transform(step.before, rule), step.after) and used == set(lines)


def fitting(pattern: Expr, expr: Expr) -> dict[str, Expr] | None:
    """What the letters of a subject stand for in an expression that is an instance of it."""
    letters: dict[str, Expr] = {}
    _pair(pattern, expr, letters, set())
    return letters if type(pattern) is type(expr) and same(rename_index(pattern, letters), expr) else None


def _pair(pattern: Expr, expr: Expr, letters: dict[str, Expr], bound: set[str]) -> None:
    if type(pattern) is not type(expr):
        return
    if isinstance(pattern, Ref) and isinstance(expr, Ref) and pattern.indices:
        for mine, theirs in zip(pattern.indices, expr.indices, strict=False):
            if isinstance(mine, Ref) and not mine.indices and mine.name not in bound:
                letters.setdefault(mine.name, theirs)
        return
    inner = bound | {pattern.index} if isinstance(pattern, (Sum, Mean, Largest)) else bound
    for mine, theirs in zip(children(pattern), children(expr), strict=False):
        _pair(mine, theirs, letters, inner)


def _cut(text: str) -> Predicate:
    """A short cut: the line is what a row with these words states, and the model has the row's equations."""
    rows = [row for row in SHORTCUTS if row.rule == text]

    def predicate(step: Step) -> bool:
        derived = step.first and isinstance(step.subject, Ref)
        return derived and any(_states(row, step) for row in rows)

    return predicate


def _states(row: Shortcut, step: Step) -> bool:
    names: dict[str, str] = {}
    if not _reads(parse(row.slope, functions.NAMES), step.after, row, names, adjoint(step.model.loss, "")):
        return False
    of = parse(row.of)
    assert isinstance(of, Ref)
    assert isinstance(step.subject, Ref)
    own = step.subject.name.removeprefix(adjoint(step.model.loss, ""))
    if names.setdefault(of.name, own) != own:
        return False
    for line in (parse_program(text, functions.NAMES)[0] for text in row.equations):
        name = step.model.loss if line.target.name == "L" else names.get(line.target.name)
        bodies = [eq.body for eq in step.model.program if eq.target.name == name]
        if name is not None and not any(_calls(line.body) <= _calls(body) for body in bodies):
            return False
    return True


def _reads(pattern: Expr, expr: Expr, row: Shortcut, names: dict[str, str], prefix: str) -> bool:
    """Whether an expression is a row's slope in names of the model, which are put down."""
    if isinstance(pattern, Ref) and pattern == Ref("eps"):
        return isinstance(expr, (Ref, Number, Div))
    if type(pattern) is not type(expr):
        return False
    if isinstance(pattern, Ref) and isinstance(expr, Ref):
        known = row.adjoints.get(pattern.name)
        name = expr.name if known is None else expr.name.removeprefix(prefix)
        extra = len(expr.indices) - len(pattern.indices)
        free = names.setdefault(known or pattern.name, name) == name
        return free and (extra == 0 or bool(row.lead)) and (known is None or name != expr.name)
    pairs = zip(children(pattern), children(expr), strict=False)
    alike = len(children(pattern)) == len(children(expr))
    number_alike = not isinstance(pattern, Number) or pattern == expr
    return alike and number_alike and all(_reads(a, b, row, names, prefix) for a, b in pairs)


def _calls(expr: Expr) -> set[str]:
    return {node.function for node in walk(expr) if isinstance(node, Call)}


# --- What may stand beside a line -----------------------------------------------------------------------


def _then_chain(step: Step) -> bool:
    """A function of something that depends on it in turn: its own words stand in the hole."""
    (said,) = step.said.parts
    return isinstance(said, Message) and applied(_function_of(said.text, True))(step)


PREDICATES: Mapping[str, Predicate] = {
    "definition of {}": _definition,
    "the derivative of a quantity with respect to itself is 1": applied(_itself),
    "the maximum passes its derivative on to the entry that is the largest": applied(_largest_of),
    "sum rule: term by term": either(applied(_each_index), applied(_each_term)),
    "sum rule: only the term {} depends on {}": applied(_own_term),
    "sum rule: {1} does not depend on {2}": applied(_some_terms),
    "constant factor {}": applied(_constant),
    "constant factor −1": applied(_minus),
    "linear in {}": _linear,
    "product rule": applied(_product_of),
    "quotient rule": applied(_quotient_of),
    "power rule": applied(_power_of(False)),
    "power rule, then the chain rule for what is inside": applied(_power_of(True)),
    "{}, then the chain rule": _then_chain,
    "the constants collected": _collected,
    "in another order": _reordered,
    "the minus sign goes in front": _sign_to_front,
    "what does not depend on the index goes in front of the sum": _to_front,
    "another letter for the index": _lettered,
    "{} is {}": _called,
    "simplified": _simplified,
    "the same in another form": lambda step: _algebra(step) and _length(step.after) >= _length(step.before),
    "chain rule: {} acts on {} {}": _chained,
    "put in {}": _put_in,
    **{row.rule: applied(_function_of(row.rule, False)) for row in functions.FUNCTIONS},
    **{row.rule: _cut(row.rule) for row in SHORTCUTS},
}
