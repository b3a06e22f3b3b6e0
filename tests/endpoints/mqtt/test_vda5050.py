"""Vehicles over MQTT: topics, headers, connection, state, orders; alone, over a real broker, and at somebody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
import pytest

import devices
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.external import ExternalBroker
from labsim.endpoints.mqtt.voice import Style, Voice
from labsim.errors import EndpointError
from labsim.evidence.event import PLANT, Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

UTC_NS = 1_769_846_400_000_000_000  # 2026-01-31T08:00:00Z
STATE = {
    "headerId", "timestamp", "version", "manufacturer", "serialNumber", "orderId", "orderUpdateId", "lastNodeId",
    "lastNodeSequenceId", "nodeStates", "edgeStates", "driving", "actionStates", "batteryState", "operatingMode", "errors",
    "safetyState",
}  # fmt: skip
"""What the JSON schema of the state requires (VDA 5050 2.1.0, state.schema)."""
FACTSHEET = {
    "version", "manufacturer", "serialNumber", "typeSpecification", "physicalParameters", "protocolLimits", "protocolFeatures",
    "agvGeometry", "loadSpecification",
}  # fmt: skip


def a_plant(*kinds: str) -> Plant:
    """Devices ``d1``, ``d2`` …; a vehicle by default."""
    plant = Plant(1, SimClock(utc_ns=UTC_NS))
    for number, kind in enumerate(kinds or ("agv",), 1):
        plant.add(f"d{number}", devices.load(kind))
    plant.start()
    return plant


class Bench:
    """A plant that speaks to a list instead of a broker."""

    def __init__(self, *kinds: str, style: Style | None = None) -> None:
        self.plant = a_plant(*kinds)
        self.sent: list[tuple[str, dict[str, Any], int, bool]] = []
        self.events: list[Event] = []
        paths = list(self.plant.devices)
        self.voice = Voice(self.plant, paths, style or Style(), self._publish, self.events.append)
        self.base = f"uagv/v2/Labsim/{self.plant.devices['d1'].serial}"

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool, *_: Any) -> None:
        self.sent.append((topic, json.loads(payload), qos, retain))

    def run(self, seconds: float) -> None:
        """Go on for that long."""
        for _ in range(round(seconds * 10)):
            self.plant.advance()
            self.voice.tick()

    def on(self, topic: str) -> list[dict[str, Any]]:
        """Payloads on a topic of the first vehicle."""
        return [payload for name, payload, *_ in self.sent if name == f"{self.base}/{topic}"]

    def hear(self, topic: str, **fields: Any) -> None:
        """A master control publishes to the first vehicle."""
        document = header(self.plant.devices["d1"].serial) | fields
        self.voice.hear(f"{self.base}/{topic}", json.dumps(document).encode(), "master", "ann")


def header(serial: str) -> dict[str, Any]:
    """A header for a vehicle."""
    return {
        "headerId": 7, "timestamp": "2026-01-31T08:00:00.00Z", "version": "2.1.0", "manufacturer": "Labsim",
        "serialNumber": serial,
    }  # fmt: skip


def an_order(**more: Any) -> dict[str, Any]:
    """From park1 to aisle0."""
    return {
        "orderId": "o1",
        "orderUpdateId": 0,
        "nodes": [
            {"nodeId": name, "sequenceId": number, "released": True, "actions": []}
            for name, number in (("park1", 0), ("aisle0", 2))
        ],
        "edges": [
            {
                "edgeId": "e1", "sequenceId": 1, "released": True, "startNodeId": "park1", "endNodeId": "aisle0",
                "actions": [],
            }
        ],
    } | more  # fmt: skip


def instant(kind: str, number: str = "i1") -> list[dict[str, Any]]:
    """One instant action."""
    return [{"actionType": kind, "actionId": number, "blockingType": "NONE"}]


def test_it_comes_online_and_tells_its_state():
    """ONLINE retained with QoS 1, then the state with QoS 0, with the header and every field that the schema requires."""
    bench = Bench()
    bench.run(0.1)
    (topic, online, qos, retain), (where, state, state_qos, state_retain), *_ = bench.sent
    assert (topic, online["connectionState"], qos, retain) == (f"{bench.base}/connection", "ONLINE", 1, True)
    assert (where, state_qos, state_retain) == (f"{bench.base}/state", 0, False)
    assert set(state) >= STATE
    for name, value in {
        "headerId": 0,
        "timestamp": "2026-01-31T08:00:00.10Z",
        "version": "2.1.0",
        "manufacturer": "Labsim",
    }.items():
        assert state[name] == value
    assert state["serialNumber"] == bench.plant.devices["d1"].serial
    assert (state["nodeStates"], state["errors"], state["lastNodeId"]) == ([], [], "park1")
    assert state["agvPosition"] == {
        "x": 5.0, "y": 0.0, "theta": 0.0, "mapId": "warehouse", "positionInitialized": True,
        "localizationScore": state["agvPosition"]["localizationScore"],
    }  # fmt: skip
    assert state["maps"] == [{"mapId": "warehouse", "mapVersion": "1.0", "mapStatus": "ENABLED"}]
    assert state["safetyState"] == {"eStop": "NONE", "fieldViolation": False}
    assert set(state["batteryState"]) == {"batteryCharge", "batteryVoltage", "charging"}


def test_an_idle_vehicle_tells_its_state_every_thirty_seconds():
    """Not more often, though its position and battery flow; numbers count by topic, and visualization goes out each second."""
    bench = Bench()
    bench.run(91)
    states = bench.on("state")
    assert [state["timestamp"][14:] for state in states] == ["00:00.10Z", "00:30.10Z", "01:00.10Z", "01:30.10Z"]
    assert [state["headerId"] for state in states] == [0, 1, 2, 3]
    faces = bench.on("visualization")
    assert [face["headerId"] for face in faces] == list(range(91))
    assert set(faces[0]) == {*header(""), "agvPosition", "velocity"}


def test_an_order_is_driven_and_each_change_of_state_is_told():
    """Taken, driving, node reached, standing: a message each, and no two the same; the call is evidence with who sent it."""
    bench = Bench()
    bench.run(1)
    bench.hear("order", **an_order())
    bench.run(25)
    states = bench.on("state")[1:]
    assert [(s["orderId"], [n["nodeId"] for n in s["nodeStates"]], s["driving"], s["lastNodeId"]) for s in states] == [
        ("o1", ["aisle0"], True, "park1"),
        ("o1", [], False, "aisle0"),
    ]
    (call,) = bench.events
    assert (call.kind, call.protocol, call.app, call.user, call.device, call.status) == (
        "call", "mqtt", "master", "ann", "d1", 0,
    )  # fmt: skip
    assert call.subject == f"{bench.base}/order"
    assert (call.detail["name"], call.detail["results"]) == ("order", ["accepted"])
    assert json.loads(call.detail["arguments"][0])["orderId"] == "o1"


def test_what_was_called_is_enough_to_do_it_again():
    """A second plant that gets the calls of the first is in the same state."""
    bench = Bench()
    bench.run(1)
    bench.hear("order", **an_order())
    bench.hear("instantActions", actions=instant("startPause"))
    bench.run(10)
    again = a_plant()
    for _ in range(10):
        again.advance()
    for call in bench.events:
        again.devices["d1"].call(call.detail["name"], call.detail["arguments"])
    for _ in range(100):
        again.advance()
    assert again.store.value.tobytes() == bench.plant.store.value.tobytes()


@pytest.mark.parametrize(
    "payload", [b"{", b"[]", b"\xff\xfe", b'{"headerId": 1}', b"[" * 50_000, b'"' + b"x" * 200_000]
)
def test_what_is_no_order_is_an_error_of_the_state(payload):
    """Whatever comes is answered with validationError, as a warning with its references, until an order is taken."""
    bench = Bench()
    bench.run(1)
    bench.voice.hear(f"{bench.base}/order", payload, "master", "")
    bench.run(0.1)
    (error,) = bench.on("state")[-1]["errors"]
    assert (error["errorType"], error["errorLevel"]) == ("validationError", "WARNING")
    assert {"referenceKey": "topic", "referenceValue": "order"} in error["errorReferences"]
    assert len(bench.events[0].detail["arguments"][0]) <= 65536
    bench.hear("order", **an_order())
    bench.run(0.1)
    assert bench.on("state")[-1]["errors"] == []


def test_requests_are_answered():
    """A stateRequest brings the state at once, a factsheetRequest the factsheet, retained, with what the schema requires."""
    bench = Bench()
    bench.run(1)
    bench.hear("instantActions", actions=instant("stateRequest", "s"))
    bench.run(0.1)
    assert bench.on("state")[-1]["actionStates"] == [
        {"actionId": "s", "actionType": "stateRequest", "actionStatus": "FINISHED"}
    ]
    assert bench.on("factsheet") == []
    bench.hear("instantActions", actions=instant("factsheetRequest", "f"))
    bench.run(1)
    (sheet,) = bench.on("factsheet")
    assert set(sheet) >= FACTSHEET
    kinds = {action["actionType"] for action in sheet["protocolFeatures"]["agvActions"]}
    assert {"pick", "drop", "cancelOrder", "startPause", "stateRequest", "factsheetRequest"} <= kinds
    assert next(retain for topic, _, _, retain in bench.sent if topic.endswith("/factsheet"))


@pytest.mark.parametrize("lost", ["radio", "dead"])
def test_a_vehicle_out_of_reach_is_broken_and_comes_again(lost):
    """Nothing is said or heard; the will comes after 22.5 s, as old as it was, and ONLINE and the state when it is back."""
    bench = Bench()
    bench.run(5)
    device = bench.plant.devices["d1"]
    if lost == "radio":
        device.begin_fault("radio-gap", {})
    else:
        device.condition.dead = "silent"
    bench.run(0.2)
    count = len(bench.sent)
    bench.hear("order", **an_order())
    bench.run(22)
    assert len(bench.sent) == count
    bench.run(1)
    topic, will, qos, retain = bench.sent[-1]
    assert (topic, will["connectionState"], qos, retain) == (f"{bench.base}/connection", "CONNECTIONBROKEN", 1, True)
    assert will["timestamp"] == "2026-01-31T08:00:00.10Z"
    device.end_fault("radio-gap")
    device.condition.dead = ""
    bench.run(0.2)
    assert [one["connectionState"] for one in bench.on("connection")] == ["ONLINE", "CONNECTIONBROKEN", "ONLINE"]
    state = bench.on("state")[-1]
    assert (state["orderId"], state["timestamp"]) == ("", bench.on("connection")[-1]["timestamp"])
    assert bench.events == []


def test_a_short_gap_is_not_noticed():
    """Within the patience of a broker nothing is published for it, and the state goes on afterwards."""
    bench = Bench()
    bench.run(5)
    bench.plant.devices["d1"].begin_fault("radio-gap", {})
    bench.run(10)
    bench.plant.devices["d1"].end_fault("radio-gap")
    bench.run(40)
    assert [one["connectionState"] for one in bench.on("connection")] == ["ONLINE"]
    assert len(bench.on("state")) >= 2


def test_a_plant_that_ends_says_offline():
    """OFFLINE is the last word, retained."""
    bench = Bench()
    bench.run(1)
    bench.voice.stop()
    topic, payload, qos, retain = bench.sent[-1]
    assert (topic, payload["connectionState"], qos, retain) == (f"{bench.base}/connection", "OFFLINE", 1, True)


def test_vehicles_and_others_speak_side_by_side():
    """At one endpoint a vehicle speaks VDA 5050 and a logger plain JSON; in the style tag both publish values."""
    bench = Bench("agv", "cold-room-logger", "agv")
    bench.run(1)
    topics = {topic.split("/")[0] for topic, *_ in bench.sent}
    assert topics == {"uagv", "labsim"}
    assert not any(topic.startswith(("labsim/d1", "labsim/d3")) for topic, *_ in bench.sent)
    assert len({topic for topic, *_ in bench.sent if topic.endswith("/state")}) == 2
    tags = Bench("agv", style=Style("tag"))
    tags.run(1)
    assert "labsim/d1/x" in {topic for topic, *_ in tags.sent}
    assert not any(topic.startswith("uagv") for topic, *_ in tags.sent)


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - paho's threads have no event of their own
            await asyncio.sleep(0.002)


class Master:
    """A master control: hears everything, sends orders."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict[str, Any], bool]] = []
        self.ready = False
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, "master")
        self.client.on_connect = lambda c, *_: c.subscribe("uagv/#", 1)
        self.client.on_subscribe = lambda *_: setattr(self, "ready", True)
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, json.loads(m.payload), m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def last(self, topic: str) -> dict[str, Any]:
        """The last payload on a topic that ends so."""
        return next((p for t, p, _ in reversed(list(self.heard)) if t.endswith(topic)), {})

    def close(self) -> None:
        """Go."""
        self.client.disconnect()
        self.client.loop_stop()


