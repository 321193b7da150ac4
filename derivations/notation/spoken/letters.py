"""Letters and names in words, told apart where they would sound alike."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from derivations.catalogue import functions
from derivations.notation.spoken.phrases import Phrases
from derivations.notation.symbols import LOWER, Symbol, Symbols
from derivations.notation.typeset import STEM

# --- Numbers in words: small whole numbers and the digits after the mark as words, larger ones as digits ---


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


@dataclass(frozen=True)
class Letters:
    r"""The symbols of a page in words: ``\hat y`` is "y hat", ``\eta`` "eta".

    A capital letter is called so where the small one stands on the page too, a word where it would be
    taken for one of the phrases: "the name over".
    """

    symbols: Symbols
    phrases: Phrases

    @cached_property
    def sounds(self) -> Counter[str]:
        """How many different letters and words of the page sound alike, capitals and accents aside."""
        stems = {symbol.stem for symbol in self.symbols.table.values()}
        stems |= {row.symbol.stem for row in self.symbols.named} | {self.symbols.count}
        stems |= set(self.symbols.letters.values())
        bare = {stem.split(" ", 1)[1] if " " in stem else stem for stem in stems}
        return Counter(self.plain(stem).lower() for stem in bare)

    @cached_property
    def greek(self) -> dict[str, str]:
        """The names of the Greek letters in the language."""
        return dict(zip(LOWER.split(), self.phrases.greek.split(), strict=True))

    def plain(self, stem: str) -> str:
        """A letter without accent as it sounds."""
        found = STEM.fullmatch(stem)
        assert found, stem
        if found["name"]:
            name = found["name"].removeprefix("var")
            return self.greek.get(name.lower(), name)
        return str(found["word"] or found["letter"])

    def stem(self, stem: str) -> str:
        """A letter or a word with its accent."""
        found = STEM.fullmatch(stem)
        assert found, stem
        bare = stem.split(" ", 1)[1] if found["accent"] else stem
        said = self.word(found["word"]) if found["word"] is not None else self.letter(bare)
        return f"{said} {self.phrases.accents[found['accent']]}" if found["accent"] else said

    def letter(self, stem: str) -> str:
        r"""``w``, ``W``, ``\eta``, ``\Gamma``, ``\varepsilon``."""
        said = self.plain(stem)
        has_twin = self.sounds[said.lower()] > 1
        name = stem.lstrip("\\")
        if name[0].isupper() and (has_twin or name != stem):
            return self.phrases.capital.format(said)
        return self.phrases.variant.format(said) if has_twin and name.startswith("var") else said

    def index(self, name: str) -> str:
        """The letter of an index, or of its twin ``i1``, as the author writes it."""
        written = self.symbols.letter(name)
        return self.letter(written[:1]) + written[1:]

    def word(self, word: str) -> str:
        """A name in upright letters; the dots in it are said."""
        said = f" {self.phrases.dot} ".join(word.split("."))
        has_twin = self.sounds[word.lower()] > 1
        is_strange = has_twin or not self.phrases.words.isdisjoint(word.lower().split("."))
        said = self.phrases.name.format(said) if is_strange else said
        return self.phrases.capital.format(said) if has_twin and word != word.lower() else said

    def bare(self, symbol: Symbol) -> str:
        """A symbol without its subscripts: ``a prime superscript one``."""
        said = " ".join([self.stem(symbol.stem), *[self.phrases.prime] * len(symbol.primes)])
        return self.phrases.above.format(said, self.subscript(symbol.above)) if symbol.above else said

    def subscript(self, text: str | Symbol) -> str:
        """A fixed subscript: a number, a letter, a word, or a symbol with its own."""
        if isinstance(text, Symbol):
            said = self.bare(text)
            below = f" {self.phrases.comma} ".join(map(self.subscript, text.subscripts))
            return f"{said} {self.phrases.sub} {below}" if below else said
        if text.isdigit():
            return decimal(text, self.phrases)
        return text if len(text) == 1 else self.word(text)

    def function(self, name: str) -> str:
        """What a function is called: by the language, by its row, or as it is printed."""
        if name in self.phrases.functions:
            return self.phrases.functions[name]
        row = functions.BY_NAME.get(name)
        if row is None:
            return name.replace("_", " ")
        printed = re.sub(r"\\mathrm|\W", "", row.latex)
        return row.spoken if row.spoken and self.phrases.has_rows else printed
