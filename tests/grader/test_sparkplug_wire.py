"""Edge nodes as they really come: one made of paho on our broker, and the plant's own, both judged from what they did."""

from __future__ import annotations

import asyncio
import time

import paho.mqtt.client as paho
from grader_bench import UTC_ORIGIN_NS, Bench

from grader.outcome import State
from grader.sparkplug.assertion import SETS, Finding, Verdict, judge
from grader.sparkplug.story import read_story
from labsim.endpoints.mqtt.command import Writer
from labsim.endpoints.mqtt.edge_node import EdgeNode, NodeIdentity
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.evidence import describe
from labsim.evidence.event import Event
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import Plant
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import REBIRTH, Metric, Payload, bd_seq, decode, encode
from labsim.sparkplug.topic import HostState, state_topic


class Kind:
    """A pump whose flow is the number of the step."""

    interface = Interface.model_validate(
        {
            "type": "pump",
            "title": "x",
            "about": "x",
            "identification": {"manufacturer": "x", "model": "x", "revision": "1", "serial": "1"},
            "tags": {
                "flow": {"type": "f64", "unit": "m³/h", "title": "x"},
                "runs": {"type": "bool", "title": "x", "access": "rw"},
            },
            "mqtt": {"messages": [{"topic": "x/{device}/state", "every": "1 s", "tags": ["flow"]}]},
        }
    )

    class behaviour(Device):  # noqa: N801 - the name the plant asks for
        """Flows."""

        def step(self, dt: float) -> None:
            """One step."""
            self["flow"] = self["flow"] + 1.0


def a_plant() -> Plant:
    """Two pumps."""
    plant = Plant(1, SimClock(utc_ns=UTC_ORIGIN_NS))
    plant.add("pump1", Kind)
    plant.add("pump2", Kind)
    plant.start()
    return plant


