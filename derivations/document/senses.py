"""What an author's words for ours may not do: turn a sentence round, or claim a number of their own.

``negative, so {} shrinks`` said as ``negative, so {} grows`` would be false, and no witness reads words of an
author's. So the pairs of opposites below must stand as they stand in our text, negations too, in any of our
languages; numbers and signs must be those of our text; and what fills two holes may change places only where
the sentence, or one of our translations, allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter

from derivations.notation.languages import LANGUAGES, SOURCE
from derivations.notation.locales import locale
from derivations.notation.numerals import numerals, unmasked

OPPOSITES = (
    (
        """grow grows growing grew increase increases rise rises climb climbs gain gains wächst wachsen
        steigt steigen zunimmt augmente augmentent croît grandit monte crece crecen aumenta
        aumentan sube 增大 增加 变大 上升 增长""",
        """shrink shrinks shrinking shrank decrease decreases fall falls drop drops diminish diminishes
        decline declines dwindle dwindles reduce reduces lose loses schrumpft sinkt sinken
        fällt fallen abnimmt diminue diminuent décroît baisse disminuye disminuyen decrece
        baja reduce 减小 减少 变小 下降 降低""",
    ),
    (
        """positive positiv positiven positif positifs positives positivo positiva positivos 正""",
        """negative negativ negativen négatif négative négatifs négatives negativo negativa negativos 负""",
    ),
    (
        """larger greater bigger more above most largest biggest greatest maximum maximal highest
        higher upper größer mehr über größte größten höchste supérieur supérieure mayor
        mayores más máximo superior grand grande 大于 最大 更大 高于""",
        """smaller less fewer below least smallest fewest minimum minimal lowest lower kleiner weniger
        unter kleinste kleinsten niedrigste inférieur inférieure moins menor menores menos
        mínimo inferior petit petite 小于 最小 更小 低于""",
    ),
    (
        """with using mit avec con 带有 使用""",
        """without lacking ohne sans sin 没有 不带 不用 无""",
    ),
    (
        """after afterwards later next last nach danach letzte letzten après dernier dernière después
        último 之后 最后""",
        """before earlier previous vor zuvor vorher avant précédent antes anterior 之前 前一""",
    ),
    (
        """all every each always any alle jede jeder jedes immer tous toutes chaque toujours todos
        todas cada siempre 所有 每""",
        """none never nothing kein keine nie nichts aucun aucune jamais rien ninguno ninguna nunca nada
        从不 毫无""",
    ),
    (
        """exact exactly exakt genau exacte exactement exacto exacta exactamente 精确 准确""",
        """rounded approximate approximately roughly inexact gerundet ungefähr arrondi arrondis
        approximativement redondeado redondeados aproximadamente 舍入 近似 大约""",
    ),
    (
        """add adds added plus sum addiert summe ajoute ajouté somme suma sumado 加上 之和""",
        """subtract subtracts subtracted minus difference subtrahiert differenz soustrait différence
        resta restado 减去 之差""",
    ),
    (
        """equal equals same identical gleich égal égale même igual mismo misma 相等 相同 等于""",
        """different differ differs unequal verschieden ungleich différent différente distinto
        diferente 不同 不等""",
    ),
    (
        """correct right true agree agrees confirmed richtig wahr correct vrai correcto verdadero
        正确 一致""",
        """incorrect wrong false disagree disagrees refuted falsch faux incorrecto falso 错误""",
    ),
    (
        """multiply multiplied times multipliziert multiplié multiplicado 乘""",
        """divide divided quotient dividiert geteilt divisé dividido 除""",
    ),
    (
        """best improves improve better beste verbessert meilleur mejor 最好 改善 更好""",
        """worst worsens worse schlechter pire peor 最差 更差 恶化""",
    ),
    (
        """converge converges konvergiert convergent 收敛""",
        """diverge diverges divergiert divergent 发散""",
    ),
    (
        """forward vorwärts avant adelante 前向""",
        """backward backwards rückwärts arrière atrás 反向""",
    ),
)
"""Words and their opposites in our languages."""
NEGATIONS = """not no cannot isn aren doesn don didn won nor neither hardly nicht kein keine keinen weder pas
    non aucun aucune ni jamás tampoco 不 没 非 未 别"""
ASYMMETRIC = """of from to than by over under before after minus divided between into for is are per at on
    because so gives with in"""
SIGNS = re.compile(r"[=≈≠<>≤≥+−×·^√ΣΠ∑∏∂∇∞±%∝≡←→*]")
HOLE = re.compile(r"\{\d*\}")


def turned(ours: str, theirs: str, language: str) -> str:
    """What is wrong with an author's words for a text of ours; empty if nothing is."""
    same = [ours, locale(language).text(ours)]
    said, known = HOLE.sub(" □ ", theirs), [HOLE.sub(" □ ", one) for one in same]
    return next(_faults(said, known, language), "") or _order(ours, theirs)


def _faults(theirs: str, same: list[str], language: str) -> Iterator[str]:
    known = {one.value for text in same for spoken in {language, SOURCE} for one in numerals(text, spoken)}
    for one in numerals(theirs, language):
        if one.value not in known:
            yield f"the number '{one.text}'"
    signs = {sign for text in same for sign in SIGNS.findall(unmasked(text))}
    for sign in SIGNS.findall(unmasked(theirs)):
        if sign not in signs:
            yield f"the sign '{sign}'"
    for up, down in OPPOSITES:
        here = [_first(theirs, words) for words in (up, down)]
        ours_too = [any(_first(text, words) for text in same) for words in (up, down)]
        for at in (0, 1):
            if here[at] and ours_too[1 - at] and not ours_too[at]:
                yield f"'{here[at]}', which turns it round,"
    if _negations(theirs) % 2 not in {_negations(text) % 2 for text in same}:
        yield "another number of negations, which may turn it round,"


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", unmasked(text).lower())


def _first(text: str, words: str) -> str:
    """The first of some words in a text; Chinese ones may stand anywhere."""
    tokens = set(_tokens(text))
    for word in words.split():
        if word in tokens or (word > "\u2e80" and word in text):
            return word
    return ""


def _negations(text: str) -> int:
    words = NEGATIONS.split()
    found = sum(token in words for token in _tokens(text))
    return found + sum(text.count(word) for word in words if word > "\u2e80")


def _order(ours: str, theirs: str) -> str:
    """What is wrong with the order of the holes."""
    wanted = {_holes(ours), *(_holes(locale(language).text(ours)) for language in LANGUAGES)}
    if _holes(theirs) in wanted or not set(ASYMMETRIC.split()) & set(_tokens(ours)):
        return ""
    return "the holes in an order that gives it another meaning"


def _holes(text: str) -> tuple[int, ...]:
    names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    return tuple(int(name) if name else place for place, name in enumerate(names))
