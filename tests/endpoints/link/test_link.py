"""What each state of a link does to connections, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.link.impairment import Impairment, State
from labsim.endpoints.link.link import Link

from .conftest import Bench, until

second_address = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has 127.0.0.1 alone unless it is told")


async def ask(streams: Any, data: bytes) -> bytes:
    """Send and wait for the echo."""
    reader, writer = streams
    writer.write(data)
    async with asyncio.timeout(60):
        return bytes(await reader.readexactly(len(data)))


async def test_a_good_link_is_not_in_the_way(bench: Bench) -> None:
    """While the link is good, the socket's transport and the protocol call each other and nothing stands between."""
    streams = await bench.client()
    assert await ask(streams, b"hello") == b"hello"
    near, line = bench.connections[0].transport, next(iter(bench.link.lines))
    assert line.far.get_protocol() is bench.connections[0]
    assert near.write.__self__ is line.far
    assert near.get_protocol() is bench.connections[0]


@second_address
async def test_a_black_hole_takes_bytes_and_gives_none(bench: Bench) -> None:
    """What is sent into a black hole is taken, reaches nobody, and arrives in order when it ends; others go on."""
    victim, other = await bench.client("127.0.0.2"), await bench.client()
    await ask(victim, b"before")
    hole = Impairment("black-hole", client="127.0.0.2")
    bench.link.begin(hole)
    victim[1].write(b"one ")
    await victim[1].drain()
    assert await ask(other, b"meanwhile") == b"meanwhile"
    victim[1].write(b"two")
    assert await ask(other, b"again") == b"again"
    assert bench.seen[-2:] == [b"meanwhile", b"again"]
    bench.link.end(hole)
    async with asyncio.timeout(60):
        assert await victim[0].readexactly(7) == b"one two"


async def test_what_an_endpoint_sends_into_a_black_hole_arrives_late(bench: Bench) -> None:
    """A black hole is one both ways, and the endpoint sees its answers pile up as on a socket that nobody reads."""
    reader, _ = streams = await bench.client()
    await ask(streams, b"x")
    echo, hole = bench.connections[0], Impairment("black-hole")
    bench.link.begin(hole)
    echo.transport.write(b"a" * 100_000)
    assert echo.waiting
    assert echo.transport.get_write_buffer_size() == 100_000
    bench.link.end(hole)
    async with asyncio.timeout(60):
        assert await reader.readexactly(100_000) == b"a" * 100_000
    await until(lambda: not echo.waiting)


async def test_a_client_in_a_black_hole_is_not_read_for_ever(bench: Bench) -> None:
    """A black hole holds a bounded amount: a client that goes on sending is stopped by its own TCP window."""
    _, writer = await bench.client()
    await until(lambda: bench.connections)
    bench.link.begin(Impairment("black-hole"))
    writer.write(b"a" * 50_000_000)
    line = next(iter(bench.link.lines))
    await until(lambda: not line.far.is_reading())
    assert line._inward.held < 1_000_000
    assert writer.transport.get_write_buffer_size() > 10_000_000


async def test_a_client_that_comes_into_a_black_hole_is_unheard_of(bench: Bench) -> None:
    """The endpoint learns of a connection made in a black hole when that ends, and never of one that is gone by then."""
    hole = Impairment("black-hole")
    bench.link.begin(hole)
    stays, goes = await bench.client(), await bench.client()
    stays[1].write(b"hello")
    goes[1].write(b"gone")
    await until(lambda: len(bench.link.lines) == 2)
    goes[1].transport.abort()
    await until(lambda: len(bench.link.lines) == 1)
    assert bench.seen == []
    bench.link.end(hole)
    async with asyncio.timeout(60):
        assert await stays[0].readexactly(5) == b"hello"
    assert bench.seen == [("made", "127.0.0.1"), b"hello"]


async def test_a_half_open_connection(bench: Bench) -> None:
    """An endpoint does not learn in a black hole that its client is gone, and neither does the client of the endpoint."""
    first, second = await bench.client(), await bench.client()
    await ask(first, b"1")
    await ask(second, b"2")
    hole = Impairment("black-hole")
    bench.link.begin(hole)
    first[1].transport.abort()
    await until(lambda: any(not line._inward.empty for line in bench.link.lines))
    bench.connections[1].transport.close()
    await until(lambda: ("lost", "") in bench.seen)
    assert [what for what in bench.seen if what[0] == "lost"] == [("lost", "")]  # the second, which the endpoint closed
    assert not second[0].at_eof()
    bench.link.end(hole)
    async with asyncio.timeout(60):
        assert await second[0].read() == b""
    await until(lambda: len([what for what in bench.seen if what[0] == "lost"]) == 2)


