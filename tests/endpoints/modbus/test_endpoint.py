"""Claims about the TCP shell, over real sockets: framing, many clients, hanging up, evidence of connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from labsim.endpoints.endpoint import Address
from labsim.endpoints.modbus.application import Application
from labsim.endpoints.modbus.connection import Connection
from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.errors import EndpointError, EvidenceError
from labsim.evidence.event import Event
from labsim.evidence.polls import Polls

READ = bytes.fromhex("0300640002")
ANSWER = bytes.fromhex("030443668000")


def frame(transaction: int, pdu: bytes = READ, unit: int = 11) -> bytes:
    """One MBAP frame."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the sink is a plain callable; turns are what we wait for
            await asyncio.sleep(0)


@pytest.fixture
async def client(station: Any) -> Any:
    """A client of pymodbus, connected."""
    client = AsyncModbusTcpClient(station.host, port=station.port, framer=FramerType.SOCKET)
    assert await client.connect()
    yield client
    client.close()


async def test_addresses_name_each_unit(station: Any) -> None:
    """Port 0 becomes the real port, and every unit id has its line."""
    url = f"modbus-tcp://{station.host}:{station.port}"
    assert station.endpoint.addresses() == [Address("an1", "modbus", url, 3), Address("an1", "modbus", url, 11)]


async def test_a_library_client_reads_and_writes(station: Any, client: Any) -> None:
    """A client of pymodbus, which knows nothing of ours, does every data function."""
    registers = (await client.read_holding_registers(100, count=4, device_id=11)).registers
    assert client.convert_from_registers(registers[:2], client.DATATYPE.FLOAT32) == 230.5
    registers = (await client.read_input_registers(0, count=2, device_id=11)).registers
    assert client.convert_from_registers(registers, client.DATATYPE.FLOAT32) == pytest.approx(-12.34)
    assert (await client.read_coils(0, count=3, device_id=11)).bits[:3] == [False, False, True]
    assert (await client.read_discrete_inputs(0, count=2, device_id=11)).bits[:2] == [True, True]
    for answer in (
        await client.write_coil(0, True, device_id=11),
        await client.write_coils(0, [True, True], device_id=11),
        await client.write_register(202, 100, device_id=11),
        await client.write_registers(200, [0x41C8, 0], device_id=11),
        await client.mask_write_register(address=204, and_mask=0, or_mask=3, device_id=11),
        await client.readwrite_registers(read_address=200, read_count=2, write_address=202, values=[50], device_id=11),
    ):
        assert not answer.isError()
    device = station.bench.device
    names = ("valve", "pump", "ramp", "setpoint", "command")
    assert [device[name] for name in names] == [True, True, 5, 25, 3]


async def test_a_library_client_reads_the_identification(client: Any) -> None:
    """43/14 over the wire gives the nameplate."""
    answer = await client.read_device_information(read_code=2, object_id=0, device_id=11)
    assert answer.information[0] == b"Fictional"
    assert answer.information[1] == b"AN-1"


async def test_a_library_client_understands_the_exceptions(client: Any) -> None:
    """Exceptions arrive under the function code that was asked for."""
    answer = await client.read_holding_registers(0, count=1, device_id=11)
    assert (answer.isError(), answer.function_code, answer.exception_code) == (True, 0x83, 2)


async def test_byte_by_byte(station: Any) -> None:
    """A request that arrives in single bytes is answered once, when it is whole."""
    wire = await station.connect()
    for byte in frame(7):
        await wire.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert await wire.frame() == frame(7, ANSWER)
    assert len(station.sink.of("read")) == 1


async def test_forty_requests_in_one_segment(station: Any) -> None:
    """Pipelined requests are all answered, in order, under their own transaction ids."""
    wire = await station.connect()
    await wire.send(b"".join(map(frame, range(40))))
    assert [await wire.frame() for _ in range(40)] == [frame(i, ANSWER) for i in range(40)]


async def test_a_thousand_requests_in_one_go_leave_turns_to_others(station: Any) -> None:
    """A client that floods is answered in turns, so that another one is served before the flood is done."""
    flood, other = await station.connect(), await station.connect()
    await until(lambda: len(station.sink.of("open")) == 2)
    await flood.send(b"".join(map(frame, range(1000))))
    await other.send(frame(5))
    assert await other.frame() == frame(5, ANSWER)
    assert [await flood.frame() for _ in range(1000)] == [frame(i, ANSWER) for i in range(1000)]
    served = "{}:{}".format(*other.writer.get_extra_info("sockname"))
    assert [e.client for e in station.sink.of("read")].index(served) < 1000


