"""An author's own templates and words: they override ours block by block, and what they print is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import derivations
from derivations.courses.inputs import key
from derivations.language.errors import CheckFailed, SpecError
from derivations.page import Page
from derivations.spec import gallery

SPEC = gallery.path("linear-regression").read_text() + '\n[page]\ntemplates = "mine"\n'
ROOT = Path(__file__).parents[2]
OWN_WORDS = """
"We start from {}." = "Our first guess is {}."
"Summary" = "What we have learnt"
"""
EXTENDS = '{{% extends "shipped/{}" %}}\n'
HEADING = "{{% block heading %}}{{{{ super() }}}}{{% if block.level == 1 %}}{}{{% endif %}}{{% endblock %}}\n"


def built(folder: Path, files: dict[str, str], form: str = "md", spec: str = SPEC) -> Page:
    """The page of a spec with files in the author's folder, which stands above that of the spec."""
    for name, text in files.items():
        path = folder / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "week1").mkdir(exist_ok=True)
    (folder / "week1" / "sgd.toml").write_text(spec)
    return derivations.build(folder / "week1" / "sgd.toml", ("md", form))


def below_the_title(text: str, name: str = "markdown/page.md.j2") -> dict[str, str]:
    return {name: EXTENDS.format(name) + HEADING.format(text)}


@pytest.mark.slow
def test_a_block_is_overridden_in_every_dialect(tmp_path: Path) -> None:
    own = below_the_title("\n\n*Lecture 3*, by {{ 'Dr <Who> & _Co_' }}")
    for form in ("md", "myst", "qmd"):
        found = built(tmp_path, own, form)
        assert "\n*Lecture 3*, by Dr &lt;Who&gt; &amp; \\_Co\\_\n" in found[form]
        found.check(form, found[form])


def test_html_and_its_tables(tmp_path: Path) -> None:
    name = "html/page.html.j2"
    found = built(tmp_path, below_the_title("<p>{{ 'Lecture <3>' }}</p>", name), "html")
    assert "<p>Lecture &lt;3&gt;</p>" in found["html"]


@pytest.mark.slow
def test_a_true_formula_may_be_added_and_a_false_one_not(tmp_path: Path) -> None:
    right = "\n\nThe model is {{ '$\\\\hat y_i = w x_i + b$' | raw }}."
    assert r"The model is $\hat y_i = w x_i + b$." in built(tmp_path, below_the_title(right))["md"]
    for wrong in (r"w x_i - b", r"w x_i + 2 b", r"7"):
        with pytest.raises(CheckFailed, match="which a template adds"):
            built(tmp_path, below_the_title(right.replace(r"w x_i + b", wrong)))
    with pytest.raises(CheckFailed, match="which a template adds"):
        built(tmp_path, below_the_title("\n\n```text\nw = 7\n```"))


def test_a_number_of_a_step_may_be_repeated_in_it_if_it_is_right(tmp_path: Path) -> None:
    name = "markdown/page.md.j2"
    after = "block.formula.sides[-1].expr.text is defined and block.formula.sides[-1].expr.text == '0.845'"
    own = "{{% block display %}}{{{{ super() }}}}{{% if {} %}}\nNow $w' = {}$.\n{{% endif %}}{{% endblock %}}"
    right = {name: EXTENDS.format(name) + own.format(after, "0.845")}
    assert "\nNow $w' = 0.845$.\n" in built(tmp_path, right)["md"]
    with pytest.raises(CheckFailed, match="which a template adds"):
        built(tmp_path, {name: EXTENDS.format(name) + own.format(after, "0.846")})


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "block",
    [
        "{% block display %}{% endblock %}",
        "{% block prose %}{% endblock %}",
        "{% block table %}{% endblock %}",
        "{% block prose %}{{ super() }}, perhaps{% endblock %}",
        "{% block display %}{{ super() | replace('0.845', '0.846') }}{% endblock %}",
    ],
)
def test_nothing_of_ours_may_be_lost_or_altered(block: str, tmp_path: Path) -> None:
    name = "markdown/page.md.j2"
    with pytest.raises(CheckFailed, match="read back") as fault:
        built(tmp_path, {name: EXTENDS.format(name) + block})
    assert f"printed by your templates: {tmp_path / 'mine' / name}." in str(fault.value)


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% block display %}", "mine/markdown/page.md.j2:2"),
        ("{% block frnt %}Welcome.{% endblock %}", "no block 'frnt' to override\n  Did you mean 'front'?"),
        ("{% if true %}{% block proses %}{% endblock %}{% endif %}", "Did you mean 'prose'?"),
        ("{% block prose %}{{ nothing.at_all }}{% endblock %}", "mine/markdown/page.md.j2:2"),
        ("{% block prose %}{{ ''.__class__.__mro__ }}{% endblock %}", "unsafe"),
        ("{% block prose %}{{ range(10000000) }}{% endblock %}", "Range too big"),
        ("{% block prose %}{% include '../../secret.j2' %}{% endblock %}", "secret"),
        ("{% block prose %}{{ 1/0 }}{% endblock %}", "division by zero"),
        ("{% block prose %}{{ document.templates.folder }}{% endblock %}", "no attribute 'templates'"),
        ("{% block prose %}{{ ('a' * 4000000000) | length }}{% endblock %}", "20,000,000 characters"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "secret.j2").write_text("secret")
    name = "markdown/page.md.j2"
    with pytest.raises(SpecError) as fault:
        built(tmp_path, {name: EXTENDS.format(name) + text})
    assert message in str(fault.value)
    assert "page.md.j2:2" in str(fault.value)


