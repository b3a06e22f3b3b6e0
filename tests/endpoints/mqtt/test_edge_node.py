"""The plant as a Sparkplug edge node: alone, and over a real broker with paho as the host application."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.mqtt.command import Writer
from labsim.endpoints.mqtt.edge_node import EdgeNode, NodeIdentity
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.voice import Style
from labsim.errors import UnknownNameError
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import Plant
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import REBIRTH, Metric, Payload, decode, encode
from labsim.sparkplug.topic import HostState, parse_topic

UTC_NS = 1_769_846_400_000_000_000
UTC_MS = UTC_NS // 1_000_000
TAGS = {
    "temperature": {"type": "f64", "unit": "°C", "title": "x"},
    "parts": {"type": "u32", "title": "x"},
    "offset": {"type": "i16", "title": "x", "initial": -3},
    "recipe": {"type": "text", "title": "x", "initial": "鋁"},
    "setpoint": {"type": "f32", "unit": "°C", "title": "x", "access": "rw", "range": [0, 100], "initial": 20.0},
    "hidden": {"type": "f64", "title": "x"},
}


class Kind:
    """An oven: its temperature rises every step, its parts every second step."""

    interface = Interface.model_validate(
        {
            "type": "oven",
            "title": "x",
            "about": "x",
            "identification": {"manufacturer": "x", "model": "x", "revision": "1", "serial": "1"},
            "tags": TAGS,
            "mqtt": {
                "messages": [
                    {"topic": "o/{device}/fast", "every": "100 ms", "tags": ["temperature"]},
                    {"topic": "o/{device}/slow", "every": "1 s", "tags": ["parts", "offset", "recipe", "temperature"]},
                ]
            },
        }
    )

    class behaviour(Device):  # noqa: N801 - the name the plant asks for
        """Warms up and counts."""

        warms = True

        def step(self, dt: float) -> None:
            """One step."""
            if self.warms:
                self["temperature"] = self["temperature"] + 1.0
            self["parts"] = int(self.now_s * 5)


def a_plant(count: int = 2) -> Plant:
    """Ovens."""
    plant = Plant(1, SimClock(utc_ns=UTC_NS))
    for number in range(count):
        plant.add(f"oven{number + 1}", Kind)
    plant.start()
    return plant


class Bench:
    """A node over a plant, and what it has published."""

    def __init__(self, count: int = 2, **identity) -> None:
        self.plant = a_plant(count)
        self.sent: list[tuple] = []
        self.events: list = []
        paths = list(self.plant.devices)
        who = NodeIdentity(**{"group": "G", "edge": "E", **identity})
        self.node = EdgeNode(self.plant, paths, who, self.publish, Writer(self.plant.store, self.events.append))

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, device: str) -> None:
        """Keep a message."""
        assert not retain
        self.sent.append((parse_topic(topic), decode(payload), qos, device))

    def start(self) -> list:
        """Connect; what came."""
        self.node.prepare()
        self.node.connected()
        return self.take()

    def run(self, steps: int) -> list:
        """Advance; what came."""
        for _ in range(steps):
            self.plant.advance()
            self.node.tick()
        return self.take()

    def take(self) -> list:
        """What has come since the last look, as (kind, device, payload)."""
        sent, self.sent = self.sent, []
        return [(topic.kind, topic.device, payload) for topic, payload, _, _ in sent]

    def state(self, online: bool, timestamp: int, host: str = "scada") -> list:
        """The host says what it is."""
        self.node.hear(f"spBv1.0/STATE/{host}", HostState(online, timestamp).encode(), "", "")
        return self.take()

    def command(self, kind: str, *metrics: Metric, device: str = "") -> list:
        """A host sends a command."""
        topic = f"spBv1.0/G/{kind}/E" + (f"/{device}" if device else "")
        self.node.hear(topic, encode(Payload(timestamp=UTC_MS, metrics=list(metrics))), "scada", "op")
        return self.take()


def kinds(messages: list) -> list[str]:
    """The kinds alone."""
    return [kind for kind, _, _ in messages]


REBIRTH_NOW = Metric.of(True, DataType.BOOLEAN, name=REBIRTH)


def test_birth_is_whole_and_in_order():
    """NBIRTH with bdSeq and Rebirth, then a DBIRTH per device with every metric, seq from 0 on."""
    bench = Bench()
    messages = bench.start()
    assert [(kind, device) for kind, device, _ in messages] == [
        ("NBIRTH", ""),
        ("DBIRTH", "oven1"),
        ("DBIRTH", "oven2"),
    ]
    assert [payload.seq for *_, payload in messages] == [0, 1, 2]
    node, oven = messages[0][2], messages[1][2]
    assert (node.timestamp, node.get("bdSeq").worth(), node.get("bdSeq").datatype) == (UTC_MS, 0, DataType.INT64)
    rebirth = node.get(REBIRTH)
    assert (rebirth.worth(), rebirth.datatype, rebirth.alias) == (False, DataType.BOOLEAN, None)
    assert {m.name: (m.datatype, m.worth()) for m in oven.metrics} == {
        "temperature": (10, 0.0), "parts": (7, 0), "offset": (2, -3), "recipe": (12, "鋁"), "setpoint": (9, 20.0),
    }  # fmt: skip
    assert all(m.timestamp is not None and m.alias for m in oven.metrics)
    assert oven.get("temperature").properties.get("engUnit").value == ("string_value", "°C")
    aliases = [m.alias for *_, payload in messages[1:] for m in payload.metrics]
    assert len(set(aliases)) == len(aliases) == 10


def test_the_will_is_the_death_of_the_connection_it_goes_with():
    """QoS 1, not retained, no seq, bdSeq alone and the same as in the NBIRTH; the next connection has the next number."""
    bench = Bench()
    for number in (0, 1):
        will = bench.node.prepare()
        bench.node.connected()
        payload = decode(will.payload)
        assert (will.topic, will.qos, will.retain, payload.seq) == ("spBv1.0/G/NDEATH/E", 1, False, None)
        assert [m.name for m in payload.metrics] == ["bdSeq"]
        assert payload.metrics[0].worth() == bench.take()[0][2].get("bdSeq").worth() == number
        bench.node.lost()


def test_bd_seq_begins_again_after_255():
    """256 connections and one."""
    bench = Bench(1)
    numbers = [decode(bench.node.prepare().payload).metrics[0].worth() for _ in range(258)]
    assert numbers[254:] == [254, 255, 0, 1]


def test_data_goes_out_when_it_has_changed_and_is_due():
    """By exception at each message's own period, by alias alone, without a data type; nothing when nothing changes."""
    bench = Bench(1)
    bench.start()
    messages = bench.run(10)
    assert kinds(messages) == ["DDATA"] * 10
    first = messages[0][2].metrics
    assert [(m.name, m.datatype, m.timestamp, m.worth(10)) for m in first] == [(None, None, UTC_MS + 100, 1.0)]
    assert [len(payload.metrics) for *_, payload in messages] == [1] * 9 + [2]  # the parts, once a second
    bench.plant.devices["oven1"].warms = False
    bench.run(1)
    assert len(bench.run(30)) == 3


