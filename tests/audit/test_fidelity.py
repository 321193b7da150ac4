"""Faults of a printer are caught by the document alone, with no run at hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from derivations.audit.fidelity import Fidelity
from derivations.document.blocks import Block, Display, Document, Figure, Heading, Listing, Prose, Table, say
from derivations.document.languages import translated_block
from derivations.formats.markdown.read import read_markdown
from derivations.formats.press import printer
from derivations.language.errors import CheckFailed
from derivations.language.tree import Add, Mul, Number, Ref
from derivations.notation.chain import formula
from derivations.notation.symbols import Symbols
from tests.built import page


def decimal(text: str) -> Number:
    return Number(Fraction(text), text)


W, X, B = Ref("w"), Ref("x"), Ref("b")
BLOCKS = (
    Heading(1, ("A line",)),
    Prose(say("We start from {}.", formula(W, decimal("0.5")))),
    Display(formula(Ref("y"), Add((Mul((W, X)), B)), decimal("1234.5"))),
    Table(
        "summary",
        "rd",
        (say("step"), (formula(W),)),
        ((("1",), (formula(decimal("0.5")),)), (("2",), (formula(decimal("-1.25")),))),
    ),
    Listing("text", "w = 0.5"),
)
FILE = """# A line

We start from $w = 0.5$.

$$
y = w x + b = 1234.5
$$

| step | $w$ |
| --: | --: |
| 1 | 0.5 |
| 2 | −1.25 |

```text
w = 0.5
```
"""
CHANGES = {
    "a digit in a sentence": ("w = 0.5$", "w = 0.6$"),
    "a zero more": ("w = 0.5$", "w = 0.50$"),
    "a word": ("We start", "We begin"),
    "a relation": ("b = 1234.5", r"b \approx 1234.5"),
    "a sign": ("w x + b", "w x - b"),
    "a digit in a formula": ("1234.5", "1234.6"),
    "a side left out": (" = 1234.5", ""),
    "a symbol in a heading": ("| $w$ |", "| $b$ |"),
    "a digit in a cell": ("| 0.5 |", "| 0.4 |"),
    "a sign in a cell": ("−1.25", "1.25"),
    "the mark of another language": ("−1.25", "−1,25"),
    "a label": ("| 2 |", "| 3 |"),
    "a word in a heading": ("| step |", "| row |"),
    "a row left out": ("| 1 | 0.5 |\n", ""),
    "a digit in a listing": ("\nw = 0.5", "\nw = 0.6"),
    "a block left out": ("We start from $w = 0.5$.\n", ""),
    "a block more": ("We start", "See.\n\nWe start"),
    "a block in the place of another": ("# A line", "A line"),
    "a formula that cannot be read": ("w x + b", r"w x + \foo b"),
}


def _no_figure(*_: object) -> None:
    raise AssertionError("there is no figure")


def faithful(blocks: tuple[Block, ...] = BLOCKS) -> Fidelity:
    known = Symbols({"w": 0, "x": 0, "b": 0, "y": 0}, "y", "i")
    shown = tuple(translated_block(block, "en") for block in blocks)
    return Fidelity(Document("A line", shown), known, str, _no_figure)


def test_a_file_that_says_the_document_passes() -> None:
    assert faithful().require(read_markdown(FILE)) == ()


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_says_something_else_is_refused(change: str) -> None:
    old, new = CHANGES[change]
    assert old in FILE
    with pytest.raises(CheckFailed, match="does not read back"):
        faithful().require(read_markdown(FILE.replace(old, new, 1)))


def test_a_fault_of_our_own_is_not_taken_for_one_of_the_file() -> None:
    (*blocks, _) = BLOCKS
    pictured = faithful((*blocks, Figure("fit", page("linear-regression").press.document)))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="there is no figure"):
        pictured.require(read_markdown(FILE.partition("```")[0] + "![A](a.svg)\n"))


WITHOUT_A_RUN = ["md", "myst", "qmd", "tex", "fragment", "beamer", "slides", "pdf", "typ"]


@pytest.mark.few(3)
@pytest.mark.parametrize("form", WITHOUT_A_RUN)
def test_no_format_of_the_document_needs_the_run(form: str) -> None:
    shown = page("linear-regression")
    known: Any = replace(shown.press.evidence, run=None, composed=None)
    bare = replace(shown.press, evidence=known)
    printer(form).check(shown.content(form), bare)
    document = shown.press.document
    others = tuple(_with_another_digit(block) for block in document.blocks)
    assert others != document.blocks
    other = replace(bare, evidence=replace(known, document=replace(document, blocks=others)))
    with pytest.raises(CheckFailed):
        printer(form).check(printer(form).write(other), bare)


def _with_another_digit(block: Block) -> Block:
    if not isinstance(block, Display) or block.formula.sides[-1].expr != decimal("127.125"):
        return block
    *sides, last = block.formula.sides
    return Display(replace(block.formula, sides=(*sides, replace(last, expr=decimal("127.126")))))
