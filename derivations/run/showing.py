"""Steps and runs as tables that a notebook shows: every quantity by the name that it has in the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from derivations.numbers.digits import Rounding
from derivations.numbers.systems import Value

SHOWN, MOST = Rounding(significant=8), 50
Rows = list[tuple[str, ...]]


def step_rows(values: Mapping[str, Value]) -> Rows:
    """Quantity and value; ``≈`` before what was rounded to eight digits."""
    return [("quantity", "value"), *((name, _number(value)) for name, value in values.items())]


def run_rows(names: Sequence[str], steps: Sequence[tuple[tuple[int, ...], Mapping[str, Value]]]) -> Rows:
    """A row a step, the first ones of very many: its samples and the values of some quantities."""
    return [("step", "samples", *names), *_steps(names, steps[:MOST])]


def _steps(
    names: Sequence[str], steps: Sequence[tuple[tuple[int, ...], Mapping[str, Value]]]
) -> Iterator[tuple[str, ...]]:
    for number, (samples, values) in enumerate(steps, 1):
        yield str(number), ", ".join(map(str, samples)), *(_number(values[name]) for name in names)


def _number(value: Value) -> str:
    printed = SHOWN(value)
    return printed.text if printed.exact else f"≈ {printed.text}"


def html_table(rows: Rows) -> str:
    """The rows as HTML; the first are headings."""
    head, *body = ([escape(cell) for cell in row] for row in rows)
    lines = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in body]
    headings = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    return f"<table><thead><tr>{headings}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def markdown_table(rows: Rows) -> str:
    """The rows as Markdown."""
    head, *body = (" | ".join(f"`{cell}`" if cell else "" for cell in row) for row in rows)
    return "\n".join(f"| {row} |" for row in (head, " | ".join(["---"] * len(rows[0])), *body))


def frame(rows: Sequence[Mapping[str, Any]], exact: bool) -> Any:
    """Rows as a data frame of pandas, a step a row; raises ImportError where there is no pandas."""
    try:
        import pandas
    except ImportError:
        hint = "install it with 'pip install pandas', or take the dictionaries of rows()"
        raise ImportError(f"a data frame needs pandas: {hint}") from None
    return pandas.DataFrame(list(rows), dtype=object if exact else None).set_index("step")
