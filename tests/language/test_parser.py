"""The language: text to tree and back, precedence, exact numbers, and errors that point."""

from __future__ import annotations

import string
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from derivations.catalogue import functions
from derivations.language.errors import DerivationsError, LanguageError
from derivations.language.parser import Assignment, parse, parse_program
from derivations.language.tree import (
    Add,
    Call,
    Count,
    Div,
    Expr,
    Mean,
    Mul,
    Neg,
    Number,
    Pow,
    Ref,
    Sum,
)
from derivations.notation.text import text
from tests.plain import FRACTIONS, value
from tests.strategies import formulas, small_numbers, trees

a, b, c, i = Ref("a"), Ref("b"), Ref("c"), Ref("i")


def num(shown: str) -> Number:
    return Number(Fraction(shown), shown)


# --- text and tree -------------------------------------------------------------------------------


@settings(max_examples=300)
@given(trees())
def test_the_printed_text_of_a_tree_is_read_back_as_the_same_tree(tree: Expr) -> None:
    shown = text(tree)
    again = parse(shown, functions.NAMES)
    assert again == tree
    assert text(again) == shown


@given(trees())
def test_spaces_and_brackets_around_a_text_mean_nothing(tree: Expr) -> None:
    spaced = text(tree).replace("(", " ( ").replace(",", "\t,\n")
    assert parse(f"( {spaced} )", functions.NAMES) == tree


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ("a + b - c", Add((a, b, Neg(c)))),
        ("a - (b - c)", Add((a, Neg(Add((b, Neg(c))))))),
        ("(a + b) + c", Add((Add((a, b)), c))),
        ("a*b*c", Mul((a, b, c))),
        ("(a*b)*c", Mul((Mul((a, b)), c))),
        ("a*(b*c)", Mul((a, Mul((b, c))))),
        ("a/b/c", Div(Div(a, b), c)),
        ("a/b*c", Mul((Div(a, b), c))),
        ("a*b/c", Div(Mul((a, b)), c)),
        ("-a*b", Neg(Mul((a, b)))),
        ("(-a)*b", Mul((Neg(a), b))),
        ("a*-b", Mul((a, Neg(b)))),
        ("a + -b", Add((a, Neg(b)))),
        ("--a", Neg(Neg(a))),
        ("-a**2", Neg(Pow(a, num("2")))),
        ("(-a)**2", Pow(Neg(a), num("2"))),
        ("a**b**c", Pow(a, Pow(b, c))),
        ("(a**b)**c", Pow(Pow(a, b), c)),
        ("a**-b", Pow(a, Neg(b))),
        ("a**-b**c", Pow(a, Neg(Pow(b, c)))),
        ("2/3", Div(num("2"), num("3"))),
        ("a[i, 2]", Ref("a", (i, num("2")))),
        ("a[i + 1]", Ref("a", (Add((i, num("1"))),))),
        ("theta'", Ref("theta'")),
        ("exp(a)*b", Mul((Call("exp", (a,)), b))),
        ("exp", Ref("exp")),
        ("2*pi", Mul((num("2"), Call("pi", ())))),
        ("max(a, b)", Call("max", (a, b))),
        ("leaky_relu(a)", Call("leaky_relu", (a, num("0.01")))),
        ("hardtanh(a, -2)", Call("hardtanh", (a, Neg(num("2")), num("1")))),
        ("softmax(a, i)", Div(Call("exp", (a,)), Sum(Call("exp", (a,)), "i"))),
        ("log_softmax(a, i)", Add((a, Neg(Call("log", (Sum(Call("exp", (a,)), "i"),)))))),
        ("logsumexp(a, i)", Call("log", (Sum(Call("exp", (a,)), "i"),))),
        ("sum(a, i)", Sum(a, "i")),
        ("mean(a*b, i)", Mean(Mul((a, b)), "i")),
        ("sum(a, i, j)", Sum(Sum(a, "j"), "i")),
        ("1/count(i)", Div(num("1"), Count("i"))),
        ("a # the rest is a comment", a),
    ],
)
def test_trees_by_hand(written: str, tree: Expr) -> None:
    assert parse(written, functions.NAMES) == tree