class Carried:
    """The plant's node over a connection of its own, as an external broker would journal it under the name ``node``."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.plant, self.session = bench, a_plant(), 0
        who = NodeIdentity("G", "E", "scada")
        writer = Writer(self.plant.store, lambda event: None)
        self.node = EdgeNode(self.plant, list(self.plant.devices), who, self.publish, writer, self.reconnect)

    @property
    def now(self) -> float:
        """Plant seconds."""
        return self.plant.clock.step_time_ns / 1e9

    def event(self, kind: str, subject: str = "", **detail) -> None:
        """One event of its connection."""
        self.bench.event(self.now, "mqtt", kind, app="node", session=f"s{self.session}", subject=subject, detail=detail)

    def connect(self) -> None:
        """CONNECT, SUBSCRIBE, and go."""
        self.session += 1
        will = self.node.prepare()
        text, facts = describe(will.payload)
        self.event(
            "connect", level=4, clean=True,
            will={"topic": will.topic, "qos": will.qos, "retain": will.retain, "payload": text, **facts},
        )  # fmt: skip
        for pattern, qos in self.node.subscriptions:
            self.event("subscribe", pattern, qos=qos, granted=qos)
        self.node.connected()

    def reconnect(self) -> None:
        """End the connection and come again."""
        self.event("disconnect")
        self.event("close", clean=True)
        self.connect()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, device: str) -> None:
        """Journal a message of the node."""
        self._journal("node", f"s{self.session}", topic, payload, qos=qos, retain=retain)

    def hear(self, topic: str, payload: bytes) -> None:
        """The host says something."""
        self._journal("scada", "h", topic, payload, qos=1, retain=False)
        self.node.hear(topic, payload, "scada", "")

    def _journal(self, app: str, session: str, topic: str, payload: bytes, **detail) -> None:
        text, facts = describe(payload)
        self.bench.event(
            self.now,
            "mqtt",
            "publish",
            app=app,
            session=session,
            subject=topic,
            values=[text],
            detail={**facts, **detail},
        )

    def run(self, steps: int) -> None:
        """Let the plant go on."""
        for _ in range(steps):
            self.plant.advance()
            self.node.tick()


def test_the_plants_own_node_passes_what_it_teaches(bench: Bench) -> None:
    """A host that comes and goes, a command, a rebirth, a device that is lost: nothing fails, nothing is in doubt."""
    carried = Carried(bench)
    carried.hear(state_topic("scada"), HostState(True, 1000).encode())
    carried.connect()
    carried.run(50)
    carried.hear("spBv1.0/G/NCMD/E", encode(Payload(metrics=[Metric.of(True, DataType.BOOLEAN, name=REBIRTH)])))
    carried.run(150)
    command = Payload(metrics=[Metric.of(True, DataType.BOOLEAN, name="runs")])
    carried.hear("spBv1.0/G/DCMD/E/pump1", encode(command))
    pump = carried.plant.devices["pump2"]
    pump.step = lambda dt: None  # type: ignore[method-assign] # a pump that is lost does nothing
    for name in pump.tags:
        pump.mark(name, status.BAD_NO_COMMUNICATION)
    carried.run(20)
    for name in pump.tags:
        pump.mark(name, status.GOOD)
    carried.run(20)
    carried.hear(state_topic("scada"), HostState(False, 999).encode())
    carried.run(150)
    carried.hear(state_topic("scada"), HostState(False, 1000).encode())
    carried.run(20)
    carried.hear(state_topic("scada"), HostState(True, 2000).encode())
    carried.run(300)
    carried.node.leave()
    carried.event("disconnect")
    carried.event("close", clean=True)
    bench.end = carried.now + 20
    found = judge(read_story(bench.evidence, "G", "E", "scada"))
    assert [(f.id, f.verdict, f.why.say()) for f in found if f.verdict is Verdict.FAIL or f.warnings] == []
    assert {f.set for f in found if f.verdict is Verdict.PASS} == set(SETS)
    idle = {f.id for f in found if f.verdict is Verdict.NOT_EXECUTED}
    assert all("template" in name or "dataset" in name or "ndata" in name or name.endswith("-50") or "mqtt50" in name
               or "nbirth-change" in name or name in {"topics-nbirth-metric-reqs", "operational-behavior-data-publish-nbirth"}
               or "quality" in name for name in idle), idle  # fmt: skip


class Trainee:
    """A small edge node made of paho, as somebody would write it after reading the specification."""

    def __init__(self, port: int, number: int) -> None:
        self.loop, self.number, self.seq = asyncio.get_running_loop(), number, 0
        self.ready, self.reborn, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, "trainee", clean_session=True, reconnect_on_failure=False
        )
        self.client.will_set("spBv1.0/G/NDEATH/E", self.death(), 1, False)
        self.client.on_connect = lambda c, *_: c.subscribe([("spBv1.0/G/NCMD/E", 1), ("spBv1.0/G/DCMD/E/d1", 1)])
        self.client.on_subscribe = lambda *_: (self.birth(), self.tell(self.ready))
        self.client.on_message = self.on_message
        self.client.on_disconnect = lambda *_: self.tell(self.gone)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def tell(self, event: asyncio.Event) -> None:
        """Wake up the test."""
        self.loop.call_soon_threadsafe(event.set)

    @property
    def now(self) -> int:
        """Milliseconds."""
        return time.time_ns() // 1_000_000

    def death(self) -> bytes:
        """NDEATH."""
        return encode(Payload(timestamp=self.now, metrics=[bd_seq(self.number, self.now)]))

    def send(self, kind: str, *metrics: Metric, device: str = "") -> None:
        """One message."""
        self.seq = 0 if kind == "NBIRTH" else (self.seq + 1) % 256
        payload = encode(Payload(timestamp=self.now, metrics=list(metrics), seq=self.seq))
        self.client.publish(f"spBv1.0/G/{kind}/E" + (f"/{device}" if device else ""), payload)

    def birth(self) -> None:
        """NBIRTH and DBIRTH."""
        rebirth = Metric.of(False, DataType.BOOLEAN, name=REBIRTH, timestamp=self.now)
        self.send("NBIRTH", bd_seq(self.number, self.now), rebirth)
        self.send("DBIRTH", Metric.of(1.0, DataType.DOUBLE, name="x", alias=1, timestamp=self.now), device="d1")

    def on_message(self, _client, _data, message) -> None:
        """NCMD."""
        if decode(message.payload).get(REBIRTH) is not None:
            self.birth()
            self.tell(self.reborn)

    def data(self, value: float) -> None:
        """DDATA."""
        self.send("DDATA", Metric(alias=1, timestamp=self.now, value=("double_value", value)), device="d1")

    async def leave(self) -> None:
        """NDEATH, DISCONNECT."""
        await asyncio.to_thread(self.client.publish("spBv1.0/G/NDEATH/E", self.death(), 1).wait_for_publish, 10)
        self.client.disconnect()
        await asyncio.wait_for(self.gone.wait(), 10)
        self.client.loop_stop()


async def test_a_node_made_of_paho_passes(bench: Bench) -> None:
    """Over real sockets: two sessions with a rebirth between, the second lost without DISCONNECT."""
    events: list[Event] = []
    lost = asyncio.Event()

    def keep(event: Event) -> None:
        events.append(event)
        if event.detail.get("will") is True:
            lost.set()

    async with MqttEndpoint(a_plant(), [], keep) as endpoint:
        for number in (0, 1):
            trainee = Trainee(endpoint.port, number)
            await asyncio.wait_for(trainee.ready.wait(), 10)
            trainee.data(2.0)
            command = Payload(metrics=[Metric.of(True, DataType.BOOLEAN, name=REBIRTH)])
            endpoint.publish("spBv1.0/G/NCMD/E", encode(command))
            await asyncio.wait_for(trainee.reborn.wait(), 10)
            trainee.data(3.0)
            if number == 0:
                await trainee.leave()
            else:
                nobody = trainee.client.publish("spBv1.0/G/DDATA/E/d2", b"\x08\x01", 1)
                await asyncio.to_thread(nobody.wait_for_publish, 10)
                other = paho.Client(paho.CallbackAPIVersion.VERSION2, "trainee")
                other.connect("127.0.0.1", endpoint.port)  # takes over, so that the will goes out
                other.loop_start()
                await asyncio.wait_for(lost.wait(), 10)
                await asyncio.wait_for(trainee.gone.wait(), 10)
                trainee.client.loop_stop()
                other.disconnect()
                other.loop_stop()
    seconds = 1.0
    for event in events:
        seconds += 0.01
        bench.event(seconds, "mqtt", event.kind, **{
            name: getattr(event, name) for name in ("app", "session", "subject", "values", "detail", "status")
        })  # fmt: skip
    found = judge(read_story(bench.evidence, "G", "E"))
    broken = {f.id for f in found if f.verdict is Verdict.FAIL}
    assert broken == {
        "payloads-ddata-order", "payloads-ddata-qos", "payloads-ddata-seq", "topics-ddata-mqtt", "topics-ddata-payload",
        "topics-ddata-seq-num", "payloads-sequence-num-always-included", "payloads-timestamp-in-UTC",
    }, _say(found)  # fmt: skip
    assert bench.judge("sparkplug.conformant", group="G", edge="E", sets=["SessionEstablishment"]).state is State.FAILED


def _say(found: list[Finding]) -> list[str]:
    return [f"{f.id}: {f.why.say()}" for f in found if f.verdict is Verdict.FAIL]
