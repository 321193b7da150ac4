r"""What an author may add to LaTeX: themes, fonts, margins and ordinary text; nothing that redefines.

A preamble can make ``\approx`` print an equals sign, round what siunitx prints, read files or run programs.
So it is not searched for what is bad: only statements of the kinds below may stand in it, with packages and
classes that change how a page looks and not what it says. In the text only commands of ordinary text, and
those that our own page has, may stand beside formulas, which are read like all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from derivations.formats.added import Judge, added, hold, names, without_templates
from derivations.formats.press import Press

CLASSES = names("article report book scrartcl scrreprt scrbook extarticle memoir amsart exam beamer")
FONTS = names(
    """lmodern mathpazo mathptmx palatino times helvet courier charter bookman newcent utopia fourier
    kpfonts newtxtext newtxmath newpxtext newpxmath libertine libertinus libertinust1math tgpagella
    tgtermes tgheros tgcursor tgschola tgbonum tgadventor qpxmath XCharter cochineal ebgaramond
    garamondx crimson CrimsonPro sourcesanspro sourceserifpro sourcecodepro FiraSans FiraMono roboto
    opensans lato noto plex-sans plex-serif inconsolata beramono cmbright eulervm euler ccfonts
    concrete stix stix2 mlmodern textcomp"""
)
LAYOUT = names(
    """geometry fancyhdr lastpage titlesec titling tocloft sectsty parskip setspace microtype ragged2e
    multicol enumitem xcolor color graphicx hyperref url bookmark babel csquotes fontenc inputenc
    caption booktabs array longtable tabularx adjustbox needspace amsmath amssymb amsfonts bm
    siunitx tikz listings tcolorbox mdframed framed lineno CJKutf8 indentfirst footmisc emptypage"""
)
THEMES = names(
    """default AnnArbor Antibes Bergen Berkeley Berlin Boadilla boxes CambridgeUS Copenhagen Darmstadt
    Dresden EastLansing Frankfurt Goettingen Hannover Ilmenau JuanLesPins Luebeck Madrid Malmoe
    Marburg Montpellier PaloAlto Pittsburgh Rochester Singapore Szeged Warsaw metropolis moloch
    albatross beaver beetle crane dolphin dove fly lily monarca orchid rose seagull seahorse
    sidebartab spruce structure whale wolverine professionalfonts serif structurebold
    structureitalicserif structuresmallcapsserif circles inmargin rectangles rounded infolines
    miniframes shadow sidebar smoothbars smoothtree split tree"""
)
LANGUAGES = names("english british american UKenglish USenglish german ngerman french spanish")
OPTIONS = {
    **dict.fromkeys(["siunitx", "tikz", "listings", "amsmath", "amssymb", "bm"], r""),
    "fontenc": r"(?:T1|TS1|OT1)(?:,(?:T1|TS1|OT1))*",  # others make Greek letters of Latin ones
    "inputenc": r"utf8",
    "babel": rf"(?:(?:provide=\*|(?:main=)?(?:{'|'.join(LANGUAGES)})),?)+",
}
ANY = r"[\w\s.,:=/*+-]*"
LENGTH = (
    r"-?\d*\.?\d+\s*(?:pt|mm|cm|in|em|ex|bp|pc|sp)(?:\s+(?:plus|minus)\s+\d*\.?\d+\s*(?:pt|mm|cm|em|ex))*"
)
LENGTHS = names("parindent parskip jot headheight headsep footskip columnsep columnseprule tabcolsep")
NAMED = r"(?!white\b|black\b|red\b|green\b|blue\b|fg\b|bg\b)[A-Za-z]\w*"  # colours of their own, not ours
ELEMENTS = r"(?!normal text|math text|background|alerted)[a-z ]+"
STATEMENTS = [
    rf"\\documentclass(?:\[{ANY}\])?\{{(?:{'|'.join(CLASSES)})\}}",
    rf"\\use(?:color|font|inner|outer)?theme(?:\[{ANY}\])?\{{(?:{'|'.join(THEMES)})\}}",
    rf"\\geometry\{{{ANY}\}}",
    r"\\(?:this)?pagestyle\{(?:plain|empty|headings|fancy)\}",
    rf"\\setlength\{{?\\(?:{'|'.join(LENGTHS)})\}}?\{{{LENGTH}\}}",
    r"\\(?:linespread|setstretch)\{[\d.]+\}|\\selectfont\b",
    r"\\(?:onehalfspacing|doublespacing|singlespacing|raggedbottom|flushbottom|sloppy|frenchspacing)\b",
    r"\\(?:fancyhf|fancyhead|fancyfoot)(?:\[[A-Z,]*\])?\{(?P<said>[^{}\\]*)\}",
    r"\\(?:title|subtitle|author|institute|date|subject|keywords)(?:\[[^{}\\\[\]]*\])?\{(?P<words>[^{}\\]*)\}",
    rf"\\hypersetup\{{{ANY}\}}|\\setbeamersize\{{{ANY}\}}|\\captionsetup\{{{ANY}\}}",
    rf"\\definecolor\{{{NAMED}\}}\{{(?:rgb|RGB|HTML|gray|cmyk)\}}\{{[\w.,\s]*\}}",
    rf"\\setbeamercolor\*?\{{{ELEMENTS}\}}\{{{ANY}\}}",
    r"\\setbeamertemplate\{(?:navigation symbols|headline|footline)\}\{\}",
    r"\\setbeamertemplate\{(?:footline|headline)\}\[(?:frame number|default|infolines theme|split theme)\]",
    r"\\setbeamerfont\*?\{[a-z ]+\}\{(?:(?:size=\\(?:tiny|small|normalsize|large|Large|LARGE)|"
    r"series=\\bfseries|family=\\(?:rm|sf)family|shape=\\(?:it|sc)shape),?)+\}",
]
STATEMENT = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", one) for one in STATEMENTS))
PACKAGE = re.compile(
    r"\\(?:usepackage|RequirePackage)(?:\[(?P<options>[^\]\\{}]*)\])?\{(?P<names>[\w,\s-]*)\}"
)
COMMANDS = frozenset(
    names(
        """textbf textit emph texttt textsc textsf textrm textmd textup underline par noindent indent bigskip
    medskip smallskip vspace hspace vfill hfill newpage clearpage pagebreak linebreak newline
    centering raggedright raggedleft tiny scriptsize footnotesize small normalsize large Large LARGE
    huge Huge bfseries mdseries itshape upshape scshape sffamily rmfamily ttfamily begin end item
    section subsection subsubsection paragraph footnote quad qquad dots ldots textendash textemdash
    LaTeX TeX copyright S P ss ae oe AE OE o O aa AA l L i j c v u H r k d b t url tableofcontents
    needspace color textcolor structure alert"""
    )
)
SIGNS = frozenset("\\,;!-/&%#_{}$\"'`^~=.@: ")
PLACES = frozenset(
    names(
        """center quote quotation itemize enumerate description flushleft flushright abstract titlepage verse
    block alertblock frame columns column minipage multicols"""
    )
)
DRAWS = frozenset(["draw", "node", "path", "fill", "filldraw", "clip", "color", "pgftext"])
MATHEMATICS = re.compile(r"(?<!\\)\$(?:[^$\\]|\\.)*\$")
COMMENT = re.compile(r"(?<!\\)%.*")
COMMAND = re.compile(r"\\(?:([A-Za-z@]+)\*?|(.)|$)")


def judged_preamble(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What may not stand in a preamble: every statement must be of a known kind."""
    text = "\n".join(COMMENT.sub("", line) for line in lines)
    at = 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        package = PACKAGE.match(text, at)
        found = package or STATEMENT.match(text, at)
        fault = _package(package) if package else ""
        if not found or fault:
            line = text[at:].split("\n")[0]
            yield (found[0] if found else line), fault or f"'{line[:60]}' in the preamble"
            return
        at = found.end()


