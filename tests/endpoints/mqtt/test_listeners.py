"""TLS, client certificates and WebSocket, as a scenario asks for them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from labsim.endpoints.endpoint import unguarded
from labsim.endpoints.mqtt.certificates import make_certificates, server_context
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.evidence.event import Event
from labsim.lab.build import build_endpoints
from labsim.lab.options import Options
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.scenario.model import EndpointSpec, ScenarioFile
from labsim.scenario.mqtt import MqttSpec

PATIENCE_S = 20


def endpoint(folder: Path, sink, **spec) -> MqttEndpoint:
    """The endpoint of a scenario whose only endpoint is this."""
    model = EndpointSpec(mqtt=MqttSpec.model_validate(spec))
    scenario = ScenarioFile.model_construct(plant={}, endpoints=(model,))
    [built] = build_endpoints(scenario, Plant(1, SimClock()), Options("seed", folder, port_base=0), sink, [unguarded])
    assert isinstance(built, MqttEndpoint)
    return built


def trust(folder: Path, user: str = "") -> ssl.SSLContext:
    """A client's side of TLS: it knows the lab's authority and checks the host name, and may have a certificate."""
    home = folder / "certificates" / "mqtt"
    context = ssl.create_default_context(cafile=home / "ca.crt")
    if user:
        context.load_cert_chain(home / "clients" / f"{user}.crt", home / "clients" / f"{user}.key")
    return context


async def exchange(port: int, sent: bytes, size: int, context: ssl.SSLContext | None = None) -> bytes:
    """Send and read so many bytes, or to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.readexactly(size), PATIENCE_S)
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.close()


async def test_a_scenario_has_all_listeners(tmp_path, raw):
    """Plain, TLS and WebSocket have an address each, and all lead to one broker."""
    events: list[Event] = []
    async with endpoint(
        tmp_path, events.append, tls={"port": 8883}, websocket={"port": 8083}, users=[{"name": "ann", "password": 7}]
    ) as built:
        urls = [address.url for address in built.addresses()]
        assert [url.partition(":")[0] for url in urls] == ["mqtt", "mqtts", "ws"]
        assert urls[2].endswith("/mqtt")
        for port, context in zip(built.ports[:2], (None, trust(tmp_path)), strict=True):
            assert await exchange(port, raw.connect("c", user="ann", password="7"), 4, context) == b"\x20\x02\x00\x00"
    assert [event.detail.get("transport") for event in events if event.kind == "open"] == [None, "mqtts"]


async def test_a_certificate_stands_for_the_password(tmp_path, raw):
    """A user with a certificate comes in by it, and evidence has its thumbprint; not under another name, nor without it."""
    events: list[Event] = []
    async with endpoint(
        tmp_path,
        events.append,
        anonymous=False,
        tls={"clients": "optional"},
        users=[{"name": "edge7", "certificate": True}, {"name": "ann", "password": "secret"}],
    ) as built:
        port, own = built.ports[1], trust(tmp_path, "edge7")
        assert await exchange(port, raw.connect("a"), 4, own) == b"\x20\x02\x00\x00"
        assert await exchange(port, raw.connect("b", user="edge7"), 4, own) == b"\x20\x02\x00\x00"
        assert await exchange(port, raw.connect("c", user="ann", password="x"), 4, own) == b"\x20\x02\x00\x04"
        assert await exchange(port, raw.connect("d", user="edge7"), 4, trust(tmp_path)) == b"\x20\x02\x00\x04"
        assert await exchange(port, raw.connect("e"), 4, trust(tmp_path)) == b"\x20\x02\x00\x05"
    connects = [event for event in events if event.kind == "connect"]
    assert [event.user for event in connects] == ["edge7", "edge7", "", "", ""]
    assert len(connects[0].thumb) == 40
    assert connects[3].thumb == ""


async def test_a_certificate_can_be_required(tmp_path, raw):
    """Without one, or with one of another authority, the handshake fails and no connection opens."""
    events: list[Event] = []
    users = [{"name": "edge7", "certificate": True}]
    async with endpoint(tmp_path / "a", events.append, tls={"clients": "required"}, users=users) as built:
        make_certificates(tmp_path / "b" / "certificates" / "mqtt", "127.0.0.1", ["edge7"])
        stranger = trust(tmp_path / "a")
        home = tmp_path / "b" / "certificates" / "mqtt" / "clients"
        stranger.load_cert_chain(home / "edge7.crt", home / "edge7.key")
        for context in (trust(tmp_path / "a"), stranger):
            try:
                assert await exchange(built.ports[1], raw.connect("c"), 4, context) == b""
            except (ssl.SSLError, ConnectionResetError):
                continue  # how the failed handshake is seen depends on who is quicker
        good = trust(tmp_path / "a", "edge7")
        assert await exchange(built.ports[1], raw.connect("c"), 4, good) == b"\x20\x02\x00\x00"
    assert [event.kind for event in events].count("open") == 1
    told = [event.detail["reason"] for event in events if event.kind == "reject"]
    assert told == [
        "TLS handshake: peer did not return a certificate",
        "TLS handshake: certificate verify failed",
    ]


def test_certificates_are_made_once(tmp_path):
    """A resumed attempt keeps its certificates, and the authority's key is nowhere."""
    make_certificates(tmp_path, "lab.example", ["a"])
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make_certificates(tmp_path, "lab.example", ["a"])
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert set(before) == {"ca.crt", "server.crt", "server.key", "a.crt", "a.key"}
    server_context(tmp_path)


