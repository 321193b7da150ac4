"""The spec: what an author writes, as a frozen, validated value.

A spec is untrusted text. It is read by TOML's own parser, validated field by field, and nothing
in it is executed. Decimals mean what is written: ``0.01`` is exactly 1/100.
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from derivations.catalogue import functions, optimizers, schedules
from derivations.language.errors import LanguageError, SpecError, nearest
from derivations.language.parser import RESERVED
from derivations.spec.exact import exact
from derivations.spec.exercise import ExerciseTable
from derivations.spec.locate import locate
from derivations.spec.tables import FOOTER, ModelTable, Name, PageTable, Positive, Strict

MAX_BYTES, MAX_ENTRIES, MAX_STEPS = 1_000_000, 1_000, 20_000
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
T = TypeVar("T", bound=BaseModel)
Nested: TypeAlias = Fraction | tuple["Nested", ...]


def _numbers(value: Any) -> Any:
    value = exact(value)
    if isinstance(value, (Fraction, tuple)):
        shape_of(value)
    elif not isinstance(value, str):
        raise ValueError("expected a number, a list of numbers, or an expression in quotes")
    return value


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of nested tuples; raises ValueError for ragged or empty ones."""
    if isinstance(value, Fraction):
        return ()
    if not isinstance(value, tuple):
        raise ValueError("expected a number, found a text inside a list")
    if not value:
        raise ValueError("expected at least one number, found an empty list")
    shapes = {shape_of(part) for part in value}
    if len(shapes) > 1:
        raise ValueError("expected rows of the same length")
    return (len(value), *shapes.pop())


def flat(value: Any) -> tuple[Fraction, ...]:
    """The entries of nested tuples, last index fastest."""
    return (value,) if isinstance(value, Fraction) else tuple(x for part in value for x in flat(part))


class Csv(Strict):
    """A column of a CSV file that stands beside the spec."""

    csv: Annotated[str, Field(description="File name of a CSV file in the folder of the spec.")]
    column: Annotated[str, Field(description="Heading of the column.")]


def _data(value: Any) -> Any:
    return Csv.model_validate(value) if isinstance(value, dict) else _numbers(value)


def _one_line(value: Any) -> Any:
    return " ".join(CONTROL.sub(" ", value).split()) if isinstance(value, str) else value


def _knob(value: Any) -> Any:
    return value if isinstance(value, bool) else exact(value)


def _sample(value: Any) -> Any:
    if value is None or value is False or (isinstance(value, str) and re.fullmatch("[A-Za-z]", value)):
        return value
    raise ValueError('expected the letter of an index, as in sample = "i", or false')


_SCALAR = {"type": ["number", "string", "boolean", "array"]}
_LIST = {"anyOf": [*({"type": kind} for kind in ("number", "string", "array"))]}
Data = Annotated[
    Any,
    BeforeValidator(_data),
    WithJsonSchema({"anyOf": [*_LIST["anyOf"], Csv.model_json_schema()]}),
]
Start = Annotated[Any, BeforeValidator(_numbers), WithJsonSchema(_LIST)]
Hyper = Annotated[Any, BeforeValidator(_knob), WithJsonSchema(_SCALAR)]