@pytest.mark.parametrize("row", functions.FUNCTIONS, ids=lambda row: row.name)
def test_every_row_is_called_with_its_arguments(row: functions.Function) -> None:
    """As many as the row has, fewer where it has defaults, never one more."""
    given = [*row.arguments, *(["i"] if row.over else [])]
    least = len(given) - len(row.defaults)
    for count in range(1, len(given) + 2):
        written = f"{row.name}({', '.join([*given, 'b'][:count])})"
        if least <= count <= len(given):
            parse(written, functions.NAMES)
        else:
            with pytest.raises(LanguageError, match="takes"):
                parse(written, functions.NAMES)


def test_lines_of_a_program() -> None:
    with pytest.raises(LanguageError):  # a line ends where its text ends …
        parse_program("yhat[i] = a +\n    b")
    lines = parse_program("yhat[i] = (a +\n  b)  # … but not inside brackets\n\nL = c\n")
    assert lines == [Assignment(Ref("yhat", (i,)), Add((a, b))), Assignment(Ref("L"), c)]


# --- precedence and numbers ------------------------------------------------------------------------


def evaluated(tree: Expr, known: dict[str, Fraction]) -> Fraction:
    match tree:
        case Number(number, _):
            return number
        case Ref(name):
            return known[name]
        case Neg(inner):
            return -evaluated(inner, known)
        case Add(parts):
            return sum((evaluated(part, known) for part in parts), Fraction(0))
        case Mul(parts):
            product = Fraction(1)
            for part in parts:
                product *= evaluated(part, known)
            return product
        case Div(top, bottom):
            return evaluated(top, known) / evaluated(bottom, known)
        case Pow(base, exponent):
            power = evaluated(exponent, known)
            assert power.denominator == 1
            return evaluated(base, known) ** int(power)
    raise AssertionError(tree)


@pytest.mark.slow
@settings(max_examples=300)
@given(formulas(), st.tuples(small_numbers(), small_numbers(), small_numbers()))
@example("-a**2 - -b*c/-a**-1", (Fraction(2), Fraction(3), Fraction(5)))
@example("a/b*c/a - b - c - -a", (Fraction(2), Fraction(3), Fraction(5)))
def test_precedence_is_that_of_python(written: str, numbers: tuple[Fraction, ...]) -> None:
    known = dict(zip("abc", numbers, strict=True))
    try:
        theirs = value(written, {(name, ()): number for name, number in known.items()}, FRACTIONS)
    except ZeroDivisionError:
        assume(False)
    assert evaluated(parse(written), known) == theirs


@given(
    st.from_regex(
        r"((0|[1-9]\d{0,8})(\.\d{0,9})?|\.\d{1,9})([eE][+-]?\d{1,2})?",
        fullmatch=True,
        alphabet=string.printable,
    )
)
def test_a_decimal_is_exactly_what_it_says(written: str) -> None:
    mantissa, _, exponent = written.lower().partition("e")
    whole, _, places = mantissa.partition(".")
    by_hand = Fraction(int(whole + places), 10 ** len(places)) * Fraction(10) ** int(exponent or 0)
    assert parse(written) == Number(by_hand)


def test_a_tenth_is_not_the_float_next_to_it() -> None:
    assert parse("0.1") == Number(Fraction(1, 10)) != Number(Fraction(0.1))


# --- errors --------------------------------------------------------------------------------------

