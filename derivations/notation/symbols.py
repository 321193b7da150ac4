r"""Names of the spec as mathematical symbols, and back.

``yhat`` is :math:`\hat y`, ``lr`` is :math:`\eta`, ``w_1`` has a subscript, ``loss`` is upright.
The mapping of one example is one-to-one, so that a finished page can be read back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from derivations.catalogue import functions
from derivations.language.names import adjoint_of, long_word, primes, raised, spellings, unprimed
from derivations.language.tree import Expr, Number, Ref, number
from derivations.notation.locales import PLAIN, Marks

LOWER = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi
    pi rho sigma tau upsilon phi chi psi omega"""
GREEK = tuple(f"{LOWER} Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split())
SPECIAL = {"lr": r"\eta", "eps": r"\varepsilon", "lam": r"\lambda"}
SLOPE = r"\delta"  # the slope of the loss by what stands below, where the author writes it so
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}


@dataclass(frozen=True, slots=True)
class Symbol:
    r"""A stem such as ``\hat y`` or ``w``, fixed subscripts, and primes for "after the update".

    A subscript may be a symbol itself, ``v_{\theta_1}``; ``above`` stands raised in brackets, ``a^{(1)}``.
    """

    stem: str
    subscripts: tuple[str | Symbol, ...] = ()
    primes: str = ""
    above: str = ""

    @property
    def spelled(self) -> Symbol:
        """The symbol with its subscripts as a reader of LaTeX finds them, token by token."""
        return replace(self, subscripts=tuple(map(_spelled, self.subscripts)))


def _spelled(part: str | Symbol) -> str:
    if isinstance(part, str):
        return part
    inside = ",".join(map(_spelled, part.subscripts))
    below = (f"_{inside}" if len(inside) == 1 else f"_{{{inside}}}") if inside else ""
    stem = part.stem.replace(" ", "")
    shown = f"{stem[:-1]}{below}}}" if stem.endswith("}") else stem + below
    return shown + part.primes + (f"^{{({part.above})}}" if part.above else "")


def symbol_of(name: str) -> Symbol:
    """The symbol that a name suggests, taken alone; ``a^(1)`` has a number above."""
    base, above = raised(name)
    return replace(_plain_symbol(base), above=above) if above else _plain_symbol(base)


def _plain_symbol(name: str) -> Symbol:
    for way in spellings(name):
        if stem := _stem(way.word):
            accent = f"{ACCENTS[way.accent]} " if way.accent else ""
            return Symbol(f"{accent}{stem}", way.scripts, way.primes)
    long = long_word(name)
    return Symbol(rf"\mathrm{{{long.word}}}", long.scripts, long.primes) if long else upright(name)


def upright(name: str) -> Symbol:
    """A name spelled out in upright letters; ``_`` is shown as a dot, which no name contains."""
    plain = unprimed(name)
    return Symbol(rf"\mathrm{{{plain.replace('_', '.')}}}", (), primes(name))


def put_above(symbol: Symbol) -> Symbol | None:
    """What stands below a letter in brackets above it, ``v^{(k)}``: so it is no index of an array ``v``."""
    match symbol:
        case Symbol(stem, (str(below),), marks, ""):
            return Symbol(stem, (), marks, below)
    return None


def _stem(word: str) -> str:
    if word in SPECIAL:
        return SPECIAL[word]
    if word in GREEK and word != "pi":  # the number
        return f"\\{word}"
    return word if len(word) == 1 else ""


@dataclass(frozen=True, slots=True)
class Named:
    """A name for entries: of ``z[i, 2]`` for every ``i``, or of ``W[1, 1]`` alone; None is any place."""

    quantity: str
    places: tuple[int | None, ...]
    symbol: Symbol
    name: str = ""

    def rest(self, name: str, indices: tuple[Expr, ...]) -> tuple[Expr, ...] | None:
        """The indices that stay beside the name of such an entry; None for any other entry."""
        if name != self.quantity or len(indices) != len(self.places):
            return None
        pairs = list(zip(self.places, indices, strict=True))
        if any(at is not None and (not isinstance(part, Number) or part.value != at) for at, part in pairs):
            return None
        return tuple(part for at, part in pairs if at is None)

    def entry(self, rest: tuple[Expr, ...]) -> Ref:
        """The entry that the name means beside these indices: the inverse of ``rest``."""
        given = iter(rest)
        places = (next(given) if at is None else number(at) for at in self.places)
        return Ref(self.quantity, tuple(places))

    @property
    def rank(self) -> int:
        """How many indices stay beside the name."""
        return self.places.count(None)


def meet(a: Symbol, rank: int, b: Symbol, other: int) -> bool:
    """Whether two symbols can look the same once their indices stand beside them: ``w_1`` and ``w[1]``."""
    if (a.stem, a.primes, a.above) != (b.stem, b.primes, b.above):
        return False
    if len(a.subscripts) + rank != len(b.subscripts) + other:
        return False
    short, long = sorted((tuple(map(_spelled, part.subscripts)) for part in (a, b)), key=len)
    like_indices = all(part.isdigit() or len(part) == 1 for part in long[len(short) :])
    return long[: len(short)] == short and like_indices