@second_address
async def test_slow_answers_come_after_quick_ones(bench: Bench) -> None:
    """A slowed client's answer comes after that to a question which another asked later, whole and in order."""
    slow, quick = await bench.client("127.0.0.2"), await bench.client()
    await ask(slow, b"x")
    bench.link.begin(Impairment("slow", client="127.0.0.2", delay=0.1, jitter=0.05))
    order: list[str] = []
    waiting = asyncio.create_task(ask(slow, b"first"))
    waiting.add_done_callback(lambda _: order.append("slow"))
    await asyncio.sleep(0)
    await ask(quick, b"second")
    order.append("quick")
    assert await waiting == b"first"
    assert order == ["quick", "slow"]
    for number in range(20):
        slow[1].write(b"%03d" % number)
    async with asyncio.timeout(60):
        assert await slow[0].readexactly(60) == b"".join(b"%03d" % number for number in range(20))


async def test_jitter_comes_from_the_seed() -> None:
    """Two links of one seed draw the same delays, within the jitter of the delay."""
    impairment = Impairment("slow", delay=1.0, jitter=0.25)
    one, two, other = (Link(seed=seed) for seed in ("a", "a", "b"))
    draws = [[link._lag(impairment) for _ in range(50)] for link in (one, two, other)]
    assert draws[0] == draws[1] != draws[2]
    assert all(0.75 <= lag <= 1.25 for lag in draws[0])
    assert len(set(draws[0])) > 40


async def test_impairments_are_in_plant_time() -> None:
    """At ten times the speed a delay takes a tenth of the wall time and a rate is ten times as high."""
    link = Link(speed=10.0)
    lag = link.shape(Impairment("slow", delay=1.0)).lag
    assert lag is not None
    assert lag() == pytest.approx(0.1)
    assert link.shape(Impairment("throttle", rate=100.0)).rate == 1000.0


async def test_a_throttled_stream_trickles(bench: Bench) -> None:
    """A throttled answer comes in many small pieces, all of it."""
    reader, writer = await bench.client()
    await until(lambda: bench.connections)
    bench.link.begin(Impairment("throttle", rate=40_000))
    writer.write(bytes(range(256)) * 40)
    pieces = []
    async with asyncio.timeout(60):
        while sum(map(len, pieces)) < 256 * 40:
            pieces.append(await reader.read(65536))
    assert b"".join(pieces) == bytes(range(256)) * 40
    assert len(pieces) >= 4


async def test_a_reset_cuts_and_goes_on_cutting(bench: Bench) -> None:
    """A reset cuts what is connected, and a new connection at its first bytes; the endpoint sees a reset by its peer."""
    old = await bench.client()
    await ask(old, b"x")
    reset = Impairment("reset")
    bench.link.begin(reset)
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionResetError):
            await old[0].read()
    await until(lambda: ("lost", "ConnectionResetError") in bench.seen)
    new = await bench.client()
    await until(lambda: len(bench.connections) == 2)
    new[1].write(b"hello")
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionResetError):
            await new[0].read()
    assert b"hello" not in bench.seen
    bench.link.end(reset)
    assert await ask(await bench.client(), b"back") == b"back"


async def test_a_refusing_link_turns_new_connections_away(bench: Bench) -> None:
    """New connections are reset before the endpoint hears of them, while those that are there go on."""
    old = await bench.client()
    await ask(old, b"x")
    refusal = Impairment("refuse")
    bench.link.begin(refusal)
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionResetError):
            await (await bench.client())[0].read()
    assert await ask(old, b"still here") == b"still here"
    assert len(bench.connections) == 1
    bench.link.end(refusal)
    assert await ask(await bench.client(), b"back") == b"back"


async def test_a_flapping_link_goes_and_comes(bench: Bench) -> None:
    """A flap begins with the link down; what is asked then is answered when it is up again, time after time."""
    streams = await bench.client()
    await ask(streams, b"x")
    flap = Impairment("flap", period=0.05, duty=0.4)
    bench.link.begin(flap)
    for _ in range(3):
        await until(lambda: bench.link.impairment("127.0.0.1") is flap)
        streams[1].write(b"ping")
        async with asyncio.timeout(60):
            assert await streams[0].readexactly(4) == b"ping"
    bench.link.end(flap)
    assert bench.link.impairment("127.0.0.1") is None
    assert not bench.link._turns


