"""Claims about MBAP framing (Modbus Messaging on TCP/IP Implementation Guide V1.0b §3.1.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.endpoints.modbus.frame import FrameBuffer, framed

REQUEST = bytes.fromhex("000100000006 0b 0300640002")


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """``data`` in pieces of these sizes, over and over."""
    pieces, at, index = [], 0, 0
    while at < len(data):
        step = sizes[index % len(sizes)]
        pieces.append(data[at : at + step])
        at, index = at + step, index + 1
    return pieces


def test_a_frame_has_transaction_unit_and_pdu() -> None:
    """Header and PDU are taken apart and put together alike."""
    buffer = FrameBuffer()
    buffer.feed(REQUEST)
    assert buffer.take(10) == [(1, 11, bytes.fromhex("0300640002"))]
    assert framed(1, 11, bytes.fromhex("0300640002")) == REQUEST


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET ", "protocol id"),
        (bytes.fromhex("00010001"), "protocol id 1"),
        (bytes.fromhex("000100000001"), "length 1"),
        (bytes.fromhex("000100000000"), "length 0"),
        (bytes.fromhex("0001000000ff"), "length 255"),
        (bytes.fromhex("00010000ea60"), "length 60000"),
    ],
)
def test_what_is_not_modbus_is_known_at_once(data: bytes, why: str) -> None:
    """A wrong protocol id or an impossible length is a fault as soon as its bytes are there, without waiting for more."""
    buffer = FrameBuffer()
    buffer.feed(data)
    assert buffer.take(10) == []
    assert why in buffer.fault
    assert buffer.head() == data


def test_good_frames_before_garbage_count() -> None:
    """Frames before the place where a stream goes wrong are still requests."""
    buffer = FrameBuffer()
    buffer.feed(REQUEST + b"HTTP/1.1 400")
    assert len(buffer.take(10)) == 1
    assert buffer.fault


@given(
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=1, max_size=253)),
        min_size=1,
        max_size=30,
    ),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
    st.integers(1, 40),
)
def test_frames_survive_any_cutting(frames: list[tuple[int, int, bytes]], sizes: list[int], most: int) -> None:
    """However TCP cuts a stream of frames, the same frames come out, in order, and nothing else."""
    buffer, found = FrameBuffer(), []
    for piece in cut(b"".join(framed(*frame) for frame in frames), sizes):
        buffer.feed(piece)
        while taken := buffer.take(most):
            found += taken
    assert found == frames
    assert not buffer.fault
    assert buffer.head() == b""


@given(st.binary(max_size=600), st.lists(st.integers(1, 100), min_size=1, max_size=4))
def test_garbage_never_raises_and_never_grows(data: bytes, sizes: list[int]) -> None:
    """Any bytes either are frames, wait for the rest of one frame, or are a fault."""
    buffer = FrameBuffer()
    for piece in cut(data, sizes):
        buffer.feed(piece)
        for _, _, pdu in buffer.take(1000):
            assert 1 <= len(pdu) <= 253
        if buffer.fault:
            return
        assert len(buffer.head(1000)) < 260