DEEP = 61
BAD = [
    # text, offset, what the message says, what the hint says
    ("a^2", 1, "unexpected character '^'", "a**b"),
    ("a · b", 2, "unexpected character '·'", "a*b"),
    ("{a}", 0, "unexpected character '{'", "round brackets"),
    ("a;b", 1, "unexpected character ';'", "operators"),
    ("a = 1", 2, "expected an operator", ""),
    ("2 x", 2, "expected an operator", "'*', as in 2*x"),
    ("2x", 1, "expected an operator", "'*', as in 2*x"),
    ("a 3", 2, "expected an operator", "'*', as in 2*x"),
    ("(a + b", 6, "expected ')' to close the bracket, found the end", ""),
    ("x[i", 3, "expected ']' after the indices, found the end", ""),
    ("exp(a", 5, "expected ')' after the arguments, found the end", ""),
    ("a + b)", 5, "expected an operator", ""),
    ("a +", 3, "expected a number, a name or '('", ""),
    ("a + * b", 4, "found '*'", ""),
    ("", 0, "found the end of the text", ""),
    ("x[]", 2, "found ']'", ""),
    ("exp()", 4, "found ')'", ""),
    ("sigmoit(a)", 0, "unknown function 'sigmoit'", "'sigmoid'"),
    ("1 + maen(a, i)", 4, "unknown function 'maen'", "'mean'"),
    ("relo(a)", 0, "unknown function 'relo'", "'relu'"),
    ("max(a)", 0, "'max' takes 2 arguments, found 1", "Write max(x, y)."),
    ("exp(a, b)", 0, "'exp' takes one argument, found 2", ""),
    ("leaky_relu(a, 1, 2)", 0, "'leaky_relu' takes 1 to 2 arguments, found 3", "leaky_relu(x, a)"),
    ("b*softmax(a)", 2, "'softmax' takes 2 arguments, found 1", "softmax(x, k)"),
    ("softmax(a, 2)", 0, "'softmax' names its index", ""),
    ("softmax(a, x[i])", 0, "'softmax' names its index", ""),
    ("qqqq(a)", 0, "unknown function 'qqqq'", "Known functions: "),
    ("sum(a)", 0, "'sum' names its index: sum(body, i)", ""),
    ("mean(a, i + 1)", 0, "mean(body, i)", ""),
    ("sum(a, 3)", 0, "sum(body, i)", ""),
    ("b*count(a, i)", 2, "count(i)", ""),
    ("count(2)", 0, "count(i)", ""),
    ("(" * DEEP + "a" + ")" * DEEP, DEEP - 1, "nested more than 60 deep", ""),
    ("-" * 100 + "a", None, "nested more than 60 deep", ""),
    ("a**" * 100 + "a", None, "nested more than 60 deep", ""),
    ("a*" + "-" * 100 + "a", None, "nested more than 60 deep", ""),
    ("1 + " + "9" * 401, 4, "more than 400 digits", ""),
    ("1e401", 0, "more than 400 digits", ""),
    ("1e-999999999999", 0, "more than 400 digits", ""),
    ("a" * 20_001, 0, "20000 are allowed", ""),
]


@pytest.mark.parametrize(
    ("written", "at", "message", "hint"), BAD, ids=[row[0][:12] or "empty" for row in BAD]
)
def test_errors_say_what_where_and_what_would_work(
    written: str, at: int | None, message: str, hint: str
) -> None:
    with pytest.raises(LanguageError) as caught:
        parse(written, functions.NAMES)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.at == at or (at is None and caught.value.at is not None)


@pytest.mark.parametrize(
    ("source", "at", "message"),
    [
        ("1 = a", 0, "an equation starts with a name"),
        ("a + b", 2, "expected '=' after 'a'"),
        ("L = ", 4, "found the end of the text"),
        ("L = a\nb c", 8, "expected '=' after 'b'"),
        ("L = a b", 6, "expected an operator"),
        ("exp(a) = b", 0, "an equation starts with a name"),
        ("L = a\n2 = b", 6, "an equation starts with a name"),
    ],
)
def test_errors_in_programs(source: str, at: int, message: str) -> None:
    with pytest.raises(LanguageError) as caught:
        parse_program(source, functions.NAMES)
    assert (caught.value.at, message in caught.value.message) == (at, True)


WORDS = [
    "a",
    "b'",
    "x[i]",
    "1",
    ".5",
    "1e3",
    "+",
    "-",
    "*",
    "/",
    "**",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "\n",
    " ",
]
WORDS += ["sum(", "mean(", "count(", "exp(", ", i)", "#", "^", "é", "\t", "2.", "e"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map("".join) | st.text(max_size=30))
def test_any_text_is_read_or_refused_in_our_own_words(written: str) -> None:
    for read in (parse, parse_program):
        places = [0]
        try:
            read(written, functions.NAMES)
        except DerivationsError as fault:
            places = [fault.at]
        assert all(at is not None and 0 <= at <= len(written) for at in places)