async def test_the_last_that_began_counts(bench: Bench) -> None:
    """Of several impairments the last that began counts, and the one before it when it ends."""
    slow, hole = Impairment("slow", delay=1), Impairment("black-hole", client="127.0.0.0/30")
    bench.link.begin(slow)
    bench.link.begin(hole)
    assert bench.link.impairment("127.0.0.2") is hole
    assert bench.link.impairment("127.0.0.4") is slow
    bench.link.end(slow)
    assert bench.link.impairment("127.0.0.4") is None
    bench.link.end(hole)
    bench.link.end(hole)
    assert bench.link.active == ()


@pytest.mark.parametrize(
    ("client", "host", "concerned"),
    [
        ("", "anything", True),
        ("127.0.0.2", "127.0.0.2", True),
        ("127.0.0.2", "127.0.0.3", False),
        ("127.0.0.2", "::ffff:127.0.0.2", True),
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.2.3", False),
        ("fe80::1", "fe80::1%eth0", True),
        ("fe80::1", "127.0.0.1", False),
        ("127.0.0.2", "", False),
    ],
)
def test_whom_an_impairment_is_about(client: str, host: str, concerned: bool) -> None:
    """An address, a network, IPv4 inside IPv6; a peer without an address is in none of them."""
    assert Impairment("black-hole", client=client).concerns(host) is concerned


async def test_shutting_leaves_nothing_behind(bench: Bench) -> None:
    """After `shut`, live connections are straight, those that nobody was told of are closed, and timers are gone."""
    known, unknown = await bench.client(), None
    await ask(known, b"x")
    bench.link.begin(Impairment("flap", period=60))
    unknown = await bench.client()
    known[1].write(b"lost on the way")
    await until(lambda: len(bench.link.lines) == 2)
    await until(lambda: any(line._inward.held for line in bench.link.lines))
    bench.link.shut()
    async with asyncio.timeout(60):
        assert await unknown[0].read() == b""
    assert not bench.link._turns
    assert await ask(known, b"straight") == b"straight"
    assert b"lost on the way" not in bench.seen
    assert len(bench.connections) == 1


async def test_connections_are_not_kept_alive() -> None:
    """A link does not hold on to connections that are over, whichever state they went through."""
    bench = Bench()
    await bench.start()
    for state in ("slow", "black-hole", "throttle"):
        streams = await bench.client()
        await ask(streams, b"x")
        impairment = Impairment(state, delay=0.001, rate=1e6)  # type: ignore[arg-type]  # one of the literals
        bench.link.begin(impairment)
        streams[1].write(b"y")
        bench.link.end(impairment)
        streams[1].close()
        await streams[1].wait_closed()
    await until(lambda: [what for what in bench.seen if what[0] == "lost"] == [("lost", "")] * 3)
    echoes = [weakref.ref(echo) for echo in bench.connections]
    bench.connections.clear()
    await asyncio.sleep(0)
    gc.collect()
    assert [echo() for echo in echoes] == [None] * 3
    assert len(bench.link.lines) == 0
    await bench.stop()


STATES: tuple[State, ...] = ("slow", "throttle", "black-hole", "flap", "refuse")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), states=st.lists(st.sampled_from(STATES), min_size=1, max_size=8))
def test_no_byte_is_lost_or_moved(seed: int, states: list[State]) -> None:
    """Whatever states come and go but resets, every byte comes back once and in its place."""

    async def run() -> None:
        bench, chance = Bench(), random.Random(seed)
        await bench.start()
        reader, writer = await bench.client()
        sent = bytearray()
        active: list[Impairment] = []
        for state in states:
            impairment = Impairment(state, delay=0.001, jitter=0.001, rate=2e6, period=0.004)
            bench.link.begin(impairment)
            active.append(impairment)
            data = chance.randbytes(chance.choice([1, 100, 5000, 70_000]))
            sent += data
            writer.write(data)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if active and chance.random() < 0.6:
                bench.link.end(active.pop(chance.randrange(len(active))))
        for impairment in active:
            bench.link.end(impairment)
        async with asyncio.timeout(60):
            assert await reader.readexactly(len(sent)) == sent
        await until(lambda: not next(iter(bench.link.lines))._gated)
        await bench.stop()

    asyncio.run(run())
