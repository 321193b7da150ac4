"""Every sentence of a page is a claim: what is not so is refused, what is so passes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir

from derivations.audit.sentences.again import read_again
from derivations.audit.sentences.asked import PARTS, SENTENCES, faults, holds, is_of_a_line, sight_of
from derivations.audit.sentences.elsewhere import ELSEWHERE, ROOMS_BESIDE
from derivations.audit.sentences.place import Sight, is_update, places
from derivations.catalogue.functions import FUNCTIONS
from derivations.catalogue.slips import SLIPS
from derivations.claims.writer import plain_value
from derivations.document.blocks import (
    Block,
    Digits,
    Display,
    Document,
    Heading,
    Listed,
    Message,
    Prose,
    Table,
)
from derivations.document.compose import compose
from derivations.document.symbols import symbols_of
from derivations.language.tree import Neg, Number, Ref, number
from derivations.model.example import prepare
from derivations.notation.chain import Formula
from derivations.page import footer, spec_digest
from derivations.run.training import certified
from derivations.spec import gallery
from derivations.spec.spec import Source, parse_spec
from derivations.translations.extraction import KEYWORDS, PACKAGE, texts
from derivations.witnesses.work import Verified, work
from tests.built import GALLERY, page

PREDICATES = {*SENTENCES, *PARTS}
FEW = ("linear-regression", "dying-relu")  # with batches, a table and signs; with a kink and a wide layer
HAND = """
title = "{title}"
[model]
equations = '''
yhat[i] = w*x[i] + b
L = {loss}
'''
[data]
x = [1, 2, 3, 4]
y = [2, 1, 3, 5]
[parameters]
w = -3
b = 1
[training]
{training}
[page]
{page}
"""


def seen(run: Verified, text: str) -> Sight:
    """What the sentences of a run are held against."""
    source = parse_spec(text)[1]
    symbols, digest = symbols_of(run.example), spec_digest(source)

    def composed(bits: int) -> Sight:
        now = run.with_bits(bits)
        return sight_of(compose(now, symbols, footer(digest)), now, symbols, source)

    return certified(composed, run.trace.bits)


@cache
def of_gallery(name: str) -> Sight:
    return seen(page(name).press.run, gallery.find(name).read_text(encoding="utf-8"))


@cache
def of_text(text: str) -> Sight:
    return seen(work(prepare(*parse_spec(text))), text)


def by_hand(training: str, page: str = "", loss: str = "mean((yhat[i] - y[i])**2, i)") -> Sight:
    return of_text(HAND.format(title="by hand", training=training, page=page, loss=loss))


def said(sight: Sight) -> list[str]:
    return [message.text for message, _ in places(sight)]


# --- every text ------------------------------------------------------------------------------------------


@cache
def beside() -> set[Any]:
    """The texts that stand only in rooms whose words are no part of a document."""
    found = [*extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS)]
    here = {text for file, _, text, _, _ in found if not file.startswith(ROOMS_BESIDE)}
    slips = {text for row in SLIPS for text in (row.title, row.explanation, row.absent)}  # said on sheets
    return {text for file, _, text, _, _ in found if file.startswith(ROOMS_BESIDE)} - here | slips


def test_every_text_has_a_predicate_or_stands_elsewhere() -> None:
    known = {*PREDICATES, *ELSEWHERE}
    own = {text if isinstance(text, str) else text[0] for text in texts() if text not in beside()}
    assert own - known == set()
    assert known - own == set()
    assert {*PREDICATES} & {*ELSEWHERE} == set()


@pytest.mark.few(1)
@pytest.mark.parametrize("name", GALLERY)
def test_a_page_of_the_gallery_says_nothing_that_is_not_so(name: str) -> None:
    assert list(faults(of_gallery(name))) == []


# --- falsified documents ---------------------------------------------------------------------------------


def holes(text: str) -> int:
    return sum(name is not None for _, name, _, _ in Formatter().parse(text))


def other_parts(part: Any) -> Iterator[Any]:
    """A part of a sentence with one number changed or one item left out, at any depth."""
    if isinstance(part, Digits) and part.text.isdecimal():
        yield Digits(str(int(part.text) + 1))
    elif isinstance(part, str) and part.isdecimal():
        yield str(int(part) + 1)
    elif hasattr(part, "items") and len(part.items) > 1 and part.joint == "and":
        yield replace(part, items=part.items[1:])


def other_texts(message: Message) -> Iterator[str]:
    """Other texts with as many holes, as a writer might say by mistake."""
    family = [text for text in PREDICATES if text != message.text and holes(text) == holes(message.text)]
    yield from family


def changed(thing: Any, texts: bool) -> Iterator[Any]:
    """Words, blocks and messages with one message changed: its text, or one of its parts."""
    if isinstance(thing, tuple):
        for at, part in enumerate(thing):
            yield from ((*thing[:at], other, *thing[at + 1 :]) for other in changed(part, texts))
        return
    if isinstance(thing, Message):
        if texts:
            yield from (replace(thing, text=text, many="") for text in other_texts(thing))
        else:
            for at, part in enumerate(thing.parts):
                for other in other_parts(part):
                    yield replace(thing, parts=(*thing.parts[:at], other, *thing.parts[at + 1 :]))
        yield from (replace(thing, parts=other) for other in changed(thing.parts, texts))
    elif hasattr(thing, "items") and not isinstance(thing, dict):
        yield from (replace(thing, items=other) for other in changed(thing.items, texts))


def falsified(block: Block, texts: bool) -> Iterator[Block]:
    if isinstance(block, (Heading, Prose)):
        yield from (replace(block, words=words) for words in changed(block.words, texts))
    elif isinstance(block, Table):
        yield from (replace(block, header=header) for header in changed(block.header, texts))


def with_block(sight: Sight, at: int, *blocks: Block) -> Sight:
    document: Document = sight.document
    before, after = document.blocks[:at], document.blocks[at + 1 :]
    return replace_in(sight, replace(document, blocks=(*before, *blocks, *after)))


def replace_in(sight: Sight, document: Document) -> Sight:
    given = {each.name: getattr(sight, each.name) for each in fields(Sight)}
    return Sight(**{**given, "document": document})


def is_refused(sight: Sight, at: int) -> bool:
    return any(
        not holds(message, place)
        for message, place in places(sight)
        if place.at == at and not is_of_a_line(place)
    )


def escapes(sight: Sight, texts: bool) -> list[Block]:
    return [
        other
        for at, block in enumerate(sight.document.blocks)
        for other in falsified(block, texts)
        if not is_refused(with_block(sight, at, other), at)
    ]


@pytest.mark.parametrize("name", FEW)
def test_a_sentence_with_another_number_is_refused(name: str) -> None:
    sight = of_gallery(name)
    count = sum(1 for block in sight.document.blocks for _ in falsified(block, texts=False))
    assert count > 15
    assert escapes(sight, texts=False) == []


TRUE_OF_ANY_PAGE = {row.meaning for row in FUNCTIONS if row.meaning}


def of_every(some: Iterator[Block], step: int) -> Iterator[Block]:
    return itertools.islice(some, 0, None, step)


def sentences_lost(sight: Sight, every: int) -> list[str]:
    """What a document says in place of one of its sentences without being refused."""
    found = []
    for at, block in enumerate(sight.document.blocks):
        for other in of_every(falsified(block, texts=True), every):
            new = with_block(sight, at, other)
            if not is_refused(new, at) and not any(True for _ in faults(new)):
                found += sorted({*said(new)} - {*said(sight)}) or [str(block)]
    return found


def test_a_sentence_in_the_place_of_another_is_refused() -> None:
    assert sentences_lost(of_gallery("linear-regression"), 11) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimizer-momentum", "ridge-regression"])
def test_every_sentence_in_the_place_of_every_other_is_refused(name: str) -> None:
    """What must be told is another test's; "We get" may say what "We have" does."""
    new = {text for text in sentences_lost(of_gallery(name), 1) if not text.startswith("Prose(")}
    assert new <= {*TRUE_OF_ANY_PAGE, "We get {}."}