async def test_units_share_the_port(station: Any) -> None:
    """Each unit id is answered under its own number; nobody's is silent and holds up nothing."""
    wire = await station.connect()
    await wire.send(frame(1, unit=3) + frame(2, unit=99) + frame(3, unit=11))
    assert await wire.frame() == frame(1, ANSWER, unit=3)
    assert await wire.frame() == frame(3, ANSWER)
    assert [e.status for e in station.sink.of("read")] == [0, -1, 0]


async def test_a_gateway_answers_for_nobody(bench: Any) -> None:
    """With ``unknown_unit="gateway"`` an unknown unit gets 0B."""
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, unknown_unit="gateway") as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(9, unit=1))
        assert await reader.readexactly(9) == frame(9, b"\x83\x0b", unit=1)
        writer.close()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "protocol id 21536 instead of 0"),
        (bytes.fromhex("0001 0001 0006 0b 0300640002"), "protocol id 1 instead of 0"),
        (bytes.fromhex("0001 0000 ea60 0b 0300640002"), "length 60000 instead of 2 to 254"),
        (bytes.fromhex("0001 0000 0001 0b"), "length 1 instead of 2 to 254"),
    ],
)
async def test_what_is_not_modbus_is_hung_up_on(station: Any, garbage: bytes, reason: str) -> None:
    """Requests before the garbage are answered; then the connection ends, with the reason and the bytes as evidence."""
    wire = await station.connect()
    await wire.send(frame(1) + garbage)
    assert await wire.rest() == frame(1, ANSWER)
    (reject,) = station.sink.of("reject")
    assert reject.detail == {"reason": reason, "bytes": garbage[:16].hex()}
    assert [e.kind for e in station.sink.events] == ["open", "read", "reject", "close"]
    assert station.sink.events[-1].detail == {"reason": "not Modbus"}


async def test_each_connection_is_its_own_session(station: Any) -> None:
    """Events name the peer as ip:port and a session that no other connection has."""
    wires = [await station.connect() for _ in range(3)]
    for number, wire in enumerate(wires):
        await wire.send(frame(number))
        await wire.frame()
    reads = station.sink.of("read")
    assert [e.client for e in reads] == ["{}:{}".format(*w.writer.get_extra_info("sockname")) for w in wires]
    assert len({e.session for e in reads}) == 3
    assert {e.session for e in station.sink.of("open")} == {e.session for e in reads}


async def test_a_client_that_leaves_is_evidence(station: Any) -> None:
    """The end of a connection carries the session it ended and how."""
    wire = await station.connect()
    await until(lambda: station.sink.of("open"))
    wire.writer.close()
    await until(lambda: station.sink.of("close"))
    opened, closed = station.sink.events
    assert closed.session == opened.session
    assert closed.detail == {"reason": "closed by client"}


async def test_a_reset_is_evidence(station: Any) -> None:
    """A connection that breaks says so in its close event."""
    wire = await station.connect()
    await until(lambda: station.sink.of("open"))
    sock = wire.writer.get_extra_info("socket")
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # close() then resets the connection
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    wire.writer.transport.abort()
    await until(lambda: station.sink.of("close"))
    assert station.sink.events[-1].detail["reason"].startswith("connection lost")


async def test_a_client_that_half_closes_gets_its_answers(station: Any) -> None:
    """Requests sent before the client shut its side down are all answered before the connection ends."""
    wire = await station.connect()
    await wire.send(b"".join(map(frame, range(300))))
    wire.writer.write_eof()
    assert await wire.rest() == b"".join(frame(i, ANSWER) for i in range(300))


