"""Numbers in running text, in any script and in words, and relation signs: what words may claim.

``９９``, ``٩٩``, ``𝟗𝟗``, ``½``, ``XCIX``, ``ninety-nine``, ``neunundneunzig`` and ``九十九`` are numbers.
No claims are those that only name something: ``Lecture 3``, ``12 May 2026``, ``L2``, ``ResNet-18``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from derivations.notation.locales import Marks

# --- what only names something ----------------------------------------------------------------

LABELS = """lecture lectures week chapter section exercise exercises sheet part unit problem day session
    lesson module course class tutorial version room vorlesung woche kapitel abschnitt übung
    aufgabe blatt teil einheit tag sitzung lektion modul kurs raum cours semaine chapitre
    exercice feuille partie séance leçon jour salle clase semana capítulo sección ejercicio hoja
    parte unidad día sesión lección módulo aula python pytorch torch"""
MONTHS = """january february march april may june july august september october november december januar
    februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août
    septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto
    septiembre octubre noviembre diciembre"""
TERMS = """term semester spring summer autumn fall winter year ws ss sose wise wintersemester
    sommersemester semestre curso copyright ©"""
YEAR = r"(?:19|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?"


def _any(names: str) -> str:
    return "|".join(sorted(map(re.escape, names.split()), key=len, reverse=True))


NAMED = re.compile(
    rf"https?://\S+|\S+@\S+"
    rf"|(?<![^\W\d_])(?:{_any(LABELS)})\s*(?:n[or°]\.?\s*)?<?(?:\d+(?:\.\d+)*|[IVXLC]+\b)"
    r"|第[\d一二三四五六七八九十百]+[讲周章节课题回天页部]"
    rf"|\b(?:\d\d?\.?\s*(?:(?:de|of)\s+)?)?(?<![^\W\d_])(?:{_any(MONTHS)})\s*(?:\d\d?(?:st|nd|rd|th)?,?\s+)?"
    rf"(?:de\s+)?(?:{YEAR})?(?!\d)"
    rf"|(?<![^\W\d_])(?:{_any(TERMS)})\s*{YEAR}(?!\d)|\b{YEAR}\s*(?:{_any(TERMS)})(?![^\W\d_])"
    r"|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d\d?\.\d\d?\.(?:19|20)\d\d\b|\d{4}年(?:\d\d?月)?(?:\d\d?日)?"
    r"|(?<![^\W\d_])[^\W\d_]\d{1,2}(?!\d)|\b[A-Z][A-Za-z]{2,}-?\d+\b|^\s*\d+(?:\.\d+)*[.)]\s",
    re.IGNORECASE,
)
"""What is no claim: addresses, numbers that follow the name of a part of a course, dates, names as ``L2``."""

# --- words for numbers ------------------------------------------------------------------------

ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn siebzehn achtzehn neunzehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro "
    "veinticinco veintiséis veintisiete veintiocho veintinueve",
}
TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante septante huitante nonante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
POWERS = {
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12},
    "de": {"hundert": 100, "tausend": 1000, "million": 10**6, "millionen": 10**6, "dutzend": 12},
    "fr": {"cent": 100, "cents": 100, "vingts": 20, "mille": 1000, "million": 10**6, "millions": 10**6},
    "es": {"cien": 100, "ciento": 100, "mil": 1000, "millón": 10**6, "millones": 10**6},
}
JOINS = {"en": {"and"}, "de": {"und"}, "fr": {"et"}, "es": {"y"}}
ELSEWHERE = frozenset(
    ("once", "dos", "null", "elf", "cent", "cents", "sept", "neuf", "mil", "tres", "six", "dix")
)
"""Words that mean something else in other languages."""
CHINESE = {**{digit: n for n, digit in enumerate("零一二三四五六七八九")}, "两": 2, "〇": 0}
LARGER = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
SET_PHRASES = re.compile(
    "千万|万一|一一|三角|四舍五入|二次|二元|二分|一致|十分|百分|统一|唯一|第[一二三四五六七八九十]+"
)


@dataclass(frozen=True)
class Numeral:
    """A number in a text: as it is written, and its value, None for one that cannot be told."""

    text: str
    value: Fraction | None


def numerals(text: str, language: str = "en", marks: Marks | None = None) -> Iterator[Numeral]:
    """Every number that a text claims, in digits of any script, Roman, or in words."""
    plain = NAMED.sub(" ", unmasked(text))
    yield from _digits(plain, marks or Marks())
    yield from _roman(plain)
    yield from _in_words(plain, language)
    yield from _in_chinese(SET_PHRASES.sub(" ", plain), language)


def unmasked(text: str) -> str:
    """A text in ordinary letters and digits, without signs that nobody sees."""
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    raised = "".join(f"^{one}" if unicodedata.decomposition(one)[:7] == "<super>" else one for one in shown)
    found = unicodedata.normalize("NFKC", raised)
    digits = (str(unicodedata.digit(one)) if one.isdigit() and not one.isascii() else one for one in found)
    return "".join(digits).replace("⁄", "/")


RELATION = re.compile(r"[=≈≠≤≥≡≅∝≪≫]|:=|\w\s+[<>]\s+\w|\w[<>]\w")


def relation(text: str) -> str:
    """The first relation sign of a text that stands between two things; empty if there is none."""
    found = RELATION.search(unmasked(text))
    return found[0].strip() if found else ""


# --- digits and Roman numerals ----------------------------------------------------------------


def _digits(text: str, marks: Marks) -> Iterator[Numeral]:
    group, point = re.escape(marks.group.strip() or "\0"), re.escape(marks.decimal)
    pattern = rf"[−-]?(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{point}\d+)?(?:·10[−-]?\d+)?"
    for found in re.finditer(pattern, text):
        before = text[found.start() - 1 : found.start()]
        shown = found[0][1:] if found[0][0] in "-−" and before.isalnum() else found[0]
        mantissa, _, power = shown.replace("−", "-").partition("·10")
        yield Numeral(shown, Fraction(marks.canonical(mantissa)) * Fraction(10) ** int(power or 0))
    for letter in text:
        if letter.isnumeric() and not letter.isdigit() and letter not in CHINESE and letter not in LARGER:
            yield Numeral(letter, Fraction(unicodedata.numeric(letter)).limit_denominator(1000))


ROMAN = re.compile(
    r"(?<![^\W_])(?=[IVXLCDM]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![^\W_])"
)
SMALL_ROMAN = re.compile(r"(?<![^\W_(])(?=[ivx]{2,})(?!vi\b|xi\b)x{0,3}(?:ix|iv|v?i{0,3})(?![^\W_)])")
LETTERS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def _roman(text: str) -> Iterator[Numeral]:
    for pattern in (ROMAN, SMALL_ROMAN):
        for found in pattern.finditer(text):
            values = [LETTERS[letter] for letter in found[0].upper()]
            pairs = zip(values, [*values[1:], 0], strict=True)
            yield Numeral(found[0], Fraction(sum(-one if one < after else one for one, after in pairs)))


# --- words ------------------------------------------------------------------------------------


def _table(language: str) -> Mapping[str, int]:
    tens = {word: 10 * n for n, word in enumerate(TENS[language].split(" "), 2)}
    return tens | {word: n for n, word in enumerate(ONES[language].split(" "))} | POWERS[language]


WORDS = {language: _table(language) for language in ONES}


def _in_words(text: str, language: str) -> Iterator[Numeral]:
    """Runs of words for numbers; ``one`` alone is an article in most languages."""
    tokens = re.findall(r"[^\W\d_]+", text.lower())
    for spoken, table in WORDS.items():
        run: list[str] = []
        for token in (*tokens, ""):
            is_known = token in table and (spoken == language or token not in ELSEWHERE)
            parts = [token] if is_known else _cut(token) if spoken == "de" else []
            if parts or (run and token in JOINS[spoken]):
                run += parts or [token]
            elif run:
                yield from _valued(run, spoken)
                run = []


def _cut(token: str) -> list[str]:
    """A German number that is written as one word: ``neunundneunzig``, ``zweihundert``."""
    table, joins = WORDS["de"], JOINS["de"]
    left, found = token, []
    while left:
        known = [word for word in (*table, *joins, "ein") if left.startswith(word)]
        if not known:
            return []
        word = max(known, key=len)
        found.append("eins" if word == "ein" else word)
        left = left[len(word) :]
    return found if len(found) > 1 and found[0] not in joins and found[-1] not in joins else []


def _valued(run: list[str], language: str) -> Iterator[Numeral]:
    table = WORDS[language]
    while run and run[-1] not in table:
        run.pop()
    words = [word for word in run if word in table]
    whole, part = 0, 0
    for at, word in enumerate(words):
        value = table[word]
        is_power = word in POWERS[language]
        if language == "fr" and word in ("vingt", "vingts") and words[at - 1 : at] == ["quatre"]:
            part += 76  # four twenties
        elif is_power and value >= 1000:
            whole, part = whole + (part or 1) * value, 0
        elif is_power:
            part = (part or 1) * value if part < value else part + value
        else:
            part += value
    if words and (whole + part != 1 or len(words) > 1):
        yield Numeral(" ".join(run), Fraction(whole + part))


def _in_chinese(text: str, language: str) -> Iterator[Numeral]:
    """Runs of Chinese numerals; one alone counts where nothing but the end of a clause follows."""
    signs = "".join((*CHINESE, *LARGER))
    for found in re.finditer(rf"[{signs}]+(?:点[{signs}]+)?", text):
        after = text[found.end() : found.end() + 1]
        if len(found[0]) > 1 or (found[0] != "一" and not ("\u4e00" <= after <= "\u9fff")):
            yield Numeral(found[0], _chinese(found[0]))


def _chinese(shown: str) -> Fraction | None:
    before, point, after = shown.partition("点")
    if not point:
        return Fraction(_chinese_whole(before))
    if not all(sign in CHINESE for sign in after):
        return None
    return _chinese_whole(before) + Fraction(_by_digits(after), 10 ** len(after))


def _by_digits(shown: str) -> int:
    return int("".join(str(CHINESE[sign]) for sign in shown))


def _chinese_whole(shown: str) -> int:
    if all(sign in CHINESE for sign in shown):
        return _by_digits(shown or "零")
    whole, part, digit = 0, 0, 0
    for sign in shown:
        if sign in CHINESE:
            digit = CHINESE[sign]
        elif LARGER[sign] >= 10**4:
            whole, part, digit = (whole + part + digit) * LARGER[sign], 0, 0
        else:
            part, digit = part + (digit or 1) * LARGER[sign], 0
    return whole + part + digit
