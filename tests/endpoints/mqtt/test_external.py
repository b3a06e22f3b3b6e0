"""Somebody else's broker as a lab's endpoint: the plant publishes there, clients come through the tap.

The broker here is ours on a port of its own, as a stranger; ``tests/foreign`` does the same with mosquitto.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError

from labsim.endpoints.endpoint import Address, User
from labsim.endpoints.mqtt.edge_node import NodeIdentity
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.external import ExternalBroker
from labsim.endpoints.mqtt.plant_client import BrokerUrl
from labsim.endpoints.mqtt.voice import Style
from labsim.errors import EndpointError
from labsim.evidence.event import PLANT, Event
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.scenario.mqtt import MqttSpec

PUMP: dict[str, Any] = {
    "type": "pump",
    "title": "Pump",
    "about": "A pump.",
    "identification": {"manufacturer": "Fictional", "model": "P-1", "revision": "1.0", "serial": "P1-{number:04d}"},
    "tags": {
        "flow": {"type": "f64", "unit": "m³/h", "title": "Flow", "initial": 12.5},
        "setpoint": {
            "type": "f64",
            "unit": "m³/h",
            "title": "Setpoint",
            "initial": 10,
            "access": "rw",
            "range": [0, 50],
        },
    },
    "mqtt": {
        "messages": [{"topic": "plant/{device}/state", "every": "1 s", "tags": ["flow"], "qos": 1, "retain": True}]
    },
}
PLANT_USER = User("plant", "pl@nt")
TRAINEE = User("ann", "secret")


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - paho's threads have no event of their own
            await asyncio.sleep(0.002)


class Bench:
    """A plant at a broker that is not its own."""

    def __init__(self) -> None:
        self.broker_events: list[Event] = []
        self.events: list[Event] = []
        self.clients: list[Paho] = []
        self.plant = Plant(7, SimClock())
        self.plant.add("pump1", DeviceType(Interface.model_validate(PUMP), Device))
        self.plant.start()
        self.port = 0

    async def open_broker(self) -> None:
        """Start the broker, again on its port when it had one."""
        nobody = Plant(7, SimClock())
        nobody.start()
        users = [PLANT_USER, TRAINEE]
        self.broker = MqttEndpoint(nobody, [], self.broker_events.append, port=self.port, users=users, anonymous=False)
        await self.broker.__aenter__()
        self.port = self.broker.port

    async def close_broker(self) -> None:
        """Stop it."""
        await self.broker.__aexit__(None, None, None)

    def endpoint(self, style: Style | None = None, account: str = "plant:pl%40nt@") -> ExternalBroker:
        """The lab's endpoint, not yet entered."""
        url = f"mqtt://{account}127.0.0.1:{self.port}"
        return ExternalBroker(self.plant, ["pump1"], self.events.append, url, users=[TRAINEE], style=style)

    def step(self, endpoint: ExternalBroker, steps: int = 1) -> None:
        """Let the plant go on."""
        for _ in range(steps):
            self.plant.advance()
            endpoint.tick()

    async def client(self, endpoint: ExternalBroker, topic: str) -> list[tuple[str, Any]]:
        """A trainee's client through the tap; what it hears on ``topic``."""
        heard: list[tuple[str, Any]] = []
        client = Paho(CallbackAPIVersion.VERSION2, client_id="trainee", reconnect_on_failure=False)
        client.username_pw_set(TRAINEE.name, TRAINEE.password)
        client.on_message = lambda _client, _data, message: heard.append((message.topic, message.payload))
        granted: list[Any] = []
        client.on_subscribe = lambda *_: granted.append(1)
        await asyncio.to_thread(client.connect, endpoint.host, endpoint.port)
        client.loop_start()
        await until(client.is_connected)
        client.subscribe(topic, 1)
        await until(lambda: granted)
        self.clients.append(client)
        return heard

    def of(self, kind: str, app: str = PLANT) -> list[Event]:
        """What was told of one client."""
        return [event for event in self.events if event.kind == kind and event.app == app]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A broker that runs."""
    bench = Bench()
    await bench.open_broker()
    yield bench
    for client in bench.clients:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
    await bench.close_broker()


async def test_telemetry_comes_to_clients_of_the_tap(bench: Bench) -> None:
    """The plant's messages reach a client through the broker, and evidence has them as the plant's, with their device."""
    async with bench.endpoint() as endpoint:
        assert endpoint.addresses() == [Address(None, "mqtt", f"mqtt://127.0.0.1:{endpoint.port}", users=(TRAINEE,))]
        assert endpoint.port != bench.port
        heard = await bench.client(endpoint, "plant/#")
        bench.step(endpoint, 21)
        await until(lambda: len(heard) == 3)
        assert json.loads(heard[0][1])["values"]["flow"]["value"] == 12.5
        published = bench.of("publish")
        assert [(event.subject, event.device) for event in published] == [("plant/pump1/state", "pump1")] * 3
        connect = bench.of("connect", "trainee")[0]
        assert (connect.user, connect.status) == ("ann", 0)


async def test_the_plant_has_its_own_user(bench: Bench) -> None:
    """The account in the URL is the plant's at the broker; none of it is in evidence or in what people see."""
    async with bench.endpoint() as endpoint:
        bench.step(endpoint)
        connect = next(event for event in bench.broker_events if event.kind == "connect")
        assert connect.user == "plant"
        assert "pl@nt" not in str(bench.events) + str(endpoint.addresses())


