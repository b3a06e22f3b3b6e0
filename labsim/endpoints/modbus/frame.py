"""MBAP frames: a TCP stream cut into requests, and responses put into frames.

MBAP header (Modbus Messaging on TCP/IP Implementation Guide V1.0b §3.1.3): transaction id, protocol id 0, length of what
follows (unit id and PDU), unit id. A PDU is at most 253 bytes, so a length over 254 is not Modbus, nor is one without a
function code.
"""

from __future__ import annotations

import struct

_HEADER = struct.Struct(">HHHB")
_SHORTEST, _LONGEST = 2, 254

Frame = tuple[int, int, bytes]
"""Transaction id, unit id, PDU."""


class FrameBuffer:
    """The bytes of one connection that are not yet cut into frames.

    Attributes:
        fault: Why the stream is not Modbus, once that is known; nothing after that place is a frame.
        pending: `take` stopped before the end of what it has; call it again.
    """

    def __init__(self) -> None:
        self._data = b""
        self.fault = ""
        self.pending = False

    def feed(self, data: bytes) -> None:
        """Append what has arrived."""
        self._data = self._data + data if self._data else bytes(data)

    def take(self, most: int) -> list[Frame]:
        """The next complete frames, at most ``most``; sets `fault` where the stream stops being Modbus."""
        data, at = self._data, 0
        frames: list[Frame] = []
        while len(data) - at >= 8 and len(frames) < most:
            transaction, protocol, length, unit = _HEADER.unpack_from(data, at)
            end = at + 6 + length
            if protocol or not _SHORTEST <= length <= _LONGEST or end > len(data):
                break
            frames.append((transaction, unit, data[at + 7 : end]))
            at = end
        self._data = data[at:]
        self.pending = len(frames) == most
        if not self.pending and at < len(data):
            self.fault = self._judge()
        return frames

    def silence(self) -> None:
        """A pause means nothing here: frames have a length."""

    def heard_noise(self) -> int:
        """Bytes that were no frame since the last call: none, they end the connection."""
        return 0

    def head(self, size: int = 16) -> bytes:
        """The first bytes that are not a frame (yet)."""
        return self._data[:size]

    def _judge(self) -> str:
        """Why the bytes left over can never become a frame; empty when they may."""
        data = self._data
        if len(data) >= 4 and data[2:4] != b"\0\0":
            return f"protocol id {int.from_bytes(data[2:4], 'big')} instead of 0"
        if len(data) >= 6 and not _SHORTEST <= (length := int.from_bytes(data[4:6], "big")) <= _LONGEST:
            return f"length {length} instead of {_SHORTEST} to {_LONGEST}"
        return ""


def framed(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A response in its frame."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu
