"""Bad specs: one error of ours at the right place with a hint, soon, and never another exception."""

from __future__ import annotations

import string
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from derivations.language.errors import DerivationsError, SpecError
from derivations.model.example import Example, prepare
from derivations.numbers.systems import precision
from derivations.page import make
from derivations.run.training import certified, train
from derivations.spec.spec import Spec, parse_spec, read_spec
from derivations.witnesses.verify import verify
from tests.strategies import SMOOTH, Model, Quantity, models

GOOD = '''title = "t"

[model]
equations = """
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
"""

[data]
x = [1, 2, 3]
y = [3, 5, 8]

[parameters]
w = 0.5
b = 1

[training]
optimizer = { name = "SGD", lr = 0.01 }
batch_size = 2
epochs = 2
'''
PREDICTION, LOSS, MARK = "w*x[i] + b", "mean((yhat[i] - y[i])**2, i)", "¦"
X, LR, BATCH, EPOCHS = "x = [1, 2, 3]", "lr = 0.01", "batch_size = 2", "epochs = 2"
LARGE = ", ".join(map(str, range(6_000)))

# What is replaced, by what (¦ where the error must point), words of the message, words of the hint.
BAD: list[tuple[str, str, str, str]] = [
    # keys
    ("title", "¦titel", "unknown key 'titel'", "'title'"),
    ("[model]", "¦[modl]", "unknown key 'modl'", "'model'"),
    ("epochs", "¦epoch", "unknown key 'epoch'", "'epochs'"),
    (EPOCHS, "epochs = 2\n[page]\n¦digit = 6", "unknown key 'digit'", "'digits'"),
    (X, 'x = { ¦cvs = "a.csv", column = "x" }', "unknown key 'cvs'", "'csv'"),
    ("[parameters]\nw = 0.5\nb = 1\n", "", "the key 'parameters' is missing", "Add a table [parameters]"),
    ('title = "t"', "¦title = 3", "valid string", ""),
    ('title = "t"', '¦title = ""', "at least 1 character", ""),
    # TOML itself
    ("w = 0.5", "w ¦w = 0.5", "not valid TOML", ""),
    ("w = 0.5", "w = ¦", "not valid TOML", ""),
    # equations
    ("mean(", "¦maen(", "unknown function 'maen'", "'mean'"),
    (PREDICTION, "¦sigmoit(w*x[i])", "unknown function 'sigmoit'", "'sigmoid'"),
    (PREDICTION, "w*x[i] + ¦c", "unknown name 'c'", "b, w, x, y"),
    (PREDICTION, "w*¦xx[i] + b", "unknown name 'xx'", "'x'"),
    (PREDICTION, "w + ¦yhat[i]", "yhat[i] depends on itself", "h[t - 1]"),
    (
        f"yhat[i] = {PREDICTION}\nL = {LOSS}",
        f"L = {LOSS}\n¦yhat[i] = {PREDICTION}",
        "the last equation is the loss and must be one number",
        "loss = ",
    ),
    (f"yhat[i] = {PREDICTION}", f"yhat[i] = {PREDICTION}\n¦yhat[i] = b", "'yhat' is defined twice", ""),
    (PREDICTION, "w*¦x[j] + b", "the index 'j' is neither summed over nor on the left", "sum(..., j)"),
    (PREDICTION, "w*¦x + b", "'x' takes 1 index, found 0", ""),
    (PREDICTION, "¦w[i]*x[i] + b", "'w' takes no index, found 1", ""),
    (PREDICTION, "w*¦x[4] + b", "'x' has entries 1 to 3", ""),
    (PREDICTION, "w*¦x[0] + b", "'x' has entries 1 to 3", ""),
    (PREDICTION, "w*¦x[i*i] + b", "'x' is indexed by something else", "2*t + k - 1"),
    (PREDICTION, "w*¦x[0.5*i] + b", "'x' are counted by whole numbers", ""),
    (f"yhat[i] = {PREDICTION}", f"yhat[i] = {PREDICTION}\n¦h[k] = w", "the index 'k' has no range", "'k'"),
    (PREDICTION, "w x[i] + b".replace(" x", " ¦x"), "expected an operator", "'*'"),
    ("**2", "¦^2", "unexpected character '^'", "a**b"),
    (LOSS, "¦mean((yhat[i] - y[i])**2)", "'mean' names its index", ""),
    (LOSS, "(¦yhat[i] - y[i])**2", "the index 'i' is neither", "mean(..., i)"),
    (f"L = {LOSS}", "¦L[i] = yhat[i]", "the last equation is the loss and must be one number", "sum or mean"),
    (PREDICTION, "w*x[i] + b¦", "", ""),  # replaced below: a bracket that is not closed
    (f'"""\nyhat[i] = {PREDICTION}\nL = {LOSS}\n"""', '""', "there is no equation", "the loss"),
    (f"yhat[i] = {PREDICTION}", f"¦yhat[i] = {PREDICTION} + 9**9**9", "too high", "30"),
    (f"yhat[i] = {PREDICTION}", "¦yhat[i] = (w*x[i])**1000 + b", "too high", "30"),
    (f"yhat[i] = {PREDICTION}", "¦yhat[i] = w*x[i]/0 + b", "division by zero", ""),
    (PREDICTION, "w*x[i] + ¦lr", "unknown name 'lr'", ""),
    # names
    ("w = 0.5", "¦sum = 0.5", "'sum' has a meaning of its own", ""),
    ("w = 0.5", "¦t = 0.5", "'t' has a meaning of its own", "h[t]"),
    ("w = 0.5", "¦exp = 0.5", "'exp' has a meaning of its own", ""),
    # data
    (X, "¦x = [[1, 2], [3]]", "rows of the same length", ""),
    (X, "¦x = []", "found an empty list", ""),
    (X, "x = [1, 2]", "arrays do not fit: 'x' has 2 values along 'i', 'y' has 3", "'x' in line 10, 'y' in"),
    (X, "x = [[1], [2], [3]]", "'x' takes 2 indices, found 1", "write x[i, 1], or end layers"),
    (X, "¦x = [1, inf, 3]", "finite number", ""),
    (X, "¦x = [1, nan, 3]", "finite number", ""),
    (X, "¦x = [1, -inf, 3]", "finite number", ""),
    (X, "¦x = [1e999, 2, 3]", "finite number of at most 400 digits", ""),
    (X, f"¦x = [1{'0' * 500}, 2, 3]", "400 digits", ""),
    (X, "¦x = [1, true, 3]", "found true or false", ""),
    (X, "¦x = true", "found true or false", ""),
    (X, '¦x = [1, "a", 3]', "found a text inside a list", ""),
    (X, "¦x = 2024-01-01", "expected a number, a list of numbers, or an expression", ""),
    (X, '¦x = "9**9**9"', "too large", ""),
    (X, '¦x = "1/(1 - 1)"', "division by zero", ""),
    (X, '¦x = "sqrt(2)"', "irrational", "decimals"),
    (X, 'x = "' + "(" * 60 + MARK + "(" * 40 + '1"', "nested", ""),
    (X, 'x = "1 + ¦q"', "unknown name 'q'", ""),
    (X, f"¦x = [{LARGE}]", "too large to work by hand", "some rows"),
    (X, 'x = { ¦csv = "a.csv", column = "x" }', "cannot name files", ""),
    # parameters
    ("w = 0.5", "w = 0.5\n¦v = 2", "no path from 'v' to the loss 'L'", "[data]"),
    (PREDICTION, "0*x[i] + b", "no path from 'w'", "[data]"),
    ("w = 0.5\nb = 1\n", "", "unknown name 'w'", ""),
    (PREDICTION, "w*x[i] + b*¦x[3]", "x[3] does not exist", ""),
    # training
    ('"SGD"', '"Adan"', "unknown optimizer 'Adan'", "'Adam'"),
    ('name = "SGD", ', "", "the optimizer has no name", "SGD"),
    (", lr = 0.01", "", "SGD needs the hyper-parameter 'lr'", "lr = 0.01"),
    (LR, "¦lrr = 0.01", "no hyper-parameter 'lrr'", "'lr'"),
    (LR, '¦lr = "fast"', "'lr' must be a number", ""),
    (LR, "¦lr = true", "found true or false", ""),
    (BATCH, "¦batch_size = 4", "there are only 3 samples", ""),
    (BATCH, "¦batch_size = 0", "greater than or equal to 1", "Write 1 or more."),
    (BATCH, "¦seed = 3", "unknown key 'seed'", "'seed' belongs in [model]."),
    (BATCH, "¦digits = 3", "unknown key 'digits'", "'digits' belongs in [page]."),
    (BATCH, "¦momentum = 0.9", "unknown key 'momentum'", "'momentum' belongs in optimizer = { ... }"),
    (LR, "lr = 0.01, ¦epochs = 3", "no hyper-parameter 'epochs'", "'epochs' belongs in [training] itself."),
    (BATCH, "¦data = 3", "unknown key 'data'", "[data] is a table of its own."),
    (BATCH, "¦batch_size = 1.5", "valid integer", ""),
    (BATCH, "batches = [¦[1, 4]]", "sample 4 does not exist; there are 3", ""),
    (BATCH, "batches = [[1], ¦[2, 2]]", "different samples", ""),
    (BATCH, "batches = [¦[]]", "one or more", ""),
    (BATCH, "¦batches = []", "there is no batch", ""),
    (EPOCHS, "¦epochs = 0", "greater than or equal to 1", ""),
    (EPOCHS, "¦epochs = 20001", "less than or equal to 20000", ""),
    (EPOCHS, "¦epochs = 20000", "40000 steps; 20000 can be worked", ""),
    (EPOCHS, '¦sample = "j"', "'j' is not an index of the data", "i"),
    # arithmetic, found while working
    (PREDICTION, "w*x[i]/(b - 1)", "step 1: yhat[1]: division by zero", ""),
    (PREDICTION, "log(w*x[i] - 5) + b", "yhat[1]: the logarithm of -9/2", ""),
    (PREDICTION, "exp(exp(1000*w*x[i])) + b", "too large", ""),
    (LR, "lr = 1e300", "the run diverges: 'w'", "smaller learning rate"),
]
ELSEWHERE = {  # what must be pointed at when it is not part of the replaced text: key words of the line
    "arrays do not fit": "y[i])**2",
    "'x' takes 2 indices, found 1": "x[i] + b",
    "no path from 'w'": "w = 0.5",
    "the key 'parameters' is missing": "title",
    "unknown name 'w'": "w*x[i] + b",
    "unknown optimizer 'Adan'": 'name = "Adan"',
    "the optimizer has no name": "optimizer",
    "SGD needs the hyper-parameter 'lr'": "optimizer",
    "there is no equation": "equations",
    "step 1: yhat[1]: division by zero": "yhat[i] =",
    "yhat[1]: the logarithm of -9/2": "yhat[i] =",
    "too large": "yhat[i] =",
    "the run diverges: 'w'": "optimizer",
}
BAD = [row for row in BAD if row[2]]
BAD.append(("(yhat[i] - y[i])**2, i)", "((yhat[i] - y[i])**2¦, i)", "expected ')'", ""))


