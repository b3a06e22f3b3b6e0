"""Decoding with limits, and the few structures that are coded by hand because every answer holds them."""

from __future__ import annotations

import struct
import time
from typing import Any

from asyncua import ua
from asyncua.common.utils import NotEnoughData
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core.status import Bad, S

EPOCH = 116_444_736_000_000_000
"""1970-01-01 in FILETIME: 100 ns since 1601-01-01 (OPC 10000-6 §5.2.2.5)."""
NO_DIAGNOSTICS = b"\xff\xff\xff\xff"
_READS_PER_MESSAGE = 60_000
_TOKEN = b"\x05\0\0\x20\0\0\0"  # an opaque NodeId of namespace 0 with 32 bytes
_TYPE_SIZE, _TOKEN_SIZE = 4, len(_TOKEN) + 32
_REQUEST_HEADER = struct.Struct("<qIIiI3s")
"""Timestamp, handle, diagnostics, length of the audit entry id, timeout, additional header."""
_RESPONSE_HEADER = struct.Struct("<4sqIIBi3s")


class _NullArray:
    """An array of Null needs no byte per element, so that asyncua would make 2^31 objects of five bytes."""

    @staticmethod
    def unpack_array(_data: Any, length: int) -> list[None]:
        """Only an empty one is possible."""
        if length > 0:
            raise ua.UaError("array of Null")
        return []

    @staticmethod
    def pack_array(_data: Any) -> bytes:
        """An empty array."""
        return b"\0\0\0\0"


ua_binary.Primitives1.Null = _NullArray()  # a name that asyncua's array decoder looks up and does not have
ua_binary.MAX_RESHAPE_ELEMENTS = 65_536  # asyncua's own knob: Dimensions that promise more than the data


class SafeBuffer(ua_binary.Buffer):  # type: ignore[misc]  # asyncua is untyped for us
    """asyncua's buffer with checked lengths and a budget of reads.

    The original walks backwards on a negative length, which reads a short array for ever, and one message can hold tens
    of thousands of operations that are counted only after all are decoded.
    """

    def __init__(self, data: bytes, start: int = 0, size: int = -1, budget: list[int] | None = None) -> None:
        super().__init__(data, start, size)
        self._budget = budget if budget is not None else [_READS_PER_MESSAGE]

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if size < 0:
            raise NotEnoughData("negative length")
        self._budget[0] -= 1
        if self._budget[0] < 0:
            raise Bad(S.BadEncodingLimitsExceeded, "too many fields in one message")
        return bytes(super().read(size))

    def copy(self, size: int = -1) -> SafeBuffer:
        """A part that is read on its own, on the same budget."""
        whole = size == -1 or size > self._size
        return SafeBuffer(self._data, self._cur_pos, self._size if whole else size, self._budget)

    def skip(self, size: int) -> None:
        """Leave ``size`` bytes out."""
        if size < 0:
            raise NotEnoughData("negative length")
        super().skip(size)


_BAD_ENUMERATION = {
    "TimestampsToReturn": S.BadTimestampsToReturnInvalid,
    "MonitoringMode": S.BadMonitoringModeInvalid,
    "BrowseDirection": S.BadBrowseDirectionInvalid,
    "MessageSecurityMode": S.BadSecurityModeRejected,
    "SecurityTokenRequestType": S.BadRequestTypeInvalid,
}
_FAILURES = (
    ua.UaError, NotEnoughData, RecursionError, TypeError, IndexError, KeyError, OverflowError, MemoryError,
    AttributeError, ArithmeticError, struct.error,
)  # fmt: skip


def decode(cls: type, body: bytes) -> Any:
    """One structure from its binary encoding.

    Raises:
        Bad: BadDecodingError, BadEncodingLimitsExceeded, or the code of the enumeration that was wrong.
    """
    try:
        return ua_binary.struct_from_binary(cls, SafeBuffer(body))
    except ValueError as error:
        found = (code for name, code in _BAD_ENUMERATION.items() if name in str(error))
        raise Bad(next(found, S.BadDecodingError), str(error)[:80]) from error
    except _FAILURES as error:
        raise Bad(S.BadDecodingError, f"{type(error).__name__}: {error}"[:80]) from error


def decode_head(request: Any, body: bytes) -> int:
    """Fill the TypeId and RequestHeader of a request; where they end.

    Raises:
        Bad: BadDecodingError.
    """
    if at := _quick_head(request, body):
        return at
    buffer: Any = SafeBuffer(body)
    try:
        request.TypeId = ua_binary.nodeid_from_binary(buffer)
        request.RequestHeader = ua_binary.struct_from_binary(ua.RequestHeader, buffer)
    except (*_FAILURES, ValueError) as error:
        raise Bad(S.BadDecodingError, f"{type(error).__name__}: {error}"[:80]) from error
    return int(buffer.cur_pos)


def _quick_head(request: Any, body: bytes) -> int:
    """The same, for a header as clients in a session send it: a token of 32 bytes and nothing beside; 0 for any other."""
    start, end = _TYPE_SIZE, _TYPE_SIZE + _TOKEN_SIZE
    if body[:2] != b"\x01\0" or body[start : start + len(_TOKEN)] != _TOKEN or len(body) < end + _REQUEST_HEADER.size:
        return 0
    stamp, handle, diagnostics, audit, timeout, additional = _REQUEST_HEADER.unpack_from(body, end)
    if audit != -1 or additional != b"\0\0\0":
        return 0
    request.TypeId = ua.NodeId(int.from_bytes(body[2:4], "little"), 0, ua.NodeIdType.FourByte)
    header = request.RequestHeader
    header.AuthenticationToken = ua.NodeId(body[start + len(_TOKEN) : end], 0, ua.NodeIdType.ByteString)
    header.Timestamp, header.RequestHandle = datetime_of(stamp), handle
    header.ReturnDiagnostics, header.TimeoutHint = diagnostics, timeout
    return end + _REQUEST_HEADER.size


def encode(structure: Any) -> bytes:
    """The binary encoding of one structure."""
    return bytes(ua_binary.struct_to_binary(structure))


def response_header(type_id: int, handle: int, result: int = 0) -> bytes:
    """The encoding id of a response and its ResponseHeader (OPC 10000-4 §7.33)."""
    kind = b"\x01\x00" + type_id.to_bytes(2, "little")
    return _RESPONSE_HEADER.pack(kind, wall_filetime(), handle, result, 0, -1, b"\0\0\0")


def wall_filetime() -> int:
    """The host's time as FILETIME, for headers and tokens; values carry the plant's time."""
    return time.time_ns() // 100 + EPOCH


def datetime_of(filetime: int) -> Any:
    """The datetime that asyncua's codec writes as ``filetime``."""
    return ua.win_epoch_to_datetime(filetime)
