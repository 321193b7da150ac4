"""The index of the built gallery: every example with its picture, a sentence, and its files."""

from __future__ import annotations

from dataclasses import dataclass

from derivations.document.blocks import Code, Digits, Message
from derivations.document.languages import plain
from derivations.formats.format import Format
from derivations.formats.markdown.write import escape, words_markdown
from derivations.formats.render import environment, tidied
from derivations.formats.table import BY_NAME, DEFAULT
from derivations.notation.languages import SOURCE
from derivations.notation.locales import phrase
from derivations.notation.symbols import Symbols
from derivations.spec.gallery import contents, titles

INDEX = "README.md"
BUILT = (*DEFAULT, "svg")
HEADING = phrase("The gallery")
OPENING = phrase(
    "{} worked examples, each built from a spec of a dozen lines and verified before it was written. The "
    "pictures show the path of one or two parameters on the loss; the data with the prediction; a network "
    "with its weights; or the computation graph with values in the nodes and adjoints below them: data are "
    "square, parameters have a thick line, computed quantities are round, the loss is dark; a dashed arrow "
    "goes to the next step of a recurrence. {} builds this folder."
)
SPEC = phrase("spec")


@dataclass(frozen=True)
class Row:
    """One example of the index."""

    name: str
    title: str
    sentence: str
    formats: tuple[Format, ...] = tuple(BY_NAME[form] for form in DEFAULT)


def index(language: str = SOURCE) -> str:
    """The index as Markdown, in the order of teaching; titles and sentences are those of the examples."""
    known = titles()
    sections = [
        (heading, [Row(name, known[name], sentence) for name, sentence in rows.items()])
        for heading, rows in contents().items()
    ]
    count = Digits(str(sum(len(rows) for _, rows in sections)))
    said = {
        "heading": Message(HEADING),
        "opening": Message(OPENING, (count, Code("derivations gallery"))),
        "spec": Message(SPEC),
    }
    nothing = Symbols({}, "", None)
    words = {key: words_markdown(plain((text,), language), nothing) for key, text in said.items()}
    template = environment(escape, {}).get_template("markdown/gallery.md.j2")
    return tidied(template.render(sections=sections, **words))
