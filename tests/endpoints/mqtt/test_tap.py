"""The tap before a broker: it carries every byte unchanged, and its evidence is what our own broker's would be."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.relay import Relay
from labsim.endpoints.mqtt.tap import Tap
from labsim.errors import EvidenceError
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

USER = User("ann", "secret")


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - paho's thread and the sink have no event of their own
            await asyncio.sleep(0.002)


class Bench:
    """Our broker behind a tap: what each of the two says of the same clients."""

    def __init__(self) -> None:
        self.own: list[Event] = []
        self.tapped: list[Event] = []
        self.unreachable: list[OSError] = []

    async def start(self) -> None:
        """Listen."""
        plant = Plant(7, SimClock())
        plant.start()
        self.broker = MqttEndpoint(plant, [], self.own.append, users=[USER])
        await self.broker.__aenter__()
        self.tap = Tap(self.tapped.append, [USER.name])
        self.relay = Relay(self.tap, "127.0.0.1", self.broker.port, self.unreachable.append)
        self.port = await self.relay.start("127.0.0.1", 0)

    async def stop(self) -> None:
        """Close."""
        await self.relay.stop()
        await self.broker.__aexit__(None, None, None)

    async def same(self, count: int) -> list[tuple[Any, ...]]:
        """Wait until both have told ``count`` events, compare, and return what they told."""
        await until(lambda: len(self.own) == len(self.tapped) == count)
        own, tapped = by_connection(self.own), by_connection(self.tapped)
        assert own == tapped
        return [row for rows in tapped for row in rows]


def by_connection(events: list[Event]) -> list[list[tuple[Any, ...]]]:
    """What was told of each connection, in its order, without what only one of the two can know."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for event in events:
        detail = {name: value for name, value in event.detail.items() if name not in ("reason", "code")}
        row = (event.kind, event.app, event.user, event.subject, event.values, event.status, detail)
        found.setdefault(event.session, []).append(row)
    return list(found.values())


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A broker behind a tap."""
    bench = Bench()
    await bench.start()
    yield bench
    await bench.stop()


def paho(name: str, level: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311, **kwargs: Any) -> Paho:
    """A client with an account."""
    client = Paho(CallbackAPIVersion.VERSION2, client_id=name, protocol=level, reconnect_on_failure=False, **kwargs)
    client.username_pw_set(USER.name, USER.password)
    return client


async def session(bench: Bench, level: MQTTProtocolVersion) -> None:
    """What a client may do in a day."""
    new = level == MQTTProtocolVersion.MQTTv5
    client = paho("c1", level)
    with_properties: dict[str, Any] = {}
    if new:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("unit", "kW")
        properties.ContentType = "text/plain"
        with_properties["properties"] = properties
    client.will_set("state/c1", "gone", qos=1, retain=True)
    got: list[str] = []
    client.on_message = lambda _client, _data, message: got.append(message.topic)
    granted: list[Any] = []
    client.on_subscribe = lambda *_: granted.append(1)
    client.on_unsubscribe = lambda *_: granted.append(2)
    await asyncio.to_thread(client.connect, "127.0.0.1", bench.port, 30)
    client.loop_start()
    await until(client.is_connected)
    client.subscribe([("a/+", 1), ("b/#", 2), ("$SYS/x", 0)])
    await until(lambda: granted == [1])
    client.publish("a/0", "zero", 0, **with_properties)
    client.publish("a/1", b"\xff\x00", 1, retain=True, **with_properties)
    client.publish("b/2", "x" * 20_000, 2, **with_properties)
    await until(lambda: len(got) == 3)
    client.unsubscribe("a/+")
    await until(lambda: granted == [1, 2])
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)


@pytest.mark.parametrize("level", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
async def test_evidence_is_that_of_our_own_broker(bench: Bench, level: MQTTProtocolVersion) -> None:
    """A session with wills, grants, all qualities of service, binary and long payloads is told alike, event by event."""
    await session(bench, level)
    kinds = [row[0] for row in await bench.same(11)]
    assert kinds == [
        "open", "connect", "subscribe", "subscribe", "subscribe", "publish", "publish", "publish", "unsubscribe",
        "disconnect", "close",
    ]  # fmt: skip


async def test_an_abrupt_end_has_its_will(bench: Bench) -> None:
    """A client whose socket breaks has left a will, which is told as published for it."""
    client = paho("c2")
    client.will_set("state/c2", "gone", qos=1)
    await asyncio.to_thread(client.connect, "127.0.0.1", bench.port, 30)
    await asyncio.to_thread(client.loop)
    await until(client.is_connected)
    client.socket().close()
    rows = await bench.same(4)
    assert [row[0] for row in rows] == ["open", "connect", "close", "publish"]
    assert rows[-1][-1]["will"] is True


async def test_a_refused_client_is_told_with_its_code(bench: Bench) -> None:
    """A wrong password is a connect with the broker's code, and the name that it gave proves nothing."""
    client = paho("c3")
    client.username_pw_set("ann", "wrong")
    await asyncio.to_thread(client.connect, "127.0.0.1", bench.port, 30)
    client.loop_start()
    rows = await bench.same(3)
    await asyncio.to_thread(client.loop_stop)
    connect = next(row for row in rows if row[0] == "connect")
    assert connect[5] in (4, 5)
    assert (connect[2], connect[6]["name"]) == ("", "ann")


