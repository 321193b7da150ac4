"""Content packages of learning systems: an archive with the same bytes for the same files, its manifest."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from lxml import etree

from derivations.exercises.bank import Answer

CONTENT = "http://www.imsglobal.org/xsd/imscp_v1p1"
NEVER = (1980, 1, 1, 0, 0, 0)  # the date of every file
FINER = 6  # decimal places of a tolerance after those of an answer


@dataclass(frozen=True)
class Resource:
    """A file of a package for its manifest, with further files and the resources that it needs."""

    identifier: str
    kind: str
    href: str
    files: Sequence[str]
    needs: Sequence[str] = ()


def packed(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive: names in their order, no dates."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, NEVER), content, zipfile.ZIP_DEFLATED)
    return found.getvalue()


def manifest(identifier: str, schema: Sequence[str], resources: Iterable[Resource]) -> etree._Element:
    """``imsmanifest.xml`` of a package; ``schema`` is its name and version."""
    found = etree.Element(f"{{{CONTENT}}}manifest", {"identifier": identifier}, {None: CONTENT})
    metadata = _add(found, "metadata")
    for tag, text in zip(("schema", "schemaversion"), schema, strict=True):
        _add(metadata, tag).text = text
    _add(found, "organizations")
    listed = _add(found, "resources")
    for each in resources:
        own = _add(listed, "resource", identifier=each.identifier, type=each.kind)
        if each.href:
            own.set("href", each.href)
        for file in each.files:
            _add(own, "file", href=file)
        for need in each.needs:
            _add(own, "dependency", identifierref=need)
    return found


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{CONTENT}}}{tag}", attributes)


def xml(element: etree._Element) -> bytes:
    """An XML file."""
    found: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=True)
    return found


def tolerances(answer: Answer, places: int) -> tuple[Fraction, Fraction]:
    """How far below and above the printed answer an answer is accepted.

    A decimal, never less than what the bank accepts: a little more, so that the ends are inside whatever a
    system rounds; 0 stays 0.
    """
    key = answer.printed.value
    return beyond(key - answer.accepted.low, places), beyond(answer.accepted.high - key, places)


def beyond(room: Fraction, places: int) -> Fraction:
    """The least decimal of `FINER` further places that is more than a number; 0 stays 0."""
    unit = 10 ** (places + FINER)
    return Fraction(floor(room * unit) + 1, unit) if room else room
