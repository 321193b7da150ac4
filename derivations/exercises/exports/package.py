"""Content packages of learning systems: what stands in their manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

CONTENT = "http://www.imsglobal.org/xsd/imscp_v1p1"
COMMON_CARTRIDGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"


@dataclass(frozen=True)
class Resource:
    """A file of a package for its manifest, with further files and the resources that it needs."""

    identifier: str
    kind: str
    href: str
    files: Sequence[str]
    needs: Sequence[str] = ()


def manifest(
    identifier: str, schema: tuple[str, str], resources: Iterable[Resource], space: str = CONTENT
) -> etree._Element:
    """``imsmanifest.xml`` of a package; ``schema`` is its name and version, ``space`` the namespace."""
    found = etree.Element(f"{{{space}}}manifest", {"identifier": identifier}, {None: space})
    metadata = _add(found, "metadata")
    for tag, text in zip(("schema", "schemaversion"), schema, strict=True):
        _add(metadata, tag).text = text
    _add(found, "organizations")
    listed = _add(found, "resources")
    for each in resources:
        _resource(listed, each)
    return found


def _resource(parent: etree._Element, each: Resource) -> None:
    found = _add(parent, "resource", identifier=each.identifier, type=each.kind)
    if each.href:
        found.set("href", each.href)
    for file in each.files:
        _add(found, "file", href=file)
    for need in each.needs:
        _add(found, "dependency", identifierref=need)


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    """An element in the namespace of its parent."""
    return etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}", attributes)


def xml(element: etree._Element) -> bytes:
    """An XML file."""
    found: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=True)
    return found