@pytest.mark.parametrize(
    "spec",
    [
        {"users": [{"name": "a"}]},
        {"users": [{"name": "a", "certificate": True}]},
        {"users": [{"name": "../a", "certificate": True}], "tls": {"clients": "optional"}},
        {"users": [{"name": "a", "password": "b", "publish": ["a/#/b"]}]},
        {"users": [{"name": "a", "password": "b", "subscribe": ["a+"]}]},
        {"limits": {"rate": 0}},
    ],
)
def test_a_scenario_that_cannot_be_is_refused(spec):
    """Users nobody can be, names that are no file names and filters that are none are told to the author."""
    with pytest.raises(ValidationError):
        MqttSpec.model_validate(spec)


def test_the_example_of_the_documentation_is_valid():
    """The endpoint that docs/mqtt.md shows can be written so."""
    text = (Path(__file__).parents[3] / "docs" / "mqtt.md").read_text(encoding="utf-8")
    example = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    [given] = example["endpoints"]
    spec = MqttSpec.model_validate(given["mqtt"])
    assert spec.further_ports == (8883, 8083)
    assert [user.name for user in spec.users] == ["scada", "edge7"]


class Web:
    """A WebSocket client over a plain socket."""

    def __init__(self, port: int, path: str = "/mqtt", subprotocols: tuple[str, ...] = ("mqtt",)) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        uri = parse_uri(f"ws://127.0.0.1:{port}{path}")
        self.protocol = ClientProtocol(uri, subprotocols=list(subprotocols) or None)
        self.protocol.send_request(self.protocol.connect())
        self.push()
        self.response = self.pull()[0]

    def push(self) -> None:
        """Send what the protocol has to say."""
        for data in self.protocol.data_to_send():
            if data:
                self.socket.sendall(data)

    def pull(self) -> list:
        """The next events; empty at the end of the stream."""
        while True:
            data = self.socket.recv(65536)
            if not data:
                self.protocol.receive_eof()
            else:
                self.protocol.receive_data(data)
            self.push()
            events = self.protocol.events_received()
            if events or not data:
                return events

    def send(self, data: bytes) -> None:
        """One binary message."""
        self.protocol.send_binary(data)
        self.push()

    def read(self, size: int) -> bytes:
        """So many MQTT bytes."""
        found = b""
        while len(found) < size:
            events = self.pull()
            assert events, "closed"
            found += b"".join(event.data for event in events)
        return found


async def test_mqtt_6_0_0_2_packets_and_frames_need_not_fit(tmp_path, raw):
    """Half a packet in a frame, and several in one, are the same stream; the answer comes in binary frames."""
    events: list[Event] = []
    async with endpoint(tmp_path, events.append, websocket={}) as built:

        def talk() -> None:
            web = Web(built.ports[1])
            assert web.response.headers["Sec-WebSocket-Protocol"] == "mqtt"  # [MQTT-6.0.0-4]
            connect = raw.connect("c")
            web.send(connect[:5])
            web.send(connect[5:] + raw.subscribe(("a", 0)) + raw.publish("a", b"x", 1, 9) + raw.PING)
            assert [one[0] for one in raw.read(web.read(4 + 5 + 6 + 4 + 2))] == [
                "connack", "suback", "publish", "puback", "pong",
            ]  # fmt: skip
            web.send(raw.DISCONNECT)
            while web.pull():
                pass
            assert web.protocol.close_code == 1000
            web.socket.close()

        await asyncio.to_thread(talk)
    assert events[0].detail == {"transport": "ws"}


async def test_mqtt_6_0_0_1_a_text_frame_closes(tmp_path, raw):
    """MQTT goes in binary frames; a text frame ends the connection, and evidence says why."""
    events: list[Event] = []
    async with endpoint(tmp_path, events.append, websocket={}) as built:

        def talk() -> None:
            web = Web(built.ports[1])
            web.send(raw.connect("c"))
            web.read(4)
            web.protocol.send_text(b"hello")
            web.push()
            while web.pull():
                pass
            assert web.protocol.close_code == 1003
            web.socket.close()

        await asyncio.to_thread(talk)
    assert [event.detail["reason"] for event in events if event.kind == "reject"] == [
        "a text frame; MQTT goes in binary ones"
    ]


@pytest.mark.parametrize(
    ("path", "subprotocols", "status"), [("/other", ("mqtt",), 404), ("/mqtt", (), 400), ("/mqtt", ("chat",), 400)]
)
async def test_mqtt_6_0_0_3_another_path_or_subprotocol_is_refused(tmp_path, path, subprotocols, status):
    """The handshake is answered with the reason in HTTP, and evidence has it too."""
    events: list[Event] = []
    async with endpoint(tmp_path, events.append, websocket={}) as built:

        def talk() -> None:
            web = Web(built.ports[1], path, subprotocols)
            assert web.response.status_code == status
            web.socket.close()

        await asyncio.to_thread(talk)
    assert [event.kind for event in events] == ["open", "reject", "close"]


async def test_no_websocket_at_all_is_refused(tmp_path, raw):
    """Plain MQTT on the WebSocket port gets no MQTT answer, and the socket is closed."""
    events: list[Event] = []
    async with endpoint(tmp_path, events.append, websocket={}) as built:
        answer = await exchange(built.ports[1], raw.connect("c") + b"\r\n\r\n" * 20, 1000)
        assert b"\x20\x02" not in answer[:2]
    assert [event.kind for event in events] == ["open", "reject", "close"]


async def test_websocket_behind_tls(tmp_path, raw):
    """With tls the WebSocket listener speaks it, with the same certificate."""
    async with endpoint(tmp_path, lambda _: None, websocket={"tls": True}) as built:
        assert built.addresses()[1].url.startswith("wss://")
        request = b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        request += b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        assert (await exchange(built.ports[1], request, 12, trust(tmp_path))) == b"HTTP/1.1 101"
