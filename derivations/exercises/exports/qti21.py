"""QTI 2.1: an item for each variant with a gap for each answer, and a test of all of them.

Each answer has a mark. Its state, an outcome of its own, says why: ``right``, ``carried`` (it follows from
earlier answers that are not right, whatever they are), a slip, or ``other``; feedback is shown for a state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from itertools import islice

from lxml import etree

from derivations.document.blocks import Block, Message, Prose, message, phrase
from derivations.exercises.bank import Answer, Bank, Item, decimal
from derivations.exercises.carried import formulas
from derivations.exercises.exports.archive import packed
from derivations.exercises.exports.numeric import beyond, handed_in, tolerances
from derivations.exercises.exports.package import Resource, manifest, xml
from derivations.exercises.fragment import said
from derivations.exercises.mathml import spoken, xhtml_of
from derivations.exercises.sheets import BLANK, question, solution
from derivations.language.tree import Add, Call, Div, Expr, Mul, Neg, Number, Pow, Ref, number, refs, walk
from derivations.notation.chain import Formula

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PATTERN = r"[+\-]?[0-9]*\.?[0-9]*([eE][+\-]?[0-9]*)?"
HALF = number(Fraction(1, 2))
LOWEST = "-1E300"  # less than every answer
KNOWN = Number, Ref, Neg, Add, Mul, Div, Pow
LONGEST = 300  # nodes of a formula by which an answer is carried forward
STEP = phrase("Step {}")
POINT = phrase("Write numbers with a decimal point and a plain minus sign: -34.5.")
CARRIED = phrase("This follows from your earlier answers: the mark is yours.")


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One package."""
    names = [identifier(item) for item in items]
    inside = {f"items/{name}.xml": xml(_item(item, bank)) for name, item in zip(names, items, strict=True)}
    inside["test.xml"] = xml(_test(bank, items))
    resources = [
        Resource(name, "imsqti_item_xmlv2p1", f"items/{name}.xml", (f"items/{name}.xml",)) for name in names
    ]
    test = Resource("test", "imsqti_test_xmlv2p1", "test.xml", ("test.xml",), names)
    inside["imsmanifest.xml"] = xml(manifest("bank", ("QTIv2.1 Package", "1.0.0"), [test, *resources]))
    return {".qti21.zip": packed(dict(sorted(inside.items())))}


def identifier(item: Item) -> str:
    """The identifier of an item, in 32 signs, as QTI asks: that of the variant."""
    return "q" + item.key.replace("-", "")[:31]


# --- elements ----------------------------------------------------------------------------------------------


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    found = etree.SubElement(parent, f"{{{QTI}}}{tag}", attributes)
    found.text = text
    return found


def _filled(parent: etree._Element, xhtml: str) -> None:
    """Put a piece of XHTML into an element."""
    parent.extend(etree.fromstring(f'<body xmlns="{QTI}">{xhtml}</body>'))


def _base(parent: etree._Element, kind: str, text: str) -> None:
    _add(parent, "baseValue", text, baseType=kind)


def _declared(parent: etree._Element, name: str, kind: str, default: str, **more: str) -> None:
    found = _add(parent, "outcomeDeclaration", identifier=name, cardinality="single", baseType=kind, **more)
    _add(_add(found, "defaultValue"), "value", default)


# --- an item -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """An answer in an item: the number of its gap, and its wrong answers by what is said of them."""

    number: int
    answer: Answer
    said: tuple[Message, ...]

    @property
    def response(self) -> str:
        """The response variable."""
        return f"R{self.number}"

    @property
    def points(self) -> str:
        """The outcome that has its mark."""
        return f"POINTS{self.number}"

    @property
    def state(self) -> str:
        """The outcome that says why."""
        return f"STATE{self.number}"


def gaps_of(item: Item) -> tuple[Gap, ...]:
    """The gaps of an item."""
    return tuple(
        Gap(number, answer, tuple(dict.fromkeys(option.explanation for option in answer.wrong)))
        for number, answer in enumerate(item.answers, 1)
    )


def _item(item: Item, bank: Bank) -> etree._Element:
    title = f"{bank.of.spec.title} {item.number:0{len(str(bank.table.count))}}"
    settings = {"title": title, "adaptive": "false", "timeDependent": "false"}
    found = etree.Element(
        f"{{{QTI}}}assessmentItem", {"identifier": identifier(item), **settings}, {None: QTI}
    )
    found.set("{http://www.w3.org/XML/1998/namespace}lang", bank.of.spec.page.language)
    gaps = gaps_of(item)
    _declarations(found, gaps)
    _filled(_add(found, "itemBody"), with_gaps(question(item, bank), gaps, item))
    _processing(found, gaps, bank, item)
    _feedback(found, gaps, bank, item)
    return found