async def drive(plant: Plant, endpoint: Any, master: Master) -> None:
    """Send an order as a client and follow it to its end."""
    serial = plant.devices["d1"].serial

    def advance() -> None:
        plant.advance()
        endpoint.tick()

    await until(lambda: master.ready)
    advance()
    await until(lambda: master.last(f"{serial}/connection").get("connectionState") == "ONLINE")
    topic = f"uagv/v2/Labsim/{serial}/order"
    master.client.publish(topic, json.dumps(header(serial) | an_order()))
    await until(lambda: plant.devices["d1"]["order_id"] == "o1")
    for _ in range(300):
        advance()

    def there() -> bool:
        state = master.last(f"{serial}/state")
        return bool(state) and state["lastNodeId"] == "aisle0" and not state["driving"]

    await until(there)


async def test_an_order_over_a_real_broker():
    """Paho as the master control: ONLINE is retained, the order is driven, OFFLINE comes last."""
    plant, events = a_plant(), []
    async with MqttEndpoint(plant, ["d1"], events.append) as endpoint:
        master = Master(endpoint.port)
        await drive(plant, endpoint, master)
        late = Master(endpoint.port)
        await until(lambda: late.heard)
        assert (late.heard[0][1]["connectionState"], late.heard[0][2]) == ("ONLINE", True)
        late.close()
        master.close()
    calls = [event for event in events if event.kind == "call"]
    assert [(call.app, call.detail["results"]) for call in calls] == [("master", ["accepted"])]
    last = [event for event in events if event.app == PLANT and event.kind == "publish"][-1]
    assert json.loads(last.values[0])["connectionState"] == "OFFLINE"


