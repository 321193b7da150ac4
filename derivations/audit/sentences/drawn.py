"""What stands above a figure, and what tables say of their columns: graph, derivation, matrix forms."""

from __future__ import annotations

from derivations.audit.sentences.place import Place, Predicate, expr, reach
from derivations.document.blocks import Figure, Heading, Message, Table
from derivations.figures.drawing import Label
from derivations.language.matrix import NORM, OVER, TIMES
from derivations.language.tree import Call, Ref, refs, walk
from derivations.notation.chain import Formula


def _figure(place: Place) -> Figure | None:
    return place.next if isinstance(place.next, Figure) else None


def above(name: str) -> Predicate:
    """The figure of that name follows."""

    def asked(said: Message, place: Place) -> bool:
        figure = _figure(place)
        return figure is not None and figure.name == name

    return asked


def losses(parts: bool, line: bool) -> Predicate:
    """The chart of losses follows: of steps of all samples or of a part, with the loss of all or without."""

    def asked(said: Message, place: Place) -> bool:
        figure = _figure(place)
        if figure is None or figure.name != "loss":
            return False
        several = any(len(epoch) > 1 for epoch in place.sight.again.epochs)
        drawn = bool(figure.drawing.of_kind("curve"))
        return several == parts and (not parts or drawn == line)

    return asked


def path(of_samples: bool) -> Predicate:
    """The path on the loss follows, which is that of all samples where there are samples."""

    def asked(said: Message, place: Place) -> bool:
        figure, samples = _figure(place), place.sight.again.samples
        return figure is not None and figure.name == "path" and of_samples == (samples > 0)

    return asked


def marked(mark: str) -> Predicate:
    """Some label of the figure has the mark that is explained."""

    def asked(said: Message, place: Place) -> bool:
        figure = _figure(place)
        labels = figure.drawing.shapes if figure is not None else ()
        texts = [word for each in labels if isinstance(each, Label) for word in each.said]
        return any(isinstance(word, str) and mark in word for word in texts)

    return asked


# --- tables of formulas ----------------------------------------------------------------------------------


def graph(in_order: bool) -> Predicate:
    """The rows of the table below are the equations; each reads what stands above it, or some do not."""

    def asked(said: Message, place: Place) -> bool:
        table = _table(place, "quantities")
        targets = [eq.target for eq in place.sight.example.forward]
        nodes = [expr(row[0][0]) for row in table.rows] if table is not None else []
        return table is not None and nodes == targets and _is_in_order(table, place) == in_order

    return asked


def _is_in_order(table: Table, place: Place) -> bool:
    """Whether each row reads data, parameters, rows above, or a recurrence with which it goes round."""
    example = place.sight.example
    known = {*example.data, *example.start}
    for row in table.rows:
        node = expr(row[0][0])
        if not isinstance(node, Ref):
            return False
        inner = row[2][0]
        read = [ref for part in getattr(inner, "items", ()) for ref in refs(part.sides[0].expr)]
        ahead = {ref.name for ref in read} & {*example.forward.targets} - known - {node.name}
        if not all(_comes_back(place, name, node.name) for name in ahead):
            return False
        known.add(node.name)
    return True


def _comes_back(place: Place, name: str, node: str) -> bool:
    """Whether what is written below depends on the node: they are recurrences that read each other."""
    return node in reach(place.sight.example, name)


def _table(place: Place, kind: str) -> Table | None:
    return next((each for each in place.section() if isinstance(each, Table) and each.kind == kind), None)


def derivation(said: Message, place: Place) -> bool:
    """Every line of the derivation that follows has its number and a rule."""
    table = _table(place, "derivation")
    if table is None:
        return False
    numbers = [row[0] for row in table.rows]
    return numbers == [(f"({k})",) for k in range(1, len(numbers) + 1)] and all(row[2] for row in table.rows)


def entrywise(operator: str) -> Predicate:
    """Some matrix form below has the operator."""

    def asked(said: Message, place: Place) -> bool:
        table = _table(place, "matrix")
        rows = table.rows if table is not None else ()
        forms = [word for row in rows for word in row[1] if isinstance(word, Formula)]
        nodes = [node for form in forms for side in form.sides for node in walk(side.expr)]
        return any(isinstance(node, Call) and node.function == operator for node in nodes)

    return asked