@pytest.mark.parametrize("name", FEW)
def test_a_sentence_that_must_be_told_is_missed(name: str) -> None:
    sight, blocks = of_gallery(name), of_gallery(name).document.blocks
    told = ("We look", "We learn", "We start", "The optimizer", "{} We work", "Every step uses", "The calcul")
    must = [at for at, block in enumerate(blocks) if isinstance(block, Prose) and _begins(block, told)]
    assert len(must) == 5
    must += [at for at, block in enumerate(blocks) if isinstance(block, Table) and block.kind == "data"]
    must += [at for at, block in enumerate(blocks) if isinstance(block, Prose) and _begins(block, ("{}.",))]
    updates = [
        at for at, block in enumerate(blocks) if isinstance(block, Display) and is_update(block.formula)
    ]
    for at in (*must, updates[0]):
        assert list(faults(with_block(sight, at))) != []


def _begins(block: Prose, texts: tuple[str, ...]) -> bool:
    first = block.words[0] if block.words else ""
    return isinstance(first, Message) and first.text.startswith(texts)


# --- a spec that says something else ---------------------------------------------------------------------

OTHERWISE = [
    ("batch_size = 2", "batch_size = 3"),
    ("batch_size = 2", "batch_size = 2\nshuffle = 3"),
    ("batch_size = 2", "batches = [[1, 2], [3, 4]]"),
    ("batch_size = 2", "batch_size = 2\nepochs = 2"),
    ("lr = 0.01", "lr = 0.02"),
    ("lr = 0.01", "lr = 0.01, maximize = true"),
    ("lr = 0.01", "lr = 0.01, momentum = 0.9"),
    ("lr = 0.01", "lr = 0.01, weight_decay = 0.1"),
    ('"SGD"', '"SignSGD"'),
    ("y = [2, 1, 3, 5]", "y = [2, 1, 3]"),
]


