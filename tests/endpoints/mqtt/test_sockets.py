"""The endpoint over real sockets, with paho-mqtt and with plain ones."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
import pytest

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.limits import Limits
from labsim.errors import EndpointError, EvidenceError
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

PATIENCE_S = 20


class Host:
    """An endpoint in an event loop of its own thread, as a lab runs it beside its clients."""

    def __init__(self, **options: Any) -> None:
        self.events: list[Event] = []
        self._kept = threading.Condition()
        self._options, self._ready = options, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def keep(self, event: Event) -> None:
        """The sink."""
        with self._kept:
            self.events.append(event)
            self._kept.notify_all()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with MqttEndpoint(Plant(1, SimClock()), [], self.keep, **self._options) as self.endpoint:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Host:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.endpoint.port

    def call(self, act: Callable[[], None]) -> None:
        """Do something in the endpoint's loop and wait for it."""

        async def do() -> None:
            act()

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(PATIENCE_S)

    def wait_for(self, kind: str, count: int = 1, **fields: Any) -> Event:
        """The last of ``count`` events of a kind."""

        def found() -> list[Event]:
            return [
                event
                for event in self.events
                if event.kind == kind and all(getattr(event, name) == value for name, value in fields.items())
            ]

        with self._kept:
            assert self._kept.wait_for(lambda: len(found()) >= count, PATIENCE_S), f"no {kind} {fields}: {self.events}"
            return found()[count - 1]

    def socket(self) -> socket.socket:
        """A plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)


class Paho:
    """A paho client whose callbacks can be waited for."""

    def __init__(self, host: Host, client_id: str, *, clean: bool = True, **credentials: str) -> None:
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, clean_session=clean, reconnect_on_failure=False
        )
        if credentials:
            self.client.username_pw_set(**credentials)
        self.messages: list[paho.MQTTMessage] = []
        self.connack: tuple[Any, bool] | None = None
        self.gone = False
        self._subscribed: list[int] = []
        self._moved = threading.Condition()
        self._host = host
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _client, _data, message: self._note(self.messages.append, message)
        self.client.on_subscribe = lambda *event: self._note(self._subscribed.append, event[2])
        self.client.on_disconnect = lambda *_: self._note(setattr, self, "gone", True)

    def _note(self, act: Callable[..., Any], *values: Any) -> None:
        with self._moved:
            act(*values)
            self._moved.notify_all()

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self._note(setattr, self, "connack", (reason, flags.session_present))

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until something that a callback changes is so."""
        with self._moved:
            assert self._moved.wait_for(done, PATIENCE_S)

    def connect(self, keepalive: int = 60) -> Paho:
        """Connect and wait for the CONNACK."""
        self.client.connect("127.0.0.1", self._host.port, keepalive)
        self.client.loop_start()
        self.until(lambda: self.connack is not None)
        return self

    def subscribe(self, pattern: str, qos: int = 0) -> Paho:
        """Subscribe and wait for the SUBACK."""
        _, mid = self.client.subscribe(pattern, qos)
        self.until(lambda: mid in self._subscribed)
        return self

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        """Publish and wait for the last acknowledgement."""
        self.client.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE_S)

    def received(self, count: int) -> list[tuple]:
        """Wait for so many messages and return all there are, as (topic, payload, QoS, retain)."""
        self.until(lambda: len(self.messages) >= count)
        return [(m.topic, m.payload, m.qos, bool(m.retain)) for m in self.messages]

    def stop(self) -> None:
        """Disconnect in good order."""
        self.client.disconnect()
        self.client.loop_stop()

    def crash(self) -> None:
        """Lose the network without a DISCONNECT."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.until(lambda: self.gone)
        self.client.loop_stop()


@pytest.fixture
def host():
    """An endpoint that lets everybody in."""
    with Host() as host:
        yield host


@pytest.fixture
def clients(host):
    """Makes paho clients and stops them at the end."""
    made: list[Paho] = []

    def make(client_id: str, **options: Any) -> Paho:
        made.append(Paho(host, client_id, **options))
        return made[-1]

    yield make
    for client in made:
        client.stop()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_paho_publishes_and_receives(clients, qos):
    """Messages of each QoS arrive in order, each once, a megabyte among them."""
    reader = clients("r").connect().subscribe("a/#", 2)
    writer = clients("w").connect()
    payloads = [b"0", "銑床".encode(), b"\x00\xff", b"x" * 1_000_000, b""]
    for payload in payloads:
        writer.publish("a/b", payload, qos)
    assert reader.received(len(payloads)) == [("a/b", payload, qos, False) for payload in payloads]


def test_paho_finds_retained_messages(host, clients):
    """What the plant and a client retained greets a later subscriber; a live message is not marked."""
    host.call(lambda: host.endpoint.publish("a/plant", b"1", 1, True))
    clients("w").connect().publish("a/client", b"2", 1, retain=True)
    reader = clients("r").connect().subscribe("a/+", 1)
    assert reader.received(2) == [("a/plant", b"1", 1, True), ("a/client", b"2", 1, True)]
    host.call(lambda: host.endpoint.publish("a/plant", b"3", 0, True))
    assert reader.received(3)[2] == ("a/plant", b"3", 0, False)


def test_paho_leaves_a_will_when_it_crashes(clients):
    """A network failure publishes the will; a later DISCONNECT of the same client does not."""
    reader = clients("r").connect().subscribe("#", 1)
    first = clients("w")
    first.client.will_set("state/w", b"gone", 1)
    first.connect().crash()
    assert reader.received(1) == [("state/w", b"gone", 1, False)]
    second = clients("w")
    second.client.will_set("state/w", b"gone again", 1)
    second.connect().stop()
    clients("z").connect().publish("end", b"", 1)
    assert reader.received(2)[1][0] == "end"


def test_paho_resumes_a_persistent_session(host, clients):
    """Messages sent while a client is away are there when it comes back, and it is told of its session."""
    first = clients("r", clean=False).connect().subscribe("a", 2)
    assert first.connack == (paho.ReasonCode(paho.PacketTypes.CONNACK, "Success"), False)
    first.stop()
    host.wait_for("close", app="r")
    writer = clients("w").connect()
    for number in range(3):
        writer.publish("a", bytes((number,)), number)
    second = clients("r", clean=False).connect()
    assert second.connack is not None
    assert second.connack[1] is True
    assert second.received(2) == [("a", b"\x01", 1, False), ("a", b"\x02", 2, False)]


def test_paho_is_taken_over_by_its_own_id(host, clients):
    """The same client id again disconnects the older client."""
    older, newer = clients("same").connect(), clients("same").connect()
    older.until(lambda: older.gone)
    newer.subscribe("a", 1).publish("a", b"alive", 1)
    assert newer.received(1) == [("a", b"alive", 1, False)]
    host.wait_for("takeover", app="same")


def test_paho_is_refused_with_a_wrong_password():
    """Users are told apart by password; addresses name them."""
    user = User("ann", "secret", "Operator")
    with Host(users=[user], anonymous=False) as host:
        [address] = host.endpoint.addresses()
        assert (address.device, address.url, address.users) == (None, f"mqtt://127.0.0.1:{host.port}", (user,))
        wrong = Paho(host, "w", username="ann", password="guess").connect()
        assert wrong.connack is not None
        assert wrong.connack[0].is_failure
        right = Paho(host, "r", username="ann", password="secret").connect()
        assert right.connack is not None
        assert not right.connack[0].is_failure
        wrong.stop()
        right.stop()
        assert host.wait_for("connect", app="r").user == "ann"
        assert host.wait_for("connect", app="w").status == 4


def test_half_a_connect_and_keep_alive_run_out_over_a_socket(raw):
    """The shell's timers end a connection: one that never connects, and one that falls silent."""
    with Host(limits=Limits(connect_s=1.0)) as host:
        half, silent = host.socket(), host.socket()
        half.sendall(b"\x10")
        silent.sendall(raw.connect("s", keepalive=1))
        assert half.recv(100) == b""
        assert silent.recv(4) == b"\x20\x02\x00\x00"
        assert silent.recv(100) == b""
        assert host.wait_for("timeout").detail == {"reason": "no CONNECT"}
        assert host.wait_for("timeout", 2).detail == {"reason": "keep-alive"}
        half.close()
        silent.close()


