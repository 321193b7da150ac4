"""Text for Typst: which letters a page shows, and how Typst's markup says them literally.

The fonts of the wheel ``typst`` have Latin, Greek and Cyrillic letters and signs. A letter that they lack is
shown as its code point, for a missing glyph must never be silent, and for the same reason no font of the
machine stands in for it; only a Chinese page is set with one.
"""

from __future__ import annotations

import re
import unicodedata

from derivations.language.errors import CheckFailed
from derivations.notation.typst import quoted

MARKUP = frozenset("\\#$*_`<>@[]~{}")
JOINING = frozenset("-+=/")  # markup at the start of a line or beside their like
SHOWN = (
    "\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff\u0400-\u0482"
    "\u048a-\u04ff\u1e00-\u1eff\u2010-\u2015\u2018-\u2022\u2026\u202f\u2030-\u2033\u2039\u203a\u2070\u2074-\u208e"
    "\u00a0\u20a0-\u20bf\u2190-\u2199\u2200-\u2209\u220f-\u2213\u2218-\u221e\u2227-\u222b\u2248\u2260-\u2265"
    "\u2295-\u2299\u22a4\u22a5\u22c5"
)
CHINESE = "\u3000-\u3029\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5e"
REPERTOIRE, WITH_CHINESE = re.compile(f"[{SHOWN}]"), re.compile(f"[{SHOWN}{CHINESE}]")
LONG_WORD, LONG_TOKEN = re.compile(r"\S{40,}"), re.compile(r"\S{72,}")  # may be broken anywhere
BREAK = "\u200b"
FONT = "New Computer Modern"
CHINESE_FONTS = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Songti SC",
    "SimSun",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)


def is_chinese(language: str) -> bool:
    """Whether a page of this language is set with a Chinese font of the machine."""
    return code(language) == "zh"


def code(language: str) -> str:
    """The language without its region: ``zh`` for ``zh_Hans_CN``."""
    return re.split("[-_]", language)[0].lower()


def fonts(language: str) -> tuple[str, ...]:
    """The fonts of a page, the first that has a letter gives it.

    Raises `CheckFailed` for a Chinese page on a machine without a Chinese font.
    """
    if not is_chinese(language):
        return (FONT,)
    import typst

    known = set(typst.Fonts(include_embedded_fonts=False).families())
    found = next((name for name in CHINESE_FONTS if name in known), None)
    if found is None:
        raise CheckFailed(
            "a Chinese page cannot be set as PDF here: no Chinese font was found",
            hint=f"Install one, such as {CHINESE_FONTS[0]} (fonts-noto-cjk), or choose another format.",
        )
    return FONT, found


def shown(text: str, language: str = "en") -> str:
    """The letters that a page shows for a text: blanks for controls, code points for what the fonts lack."""
    text = re.sub(r"[ \t\n\r\f\v\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", unicodedata.normalize("NFC", text))
    return "".join(_letter(letter, language) for letter in text)


def _letter(letter: str, language: str) -> str:
    repertoire = WITH_CHINESE if is_chinese(language) else REPERTOIRE
    return letter if repertoire.fullmatch(letter) else f"[U+{ord(letter):04X}]"


def escape(text: str, language: str = "en") -> str:
    """Text as literal text of Typst's markup."""
    text = shown(text, language)
    ends = {at for word in LONG_WORD.finditer(text) for at in range(word.start() + 1, word.end())}
    return "".join(BREAK * (at in ends) + _escaped(text, at) for at in range(len(text)))


def _escaped(text: str, at: int) -> str:
    letter, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if letter == ".":  # dots in a row are an ellipsis, a number before a dot may open a list
        special = "." in (before, after) or text[:at].strip().isdigit()
    else:
        special = letter in MARKUP or (letter in JOINING and not (before.isalpha() and after.isalpha()))
    return f"\\{letter}" if special else letter


def verbatim(text: str, language: str = "en") -> str:
    """A listing as a string of Typst, line by line."""
    lines = (line.replace("\t", "    ") for line in text.rstrip("\n").split("\n"))
    visible = ("".join(_letter(letter, language) for letter in line) for line in lines)
    return quoted("\n".join(LONG_TOKEN.sub(lambda token: BREAK.join(token[0]), line) for line in visible))