def test_without_aliases_data_has_names():
    """The other of the two forms."""
    bench = Bench(1, alias=False)
    birth = bench.start()[1][2]
    assert all(m.alias is None for m in birth.metrics)
    assert [m.name for m in bench.run(1)[0][2].metrics] == ["temperature"]


def test_seq_runs_over_node_and_devices_and_begins_again_after_255():
    """Every message counts one on, whoever it is about."""
    bench = Bench(2)
    numbers = [payload.seq for *_, payload in bench.start() + bench.run(200)]
    assert numbers == [n % 256 for n in range(len(numbers))]
    assert len(numbers) > 300


def test_a_rebirth_repeats_the_whole_birth_with_the_same_bd_seq():
    """NCMD Node Control/Rebirth true; false is nothing, and neither is the node's own topic of another node."""
    bench = Bench()
    bench.start()
    bench.run(3)
    assert bench.command("NCMD", Metric.of(False, DataType.BOOLEAN, name=REBIRTH)) == []
    bench.node.hear("spBv1.0/G/NCMD/other", encode(Payload(metrics=[REBIRTH_NOW])), "scada", "")
    assert bench.take() == []
    messages = bench.command("NCMD", REBIRTH_NOW)
    assert kinds(messages) == ["NBIRTH", "DBIRTH", "DBIRTH"]
    assert (messages[0][2].seq, messages[0][2].get("bdSeq").worth()) == (0, 0)
    assert messages[1][2].get("temperature").worth() == 3.0