class GroupTable(BaseModel):
    """``[[training.groups]]``: some parameters with hyper-parameters of their own."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Hyper] = Field(init=False)
    parameters: Annotated[list[Name], Field(min_length=1, description="The parameters of the group.")]


class TrainingTable(Strict):
    """``[training]``: optimizer, mini-batches, epochs."""

    optimizer: Annotated[
        dict[str, Hyper] | None,
        Field(description='Name and hyper-parameters, as { name = "SGD", lr = 0.01 }; none: no update.'),
    ] = None
    clip: Annotated[
        dict[str, Hyper], Field(description="Gradient clipping, as { value = 1 } or { norm = 1 }.")
    ] = Field(default_factory=dict)
    schedule: Annotated[
        dict[str, Hyper], Field(description='As { name = "StepLR", step_size = 2, every = "epoch" }.')
    ] = Field(default_factory=dict)
    groups: Annotated[
        tuple[GroupTable, ...], Field(description='Other knobs: parameters = ["b"], lr = 0.1.')
    ] = ()
    start: Annotated[
        dict[str, Start], Field(description="The first t and the states, as { t = 5, v = 0.2, m_w = 0.1 }.")
    ] = Field(default_factory=dict)
    batch_size: Annotated[Positive | None, Field(description="Samples a batch; all if left out.")] = None
    batches: Annotated[
        list[list[Positive]] | None, Field(description="The samples of each batch, counted from 1.")
    ] = None
    shuffle: Annotated[
        int | None, Field(ge=0, description="Seed: the samples are shuffled before every epoch.")
    ] = None
    epochs: Annotated[int, Field(ge=1, le=MAX_STEPS, description="Passes through the data.")] = 1
    sample: Annotated[
        str | bool | None,
        BeforeValidator(_sample),
        WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[A-Za-z]$"}, {"const": False}]}),
        Field(description="The index of the samples, if it is not plain from the model; false: none."),
    ] = None
    carry: Annotated[
        int | None,
        Field(ge=0, le=50, description="Round every intermediate value to this many decimal places."),
    ] = None

    @model_validator(mode="after")
    def _one_way_of_batching(self) -> TrainingTable:
        if self.batches is not None and (self.batch_size is not None or self.shuffle is not None):
            raise ValueError("'batches' lists the samples; leave out 'batch_size' and 'shuffle'")
        return self


class Spec(Strict):
    """A worked example as its author writes it. See the README for a specimen."""

    title: Annotated[
        str,
        StringConstraints(min_length=1, max_length=300),
        BeforeValidator(_one_line),
        Field(description="Heading of the page."),
    ]
    model: ModelTable
    data: Annotated[dict[Name, Data], Field(description="Arrays, expressions or CSV columns.")]
    parameters: Annotated[
        dict[Name, Start],
        Field(default_factory=dict, description="What is learnt, with start values; layers may draw theirs."),
    ]
    training: TrainingTable = TrainingTable()
    page: PageTable = PageTable()
    exercise: Annotated[
        ExerciseTable | None, Field(description="Variants of this example, and what is asked of each.")
    ] = None

    def __repr__(self) -> str:
        return f"Spec({self.title!r})"


Tables: TypeAlias = Mapping[str, Mapping[str, Any]]


class Source:
    """Where a spec was read from: its text, to point into, and its folder, to read beside it.

    ``instead`` are the values that stand in the place of those of the text, by table and key.
    """

    def __init__(
        self,
        text: str,
        file: str = "spec",
        folder: Path | None = None,
        before: int = 0,
        instead: Tables | None = None,
    ) -> None:
        self.text, self.file, self.folder, self.before = text, file, folder, before
        self.instead: Tables = instead or {}

    @property
    def stem(self) -> str:
        """The name of the file without its suffix; ``page`` for a text that comes from no file."""
        return Path(self.file).stem if self.folder is not None else "page"

    def behind(self, before: int) -> Source:
        """The same source, whose equations stand behind those of its layers."""
        return Source(self.text, self.file, self.folder, before, self.instead)

    def with_values(self, instead: Tables, text: str = "") -> Source:
        """The same source with values that stand in the place of those of the text."""
        return Source(text or self.text, self.file, self.folder, self.before, {**self.instead, **instead})

    def error(self, message: str, *path: str | int, hint: str = "", at: int | None = None) -> SpecError:
        """An error at a key of the spec, or ``at`` an offset in the text that stands there."""
        if path == ("model", "equations") and at is not None and self.before:
            path, at = (("model", "layers"), None) if at < self.before else (path, at - self.before)
        line, column = locate(self.text, path, at)
        return SpecError(message, hint=hint, file=self.file, line=line, column=column)

    def misread(self, fault: LanguageError, *path: str | int) -> SpecError:
        """An error of the parser, at its place in the file."""
        return self.error(fault.message, *path, hint=fault.hint, at=fault.at)


def read_spec(path: Path) -> tuple[Spec, Source]:
    """Read a spec file; raises `SpecError` with file, line and column."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"a spec has at most {MAX_BYTES} bytes", file=str(path))
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as fault:
        raise SpecError(f"cannot read this file: {fault.strerror}", file=str(path)) from None
    except UnicodeDecodeError:
        raise SpecError("a spec is a text file in UTF-8", file=str(path)) from None
    except ValueError as fault:
        raise SpecError(f"cannot read this file: {fault}", file=ascii(str(path))) from None
    return parse_spec(text, Source(text, str(path), path.parent))


def parse_spec(text: str, source: Source | None = None) -> tuple[Spec, Source]:
    """Read a spec from text; raises `SpecError` with file, line and column."""
    source = source or Source(text)
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as fault:
        raise broken_toml(fault, source) from None
    try:
        spec = Spec.model_validate(tables)
    except ValidationError as fault:
        raise _explain(fault, tables, source) from None
    return spec, source