def faulty(text: str) -> DerivationsError:
    """The error of a spec, which must come within some seconds of computing, also the first in a process."""
    begun = time.process_time()
    with pytest.raises(DerivationsError) as caught:
        make(*parse_spec(text), formats=())
    assert time.process_time() - begun < 5
    return caught.value


def place_of(text: str, mark: str) -> tuple[int, int]:
    before = text[: text.index(mark)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"), BAD, ids=[row[1][:20].replace("\n", " ") for row in BAD]
)
def test_a_bad_spec_says_what_where_and_what_would_work(old: str, new: str, message: str, hint: str) -> None:
    assert old in GOOD
    marked = GOOD.replace(old, new, 1)
    fault = faulty(marked.replace(MARK, ""))
    assert message in fault.message
    assert hint in fault.hint
    mark = MARK if MARK in new else next(place for words, place in ELSEWHERE.items() if words in message)
    assert (fault.line, fault.column) == place_of(marked, mark)
    assert "\n" not in fault.message
    assert str(fault).startswith(f"spec:{fault.line}:{fault.column}: {fault.message}")


def test_the_good_spec_is_good() -> None:
    example = prepare(*parse_spec(GOOD))
    assert [len(batch) for epoch in example.batches for batch in epoch] == [2, 1, 2, 1]


