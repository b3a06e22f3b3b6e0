"""Claims about RTU frames (Modbus over Serial Line V1.02): checksum, cutting, noise, broadcast; over TCP and a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.endpoints.modbus.rtu import RtuBuffer, checksum, framed
from labsim.errors import EndpointError
from labsim.scenario.modbus import ModbusSpec

READ = bytes.fromhex("0300640002")
ANSWER = bytes.fromhex("030443668000")
REQUESTS = [
    bytes.fromhex(text)
    for text in (
        "0100000003", "0200000002", "0300640002", "0400000002", "050001ff00", "0600ca0064", "07", "080000a537", "0b", "0c",
        "0f000000020103", "1000c800020441c80000", "11", "1407060004000100 02", "150b06000400070002 42480000", "1600cc00f20025",
        "1700c8000200c800020441c80000", "1804de", "2b0e0100",
    )
]  # fmt: skip


def whole(stream: bytes) -> list[tuple[int, bytes]]:
    """Unit and PDU of all frames of a stream."""
    buffer = RtuBuffer()
    buffer.feed(stream)
    found = buffer.take(1000)
    while buffer.pending:
        found += buffer.take(1000)
    return [(unit, pdu) for _, unit, pdu in found]


def test_the_checksum_is_the_standard_s() -> None:
    """The example of §6.2.2: 02 07 has the CRC 41 12 on the wire."""
    assert checksum(b"\x02\x07") == b"\x41\x12"
    assert framed(0, 2, b"\x07") == b"\x02\x07\x41\x12"


@pytest.mark.parametrize("pdu", REQUESTS, ids=[pdu.hex() for pdu in REQUESTS])
def test_every_function_is_cut_by_its_own_length(pdu: bytes) -> None:
    """Frames that follow one another without a pause are told apart, whatever their function."""
    assert whole(framed(0, 11, pdu) * 3) == [(11, pdu)] * 3


@given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=6), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_frames_in_pieces(pdus: list[bytes], sizes: list[int]) -> None:
    """Cut anyhow, the same frames come out."""
    stream, buffer, found, at = b"".join(framed(0, 11, pdu) for pdu in pdus), RtuBuffer(), [], 0
    while at < len(stream):
        size = sizes[at % len(sizes)]
        buffer.feed(stream[at : at + size])
        found += [pdu for _, _, pdu in buffer.take(100)]
        at += size
    assert found == pdus


@given(st.integers(1, 600), st.sampled_from(REQUESTS))
def test_a_frame_behind_noise_is_found(length: int, pdu: bytes) -> None:
    """After a line that was held high, which reads as FF, the next frame is found."""
    assert whole(b"\xff" * length + framed(0, 11, pdu)) == [(11, pdu)]


def test_noise_is_skipped_and_counted() -> None:
    """A wrong checksum costs one byte at a time, and what was skipped is told once."""
    buffer = RtuBuffer()
    broken = framed(0, 11, READ)[:-1] + b"\0"
    buffer.feed(broken + framed(0, 11, READ))
    assert buffer.take(10) == [(0, 11, READ)]
    assert buffer.heard_noise() == len(broken)
    assert buffer.heard_noise() == 0


def test_a_silence_ends_what_was_begun() -> None:
    """What a sender gave up is thrown away at a silence, so that the next frame stands at the beginning."""
    buffer = RtuBuffer()
    buffer.feed(framed(0, 11, READ)[:5])
    assert buffer.take(10) == []
    buffer.silence()
    buffer.feed(framed(0, 11, READ))
    assert buffer.take(10) == [(0, 11, READ)]


def test_much_noise_is_taken_in_turns() -> None:
    """A flood of noise is looked at a piece at a time, so that it holds nobody up."""
    buffer = RtuBuffer()
    buffer.feed(b"\xff" * 5000)
    buffer.take(10)
    assert buffer.pending
    turns = 1
    while buffer.pending:
        buffer.take(10)
        turns += 1
    assert turns > 10


@given(st.binary(max_size=600))
def test_any_stream_is_survived(stream: bytes) -> None:
    """Whatever comes, the buffer raises nothing and keeps less than a frame."""
    buffer = RtuBuffer()
    buffer.feed(stream)
    buffer.take(1000)
    while buffer.pending:
        buffer.take(1000)
    assert len(buffer.head(1000)) <= 256


@pytest.fixture
async def line(bench: Any) -> AsyncIterator[Any]:
    """An RTU over TCP endpoint: (bench, port)."""
    options = ModbusSpec(units={}, transport="rtu-over-tcp")
    async with ModbusEndpoint(bench.plant, {11: "an1", 12: "an1"}, bench.sink, options=options) as endpoint:
        url = endpoint.addresses()[0].url
        assert url.startswith("modbus-rtu-tcp://127.0.0.1:")
        yield bench, int(url.rpartition(":")[2])


async def test_rtu_over_tcp(line: Any) -> None:
    """Frames of one segment are answered in one go, noise between them is skipped, and a library client gets its values."""
    _, port = line
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(0, 11, READ) * 2 + b"\xff" * 7 + framed(0, 12, READ))
    async with asyncio.timeout(60):
        assert await reader.readexactly(27) == framed(0, 11, ANSWER) * 2 + framed(0, 12, ANSWER)
    writer.close()
    client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU)
    assert await client.connect()
    registers = (await client.read_holding_registers(100, count=2, device_id=11)).registers
    assert registers == [0x4366, 0x8000]
    assert (await client.read_holding_registers(0, count=1, device_id=11)).exception_code == 2
    client.close()


async def test_a_broadcast_writes_everywhere_and_is_not_answered(line: Any) -> None:
    """Unit 0 is every device: a write is carried out by all of them, a read by nobody, neither is answered (§2.2)."""
    bench, port = line
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(0, 0, bytes.fromhex("0600ca0064")) + framed(0, 0, READ) + framed(0, 11, READ))
    async with asyncio.timeout(60):
        assert await reader.readexactly(9) == framed(0, 11, ANSWER)
    writer.close()
    assert bench.device["ramp"] == 10
    assert [(e.detail["unit"], e.status) for e in bench.sink.of("write")] == [(11, 0), (12, 0)]
    assert [(e.detail["unit"], e.status) for e in bench.sink.of("read")] == [(0, -1), (11, 0)]


async def test_a_silent_unit_stays_silent(line: Any) -> None:
    """A unit that is not on the line says nothing."""
    _, port = line
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(0, 99, READ) + framed(0, 11, READ))
    async with asyncio.timeout(60):
        assert (await reader.readexactly(9))[0] == 11
    writer.close()


async def test_noise_is_a_communication_error(line: Any) -> None:
    """Noise shows in the device's counter of communication errors (FC08 sub-function 0C)."""
    _, port = line
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\xff" * 9 + framed(0, 11, READ))
    async with asyncio.timeout(60):
        await reader.readexactly(9)
        writer.write(framed(0, 11, bytes.fromhex("08000c0000")))
        assert await reader.readexactly(8) == framed(0, 11, bytes.fromhex("08000c0001"))
    writer.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