def broken_toml(fault: Exception, source: Source) -> SpecError:
    """The error of a text that TOML's parser refused, at its place in the file."""
    place = re.search(r"\(at line (\d+), column (\d+)\)|\(at end of document\)", str(fault))
    message = str(fault).split(" (at ")[0] or "nested too deep"
    line, column = len(source.text.splitlines()), 1
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    return SpecError(f"not valid TOML: {message}", file=source.file, line=line, column=column)


def _explain(fault: ValidationError, tables: dict[str, Any], source: Source) -> SpecError:
    """The first fault that pydantic found, in the author's words."""
    error = min(fault.errors(), key=lambda e: e["type"] != "extra_forbidden")
    path = tuple(part for part in error["loc"] if part != "[key]")
    key, kind = str(path[-1]) if path else "", error["type"]
    if kind == "extra_forbidden":
        own = _home(key, path) or nearest(key, _keys(path), "keys here")
        return source.error(f"unknown key '{key}'", *path, hint=own)
    if kind == "missing":
        return missing(source, *path)
    if "[key]" in error["loc"]:
        hint = "A name starts with a letter and has letters, digits and '_', at most 31."
        return source.error(f"'{key}' cannot be a name", *path, hint=hint)
    message = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
    said = f"{'.'.join(map(str, path))}: {message[0].lower()}{message[1:]}"
    return source.error(said, *path, hint=_fitting(key, error))


def _home(key: str, path: tuple[str | int, ...]) -> str:
    """Where a key belongs that stands in the wrong table."""
    tables = {name: field.annotation for name, field in Spec.model_fields.items()}
    own = [name for name, table in tables.items() if key in getattr(table, "model_fields", {})]
    if key in Spec.model_fields:
        return f"'{key}' stands above the tables." if key == "title" else f"[{key}] is a table of its own."
    if path[:-1] == ("training",) and key in _knobs():
        return f"'{key}' belongs in optimizer = {{ ... }} or in schedule = {{ ... }}."
    return f"'{key}' belongs in [{own[0]}]." if own and own[0] not in path[:-1] else ""


def _knobs() -> set[str]:
    """Every word for a hyper-parameter of an optimizer or of a schedule."""
    rows = [(row.hyper, row.words) for row in optimizers.OPTIMIZERS]
    rows += [(row.hyper, row.words) for row in schedules.SCHEDULES]
    return {name for hyper, words in rows for name in (*hyper, *words)}


def _fitting(key: str, error: Any) -> str:
    """A value that would do where a number is too small, too large or no number."""
    limits = error.get("ctx", {})
    if error["type"].startswith("int_"):
        return f"Write a whole number without quotes, as in {key} = 2."
    edges = (("ge", "or more"), ("le", "or less"))
    return next((f"Write {limits[edge]} {words}." for edge, words in edges if edge in limits), "")


def missing(source: Source, *path: str | int) -> SpecError:
    """The error of a key that is not there, with what to write."""
    where = f" in [{'.'.join(map(str, path[:-1]))}]" if path[:-1] else ""
    return source.error(f"the key '{path[-1]}' is missing{where}", *path[:-1], hint=_specimen(str(path[-1])))


def _keys(path: tuple[str | int, ...]) -> list[str]:
    table: Any = Spec
    for part in path[:-1]:
        field = table.model_fields.get(part) if hasattr(table, "model_fields") else None
        table = field.annotation if field else Csv
    return list(getattr(table, "model_fields", {}))


def _specimen(key: str) -> str:
    return {
        "title": 'Add a line: title = "..."',
        "equations": "Write the model as text, one equation a line, the last one the loss.",
        "optimizer": 'For example: optimizer = { name = "SGD", lr = 0.01 }',
    }.get(key, f"Add a table [{key}]; 'derivations new NAME' writes a whole spec to start from.")


def _meaning(name: str) -> str:
    """What a name means already; empty for one that is free."""
    if name == "t":
        return "the number of the step, which optimizers read"
    if name in functions.NAMES:
        return "a function"
    return "a word of the language" if name in RESERVED else ""


def check_name(name: str, at: int = 0) -> None:
    """Raise LanguageError for a name that means something to the language, to a row or to Python."""
    if meaning := _meaning(name):
        hint = f"Call it '{name}_1' or by another name."
        if name == "t":
            hint = f"{hint} The letter of an index may be t, as in h[t]."
        message = f"'{name}' has a meaning of its own and cannot be a name: it is {meaning}"
        raise LanguageError(message, at=at, hint=hint)
    if name in ("nan", "inf"):
        raise LanguageError(f"'{name}' reads like a number and cannot be a name", at=at)
    if keyword.iskeyword(name):
        shown = "call it 'lam', which is shown as λ" if name == "lambda" else f"call it '{name}_1'"
        raise LanguageError(f"'{name}' is a word of Python and cannot be a name; {shown}", at=at)