async def test_a_broker_that_is_not_there_is_a_sentence() -> None:
    """Entering without a broker is an EndpointError that names its address and what to do."""
    bench = Bench()
    bench.port = 1
    with pytest.raises(EndpointError, match=r"mqtt://127\.0\.0\.1:1 cannot be reached .* Start it"):
        await bench.endpoint().__aenter__()


async def test_a_broker_that_refuses_the_plant_is_a_sentence(bench: Bench) -> None:
    """So is one that does not take the plant's account."""
    with pytest.raises(EndpointError, match="does not take the plant in"):
        await bench.endpoint(account="plant:wrong@").__aenter__()


async def test_a_taken_port_is_a_sentence(bench: Bench) -> None:
    """And so is a tap on the broker's own port; the plant's connection is not left behind."""
    endpoint = bench.endpoint()
    endpoint.port = bench.port
    with pytest.raises(EndpointError, match="is in use"):
        await endpoint.__aenter__()
    await until(lambda: [event.kind for event in bench.broker_events if event.app][-1] == "close")


async def test_a_broker_that_goes_and_comes(bench: Bench) -> None:
    """A broker that dies is an incident, the plant comes back by itself, and says how many messages were lost."""
    async with bench.endpoint() as endpoint:
        bench.step(endpoint)
        await bench.close_broker()
        await until(lambda: bench.of("incident", ""))
        bench.step(endpoint, 20)
        assert len(bench.of("publish")) == 1
        await bench.open_broker()
        await until(lambda: len(bench.of("incident", "")) == 2)
        told = [event.detail["reason"] for event in bench.of("incident", "")]
        assert "is gone" in told[0]
        assert "is back; 2 messages of the plant were lost" in told[1]
        bench.step(endpoint, 10)
        assert len(bench.of("publish")) == 2


async def test_commands_come_with_their_author(bench: Bench) -> None:
    """A command that a client publishes writes the tag, and the write's evidence names that client, as with our own broker."""
    async with bench.endpoint(Style(commands="cmd/{device}/{tag}")) as endpoint:
        await bench.client(endpoint, "cmd/#")
        bench.clients[0].publish("cmd/pump1/setpoint", json.dumps({"value": 20}), qos=1)
        await until(lambda: bench.of("write", "trainee"))
        write = bench.of("write", "trainee")[0]
        assert (write.tags, write.values, write.user, write.status) == (["pump1.setpoint"], [20], "ann", 0)
        store = bench.plant.store
        assert store.read(store["pump1.setpoint"].row) == 20