# --- files -----------------------------------------------------------------------------------------

CSV = GOOD.replace(X, 'x = { csv = "FILE", column = "size" }')


def folder_with(path: Path, file: str, content: str = "size,price\n1,3\n2,5\n3,8\n") -> Path:
    (path / "data.csv").write_text(content, encoding="utf-8")
    spec = path / "spec.toml"
    spec.write_text(CSV.replace("FILE", file), encoding="utf-8")
    return spec


def test_a_column_of_a_csv_file_beside_the_spec(tmp_path: Path) -> None:
    example = prepare(
        *read_spec(folder_with(tmp_path, "data.csv", "\ufeffname,size\nanna,1.5\nben,-2e-1\ncleo,3\n"))
    )
    assert [str(entry) for entry in example.data["x"].entries] == ["3/2", "-1/5", "3"]


@pytest.mark.parametrize(
    ("file", "content", "message", "hint"),
    [
        ("../data.csv", "", "no file '../data.csv' beside the spec", "folder of the spec"),
        ("/etc/passwd", "", "no file '/etc/passwd' beside the spec", "folder of the spec"),
        ("inner/data.csv", "", "beside the spec", "folder of the spec"),
        ("link.csv", "", "no file 'link.csv' beside the spec", "folder of the spec"),
        ("missing.csv", "", "no file 'missing.csv' beside the spec", "folder of the spec"),
        ("inner", "", "no file 'inner' beside the spec", "folder of the spec"),
        ("data.csv", "sizes,price\n1,2\n", "no column 'size'", "'sizes'"),
        ("data.csv", "", "no column 'size'", ""),
        ("data.csv", "size\n1\nabc\n3\n", "expected a number in column 'size', found 'abc'", ""),
        ("data.csv", "size\n1\n\n\n", "arrays do not fit", ""),
        ("data.csv", "a,size\n1,2\n3\n", "expected a number in column 'size', found None", ""),
        ("data.csv", "size\n1\nnan\n3\n", "expected a number in column 'size', found 'nan'", ""),
        ("data.csv", "size\n1\n1e999\n3\n", "expected a number in column 'size', found '1e999'", ""),
        ("data.csv", "size\n1\n1e999999999\n3\n", "expected a number in column 'size'", ""),
        ("data.csv", "size\n1\n1/0\n3\n", "expected a number in column 'size', found '1/0'", ""),
        ("data.csv", "size\n" + "1\n" * 6_000, "too large to work by hand", "some rows"),
        ("data.csv", "size\n" + "1" * 1_000_001, "larger than 1 MB", ""),
    ],
)
def test_a_bad_file(tmp_path: Path, file: str, content: str, message: str, hint: str) -> None:
    inside = tmp_path / "specs"
    (inside / "inner").mkdir(parents=True)
    outside = tmp_path / "data.csv"
    outside.write_text("size\n1\n2\n3\n", encoding="utf-8")
    (inside / "inner" / "data.csv").write_text("size\n1\n2\n3\n", encoding="utf-8")
    (inside / "link.csv").symlink_to(outside)
    begun = time.process_time()
    with pytest.raises(SpecError) as caught:
        prepare(*read_spec(folder_with(inside, file, content)))
    assert time.process_time() - begun < 5
    fault = caught.value
    assert message in fault.message
    assert hint in fault.hint
    if "expected a number" in message:
        assert (fault.file, fault.line) == ("data.csv", 3)
    elif "do not fit" not in message:
        assert (fault.file.endswith("spec.toml"), fault.line) == (True, place_of(CSV, "x = {")[0])


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'title = "\x00"', b"a" * 1_000_001], ids=["latin", "null", "large"]
)
def test_a_file_that_is_no_spec(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.toml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_spec(tmp_path / "spec.toml")
    assert caught.value.file.endswith("spec.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(SpecError):
            read_spec(path)


def test_windows_line_ends_and_a_byte_order_mark_change_no_place(tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_bytes(GOOD.replace("w*x[i]", "w*q[i]").replace("\n", "\r\n").encode())
    with pytest.raises(SpecError) as caught:
        prepare(*read_spec(spec))
    assert (caught.value.line, caught.value.column) == place_of(GOOD, "x[i] + b")


# --- whatever is written -----------------------------------------------------------------------------


def whole(text: str) -> Example | None:
    """Prepare a spec, or be refused in words of ours."""
    try:
        return prepare(*parse_spec(text))
    except DerivationsError as refused:
        fault = refused
    assert fault.message
    assert fault.line is None or 1 <= fault.line <= len(text.splitlines()) + 1
    return None


LINES = [
    *GOOD.splitlines(),
    "w = 1",
    "[data]",
    '"""',
    "[page]",
    "x = { a = 1 }",
    "[[data]]",
    "x.y = 1",
    "",
    "[model.x]",
]
LINES += [
    'equations = "L = w"',
    "batches = [[1], [2]]",
    "shuffle = 0",
    "carry = 2",
    "epochs = -1",
    "x = 1e400",
]


@settings(max_examples=150)
@given(st.text(max_size=200) | st.text(alphabet=string.printable, max_size=200))
def test_any_text_as_a_spec(text: str) -> None:
    whole(text)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(LINES), max_size=25).map("\n".join))
def test_any_lines_as_a_spec(text: str) -> None:
    whole(text)


@settings(max_examples=150)
@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(alphabet=string.printable + "é²→", max_size=8))
def test_a_good_spec_with_something_cut_out_or_put_in(at: int, cut: int, put: str) -> None:
    whole(GOOD[:at] + put + GOOD[at + cut :])