async def test_a_take_over_and_a_resumed_session(bench: Bench) -> None:
    """A client id that comes again takes over from the older connection; a stored session is said to go on."""
    older, newer = paho("c4", clean_session=False), paho("c4", clean_session=False)
    for client in (older, newer):
        await asyncio.to_thread(client.connect, "127.0.0.1", bench.port, 30)
        client.loop_start()
        await until(client.is_connected)
    await until(lambda: not older.is_connected())
    newer.disconnect()
    rows = await bench.same(8)
    for client in (older, newer):
        await asyncio.to_thread(client.loop_stop)
    assert [row[0] for row in rows] == [
        "open",
        "connect",
        "takeover",
        "close",
        "open",
        "connect",
        "disconnect",
        "close",
    ]
    assert rows[5][6]["resumed"] is True


async def test_malformed_bytes_are_told_and_carried(bench: Bench) -> None:
    """What is not MQTT is a reject, and the broker gets it all the same and hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
    assert [row[0] for row in await bench.same(3)] == ["open", "reject", "close"]


async def test_a_broker_that_is_not_there(bench: Bench) -> None:
    """A client of a broker that is gone is hung up on, and whoever runs the tap hears why."""
    await bench.broker.__aexit__(None, None, None)
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    writer.close()
    assert len(bench.unreachable) == 1


async def test_what_cannot_be_kept_is_not_carried(bench: Bench) -> None:
    """A packet whose evidence cannot be kept does not reach the broker, and the connection ends."""
    client = paho("c5")
    await asyncio.to_thread(client.connect, "127.0.0.1", bench.port, 30)
    client.loop_start()
    await until(client.is_connected)

    def full(_event: Event) -> None:
        raise EvidenceError("journal: disk full")

    bench.tap.current["c5"]._witness._sink = full
    client.publish("a/b", "never", 1)
    await until(lambda: not client.is_connected())
    await until(lambda: any(event.kind == "close" for event in bench.own))
    await asyncio.to_thread(client.loop_stop)
    assert not [event for event in bench.own if event.kind == "publish"]


def test_a_refusal_in_an_acknowledgement_is_a_denial() -> None:
    """In version 5 a message that the broker refuses is a deny with the reason code; one without an answer is a publish."""
    events: list[Event] = []
    tapped = Tap(events.append).open("10.0.0.9:4000", 0.0)
    tapped.client_sent(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01c", 1.0)
    tapped.broker_sent(b"\x20\x03\x00\x00\x00", 1.0)
    tapped.client_sent(b"\x32\x07\x00\x01a\x00\x01\x00x" + b"\x32\x07\x00\x01b\x00\x02\x00y", 2.0)
    assert [event.kind for event in events] == ["open", "connect"]
    tapped.broker_sent(b"\x40\x03\x00\x01\x87", 2.0)
    tapped.client_gone(3.0)
    assert [(event.kind, event.subject) for event in events[2:]] == [("deny", "a"), ("publish", "b"), ("close", "")]
    assert events[2].detail["reason"] == "reason code 0x87"


def test_silence_is_a_timeout() -> None:
    """A broker that hangs up after the keep-alive has run out did so for that."""
    events: list[Event] = []
    tapped = Tap(events.append).open("10.0.0.9:4000", 0.0)
    tapped.client_sent(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01c", 1.0)
    tapped.broker_sent(b"\x20\x02\x00\x00", 1.0)
    tapped.broker_gone(16.5)
    assert [event.kind for event in events] == ["open", "connect", "timeout", "close"]


def test_a_delayed_will_waits_for_its_client() -> None:
    """In version 5 a will with a delay is told when that is over, and never when its session goes on before."""
    events: list[Event] = []
    tap = Tap(events.append)
    will = b"\x05\x18\x00\x00\x00\x0a" + b"\x00\x01w" + b"\x00\x01g"
    connect = b"\x00\x04MQTT\x05\x04\x00\x00" + b"\x05\x11\x00\x00\x00\x3c" + b"\x00\x01c" + will
    packet = bytes((0x10, len(connect))) + connect
    for back in (False, True):
        first = tap.open("10.0.0.9:4000", 0.0)
        first.client_sent(packet, 0.0)
        first.broker_sent(b"\x20\x03\x00\x00\x00", 0.0)
        first.client_gone(1.0)
        tap.check(10.5)
        if back:
            again = tap.open("10.0.0.9:4001", 10.6)
            again.client_sent(packet, 10.6)
            again.broker_sent(b"\x20\x03\x01\x00\x00", 10.6)
        tap.check(11.5)
        assert len([event for event in events if event.kind == "publish"]) == 1


STREAM = (
    b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01c"
    b"\x82\x06\x00\x01\x00\x01#\x00"
    b"\x30\x06\x00\x03a/bx"
    b"\x32\x08\x00\x03a/b\x00\x05y"
    b"\x34\x08\x00\x03a/b\x00\x06z"
    b"\x62\x02\x00\x06"
    b"\xa2\x05\x00\x02\x00\x01#"
    b"\x30\xc9\x01\x00\x03a/b" + b"p" * 196 + b"\xe0\x00"
)
ANSWERS = b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\x30\xff\xff\x03" + b"q" * 65535 + b"\x40\x02\x00\x05\xd0\x00"


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12), back=st.lists(st.integers(0, len(ANSWERS)), max_size=6))
def test_how_a_stream_is_cut_is_no_matter(cuts: list[int], back: list[int]) -> None:
    """Wherever the segments begin and end, the same events come of the same bytes."""

    def told(up: list[int], down: list[int]) -> list[Any]:
        events: list[Event] = []
        tapped = Tap(events.append).open("10.0.0.9:4000", 0.0)
        for part in _cut(STREAM, up):
            tapped.client_sent(part, 1.0)
        for part in _cut(ANSWERS, down):
            tapped.broker_sent(part, 1.0)
        tapped.client_gone(2.0)
        return [(event.kind, event.subject, event.values, event.detail) for event in events]

    whole = told([], [])
    assert told(cuts, back) == whole
    assert [row[0] for row in whole].count("publish") == 4


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_break_the_tap(data: st.DataObject) -> None:
    """Mutated and random bytes from either side raise nothing."""
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    tapped = Tap(lambda _event: None).open("10.0.0.9:4000", 0.0)
    for _ in range(4):
        up, down = bytearray(STREAM), bytearray(ANSWERS[:200])
        for stream in (up, down):
            for _ in range(chance.randrange(4)):
                stream[chance.randrange(len(stream))] = chance.randrange(256)
        tapped.client_sent(bytes(up), 1.0)
        tapped.broker_sent(bytes(down), 1.0)
    tapped.client_sent(chance.randbytes(50), 1.0)
    tapped.broker_gone(2.0)


@settings(max_examples=12, deadline=None)
@given(
    up=st.lists(st.binary(min_size=1, max_size=3000), max_size=8),
    down=st.lists(st.binary(min_size=1, max_size=3000), max_size=8),
)
def test_every_byte_is_carried_unchanged(up: list[bytes], down: list[bytes]) -> None:
    """Whatever the bytes are and however they are cut, both sides get exactly what the other sent."""

    async def run() -> None:
        sent_up, sent_down = STREAM + b"".join(up), ANSWERS + b"".join(down)
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for part in (ANSWERS[:7], ANSWERS[7:], *down):
                writer.write(part)
                await writer.drain()
            heard.set_result(await reader.readexactly(len(sent_up)))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        relay = Relay(Tap(lambda _event: None), "127.0.0.1", server.sockets[0].getsockname()[1], lambda _error: None)
        reader, writer = await asyncio.open_connection("127.0.0.1", await relay.start("127.0.0.1", 0))
        for part in (STREAM[:9], STREAM[9:], *up):
            writer.write(part)
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            assert await heard == sent_up
            assert await reader.read() == sent_down
        writer.close()
        await relay.stop()
        server.close()

    asyncio.run(run())


def _cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(at), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if start != end]
