"""Numbers in words: small whole numbers and the digits after the mark as words, larger ones as digits."""

from __future__ import annotations

from derivations.notation.spoken.phrases import Phrases


def decimal(digits: str, phrases: Phrases) -> str:
    """Canonical digits without a sign: ``10.25`` is "ten point two five", ``127.5`` "127 point five"."""
    whole, _, places = digits.partition(".")
    said = [_whole(whole or "0", phrases)]
    if places:
        said += [phrases.point, *(phrases.numerals[int(digit)] for digit in places)]
    return " ".join(said)


def _whole(digits: str, phrases: Phrases) -> str:
    value = int(digits)
    return phrases.numerals[value] if value < len(phrases.numerals) else str(value)
