"""Two brokers, ours and mosquitto, and a client that speaks bytes to either; its codec is coded apart from the broker's."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Rights
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

PATIENCE_S = 20
_SHORT_S = 0.5
"""Patience with mosquitto where the documentation says that it does otherwise: mostly it stays silent."""
DEMANDED = os.environ.get("LABSIM_FOREIGN") == "1"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
DIFFERENCES = Path(__file__).parents[4] / "docs" / "mqtt.md"
_FORMS = {
    1: 1, 2: 4, 3: "s", 8: "s", 9: "b", 11: "v", 17: 4, 18: "s", 19: 2, 21: "s", 22: "b", 23: 1, 24: 4, 25: 1, 26: "s",
    28: "s", 31: "s", 33: 2, 34: 2, 35: 2, 36: 1, 37: 1, 38: "p", 39: 4, 40: 1, 41: 1, 42: 1,
}  # fmt: skip
"""Width or form of each property by its identifier (§2.2.2.2)."""


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes((digit | (128 if value else 0),))
        if not value:
            return out


def text(value: str | bytes) -> bytes:
    """A string or binary data with its length."""
    raw = value if isinstance(value, bytes) else value.encode()
    return len(raw).to_bytes(2, "big") + raw


def props(*pairs: tuple) -> bytes:
    """Properties as ``(identifier, value)``, with their length."""
    body = b""
    for key, value in pairs:
        form = _FORMS.get(key, 1)
        body += bytes((key,))
        if form == "v":
            body += number(value)
        elif form == "p":
            body += text(value[0]) + text(value[1])
        elif form in ("s", "b"):
            body += text(value)
        else:
            body += value.to_bytes(form, "big")
    return number(len(body)) + body


def packet(header: int, body: bytes = b"") -> bytes:
    """A fixed header and its body."""
    return bytes((header,)) + number(len(body)) + body


class Cursor:
    """Reads what a server sent."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        assert self.at + size <= len(self.data), "the server sent a packet that ends inside a field"
        self.at += size
        return self.data[self.at - size : self.at]

    def word(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.take(2), "big")

    def number(self) -> int:
        """A variable byte integer."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def props(self) -> dict:
        """Properties by identifier, each a list of values."""
        found: dict = {}
        end = self.number() + self.at
        while self.at < end:
            key = self.number()
            form = _FORMS[key]
            if form == "v":
                value = self.number()
            elif form == "p":
                value = (self.take(self.word()).decode(), self.take(self.word()).decode())
            elif form == "s":
                value = self.take(self.word()).decode()
            elif form == "b":
                value = self.take(self.word())
            else:
                value = int.from_bytes(self.take(form), "big")
            found.setdefault(key, []).append(value)
        assert self.at == end
        return found

    def rest(self) -> bytes:
        """Everything left."""
        return self.take(len(self.data) - self.at)


KINDS = {2: "connack", 3: "publish", 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp", 9: "suback", 11: "unsuback",
         13: "pong", 14: "disconnect", 15: "auth"}  # fmt: skip


def parse(header: int, body: bytes, level: int) -> SimpleNamespace:
    """A packet of a server."""
    found, cursor = SimpleNamespace(kind=KINDS[header >> 4], code=0, props={}, flags=header & 15), Cursor(body)
    match found.kind:
        case "connack":
            found.present, found.code = cursor.take(1)[0], cursor.take(1)[0]
            found.props = cursor.props() if level == 5 and cursor.at < len(body) else {}
        case "publish":
            found.qos, found.retain, found.dup = header >> 1 & 3, bool(header & 1), bool(header & 8)
            found.topic = cursor.take(cursor.word()).decode()
            found.mid = cursor.word() if found.qos else 0
            found.props = cursor.props() if level == 5 else {}
            found.payload = cursor.rest()
        case "puback" | "pubrec" | "pubrel" | "pubcomp":
            found.mid = cursor.word()
            found.code = cursor.take(1)[0] if cursor.at < len(body) else 0
            found.props = cursor.props() if cursor.at < len(body) else {}
        case "suback" | "unsuback":
            found.mid = cursor.word()
            found.props = cursor.props() if level == 5 else {}
            found.codes = list(cursor.rest())
        case "disconnect":
            found.code = cursor.take(1)[0] if body else 0
            found.props = cursor.props() if cursor.at < len(body) else {}
    assert cursor.at == len(body), f"bytes too many in {found}"
    return found


class Peer:
    """One connection to a broker, with every act of a client as bytes."""

    def __init__(self, port: int, level: int) -> None:
        self.level = level
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, *packets: bytes) -> Peer:
        """Bytes as they are; a broker that has hung up already is found out by `ends`."""
        try:
            self.socket.sendall(b"".join(packets))
        except (BrokenPipeError, ConnectionResetError):
            return self
        return self

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return False
            self._buffer += data
        return True

    def get(self) -> SimpleNamespace | None:
        """The next packet; None when the broker has closed."""
        size = 2
        while True:
            if not self._fill(size):
                assert not self._buffer, "the broker closed inside a packet"
                return None
            if self._buffer[size - 1] < 128:
                break
            size += 1
        cursor = Cursor(self._buffer)
        header, length = cursor.take(1)[0], cursor.number()
        assert self._fill(size + length)
        body, self._buffer = self._buffer[size : size + length], self._buffer[size + length :]
        return parse(header, body, self.level)

    def expect(self, kind: str) -> SimpleNamespace:
        """The next packet, which is of this kind."""
        found = self.get()
        assert found is not None, f"closed, not {kind}"
        assert found.kind == kind, found
        return found

    def sync(self) -> list[SimpleNamespace]:
        """Everything that comes before the answer to a ping."""
        self.send(b"\xc0\x00")
        found = []
        while (one := self.get()) is not None and one.kind != "pong":
            found.append(one)
        assert one is not None, f"closed after {found}"
        return found

    def messages(self) -> list[SimpleNamespace]:
        """The PUBLISH packets that have come until now."""
        return [one for one in self.sync() if one.kind == "publish"]

    def ends(self) -> list[SimpleNamespace]:
        """What the broker says before it closes; it does not if this runs out of patience."""
        found = []
        while (one := self.get()) is not None:
            found.append(one)
        return found

    def refused(self, code: int) -> bool:
        """Whether it is closed, in version 5 after a DISCONNECT with this code."""
        said = self.ends()
        return [(one.kind, one.code) for one in said] == ([("disconnect", code)] if self.level == 5 else [])

    def connect_bytes(
        self, client_id: str | bytes, *, clean: bool = True, keepalive: int = 0, properties: bytes = b"\0", will=None,
        user=None, password=None, flags=None, name: str = "MQTT", level=None, extra: bytes = b"",
    ) -> bytes:  # fmt: skip
        """CONNECT; ``will`` as (topic, payload, QoS, retain[, properties])."""
        level = level or self.level
        computed, tail = 2 * clean, text(client_id)
        if will:
            topic, payload, qos, retain, *more = will
            computed |= 4 | qos << 3 | retain << 5
            tail += (more[0] if more else b"\0") if level == 5 else b""
            tail += text(topic) + text(payload)
        if user is not None:
            computed |= 128
            tail += text(user)
        if password is not None:
            computed |= 64
            tail += text(password)
        head = text(name) + bytes((level, computed if flags is None else flags)) + keepalive.to_bytes(2, "big")
        return packet(0x10, head + (properties if level == 5 else b"") + tail + extra)

    def connect(self, client_id: str | bytes = "", **options) -> SimpleNamespace:
        """CONNECT and the CONNACK."""
        self.send(self.connect_bytes(client_id, **options))
        return self.expect("connack")

    def publish_bytes(
        self, topic: str | bytes, payload: bytes = b"x", qos: int = 0, mid: int = 1, *, retain=False, dup=False,
        properties: bytes = b"\0",
    ) -> bytes:  # fmt: skip
        """PUBLISH."""
        body = text(topic) + (mid.to_bytes(2, "big") if qos else b"") + (properties if self.level == 5 else b"")
        return packet(0x30 | dup << 3 | qos << 1 | retain, body + payload)

    def publish(
        self, topic: str, payload: bytes = b"x", qos: int = 0, mid: int = 1, **options
    ) -> SimpleNamespace | None:
        """PUBLISH, with its first acknowledgement; of QoS 0, after the broker has taken it."""
        self.send(self.publish_bytes(topic, payload, qos, mid, **options))
        if not qos:
            assert self.sync() == []
            return None
        return self.expect("puback" if qos == 1 else "pubrec")

    def deliver(self, topic: str, payload: bytes = b"x", qos: int = 0, mid: int = 1, **options) -> None:
        """PUBLISH and all of its acknowledgements: some brokers pass a QoS 2 message on at its PUBREL only."""
        self.publish(topic, payload, qos, mid, **options)
        if qos == 2:
            self.ack("pubrel", mid).expect("pubcomp")

    def subscribe_bytes(self, *filters: tuple[str | bytes, int], mid: int = 1, properties: bytes = b"\0") -> bytes:
        """SUBSCRIBE with filters as (filter, options)."""
        head = mid.to_bytes(2, "big") + (properties if self.level == 5 else b"")
        return packet(0x82, head + b"".join(text(f) + bytes((options,)) for f, options in filters))

    def subscribe(self, *filters: tuple[str | bytes, int], **options) -> SimpleNamespace:
        """SUBSCRIBE and the SUBACK."""
        self.send(self.subscribe_bytes(*filters, **options))
        return self.expect("suback")

    def unsubscribe_bytes(self, *filters: str | bytes, mid: int = 1) -> bytes:
        """UNSUBSCRIBE."""
        head = mid.to_bytes(2, "big") + (b"\0" if self.level == 5 else b"")
        return packet(0xA2, head + b"".join(map(text, filters)))

    def unsubscribe(self, *filters: str | bytes, mid: int = 1) -> SimpleNamespace:
        """UNSUBSCRIBE and the UNSUBACK."""
        self.send(self.unsubscribe_bytes(*filters, mid=mid))
        return self.expect("unsuback")

    def ack(self, name: str, mid: int, code: int | None = None) -> Peer:
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        header = {"puback": 0x40, "pubrec": 0x50, "pubrel": 0x62, "pubcomp": 0x70}[name]
        return self.send(packet(header, mid.to_bytes(2, "big") + (b"" if code is None else bytes((code,)))))

    def disconnect(self, code: int | None = None, properties: bytes = b"") -> None:
        """DISCONNECT, and wait until the broker has closed."""
        self.send(packet(0xE0, b"" if code is None else bytes((code,)) + properties))
        self.socket.shutdown(socket.SHUT_WR)
        assert self.ends() == []
        self.socket.close()

    def vanish(self) -> None:
        """Lose the connection without a word, and wait until the broker knows."""
        self.socket.shutdown(socket.SHUT_WR)
        self.ends()
        self.socket.close()


@dataclass
class Server:
    """A running broker: an open port, and one that asks for a user and gives it rights."""

    name: str
    port: int
    guarded: int
    patience: float = PATIENCE_S
    peers: list[Peer] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def peer(self, level: int, guarded: bool = False) -> Peer:
        """A connection that has sent nothing."""
        self.peers.append(Peer(self.guarded if guarded else self.port, level))
        self.peers[-1].socket.settimeout(self.patience)
        return self.peers[-1]

    def unique(self, stem: str = "x") -> str:
        """A name that no other test uses, for client ids and topics."""
        return f"{stem}{next(self.numbers)}"


class Own:
    """An endpoint of ours in a thread, with what its sink was told."""

    def __init__(self, **options: Any) -> None:
        self.events: list[Event] = []
        self.peers: list[Peer] = []
        self._kept, self._ready = threading.Condition(), threading.Event()
        self._options = options
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def _keep(self, event: Event) -> None:
        with self._kept:
            self.events.append(event)
            self._kept.notify_all()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with MqttEndpoint(Plant(1, SimClock()), [], self._keep, **self._options) as self.endpoint:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Own:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self.peers:
            peer.socket.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)

    def peer(self, level: int = 5) -> Peer:
        """A connection that has sent nothing."""
        self.peers.append(Peer(self.endpoint.port, level))
        return self.peers[-1]

    def client(self, client_id: str, level: int = 5, **options: Any) -> Peer:
        """A client that is in."""
        peer = self.peer(level)
        peer.connack = peer.connect(client_id, **options)
        assert peer.connack.code == 0, peer.connack
        return peer

    def of(self, kind: str, **fields: Any) -> list[Event]:
        """Events of a kind whose fields are these."""
        return [
            event
            for event in list(self.events)
            if event.kind == kind and all(getattr(event, name) == value for name, value in fields.items())
        ]

    def wait_for(self, kind: str, count: int = 1, **fields: Any) -> Event:
        """The last of ``count`` events of a kind."""
        with self._kept:
            assert self._kept.wait_for(lambda: len(self.of(kind, **fields)) >= count, PATIENCE_S), (kind, fields)
            return self.of(kind, **fields)[count - 1]


@pytest.fixture(scope="session")
def own() -> type[Own]:
    """Makes endpoints with options of their own."""
    return Own


@pytest.fixture(scope="session")
def ours() -> Iterator[Server]:
    """Our broker."""
    rights = {"ann": Rights(("mine/#", "u/%u/c/%c"), ("mine/#", "u/%u/#"))}
    with Own() as everybody, Own(users=[User("ann", "secret")], anonymous=False, acl=rights) as guarded:
        yield Server("labsim", everybody.endpoint.port, guarded.endpoint.port)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real mosquitto on free ports; skipped where there is none, unless programs from elsewhere are demanded."""
    if MOSQUITTO is None or shutil.which("mosquitto_passwd") is None:
        (pytest.fail if DEMANDED else pytest.skip)("missing: mosquitto, mosquitto_passwd")
    folder = tmp_path_factory.mktemp("mosquitto")
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
    subprocess.run(["mosquitto_passwd", "-b", "-c", folder / "users", "ann", "secret"], check=True, capture_output=True)
    (folder / "rights").write_text(
        "user ann\ntopic readwrite mine/#\npattern write u/%u/c/%c\npattern read u/%u/#\n", encoding="utf-8"
    )
    (folder / "rights").chmod(0o600)
    (folder / "mosquitto.conf").write_text(
        f"per_listener_settings true\nsys_interval 1\nset_tcp_nodelay true\nlistener {ports[0]} 127.0.0.1\nallow_anonymous true\n"
        f"listener {ports[1]} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\n"
        f"acl_file {folder}/rights\n",
        encoding="utf-8",
    )
    if os.name == "posix" and os.geteuid() == 0:
        with (folder / "mosquitto.conf").open("a", encoding="utf-8") as file:
            file.write("user root\n")
    with subprocess.Popen(
        [MOSQUITTO, "-v", "-c", folder / "mosquitto.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "running" in line:
                break
        else:
            pytest.fail(f"mosquitto did not start: {said}")
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield Server("mosquitto", *ports)
        process.terminate()
        drain.join(PATIENCE_S)


def differences() -> dict[str, str]:
    """Tests of this folder that mosquitto does not pass, by name, as the documentation lists them."""
    rows = re.findall(r"^\| `(test_\S+)` \| (.+) \|$", DIFFERENCES.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


@pytest.fixture(params=["labsim", "mosquitto"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each broker in turn. A test that the documentation lists as a difference must fail on mosquitto."""
    broker: Server = request.getfixturevalue("ours" if request.param == "labsim" else "mosquitto")
    name = request.node.name.replace("[mosquitto]", "").replace("[mosquitto-", "[")
    if broker.name == "mosquitto" and name in (known := differences()):
        request.applymarker(pytest.mark.xfail(strict=True, reason=known[name]))
        broker.patience = _SHORT_S
    yield broker
    for peer in broker.peers:
        peer.socket.close()
    broker.peers.clear()
    broker.patience = PATIENCE_S


@pytest.fixture
def topic(server: Server) -> str:
    """A topic that no other test uses."""
    return server.unique("t/")


@pytest.fixture
def five(server: Server):
    """Makes connected clients of version 5."""
    return _maker(server, 5)


@pytest.fixture
def three(server: Server):
    """Makes connected clients of version 3.1.1."""
    return _maker(server, 4)


def _maker(server: Server, level: int):
    def make(client_id: str | None = None, **options) -> Peer:
        peer = server.peer(level)
        answer = peer.connect(server.unique("c") if client_id is None else client_id, **options)
        assert answer.code == 0, answer
        peer.connack = answer
        return peer

    return make


@pytest.fixture(scope="session")
def wire() -> SimpleNamespace:
    """The client's codec."""
    return SimpleNamespace(props=props, packet=packet, text=text, number=number)


@pytest.fixture(scope="session")
def speak() -> dict[int, Peer]:
    """Clients without a socket, by version: they only make bytes."""
    found = {}
    for level in (4, 5):
        found[level] = Peer.__new__(Peer)
        found[level].level = level
    return found


@pytest.fixture(scope="session")
def understand() -> Any:
    """Reads everything that a server sent to a client of a version; raises on half a packet."""

    def read(data: bytes, level: int) -> list[SimpleNamespace]:
        found, cursor = [], Cursor(data)
        while cursor.at < len(data):
            header, length = cursor.take(1)[0], cursor.number()
            found.append(parse(header, cursor.take(length), level))
        return found

    return read
