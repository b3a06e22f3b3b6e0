"""The quick decoder of Read requests: a ReadValueId that was sent before is not decoded again.

A client asks for the same nodes all the time, in this list or that. Here only the ends of each ReadValueId are found by hand;
what stands between them is decoded once by the plain decoder, which also takes everything unusual.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.codec import decode, decode_head

_PARAMETERS = struct.Struct("<dIi")  # MaxAge, TimestampsToReturn, count
_LENGTH = struct.Struct("<i")
INDEX_RANGE, _ENCODING = struct.Struct("<Ii"), struct.Struct("<Hi")  # what stands before the bytes of either text
_NODE_SIZES = {0: 2, 1: 4, 2: 7, 4: 19}  # two-byte, four-byte, numeric, GUID (OPC 10000-6 §5.2.2.9)
_TEXTS, _TEXT_AT = (3, 5), 3  # string and opaque ids; their length stands behind kind and namespace
_NEITHER, _MOST, _LONGEST, _KEPT = 3, 5000, 512, 8192
_known: OrderedDict[bytes, Any] = OrderedDict()


def decode_read(body: bytes) -> Any:
    """A ReadRequest (OPC 10000-4 §5.11.2) from its binary encoding.

    Its ReadValueIds are shared between requests: never change them.

    Raises:
        Bad: as `decode`.
    """
    request = ua.ReadRequest()
    at = decode_head(request, body)
    try:
        found = _quick(request.Parameters, body, at)
    except (struct.error, IndexError):  # cut off: the plain decoder says how
        found = False
    return request if found else decode(ua.ReadRequest, body)


def _quick(parameters: Any, body: bytes, at: int) -> bool:
    """Fill the parameters; False when something is unusual."""
    age, stamps, count = _PARAMETERS.unpack_from(body, at)
    if stamps > _NEITHER or not 0 <= count <= _MOST:
        return False
    at += _PARAMETERS.size
    wanted = []
    for _ in range(count):
        end = _end(body, at)
        if end < 0:
            return False
        raw = body[at:end]
        one = _known.get(raw)
        if one is None:
            one = _known[raw] = decode(ua.ReadValueId, raw)
            if len(_known) > _KEPT:
                _known.popitem(last=False)
        wanted.append(one)
        at = end
    parameters.MaxAge, parameters.TimestampsToReturn, parameters.NodesToRead = (
        age,
        ua.TimestampsToReturn(stamps),
        wanted,
    )
    return True


def _end(body: bytes, start: int) -> int:
    """Where the ReadValueId that begins at ``start`` ends; -1 when it is unusual."""
    at = end_of_node(body, start)
    if at < 0:
        return -1
    for text in (INDEX_RANGE, _ENCODING):
        length = text.unpack_from(body, at)[1]
        at += text.size + max(length, 0)
        if length < -1:
            return -1
    return at if at <= len(body) and at - start <= _LONGEST else -1


def end_of_node(body: bytes, start: int) -> int:
    """Where the NodeId that begins at ``start`` ends; -1 when it is unusual. It may be beyond the end of ``body``."""
    kind = body[start]
    size = _NODE_SIZES.get(kind)
    if size is not None:
        return start + size
    if kind in _TEXTS:
        return start + _TEXT_AT + _LENGTH.size + max(int(_LENGTH.unpack_from(body, start + _TEXT_AT)[0]), 0)
    return -1