def test_a_client_that_never_reads_is_cut(raw):
    """A subscriber whose socket fills up is cut, and evidence says so; the publisher goes on."""
    with Host(limits=Limits(unread=200_000)) as host:
        slow = host.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(raw.connect("slow", will=("slow/state", b"cut", 0, False)) + raw.subscribe(("a", 0)))
        host.wait_for("subscribe")
        watcher = Paho(host, "w").connect().subscribe("slow/#")
        payload = b"x" * 1_000_000
        while not any(event.kind == "drop" for event in host.events):
            host.call(lambda: host.endpoint.publish("a", payload))
        assert host.wait_for("drop", app="slow").detail == {"reason": "the client does not read"}
        assert watcher.received(1)[0][1] == b"cut"
        watcher.stop()
        slow.close()


async def test_an_ended_client_that_never_reads_is_let_go(raw, monkeypatch):
    """A connection that has ended does not stay open because its client leaves the last bytes unread."""
    monkeypatch.setattr("labsim.endpoints.mqtt.link.GRACE_S", 0.05)
    gone = asyncio.Event()

    def sink(event: Event) -> None:
        if event.kind == "close":
            gone.set()

    async with MqttEndpoint(Plant(1, SimClock()), [], sink, limits=Limits(retained_bytes=1 << 25)) as endpoint:
        endpoint.publish("a", b"x" * (1 << 24), retain=True)
        _, writer = await asyncio.open_connection("127.0.0.1", endpoint.port, limit=1)
        writer.write(raw.connect("c") + raw.subscribe(("a", 0)) + raw.DISCONNECT)
        await asyncio.wait_for(gone.wait(), PATIENCE_S)
        for link in list(endpoint._shell.links.values()):
            await asyncio.wait_for(link.gone, PATIENCE_S)
        writer.close()


