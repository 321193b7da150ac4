"""What a package index is told: the project's addresses, and a README whose links work there too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?![a-z]+:|#)([^)]+)\)")


class Index(MetadataHookInterface):
    """``[tool.hatch.metadata.hooks.custom]``: its ``url`` is the one place where the address stands."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in ``urls`` and ``readme``."""
        url = self.config["url"]
        metadata["urls"] = {
            "Source": url,
            "Documentation": f"{url}/tree/main/docs",
            "Gallery": f"{url}/tree/main/output",
            "Changelog": f"{url}/blob/main/CHANGELOG.md",
            "Issues": f"{url}/issues",
        }
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, url)}


def absolute(text: str, url: str) -> str:
    """Markdown whose links to files of the repository are whole addresses; pictures are their raw files."""
    return LINK.sub(
        lambda link: f"{link[1]}{link[2]}{url}/{'raw' if link[1] else 'blob'}/main/{link[3]})", text
    )
