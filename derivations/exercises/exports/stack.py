"""STACK: Moodle XML in which every answer has a potential response tree that Maxima works.

The first node of a tree asks whether the answer is accepted, or follows from earlier ones that were wrong;
each further node asks for a number to which slips lead. What the trees make of the right answers, and of each
slip in one of them, goes along as question tests, which STACK can run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from lxml import etree

from derivations.exercises.bank import Bank, Item, decimal
from derivations.exercises.exports.marks import Dialect, Mark, marks_of
from derivations.exercises.fragment import html_of
from derivations.exercises.sheets import BLANK, question, solution

VERSION = "2025030700"
PENALTY = "0.1000000"
MAXIMA = Dialect(
    "({})^({})",
    {
        "pi": "%pi",
        "sin": "sin({})",
        "cos": "cos({})",
        "cospi": "cos(%pi*({}))",
        "erf": "erf({})",
        "floor": "floor({})",
        "max": "max({}, {})",
        "min": "min({}, {})",
        "exp": "exp({})",
        "log": "log({})",
        "sqrt": "sqrt({})",
        "sign": "signum({})",
        "step": "(if is({} > 0) then 1 else 0)",
    },
)
SIGNS = "symbolic", "default"  # a tick or a cross, and a word
OPTIONS = {
    "decimals": ".",
    "scientificnotation": "*10",
    "multiplicationsign": "dot",
    "sqrtsign": "1",
    "complexno": "i",
    "inversetrig": "cos-1",
    "logicsymbol": "lang",
    "matrixparens": "[",
    "variantsselectionseed": "",
}
INPUT = {
    "boxsize": "12",
    "strictsyntax": "1",
    "insertstars": "0",
    "syntaxhint": "",
    "syntaxattribute": "0",
    "forbidwords": "",
    "allowwords": "",
    "forbidfloat": "0",
    "requirelowestterms": "0",
    "checkanswertype": "0",
    "mustverify": "1",
    "showvalidation": "1",
    "options": "",
}


def files(bank: Bank, items: Sequence[Item]) -> Mapping[str, bytes]:
    """One file for Moodle's importer, the variants in a category of their own."""
    quiz = etree.Element("quiz")
    title = bank.of.spec.title.replace("/", "//")  # one slash parts a category from the one inside
    _text(etree.SubElement(quiz, "question", type="category"), "category", f"$course$/top/{title}")
    for item in items:
        _question(quiz, bank, item)
    return {".stack.xml": etree.tostring(quiz, encoding="UTF-8", xml_declaration=True, pretty_print=True)}


