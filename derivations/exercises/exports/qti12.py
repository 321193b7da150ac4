"""QTI 1.2 as Canvas reads it: a numerical question for each answer of each variant.

Canvas takes a number and its margin, which it reads from the upper end alone, and everything that a condition
accepts gets all points: so that each is as far from both ends, and wrong numbers stand in the feedback only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from uuid import uuid5

from lxml import etree

from derivations.document.blocks import Block
from derivations.exercises.acceptance import Reach, decided
from derivations.exercises.bank import NAMESPACE, Answer, Bank, Item, decimal
from derivations.exercises.exports.archive import packed
from derivations.exercises.exports.numeric import alone, named, tolerances, ways
from derivations.exercises.exports.package import COMMON_CARTRIDGE, Resource, manifest, xml
from derivations.exercises.mathml import xhtml_of
from derivations.exercises.sheets import BLANK, marking, question, solution
from derivations.language.errors import SpecError

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
META = "http://canvas.instructure.com/xsd/cccv1p0"
LEAST = Fraction(1, 10**4)  # what is nearer to 0, Classic Quizzes write as a power of ten and cannot read


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One package; raises `SpecError` for an answer that is too near to 0, 0 itself aside."""
    quiz = "g" + uuid5(NAMESPACE, " ".join(item.key for item in items)).hex
    asked, meta = f"{quiz}/{quiz}.xml", f"{quiz}/assessment_meta.xml"
    kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
    resources = (
        Resource(quiz, "imsqti_xmlv1p2", "", (asked,), (f"{quiz}_meta",)),
        Resource(f"{quiz}_meta", kind, meta, (meta,)),
    )
    listed = manifest(f"{quiz}_manifest", ("IMS Content", "1.1.3"), resources, COMMON_CARTRIDGE)
    inside = {"imsmanifest.xml": listed, asked: _questions(quiz, bank, items), meta: _meta(quiz, bank, items)}
    return {".qti12.zip": packed({name: xml(inside[name]) for name in sorted(inside)})}


# --- elements ----------------------------------------------------------------------------------------------


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    """An element in the namespace of its parent."""
    found = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}", attributes)
    found.text = text
    return found


def _fields(parent: etree._Element, **fields: str) -> None:
    found = _add(parent, "qtimetadata")
    for label, entry in fields.items():
        field = _add(found, "qtimetadatafield")
        _add(field, "fieldlabel", label)
        _add(field, "fieldentry", entry)


def _html(parent: etree._Element, text: str) -> None:
    _add(_add(parent, "material"), "mattext", f"<div>{text}</div>", texttype="text/html")


# --- the quiz ----------------------------------------------------------------------------------------------


def _meta(quiz: str, bank: Bank, items: Sequence[Item]) -> etree._Element:
    found = etree.Element(f"{{{META}}}quiz", {"identifier": quiz}, {None: META})
    _add(found, "title", bank.of.spec.title)
    _add(found, "quiz_type", "assignment")
    _add(found, "points_possible", str(sum(len(item.answers) for item in items)))
    _add(found, "scoring_policy", "keep_highest")
    _add(found, "allowed_attempts", "1")
    return found


def _questions(quiz: str, bank: Bank, items: Sequence[Item]) -> etree._Element:
    found = etree.Element(f"{{{QTI}}}questestinterop", {}, {None: QTI})
    assessment = _add(found, "assessment", ident=quiz, title=bank.of.spec.title)
    _fields(assessment, cc_maxattempts="1")
    section = _add(assessment, "section", ident="root_section")
    for item in items:
        for answer in item.answers:
            _question(section, answer, item, bank)
    return found


def identifier(answer: Answer, item: Item) -> str:
    """What identifies a question, however it is worded: its variant, and what is asked."""
    return "g" + uuid5(NAMESPACE, f"{item.key} {answer.asked.key}").hex


def _question(parent: etree._Element, answer: Answer, item: Item, bank: Bank) -> None:
    own = alone(item, answer)
    found = _add(parent, "item", ident=identifier(answer, item), title=named(answer, item, bank))
    _fields(_add(found, "itemmetadata"), question_type="numerical_question", points_possible="1")
    presentation = _add(found, "presentation")
    _html(presentation, xhtml_of(question(own, bank), item).replace(BLANK, "?"))
    response = _add(presentation, "response_str", ident="response1", rcardinality="Single")
    _add(_add(response, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    wrong = tuple(marking(own, bank, len(answer.wrong)))
    _processing(found, accepted(answer, item, bank), bool(wrong))
    if wrong:
        _feedback(found, "general_incorrect_fb", wrong, item)
    _feedback(found, "general_fb", solution(replace(own, answers=(replace(answer, wrong=()),)), bank), item)


def accepted(answer: Answer, item: Item, bank: Bank) -> tuple[tuple[Fraction, Fraction], ...]:
    """What is accepted as numbers with a margin; raises `SpecError` where Canvas cannot read one.

    Where the middle of what is accepted is too near to 0, the answer itself has the greater margin, if no
    slip's number is accepted with it.
    """
    found = ways(answer, bank.places)
    if all(map(can_be_read, found)):
        return found
    key, room = answer.printed.value, max(tolerances(answer, bank.places))
    wrong = [option.value for option in answer.wrong]
    if can_be_read((key, room)) and decided(Reach(key - room, key + room), wrong, bank.places):
        return ((key, room),)
    raise _too_near(answer, item, bank)


def can_be_read(way: tuple[Fraction, Fraction]) -> bool:
    """Whether Classic Quizzes can read a number: 0, or one that is not nearer to 0 than `LEAST`."""
    return way[0] == 0 or abs(way[0]) >= LEAST


def _too_near(answer: Answer, item: Item, bank: Bank) -> SpecError:
    what = f"variant {item.number} asks for {answer.asked.name} = {answer.text}"
    hint = "Give [exercise] vary other values, ask for something else, or take another format."
    return bank.of.source.error(f"{what}: Canvas takes no answer below 0.0001", "exercise", hint=hint)


def _processing(parent: etree._Element, numbers: Iterable[tuple[Fraction, Fraction]], wrong: bool) -> None:
    found = _add(parent, "resprocessing")
    score = {"maxvalue": "100", "minvalue": "0", "varname": "SCORE", "vartype": "Decimal"}
    _add(_add(found, "outcomes"), "decvar", **score)
    _otherwise(found, "general_fb")
    for value, margin in numbers:
        condition = _add(found, "respcondition", **{"continue": "No"})
        either = _add(_add(condition, "conditionvar"), "or")
        _add(either, "varequal", decimal(value), respident="response1")
        both = _add(either, "and")
        _add(both, "vargte", decimal(value - margin), respident="response1")
        _add(both, "varlte", decimal(value + margin), respident="response1")
        _add(condition, "setvar", "100", action="Set", varname="SCORE")
    if wrong:
        _otherwise(found, "general_incorrect_fb")


def _otherwise(parent: etree._Element, feedback: str) -> None:
    found = _add(parent, "respcondition", **{"continue": "Yes"})
    _add(_add(found, "conditionvar"), "other")
    _add(found, "displayfeedback", feedbacktype="Response", linkrefid=feedback)


def _feedback(parent: etree._Element, name: str, blocks: Iterable[Block], item: Item) -> None:
    _html(_add(_add(parent, "itemfeedback", ident=name), "flow_mat"), xhtml_of(blocks, item))