def test_a_block_may_be_made_inside_of_another(tmp_path: Path) -> None:
    name, base = "markdown/page.md.j2", "markdown/course.j2"
    files = {
        base: EXTENDS.format(name) + "{% block front %}{% block course %}{% endblock %}{% endblock %}",
        name: '{% extends "markdown/course.j2" %}{% block course %}Welcome.{% endblock %}',
    }
    assert built(tmp_path, files)["md"].startswith("Welcome.")


@pytest.mark.slow
def test_the_author_s_own_words(tmp_path: Path) -> None:
    own = {"messages.toml": OWN_WORDS}
    found = built(tmp_path, own, "tex")
    assert "Our first guess is $w = 0.5$ and $b = 1$." in found["md"]
    assert "## What we have learnt" in found["md"]
    assert "Our first guess is" in found["tex"]
    german = built(tmp_path, own, spec=SPEC + 'language = "de"\n')
    assert "Our first guess is $w = 0{,}5$ und $b = 1$." in german["md"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"We start form {}." = "x {}"', "We start from"),
        ('"We start from {}." = "Our first guess."', "holes"),
        ('"We start from {}." = "Our {} first {}."', "holes"),
        ('"We start from {}." = 3', "not a text"),
        ('"We start from {}." = "We start from {}, and the loss is 99."', "the number '99'"),
        ('"the constants collected" = "the constants not collected"', "negations"),
        ('"the constants collected" = "L = 1"', "the number '1'"),
        ("= 3", "not valid TOML"),
    ],
)
def test_words_that_cannot_stand_for_ours(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as fault:
        built(tmp_path, {"messages.toml": f"# mine\n{line}\n"})
    assert message in str(fault.value)
    assert "messages.toml" in str(fault.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "sgd.toml").write_text(SPEC)
    with pytest.raises(SpecError, match=r"sgd\.toml:\d+:\d+: there is no folder 'mine'"):
        derivations.build(tmp_path / "sgd.toml", ("md",))
    for name in ("../mine", "/etc", "."):
        (tmp_path / "sgd.toml").write_text(SPEC.replace('"mine"', f'"{name}"'))
        with pytest.raises(SpecError, match="templates"):
            derivations.build(tmp_path / "sgd.toml", ("md",))
    (tmp_path / "sgd.toml").write_text(SPEC.replace('"mine"', '"etc"'))  # as in the root of the file system
    with pytest.raises(SpecError, match="there is no folder 'etc'"):
        derivations.build(tmp_path / "sgd.toml", ("md",))


def test_a_page_depends_on_its_templates(tmp_path: Path) -> None:
    built(tmp_path, {"messages.toml": ""})
    spec = tmp_path / "week1" / "sgd.toml"
    before = key(spec, ("md",))
    (tmp_path / "mine" / "messages.toml").write_text('"Summary" = "So far"')
    assert key(spec, ("md",)) != before


@pytest.mark.slow
def test_a_pdf_with_an_author_s_words(tmp_path: Path) -> None:
    name = "typst/page.typ.j2"
    own = EXTENDS.format(name) + "{% block front %}\n#block[Lecture by Dr Who]\n{% endblock %}"
    assert built(tmp_path, {name: own}, "pdf").file("pdf").startswith(b"%PDF")
    with pytest.raises(CheckFailed, match="a template adds"):
        built(tmp_path, {name: own.replace("Dr Who", "Dr Who, w = 7")}, "pdf")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("form", "name", "block", "printed"),
    [
        (
            "tex",
            "latex/fragment.tex.j2",
            "{% block front %}Lecture \\textbf{3}\\par{% endblock %}",
            "Lecture",
        ),
        ("tex", "latex/page.tex.j2", "{% block packages %}\\usepackage{palatino}{% endblock %}", "palatino"),
        ("beamer", "beamer/page.tex.j2", "{% block packages %}\\usetheme{Madrid}{% endblock %}", "Madrid"),
        (
            "slides",
            "html/slides.html.j2",
            "{% block style %}{{ super() }} h2 { color: red }{% endblock %}",
            "red",
        ),
    ],
)
def test_blocks_of_other_formats(form: str, name: str, block: str, printed: str, tmp_path: Path) -> None:
    assert printed in built(tmp_path, {name: EXTENDS.format(name) + block}, form)[form]


@pytest.mark.few(1)
@pytest.mark.parametrize("form", ["tex", "beamer"])
def test_latex_of_a_template_is_held_to_what_is_true(form: str, tmp_path: Path) -> None:
    name = "latex/fragment.tex.j2" if form == "tex" else "beamer/page.tex.j2"
    block = "front" if form == "tex" else "piece"
    own = f"{{% block {block} %}}{{{{ super() }}}}Now $w = 0.7$.\\par{{% endblock %}}"
    with pytest.raises(CheckFailed, match="read back"):
        built(tmp_path, {name: EXTENDS.format(name) + own}, form)


def test_every_block_is_explained() -> None:
    text = (ROOT / "docs" / "templates.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for path in (ROOT / "templates").rglob("*.j2"):
        blocks = set(re.findall(r"\{%-?\s*block (\w+)", path.read_text()))
        name = path.relative_to(ROOT / "templates").as_posix()
        row = next((row for row in rows if f"`{name}`" in row), "")
        assert blocks <= set(re.findall(r"`(\w+)`", row)), name