def _leaf(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _leaves(parent: etree._Element, given: Mapping[str, str]) -> None:
    for tag, text in given.items():
        _leaf(parent, tag, text)


def _text(parent: etree._Element, tag: str, text: str) -> None:
    _leaf(etree.SubElement(parent, tag), "text", text)


def _html(parent: etree._Element, tag: str, html: str) -> None:
    found = etree.SubElement(parent, tag, format="html")
    etree.SubElement(found, "text").text = etree.CDATA(html) if html else ""


def _question(quiz: etree._Element, bank: Bank, item: Item) -> None:
    marks, width = marks_of(item, bank, "ans"), len(str(bank.table.count))
    found = etree.SubElement(quiz, "question", type="stack")
    name = f"{bank.of.spec.title} {item.number:0{width}}"
    _text(found, "name", name)
    _html(found, "questiontext", with_inputs(literal(html_of(question(item, bank), item)), marks))
    _html(found, "generalfeedback", literal(html_of(solution(item, bank), item)))
    grades = {"defaultgrade": str(len(marks)), "penalty": PENALTY, "hidden": "0", "idnumber": item.key}
    _leaves(found, grades)
    _text(found, "stackversion", VERSION)
    _text(found, "questionvariables", "")
    _html(found, "specificfeedback", "")
    _html(found, "questionnote", literal(escape(name)))
    _html(found, "questiondescription", "")
    _leaves(found, {"questionsimplify": "1", "assumepositive": "0", "assumereal": "0"})
    for kind in ("prtcorrect", "prtpartiallycorrect", "prtincorrect"):
        _html(found, kind, " ".join(f'[[commonstring key="{how}{kind}feedback"/]]' for how in SIGNS))
    _leaves(found, OPTIONS)
    for mark in marks:
        _input(found, mark)
    for mark in marks:
        _tree(found, mark, marks)
    _tests(found, marks)


def literal(html: str) -> str:
    """HTML in which nothing is a command of STACK's."""
    for command in ("[[", "{@", "{#"):
        html = html.replace(command, f"{command[0]}&#{ord(command[1])};")
    return html


def with_inputs(html: str, marks: Sequence[Mark]) -> str:
    """The question with an input, and room for what is said of it, in the place of every blank."""
    names = ((mark.letter, _tree_name(mark)) for mark in marks)
    boxes = [f"[[input:{name}]] [[validation:{name}]] [[feedback:{tree}]]" for name, tree in names]
    pieces = zip(html.split(BLANK), [*boxes, ""], strict=True)
    return "".join(part for pair in pieces for part in pair)


def _input(parent: etree._Element, mark: Mark) -> None:
    found = etree.SubElement(parent, "input")
    _leaves(found, {"name": mark.letter, "type": "numerical", "tans": mark.answer.text, **INPUT})


# --- potential response trees ----------------------------------------------------------------------------


def _tree_name(mark: Mark) -> str:
    return f"prt{mark.letter.removeprefix('ans')}"


def _tree(parent: etree._Element, mark: Mark, marks: Sequence[Mark]) -> None:
    found = etree.SubElement(parent, "prt")
    _leaves(
        found, {"name": _tree_name(mark), "value": "1.0000000", "autosimplify": "1", "feedbackstyle": "1"}
    )
    _text(found, "feedbackvariables", "\n".join(f"{line};" for line in _lines(mark, marks)))
    _node(found, mark, 0, "good", "")
    for number, wrong in enumerate(mark.wrong, 1):
        _node(found, mark, number, _inside(decimal(wrong.low), decimal(wrong.high)), escape(wrong.words))


def _inside(low: str, high: str, value: str = "given") -> str:
    return f"is({value} >= {low}) and is({value} <= {high})"


def _lines(mark: Mark, marks: Sequence[Mark]) -> Iterator[str]:
    """Maxima: the answer as a float, and whether it is accepted, or follows from earlier ones."""
    yield f"given: float({mark.letter})"
    accepted = _inside(decimal(mark.low), decimal(mark.high))
    if mark.carried is None or not MAXIMA.knows(mark.carried):
        yield f"good: {accepted}"
        return
    own = {other.letter: other for other in marks}
    for letter in mark.earlier:
        yield from _used(own[letter])
    c, unit, slack = "due", 10**mark.places, decimal(mark.slack)
    yield f"{c}: float({MAXIMA.code(mark.carried_in(_used_name))})"
    yield f"low: min({c} - {decimal(mark.below)}, ceiling(({c} - {slack})*{unit} - 0.5)/{unit}) - {slack}"
    yield f"high: max({c} + {decimal(mark.above)}, floor(({c} + {slack})*{unit} + 0.5)/{unit}) + {slack}"
    yield f"good: ({accepted}) or ({_inside('low', 'high')})"


def _used_name(letter: str) -> str:
    return f"used{letter.removeprefix('ans')}"


def _used(mark: Mark) -> Iterator[str]:
    """What is carried on from an earlier answer: our value if it is accepted, else the student's."""
    inside = _inside(decimal(mark.low), decimal(mark.high), f"float({mark.letter})")
    value = MAXIMA.number(mark.value)
    yield f"{_used_name(mark.letter)}: if {inside} then {value} else float({mark.letter})"


def _node(parent: etree._Element, mark: Mark, number: int, test: str, words: str) -> None:
    """A node that ends its tree where a test holds: the first with the mark, others with what is said."""
    found = etree.SubElement(parent, "node")
    last = number == len(mark.wrong)
    asked = {"answertest": "AlgEquiv", "sans": test, "tans": "true", "testoptions": "", "quiet": "1"}
    _leaves(found, {"name": str(number), "description": "", **asked})
    score = "0" if number else "1"
    _branch(found, mark, number, "true", (score, "-1"), literal(f"<p>{words}</p>" if words else ""))
    _branch(found, mark, number, "false", ("0", "-1" if last else str(number + 1)), "")


def _branch(
    node: etree._Element, mark: Mark, number: int, end: str, then: tuple[str, str], said: str
) -> None:
    score, follows = then
    given = {"scoremode": "=", "score": score, "penalty": "", "nextnode": follows}
    _leaves(node, {f"{end}{tag}": text for tag, text in given.items()})
    _leaf(node, f"{end}answernote", _note(mark, number, end))
    _html(node, f"{end}feedback", said)


def _note(mark: Mark, number: int, end: str) -> str:
    return f"{_tree_name(mark)}-{number}-{end[0].upper()}"


# --- question tests -----------------------------------------------------------------------------------------


def _tests(parent: etree._Element, marks: Sequence[Mark]) -> None:
    """The right answers; and each slip in one answer, beside the right ones."""
    cases: list[tuple[Mark | None, int]] = [(None, 0)]
    cases += [(mark, number) for mark in marks for number in range(1, len(mark.wrong) + 1)]
    for case, (slipped, number) in enumerate(cases, 1):
        found = etree.SubElement(parent, "qtest")
        _leaves(found, {"testcase": str(case), "description": ""})
        for mark in marks:
            text = mark.wrong[number - 1].printed if mark is slipped else mark.answer.text
            _leaves(etree.SubElement(found, "testinput"), {"name": mark.letter, "value": text})
        for mark in marks:
            _expected(found, mark, number if mark is slipped else 0)


def _expected(parent: etree._Element, mark: Mark, number: int) -> None:
    wanted = {
        "name": _tree_name(mark),
        "expectedscore": "0.0000000" if number else "1.0000000",
        "expectedpenalty": PENALTY if number else "0.0000000",
        "expectedanswernote": _note(mark, number, "true"),
    }
    _leaves(etree.SubElement(parent, "expected"), wanted)