def _declarations(parent: etree._Element, gaps: Sequence[Gap]) -> None:
    for gap in gaps:
        own = _add(
            parent, "responseDeclaration", identifier=gap.response, cardinality="single", baseType="float"
        )
        _add(_add(own, "correctResponse"), "value", gap.answer.text)
    most = str(len(gaps))
    _declared(parent, "SCORE", "float", "0", normalMaximum=most, normalMinimum="0")
    _declared(parent, "MAXSCORE", "float", most)
    for gap in gaps:
        _declared(parent, gap.points, "float", "0")
        _declared(parent, gap.state, "identifier", "other")
    _declared(parent, "SOLUTION", "identifier", "hidden")


def with_gaps(blocks: Iterable[Block], gaps: Sequence[Gap], item: Item) -> str:
    """The question with a gap in the place of every blank, and how numbers are written."""
    pieces = xhtml_of((*blocks, Prose((message(POINT),))), item).split(BLANK)
    shown = [*(_gap(gap, item) for gap in gaps), ""]
    return "".join(part for pair in zip(pieces, shown, strict=True) for part in pair)


def named(gap: Gap, item: Item) -> tuple[Message | None, Formula]:
    """What is asked in a gap: its symbol, and its step where the variant asks of several."""
    asked = gap.answer.asked
    several = len({answer.asked.step for answer in item.answers}) > 1
    step = message(STEP, str(asked.step)) if several else None
    return step, asked.symbol(item.steps[asked.step - 1])


def _gap(gap: Gap, item: Item) -> str:
    step, symbol = named(gap, item)
    name = escape(f"{f'{said(step, item)}, ' if step else ''}{spoken(symbol, item)}")
    settings = f'expectedLength="14" patternMask="{PATTERN}" label="{name}"'
    return f'<textEntryInteraction responseIdentifier="{gap.response}" {settings}/>'


# --- what is awarded ---------------------------------------------------------------------------------------


def _processing(parent: etree._Element, gaps: Sequence[Gap], bank: Bank, item: Item) -> None:
    found = _add(parent, "responseProcessing")
    carried = formulas(item.steps, bank.example, bank.asked)
    earlier = {gap.answer.asked.key: gap for gap in gaps}
    for gap in gaps:
        condition = _add(found, "responseCondition")
        _no_number(_add(condition, "responseIf"), gap)
        _right(_add(condition, "responseElseIf"), gap, bank)
        formula = carried.get(gap.answer.asked.key)
        if formula is not None and can_be_carried(formula):
            _carried(_add(condition, "responseElseIf"), gap, formula, earlier, bank)
        for option in gap.answer.wrong:
            slip = gap.said.index(option.explanation) + 1
            _slip(_add(condition, "responseElseIf"), gap, *handed_in(option, bank.places), f"slip{slip}")
    total = _add(_add(found, "setOutcomeValue", identifier="SCORE"), "sum")
    for gap in gaps:
        _add(total, "variable", identifier=gap.points)
    _base(_add(found, "setOutcomeValue", identifier="SOLUTION"), "identifier", "shown")


def _equal(parent: etree._Element, gap: Gap, room: tuple[Fraction, Fraction]) -> etree._Element:
    """``[x - t0, x + t1]`` holds the response; the ``x`` is put in front of it."""
    below, above = map(decimal, room)
    found = _add(parent, "equal", toleranceMode="absolute", tolerance=f"{below} {above}")
    _add(found, "variable", identifier=gap.response)
    return found


def _state(parent: etree._Element, gap: Gap, state: str) -> None:
    if state in ("right", "carried"):
        _base(_add(parent, "setOutcomeValue", identifier=gap.points), "float", "1")
    _base(_add(parent, "setOutcomeValue", identifier=gap.state), "identifier", state)


def _no_number(parent: etree._Element, gap: Gap) -> None:
    """A player that reads ``-`` as NaN may find that nothing keeps it from being equal to the answer."""
    below = _add(_add(parent, "not"), "gt")
    _add(below, "variable", identifier=gap.response)
    _base(below, "float", LOWEST)
    _state(parent, gap, "other")


def _right(parent: etree._Element, gap: Gap, bank: Bank) -> None:
    found = _equal(parent, gap, tolerances(gap.answer, bank.places))
    found.insert(0, etree.Element(f"{{{QTI}}}correct", identifier=gap.response))
    _state(parent, gap, "right")


def _slip(parent: etree._Element, gap: Gap, text: str, room: Fraction, state: str) -> None:
    found = _equal(parent, gap, (room, room))
    _base(found, "float", text)
    found.insert(0, found[-1])
    _state(parent, gap, state)


