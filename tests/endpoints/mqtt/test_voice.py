"""Plain payloads: one topic per tag, topics from templates, commands and their replies."""

from __future__ import annotations

import asyncio
import json

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from labsim.endpoints.mqtt.command import Commands, Writer
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.payload import Command, read_command
from labsim.endpoints.mqtt.telemetry import TagTelemetry, Telemetry
from labsim.endpoints.mqtt.topic_tree import fill_topic
from labsim.endpoints.mqtt.voice import Style
from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag

PLACE = "acme/hk1/assembly/line1/cell2"


class Kind:
    """A press: its force is the number of the step, its count stands still."""

    interface = Interface.model_validate(
        {
            "type": "press",
            "title": "x",
            "about": "x",
            "identification": {"manufacturer": "x", "model": "x", "revision": "1", "serial": "1"},
            "tags": {
                "force": {"type": "f64", "unit": "kN", "title": "x"},
                "count": {"type": "u32", "title": "x", "initial": 7},
                "limit": {"type": "f64", "unit": "kN", "title": "x", "access": "rw", "range": [0, 100], "initial": 50},
                "armed": {"type": "bool", "title": "x", "access": "rw"},
                "order": {"type": "text", "title": "x", "access": "rw"},
            },
            "mqtt": {
                "messages": [
                    {"topic": "p/{device}/state", "every": "1 s", "qos": 1, "tags": ["force", "count", "limit"]},
                    {"topic": "p/{device}/order", "every": "10 s", "tags": ["order"]},
                ]
            },
        }
    )

    class behaviour(Device):  # noqa: N801 - the name the plant asks for
        """Presses harder every step."""

        def step(self, dt: float) -> None:
            """One step."""
            self["force"] = self["force"] + 1.0


def a_plant(count: int = 1) -> Plant:
    """Presses."""
    plant = Plant(1, SimClock(utc_ns=1_769_846_400_000_000_000))
    for number in range(count):
        plant.add(f"press{number + 1}", Kind)
    plant.start()
    return plant


def run(telemetry: Telemetry, plant: Plant, sent: list, steps: int) -> list[tuple]:
    """What is published in so many steps."""
    for _ in range(steps):
        plant.advance()
        telemetry.tick()
    found, sent[:] = list(sent), []
    return found


def test_one_topic_per_tag_when_it_changes():
    """Retained, with time, value, unit and quality, at the period of the message; what stands still is sent once."""
    plant, sent = a_plant(), []
    telemetry = TagTelemetry(plant, ["press1"], lambda *message: sent.append(message))
    first = run(telemetry, plant, sent, 1)
    assert [topic for topic, *_ in first] == [f"labsim/press1/{tag}" for tag in ("force", "count", "limit", "order")]
    _, payload, qos, retain, device = first[0]
    assert json.loads(payload) == {"time": "2026-01-31T08:00:00.100Z", "value": 1.0, "unit": "kN", "quality": "Good"}
    assert (qos, retain, device) == (1, True, "press1")
    assert [topic for topic, *_ in run(telemetry, plant, sent, 20)] == ["labsim/press1/force"] * 2
    plant.devices["press1"].mark("count", status.BAD_SENSOR_FAILURE)
    changed = run(telemetry, plant, sent, 10)
    assert [topic.rsplit("/", 1)[-1] for topic, *_ in changed] == ["force", "count"]
    assert json.loads(changed[1][1])["quality"] == "BadSensorFailure"


def test_a_namespace_by_the_equipment_hierarchy():
    """The levels of the place fill the template, for tags and for whole messages."""
    plant, sent = a_plant(), []
    tree = "{enterprise}/{site}/{area}/{line}/{cell}/{device}"
    places = {"press1": PLACE}
    by_tag = TagTelemetry(plant, ["press1"], lambda *m: sent.append(m), topic=tree + "/{tag}", places=places)
    assert run(by_tag, plant, sent, 1)[0][0] == f"{PLACE}/press1/force"
    whole = Telemetry(plant, ["press1"], lambda *m: sent.append(m), topic="{place}/{device}/{message}", places=places)
    assert [topic for topic, *_ in run(whole, plant, sent, 1)] == [f"{PLACE}/press1/state", f"{PLACE}/press1/order"]


@pytest.mark.parametrize(
    ("template", "place", "why"),
    [
        ("{cell}/{device}", "acme/hk1", "press1 has no cell"),
        ("{place}/{device}", "", "has no place"),
        ("{devise}", "", "nothing fills in {devise}"),
        ("a/#/{device}", "", "wildcard"),
    ],
)
def test_a_template_that_cannot_be_filled_is_said(template, place, why):
    """A level that is missing, a field that nothing fills in, a wildcard."""
    with pytest.raises(InputError, match=why.replace("{", "\\{")):
        fill_topic(template, "press1", place)


def test_two_devices_on_one_topic_are_refused():
    """A template without the device leads two presses to one place, and so does one command topic for two tags."""
    plant = a_plant(2)
    with pytest.raises(InputError, match="both publish on 'plant/force'"):
        TagTelemetry(plant, ["press1", "press2"], print, topic="plant/{tag}")
    with pytest.raises(InputError, match="both take commands"):
        Commands(plant, ["press1", "press2"], "plant/{tag}", print, Writer(plant.store, print))
    with pytest.raises(UnknownNameError):
        Commands(plant, ["press3"], "{device}/{tag}", print, Writer(plant.store, print))


