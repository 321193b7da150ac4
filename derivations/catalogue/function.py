"""What a row of the functions says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Function:
    """One row: ``name(x)``, ``name(x, y)``, or ``name(x, k)`` over an index.

    ``spoken`` is how it is said in English, "the sine"; without it, it is called as it is printed.
    ``meaning`` is the sentence that a page says of it where its printed name does not say what it is.
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
