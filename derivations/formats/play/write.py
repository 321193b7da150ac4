"""Where one plays: a script in the HTML page that computes with the page's own program.

The page without it is what was verified; the script makes everything that it shows, so that nothing of it is
there without JavaScript. `script` is a function of the verified run alone: the finished page is held against
it, letter by letter.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256

from derivations.document.blocks import message
from derivations.document.languages import text_of
from derivations.figures.axes import SHORT
from derivations.figures.layered import reads_of
from derivations.figures.scene import Scene
from derivations.formats.play.graph import graph_to_play
from derivations.formats.play.javascript import Unplayable, members, quoted
from derivations.formats.play.numbers import bare, literal
from derivations.formats.play.program import functions_of, program_of
from derivations.formats.press import Press
from derivations.formats.render import templates_folder
from derivations.language.tree import Ref, refs
from derivations.model.example import Example, sample_axes
from derivations.notation.mathml import mathml_of
from derivations.notation.spoken.speaker import spoken
from derivations.notation.symbols import Symbols
from derivations.notation.typeset import typeset
from derivations.run.training import Trace

ENTRIES, STEPS, LONGEST = 300, 200, 100_000  # of a step, of a run; characters of the script
WORDS = {
    "title": message("Try it out"),
    "note": message(
        "Change a number and follow the steps. What is below is computed by your browser, in float64, with "
        "the equations of this page; it is not part of what was verified. Values with a tick are those of "
        "the verified run."
    ),
    "knobs": message("Training"),
    "rate": message("learning rate"),
    "size": message("batch size"),
    "epochs": message("epochs"),
    "start": message("Start values"),
    "data": message("Data"),
    "reset": message("Reset"),
    "walk": message("Steps"),
    "before": message("Previous step"),
    "back": message("Back"),
    "next": message("Next"),
    "after": message("Next step"),
    "where": message("Step {} of {}.", "{0}", "{1}"),
    "sample": message("Sample {}.", "{0}"),
    "samples": message("Samples {}.", "{0}"),
    "diverges": message("Some values are too large for float64: the run diverges."),
    "given": message("Given"),
    "forward": message("Forward"),
    "backward": message("Backward"),
    "update": message("Update"),
    "table": message("Every quantity of the step"),
    "verified": message("as verified"),
    "more": message("And {} more.", "{0}"),
    "loss": message("The loss by step"),
    "dots": message("The loss by step; each dot is that of the step's own mini-batch"),
    "step": message("step"),
    "fit": message("The data and the fit before the step, dashed, and after it"),
    "path": message("The path of the parameters on curves of equal loss over all data"),
    "number": message("“{}” is not a number.", "{0}"),
    "whole": message("A whole number from 1 to {} is needed here.", "{0}"),
    "large": message("This number is too large."),
    "steps": message("These are {} steps; {} can be worked.", "{0}", "{1}"),
    "undefined": message("not a number"),
}


def script(press: Press) -> str:
    """The script of a page; empty where there is none, for the reason that `left_out` gives."""
    try:
        return _script_of(press)
    except Unplayable:
        return ""


def left_out(press: Press) -> str:
    """Why a page has no playing part; empty where it has one."""
    try:
        _script_of(press)
    except Unplayable as fault:
        return str(fault)
    return ""


def _script_of(press: Press) -> str:
    trace = press.run.trace
    if reason := _unwanted(trace):
        raise Unplayable(reason)
    found = _script(trace, press.symbols, press.rounding.digits, press.document.language)
    if len(found) > LONGEST:
        raise Unplayable(f"its script would have {len(found)} characters, more than {LONGEST}")
    return found


def _unwanted(trace: Trace) -> str:
    """What keeps a spec or a run from being played with; empty if nothing does."""
    page, training, steps = trace.example.spec.page, trace.example.spec.training, trace.steps
    if not page.interactive:
        return "the spec does not want it"
    if training.carry is not None:
        return "a browser does not round as a calculator does"
    if not 0 < len(steps) <= STEPS:
        return f"the run has {len(steps)} steps, and {STEPS} can be played"
    most = max(len(step.layout.tape.slots) for step in steps)
    return f"a step has {most} values, more than {ENTRIES}" if most > ENTRIES else ""


def policy(found: str) -> str:
    """What a Content-Security-Policy says to let this script run, and no other."""
    held = f"\n{found}\n".encode()  # as it stands between the tags
    return f"'sha256-{b64encode(sha256(held).digest()).decode()}'"


@cache
def _template(name: str) -> str:
    return (templates_folder() / "html" / name).read_text(encoding="utf-8").strip()


def _script(trace: Trace, symbols: Symbols, digits: int, language: str) -> str:
    example = trace.example
    words = {name: text_of(said, language) for name, said in WORDS.items()}
    pieces = program_of(trace, symbols, language)
    scene = Scene(trace, symbols, SHORT)
    graph = graph_to_play(scene)
    shown = _shown(scene, digits, language) | graph.pieces()
    assert pieces.keys().isdisjoint(shown)
    found = "\n".join(
        (
            '(() => {\n"use strict";',
            _template("run.js"),
            f"Object.assign(f, {members(functions_of(example) | graph.functions())});",
            f"const program = {members(pieces | shown)};",
            f"const words = {quoted(words)};",
            f"const stylesheet = {quoted(_template('play.css'))};",
            _template("show.js"),
            _template("play.js"),
            "globalThis.derivations = { program, given, train };\n})();",
        )
    )
    if "</script" in found.lower() or "<!--" in found:
        raise Unplayable("its text would end the script")
    return found


def _shown(scene: Scene, digits: int, language: str) -> dict[str, str]:
    """What the interface needs beside the equations."""
    example, symbols = scene.example, scene.symbols
    page, marks = example.spec.page, symbols.marks
    axes = max(len(at) for _, at in scene.trace.steps[0].layout.tape.slots)
    names = [*example.data, *example.start, *example.states]
    return {
        "format": quoted(
            {
                "digits": digits,
                "significant": page.significant,
                "decimal": marks.decimal,
                "group": marks.group,
                "separator": marks.separator,
                "between": [marks.between(axis) for axis in range(axes)],
            }
        ),
        "symbols": members({quoted(name): f"`{_symbol(name, symbols)}`" for name in names}, "  "),
        "called": quoted({name: spoken(Ref(name), symbols, language) for name in names}),
        "inputs": quoted(_inputs(example, symbols, language)),
        "places": quoted(_places(scene.trace)),
        "letters": quoted(_letters(scene)),
        "fit": quoted(_fit(example)),
        "forwards": quoted(list(example.forward.targets)),
    }


def _symbol(name: str, symbols: Symbols) -> str:
    return literal(mathml_of(typeset(Ref(name), bare(symbols)), symbols.marks))


def _inputs(example: Example, symbols: Symbols, language: str) -> dict[str, list[str]]:
    """What the fields are called: every entry of what may be changed, as one says it."""
    arrays = {**example.data, **example.start}
    found = {name: [spoken(Ref(name), symbols, language)] for name in example.hyper}
    return found | {
        name: [spoken(ref, symbols, language) for ref in array.refs(name)] for name, array in arrays.items()
    }


def _places(trace: Trace) -> dict[str, list[bool]]:
    """Which indices of a quantity are samples."""
    layout = trace.steps[0].layout
    dims = layout.dims.items() if layout.sample else ()
    return {name: [dim == layout.sample for dim in own] for name, own in dims if layout.sample in own}


def _letters(scene: Scene) -> dict[str, object]:
    """Symbols as plain text, for the pictures."""
    example, fit = scene.example, _fit(scene.example) or {}
    plain = {name: scene.plain(Ref(fit[name])) for name in ("x", "y") if fit}
    return {
        "loss": scene.plain(Ref(example.loss)),
        "parameters": {name: scene.plain(Ref(name)) for name in example.start},
        **plain,
    }


def _fit(example: Example) -> dict[str, str] | None:
    """One given number a sample, what is computed from it, and the given number that it is compared with."""
    axes = sample_axes(example)
    columns = [name for name in axes if len(example.data[name].shape) == 1 and name not in example.lookups]
    reads = reads_of(example)
    for eq in example.forward:
        read = {ref.name for ref in refs(eq.body)}
        for y in (name for name in columns if name in read):
            for fitted in (name for name in reads if name in read):
                rank = len(example.forward.targets[fitted].target.indices)
                inputs = {name for name in _below(fitted, reads) if name in example.data}
                if rank == 1 and len(inputs) == 1 and inputs <= set(columns) - {y}:
                    return {"x": inputs.pop(), "y": y, "fitted": fitted}
    return None


def _below(name: str, reads: dict[str, tuple[str, ...]]) -> set[str]:
    """Everything that a quantity is computed from."""
    return {name}.union(*(_below(other, reads) for other in reads.get(name, ()) if other != name))