@pytest.mark.parametrize(("old", "new"), OTHERWISE)
def test_a_page_of_another_spec_is_refused(old: str, new: str) -> None:
    sight = by_hand('optimizer = { name = "SGD", lr = 0.01 }\nbatch_size = 2')
    assert list(faults(sight)) == []
    assert old in sight.text
    other = sight_of(sight.document, _run_of(sight), sight.symbols, Source(sight.text.replace(old, new)))
    assert any("not so" in fault or "not those" in fault for fault in faults(other))


def _run_of(sight: Sight) -> Any:
    """What `sight_of` reads of a run."""
    return SimpleNamespace(trace=sight.trace, report=sight.report)


def test_batches_are_cut_as_their_definition_says() -> None:
    def cut(training: str, samples: int = 5) -> Any:
        return read_again(f"[training]\n{training}", samples).epochs

    assert cut("batch_size = 2") == (((1, 2), (3, 4), (5,)),)
    assert cut("epochs = 2") == (((1, 2, 3, 4, 5),),) * 2
    assert cut("batches = [[2, 1], [5]]") == (((2, 1), (5,)),)
    keys = random.Random(3)
    drawn = [[keys.random() for _ in range(5)] for _ in range(2)]
    orders = [sorted(range(1, 6), key=lambda k: own[k - 1]) for own in drawn]
    wanted = tuple((tuple(order[:2]), tuple(order[2:4]), tuple(order[4:])) for order in orders)
    assert cut("batch_size = 2\nshuffle = 3\nepochs = 2") == wanted


def test_other_samples_than_those_of_a_batch_are_missed() -> None:
    sight = by_hand('optimizer = { name = "SGD", lr = 0.01 }\nbatch_size = 3')
    steps = tuple(replace(step, samples=(*step.samples[:-1], step.samples[0])) for step in sight.trace.steps)
    given = {each.name: getattr(sight, each.name) for each in fields(Sight)}
    other = Sight(**{**given, "trace": replace(sight.trace, steps=steps)})
    assert "the mini-batches are not those of the spec" in list(faults(other))


