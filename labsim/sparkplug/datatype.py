"""Data types and how their values stand in a payload (Sparkplug 3.0 §6.4.16; the numbers are the enumeration DataType there).

A value travels in the member of a ``oneof`` that its type names; signed integers as two's complement in an unsigned one.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from typing import Any, Final

Carried = tuple[str, Any]
"""Member of the ``oneof`` and what stands in it: ``("int_value", 4294967295)``."""


class DataType(IntEnum):
    """The type of a metric, a property, a column or a parameter."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTY_SET = 20
    PROPERTY_SET_LIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATETIME_ARRAY = 34


BASIC: Final = frozenset(range(1, 16))
"""Types that a column, a parameter or a plain property may have."""
METRIC_TYPES: Final = frozenset(range(1, 20)) | frozenset(range(22, 35))
"""Types that a metric may have."""
PROPERTY_TYPES: Final = BASIC | {DataType.PROPERTY_SET, DataType.PROPERTY_SET_LIST}
INTEGER_RANGE: Final[dict[int, tuple[int, int]]] = {
    DataType.INT8: (-(2**7), 2**7 - 1), DataType.INT16: (-(2**15), 2**15 - 1),
    DataType.INT32: (-(2**31), 2**31 - 1), DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT8: (0, 2**8 - 1), DataType.UINT16: (0, 2**16 - 1),
    DataType.UINT32: (0, 2**32 - 1), DataType.UINT64: (0, 2**64 - 1), DataType.DATETIME: (0, 2**64 - 1),
}  # fmt: skip
_LONG = frozenset({DataType.INT64, DataType.UINT64, DataType.DATETIME})
_MEMBERS: Final[dict[int, str]] = {
    **{kind: "long_value" if kind in _LONG else "int_value" for kind in INTEGER_RANGE},
    DataType.FLOAT: "float_value", DataType.DOUBLE: "double_value", DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value", DataType.TEXT: "string_value", DataType.UUID: "string_value",
    DataType.BYTES: "bytes_value", DataType.FILE: "bytes_value", DataType.DATASET: "dataset_value",
    DataType.TEMPLATE: "template_value", DataType.PROPERTY_SET: "propertyset_value",
    DataType.PROPERTY_SET_LIST: "propertysets_value", **dict.fromkeys(range(22, 35), "bytes_value"),
}  # fmt: skip
_ARRAY_CODES: Final = dict(zip(range(DataType.INT8_ARRAY, DataType.BOOLEAN_ARRAY), "bhiqBHIQfd", strict=True)) | {
    DataType.DATETIME_ARRAY: "Q"
}
_FLOAT_MAX = 3.4028234663852886e38


def member_of(datatype: int) -> str | None:
    """The member of the ``oneof`` that holds values of a type; None for a number that names no type."""
    return _MEMBERS.get(datatype)


def carry(value: Any, datatype: int) -> Carried:
    """A value as it travels.

    Raises:
        ValueError: the type does not hold the value, or there is no such type.
    """
    member = _MEMBERS.get(datatype)
    if member is None:
        raise ValueError(f"there is no data type {datatype}")
    try:
        if datatype in INTEGER_RANGE:
            low, high = INTEGER_RANGE[datatype]
            if int(value) != value or not low <= value <= high:
                raise ValueError(f"{value!r} is no {_name(datatype)}")
            return member, int(value) & (2**64 - 1 if datatype in _LONG else 2**32 - 1)
        if datatype in (DataType.FLOAT, DataType.DOUBLE):
            number = float(value)
            if datatype == DataType.FLOAT and math.isfinite(number) and abs(number) > _FLOAT_MAX:
                raise ValueError(f"{value!r} is too large for a float")
            return member, number
        if datatype == DataType.BOOLEAN:
            return member, bool(value)
        if datatype >= DataType.INT8_ARRAY:
            return member, _packed(value, datatype)
    except (TypeError, OverflowError, struct.error) as error:
        raise ValueError(f"{value!r} is no {_name(datatype)}: {error}") from None
    return member, value


def typed(carried: Carried, datatype: int) -> Any:
    """What a value that came means: signed integers with their sign, arrays as lists.

    Raises:
        ValueError: it stands in another member than its type's, or is no value of the type.
    """
    member, raw = carried
    expected = _MEMBERS.get(datatype)
    if member != expected:
        raise ValueError(f"a {_name(datatype)} stands in {expected}, not in {member}")
    if datatype in INTEGER_RANGE:
        low, high = INTEGER_RANGE[datatype]
        if low < 0:  # only the lowest bits count: some senders extend the sign to 32 bits, some do not
            raw &= high * 2 + 1
            return raw - (high + 1) * 2 if raw > high else raw
        if raw > high:
            raise ValueError(f"{raw} is no {_name(datatype)}")
        return raw
    return _unpacked(raw, datatype) if datatype >= DataType.INT8_ARRAY else raw


def _name(datatype: int) -> str:
    return DataType(datatype).name.lower() if datatype in _MEMBERS else f"data type {datatype}"


def _packed(values: Any, datatype: int) -> bytes:
    if datatype == DataType.STRING_ARRAY:
        return b"".join(text.encode() + b"\0" for text in values)
    if datatype == DataType.BOOLEAN_ARRAY:
        bits = "".join("1" if value else "0" for value in values)
        bits += "0" * (-len(bits) % 8)
        return struct.pack("<I", len(values)) + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return struct.pack(f"<{len(values)}{_ARRAY_CODES[datatype]}", *values)


def _unpacked(raw: bytes, datatype: int) -> list[Any]:
    if datatype == DataType.STRING_ARRAY:
        if raw and raw[-1]:
            raise ValueError("the last text of a string array does not end in a zero")
        return [text.decode() for text in raw.split(b"\0")[:-1]]
    if datatype == DataType.BOOLEAN_ARRAY:
        count = struct.unpack_from("<I", raw)[0] if len(raw) >= 4 else -1
        if count < 0 or len(raw) - 4 != (count + 7) // 8:
            raise ValueError("a boolean array of another length than it says")
        return [bool(raw[4 + n // 8] >> 7 - n % 8 & 1) for n in range(count)]
    code = _ARRAY_CODES[datatype]
    if len(raw) % struct.calcsize(code):
        raise ValueError(f"half an element in a {_name(datatype)}")
    return list(struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw))
