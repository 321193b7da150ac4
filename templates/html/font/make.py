"""Make derivations-math.woff2 again from Latin Modern Math: the characters that pages can use, renamed.

    apt-get install fonts-lmodern && pip install fonttools brotli && python templates/html/font/make.py

Latin Modern Math 1.959 is by B. Jackowski, P. Strzelczyk and P. Pianowski (GUST e-foundry), under the
GUST Font License beside this file, which asks that what is derived from it be given another name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCE = "/usr/share/texmf/fonts/opentype/public/lm-math/latinmodern-math.otf"
NAME = "Derivations Math"
PRIMES = {0x2032: "minute.st", 0x2033: "uni2033.st", 0x2034: "uni2034.st"}
SIGNS = "·×±¯ˆ˜−′″‴…⋯∂∇∑∏√⊙⊘⊗≈←→≤≥≠⊤‖⌈⌉⌊⌋∞∈ıȷℎ\u00a0\u0302\u0303\u0304\u2009\u202f\u2061\u2062"
RANGES = (
    (0x20, 0x7E),
    (0x391, 0x3A9),  # Greek
    (0x3B1, 0x3C9),
    (0x1D400, 0x1D467),  # bold and italic letters
    (0x1D6A4, 0x1D6A5),
    (0x1D6E2, 0x1D71B),  # italic Greek
    (0x1D7CE, 0x1D7D7),  # bold digits
)


def make(source: str, target: Path) -> None:
    """Write the subset; the same source gives the same bytes."""
    font = TTFont(source, recalcTimestamp=False)
    for table in font["cmap"].tables:  # browsers do not take the primes that are made for superscripts
        table.cmap.update({code: name for code, name in PRIMES.items() if code in table.cmap})
    options = Options(flavor="woff2", layout_features=["kern", "mark", "mkmk"], hinting=False)
    options.desubroutinize = True
    subsetter = Subsetter(options)
    letters = {ord(letter) for letter in f"{SIGNS}ϕϵϑ"}
    subsetter.populate(unicodes=letters.union(*(range(low, high + 1) for low, high in RANGES)))
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = NAME.replace(" ", "") if record.nameID == 6 else NAME
    font["CFF "].cff.fontNames = [NAME.replace(" ", "")]
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else SOURCE, Path(__file__).with_name("derivations-math.woff2"))
