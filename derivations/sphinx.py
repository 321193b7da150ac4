"""The directive ``worked-example`` for Sphinx, MyST and Jupyter Book.

With ``extensions = ["derivations.sphinx"]`` a page of reStructuredText has it as
``.. worked-example:: sgd.toml``, one of MyST as::

    ```{worked-example} sgd.toml
    :hide: checks, program
    ```

The argument is a spec beside the document, or a name of the gallery. Options: ``detail``, ``show``, ``hide``,
``language`` as in ``[page]`` of the spec, and ``no-title``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from derivations import __version__
from derivations.language.errors import DerivationsError


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


class WorkedExample(SphinxDirective):
    """A verified worked example in the place of the directive."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {
        "detail": directives.unchanged,
        "language": directives.unchanged,
        "show": _names,
        "hide": _names,
        "no-title": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Work the spec, verify it, and hand out its nodes; a fault becomes an error of the document."""
        from derivations.formats.docutils import document_nodes
        from derivations.page import build

        try:
            given = {key: value for key, value in self.options.items() if key != "no-title"}
            page = build(self._spec(), (), **given)
            found = document_nodes(page.press)
        except DerivationsError as fault:
            raise self.error(str(fault)) from None
        title, *rest = found
        for section in (node for node in rest if isinstance(node, nodes.section)):
            self.state.document.note_implicit_target(section, section)
        if "no-title" in self.options:
            return rest
        return [nodes.rubric("", "", *title.children), *rest]

    def _spec(self) -> Path | str:
        """The file beside the document, on which it depends from now on, or a name of the gallery."""
        _, path = self.env.relfn2path(self.arguments[0])
        if Path(path).is_file():
            self.env.note_dependency(path)
            return Path(path)
        return str(self.arguments[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("worked-example", WorkedExample)
    app.add_latex_package("tikz")  # for the figures
    app.add_latex_package("adjustbox")
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