def lying(vectors: str) -> Predicate:
    """How the spec wants samples to lie, before a table of matrix forms."""

    def asked(said: Message, place: Place) -> bool:
        return place.sight.example.spec.page.notation.vectors == vectors and bool(_table(place, "matrix"))

    return asked


def column(*headings: tuple[str, int]) -> Predicate:
    """The heading of a column of some kinds of tables, counted from 0, or from the last one backwards."""

    def asked(said: Message, place: Place) -> bool:
        table, cell = place.block, place.cell
        if not isinstance(table, Table) or cell is None or cell[0] != -1:
            return False
        width = len(table.header)
        return any(table.kind == kind and cell[1] == at % width for kind, at in headings)

    return asked


def of_sums(said: Message, place: Place) -> bool:
    """The label of the last row of a table that has sums."""
    table = place.block
    return isinstance(table, Table) and table.total and place.cell == (len(table.rows) - 1, 0)


def part_opens(part: str) -> Predicate:
    """The heading of the part of the page that it opens."""
    return lambda said, place: place.part == part and isinstance(place.block, Heading)


COLUMNS: dict[str, Predicate] = {
    "node": column(("quantities", 0)),
    "operation": column(("quantities", 1)),
    "inputs": column(("quantities", 2)),
    "local slopes": column(("quantities", 3)),
    "line": column(("derivation", 0)),
    "rule": column(("derivation", 2)),
    "index form": column(("matrix", 0)),
    "matrix form": column(("matrix", 1)),
    "step": column(("summary", 0), ("checks", 0)),
    "quantity": column(("checks", 1)),
    "distance in ulp": column(("checks", -1)),
    "sum": of_sums,
}
HEADS: dict[str, Predicate] = {
    "The problem": part_opens("problem"),
    "The quantities": part_opens("quantities"),
    "The gradient": part_opens("gradient"),
    "In matrix form": part_opens("matrix"),
    "Summary": part_opens("summary"),
    "The same in PyTorch": part_opens("program"),
    "Checks": part_opens("checks"),
}
LEADS: dict[str, Predicate] = {
    "The data and the prediction, at the start and after the steps:": above("fit"),
    "The loss by step:": losses(False, True),
    "The loss by step; each dot is that of the step's own mini-batch:": losses(True, False),
    "The loss by step: each dot is the loss of the step's own mini-batch, with the parameters before the "
    "step; the line is the loss of all samples, at the start and after each step:": losses(True, True),
    "The network with the weights of the first step and the values of its first sample:": above("network"),
    "The path of the parameters on the loss:": path(False),
    "The path of the parameters on the loss of all samples:": path(True),
    "An arrow goes from each quantity to those that read it.": above("graph"),
    "The step in the computation graph. In the nodes stand the values. On an arrow stands what comes back "
    "along it from the loss: what it adds to the derivative of the loss with respect to the quantity where "
    "it starts.": above("values"),
}
PREDICATES: dict[str, Predicate] = {
    **COLUMNS,
    **HEADS,
    **LEADS,
    "Where several arrows start, the derivative is their sum, Σ in the node.": marked("Σ"),
    "(…) stands for entries that are not listed.": marked("(…)"),
    "Each quantity is computed from earlier ones; "
    "the local slope is its derivative with respect to an input.": graph(True),
    "Each quantity is computed from others; "
    "the local slope is its derivative with respect to an input.": graph(False),
    "Every line says which rule it uses; numbers in brackets are lines above.": derivation,
    "{} multiplies entry by entry.": entrywise(TIMES),
    "{} divides entry by entry.": entrywise(OVER),
    "Double bars are the root of the sum of all squared entries.": entrywise(NORM),
    "The first index counts rows, vectors are columns, a function acts on every entry, and a number is added "
    "to every entry.": lying("row"),
    "Every sample is a column; in other arrays the first index counts rows, and vectors are columns. "
    "A function acts on every entry, and a number is added to every entry.": lying("column"),
}