def test_the_number_of_a_lone_sample_is_that_of_the_data_set() -> None:
    """A batch of one sample: its number is the only thing that tells which it is."""
    sight = by_hand('optimizer = { name = "SGD", lr = 0.01 }\nbatch_size = 1')
    assert list(faults(sight)) == []
    at, block = next(
        (at, block)
        for at, block in enumerate(sight.document.blocks)
        if isinstance(block, Display) and block.formula.sides[0].expr == Ref("yhat", (number(3),))
    )
    first = block.formula.sides[0]
    sides = (replace(first, expr=Ref("yhat", (number(1),))), *block.formula.sides[1:])
    other = with_block(sight, at, replace(block, formula=Formula(sides)))
    assert any("the number of a sample" in fault for fault in faults(other))


# --- sentences that were false ---------------------------------------------------------------------------

SGD = 'optimizer = {{ name = "SGD", lr = 0.01{} }}'


def test_a_loss_that_is_maximized_is_said_to_be_made_large() -> None:
    up, down = by_hand(SGD.format(", maximize = true")), by_hand(SGD.format(""))
    assert "gradient ascent, without momentum" in said(up)
    assert "{} is maximized: gradients enter with the opposite sign" in said(up)
    assert not any("descent" in text for text in said(up))
    assert "plain gradient descent, without momentum" in said(down)
    for sight in (up, down):
        assert list(faults(sight)) == []


ONE = """
title = "one number"
[model]
equations = "L = w**2 + b**2"
[data]
[parameters]
w = 1
b = 2
[training]
optimizer = { name = "SGD", lr = 0.1, maximize = true }
"""


def test_the_aim_is_the_largest_loss_the_smallest_or_neither() -> None:
    up = of_text(ONE)
    down = of_text(ONE.replace(", maximize = true", ""))
    group = '[[training.groups]]\nparameters = ["b"]\nmaximize = true\n'
    both = of_text(ONE.replace(", maximize = true", "") + group)
    assert "We look for the parameter {1} with the largest" in said(up)
    assert "We look for the parameter {1} with the smallest" in said(down)
    assert "We learn the parameters {} with the loss" in said(both)
    assert "for {}: {}" in said(both)
    for sight in (up, down, both):
        assert list(faults(sight)) == []


def test_groups_with_and_without_momentum_are_said_apart() -> None:
    sight = by_hand(SGD.format("") + '\n[[training.groups]]\nparameters = ["b"]\nmomentum = 0.9\n')
    assert {"for {}: {}", "plain gradient descent, without momentum"} <= {*said(sight)}
    assert "the velocity accumulates the gradients; the learning rate scales it" in said(sight)
    assert list(faults(sight)) == []


CLAUSES = """optimizer = { name = "SGD", lr = 0.1, weight_decay = 0.1 }
clip = { value = 5 }
schedule = { name = "ExponentialLR", gamma = 0.5, every = "epoch" }
[[training.groups]]
parameters = ["b"]
maximize = true
"""


def without_each_clause(message: Message) -> Iterator[Message]:
    """The message with one clause fewer, wherever it stands."""
    for at, part in enumerate(message.parts):
        if isinstance(part, Listed) and len(part.items) > 1 and isinstance(part.items[0], Message):
            for gone in range(len(part.items)):
                rest = replace(part, items=part.items[:gone] + part.items[gone + 1 :])
                yield replace(message, parts=(*message.parts[:at], rest, *message.parts[at + 1 :]))
        inner = part.items if isinstance(part, Listed) else (part,)
        for place, each in enumerate(inner):
            for found in without_each_clause(each) if isinstance(each, Message) else ():
                new: Any = found
                if isinstance(part, Listed):
                    new = replace(part, items=(*part.items[:place], found, *part.items[place + 1 :]))
                yield replace(message, parts=(*message.parts[:at], new, *message.parts[at + 1 :]))


def test_every_clause_about_the_optimizer_must_be_told() -> None:
    sight = by_hand(CLAUSES)
    assert list(faults(sight)) == []
    blocks = sight.document.blocks
    at = next(
        k for k, block in enumerate(blocks) if isinstance(block, Prose) and _begins(block, ("The optimizer",))
    )
    (said, *_) = blocks[at].words
    shorter = list(without_each_clause(said))
    assert len(shorter) >= 6  # clip, schedule, two groups, what is maximized
    for each in shorter:
        new = replace(sight.document, blocks=(*blocks[:at], Prose((each,)), *blocks[at + 1 :]))
        assert list(faults(replace(sight, document=new))) != []


