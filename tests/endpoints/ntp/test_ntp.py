"""The time of the plant over NTP."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devices
from labsim.endpoints.ntp.endpoint import NtpEndpoint
from labsim.endpoints.ntp.packet import Clock, Question, answer, from_ntp, parse, to_ntp
from labsim.errors import InputError
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

UTC_NS = 1_800_000_000_000_000_000


def plant_with(kind: str = "time-server", **settings: Any) -> Plant:
    """A plant that stands still at a known time."""
    plant = Plant(1, SimClock(utc_ns=UTC_NS))
    plant.add("time1", devices.load(kind), settings)
    plant.start()
    return plant


class Asker(asyncio.DatagramProtocol):
    """A client's socket."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Keep it."""
        self.answers.put_nowait(data)


async def ask(port: int, data: bytes) -> bytes:
    """One question, one answer."""
    transport, asker = await asyncio.get_running_loop().create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", port))
    try:
        transport.sendto(data)
        return await asyncio.wait_for(asker.answers.get(), 10)
    finally:
        transport.close()


def question(version: int = 4, transmit: int = 0x1234_5678_9ABC_DEF0) -> bytes:
    """A client's packet."""
    return struct.pack(">B39xQ", version << 3 | 3, transmit)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
async def test_a_client_gets_the_plants_time(version: int) -> None:
    """The answer has the client's version, mode 4, its transmit time as originate, and the plant's time."""
    events: list[Event] = []
    async with NtpEndpoint(plant_with(offset=2.5), "time1", events.append) as endpoint:
        data = await ask(endpoint.port, question(version))
    assert len(data) == 48
    assert (data[0] >> 6, data[0] >> 3 & 7, data[0] & 7, data[1]) == (0, version, 4, 2)
    originate, receive, transmit = struct.unpack(">24x3Q", data)
    assert originate == 0x1234_5678_9ABC_DEF0
    assert receive == transmit
    assert from_ntp(transmit, UTC_NS) == pytest.approx(UTC_NS + 2_500_000_000, abs=1_000_000)
    (event,) = events
    assert (event.kind, event.protocol, event.device) == ("request", "ntp", "time1")


async def test_a_server_without_reference_says_so() -> None:
    """Leap indicator 3 and stratum 0: a client must not follow it (RFC 5905 §7.3)."""
    plant = plant_with()
    plant.devices["time1"].begin_fault("no-reference", {})
    plant.advance()
    async with NtpEndpoint(plant, "time1", lambda _event: None) as endpoint:
        data = await ask(endpoint.port, question())
    assert (data[0] >> 6, data[1], data[12:16]) == (3, 0, b"INIT")


async def test_what_is_no_question_gets_no_answer() -> None:
    """Short packets and those of servers are kept as evidence; the next question is answered."""
    events: list[Event] = []
    async with NtpEndpoint(plant_with(), "time1", events.append) as endpoint:
        transport, asker = await asyncio.get_running_loop().create_datagram_endpoint(
            Asker, remote_addr=("127.0.0.1", endpoint.port)
        )
        for bad in (b"x" * 47, struct.pack(">B47x", 4 << 3 | 4), struct.pack(">B47x", 7 << 3 | 3)):
            transport.sendto(bad)
        transport.sendto(question())
        await asyncio.wait_for(asker.answers.get(), 10)
        assert asker.answers.empty()
        transport.close()
    assert [event.kind for event in events] == ["reject"] * 3 + ["request"]


def test_faults_put_the_time_wrong() -> None:
    """A drift of 1,000 ppm is 10 ms after ten seconds, false time is off at once, and both end when told."""
    plant = plant_with()
    device = plant.devices["time1"]
    device.begin_fault("drift", {"ppm": 1000.0})
    for _ in range(100):
        plant.advance()
    assert device["offset"] == pytest.approx(0.01, abs=1e-3)
    device.end_fault("drift")
    device.begin_fault("false-time", {"offset": 28800.0})
    plant.advance()
    assert device["offset"] == pytest.approx(28800, abs=1e-3)
    device.end_fault("false-time")
    plant.advance()
    assert device["offset"] == pytest.approx(0, abs=1e-3)


def test_only_a_time_server_tells_the_time() -> None:
    """Another device is refused with a sentence."""
    with pytest.raises(InputError, match="tells no time"):
        NtpEndpoint(plant_with("tank"), "time1", lambda _event: None)


@given(st.binary(max_size=100))
def test_any_datagram_is_understood_or_not(data: bytes) -> None:
    """Nothing raises, and what is answered is a packet of 48 bytes."""
    asked = parse(data)
    if asked is not None:
        assert len(answer(asked, Clock(2, b"GPS", True, 0), UTC_NS, UTC_NS)) == 48


@given(st.integers(0, 10**19))
def test_time_stamps_come_back(utc_ns: int) -> None:
    """To NTP and back loses less than a nanosecond, over the eras too (RFC 5905 §6)."""
    assert abs(from_ntp(to_ntp(utc_ns), utc_ns) - utc_ns) <= 1
    assert Question(4, 0, to_ntp(utc_ns)).transmit < 2**64
