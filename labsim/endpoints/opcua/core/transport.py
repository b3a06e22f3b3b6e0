"""OPC UA TCP (OPC 10000-6 §7.1): HEL, ACK, ERR, and cutting the byte stream into chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.status import Bad, S

MIN_BUFFER = 8192
_MAX_URL = 4096
_HEAD = struct.Struct("<3scI")
_HELLO = struct.Struct("<IIIIIi")
_ACK = struct.Struct("<IIIII")
_HELLO_SIZE = _HEAD.size + _HELLO.size
_LEAST = {b"HEL": 8, b"OPN": 12, b"CLO": 12, b"MSG": 12}


class Chunk(NamedTuple):
    """One chunk with its header; ``final`` is F, C (more follow) or A (abort)."""

    kind: bytes
    final: bytes
    data: bytes


def error_message(code: int, reason: str = "") -> bytes:
    """An ERR message (OPC 10000-6 §7.1.2.5)."""
    text = reason.encode()[:_MAX_URL]
    return _HEAD.pack(b"ERR", b"F", 16 + len(text)) + struct.pack("<Ii", code, len(text)) + text


class Transport:
    """Framing of one connection, with the buffer sizes both sides agreed on.

    Attributes:
        greeted: A HEL has come.
        endpoint_url: The URL it held.
        version: The protocol version it held.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits, self._rest = limits, b""
        self.greeted, self.endpoint_url, self.version = False, "", 0
        self.receive_size, self.send_size = limits.receive_buffer, limits.send_buffer
        self.peer_max_message = self.peer_max_chunks = 0

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Add received bytes and give the complete chunks; the header is judged before the body is kept.

        Chunks before a broken one in the same bytes are given first. Run it to its end, or cut the connection.

        Raises:
            Bad: the peer has to be cut off with this code.
        """
        data = self._rest + data if self._rest else data
        self._rest = b""
        at, end = 0, len(data)
        while end - at >= _HEAD.size:
            kind, final, size = _HEAD.unpack_from(data, at)
            self._judge(kind, final, size)
            if end - at < size:
                break
            chunk = Chunk(kind, final, data[at : at + size])
            at += size
            if kind == b"HEL":
                self._greet(chunk.data)
            yield chunk
        self._rest = data[at:]

    def _judge(self, kind: bytes, final: bytes, size: int) -> None:
        if kind not in _LEAST or final not in b"FCA":
            raise Bad(S.BadTcpMessageTypeInvalid, "unknown message type")
        if kind != b"MSG" and final != b"F":
            raise Bad(S.BadTcpMessageTypeInvalid, "only MSG may be cut into chunks")
        if (kind == b"HEL") == self.greeted:
            raise Bad(S.BadTcpMessageTypeInvalid, "HEL must come first and once")
        if kind == b"HEL" and _HELLO_SIZE + _MAX_URL < size <= self._limits.receive_buffer:
            raise Bad(S.BadTcpEndpointUrlInvalid, "the endpoint URL is too long")
        if size < _LEAST[kind] or size > (self.receive_size if self.greeted else _HELLO_SIZE + _MAX_URL):
            raise Bad(S.BadTcpMessageTooLarge, f"a chunk of {size} bytes")

    def _greet(self, data: bytes) -> None:
        """Take a HEL (OPC 10000-6 §7.1.2.3)."""
        if len(data) < _HELLO_SIZE:
            raise Bad(S.BadTcpMessageTypeInvalid, "a short HEL")
        self.version, receive, send, max_message, max_chunks, length = _HELLO.unpack_from(data, _HEAD.size)
        if length > _MAX_URL:
            raise Bad(S.BadTcpEndpointUrlInvalid, "the endpoint URL is too long")
        if max(length, 0) != len(data) - _HELLO_SIZE:
            raise Bad(S.BadTcpMessageTypeInvalid, "the length of the HEL")
        if receive < MIN_BUFFER or send < MIN_BUFFER:
            raise Bad(S.BadConnectionRejected, f"buffers below {MIN_BUFFER} bytes")
        self.endpoint_url = data[_HELLO_SIZE:].decode("utf-8", "replace")
        self.receive_size = min(self._limits.receive_buffer, send)
        self.send_size = min(self._limits.send_buffer, receive)
        self.peer_max_message, self.peer_max_chunks, self.greeted = max_message, max_chunks, True

    def acknowledge(self) -> bytes:
        """The ACK with our limits (OPC 10000-6 §7.1.2.4)."""
        limits = self._limits
        body = _ACK.pack(0, self.receive_size, self.send_size, limits.max_message, limits.max_chunks)
        return _HEAD.pack(b"ACK", b"F", _HEAD.size + len(body)) + body