EXPLAINED = [
    ('optimizer = { name = "Adam", lr = 0.1 }', ("The steps are counted by", "{1} is carried over")),
    ('optimizer = { name = "SGD", lr = 0.1, momentum = 0.9 }', ("{1} is carried over",)),
    (
        CLAUSES.partition("[[")[0].replace("weight_decay", "momentum"),
        ("{1} is carried over", "The epochs are"),
    ),
]


@pytest.mark.parametrize(("training", "texts"), EXPLAINED, ids=["Adam", "momentum", "epochs"])
def test_what_the_update_reads_must_be_explained(training: str, texts: tuple[str, ...]) -> None:
    sight = by_hand(training)
    assert list(faults(sight)) == []
    for text in texts:
        blocks = tuple(
            block for block in sight.document.blocks if not (isinstance(block, Prose) and _says(block, text))
        )
        assert len(blocks) < len(sight.document.blocks)
        assert list(faults(replace(sight, document=replace(sight.document, blocks=blocks)))) != []


def _says(block: Prose, text: str) -> bool:
    inside = [part for word in block.words if isinstance(word, Message) for part in (word, *word.parts)]
    inside += [item for word in block.words if isinstance(word, Listed) for item in word.items]
    return any(isinstance(part, Message) and part.text.startswith(text) for part in inside)


WORDS = {
    "": "plain gradient descent, without momentum",
    ", weight_decay = 0.1": "gradient descent with weight decay, without momentum",
    ", momentum = 0.9": "the velocity accumulates the gradients; the learning rate scales it",
    ", momentum = 0.9, dampening = 0.5": "the velocity accumulates the gradients, "
    "all but the first one damped; the learning rate scales it",
    ", momentum = 0.9, nesterov = true": "the velocity accumulates the gradients; "
    "the learning rate scales the gradient plus the momentum times the velocity",
}


@pytest.mark.parametrize("knobs", WORDS)
def test_the_words_for_sgd_are_those_of_its_numbers(knobs: str) -> None:
    sight = by_hand(SGD.format(knobs))
    assert [text for text in said(sight) if text in WORDS.values()] == [WORDS[knobs]]
    assert list(faults(sight)) == []


DEFAULTS = {
    '"RMSprop", lr = 0.1': "epsilon is added after the root",
    '"RMSprop", lr = 0.1, momentum = 0.5': "epsilon is added after the root; "
    "momentum sums up the scaled gradients",
    '"Lion", lr = 0.1': "the sign of a moving average",
    '"AdamW", lr = 0.1, weight_decay = 0': "bias-corrected moments; epsilon is added after the root",
    '"AMSGrad", lr = 0.1, amsgrad = false': "bias-corrected moments; epsilon is added after the root",
    '"NAdam", lr = 0.1, momentum_decay = 0': "Nesterov momentum; its product so far corrects the bias",
}


@pytest.mark.parametrize("optimizer", DEFAULTS)
def test_a_convention_says_nothing_of_what_has_vanished(optimizer: str) -> None:
    sight = by_hand(f"optimizer = {{ name = {optimizer} }}")
    assert DEFAULTS[optimizer] in said(sight)
    assert list(faults(sight)) == []


def test_listed_batches_that_leave_samples_out_are_no_cut() -> None:
    one = by_hand(SGD.format("") + "\nbatches = [[1, 3]]")
    two = by_hand(SGD.format("") + "\nbatches = [[1, 2], [2, 3]]")
    all_of_them = by_hand(SGD.format("") + "\nbatches = [[1, 3], [2, 4]]")
    for sight in (one, two):
        assert "There is {} mini-batch, as listed" in said(sight)
        assert "Mini-batch {}: {}" in said(sight)
        assert "All samples: {}" not in said(sight)
    assert "The samples are cut into {} mini-batches, as listed" in said(all_of_them)
    for sight in (one, two, all_of_them):
        assert list(faults(sight)) == []


