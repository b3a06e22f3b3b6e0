"""Values in a NodeSet2 file (OPC 10000-6 §5.3, Annex F)."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Callable
from typing import Any
from uuid import UUID

from asyncua import ua

from labsim.endpoints.opcua.xml_tree import Element

VT = ua.VariantType
ToNodeId = Callable[[str], Any]
"""A NodeId as the file writes it, to one of this server."""
_WHOLE = ("SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
_BITS = {"true": True, "1": True, "false": False, "0": False}


def value_of(element: Element, node_id: ToNodeId) -> Any:
    """The Variant in a ``Value`` element; None when it is empty.

    Raises:
        ValueError: a type that is not known here, or text that is no value of its type.
    """
    if not element.children:
        return None
    (content,) = element.children[:1]
    is_array = content.name.startswith("ListOf")
    name = content.name.removeprefix("ListOf")
    items = [_item(child, name, node_id) for child in content.children] if is_array else _item(content, name, node_id)
    kind = VT.ExtensionObject if name == "ExtensionObject" else getattr(VT, name, None)
    if kind is None:
        raise ValueError(f"values of type {content.name} are not known here")
    return ua.Variant(items, kind, is_array=is_array)


def _item(element: Element, name: str, node_id: ToNodeId) -> Any:
    text = element.text.strip()
    try:
        if name in _WHOLE:
            return int(text or "0")
        if name in _SIMPLE:
            return _SIMPLE[name](text)
        if name == "String":
            return element.text
        if name in ("NodeId", "ExpandedNodeId"):
            return node_id(element.said("Identifier", "i=0"))
        if name == "LocalizedText":
            return _localized(element)
        if name == "QualifiedName":
            number = int(element.said("NamespaceIndex", "0"))
            return ua.QualifiedName(element.said("Name"), node_id(f"ns={number};i=0").NamespaceIndex)
        if name == "Guid":
            return UUID(element.said("String") or text)
        if name == "ExtensionObject":
            return _structure(element, node_id)
    except (ValueError, KeyError, binascii.Error) as error:
        raise ValueError(f"{text or name!r} is no {name} ({error})") from None
    raise ValueError(f"values of type {name} are not known here")


_SIMPLE: dict[str, Callable[[str], Any]] = {
    "Boolean": lambda text: _BITS[text.lower() or "false"],
    "Float": lambda text: float(text or "0"),
    "Double": lambda text: float(text or "0"),
    "DateTime": lambda text: datetime.datetime.fromisoformat(text),
    "ByteString": lambda text: base64.b64decode("".join(text.split()), validate=True),
    "StatusCode": lambda text: ua.StatusCode(int(text or "0")),
    "XmlElement": lambda text: text,
}


def _localized(element: Element | None) -> Any:
    if element is None:
        return ua.LocalizedText()
    return ua.LocalizedText(element.said("Text"), element.said("Locale") or None)


def _structure(element: Element, node_id: ToNodeId) -> Any:
    body = element.first("Body")
    (content,) = body.children[:1] if body is not None and body.children else (Element("nothing", {}, element.line),)
    said = content.said
    if content.name == "Argument":
        kind = content.first("DataType")
        sizes = content.first("ArrayDimensions")
        return ua.Argument(
            said("Name"),
            node_id(kind.said("Identifier", "i=24") if kind is not None else "i=24"),
            int(said("ValueRank", "-1")),
            [int(size.text) for size in sizes.children] if sizes is not None else [],
            _localized(content.first("Description")),
        )
    if content.name == "EnumValueType":
        names = _localized(content.first("DisplayName")), _localized(content.first("Description"))
        return ua.EnumValueType(int(said("Value", "0")), *names)
    if content.name == "Range":
        return ua.Range(float(said("Low", "0")), float(said("High", "0")))
    if content.name == "EUInformation":
        names = _localized(content.first("DisplayName")), _localized(content.first("Description"))
        return ua.EUInformation(said("NamespaceUri"), int(said("UnitId", "-1")), *names)
    raise ValueError(f"structures of type {content.name} are not known here")
