"""Layers put one behind the other: their names, their parameters and their equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from derivations.catalogue.layer import Layer
from derivations.language.errors import LanguageError, nearest
from derivations.language.program import Equation, Program
from derivations.language.ranges import affine, extremes, moving_letters
from derivations.language.tree import Expr, Number, Ref, refs, transform, walk
from derivations.model.layers.letters import Letters
from derivations.model.layers.placed import Placed
from derivations.model.layers.sizes import Shape, fitted
from derivations.model.layers.template import REST, Names, Template, filled, put_in, template
from derivations.model.layers.text import Written, read_layer
from derivations.notation.text import text


@dataclass(frozen=True)
class Wanted:
    """A parameter that a layer reads: its shape, its start value if it has one of its own."""

    shape: Shape
    start: str
    frozen: bool
    layer: str


@dataclass
class Chain:
    """The layers so far: their equations, what they compute and read, and the letters of all indices."""

    shapes: dict[str, Shape]
    letters: Letters
    arrays: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list)
    parameters: dict[str, Wanted] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    named: dict[str | int, Placed] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)
    number: int = 0

    def add(self, written: Written, before: str, output: str) -> str:
        """Put a layer behind the quantity ``before``; the name of what it computes."""
        given = written.options.get("input", before)
        if output and written.name and written.name != output:
            message = f"the last layer is called '{written.name}', and the output is '{output}'"
            raise LanguageError(message, at=0, hint="Leave one of the two names out.")
        found = self.place(written, given, written.name or output)
        self.placed.append(found)
        self.named[len(self.placed)] = found
        if written.name:
            self.named[written.name] = found
        return found.output

    def place(self, written: Written, x: str, output: str) -> Placed:
        """The equations of one layer, and of those inside it."""
        if written.row.parts:
            return self.composed(written, x, output)
        row, inputs = written.row, self.inputs_of(written, x)
        inside = [self.place(part, x, "") for part in written.inner[:1]]
        for part in written.inner[1:]:
            inside.append(self.place(part, inside[-1].output, ""))
        if row.inner:
            inputs[row.inner] = inside[-1].output
        one, sizes = fitted(row, written.arguments, inputs, self.shapes)
        names = self.named_for(written, one, output)
        self.write(row, one, inputs, names, sizes)
        parameters = {symbol: names[symbol] for symbol in one.parameters}
        self.want(written, one, parameters, sizes)
        packed = {
            attribute: tuple(names.get(symbol, symbol) for symbol in symbols.split())
            for attribute, symbols in row.packed.items()
            if all(symbol in parameters or symbol == "0" for symbol in symbols.split())
        }
        own = tuple(names[name] for name in one.targets)
        targets = (*(name for part in inside for name in part.targets), *own)
        cores = {name: _core(one.inputs[name], self.shapes[inputs[name]]) for name in inputs}
        recurrent = any(ref.name == "y" for line in one.lines for ref in refs(line.body))
        arguments, parts = written.arguments, tuple(inside)
        return Placed(
            row, arguments, inputs, names["y"], targets, parameters, packed, cores, parts, recurrent
        )

    def composed(self, written: Written, x: str, output: str) -> Placed:
        """A layer that is made of others: each part behind the one before."""
        row, parts, torch_names = written.row, list[Placed](), list[str]()
        shape = self.shape_of(x)
        for at, (names, body) in enumerate(row.parts):
            name = output if at == len(row.parts) - 1 else ""
            parts.append(
                self.place(
                    read_layer(filled(body, written.arguments)), parts[-1].output if parts else x, name
                )
            )
            torch_names += names.split()
        leaves = [leaf for part in parts for leaf in part.leaves]
        packed = {
            f"{name}.{attribute}": names
            for name, leaf in zip(torch_names, leaves, strict=True)
            for attribute, names in leaf.packed.items()
        }
        targets = tuple(name for part in parts for name in part.targets)
        one = template("", row.inputs, {})
        cores = {"x": _core(one.inputs["x"], shape)}
        learnt = {name: name for leaf in leaves for name in leaf.parameters.values()}
        arguments = written.arguments
        return Placed(
            row, arguments, {"x": x}, parts[-1].output, targets, learnt, packed, cores, tuple(parts)
        )

    # --- what a layer reads

    def shape_of(self, name: str) -> Shape:
        """The shape of an input; raises `LanguageError` for one that nothing says."""
        if name in self.shapes:
            return self.shapes[name]
        hint = nearest(name, self.shapes, "data and quantities of a known shape")
        raise LanguageError(f"there is no input '{name}'", at=0, hint=hint)

    def inputs_of(self, written: Written, x: str) -> dict[str, str]:
        """The quantity of each input of a row; those that are left out are another one, or absent."""
        row, found = written.row, {"x": x}
        for name in row.inputs:
            other = row.otherwise.get(name)
            if name in ("x", row.inner):
                continue
            if name in written.names:
                found[name] = written.names[name]
            elif other:
                found[name] = found[other]
            elif other is None:
                message = f"{row.name}: '{name}' is missing"
                raise LanguageError(message, at=0, hint=f"Name a quantity: {name}=NAME.")
        for name in found.values():
            self.shape_of(name)
        return found

    # --- names

    def named_for(self, written: Written, one: Template, output: str) -> dict[str, str]:
        """The names of what a template computes and of its parameters: ``z1``, ``W1``, ``b1``."""
        row, symbols = written.row, tuple(one.parameters)
        known = {**self.shared(written), **{s: n for s, n in written.names.items() if s in symbols}}
        unused = [key for key in written.names if key not in symbols and key not in one.inputs]
        if unused:
            raise LanguageError(f"{row.name} has no '{unused[0]}' with these arguments", at=0)
        drawn = [symbol for symbol in symbols if symbol not in known]
        made = [row.symbol if name == "y" else name for name in one.targets if name != "y" or not output]
        number = self.number + 1 if drawn else max(self.number, 1)
        while any(self.is_taken(f"{name}{number}", name in made) for name in (*drawn, *made)):
            number += 1
        self.number = max(self.number, number) if drawn else self.number
        names = {name: f"{name}{number}" for name in (*drawn, *one.targets)} | known
        names["y"] = output or f"{row.symbol}{number}"
        if names["y"] in self.targets:
            raise LanguageError(f"'{names['y']}' is the name of two layers", at=0)
        self.targets |= {names[name] for name in one.targets}
        return names

    def is_taken(self, name: str, computed: bool) -> bool:
        """Whether a name is another layer's; a parameter may be one that the author gives."""
        return name in self.targets or name in self.parameters or (computed and name in self.arrays)

    def shared(self, written: Written) -> dict[str, str]:
        """The parameters of an earlier layer, if this one shares them."""
        key = written.options.get("share")
        if key is None:
            return {}
        other = self.named.get(key)
        if other is None or other.row.name != written.row.name:
            known = ", ".join(f"{key}" for key, p in self.named.items() if p.row.name == written.row.name)
            hint = f"Layers to share with: {known}." if known else ""
            message = f"there is no earlier {written.row.name} layer {key} to share parameters with"
            raise LanguageError(message, at=0, hint=hint)
        return dict(other.parameters)

    def want(
        self, written: Written, one: Template, names: Mapping[str, str], sizes: Mapping[str, int]
    ) -> None:
        """Keep the shapes of the parameters; a shared one has one shape."""
        frozen, row = bool(written.options.get("frozen")), written.row
        for symbol, letters in one.parameters.items():
            shape, name = tuple(sizes[letter] for letter in letters), names[symbol]
            wanted = Wanted(shape, row.start.get(symbol, ""), frozen, row.name)
            known = self.parameters.setdefault(name, wanted)
            if known.shape != shape:
                raise LanguageError(
                    f"'{name}' is shared, but has shape {known.shape} and {row.name} needs {shape}", at=0
                )

    # --- letters and lines

    def write(
        self,
        row: Layer,
        one: Template,
        inputs: Mapping[str, str],
        names: dict[str, str],
        sizes: Mapping[str, int],
    ) -> None:
        """Choose the letters, and keep the lines with the letters, shapes and ranges of what they compute."""
        names.update(inputs)
        rest = [letter for letter in sizes if letter.startswith(REST)]
        patterns = {
            line.target.name: _pattern(line.target, rest) for line in one.lines if not _numbered(line.target)
        }
        axes = {name: (quantity, self.shapes[quantity]) for name, quantity in inputs.items()}
        own = {name: (names[name], pattern) for name, pattern in patterns.items()}
        chosen = self.letters.choose(one, axes, sizes, own)
        known = {chosen[letter]: sizes[letter] for letter in chosen}
        put = Names(names, chosen, tuple(chosen[letter] for letter in rest), known)
        equations = [Equation(_target(line.target, put), put_in(line.body, put)) for line in one.lines]
        self.letters.ranges |= _to_state(equations, known)
        for name, pattern in patterns.items():
            self.letters.known[names[name]] = tuple(chosen[letter] for letter in pattern)
            self.shapes[names[name]] = tuple(sizes[letter] for letter in pattern)
        for eq in equations:
            body = transform(eq.body, lambda node: _inside(node, dict(axes.values()), known))
            self.lines.append(f"{text(eq.target)} = {text(body)}")


