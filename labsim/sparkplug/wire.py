"""The wire format of Protocol Buffers, as far as Sparkplug needs it: messages described by a table of their fields.

A field that the table does not know, or that comes with another wire type than its own, is passed over, as Protocol Buffers do.
Groups, which no one has written since 2008, are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

Scalar = Literal["uint32", "uint64", "bool", "float", "double", "string", "bytes"]
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIRE_TYPES: Final[dict[str, int]] = {
    "uint32": _VARINT, "uint64": _VARINT, "bool": _VARINT, "float": _FIXED32, "double": _FIXED64,
}  # fmt: skip
_DEEPEST = 32
"""Messages in messages; a template may hold templates, but nobody nests this deep."""
_FIELD_NUMBERS = 2**29


class Field:
    """One field of a message.

    Args:
        number: Its number.
        attribute: The attribute of the message's class that holds it; for a member of a ``oneof`` the attribute holds
            ``(member, value)``.
        kind: A scalar type, or the class of the message it holds.
        member: Its name in the ``oneof``.
        repeated: The attribute holds a list.
    """

    def __init__(
        self, number: int, attribute: str, kind: Scalar | type[Any], *, member: str = "", repeated: bool = False
    ) -> None:
        self.number, self.attribute, self.kind, self.member, self.repeated = number, attribute, kind, member, repeated
        self.wire_type = _WIRE_TYPES.get(kind, _BYTES) if isinstance(kind, str) else _BYTES


Tables = Mapping[type[Any], Sequence[Field]]
"""The fields of each message class, ascending by number."""


def encode(message: Any, tables: Tables) -> bytes:
    """A message as bytes: fields by number, what is None left out.

    Raises:
        ValueError: a value that its field cannot hold.
    """
    out = bytearray()
    for field in tables[type(message)]:
        value = getattr(message, field.attribute)
        if value is None:
            continue
        if field.member:
            member, value = value
            if member != field.member:
                continue
        for item in value if field.repeated else (value,):
            out += _varint(field.number << 3 | field.wire_type)
            out += _encoded(item, field, tables)
    return bytes(out)


def decode(data: bytes, kind: type[Any], tables: Tables, depth: int = 0) -> Any:
    """A message of class ``kind`` from bytes.

    Raises:
        ValueError: not such a message.
    """
    if depth > _DEEPEST:
        raise ValueError(f"messages nested more than {_DEEPEST} deep")
    message = kind()
    by_number = {field.number: field for field in tables[kind]}
    for number, wire_type, raw in _fields(data):
        field = by_number.get(number)
        if field is None:
            continue
        if field.repeated and field.kind == "uint32" and wire_type == _BYTES:  # a packed list
            values = [value & 0xFFFFFFFF for value in _varints(raw)]
            getattr(message, field.attribute).extend(values)
            continue
        if wire_type != field.wire_type:
            continue
        value = _decoded(raw, field, tables, depth)
        if field.repeated:
            getattr(message, field.attribute).append(value)
        else:
            setattr(message, field.attribute, (field.member, value) if field.member else value)
    return message


def _encoded(value: Any, field: Field, tables: Tables) -> bytes:
    try:
        match field.kind:
            case "uint32" | "uint64":
                if not 0 <= value < (1 << 32 if field.kind == "uint32" else 1 << 64):
                    raise ValueError(f"{value} does not fit a {field.kind}")
                return _varint(value)
            case "bool":
                return b"\1" if value else b"\0"
            case "float":
                return struct.pack("<f", value)
            case "double":
                return struct.pack("<d", value)
            case "string":
                body = str(value).encode()
            case "bytes":
                body = bytes(value)
            case _:
                body = encode(value, tables)
    except (struct.error, OverflowError, UnicodeEncodeError) as error:
        raise ValueError(f"{value!r} does not fit a {field.kind}: {error}") from None
    return _varint(len(body)) + body


def _decoded(raw: Any, field: Field, tables: Tables, depth: int) -> Any:
    match field.kind:
        case "uint32":
            return raw & 0xFFFFFFFF
        case "uint64":
            return raw
        case "bool":
            return bool(raw)
        case "float":
            return struct.unpack("<f", raw)[0]
        case "double":
            return struct.unpack("<d", raw)[0]
        case "string":
            return raw.decode()  # a UnicodeDecodeError is a ValueError
        case "bytes":
            return bytes(raw)
    assert isinstance(field.kind, type), "a field that is no scalar holds a message"
    return decode(raw, field.kind, tables, depth + 1)


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and raw value of each field."""
    at, size = 0, len(data)
    while at < size:
        key, at = _read_varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not 0 < number < _FIELD_NUMBERS:
            raise ValueError(f"the field number {number}")
        if wire_type == _VARINT:
            value, at = _read_varint(data, at)
            yield number, wire_type, value
            continue
        if wire_type == _BYTES:
            length, at = _read_varint(data, at)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"the wire type {wire_type}")
        if at + length > size:
            raise ValueError("cut short inside a field")
        yield number, wire_type, data[at : at + length]
        at += length


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        yield value


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at``, and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("cut short inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
