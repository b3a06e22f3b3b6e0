"""OPC UA values as a person types and reads them."""

from __future__ import annotations

import binascii
import dataclasses
import datetime
import enum
import json
import struct
import uuid
from typing import Any, TypeAlias

from asyncua import ua
from asyncua.ua import ua_binary

from labsim.errors import InputError, did_you_mean

VT: TypeAlias = ua.VariantType
_WHOLE = {
    VT.SByte: (-(2**7), 2**7 - 1), VT.Byte: (0, 2**8 - 1), VT.Int16: (-(2**15), 2**15 - 1), VT.UInt16: (0, 2**16 - 1),
    VT.Int32: (-(2**31), 2**31 - 1), VT.UInt32: (0, 2**32 - 1), VT.Int64: (-(2**63), 2**63 - 1),
    VT.UInt64: (0, 2**64 - 1), VT.StatusCode: (0, 2**32 - 1),
}  # fmt: skip
_BITS = {"true": True, "false": False, "on": True, "off": False, "1": True, "0": False}
_TYPES = {kind.name.lower(): kind for kind in VT}


def type_named(name: str) -> VT:
    """A built-in type by its name, such as ``Double`` (OPC 10000-6 §5.1.2).

    Raises:
        InputError: there is no such type.
    """
    if name.lower() not in _TYPES:
        raise InputError(f"there is no type {name!r}. {did_you_mean(name, [kind.name for kind in VT])}".strip())
    return _TYPES[name.lower()]


def parse_variant(text: str, kind: VT, *, array: bool = False) -> ua.Variant:
    """What a person typed as a value of a type; an array as JSON: ``[1, 2, 3]``.

    Raises:
        InputError: it is no such value.
    """
    if not array:
        return ua.Variant(_parse(text, kind), kind)
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if not isinstance(items, list):
        raise InputError(f"{text!r} is no array of {kind.name}: write it as JSON, such as [1, 2, 3].")
    plain = [item if isinstance(item, str) else json.dumps(item) for item in items]
    return ua.Variant([_parse(item, kind) for item in plain], kind, is_array=True)


def _parse(text: str, kind: VT) -> Any:
    try:
        if kind in _WHOLE:
            return _whole(text, kind)
        return _PARSERS[kind](text)
    except KeyError:
        raise InputError(f"a value of type {kind.name} cannot be typed here.") from None
    except (ValueError, binascii.Error, ua.UaError):
        raise InputError(f"{text!r} is no {kind.name}{_EXAMPLES.get(kind, '')}.") from None


def _whole(text: str, kind: VT) -> Any:
    low, high = _WHOLE[kind]
    try:
        number = int(text, 0)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise InputError(f"{text!r} is no {kind.name}: write a whole number from {low} to {high}.")
    return ua.StatusCode(ua.UInt32(number)) if kind is VT.StatusCode else number


def _bit(text: str) -> bool:
    if text.lower() not in _BITS:
        raise ValueError(text)
    return _BITS[text.lower()]


def parse_time(text: str) -> datetime.datetime:
    """A moment in ISO 8601, UTC unless it says otherwise.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def _qualified(text: str) -> ua.QualifiedName:
    head, colon, rest = text.partition(":")
    number = int(head) if colon and head.isascii() and head.isdecimal() else 0
    return ua.QualifiedName(rest if colon and head.isdecimal() else text, ua.UInt16(number))


_PARSERS = {
    VT.Boolean: _bit,
    VT.Float: float,
    VT.Double: float,
    VT.String: str,
    VT.XmlElement: str,
    VT.LocalizedText: ua.LocalizedText,
    VT.DateTime: parse_time,
    VT.Guid: uuid.UUID,
    VT.ByteString: bytes.fromhex,
    VT.NodeId: ua.NodeId.from_string,
    VT.QualifiedName: _qualified,
}
_EXAMPLES = {
    VT.Boolean: ": write on, off, true, false, 1 or 0",
    VT.Float: ": write a number such as 20.5",
    VT.Double: ": write a number such as 20.5",
    VT.DateTime: ": write it as 2026-01-31T12:00:00Z",
    VT.ByteString: ": write its bytes in hexadecimal",
    VT.NodeId: ": write it as ns=2;s=mill1.speed",
}


def decoded(value: Any) -> Any:
    """A structure that arrived before its definition was known, decoded now that it is; anything else as it is."""
    cls = ua.extension_objects_by_typeid.get(value.TypeId) if type(value) is ua.ExtensionObject else None
    if cls is None:
        return value
    try:
        return ua_binary.from_binary(cls, ua_binary.Buffer(value.Body or b""))
    except (ua.UaError, ValueError, TypeError, struct.error):  # it is not built as its definition says
        return value


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it: times in ISO 8601, bytes in hexadecimal, structures as objects."""
    if isinstance(value, ua.Variant):
        return plain_value(value.Value)
    if isinstance(value, ua.LocalizedText):
        return value.Text
    if isinstance(value, (ua.NodeId, ua.QualifiedName)):
        return value.to_string()
    if isinstance(value, ua.StatusCode):
        return value.name
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime):
        return iso(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    value = decoded(value)
    if type(value) is ua.ExtensionObject:
        return {"type": value.TypeId.to_string(), "body": (value.Body or b"").hex()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # asyncua keeps the mask of optional fields as a field
        names = [part.name for part in dataclasses.fields(value) if part.name != "Encoding"]
        return {name: plain_value(getattr(value, name)) for name in names}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def type_of(variant: ua.Variant | None) -> str:
    """The name of a variant's type; an array's with brackets, nothing for no value."""
    if variant is None or variant.VariantType is VT.Null:
        return ""
    return f"{variant.VariantType.name}{'[]' * (variant.is_array or isinstance(variant.Value, list))}"


def iso(moment: datetime.datetime | None) -> str | None:
    """A moment in UTC, to the millisecond."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
    return aware.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_value(value: Any) -> str:
    """A value on one line for a person."""
    found = plain_value(value)
    if isinstance(found, str):
        return found
    if isinstance(found, float):
        return f"{found:.9g}"
    if isinstance(found, bool):
        return "true" if found else "false"
    return "" if found is None else json.dumps(found, ensure_ascii=False)


def facts_of(value: ua.DataValue) -> dict[str, Any]:
    """A value with its type and status as JSON can hold them."""
    status = value.StatusCode.name if value.StatusCode is not None else "Good"
    return {"value": plain_value(value.Value), "type": type_of(value.Value), "status": status}