def _target(ref: Ref, put: Names) -> Ref:
    found = put_in(ref, put)
    assert isinstance(found, Ref)
    return found


def _to_state(equations: list[Equation], sizes: Mapping[str, int]) -> dict[str, int]:
    """The ranges that no array says: of letters in index expressions, and of those that read nothing."""
    moving = moving_letters(Program(tuple(equations), frozenset(sizes)))
    reads = [node for eq in equations for node in walk(eq.body) if isinstance(node, Ref)]
    plain = {part.name for ref in reads for part in ref.indices if isinstance(part, Ref)}
    return {letter: size for letter, size in sizes.items() if letter in moving or letter not in plain}


def _pattern(target: Ref, rest: Sequence[str]) -> list[str]:
    names = [part.name for part in target.indices if isinstance(part, Ref)]
    return [letter for name in names for letter in (rest if name == REST else [name])]


def _numbered(target: Ref) -> bool:
    return any(isinstance(part, Number) for part in target.indices)


def _core(pattern: Sequence[str], shape: Shape) -> Shape | None:
    """The sizes of the axes behind ``...``; None if the layer has indices of its own in front."""
    return shape[len(shape) - len(pattern) + 1 :] if pattern[:1] == (REST,) else None


def _inside(node: Expr, shapes: Mapping[str, Shape], sizes: Mapping[str, int]) -> Expr | None:
    """A padded read that never leaves its array needs no padding."""
    if not isinstance(node, Ref) or not node.padded or node.name not in shapes:
        return None
    for part, size in zip(node.indices, shapes[node.name], strict=True):
        low, high = extremes(affine(part) or {}, sizes)
        if low < 1 or high > size:
            return None
    return Ref(node.name, node.indices)
