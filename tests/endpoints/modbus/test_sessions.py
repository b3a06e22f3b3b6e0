"""Claims about who may connect, how many, how long and how slowly; and about a good client beside bad ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.scenario.modbus import ModbusSpec

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


class Site:
    """An endpoint with its options, and its clients."""

    def __init__(self, bench: Any, make_wire: Any, endpoint: ModbusEndpoint) -> None:
        self.bench, self.endpoint, self._make_wire = bench, endpoint, make_wire
        self.port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        self.wires: list[Any] = []

    async def connect(self) -> Any:
        """A raw client."""
        wire = self._make_wire(*await asyncio.open_connection("127.0.0.1", self.port))
        self.wires.append(wire)
        return wire

    async def served(self, wire: Any) -> bool:
        """Whether the client gets an answer rather than the end."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await wire.send(frame(1))
            async with asyncio.timeout(60):
                return bool(await wire.frame() == frame(1, ANSWER))
        return False

    def advance(self, seconds: float) -> None:
        """Let plant time pass, as a lab does."""
        for _ in range(round(seconds * 10)):
            self.bench.plant.advance()
            self.endpoint.tick()

    def reasons(self, kind: str) -> list[str]:
        """What was said about connections that were ended or not let in."""
        return [event.detail["reason"] for event in self.bench.sink.of(kind)]