WORDS = [
    "w",
    "b",
    "x[i]",
    "y[i]",
    "x[1]",
    "yhat[i]",
    "i",
    "+",
    "-",
    "*",
    "/",
    "**",
    "(",
    ")",
    "2",
    "0.5",
    "0",
    "^",
]
WORDS += [
    "sum(",
    "mean(",
    ", i)",
    ", k)",
    "exp(",
    "relu(",
    "abs(",
    "count(i)",
    "\n",
    "L = ",
    "z[i] = ",
    "x[k]",
    "[",
    "]",
]


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_words_as_equations(words: str) -> None:
    for equations in (
        f"yhat[i] = {words}\nL = {LOSS}",
        f"yhat[i] = {PREDICTION}\nL = {LOSS} + {words}",
        words,
    ):
        assume('"""' not in equations)
        example = whole(GOOD.replace(f"yhat[i] = {PREDICTION}\nL = {LOSS}", equations))
        if example is None:
            continue
        try:
            certified(lambda bits, example=example: train(example, bits))
        except DerivationsError:
            continue


def made_whole(model: Model) -> Model:
    """Every letter gets a range, and every entry of every parameter a path to the loss."""
    own = [Quantity(f"u{at}", (at,), (Fraction(1, 2),) * size) for at, size in model.sizes.items()]
    parameters = (*model.parameters, *own)
    before, terms = [], []
    for name, dims in [(array.name, array.dims) for array in (*model.data, *parameters)]:
        entry = f"{name}[{', '.join(dims)}]" if dims else name
        if len(dims) == 2:  # a sum over two letters inside a larger formula is refused, see below
            before.append(f"s{name}[{dims[0]}] = sum({entry}**2, {dims[1]})")
            entry = f"s{name}[{dims[0]}]"
        terms.append(f"mean({entry}**2, {dims[0]})" if dims else f"{entry}**2")
    equations = "\n".join([*before, f"s = {' + '.join(terms)}", f"{model.equations} + s/9"])
    return Model(equations, model.data, parameters, model.sizes)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(models(("relu", "max", "leaky_relu", *SMOOTH, "sign", "step", "exp"), whole=True))