async def test_a_serial_line(bench: Any) -> None:
    """The serial client of pymodbus reads and writes over a pseudo terminal, one after another; half a frame is forgotten."""
    options = ModbusSpec(units={}, transport="serial")
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=options) as endpoint:
        (address,) = endpoint.addresses()
        name = address.url.removeprefix("modbus-rtu://")
        for _ in range(2):
            client = AsyncModbusSerialClient(name, framer=FramerType.RTU, baudrate=19200)
            assert await client.connect()
            assert (await client.read_holding_registers(100, count=2, device_id=11)).registers == [0x4366, 0x8000]
            assert not (await client.write_register(202, 100, device_id=11)).isError()
            client.close()
        raw = os.open(name, os.O_RDWR | os.O_NOCTTY)
        os.write(raw, framed(0, 11, READ)[:3])
        os.close(raw)
        client = AsyncModbusSerialClient(name, framer=FramerType.RTU, baudrate=19200, retries=5, timeout=2)
        assert await client.connect()
        assert (await client.read_holding_registers(100, count=2, device_id=11)).registers == [0x4366, 0x8000]
        client.close()
    assert bench.device["ramp"] == 10
    assert bench.sink.events[0].kind == "open"
    assert bench.sink.events[0].client == name
    assert bench.sink.events[-1].detail == {"reason": "endpoint closed"}


async def test_a_serial_port_that_is_not_there(bench: Any) -> None:
    """A port that cannot be opened is named, with what to do."""
    options = ModbusSpec(units={}, transport="serial", serial="/dev/no-such-port")
    with pytest.raises(EndpointError, match="serial port /dev/no-such-port"):
        await ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=options).__aenter__()


async def test_without_pyserial_it_says_what_to_install(bench: Any, monkeypatch: Any) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "serial", None)
    options = ModbusSpec(units={}, transport="serial")
    with pytest.raises(EndpointError, match=r"labsim\[serial\]"):
        await ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=options).__aenter__()


@pytest.mark.parametrize("transport", ["serial", "rtu-over-tcp"])
def test_unit_0_is_nobody_on_a_line(transport: str) -> None:
    """On a serial line unit 0 is the broadcast, so no device can have it."""
    with pytest.raises(ValueError, match="broadcast"):
        ModbusSpec.model_validate({"units": {0: "an1"}, "transport": transport})


@pytest.mark.parametrize("option", [{"idle": 5}, {"max_sessions": 1}, {"clients": ["127.0.0.1"]}])
def test_a_line_has_no_connections(option: dict[str, Any]) -> None:
    """Options about connections do not go with a serial line, and it is said when the scenario is read."""
    with pytest.raises(ValueError, match="a serial line has none"):
        ModbusSpec.model_validate({"units": {1: "an1"}, "transport": "serial", **option})