def _package(found: re.Match[str]) -> str:
    """What is wrong with a package and its options."""
    for name in (one.strip() for one in found["names"].split(",")):
        if name not in (*FONTS, *LAYOUT):
            return f"the package '{name}' in the preamble, which is none of those that change the looks only,"
        options = re.sub(r"\s", "", found["options"] or "")
        if options and not re.fullmatch(OPTIONS.get(name, r"[\w.,:=/*+-]*"), options):
            return f"the option '{options}' of the package '{name}' in the preamble"
    return ""


def judged_text(ours: str) -> Judge:
    """What may not stand in the text; what our own page has may."""
    known = {found[1] for found in COMMAND.finditer(ours) if found[1]} - DRAWS
    places = set(re.findall(r"\\begin\{(\w+\*?)\}", ours)) - {"tikzpicture"}

    def judge(lines: list[str]) -> Iterator[tuple[str, str]]:
        for line in lines:
            shown = MATHEMATICS.sub(" ", COMMENT.sub("", line))
            if "^^" in line:
                yield line, "'^^', a letter by its number,"
            for name, sign in COMMAND.findall(shown):
                if name not in (COMMANDS | known) if name else sign and sign not in SIGNS:
                    yield f"\\{name or sign}", f"the command '\\{name or sign}'"
            for place in re.findall(r"\\(?:begin|end)\{([^}]*)\}", shown):
                if place.rstrip("*") not in PLACES | places:
                    yield f"{{{place}}}", f"the environment '{place}'"

    return judge


BEGIN = "\\begin{document}"


def parts(page: str) -> tuple[str, str]:
    """The preamble of a page, empty for a fragment, and its text."""
    before, found, after = page.partition(BEGIN)
    return (before, after) if found else ("", page)


def hold_latex(page: str, press: Press, write: Callable[[Press], str]) -> None:
    """Raise `CheckFailed` where an author's template adds what may not stand in a page."""
    if press.document.templates is None:
        return
    ours = parts(write(without_templates(press)))
    before, after = parts(page)
    hold(added(before, ours[0]), press, judged_preamble)
    hold(added(after, ours[1]), press, judged_text(ours[1]))
