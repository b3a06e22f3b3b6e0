"""Structures as plain values: encoded and decoded by their DataTypeDefinition, whatever model they are of.

A structure is a mapping by field name, an array a list, and every other value as `plain` has it. The encoding is that of
OPC 10000-6 §5.2.6 and §5.2.7; unions are not here.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.common.utils import NotEnoughData
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import SafeBuffer
from labsim.endpoints.opcua.core.definition import definition_of, encoding_of
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.plain import Packed, Plain, pack_leaf, read_leaf
from labsim.endpoints.opcua.core.status import Bad, S

_DEEPEST = 32
_INT32, _UINT32 = struct.Struct("<i"), struct.Struct("<I")
_FAILURES = (NotEnoughData, ua.UaError, ValueError, TypeError, OverflowError, struct.error, IndexError, AttributeError)


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
