"""Framing of OPC UA TCP, from bytes alone."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.transport import Transport

HELLO = struct.pack("<4sIIIIIIi", b"HELF", 35, 0, 65535, 65535, 0, 0, 3) + b"opc"


def greeted() -> Transport:
    """A transport that has had its HEL."""
    transport = Transport(Limits())
    assert [chunk.kind for chunk in transport.feed(HELLO)] == [b"HEL"]
    return transport


def hello(receive: int = 65535, send: int = 65535, length: int = 0, size: int = 32) -> bytes:
    """A HEL with odd fields."""
    return struct.pack("<4sIIIIIIi", b"HELF", size, 0, receive, send, 0, 0, length)


def message(kind: bytes, body: bytes) -> bytes:
    """A chunk."""
    return struct.pack("<4sI", kind, 8 + len(body)) + body


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\n", S.BadTcpMessageTypeInvalid),
        (message(b"MSGF", b"x" * 20), S.BadTcpMessageTypeInvalid),
        (message(b"HELC", b"x" * 24), S.BadTcpMessageTypeInvalid),
        (struct.pack("<4sI", b"HELF", 2**31), S.BadTcpMessageTooLarge),
        (struct.pack("<4sI", b"HELF", 4), S.BadTcpMessageTooLarge),
        (hello(receive=100), S.BadConnectionRejected),
        (hello(send=8191), S.BadConnectionRejected),
        (hello(length=5), S.BadTcpMessageTypeInvalid),
        (hello(length=2**30), S.BadTcpEndpointUrlInvalid),
    ],
)
def test_what_is_no_hello_is_refused(data: bytes, code: int) -> None:
    """Whatever is wrong with the first message, its own code cuts the peer off."""
    with pytest.raises(Bad) as refused:
        list(Transport(Limits()).feed(data))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (HELLO, S.BadTcpMessageTypeInvalid),
        (struct.pack("<4sI", b"MSGF", 70_000), S.BadTcpMessageTooLarge),
        (message(b"OPNC", b"x" * 20), S.BadTcpMessageTypeInvalid),
        (message(b"MSGX", b"x" * 20), S.BadTcpMessageTypeInvalid),
    ],
)
def test_a_greeted_peer_must_keep_to_the_rules(data: bytes, code: int) -> None:
    """A second HEL, an oversized chunk and a chunked OPN are refused by their header alone."""
    with pytest.raises(Bad) as refused:
        list(greeted().feed(data))
    assert refused.value.code == code


def test_buffers_are_the_smaller_of_both_sides() -> None:
    """ACK answers with what both sides can take, and with our limits (OPC 10000-6 §7.1.2.4)."""
    transport = Transport(Limits())
    list(transport.feed(hello(receive=8192, send=20_000)))
    assert (transport.receive_size, transport.send_size) == (20_000, 8192)
    assert transport.acknowledge() == struct.pack("<4sIIIIII", b"ACKF", 28, 0, 20_000, 8192, 1024 * 1024, 64)


def test_chunks_before_a_broken_one_are_given() -> None:
    """Good chunks are served although rubbish follows in the same bytes."""
    chunks = greeted().feed(message(b"MSGF", b"first---") + b"rubbish-")
    assert next(chunks).data.endswith(b"first---")
    with pytest.raises(Bad):
        next(chunks)


@given(st.lists(st.binary(min_size=4, max_size=60), max_size=6), st.data())
def test_any_cut_gives_the_same_chunks(bodies: list[bytes], data: st.DataObject) -> None:
    """However TCP cuts the stream, the chunks are the same."""
    stream = b"".join(message(b"MSGF", body) for body in bodies)
    transport, found, at = greeted(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 50))
        found += [chunk.data[8:] for chunk in transport.feed(stream[at : at + size])]
        at += size
    assert found == bodies


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_taken_or_refused(pieces: list[bytes]) -> None:
    """Rubbish gives chunks or one Bad, never another error."""
    transport = Transport(Limits())
    try:
        for piece in pieces:
            list(transport.feed(piece))
    except Bad as refused:
        assert refused.code >> 31  # noqa: PT017 - no refusal is as right as one
