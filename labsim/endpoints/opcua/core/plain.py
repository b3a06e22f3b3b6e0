"""Values of built-in types as JSON can hold them, and back: what devices are given, and what is kept of them.

A DateTime is RFC 3339 text, a ByteString base64, a NodeId, QualifiedName or Guid its text, a LocalizedText its text alone. On
the way out a LocalizedText may also be a mapping by locale.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from asyncua import ua
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import SafeBuffer
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import key_of, node_id

_UINT32 = struct.Struct("<I")
_NUMBERS = {
    kind: struct.Struct("<" + code) for kind, code in zip(range(1, 12), "?bBhHiIqQfd", strict=True)
}  # fmt: skip
_DATE_TIME, _GUID, _BYTES, _XML, _NODE, _EXPANDED, _STATUS, _NAME, _TEXT = range(13, 22)
Plain = Mapping[str, Any]
"""What a structure says, by field name."""


class Packed(ua.ExtensionObject):  # type: ignore[misc]  # asyncua is untyped for us
    """An encoded structure that still knows what it says."""

    plain: Plain

    def __init__(self, encoding: Any, body: bytes, plain: Plain) -> None:
        super().__init__(TypeId=encoding, Body=body)
        object.__setattr__(self, "plain", plain)  # asyncua's class is frozen


def pack_leaf(kind: int, value: Any, locales: Locales = ()) -> bytes:
    """A plain value as a built-in type; None is its empty value."""
    if kind in _NUMBERS:
        return _NUMBERS[kind].pack(value if value is not None else 0)
    if kind == nodes.ANY:
        return bytes(ua_binary.variant_to_binary(variant_of(value)))
    return _pack_other(kind, value, locales)


def _pack_other(kind: int, value: Any, locales: Locales) -> bytes:
    primitives = ua_binary.Primitives
    packers: dict[int, Callable[[], bytes]] = {
        12: lambda: primitives.String.pack(value),
        _DATE_TIME: lambda: primitives.DateTime.pack(datetime_from(value)),
        _GUID: lambda: primitives.Guid.pack(UUID(value or "0" * 32)),
        _BYTES: lambda: primitives.ByteString.pack(base64.b64decode(value) if value is not None else None),
        _XML: lambda: primitives.String.pack(value),
        _NODE: lambda: ua_binary.nodeid_to_binary(ua.NodeId.from_string(value) if value else ua.NodeId()),
        _EXPANDED: lambda: ua_binary.nodeid_to_binary(ua.NodeId.from_string(value) if value else ua.NodeId()),
        _STATUS: lambda: _UINT32.pack(value or 0),
        _NAME: lambda: ua_binary.struct_to_binary(qualified_name(value)),
        _TEXT: lambda: ua_binary.struct_to_binary(localized_text(value, locales)),
    }
    if kind not in packers:
        raise ValueError(f"built-in type {kind} has no plain form")
    return bytes(packers[kind]())


def read_leaf(kind: int, buffer: SafeBuffer) -> Any:
    """A value of a built-in type, as a plain one."""
    if kind in _NUMBERS:
        layout = _NUMBERS[kind]
        return layout.unpack(buffer.read(layout.size))[0]
    primitives = ua_binary.Primitives
    readers: dict[int, Callable[[], Any]] = {
        12: lambda: primitives.String.unpack(buffer),
        _DATE_TIME: lambda: primitives.DateTime.unpack(buffer),
        _GUID: lambda: primitives.Guid.unpack(buffer),
        _BYTES: lambda: primitives.ByteString.unpack(buffer),
        _XML: lambda: primitives.String.unpack(buffer),
        _NODE: lambda: ua_binary.nodeid_from_binary(buffer),
        _EXPANDED: lambda: ua_binary.nodeid_from_binary(buffer),
        _STATUS: lambda: int(_UINT32.unpack(buffer.read(4))[0]),
        _NAME: lambda: ua_binary.struct_from_binary(ua.QualifiedName, buffer),
        _TEXT: lambda: ua_binary.struct_from_binary(ua.LocalizedText, buffer),
        nodes.ANY: lambda: ua_binary.variant_from_binary(buffer).Value,
    }
    if kind not in readers:
        raise ValueError(f"built-in type {kind} has no plain form")
    return plain_of(readers[kind]())


def plain_of(value: Any) -> Any:
    """A value as asyncua has it, as JSON can hold it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case dt.datetime():
            aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
            return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case list() | tuple():
            return [plain_of(one) for one in value]
        case Packed():
            return value.plain
        case ua.LocalizedText():
            return value.Text or ""
        case ua.QualifiedName():
            return f"{value.NamespaceIndex}:{value.Name}" if value.NamespaceIndex else value.Name
        case ua.NodeId():
            return value.to_string()
        case ua.StatusCode():
            return int(value.value)
        case ua.Variant():
            return plain_of(value.Value)
    return str(value)


def variant_of(value: Any) -> Any:
    """A Variant of a plain value whose type nobody says: Boolean, Int64, Double or String, or an array of one of them."""
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    kinds = ((bool, ua.VariantType.Boolean), (int, ua.VariantType.Int64), (float, ua.VariantType.Double))
    kind = next((kind for cls, kind in kinds if isinstance(first, cls)), ua.VariantType.String)
    return ua.Variant() if value is None else ua.Variant(value, kind, is_array=isinstance(value, (list, tuple)))


def leaf_variant(kind: int, value: Any, is_array: bool, locales: Locales = ()) -> Any:
    """A Variant of a plain value of a built-in type."""
    if kind == nodes.ANY:
        return variant_of(value)
    items = [_leaf(kind, one, locales) for one in value or ()] if is_array else _leaf(kind, value, locales)
    return ua.Variant(items, ua.VariantType(kind), is_array=is_array)


def _leaf(kind: int, value: Any, locales: Locales) -> Any:
    match kind:
        case 13:
            return datetime_from(value)
        case 20:
            return qualified_name(value)
        case 21:
            return localized_text(value, locales)
        case 15:
            return base64.b64decode(value) if value is not None else None
        case 17:
            return node_id(key_of(ua.NodeId.from_string(value))) if value else ua.NodeId()
    return value


def datetime_from(value: str | None) -> dt.datetime:
    """The moment of RFC 3339 text; without one the least there is (OPC 10000-6 §5.2.2.5)."""
    if not value:
        return dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
    found = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def qualified_name(value: str | None) -> Any:
    """``3:Name`` as a QualifiedName."""
    head, colon, rest = (value or "").partition(":")
    numbered = bool(colon) and head.isascii() and head.isdecimal()
    return ua.QualifiedName(rest, int(head)) if numbered else ua.QualifiedName(value or None, 0)


def localized_text(value: Any, locales: Locales = ()) -> Any:
    """A text, or the one of several for a session, as a LocalizedText."""
    if isinstance(value, Mapping):
        return localize(value, locales)
    return ua.LocalizedText(value if value is not None else None)