@dataclass(frozen=True)
class Symbols:
    """The symbols of one example: quantities with how many indices each has, and names of entries.

    ``marks`` is how the language of the page writes decimals. ``renamed`` are the author's own symbols,
    ``letters`` the author's own letters of indices, ``counting`` that for the number of samples.
    ``derivative`` is how the slope of the loss is written, as a fraction of ∂ (``partial``), as
    ``nabla`` or as ``delta``; other slopes are fractions of ∂. ``logarithm`` is the name of
    the natural one, ``ln`` or ``log``.
    """

    ranks: Mapping[str, int]
    loss: str
    sample: str | None
    named: tuple[Named, ...] = ()
    marks: Marks = PLAIN
    renamed: Mapping[str, Symbol] = field(default_factory=dict)
    counting: str = ""
    derivative: str = "partial"
    logarithm: str = "ln"
    letters: Mapping[str, str] = field(default_factory=dict)

    def letter(self, index: str) -> str:
        """How the letter of an index, or its twin ``i1``, is written."""
        return self.letters.get(index[:1], index[:1]) + index[1:]

    def index_name(self, name: str) -> str:
        """`letter` for an index, any other name as it is."""
        is_index = name not in self.ranks and not name[1:].strip("0123456789")
        return self.letter(name) if is_index else name

    def index(self, written: str) -> str:
        """The inverse of `letter`."""
        own = {shown: index for index, shown in self.letters.items()}
        return own.get(written[:1], written[:1]) + written[1:]

    def wanted(self, name: str) -> Symbol:
        """The symbol of the author, or the one that a name suggests."""
        return self.renamed.get(name) or symbol_of(name)

    def is_slope(self, symbol: Symbol) -> bool:
        """Whether a symbol could be taken for a slope of the loss."""
        return self.derivative == "delta" and symbol.stem == SLOPE

    @cached_property
    def table(self) -> dict[str, Symbol]:
        """The symbol of each name; two names never share one."""
        found: dict[str, Symbol] = {}
        for name in sorted(self.ranks, key=lambda name: name not in self.renamed):
            wanted = self.wanted(name)
            ways = (wanted, put_above(wanted), upright(name))
            found[name] = next(way for way in ways if way and self._is_free(way, name, found))
        return found

    def _is_free(self, symbol: Symbol, name: str, found: Mapping[str, Symbol]) -> bool:
        """Whether a symbol can be mistaken for none of these; what is spelled out cannot."""
        taken = symbol in found.values() or self.is_slope(symbol)
        rank = self.ranks[name]
        return symbol == upright(name) or not (
            taken or any(meet(symbol, rank, other, self.ranks[known]) for known, other in found.items())
        )

    @cached_property
    def names_by_symbol(self) -> dict[tuple[Symbol, int], str]:
        """The inverse of ``table``: the name by its symbol and how many indices stand beside it."""
        return {(symbol.spelled, self.ranks[name]): name for name, symbol in self.table.items()}

    @cached_property
    def named_by_symbol(self) -> dict[tuple[Symbol, int], Named]:
        """The named entries by their symbol."""
        return {(row.symbol.spelled, row.rank): row for row in self.named}

    @cached_property
    def count(self) -> str:
        """The letter for the number of samples in a batch: ``n``, unless a quantity has that name."""
        taken = {*self.ranks, *(symbol.stem for symbol in self.renamed.values())}
        return self.counting or next(x for x in ("n", "N", "m", "M", "K", "S", "B") if x not in taken)

    @cached_property
    def functions(self) -> dict[str, str]:
        """How each function of the catalogue is written in LaTeX."""
        found = {row.name: row.latex for row in functions.FUNCTIONS}
        return found | {"log": f"\\{self.logarithm}"}

    @cached_property
    def functions_read(self) -> dict[str, str]:
        """The inverse of `functions`."""
        return {latex: name for name, latex in self.functions.items()}

    def of(self, name: str) -> Symbol:
        """The symbol of a quantity, before or after the update."""
        if name in self.table:
            return self.table[name]
        plain = unprimed(name)
        base = self.table.get(plain) or symbol_of(self.index_name(plain))
        return replace(base, primes=base.primes + primes(name))

    def of_entry(self, name: str, indices: tuple[Expr, ...]) -> tuple[Symbol, tuple[Expr, ...]]:
        """The symbol of an entry and the indices that stand beside it."""
        plain = unprimed(name)
        for row in self.named:
            rest = row.rest(plain, indices)
            if rest is not None:
                own = row.symbol
                return replace(own, primes=own.primes + primes(name)), rest
        return self.of(name), indices

    def means(self, symbol: Symbol, rank: int) -> Callable[[tuple[Expr, ...]], Ref] | None:
        """What a symbol with further subscripts means, given the indices; None if it means nothing."""
        if row := self.named_by_symbol.get((symbol, rank)):
            return row.entry
        name = self.names_by_symbol.get((symbol, rank))
        return None if name is None else lambda rest: Ref(name, rest)

    def whole(self, symbol: Symbol) -> str | None:
        """The quantity that a symbol means as a whole array."""
        return next((name for name, own in self.table.items() if own.spelled == symbol), None)

    def is_named(self, ref: Ref) -> bool:
        """Whether an entry, or its adjoint or new value, has a name of its own."""
        of = self.adjoint(ref.name) or unprimed(ref.name)
        return any(row.rest(of, ref.indices) is not None for row in self.named)

    def adjoint(self, name: str) -> str | None:
        """The quantity whose adjoint a name is: ``w`` for ``dL/dw``."""
        return adjoint_of(name, self.loss)