async def test_a_client_that_does_not_read_is_dropped(station: Any) -> None:
    """Answers are not piled up for a client that only sends; the plant goes on for others."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (station.host, station.port))
    many = b"".join(frame(i, bytes.fromhex("03006e000a")) for i in range(2000))
    with sock, contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            while not station.sink.of("close"):
                await loop.sock_sendall(sock, many)
                await asyncio.sleep(0)
    await until(lambda: station.sink.of("close"))
    assert station.sink.of("close")[0].detail == {"reason": "client does not read"}
    wire = await station.connect()
    await wire.send(frame(1))
    assert await wire.frame() == frame(1, ANSWER)


async def test_no_answer_without_evidence(station: Any, caplog: Any) -> None:
    """When an event cannot be kept, its request is not answered and the connection ends; earlier answers arrive."""
    wire = await station.connect()
    await wire.send(frame(1))
    assert await wire.frame() == frame(1, ANSWER)
    station.sink.full = True
    await wire.send(frame(2))
    assert await wire.rest() == b""
    assert "disk full" in caplog.text
    late = await station.connect()
    assert await late.rest() == b""


async def test_a_segment_whose_evidence_does_not_fit_gets_no_answer_at_all(bench: Any) -> None:
    """Requests that came together are kept at once or not at all, and none of them is answered before."""
    kept, full = list[list[Event]](), False

    def keep(entries: Sequence[Event]) -> None:
        if full:
            raise EvidenceError("disk full")
        kept.append(list(entries))

    application = Application(bench.plant, {11: "an1"}, Polls(keep))
    connection, sent = Connection(application, lambda _event: None), list[bytes]()
    connection.transport = transport = Mock(write=sent.append, get_write_buffer_size=lambda: 0)
    connection.data_received(b"".join(map(frame, range(3))))
    assert [len(entries) for entries in kept] == [3]
    assert sent == [b"".join(frame(n, ANSWER) for n in range(3))]
    full = True
    connection.data_received(b"".join(map(frame, range(3))))
    assert len(kept) == len(sent) == 1
    transport.close.assert_called()


async def test_evidence_is_there_when_the_answer_is(station: Any) -> None:
    """At the moment a client holds an answer, the event of its request has been kept."""
    wire = await station.connect()
    for number in range(5):
        await wire.send(frame(number))
        await wire.frame()
        assert len(station.sink.of("read")) == number + 1


async def test_many_connections_at_once(station: Any) -> None:
    """Two hundred clients that come together are all served."""

    async def one(number: int) -> bytes:
        reader, writer = await asyncio.open_connection(station.host, station.port)
        writer.write(frame(number))
        answer = await reader.readexactly(len(frame(0, ANSWER)))
        writer.close()
        return answer

    answers = await asyncio.gather(*map(one, range(200)))
    assert answers == [frame(number, ANSWER) for number in range(200)]


async def test_a_busy_port_says_what_to_do(station: Any) -> None:
    """The error is one sentence with the address, the cause and the way out."""
    again = ModbusEndpoint(station.bench.plant, {11: "an1"}, station.sink, host=station.host, port=station.port)
    with pytest.raises(EndpointError) as caught:
        await again.__aenter__()
    message = str(caught.value)
    assert f"{station.host}:{station.port}" in message
    assert "another program holds the port" in message
    assert "--port-base" in message
    assert message.count(".") == station.host.count(".") + 1


async def test_a_host_that_is_not_ours_says_so(bench: Any) -> None:
    """An address this machine does not have is named."""
    with pytest.raises(EndpointError, match=r"cannot listen on 192\.0\.2\.1:0.*--host"):
        await ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, host="192.0.2.1").__aenter__()


async def test_leaving_hangs_up_and_frees_the_port(bench: Any) -> None:
    """After the endpoint is left, its clients are disconnected and the port can be had again."""
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink) as endpoint:
        url = endpoint.addresses()[0].url
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: bench.sink.of("open"))
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert [e.detail for e in bench.sink.of("close")] == [{"reason": "endpoint closed"}]
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, port=port) as endpoint:
        assert endpoint.addresses()[0].url == url


@pytest.mark.parametrize("turns", range(6))
async def test_leaving_while_a_client_arrives(bench: Any, turns: int) -> None:
    """A client that is being accepted when the endpoint is left is not served, and every open has its close."""
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink) as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        for _ in range(turns):
            await asyncio.sleep(0)
    with sock, contextlib.suppress(ConnectionError):
        sock.sendall(frame(1))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not bench.sink.of("read")
    assert len(bench.sink.of("open")) == len(bench.sink.of("close"))


async def test_a_setting_moves_the_map_under_a_client(station: Any) -> None:
    """A client that stays connected meets the new word order with its next request."""
    wire = await station.connect()
    await wire.send(frame(1))
    assert await wire.frame() == frame(1, ANSWER)
    station.bench.device.configure("word_order", "DCBA")
    await wire.send(frame(2))
    assert await wire.frame() == frame(2, bytes.fromhex("030400806643"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8),
    garbage=st.binary(max_size=12),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
)
def test_a_stream_gets_one_answer_per_request(
    make_bench: Any, make_wire: Any, requests: list[bytes], garbage: bytes, sizes: list[int]
) -> None:
    """Any requests, cut anyhow, with anything after them: the asked frames are answered, in order, and nothing else."""
    bench = make_bench()

    async def run() -> None:
        async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink) as endpoint, asyncio.timeout(60):
            port = int(endpoint.addresses()[0].url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            wire = make_wire(reader, writer)
            stream, at = b"".join(frame(n, pdu) for n, pdu in enumerate(requests)), 0
            while at < len(stream):
                size = sizes[at % len(sizes)]
                await wire.send(stream[at : at + size])
                at += size
                await asyncio.sleep(0)
            for number, pdu in enumerate(requests):
                answer = await wire.frame()
                transaction, protocol, _, unit, function = struct.unpack_from(">HHHBB", answer)
                assert (transaction, protocol, unit, function & 0x7F) == (number, 0, 11, pdu[0] & 0x7F)
            await wire.send(b"\0\0\xff\xff" + garbage)
            assert await wire.rest() == b""
            writer.close()

    asyncio.run(run())
    assert len(bench.sink.of("reject")) == 1
