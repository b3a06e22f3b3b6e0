"""A broker without sockets and a client that speaks bytes, coded apart from the broker's own codec."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labsim.endpoints.mqtt.access import Access
from labsim.endpoints.mqtt.broker import Broker
from labsim.endpoints.mqtt.limits import Limits
from labsim.errors import EvidenceError
from labsim.evidence.event import Event


class Raw:
    """Control packets as a client writes them, by the tables of the standard."""

    @staticmethod
    def string(text: str | bytes) -> bytes:
        """A UTF-8 string with its length."""
        raw = text if isinstance(text, bytes) else text.encode()
        return bytes((len(raw) >> 8, len(raw) & 255)) + raw

    @staticmethod
    def packet(header: int, body: bytes = b"") -> bytes:
        """A fixed header and its body."""
        length, rest = b"", len(body)
        while True:
            rest, digit = rest // 128, rest % 128
            length += bytes((digit + 128 if rest else digit,))
            if not rest:
                return bytes((header,)) + length + body

    @classmethod
    def connect(
        cls, client_id="c", *, clean=True, keepalive=0, will=None, user=None, password=None, name=b"MQTT", level=4,
        flags=None, extra=b"",
    ) -> bytes:  # fmt: skip
        """CONNECT; ``will`` as (topic, payload, QoS, retain), ``flags`` to contradict the rest, ``extra`` behind it."""
        computed = 2 * clean
        body = cls.string(client_id)
        if will is not None:
            topic, payload, qos, retain = will
            computed |= 4 | qos << 3 | retain << 5
            body += cls.string(topic) + cls.string(payload)
        if user is not None:
            computed |= 128
            body += cls.string(user)
        if password is not None:
            computed |= 64
            body += cls.string(password)
        used = computed if flags is None else flags
        head = cls.string(name) + bytes((level, used, keepalive >> 8, keepalive & 255))
        return cls.packet(0x10, head + body + extra)

    @classmethod
    def publish(cls, topic="t", payload=b"x", qos=0, mid=1, *, retain=False, dup=False) -> bytes:
        """PUBLISH; ``mid`` is left out for QoS 0."""
        body = cls.string(topic) + (bytes((mid >> 8, mid & 255)) if qos else b"") + payload
        return cls.packet(0x30 | dup << 3 | qos << 1 | retain, body)

    @classmethod
    def subscribe(cls, *filters, mid=1) -> bytes:
        """Filters as ``(filter, qos)``."""
        body = bytes((mid >> 8, mid & 255)) + b"".join(cls.string(f) + bytes((q,)) for f, q in filters)
        return cls.packet(0x82, body)

    @classmethod
    def unsubscribe(cls, *filters, mid=1) -> bytes:
        """UNSUBSCRIBE."""
        return cls.packet(0xA2, bytes((mid >> 8, mid & 255)) + b"".join(map(cls.string, filters)))

    @classmethod
    def ack(cls, name: str, mid: int) -> bytes:
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        header = {"puback": 0x40, "pubrec": 0x50, "pubrel": 0x62, "pubcomp": 0x70}[name]
        return cls.packet(header, bytes((mid >> 8, mid & 255)))

    PING = b"\xc0\x00"
    DISCONNECT = b"\xe0\x00"

    @staticmethod
    def read(data: bytes) -> list[tuple]:
        """What a server sent, as tuples that begin with the packet's name."""
        found, at = [], 0
        while at < len(data):
            header, length, shift = data[at], 0, 0
            at += 1
            while True:
                length |= (data[at] & 127) << shift
                shift += 7
                at += 1
                if data[at - 1] < 128:
                    break
            body = data[at : at + length]
            assert len(body) == length, "the server sent half a packet"
            at += length
            found.append(_answer(header, body))
        return found