async def test_the_will_of_a_client_is_no_order():
    """A master control that is lost orders nothing by its will; its will is published all the same."""
    plant, events = a_plant(), []
    async with MqttEndpoint(plant, ["d1"], events.append) as endpoint:
        plant.advance()
        endpoint.tick()
        serial = plant.devices["d1"].serial
        rogue = paho.Client(paho.CallbackAPIVersion.VERSION2, "rogue", reconnect_on_failure=False)
        rogue.will_set(f"uagv/v2/Labsim/{serial}/order", json.dumps(header(serial) | an_order()))
        rogue.connect("127.0.0.1", endpoint.port)
        rogue.loop_start()
        await until(rogue.is_connected)
        rogue.socket().shutdown(2)
        await until(lambda: any(event.detail.get("will") for event in events if event.kind == "publish"))
        rogue.loop_stop()
        assert plant.devices["d1"]["order_id"] == ""
        assert not [event for event in events if event.kind == "call"]


async def test_at_somebody_elses_broker_each_vehicle_is_a_client_with_its_will():
    """The order goes through the tap, and when the plant's connection breaks, the broker itself says CONNECTIONBROKEN."""
    nobody, broker_events = Plant(1, SimClock()), []
    nobody.start()
    plant, events = a_plant("agv", "agv"), []
    async with MqttEndpoint(nobody, [], broker_events.append) as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        async with ExternalBroker(plant, ["d1", "d2"], events.append, url) as endpoint:
            master = Master(endpoint.port)
            await drive(plant, endpoint, master)
            (call,) = [event for event in events if event.kind == "call"]
            assert call.app == "master"
            wills = [e for e in broker_events if e.kind == "connect" and e.detail.get("will")]
            assert len(wills) == 2
            serial = plant.devices["d2"].serial
            client = endpoint._vehicles["d2"]._client
            client.socket().shutdown(2)
            await until(
                lambda: any(
                    topic == f"uagv/v2/Labsim/{serial}/connection" and payload["connectionState"] == "CONNECTIONBROKEN"
                    for topic, payload, _ in list(master.heard)
                )
            )
            master.close()


async def test_a_broker_that_is_not_there_leaves_no_vehicle_behind():
    """The lab is told so, and every connection is closed."""
    with pytest.raises(EndpointError, match="cannot be reached"):
        async with ExternalBroker(a_plant(), ["d1"], lambda event: None, "mqtt://127.0.0.1:9"):
            pass