def test_random_models_are_worked_and_verified(model: Model) -> None:
    """The whole way, from the text of a spec to every witness."""
    text = made_whole(model).spec()
    try:
        example = prepare(*parse_spec(text))
    except SpecError as fault:
        assume("neither summed over" not in fault.message)  # the fault below
        assume("powers" not in fault.message)
        raise
    trace = certified(lambda bits: train(example, bits))
    report = verify(trace)
    with precision(trace.bits):
        assert not report.failures, str(report.failures[0])
    assert report.checks


# --- faults that are known --------------------------------------------------------------------------
# Each is strict: whoever mends one sees the test fail and moves the row to where it belongs.

MODEL = f"yhat[i] = {PREDICTION}\nL = {LOSS}"
WORKED = [
    f"yhat[i] = {PREDICTION}\nL = {LOSS} + sum(x[i]*x[j]*w, i, j)",
    f"yhat[i] = count(i)*{PREDICTION}\nL = {LOSS}",
    f"yhat[i] = {PREDICTION}*i\nL = {LOSS}",
    f"yhat[i] = w + b\nL = {LOSS}",
]
WORKS = [  # models that are right and must be worked, and why they are not
    (f"yhat[i] = {PREDICTION}*x[3]\nL = {LOSS}", "a single sample is cut away in the written-out loss"),
    (
        f"yhat[i] = exp(b*log(x[i])) + w\nh[i] = x[i]**b\nL = {LOSS} + mean(h[i], i)",
        "a power with a parameter above",
    ),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "equations",
    [*WORKED, *(pytest.param(row[0], marks=pytest.mark.xfail(strict=True, reason=row[1])) for row in WORKS)],
)
def test_a_right_model_is_worked(equations: str) -> None:
    make(*parse_spec(GOOD.replace(MODEL, equations).replace(BATCH + "\n", "")), formats=())