async def test_an_edge_node_is_born_and_dies_there(bench: Bench) -> None:
    """As a Sparkplug edge node the plant connects with its death as will, is born, and dies when it leaves."""
    style = Style(payload="sparkplug", node=NodeIdentity("g", "e"))
    async with bench.endpoint(style) as endpoint:
        await until(lambda: bench.of("publish"))
        assert [event.subject.split("/")[2] for event in bench.of("publish")] == ["NBIRTH", "DBIRTH"]
        will = next(event for event in bench.broker_events if event.kind == "connect").detail["will"]
        assert will["topic"] == "spBv1.0/g/NDEATH/e"
        bench.step(endpoint)
    assert bench.of("publish")[-1].subject == "spBv1.0/g/NDEATH/e"


async def test_an_edge_node_comes_again_when_its_host_is_back(bench: Bench) -> None:
    """A node whose primary host goes dies, connects anew with the next bdSeq in its will, and waits to be born."""
    style = Style(payload="sparkplug", node=NodeIdentity("g", "e", "scada"))
    async with bench.endpoint(style) as endpoint:
        await bench.client(endpoint, "spBv1.0/#")

        def host(online: bool, timestamp: int) -> None:
            state = json.dumps({"online": online, "timestamp": timestamp})
            bench.clients[0].publish("spBv1.0/STATE/scada", state, qos=1)

        def connects() -> list[Event]:
            return [event for event in bench.broker_events if event.kind == "connect" and event.user == "plant"]

        def kinds() -> list[str]:
            return [event.subject.split("/")[2] for event in bench.of("publish")]

        host(True, 1)
        await until(lambda: kinds() == ["NBIRTH", "DBIRTH"])
        host(False, 2)
        await until(lambda: len(connects()) == 2)
        assert kinds() == ["NBIRTH", "DBIRTH", "NDEATH"]
        wills = [event.detail["will"]["payload"] for event in connects()]
        assert wills[0] != wills[1]
        await until(lambda: endpoint._client.connected)
        host(True, 3)
        await until(lambda: kinds() == ["NBIRTH", "DBIRTH", "NDEATH", "NBIRTH", "DBIRTH"])
        assert not bench.of("incident", "")


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("mqtt://emqx", "emqx", 1883, None),
        ("mqtt://a%40b:c@10.0.0.1:1884", "10.0.0.1", 1884, "a@b"),
        ("mqtt://[::1]:1885/", "::1", 1885, None),
    ],
)
def test_urls_of_brokers(url: str, host: str, port: int, user: str | None) -> None:
    """Host, port and account, which the model has judged and the text does not show."""
    parsed = BrokerUrl.parse(str(MqttSpec(broker=url).broker))
    assert (parsed.host, parsed.port, parsed.user) == (host, port, user)
    assert "@" not in str(parsed)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"broker": "mosquitto:1883"}, "is no broker"),
        ({"broker": "mqtt://"}, "is no broker"),
        ({"broker": "mqtt://host:x"}, "is no broker"),
        ({"broker": "http://host"}, "is no broker"),
        ({"broker": "mqtt://host", "tls": {}}, "'tls' is for our own broker"),
        ({"broker": "mqtt://host", "anonymous": False}, "'anonymous' is for our own broker"),
        (
            {"broker": "mqtt://host", "users": [{"name": "a", "password": "b", "publish": ["x"]}]},
            "at the broker itself",
        ),
    ],
)
def test_what_a_scenario_cannot_say_of_a_broker(given: dict[str, Any], why: str) -> None:
    """Things that only our own broker can do are told, instead of doing nothing."""
    with pytest.raises(ValidationError, match=why):
        MqttSpec.model_validate(given)