class Bench:
    """Commands over a plant."""

    def __init__(self) -> None:
        self.plant, self.events, self.answers = a_plant(), [], []
        writer = Writer(self.plant.store, self.events.append)
        self.commands = Commands(
            self.plant, ["press1"], "cmd/{device}/{tag}", lambda *answer: self.answers.append(answer), writer
        )

    def send(self, tag: str, payload: object, **properties) -> dict:
        """One command; its answer."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.commands.hear(f"cmd/press1/{tag}", data, "gw", "op", properties)
        return json.loads(self.answers[-1][1]) if self.answers else {}


def test_a_command_is_done_and_answered():
    """By object with the sender's id; the answer says what the tag is worth now, the write is evidence."""
    bench = Bench()
    answer = bench.send("limit", {"value": 60, "id": "c-1"})
    assert answer == {
        "time": "2026-01-31T08:00:00.000Z", "id": "c-1", "result": "accepted", "reason": "Good", "value": 60.0,
    }  # fmt: skip
    assert bench.answers[0][0] == "cmd/press1/limit/reply"
    (event,) = bench.events
    assert (event.kind, event.protocol, event.app, event.user, event.subject, event.tags, event.values, event.status) == (
        "write", "mqtt", "gw", "op", "cmd/press1/limit", ["press1.limit"], [60], 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "payload", "reason", "value"),
    [
        ("limit", 60.5, "Good", 60.5),
        ("armed", True, "Good", True),
        ("order", "A-17", "Good", "A-17"),
        ("order", b"A 17", "Good", "A 17"),
        ("limit", {"value": 101}, "BadOutOfRange", 50.0),
        ("limit", {"value": "hot"}, "BadTypeMismatch", 50.0),
        ("limit", True, "BadTypeMismatch", 50.0),
        ("armed", 1, "BadTypeMismatch", False),
        ("limit", {"worth": 1}, "BadTypeMismatch", 50.0),
        ("limit", [1], "BadTypeMismatch", 50.0),
        ("limit", b"\xff", "BadTypeMismatch", 50.0),
        ("limit", b"1e308", "BadOutOfRange", 50.0),
        ("order", b"\xff", "BadTypeMismatch", ""),
        ("order", b"x" * 9000, "BadTypeMismatch", ""),
    ],
)
def test_what_a_tag_takes(tag, payload, reason, value):
    """A bare value is a command as well; what is refused says why, changes nothing, and is evidence all the same."""
    bench = Bench()
    answer = bench.send(tag, payload)
    assert (answer["reason"], answer["value"]) == (reason, value)
    assert answer["result"] == ("accepted" if reason == "Good" else "refused")
    assert len(bench.events) == 1
    assert (bench.events[0].status == 0) is (reason == "Good")


def test_the_id_of_a_refused_command_is_repeated():
    """So that its sender knows which of them it was."""
    assert Bench().send("limit", {"value": None, "id": 9})["id"] == 9


def test_an_answer_goes_where_the_command_asks():
    """The response topic of MQTT 5 with its correlation data; never a topic of the broker's own."""
    bench = Bench()
    bench.send("limit", 1, response_topic="gw/answers", correlation_data=b"7")
    bench.send("limit", 1, response_topic="$SYS/x")
    assert [(topic, properties) for topic, _, _, _, _, properties in bench.answers] == [
        ("gw/answers", {"correlation_data": b"7"}),
        ("cmd/press1/limit/reply", {}),
    ]


def test_what_is_no_command_has_no_answer():
    """Other topics, read-only tags, and the empty message that clears a retained one."""
    bench = Bench()
    assert "cmd/press1/force" not in bench.commands.topics
    for topic, payload in (("cmd/press1/force", b"1"), ("cmd/press1/limit", b""), ("x", b"1")):
        bench.commands.hear(topic, payload, "gw", "", {})
    assert bench.answers == bench.events == []


@given(st.binary(max_size=60), st.sampled_from(["f64", "bool", "text", "u8"]))
def test_any_bytes_are_a_command_or_a_value_error(data, kind):
    """Payloads come from a network."""
    try:
        command = read_command(data, Tag(0, "a.b", "a", "b", kind))
    except ValueError:
        return
    assert isinstance(command, Command)


async def test_a_command_over_mqtt_5():
    """A real client asks with response topic and correlation data, and gets both back."""
    plant, events, loop = a_plant(), [], asyncio.get_running_loop()
    style = Style(payload="tag", commands="{place}/{device}/{tag}/set", places={"press1": PLACE})
    answered: asyncio.Future = loop.create_future()
    async with MqttEndpoint(plant, ["press1"], events.append, style=style) as endpoint:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic, properties.CorrelationData = "gw/answers", b"\x07"
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "gw", protocol=paho.MQTTv5)
        client.on_connect = lambda c, *_: c.subscribe("gw/#", 1)
        client.on_subscribe = lambda c, *_: c.publish(f"{PLACE}/press1/limit/set", b"75", 1, properties=properties)
        client.on_message = lambda c, d, message: loop.call_soon_threadsafe(answered.set_result, message)
        client.connect("127.0.0.1", endpoint.port)
        client.loop_start()
        message = await asyncio.wait_for(answered, 10)
        client.disconnect()
        client.loop_stop()
    answer = json.loads(message.payload)
    assert (message.topic, message.properties.CorrelationData) == ("gw/answers", b"\x07")
    assert (answer["result"], answer["value"]) == ("accepted", 75.0)
    assert [event.app for event in events if event.kind == "write"] == ["gw"]
