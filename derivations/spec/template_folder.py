"""Where the folder of an author's templates is: beside a spec, or in a folder above it."""

from __future__ import annotations

from pathlib import Path

HIGHEST = 8


def template_folder(beside: Path, name: str) -> Path | None:
    """The nearest folder of this name, in the folder of the spec or up to seven folders above it."""
    above = [beside, *beside.parents][:HIGHEST]
    return next((top / name for top in above if (top / name).is_dir()), None)
