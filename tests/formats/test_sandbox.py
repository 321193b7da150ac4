"""What a template of an author's may do: plain data goes in, and what it makes is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from derivations.formats.given import Given, Text, is_plain
from derivations.formats.render import environment, filled, templates_folder
from derivations.language.errors import SpecError
from derivations.page import build
from derivations.spec.template_folder import Templates


def rendered(text: str, **given: Any) -> str:
    own = Templates(Path("/somewhere/mine"), (("x.j2", text.encode()),))
    return filled(environment(str, {}, own), "x.j2", own, **given)


GROWS = "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = GROWN %}{% endfor %}"
LARGE = "may make 20,000,000 characters"
TURNS = "300,000 turns"
HOSTILE = {
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}": TURNS,
    "{% for i in range(9999999999) %}{% endfor %}": "Range too big",
    "{{ ('a' * 4000000000) | length }}": LARGE,
    "{{ ([1] * 4000000000) | length }}": LARGE,
    "{{ ((range(99999) | list) * 99999) | length }}": LARGE,
    "{{ '%999999999d' | format(1) }}": "width",
    "{{ '%999999999d' % 1 }}": "width",
    "{{ '%*d' % (999999999, 1) }}": "width",
    "{{ '{:999999999}'.format(1) }}": "width",
    "{{ '{:{}}'.format(1, 999999999) }}": "width",
    "{{ ('%s' * 9000) % ([('a' * 9999)] * 9000) }}": LARGE,
    "{{ 'a'.center(4000000000) }}": "'center' with a number above",
    "{{ 'a' | center(4000000000) }}": "'center' with a number above",
    "{{ 'a' | indent(4000000000) }}": "'indent' with a number above",
    "{{ 'a'.expandtabs(99999999) }}": "'expandtabs' with a number above",
    "{{ 3 | round(999999999) }}": "'round' with a number above",
    "{{ [1] | batch(999999999, 'x') | list | length }}": "'batch' with a number above",
    "{{ [1] | tojson(indent=999999999) }}": "'tojson' with a number above",
    "{{ 'a'.translate({97: 'b'}) }}": "'translate' may not be called",
    "{{ 2 ** 99999999 }}": "too many digits",
    "{{ (9 ** 999) ** 999 }}": "too many digits",
    GROWS.replace("GROWN", "ns.s ~ ns.s"): LARGE,
    GROWS.replace("GROWN", "ns.s + ns.s"): LARGE,
    GROWS.replace("GROWN", "[ns.s, ns.s] | join"): LARGE,
    GROWS.replace("GROWN", "ns.s | replace('a', 'aa')"): LARGE,
    GROWS.replace("GROWN", "ns.s.replace('a', 'aa')"): LARGE,
    GROWS.replace(
        "{% set ns.s = GROWN %}", "{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}"
    ): LARGE,
    GROWS.replace("GROWN", "[ns.s, ns.s]") + "{{ ns.s }}": "parts",
    GROWS.replace("GROWN", "[ns.s, ns.s]") + "{{ ns.s == [1] }}": "parts",
    GROWS.replace("GROWN", "namespace(a=ns.s, b=ns.s)") + "{{ ns.s | string }}": "parts",
    "{% set x = namespace() %}{% set x.a = x %}{{ x }}": "parts",
    "{{ range(99999) | map('string') | join('a' * 1000) | length }}": LARGE,
    "{% for i in range(99999) %}" + "a" * 10_000 + "{% endfor %}": LARGE,
    "{{ [[1] * 1000, [2]] | sum(start=[]) | length }}": "numbers only",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "without end",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}": TURNS,
    "{% include 'x.j2' %}": "without end",
    "{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}": "without end",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}": "nested too deeply",
    "{% for a in [1] %}" * 40 + "{% endfor %}" * 40: "nested blocks",
    "{{ ''.__class__ }}": "unsafe",
    "{{ '' | attr('__class__') }}": "unsafe",
    "{{ cycler.__init__.__globals__ }}": "unsafe",
    "{{ 'a'.encode() }}": "may not be called",
    "{{ [1] | random }}": "random",
    "{% include '/etc/passwd' %}": "passwd",
    "{% include '../mine/x.j2' %}": "mine/x.j2",
}


@pytest.mark.few(4)
@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_be_too_much_is_told_with_its_file_and_line(text: str) -> None:
    with pytest.raises(SpecError) as fault:
        rendered(text)
    assert HOSTILE[text] in str(fault.value)
    assert str(fault.value).startswith("/somewhere/mine/x.j2:1:")


HARMLESS = {
    "{% for i in range(3) %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}": "0, 1, 2",
    "{{ 'a' ~ 1 ~ 'b' }}{{ [1, 2][1:] | join }}{{ {'a': 'x'}['a'] }}{{ (1, 2) | length }}": "a1b2x2",
    "{{ 'Ada' | upper | center(9) | trim }}{{ '%02d' | format(7) }}{{ '{:>3}'.format(1) }}": "ADA07  1",
    "{{ 2 ** 10 * 3 % 7 }}{{ 'a, b'.split(', ') | reverse | join('+') }}": "6b+a",
    "{% macro f(n) %}<{{ n }}>{% endmacro %}{{ f(100000) }}{{ 1 if 1 < 2 and 'a' in 'ab' }}": "<100000>1",
    "{% set x %}long{% endset %}{% filter upper %}{{ x }}{% endfilter %}{{ [3, 1] | sort | first }}": "LONG1",
}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_templates_usually_do_they_may(text: str) -> None:
    assert rendered(text) == HARMLESS[text] + "\n"


def parts(value: Any) -> Iterator[Any]:
    yield value
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    for one in inside:
        yield from parts(one)


def test_a_template_is_given_plain_data() -> None:
    press = build("linear-regression", ()).press
    given = Given().of(press.document)
    assert is_plain(given)
    assert set(given) == {"type", "at", "title", "language", "blocks"}
    assert {type(one).__name__ for one in parts(given)} <= {
        *("mappingproxy", "tuple", "str", "Text", "int", "bool", "NoneType")
    }
    formulas = [block["formula"] for block in given["blocks"] if block["type"] == "Display"]
    assert any(text.endswith("= 0.845") for text in formulas)


def test_what_plain_data_stands_for_is_found_again() -> None:
    press = build("linear-regression", ()).press
    data = Given()
    given = data.of(press.document)
    assert data.back(given) is press.document
    for shown, block in zip(given["blocks"], press.document.blocks, strict=True):
        assert data.back(shown) is block
    words = given["blocks"][0]["words"]
    assert isinstance(words, Text)
    assert data.back(words) is press.document.blocks[0].words  # type: ignore[union-attr]


def test_no_filter_and_no_name_of_our_templates_hands_out_an_object() -> None:
    """Whatever our own templates are given, and what their filters give, is plain: seen at every call."""
    seen: list[Any] = []
    original = Given.of

    def noted(self: Given, value: Any) -> Any:
        seen.append(original(self, value))
        return seen[-1]

    page = build("linear-regression", ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Given, "of", noted)
        for form in ("md", "tex", "beamer", "html", "slides", "typ"):
            page.content(form)
    assert len(seen) > 1000
    assert all(map(is_plain, seen))


def test_our_own_templates_have_no_limits_to_run_into() -> None:
    assert environment(str, {}).meter is None  # type: ignore[attr-defined]
    assert templates_folder().is_dir()