def test_small_and_large_numbers_are_said_to_be_printed_otherwise() -> None:
    """1/1024 with two places is 0.000977: three digits, not two places."""
    page = "[page]\ndigits = 2\n"
    small = of_text(ONE.replace("w = 1\nb = 2", "w = 0.03125\nb = 0").replace(", maximize = true", "") + page)
    large = of_text(ONE.replace("w = 1\n", "w = 1234567\n").replace(", maximize = true", "") + page)
    assert "{}, small numbers to {}" in said(small)
    assert "{}, large numbers to {}" in said(large)
    for sight in (small, large):
        assert list(faults(sight)) == []


def test_only_fractions_are_called_exact() -> None:
    exact = (
        "The calculation is exact; only what is printed is rounded, to {}. = means equal, ≈ means rounded."
    )
    root = of_text(ONE.replace("w**2", "exp(w)"))
    assert exact in said(of_text(ONE))
    assert exact not in said(root)
    assert list(faults(root)) == []


@pytest.mark.parametrize(("rate", "count"), [("0.1", 2), ("0", 0)])
def test_a_sign_is_told_where_the_parameter_moves(rate: str, count: int) -> None:
    """With a learning rate of 0 nothing grows, whatever the sign of the gradient."""
    sight = of_text(ONE.replace("lr = 0.1, maximize = true", f"lr = {rate}"))
    assert said(sight).count("{} is positive, so {} decreases") == count
    assert list(faults(sight)) == []


def test_a_value_that_is_already_printed_is_not_repeated() -> None:
    sight = of_text(ONE)
    shown = [block.formula for block in sight.document.blocks if isinstance(block, Display)]
    for formula in shown:
        values = [plain_value(side.expr) for side in formula.sides]
        texts = [
            a
            for a, b, first, second in zip(values, values[1:], formula.sides, formula.sides[1:], strict=False)
            if a is not None and a == b and is_lone(first.expr) and is_lone(second.expr)
        ]
        assert texts == []


def is_lone(expr: Any) -> bool:
    return isinstance(expr, Number) or (isinstance(expr, Neg) and isinstance(expr.argument, Number))


def test_equations_in_another_order_are_not_said_to_build_on_earlier_ones() -> None:
    text = ONE.replace('"L = w**2 + b**2"', "'''\nL = w**2 + c**2\nc = 2*b\n'''\nloss = \"L\"")
    assert any(each.startswith("Each quantity is computed from others") for each in said(of_text(text)))
    assert list(faults(of_text(text))) == []


def test_the_names_and_the_count_of_a_step_are_those_of_the_spec() -> None:
    sight = of_gallery("linear-regression")
    second = sight.trace.steps[1]
    assert "y[4]" in second.labelled
    assert not any("calls" in fault or "counts" in fault for fault in faults(sight))
    layout = replace(second.layout, dims={})
    steps = (sight.trace.steps[0], replace(second, layout=layout), *sight.trace.steps[2:])
    found = list(faults(replace(sight, trace=replace(sight.trace, steps=steps))))
    assert "step 2 calls x[3] 'x[1]'" in found


def test_the_number_of_a_step_is_counted_from_the_start() -> None:
    sight = of_gallery("optimizer-adam")
    slots = sight.trace.steps[0].layout.tape.slots
    memory = list(sight.trace.steps[1].memory)
    memory[slots["t", ()]] = sight.trace.steps[0].memory[slots["t", ()]]
    steps = list(sight.trace.steps)
    steps[1] = replace(steps[1], memory=tuple(memory))
    wrong = replace(sight, trace=replace(sight.trace, steps=tuple(steps)))
    assert "step 2 counts other steps or epochs" in list(faults(wrong))


