"""What a row of the functions says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    r"""One row: ``name(x)``, ``name(x, y)``, or ``name(x, k)`` over an index.

    ``name`` is what a spec calls. ``formula`` defines it by means of earlier rows and arithmetic, as a spec
    writes them: ``x*sigmoid(x)``; only the primitives of this package have none. ``slope`` is the derivative
    by the first argument, in the same language, as textbooks write it; ``slopes`` are those by further
    arguments, by their names. An argument without a slope must be a number; ``defaults`` are the numbers of
    those that may be left out.

    ``torch`` is torch's own function: a dotted name, several applied in turn, or an expression over the
    arguments in braces, ``(torch.sqrt({x}**2 + 1) - 1)/2``. ``latex`` is how it is printed, ``\tanh`` or
    ``\mathrm{name}``; no two rows share it. ``rule`` are the words beside a line of a derivation that uses
    the slope, "derivative of the sine".

    ``arguments`` are the names in formula and slopes. ``over``: it binds an index, ``k`` in the formula.
    ``kinks`` are values of ``x`` without a derivative, where the slope is torch's choice; where ``smooth``
    is 0 there is none after all. ``domain`` is where it is defined, ``x > 0``; ``cancels``: float64 loses its
    digits where terms of the formula cancel. ``source`` is where it was published, ``spoken`` how it is said
    in English, "the sine"; without it, it is called as it is printed. ``meaning`` is the sentence that a page
    says of it where its printed name does not say what it is.
    """

    name: str
    slope: str
    torch: str
    latex: str
    rule: str
    formula: str = ""
    arguments: tuple[str, ...] = ("x",)
    defaults: Mapping[str, str] = field(default_factory=dict)
    slopes: Mapping[str, str] = field(default_factory=dict)
    over: bool = False
    kinks: tuple[str, ...] = ()
    smooth: str = ""
    domain: str = ""
    cancels: bool = False
    source: str = ""
    spoken: str = ""
    meaning: str = ""

    @property
    def all_slopes(self) -> dict[str, str]:
        """The slope by every argument that has one."""
        return {**({"x": self.slope} if self.arguments else {}), **self.slopes}
