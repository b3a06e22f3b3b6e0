"""Two brokers, ours and mosquitto, for the client of `wire`."""

from __future__ import annotations

import asyncio
import importlib.util
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
_LOADER = importlib.util.spec_from_file_location("mqtt_wire", Path(__file__).with_name("wire.py"))
assert _LOADER is not None
assert _LOADER.loader is not None
wire_module = importlib.util.module_from_spec(
    _LOADER
)  # test folders are no packages: a neighbour has to be loaded by path
_LOADER.loader.exec_module(wire_module)
Peer, Cursor, parse = wire_module.Peer, wire_module.Cursor, wire_module.parse
_SHORT_S = 0.5
"""Patience with mosquitto where the documentation says that it does otherwise: mostly it stays silent."""
DEMANDED = os.environ.get("LABSIM_FOREIGN") == "1"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
DIFFERENCES = Path(__file__).parents[4] / "docs" / "mqtt.md"


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
    return SimpleNamespace(props=wire_module.props, packet=wire_module.packet)


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
