"""Structures as plain values: encoded and decoded by their DataTypeDefinition, whatever model they are of.

A structure is a mapping by field name, an array a list, and every other value what JSON would hold: a DateTime is RFC 3339
text, a ByteString base64, a NodeId, QualifiedName or Guid its text, a LocalizedText its text alone. On the way out a
LocalizedText may also be a mapping by locale. The encoding is that of OPC 10000-6 §5.2.6 and §5.2.7; unions are not here.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncua import ua
from asyncua.common.utils import NotEnoughData
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import SafeBuffer
from labsim.endpoints.opcua.core.definition import definition_of, encoding_of
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.status import Bad, S

_DEEPEST = 32
_INT32, _UINT32 = struct.Struct("<i"), struct.Struct("<I")
_NUMBERS = {
    kind: struct.Struct("<" + code) for kind, code in zip(range(1, 12), "?bBhHiIqQfd", strict=True)
}  # fmt: skip
_DATE_TIME, _GUID, _BYTES, _XML, _NODE, _EXPANDED, _STATUS, _NAME, _TEXT = range(13, 22)
_FAILURES = (NotEnoughData, ua.UaError, ValueError, TypeError, OverflowError, struct.error, IndexError, AttributeError)
Plain = Mapping[str, Any]


class Packed(ua.ExtensionObject):  # type: ignore[misc]  # asyncua is untyped for us
    """An encoded structure that still knows what it says."""

    plain: Plain

    def __init__(self, encoding: Any, body: bytes, plain: Plain) -> None:
        super().__init__(TypeId=encoding, Body=body)
        object.__setattr__(self, "plain", plain)  # asyncua's class is frozen


class Structures:
    """Packs and unpacks the structures of one address space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._by_encoding: dict[Key, dict[Key, Key]] = {}

    # ---- out ----

    def pack(self, data_type: Key, value: Plain, locales: Locales = ()) -> Packed:
        """A structure as an ExtensionObject; a field that is missing is left out if it may be, else empty.

        Raises:
            ValueError: a field that the structure does not have, or a value that does not fit.
        """
        definition = self._definition(data_type)
        try:
            body = self._encode(definition, value, locales)
        except (struct.error, TypeError, AttributeError, ua.UaError) as error:
            raise ValueError(f"{value!r} is no {text_name(self._space, data_type)}: {error}") from error
        return Packed(definition.DefaultEncodingId, body, value)

    def _definition(self, data_type: Key) -> Any:
        found = definition_of(self._space, data_type)
        if found is None or not hasattr(found, "StructureType") or int(found.StructureType) > 1:
            raise ValueError(f"{text_name(self._space, data_type)} is no structure that can be used here")
        return found

    def _encode(self, definition: Any, value: Plain, locales: Locales) -> bytes:
        names = {field.Name for field in definition.Fields}
        unknown = sorted(set(value) - names)
        if unknown:
            raise ValueError(f"there is no field {unknown[0]!r}; it has {', '.join(sorted(names))}")
        mask, bit, parts = 0, 1, [b""]
        for field in definition.Fields:
            given = value.get(field.Name)
            if field.IsOptional:
                if given is not None:
                    mask |= bit
                bit <<= 1
                if given is None:
                    continue
            parts.append(self._field(field, given, locales))
        if int(definition.StructureType) == 1:
            parts[0] = _UINT32.pack(mask)
        return b"".join(parts)

    def _field(self, field: Any, value: Any, locales: Locales) -> bytes:
        if field.ValueRank == 1:
            if value is None:
                return _INT32.pack(-1)
            if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
                raise ValueError(f"{field.Name} is a list, not {value!r}")
            return _INT32.pack(len(value)) + b"".join([self._one(field.DataType, one, locales) for one in value])
        return self._one(field.DataType, value, locales)

    def _one(self, data_type: Any, value: Any, locales: Locales) -> bytes:
        key = key_of(data_type)
        kind = self._space.builtin(key)
        if kind == nodes.STRUCTURE:
            return self._encode(self._definition(key), value or {}, locales)
        return pack_leaf(kind, value, locales)

    # ---- in ----

    def unpack(self, data_type: Key, value: Any) -> dict[str, Any]:
        """What an ExtensionObject of a DataType, or of one below it, says.

        Raises:
            Bad: BadTypeMismatch, BadDecodingError.
        """
        encoding, body = _raw(value)
        known = self._by_encoding.get(data_type)
        if known is None:
            known = self._by_encoding[data_type] = self._encodings(data_type)
        found = known.get(encoding)
        if found is None:
            raise Bad(S.BadTypeMismatch)
        buffer = SafeBuffer(body)
        try:
            said = self._decode(self._definition(found), buffer, 0)
        except (*_FAILURES, RecursionError) as error:
            raise Bad(S.BadDecodingError, str(error)[:80]) from error
        if len(buffer):
            raise Bad(S.BadDecodingError, "more than the structure")
        return said

    def _encodings(self, data_type: Key) -> dict[Key, Key]:
        definitions = ((key, definition_of(self._space, key)) for key in self._space.subtypes(data_type))
        return {encoding_of(one): key for key, one in definitions if one is not None and hasattr(one, "StructureType")}

    def _decode(self, definition: Any, buffer: SafeBuffer, depth: int) -> dict[str, Any]:
        if depth > _DEEPEST:
            raise ValueError("structures too deep in each other")
        optional = int(definition.StructureType) == 1
        mask = int(_UINT32.unpack(buffer.read(4))[0]) if optional else 0
        found: dict[str, Any] = {}
        for field in definition.Fields:
            if field.IsOptional:
                there, mask = mask & 1, mask >> 1
                if not there:
                    continue
            found[field.Name] = self._read_field(field, buffer, depth)
        return found

    def _read_field(self, field: Any, buffer: SafeBuffer, depth: int) -> Any:
        key = key_of(field.DataType)
        if field.ValueRank != 1:
            return self._read_one(key, buffer, depth)
        count = int(_INT32.unpack(buffer.read(4))[0])
        if count > len(buffer):  # every element takes a byte at least
            raise ValueError("a list longer than its message")
        return [self._read_one(key, buffer, depth) for _ in range(max(count, 0))]

    def _read_one(self, key: Key, buffer: SafeBuffer, depth: int) -> Any:
        kind = self._space.builtin(key)
        if kind == nodes.STRUCTURE:
            return self._decode(self._definition(key), buffer, depth + 1)
        return read_leaf(kind, buffer)


def text_name(space: Space, data_type: Key) -> str:
    """The browse name of a DataType, for messages."""
    node = space.get(data_type)
    return str(node.browse.Name) if node is not None else str(data_type)


def _raw(value: Any) -> tuple[Key, bytes]:
    """Encoding and body; a process that is a client too may have taught asyncua a class for the encoding."""
    if isinstance(value, ua.ExtensionObject):
        return key_of(value.TypeId), value.Body or b""
    encoding = ua.typeid_by_extension_objects.get(type(value))
    if encoding is None:
        raise Bad(S.BadTypeMismatch)
    return key_of(encoding), bytes(ua_binary.struct_to_binary(value))


# ---- values that are no structures ----


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