@pytest.fixture
async def site(bench: Any, make_wire: Any) -> AsyncIterator[Callable[..., Any]]:
    """Opens endpoints with options."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options: Any) -> Site:
            spec = ModbusSpec.model_validate({"units": {11: "an1"}, **options})
            endpoint = ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=spec)
            found = Site(bench, make_wire, await stack.enter_async_context(endpoint))
            stack.callback(lambda: [wire.writer.close() for wire in found.wires])
            return found

        yield make


async def test_one_too_many_is_refused(site: Any) -> None:
    """Above the limit a new client is hung up on, which is evidence; when one leaves there is room again."""
    here = await site(max_sessions=2)
    first, second = await here.connect(), await here.connect()
    assert await here.served(first)
    assert await here.served(second)
    assert not await here.served(await here.connect())
    assert here.reasons("refuse") == ["session limit"]
    second.writer.close()
    await until(lambda: here.bench.sink.of("close"))
    assert await here.served(await here.connect())
    assert await here.served(first)


async def test_a_peer_that_is_gone_is_noticed(site: Any) -> None:
    """MG §4.3.2: keep-alive and no delay are set on every connection."""
    here = await site()
    wire = await here.connect()
    assert await here.served(wire)
    (connection,) = here.endpoint._sessions._open
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_one_too_many_replaces_the_oldest(site: Any) -> None:
    """With ``drop-oldest`` the newest client is served and the oldest is hung up on."""
    here = await site(max_sessions=2, above_max="drop-oldest")
    wires = [await here.connect() for _ in range(3)]
    assert await here.served(wires[2])
    assert await here.served(wires[1])
    assert await wires[0].rest() == b""
    assert here.reasons("close") == ["replaced by a newer session"]


async def test_one_too_many_hangs(site: Any) -> None:
    """With ``hang`` it is connected and gets neither an answer nor the end, as from gateways whose one slot is taken."""
    here = await site(max_sessions=1, above_max="hang")
    first, hung = await here.connect(), await here.connect()
    assert await here.served(first)
    await until(lambda: here.bench.sink.of("refuse"))
    await hung.send(frame(7))
    assert await here.served(first)
    assert len(here.bench.sink.of("read")) == 2
    assert not hung.reader.at_eof()
    await here.endpoint.__aexit__(None, None, None)
    assert await hung.rest() == b""


async def test_the_idle_are_closed(site: Any) -> None:
    """A client without a byte for the plant time given is closed; one that talks stays."""
    here = await site(idle="2 s")
    idle, talker = await here.connect(), await here.connect()
    await until(lambda: len(here.bench.sink.of("open")) == 2)
    for _ in range(3):
        assert await here.served(talker)
        here.advance(1)
    assert await idle.rest() == b""
    assert here.reasons("close") == ["idle"]
    assert await here.served(talker)


async def test_without_a_limit_the_idle_stay(site: Any) -> None:
    """By default nobody is closed for being quiet."""
    here = await site()
    quiet = await here.connect()
    await until(lambda: here.bench.sink.of("open"))
    here.advance(100)
    assert await here.served(quiet)


@pytest.mark.parametrize(("clients", "allowed"), [(["127.0.0.0/8"], True), (["192.0.2.7"], False), ([], True)])
async def test_only_listed_addresses_are_let_in(site: Any, clients: list[str], allowed: bool) -> None:
    """A client whose address is in none of the networks is hung up on, which is evidence."""
    here = await site(clients=clients)
    assert await here.served(await here.connect()) == allowed
    assert here.reasons("refuse") == ([] if allowed else ["address not allowed"])


def test_a_network_must_be_one() -> None:
    """What is no address is said when the scenario is read."""
    with pytest.raises(ValueError, match="not an address or a network"):
        ModbusSpec.model_validate({"units": {}, "clients": ["meter room"]})


async def test_a_slow_device_answers_all_in_order(site: Any) -> None:
    """With a delay requests of one connection are answered one after the other, none is lost, and another client is too."""
    here = await site(delay="10 ms")
    wire, other = await here.connect(), await here.connect()
    await wire.send(b"".join(map(frame, range(8))))
    assert await here.served(other)
    async with asyncio.timeout(60):
        assert [await wire.frame() for _ in range(8)] == [frame(n, ANSWER) for n in range(8)]


async def test_a_small_backlog_is_reached_sooner(site: Any) -> None:
    """The number of unread bytes after which a client is hung up on is an option."""
    here = await site(backlog=512)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", here.port))
    many = b"".join(frame(n, bytes.fromhex("03006e000a")) for n in range(2000))
    with sock, contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            while not here.bench.sink.of("close"):
                await loop.sock_sendall(sock, many)
                await asyncio.sleep(0)
    assert here.reasons("close") == ["client does not read"]


async def test_a_watchdog_may_hang_up(bench: Any, site: Any) -> None:
    """When a watchdog with ``close`` expires, every client is hung up on and may come again."""
    here = await site(watchdogs={"an1": {"time": "1 s", "close": True}})
    wire = await here.connect()
    assert await here.served(wire)
    here.advance(1.1)
    assert await wire.rest() == b""
    assert here.reasons("close") == ["watchdog expired"]
    assert await here.served(await here.connect())


async def test_options_by_unit_reach_the_core(site: Any) -> None:
    """The most registers of a unit are its option's."""
    here = await site(max_registers={11: 1})
    wire = await here.connect()
    await wire.send(frame(1))
    assert await wire.frame() == frame(1, b"\x83\x03")


def test_max_registers_is_by_unit() -> None:
    """A unit that is not there is named."""
    with pytest.raises(ValueError, match="no unit 12"):
        ModbusSpec.model_validate({"units": {11: "an1"}, "max_registers": {12: 5}})


async def test_a_good_client_among_bad_ones(site: Any) -> None:
    """With 500 idle connections, 20 half-sent requests, 20 that do not read and 20 that left without a word, a good client is
    answered every time."""  # noqa: D205, D209 - one sentence
    here = await site()
    socks = [socket.create_connection(("127.0.0.1", here.port), timeout=20) for _ in range(20)]
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
    idle = [await here.connect() for _ in range(500)]
    await until(lambda: len(here.bench.sink.of("open")) == 520)
    good = await here.connect()
    for number in range(20):
        await idle[number].send(frame(1)[: 1 + number % 11])  # never goes on
        with contextlib.suppress(BlockingIOError, ConnectionError):
            socks[number].send(b"".join(map(frame, range(500))))  # never reads
        idle[100 + number].writer.transport.abort()  # gone without a word
        assert await here.served(good)
    for _ in range(50):
        assert await here.served(good)
    for sock in socks:
        sock.close()
    assert await here.served(good)
