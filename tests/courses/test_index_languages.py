"""Index pages are in the language of their course or of its pages."""

from __future__ import annotations

from html import unescape
from pathlib import Path, PurePosixPath

import pytest
from lxml import html

from derivations.courses import gallery as gallery_index
from derivations.courses.course import Course, read_course
from derivations.courses.finding import Planned
from derivations.courses.index import TEXTS, write_index
from derivations.courses.inputs import inputs
from derivations.courses.outcome import Outcome
from derivations.language.errors import SpecError
from derivations.notation.languages import LANGUAGES
from derivations.notation.locales import locale
from tests.courses.test_course import spec

TAGS = {language: "zh-Hans" if language == "zh" else language for language in LANGUAGES}


def built(folder: Path, course: Course, **languages: str) -> tuple[str, str]:
    """The index of pages, by name and language, in Markdown and HTML."""
    outcomes = []
    for name, language in languages.items():
        file = folder / f"{name}.toml"
        file.write_text(spec(f"Page {name}", more=f'[page]\nlanguage = "{language}"\n'))
        page = Planned(file, name, PurePosixPath(), inputs(file))
        outcomes.append(Outcome(page, "built", (f"{name}.md", f"{name}.svg")))
    write_index(folder, course, outcomes, ("md", "svg"))
    return (folder / "index.md").read_text(), unescape((folder / "index.html").read_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_index_is_in_the_language_of_its_course(language: str, tmp_path: Path) -> None:
    for course, pages in ((Course("C", (), (), language), "en"), (Course("C"), language)):
        text, page = built(tmp_path, course, a=pages, b=pages)
        said = locale(language)
        assert said.text(TEXTS["verified"]) in text
        assert said.text(TEXTS["verified"]) in page
        assert said.text(TEXTS["picture"]).format("Page a") in text
        found = html.document_fromstring(page)
        assert found.get("lang") == TAGS[language]
        links = found.xpath('//div[@class="page"]/a/@lang')
        assert links == ([] if pages == language else [pages, pages])
        if language != "en":
            assert "verified" not in text + page


def test_pages_in_several_languages_say_theirs(tmp_path: Path) -> None:
    text, page = built(tmp_path, Course("C"), a="de", b="en", c="zh_CN")
    assert TEXTS["verified"] in text
    found = html.document_fromstring(page)
    assert found.get("lang") == "en"
    assert [link.get("lang") for link in found.xpath('//div[@class="page"]/a')] == ["de", None, "zh"]


def test_the_language_of_a_course_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "course.toml"
    file.write_text('language = "zh_Hans"\n')
    assert read_course(tmp_path).language == "zh"
    file.write_text('title = "C"\nlanguage = "xx"\n')
    with pytest.raises(
        SpecError, match=r"course.toml:2:1: language: unknown language. Known languages: .*en"
    ):
        read_course(tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_index_of_the_gallery_has_languages(language: str) -> None:
    text, english = gallery_index.index(language), gallery_index.index()
    assert text.startswith(f"# {locale(language).text(gallery_index.HEADING)}\n")
    assert "`derivations gallery`" in text
    assert (text == english) == (language == "en")
    assert text.count("](") == english.count("](")
