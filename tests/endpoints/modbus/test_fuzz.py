"""Mutated input for the whole core, without sockets: nothing escapes, nothing leaks from one connection to another.

A quick run is a sample. ``LABSIM_FUZZ=1`` makes it 100,000 inputs.
"""

from __future__ import annotations

import os
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.modbus.application import Peer
from labsim.endpoints.modbus.frame import FrameBuffer
from labsim.endpoints.modbus.rtu import RtuBuffer, framed

LONG = os.environ.get("LABSIM_FUZZ") == "1"
QUIETLY = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]

GOOD = [
    bytes.fromhex(text)
    for text in (
        "0100000003", "0200000002", "030064000a", "0400000002", "050001ff00", "0600ca0064", "07", "080000a537",
        "0800010000", "0800040000", "08000b0000", "0b", "0c", "0f0000000201ff", "1000c800030641c800000064", "11",
        "1407060004000000 03", "150b06000400000002 42480000", "1600cc00f20025", "1700c8000200c800020441c80000", "18012d",
        "2b0e0100", "2b0e0300", "2b0e0482",
    )
]  # fmt: skip
RESTART = bytes.fromhex("0800010000")
READ = bytes.fromhex("0300640002")
VOLTAGE = bytes.fromhex("030443668000")


def examples(long: int, quick: int) -> Any:
    """How many inputs of this kind."""
    return settings(max_examples=long if LONG else quick, deadline=None, suppress_health_check=QUIETLY)


@st.composite
def mutated(draw: st.DrawFn, good: list[bytes] = GOOD) -> bytes:
    """A good request with bytes changed, cut away, doubled or added; always at least a function code."""
    data = bytearray(draw(st.sampled_from(good)))
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4)):
        data[place % len(data)] = byte
    cut = draw(st.integers(1, len(data)))
    return bytes(data[:cut]) + draw(st.one_of(st.just(bytes(data[cut:])), st.just(b""), st.binary(max_size=30)))


@pytest.fixture(scope="module")
def bench(make_bench: Any) -> Any:
    """One device for all inputs, so that what one leaves behind meets the next."""
    return make_bench(
        files={
            4: [{"doc": 0, "tag": "setpoint", "type": "f32", "access": "rw"}, {"doc": 2, "tag": "mode", "type": "u16"}]
        },
        queues={302: {"tag": "command"}},
        exception_status=["valve"],
    )


@examples(40_000, 200)
@given(pdu=mutated())
def test_requests(bench: Any, pdu: bytes) -> None:
    """Any request gets its own function back, in a PDU that fits, and is evidence; a good one after it is answered rightly."""
    bench.sink.events.clear()
    bench.core.respond(Peer("c:1", "s"), 11, RESTART)
    response = bench.core.respond(Peer("c:1", "s"), 11, pdu)
    assert bench.sink.events[1:]
    if response is not None:
        assert response[0] in (pdu[0], pdu[0] | 0x80)
        assert len(response) <= 253
        if response[0] != pdu[0]:
            assert len(response) == 2
            assert response[1] in (1, 2, 3, 4, 6)
    else:
        assert bench.sink.events[-1].status == -1
        bench.core.respond(Peer("c:1", "s"), 11, RESTART)
    assert bench.core.respond(Peer("c:2", "t"), 11, READ) == VOLTAGE
    assert -50 <= bench.device["setpoint"] <= 150
    assert bench.device["mode"] in (0, 1, 2)


def _mbap(pdu: bytes) -> bytes:
    return struct.pack(">HHHB", 7, 0, len(pdu) + 1, 11) + pdu


@examples(30_000, 100)
@given(data=mutated([_mbap(pdu) for pdu in GOOD]), more=st.binary(max_size=40), cut=st.integers(0, 12))
def test_tcp_streams(bench: Any, data: bytes, more: bytes, cut: int) -> None:
    """A mutated stream gives frames or a fault; another connection's half request is untouched by it."""
    bench.sink.events.clear()
    neighbour, buffer, good = FrameBuffer(), FrameBuffer(), _mbap(READ)
    neighbour.feed(good[:cut])
    for part in (data, more):
        buffer.feed(part)
        for _, unit, pdu in buffer.take(100):
            bench.core.respond(Peer("c:1", "s"), unit, pdu)
        if buffer.fault:
            break
    neighbour.feed(good[cut:])
    assert neighbour.take(100) == [(7, 11, READ)]
    assert not neighbour.fault
    bench.core.respond(Peer("c:2", "t"), 11, RESTART)
    assert bench.core.respond(Peer("c:2", "t"), 11, READ) in (VOLTAGE, None)


@examples(30_000, 100)
@given(data=mutated([framed(0, 11, pdu) for pdu in GOOD]), more=st.binary(max_size=40), cut=st.integers(0, 8))
def test_rtu_streams(bench: Any, data: bytes, more: bytes, cut: int) -> None:
    """The same for RTU, where noise is no fault: after a silence the next frame is found."""
    bench.sink.events.clear()
    neighbour, buffer, good = RtuBuffer(), RtuBuffer(), framed(0, 11, READ)
    neighbour.feed(good[:cut])
    for part in (data, more):
        buffer.feed(part)
        for _, unit, pdu in buffer.take(100):
            if unit:
                bench.core.respond(Peer("c:1", "s"), unit, pdu)
            else:
                bench.core.broadcast(Peer("c:1", "s"), pdu)
    buffer.silence()
    buffer.feed(good)
    assert buffer.take(100) == [(0, 11, READ)]
    neighbour.feed(good[cut:])
    assert neighbour.take(100) == [(0, 11, READ)]