def test_quality_and_null():
    """Bad is 0, uncertain 500, good again 192; a value that is no number is null."""
    bench = Bench(1)
    bench.start()
    oven = bench.plant.devices["oven1"]
    oven.warms = False
    for code, quality in (
        (status.BAD_SENSOR_FAILURE, 0),
        (status.UNCERTAIN_LAST_USABLE_VALUE, 500),
        (status.GOOD, 192),
    ):
        oven.mark("temperature", code)
        (metric,) = bench.run(1)[0][2].metrics
        assert metric.properties.get("Quality").value == ("int_value", quality)
    oven["temperature"] = math.nan
    (metric,) = bench.run(1)[0][2].metrics
    assert (metric.is_null, metric.value, metric.properties) == (True, None, None)
    assert bench.run(1) == []


def test_a_device_without_communication_dies_and_is_born_again():
    """DDEATH with a seq once no value of it can be got at; a new DBIRTH when it can."""
    bench = Bench()
    bench.start()
    oven = bench.plant.devices["oven2"]
    oven.warms = False
    codes = list(oven.tags)
    for name in codes:
        oven.mark(name, status.BAD_NO_COMMUNICATION)
    oven.step = lambda dt: None
    messages = [message for message in bench.run(2) if message[1] == "oven2"]
    assert kinds(messages) == ["DDEATH"]
    assert messages[0][2].seq is not None
    assert kinds(bench.command("NCMD", REBIRTH_NOW)) == ["NBIRTH", "DBIRTH"]
    assert bench.command("DCMD", Metric.of(50.0, DataType.FLOAT, name="setpoint"), device="oven2") == []
    for name in codes:
        oven.mark(name, status.GOOD)
    assert kinds([message for message in bench.run(2) if message[1] == "oven2"]) == ["DBIRTH"]


@pytest.mark.parametrize("by_alias", [True, False])
def test_a_command_writes_and_its_effect_goes_out_at_once(by_alias):
    """DCMD by alias or by name; the write is evidence with who asked for it."""
    bench = Bench(1)
    alias = bench.start()[1][2].get("setpoint").alias
    name = {"alias": alias} if by_alias else {"name": "setpoint"}
    ((kind, device, payload),) = bench.command("DCMD", Metric.of(42.5, DataType.FLOAT, **name), device="oven1")
    assert (kind, device, payload.metrics[0].alias, payload.metrics[0].worth(9)) == ("DDATA", "oven1", alias, 42.5)
    (event,) = bench.events
    assert (event.kind, event.app, event.user, event.tags, event.values, event.status) == (
        "write", "scada", "op", ["oven1.setpoint"], [42.5], status.GOOD,
    )  # fmt: skip


def test_what_may_not_be_written_is_refused_and_is_evidence():
    """Out of range, read only; what has no value or names nothing is passed over."""
    bench = Bench(1)
    bench.start()
    asked = [
        Metric.of(400.0, DataType.FLOAT, name="setpoint"),
        Metric.of(4, DataType.UINT32, name="parts"),
        Metric.of(1.0, DataType.FLOAT, name="nothing"),
        Metric(name="setpoint", value=("string_value", "hot")),
        Metric.of(None, DataType.FLOAT, name="setpoint"),
    ]
    assert bench.command("DCMD", *asked, device="oven1") == []
    assert [event.status for event in bench.events] == [status.BAD_OUT_OF_RANGE, status.BAD_NOT_WRITABLE]
    assert bench.plant.devices["oven1"]["setpoint"] == 20.0