# --- A spec with other keys in its ``[page]``: as a directive, a command or a program asks for ---


def _refuse_values(spec: Spec, page: Mapping[str, Any]) -> None:
    """Raise `SpecError` for a value of the run, which a page does not change, naming what does."""
    values = {*spec.data, *spec.parameters, *TrainingTable.model_fields, *_knobs()}
    for key in page:
        if key in values and key not in PageTable.model_fields:
            hint = f"derivations.session(…).with_({key}=…).page() is the page of a run with another value."
            raise SpecError(f"'{key}' is a value of the run and no key of the page", hint=hint)


def with_page(spec: Spec, page: Mapping[str, Any]) -> Spec:
    """The spec with other keys in its ``[page]``; ``show`` replaces ``hide`` and the other way round.

    Raises `SpecError` for a key or a value that ``[page]`` does not have.
    """
    if not page:
        return spec
    given = spec.page.model_dump(exclude_unset=True)
    _refuse_values(spec, page)
    for key, other in (("show", "hide"), ("hide", "show")):
        if key in page and tuple(page[key] or ()) != (FOOTER,):
            given.pop(other, None)
    return spec.model_copy(update={"page": _table(PageTable, "page", {**given, **page})})


def with_exercise(spec: Spec, given: Mapping[str, Any]) -> Spec:
    """The spec with other keys in its ``[exercise]``; raises `SpecError`."""
    own = spec.exercise
    before = {key: getattr(own, key) for key in own.model_fields_set} if own else {}
    return spec.model_copy(update={"exercise": _table(ExerciseTable, "exercise", {**before, **given})})


def _table(table: type[T], name: str, given: Mapping[str, Any]) -> T:
    """A table of a spec from values; raises `SpecError`."""
    try:
        return table.model_validate(given)
    except ValidationError as fault:
        error = fault.errors()[0]
        key = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            hint = nearest(key, table.model_fields, f"keys of [{name}]")
            raise SpecError(f"unknown key '{key}' of the {name}", hint=hint) from None
        said = error["msg"].removeprefix("Value error, ")
        message = f"{name}.{key}: {said[0].lower()}{said[1:]}"
        raise SpecError(message, hint=_fitting(key, error)) from None


# --- A spec with other values: as a session asks for ------------------------------------------------------


def with_training(spec: Spec, training: Mapping[str, Any]) -> Spec:
    """The spec with other keys in its ``[training]``; ``batch_size`` replaces ``batches`` and so on.

    Raises `SpecError` for a key or a value that ``[training]`` does not have.
    """
    before = {key: getattr(spec.training, key) for key in spec.training.model_fields_set}
    if "batches" in training:
        before = {key: value for key, value in before.items() if key not in ("batch_size", "shuffle")}
    elif training.get("batch_size") or training.get("shuffle") is not None:
        before.pop("batches", None)
    found = _table(TrainingTable, "training", {**before, **training})
    return spec.model_copy(update={"training": found})


def with_arrays(
    spec: Spec, data: Mapping[str, Any] | None = None, parameters: Mapping[str, Any] | None = None
) -> Spec:
    """The spec with other data and start values; what is an expression in them is worked anew."""
    given = {"data": data or {}, "parameters": parameters or {}}
    tables = {key: {**getattr(spec, key), **_arrays(values)} for key, values in given.items()}
    return spec.model_copy(update=tables)


def _arrays(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        try:
            found[name] = _numbers(value)
        except ValueError as fault:
            raise SpecError(f"{name}: {fault}") from None
    return found


def plain_values(value: Any, name: str) -> Any:
    """A value of Python's or NumPy's as a spec has it: exact numbers in tuples, or words.

    A float means the shortest decimal that is read as it: 0.02 is 1/50.
    """
    if hasattr(value, "numpy"):  # a tensor
        value = value.detach().numpy()
    if hasattr(value, "dtype"):
        value = value.tolist() if value.dtype.itemsize > 4 else _decimals(value)
    if isinstance(value, Mapping):
        return {key: plain_values(part, name) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return tuple(plain_values(part, name) for part in value)
    if isinstance(value, bool | str | int) or value is None:
        return value
    try:
        return exact(value)
    except ValueError as fault:
        raise SpecError(f"{name}: {fault}") from None


def _decimals(value: Any) -> Any:
    """Short floats of NumPy's as the decimals that it prints for them."""
    if value.ndim:
        return [_decimals(part) for part in value]
    return Decimal(str(value)) if value.dtype.kind == "f" else value.item()