@pytest.mark.parametrize(
    ("name", "start", "fault"),
    [
        ("linear-regression", "{} is the number of samples", "nothing says what n is"),
        ("newton", "{} is the second derivative", "nothing says what h_w is"),
        ("linear-regression", "{} is in every row the loss", "of which samples the loss is"),
        ("word-embedding", "{} names a part of", "is a part of a formula"),
        ("linear-regression", "kind='derivation'", "dL/dw is not derived"),
        (
            "max-pooling",
            "{} stands more than once",
            "the values that sit on a kink are not those that are told",
        ),
    ],
)
def test_what_a_letter_is_and_a_tie_must_be_told(name: str, start: str, fault: str) -> None:
    sight = of_gallery(name)
    left = [block for block in sight.document.blocks if start not in repr(block)]
    assert len(left) < len(sight.document.blocks)
    found = list(faults(replace(sight, document=replace(sight.document, blocks=tuple(left)))))
    assert any(fault in each for each in found), found


def test_the_distance_in_ulp_is_counted_again() -> None:
    sight = of_gallery("optimizer-adam")
    first = next(check for check in sight.report.checks if check.ulps)
    assert first.ulps
    other = tuple(replace(c, ulps=0) if c is first else c for c in sight.report.checks)
    wrong = replace(sight, report=replace(sight.report, checks=other))
    assert any("not 0" in fault and "ulp" in fault for fault in faults(wrong))


def test_numbers_of_which_only_digits_were_printed_are_said_apart() -> None:
    sight = by_hand('optimizer = { name = "SGD", lr = 0.01 }')
    (verdict,) = [each for each, _ in places(sight) if each.text.startswith("Compared with")]
    (printed,) = [each for each, _ in places(sight) if each.text.startswith("The number that the program")]
    checks = sight.report.checks
    assert printed.count == sum(check.ulps is None for check in checks) == 5  # L, dL/dw, dL/db, w, b
    assert verdict.parts[1] == Digits(str(len(checks) - 5))

    first = next(check for check in checks if check.ulps == 0)
    other = tuple(replace(check, ulps=None) if check is first else check for check in checks)
    wrong = [*faults(replace(sight, report=replace(sight.report, checks=other)))]
    assert any("Compared with" in fault for fault in wrong)
    assert any("The 5 numbers that the program" in fault for fault in wrong), wrong


ADAM = 'optimizer = { name = "Adam", lr = 0.1 }'
NET = """title = "net"
[model]
equations = '''
h[i, j] = tanh(sum(W[j, k]*x[i, k], k))
yhat[i] = sum(V[j]*h[i, j], j)
L = mean((yhat[i] - y[i])**2, i)
'''
[data]
x = [[1, 0]]
y = [1]
[parameters]
W = %s
V = %s
[training]
optimizer = { name = "Adam", lr = 0.1 }
"""


def net(width: int) -> Sight:
    """A net whose step reads nine numbers a unit: three weights, each with two moments."""
    return of_text(NET % ([[0.1, 0.2]] * width, [0.3] * width))


@pytest.mark.parametrize(("width", "opens"), [(8, True), (11, False), (0, False)])
def test_a_step_is_said_to_open_with_what_it_reads_only_where_it_does(width: int, opens: bool) -> None:
    sight = net(width) if width else by_hand(ADAM, 'show = ["problem", "gradient"]')
    assert list(faults(sight)) == []
    (handed,) = [each for each, _ in places(sight) if "carried over" in each.text]
    assert ("every step opens" in handed.text) == opens
    told = [each.text for each, _ in places(sight) if each.text.startswith("We have")]
    assert told == {8: ["We have {}."], 11: ["We have {}, and so on."], 0: []}[width]


def test_an_opening_without_the_last_state_is_no_opening_with_all() -> None:
    sight = net(8)
    at, block = next((k, b) for k, b in enumerate(sight.document.blocks) if "'We have {}.'" in repr(b))
    assert isinstance(block, Prose)
    (said,) = block.words
    assert isinstance(said, Message)
    (told,) = said.parts
    assert isinstance(told, Listed)
    shorter = replace(said, parts=(replace(told, items=told.items[:71]),))
    wrong = [*faults(with_block(sight, at, Prose((shorter,))))]
    assert len(wrong) == 2  # the opening, and the sentence that promises it
