"""Values on their way: DataValue and Variant, encoded by hand where every Read and Publish passes (OPC 10000-6 §5.2.2)."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core.status import is_bad
from labsim.endpoints.opcua.core.store import ValueStore

VT = ua.VariantType
BOOLEAN, SBYTE, BYTE, INT16, UINT16, INT32, UINT32, INT64, UINT64, FLOAT, DOUBLE, STRING = range(1, 13)
"""Built-in types that a row of the value store may have (OPC 10000-6 §5.1.2)."""
NUMERIC = frozenset(range(SBYTE, DOUBLE + 1))

NUMPY = {
    BOOLEAN: "?", SBYTE: "i1", BYTE: "u1", INT16: "<i2", UINT16: "<u2", INT32: "<i4", UINT32: "<u4", INT64: "<i8",
    UINT64: "<u8", FLOAT: "<f4", DOUBLE: "<f8",
}  # fmt: skip
"""dtype of a number's encoding."""
_PACK = {
    kind: struct.Struct("<B" + code)
    for kind, code in zip(range(BOOLEAN, STRING), "?bBhHiIqQfd", strict=True)
}  # fmt: skip
_INT64, _UINT32, _INT32 = struct.Struct("<q"), struct.Struct("<I"), struct.Struct("<i")
_SOURCE_ASKED, _SERVER_ASKED = (True, False, True, False), (False, True, True, False)  # by TimestampsToReturn


class DataValue(NamedTuple):
    """A value with its status and times; times are FILETIME, 0 for none."""

    value: Any  # a Variant, an encoded Variant, or None
    status: int = 0
    source: int = 0
    server: int = 0


def encode_data_value(data: DataValue, timestamps: int) -> bytes:
    """A DataValue with the timestamps asked for (OPC 10000-6 §5.2.2.17)."""
    value, status, source, server = data
    mask, parts = 0, [b""]
    if value is not None:
        mask |= 0x01
        parts.append(value if isinstance(value, bytes) else ua_binary.variant_to_binary(value))
    if status:
        mask |= 0x02
        parts.append(_UINT32.pack(status))
    if source and _SOURCE_ASKED[timestamps]:
        mask |= 0x04
        parts.append(_INT64.pack(source))
    if server and _SERVER_ASKED[timestamps]:
        mask |= 0x08
        parts.append(_INT64.pack(server))
    parts[0] = bytes((mask,))
    return b"".join(parts)


def encode_plain(kind: int, value: Any) -> bytes:
    """An encoded Variant of one number, Boolean or text."""
    if kind == STRING:
        raw = str(value).encode()
        return bytes((STRING,)) + _INT32.pack(len(raw)) + raw
    return _PACK[kind].pack(kind, value)


def stored(store: ValueStore, row: int, now: int) -> DataValue:
    """What a row of the store holds now; a Bad status carries no value (OPC 10000-4 §7.11.1)."""
    status = int(store.status[row])
    value = None if is_bad(status) else encode_plain(store.builtin(row), store.read(row))
    return DataValue(value, status, int(store.source_time[row]) // 100 + store.origin, now)


def as_variant(value: Any) -> Any:
    """The Variant of a DataValue's value."""
    if isinstance(value, bytes):
        return ua_binary.variant_from_binary(ua_binary.Buffer(value))
    return value if value is not None else ua.Variant()


def plain(value: Any) -> Any:
    """The Python value inside a DataValue's value."""
    return as_variant(value).Value