REFUSED = [  # old, new (¦ where the error must point), why it is not yet so
    ("w*x[i] + b", "¦step(w*x[i]) + b", "a gradient that is 0 everywhere: a LanguageError without a place"),
    (BATCH, "¦batch_size = true", "true counts as 1"),
    (EPOCHS, "¦epochs = true", "true counts as 1"),
    (X, '¦x = "1/(1 - 1)" # x', "the message names 'result', which is ours"),
]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [pytest.param(*row, marks=pytest.mark.xfail(strict=True, reason=row[2])) for row in REFUSED],
)
def test_a_wrong_spec_is_refused_in_its_place(old: str, new: str, why: str) -> None:
    marked = GOOD.replace(old, new, 1).replace(PREDICTION, PREDICTION if "x = 0.5" not in new else "x[i] + b")
    fault = faulty(marked.replace(MARK, ""))
    assert (fault.line, fault.column) == place_of(marked, MARK)
    assert "result" not in fault.message


def test_samples_along_two_axes_of_one_array() -> None:
    text = GOOD.replace(X, f"{X}\nX = [[1, 0, 0], [0, 10, 0], [0, 0, 100]]").replace(
        LOSS, "mean(X[i, i]*yhat[i]*y[i], i)"
    )
    try:
        trace = train(prepare(*parse_spec(text)))
    except SpecError:
        return  # to refuse it is as good
    # step 2 is sample 3 alone: yhat[3] = 3 w + b
    step = trace.steps[1]
    assert step.at("L") == 100 * step.at("yhat", (1,)) * 8


def test_an_entry_of_a_parameter_that_the_loss_does_not_use() -> None:
    text = GOOD.replace("w = 0.5", "w = [0.5, 1]").replace("w*x", "w[1]*x")
    try:
        make(*parse_spec(text), formats=())
    except SpecError:
        return


def test_a_spec_is_frozen() -> None:
    spec: Any = parse_spec(GOOD)[0]
    assert isinstance(spec, Spec)
    with pytest.raises(ValueError, match="frozen"):
        spec.title = "other"