def _carried(parent: etree._Element, gap: Gap, formula: Expr, earlier: Mapping[str, Gap], bank: Bank) -> None:
    """Not all of the earlier answers are right, and this one is what they lead to."""
    both = _add(parent, "and")
    all_right = _add(_add(both, "not"), "and")
    for ref in refs(formula):
        match = _add(all_right, "match")
        _add(match, "variable", identifier=earlier[ref.name].state)
        _base(match, "identifier", "right")
    found = _equal(both, gap, carried_room(gap.answer, bank.places))
    _written(found, formula, earlier)
    found.insert(0, found[-1])
    _state(parent, gap, "carried")


def carried_room(answer: Answer, places: int) -> tuple[Fraction, Fraction]:
    """How far an answer may be from what earlier ones lead to: what rounding it does, or does on the way."""
    half, (below, above) = Fraction(1, 2 * 10**places), tolerances(answer, places)
    return beyond(max(half, below), places), beyond(max(half, above), places)


# --- formulas ----------------------------------------------------------------------------------------------


def can_be_carried(formula: Expr) -> bool:
    """Whether a formula has operations only that players surely have, and not too many of them."""
    nodes = list(islice(walk(formula), LONGEST + 1))
    return len(nodes) <= LONGEST and all(isinstance(node, KNOWN) or _is_root(node) for node in nodes)


def _is_root(node: Expr) -> bool:
    return isinstance(node, Call) and node.function == "sqrt"


def _written(parent: etree._Element, expr: Expr, earlier: Mapping[str, Gap]) -> None:
    """An expression as elements; a difference of two is ``subtract``, another sign a factor of -1."""
    match expr:
        case Number(value):
            _number(parent, value)
        case Ref(name):
            _add(parent, "variable", identifier=earlier[name].response)
        case Neg(Number(value)):
            _number(parent, -value)
        case Neg(part):
            found = _add(parent, "product")
            _base(found, "float", "-1")
            _written(found, part, earlier)
        case Add((first, Neg(second))):
            _each(_add(parent, "subtract"), (first, second), earlier)
        case Add(parts):
            _each(_add(parent, "sum"), parts, earlier)
        case Mul(parts):
            _each(_add(parent, "product"), parts, earlier)
        case Div(above, below):
            _each(_add(parent, "divide"), (above, below), earlier)
        case Pow(base, exponent):
            _each(_add(parent, "power"), (base, exponent), earlier)
        case Call(_, (radicand,)):
            _each(_add(parent, "power"), (radicand, HALF), earlier)


def _each(parent: etree._Element, parts: Iterable[Expr], earlier: Mapping[str, Gap]) -> None:
    for part in parts:
        _written(parent, part, earlier)


def _number(parent: etree._Element, value: Fraction) -> None:
    """A decimal; a fraction that has no last digit is a quotient."""
    if (10**60 * value).denominator == 1:
        _base(parent, "float", decimal(value))
    else:
        found = _add(parent, "divide")
        _number(found, Fraction(value.numerator))
        _number(found, Fraction(value.denominator))


# --- what is said ------------------------------------------------------------------------------------------


def _feedback(parent: etree._Element, gaps: Sequence[Gap], bank: Bank, item: Item) -> None:
    for gap in gaps:
        for state, words in _said(gap):
            step, symbol = named(gap, item)
            head = (step, ", ", symbol) if step else (symbol,)
            _modal(parent, gap.state, state, (Prose((*head, ": ", words)),), item)
    _modal(parent, "SOLUTION", "shown", solution(item, bank), item)


def _said(gap: Gap) -> Iterator[tuple[str, Message]]:
    yield "carried", message(CARRIED)
    yield from ((f"slip{number}", words) for number, words in enumerate(gap.said, 1))


def _modal(parent: etree._Element, outcome: str, state: str, blocks: Iterable[Block], item: Item) -> None:
    found = _add(parent, "modalFeedback", outcomeIdentifier=outcome, identifier=state, showHide="show")
    _filled(found, xhtml_of(blocks, item))


# --- the test ----------------------------------------------------------------------------------------------


def _test(bank: Bank, items: Sequence[Item]) -> etree._Element:
    title = bank.of.spec.title
    found = etree.Element(f"{{{QTI}}}assessmentTest", {"identifier": "test", "title": title}, {None: QTI})
    _declared(found, "SCORE", "float", "0")
    part = _add(found, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="individual")
    _add(part, "itemSessionControl", maxAttempts="1", showFeedback="true")
    section = _add(part, "assessmentSection", identifier="section", title=title, visible="true")
    for item in items:
        name = identifier(item)
        _add(section, "assessmentItemRef", identifier=name, href=f"items/{name}.xml")
    outcome = _add(_add(found, "outcomeProcessing"), "setOutcomeValue", identifier="SCORE")
    _add(_add(outcome, "sum"), "testVariables", variableIdentifier="SCORE")
    return found