async def test_a_busy_port_says_what_to_do():
    """Two endpoints cannot share a port; the sentence names the way out."""
    plant = Plant(1, SimClock())
    async with MqttEndpoint(plant, [], lambda _: None) as first:
        with pytest.raises(EndpointError, match="--port-base"):
            async with MqttEndpoint(plant, [], lambda _: None, port=first.port):
                pytest.fail("the port was given twice")


async def test_leaving_closes_every_connection(raw):
    """When the endpoint is left every client is closed, no will goes out, and the port is free."""
    events: list[Event] = []
    plant = Plant(1, SimClock())
    async with MqttEndpoint(plant, [], events.append) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(raw.connect("c", will=("w", b"", 0, True)))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    assert await reader.read() == b""
    writer.close()
    assert [event.kind for event in events] == ["open", "connect", "close"]
    assert events[-1].detail == {"clean": False, "reason": "the endpoint stops"}
    async with MqttEndpoint(plant, [], events.append, port=endpoint.port):
        pass


async def test_evidence_that_fails_closes_the_socket_without_a_reply(raw):
    """A client whose CONNECT cannot be kept sees the end of the stream and nothing else."""

    def sink(event: Event) -> None:
        if event.kind == "connect":
            raise EvidenceError("the disk is full")

    async with MqttEndpoint(Plant(1, SimClock()), [], sink) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(raw.connect("c"))
        assert await reader.read() == b""
        writer.close()