def test_it_waits_for_its_primary_host():
    """No birth before the host is online; another host, an older time and plain text are nothing."""
    bench = Bench(1, primary_host="scada")
    assert ("spBv1.0/STATE/scada", 1) in bench.node.subscriptions
    assert bench.start() == []
    assert bench.run(5) == []
    assert bench.state(True, 1000, "other") == []
    bench.node.hear("spBv1.0/STATE/scada", b"ONLINE", "", "")
    assert bench.state(False, 1000) == []
    assert bench.state(True, 999) == []
    assert kinds(bench.state(True, 1000)) == ["NBIRTH", "DBIRTH"]
    assert kinds(bench.run(1)) == ["DDATA"]


def test_it_goes_when_its_primary_host_goes_and_comes_back_with_it():
    """NDEATH at once, then silence; the next birth is of another connection. An older death of the host is nothing."""
    bench = Bench(1, primary_host="scada")
    bench.start()
    bench.state(True, 1000)
    assert bench.state(False, 999) == []
    ((kind, _, payload),) = bench.state(False, 1000)
    assert (kind, payload.seq, payload.get("bdSeq").worth()) == ("NDEATH", None, 0)
    assert bench.run(3) == []
    messages = bench.state(True, 2000)
    assert (kinds(messages), messages[0][2].get("bdSeq").worth()) == (["NBIRTH", "DBIRTH"], 1)


def test_a_new_connection_waits_for_the_host_again():
    """What was heard over a connection that is lost says nothing about the next: the retained STATE comes with it."""
    bench = Bench(1, primary_host="scada")
    bench.start()
    bench.state(True, 1000)
    bench.node.lost()
    assert bench.start() == []
    assert kinds(bench.state(True, 1000)) == ["NBIRTH", "DBIRTH"]


def test_an_offline_host_makes_its_carrier_reconnect():
    """Over a connection of its own the node asks for another one."""
    plant, asked = a_plant(1), []
    who = NodeIdentity("G", "E", "scada")
    node = EdgeNode(plant, ["oven1"], who, lambda *_: None, Writer(plant.store, print), lambda: asked.append(1))
    node.prepare()
    node.connected()
    for online in (True, False):
        node.hear("spBv1.0/STATE/scada", HostState(online, 1).encode(), "", "")
    assert asked == [1]
    assert not node.born


def test_what_is_no_command_is_nothing():
    """Bytes that are no payload, a topic that is none, a command before the birth."""
    bench = Bench(1)
    assert bench.command("NCMD", REBIRTH_NOW) == []
    bench.start()
    bench.node.hear("spBv1.0/G/NCMD/E", b"\xff\xff", "x", "")
    bench.node.hear("spBv1.0/G/NCMD", b"", "x", "")
    bench.node.hear("other/topic", b"", "x", "")
    assert bench.take() == []
    with pytest.raises(UnknownNameError):
        EdgeNode(bench.plant, ["oven9"], NodeIdentity("G", "E"), print, Writer(bench.plant.store, print))
    with pytest.raises(ValueError, match="no Sparkplug id"):
        NodeIdentity("G/1", "E")


COMMAND = encode(
    Payload(
        timestamp=UTC_MS,
        metrics=[
            REBIRTH_NOW,
            Metric.of(42.5, DataType.FLOAT, name="setpoint"),
            Metric.of("x", DataType.STRING, alias=4),
        ],
    )
)


