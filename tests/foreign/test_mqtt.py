"""MQTT clients from elsewhere at our broker: mosquitto's, npm mqtt and paho, in version 5, over TCP, TLS and WebSocket."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Rights
from labsim.endpoints.mqtt.certificates import make_certificates, server_context
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

pytestmark = pytest.mark.foreign
PATIENCE_S = 20


class Bench:
    """A broker with all listeners, and what its sink was told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.events = folder, list[Event]()
        make_certificates(folder, "127.0.0.1", ["edge7"])
        self.endpoint = MqttEndpoint(
            Plant(1, SimClock()), [], self.events.append, users=[User("ann", "secret")],
            acl={"": Rights(publish=("js/#", "t/#", "$share/#")), "edge7": Rights(publish=("js/#",))}, certified=["edge7"],
            tls=server_context(folder, "optional"), tls_port=0, web_port=0,
        )  # fmt: skip

    def of(self, kind: str, app: str) -> Event:
        """The last event of a kind by a client."""
        return [event for event in self.events if event.kind == kind and event.app == app][-1]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A running broker."""
    made = Bench(tmp_path)
    async with made.endpoint:
        yield made


async def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program beside the broker."""
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


async def test_mosquitto_clients_of_version_5(bench: Bench, need: Callable[..., None]) -> None:
    """What mosquitto_pub says with properties, mosquitto_sub hears with them, and both are evidence."""
    need("mosquitto_pub", "mosquitto_sub")
    where = ["-V", "5", "-h", "127.0.0.1", "-p", str(bench.endpoint.port)]
    said = await run(
        "mosquitto_pub", *where, "-i", "pub", "-q", "2", "-r", "-t", "t/a", "-m", "hello", "-D", "PUBLISH", "content-type",
        "text/plain", "-D", "PUBLISH", "user-property", "cell", "7", "-D", "PUBLISH", "response-topic", "t/answer",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    heard = await run(
        "mosquitto_sub",
        *where,
        "-i",
        "sub",
        "-q",
        "2",
        "-t",
        "t/+",
        "-C",
        "1",
        "-W",
        "20",
        "-F",
        "%t %p %q %r %C %P %R",
    )
    assert heard.stdout == "t/a hello 2 1 text/plain cell:7 t/answer\n", heard
    event = bench.of("publish", "pub")
    assert event.detail["properties"] == {
        "content_type": "text/plain", "response_topic": "t/answer", "user": [["cell", "7"]],
    }  # fmt: skip
    assert bench.of("connect", "sub").detail["level"] == 5


async def test_mosquitto_pub_is_told_why(bench: Bench, need: Callable[..., None]) -> None:
    """A forbidden topic comes back as a reason that the program prints; so does a wrong password."""
    need("mosquitto_pub")
    where = ["-V", "5", "-h", "127.0.0.1", "-p", str(bench.endpoint.port), "-q", "1", "-m", "x"]
    refused = await run("mosquitto_pub", *where, "-t", "forbidden")
    assert "Not authorized" in refused.stderr + refused.stdout
    wrong = await run("mosquitto_pub", *where, "-t", "t/a", "-u", "ann", "-P", "guess")
    assert wrong.returncode != 0
    assert "bad user name or password" in (wrong.stderr + wrong.stdout).lower()


async def test_mosquitto_pub_over_tls(bench: Bench, need: Callable[..., None]) -> None:
    """The lab's own authority is all that mosquitto_pub needs; a client certificate is its user."""
    need("mosquitto_pub")
    home = bench.folder
    said = await run(
        "mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(bench.endpoint.ports[1]), "--cafile", str(home / "ca.crt"),
        "--cert", str(home / "clients" / "edge7.crt"), "--key", str(home / "clients" / "edge7.key"), "-i", "tls",
        "-q", "1", "-t", "js/tls", "-m", "x",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    event = bench.of("publish", "tls")
    assert (event.user, len(event.thumb)) == ("edge7", 40)


@pytest.mark.parametrize("way", ["mqtt", "mqtts", "ws"])
@pytest.mark.parametrize("version", [4, 5])
async def test_npm_mqtt(bench: Bench, node: Callable[..., Any], way: str, version: int) -> None:
    """Npm mqtt asks and answers over each listener; in version 5 with all that belongs to it."""
    import json

    port = dict(zip(("mqtt", "mqtts", "ws"), bench.endpoint.ports, strict=True))[way]
    options: dict[str, Any] = {"protocolVersion": version, "clientId": f"js-{way}"}
    if way == "mqtts":
        home = bench.folder
        options |= {
            "ca": str(home / "ca.crt"), "cert": str(home / "clients" / "edge7.crt"),
            "key": str(home / "clients" / "edge7.key"),
        }  # fmt: skip
    url = f"{way}://127.0.0.1:{port}" + ("/mqtt" if way == "ws" else "")
    asked, answered, end = await asyncio.to_thread(node, "mqtt.js", url, json.dumps(options))
    assert (asked["topic"], asked["payload"], asked["qos"]) == ("js/ask", "how many?", 2)
    assert (answered["topic"], answered["payload"], answered["qos"]) == ("js/answer", "42", 1)
    assert end["granted"] == [2]
    if version == 5:
        assert (asked["contentType"], asked["userProperties"], asked["responseTopic"]) == (
            "text/plain", {"cell": "7"}, "js/answer",
        )  # fmt: skip
        assert answered["correlation"] == "0102"
        assert asked["subscriptionIdentifier"] == 7
        assert end["refused"] == 0x87
    assert bench.of("connect", f"js-{way}").user == ("edge7" if way == "mqtts" else "")


class Paho:
    """A paho client of version 5 whose callbacks can be waited for."""

    def __init__(self, port: int, client_id: str, **options: Any) -> None:
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False, **options
        )
        self.heard: list[tuple[str, Any]] = []
        self._moved = threading.Condition()
        self.client.on_connect = lambda _c, _d, _f, reason, told: self._note("connect", (reason, told))
        self.client.on_message = lambda _c, _d, message: self._note("message", message)
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self._note("subscribe", codes)
        self.client.on_publish = lambda _c, _d, _m, reason, _p: self._note("publish", reason)
        self.client.on_disconnect = lambda _c, _d, _f, reason, _p: self._note("disconnect", reason)
        self._port = port

    def _note(self, kind: str, what: Any) -> None:
        with self._moved:
            self.heard.append((kind, what))
            self._moved.notify_all()

    def wait(self, kind: str, count: int = 1) -> Any:
        """The last of so many callbacks of a kind."""

        def found() -> list[Any]:
            return [what for one, what in self.heard if one == kind]

        with self._moved:
            assert self._moved.wait_for(lambda: len(found()) >= count, PATIENCE_S), (kind, self.heard)
            return found()[count - 1]

    def connect(self, **options: Any) -> Any:
        """Connect; reason and properties of the CONNACK."""
        self.client.connect("127.0.0.1", self._port, **options)
        self.client.loop_start()
        return self.wait("connect")


def properties(kind: int, **given: Any) -> Properties:
    """Properties as paho has them."""
    made = Properties(kind)
    for name, value in given.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("way", ["tcp", "websockets"])
async def test_paho_of_version_5(bench: Bench, way: str) -> None:
    """Assigned id, session expiry, options, properties, reason codes and take-over, as paho sees them."""
    port = bench.endpoint.ports[0 if way == "tcp" else 2]

    def talk() -> None:
        first = Paho(port, "", transport=way)
        if way == "websockets":
            first.client.ws_set_options("/mqtt")
        reason, told = first.connect(
            clean_start=True, properties=properties(PacketTypes.CONNECT, SessionExpiryInterval=60, TopicAliasMaximum=2)
        )
        assert not reason.is_failure
        name = told.AssignedClientIdentifier
        assert told.ReceiveMaximum > 0
        first.client.subscribe(
            [("t/#", SubscribeOptions(2, noLocal=False, retainAsPublished=True))],
            properties=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=9),
        )
        assert [code.value for code in first.wait("subscribe")] == [2]
        for _ in range(2):
            first.client.publish(
                "t/a",
                b"x",
                2,
                True,
                properties(PacketTypes.PUBLISH, UserProperty=("cell", "7"), MessageExpiryInterval=30),
            )
        message = first.wait("message", 2)
        assert (message.topic or "t/a", message.qos, bool(message.retain)) == ("t/a", 2, True)
        assert message.properties.UserProperty == [("cell", "7")]
        assert message.properties.SubscriptionIdentifier == [9]
        first.client.publish("forbidden", b"x", 1)
        assert first.wait("publish", 3).value == 0x87
        second = Paho(bench.endpoint.port, name)
        second.connect(clean_start=False)
        assert first.wait("disconnect").value == 0x8E
        second.client.disconnect()
        second.wait("disconnect")
        for one in (first, second):
            one.client.loop_stop()

    await asyncio.to_thread(talk)
