"""The quick decoder of Write requests: where a value goes is not decoded again, and one number is decoded by hand.

A client writes to the same nodes all the time, one number each. What is written where, is decoded once by the plain decoder,
which also takes everything unusual.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.codec import datetime_of, decode, decode_head
from labsim.endpoints.opcua.core.readlist import INDEX_RANGE, end_of_node

_COUNT, _STATUS_CODE, _DATE_TIME = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<q")
_NUMBERS = {
    kind: (ua.VariantType(kind), struct.Struct("<" + code))
    for kind, code in zip(range(1, 12), "?bBhHiIqQfd", strict=True)
}  # Boolean to Double (OPC 10000-6 §5.1.2)
_VALUE, _STATUS, _SOURCE = 0x01, 0x02, 0x04  # encoding mask of a DataValue (OPC 10000-6 §5.2.2.17)
_EMPTY = b"\0"  # a DataValue without anything
_MOST, _LONGEST, _KEPT = 5000, 512, 8192
_known: OrderedDict[bytes, Any] = OrderedDict()


def decode_write(body: bytes) -> Any:
    """A WriteRequest (OPC 10000-4 §5.11.4) from its binary encoding.

    Raises:
        Bad: as `decode`.
    """
    request = ua.WriteRequest()
    at = decode_head(request, body)
    try:
        found = _quick(body, at)
    except (struct.error, IndexError, ValueError, OverflowError):  # cut off or odd: the plain decoder says how
        found = None
    if found is None:
        return decode(ua.WriteRequest, body)
    request.Parameters.NodesToWrite = found
    return request


def _quick(body: bytes, at: int) -> list[Any] | None:
    """The WriteValues; None when something is unusual."""
    (count,) = _COUNT.unpack_from(body, at)
    if not 0 <= count <= _MOST:
        return None
    at += _COUNT.size
    found = []
    for _ in range(count):
        end = end_of_node(body, at)
        if end < 0:
            return None
        length = INDEX_RANGE.unpack_from(body, end)[1]
        end += INDEX_RANGE.size + max(length, 0)
        if length < -1 or end - at > _LONGEST:
            return None
        place = _place(body[at:end])
        mask, number = body[end], _NUMBERS.get(body[end + 1])
        if number is None or not mask & _VALUE or mask & ~(_VALUE | _STATUS | _SOURCE):
            return None
        kind, layout = number
        value = ua.Variant(layout.unpack_from(body, end + 2)[0], kind)
        at = end + 2 + layout.size
        status, source = 0, None
        if mask & _STATUS:
            (status,) = _STATUS_CODE.unpack_from(body, at)
            at += _STATUS_CODE.size
        if mask & _SOURCE:
            source = datetime_of(_DATE_TIME.unpack_from(body, at)[0])
            at += _DATE_TIME.size
        data = ua.DataValue(value, ua.StatusCode(status), source)
        found.append(ua.WriteValue(place.NodeId, place.AttributeId, place.IndexRange, data))
    return found


def _place(raw: bytes) -> Any:
    """A WriteValue without a value."""
    place = _known.get(raw)
    if place is None:
        place = _known[raw] = decode(ua.WriteValue, raw + _EMPTY)
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return place