@given(
    st.sampled_from(["NCMD/E", "DCMD/E/oven1", "NDATA/E", "DCMD/E"]),
    st.lists(st.tuples(st.integers(0, len(COMMAND) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, 20),
)
@settings(max_examples=300, deadline=None)
def test_any_command_is_done_or_nothing(where, changes, cut):
    """Commands come from a network: whatever they are, the node lives on and says what it is."""
    bench = Bench(1, primary_host="scada")
    bench.start()
    bench.state(True, 1)
    data = bytearray(COMMAND)
    for at, byte in changes:
        data[at] = byte
    for topic in (f"spBv1.0/G/{where}", "spBv1.0/STATE/scada"):
        bench.node.hear(topic, bytes(data[: len(data) - cut]), "", "")
    assert "DDATA" in kinds(bench.run(1))


class Host:
    """A host application made of paho: it keeps what it hears and can wait for it."""

    def __init__(self, port: int) -> None:
        self.loop, self.heard = asyncio.get_running_loop(), []
        self.news = asyncio.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, "scada", protocol=paho.MQTTv311)
        self.client.will_set("spBv1.0/STATE/scada", HostState(False, 1000).encode(), 1, True)
        self.client.on_connect = lambda c, *_: c.subscribe("spBv1.0/#", 1)
        self.client.on_subscribe = lambda *_: self.loop.call_soon_threadsafe(self.hear, ("ready", "", None))
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _message(self, _client, _data, message) -> None:
        if any(own in message.topic for own in ("STATE", "NCMD", "DCMD")):
            return  # its own
        topic = parse_topic(message.topic)
        self.loop.call_soon_threadsafe(self.hear, (topic.kind, topic.device, decode(message.payload)))

    def hear(self, message: tuple) -> None:
        """Keep it."""
        self.heard.append(message)
        self.news.set()

    async def wait(self, done: Callable[[list], bool]) -> list:
        """What was heard, once it is enough."""
        async with asyncio.timeout(60):
            while not done(self.heard):
                self.news.clear()
                await self.news.wait()
        heard, self.heard = self.heard, []
        return heard


async def test_a_session_with_a_host_application():
    """Over a real broker: the host comes, the node is born, data flows, a command works, a rebirth, the death at the end."""
    plant, events = a_plant(1), []
    style = Style(payload="sparkplug", node=NodeIdentity("G", "E", "scada"))
    async with MqttEndpoint(plant, ["oven1"], events.append, style=style) as endpoint:
        endpoint.tick()
        host = Host(endpoint.port)
        try:
            await host.wait(lambda heard: "ready" in kinds(heard))
            host.client.publish("spBv1.0/STATE/scada", HostState(True, 1000).encode(), 1, True)
            assert kinds(await host.wait(lambda heard: len(heard) == 2)) == ["NBIRTH", "DBIRTH"]
            plant.advance()
            endpoint.tick()
            assert kinds(await host.wait(bool)) == ["DDATA"]
            setpoint = Metric.of(60.0, DataType.FLOAT, name="setpoint")
            host.client.publish("spBv1.0/G/DCMD/E/oven1", encode(Payload(timestamp=1, metrics=[setpoint])))
            ((kind, _, payload),) = await host.wait(bool)
            assert (kind, payload.metrics[0].worth(9)) == ("DDATA", 60.0)
            assert plant.devices["oven1"]["setpoint"] == 60.0
            host.client.publish("spBv1.0/G/NCMD/E", encode(Payload(timestamp=1, metrics=[REBIRTH_NOW])))
            assert kinds(await host.wait(lambda heard: len(heard) == 2)) == ["NBIRTH", "DBIRTH"]
            host.client.publish("spBv1.0/STATE/scada", HostState(False, 1000).encode(), 1, True)
            assert kinds(await host.wait(bool)) == ["NDEATH"]
            host.client.publish("spBv1.0/STATE/scada", HostState(True, 2000).encode(), 1, True)
            assert kinds(await host.wait(lambda heard: len(heard) == 2)) == ["NBIRTH", "DBIRTH"]
        finally:
            stopped = asyncio.create_task(endpoint.__aexit__(None, None, None))
        ((kind, _, payload),) = await host.wait(bool)
        await stopped
        host.client.loop_stop()
    assert (kind, payload.get("bdSeq").worth()) == ("NDEATH", 1)
    (write,) = [event for event in events if event.kind == "write"]
    assert (write.app, write.subject, write.tags) == ("scada", "spBv1.0/G/DCMD/E/oven1", ["oven1.setpoint"])