def _answer(header: int, body: bytes) -> tuple:
    kind, word = header >> 4, int.from_bytes(body[:2], "big")
    if kind == 3:
        qos, topic, rest = header >> 1 & 3, body[2 : 2 + word].decode(), body[2 + word :]
        mid = int.from_bytes(rest[:2], "big") if qos else 0
        return ("publish", topic, rest[2:] if qos else rest, qos, bool(header & 1), bool(header & 8), mid)
    name = {2: "connack", 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp", 9: "suback", 11: "unsuback", 13: "pong"}
    assert header & 15 == (2 if kind == 6 else 0), "reserved flags"
    match kind:
        case 2:
            return ("connack", *body)
        case 9:
            return ("suback", word, *body[2:])
        case 13:
            return ("pong",)
    assert len(body) == 2
    return (name[kind], word)


class Client:
    """One connection to a broker without sockets."""

    def __init__(self, bench: Bench, peer: str) -> None:
        self.bench = bench
        self.connection = bench.broker.open(peer, bench.now)
        self.inbox = b""
        self.writes = 0

    @property
    def closed(self) -> bool:
        """Whether the broker has ended it."""
        return self.connection.ended

    def send(self, *packets: bytes) -> list[tuple]:
        """Send packets as one segment and return what has come since the last look."""
        self.connection.receive(b"".join(packets), self.bench.now)
        self.bench.pump()
        return self.take()

    def take(self) -> list[tuple]:
        """What has come since the last look."""
        data, self.inbox = self.inbox, b""
        return Raw.read(data)

    def messages(self) -> list[tuple]:
        """The PUBLISH packets that have come since the last look, as (topic, payload, qos, retain, dup, mid)."""
        return [packet[1:] for packet in self.take() if packet[0] == "publish"]

    def vanish(self) -> None:
        """The network fails."""
        self.connection.end()
        self.bench.pump()


class Bench:
    """A broker, its clock, its evidence and its clients."""

    def __init__(self, access: Access | None = None, limits: Limits | None = None) -> None:
        self.events: list[Event] = []
        self.broker = Broker(self.keep, access, limits)
        self.now = 1000.0
        self.clients: dict = {}
        self.broken: Callable[[Event], bool] = lambda event: False

    def keep(self, event: Event) -> None:
        """The sink; fails where ``broken`` says so."""
        if self.broken(event):
            raise EvidenceError("the disk is full")
        self.events.append(event)

    def pump(self) -> None:
        """Carry what the broker sends into the inboxes."""
        for connection, data in self.broker.outgoing():
            client = self.clients[connection]
            client.inbox += data
            client.writes += bool(data)

    def open(self) -> Client:
        """A connection that has sent nothing yet."""
        client = Client(self, f"10.0.0.1:{5000 + len(self.clients)}")
        self.clients[client.connection] = client
        self.pump()
        return client

    def connect(self, client_id: str = "c", **options) -> Client:
        """A client that is in, with its CONNACK taken."""
        client = self.open()
        answer = client.send(Raw.connect(client_id, **options))
        assert answer[0][:1] + answer[0][2:] == ("connack", 0), answer
        client.present = answer[0][1]
        client.resumed = answer[1:]
        return client

    def subscribe(self, client_id: str, *filters, **options) -> Client:
        """A client that is in and has subscribed."""
        client = self.connect(client_id, **options)
        client.send(Raw.subscribe(*filters))
        return client

    def advance(self, seconds: float) -> None:
        """Let time pass and let every connection look at its deadline."""
        self.now += seconds
        for client in list(self.clients.values()):
            client.connection.check(self.now)
        self.pump()

    def kinds(self, **fields) -> list[str]:
        """Kinds of the events whose fields are these."""
        return [event.kind for event in self.of(**fields)]

    def of(self, *kinds: str, **fields) -> list[Event]:
        """Events of these kinds (all without) whose fields are these."""
        return [
            event
            for event in self.events
            if (not kinds or event.kind in kinds) and all(getattr(event, k) == v for k, v in fields.items())
        ]


@pytest.fixture(scope="session")
def raw() -> type[Raw]:
    """Bytes of a client, and the reader of a server's."""
    return Raw


@pytest.fixture
def bench() -> Bench:
    """A broker that lets everybody in."""
    return Bench()


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """For a broker with users, an access list or narrow limits."""
    return Bench


def _judge_sound(bench: Bench) -> None:
    """The broker's bookkeeping agrees with itself: connections, sessions, subscriptions, wills, what is on its way."""
    broker = bench.broker
    for client_id, connection in broker.connected.items():
        assert not connection.ended
        assert broker.sessions[client_id].outlet is connection
    for client_id, session in broker.sessions.items():
        assert session.client_id == client_id
        assert session.expiry != 0 or client_id in broker.connected
        assert (session.outlet is None) is (client_id not in broker.connected)
        assert len(session._repeat) <= len(session._inflight)
        assert session._inflight_bytes == sum(len(one.payload) for one in session._inflight.values() if one is not None)
        assert session._queued_bytes == sum(len(one.payload) for one in session._queue)
    router = broker.router
    wanted = {(name, pattern) for name, session in broker.sessions.items() for pattern in session.subscriptions}
    plain = {(one.client_id, p) for p, table in (*router._plain.items(), *router._wild.items()) for one in table}
    shares = {(one.client_id, p) for p, share in router._shares.items() for one in share.members}
    assert wanted == plain | shares
    assert set(broker._ends) <= {name for name in broker.sessions if name not in broker.connected}
    assert set(broker._wills) <= set(broker.sessions)
    assert all(not connection.ended for connection in broker.strangers)


@pytest.fixture(scope="session")
def judge_sound() -> Callable[[Bench], None]:
    """Judges the bookkeeping of a bench's broker."""
    return _judge_sound
