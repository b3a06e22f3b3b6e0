"""Events of devices as messages of their own, from a small plant."""

from __future__ import annotations

import json

import pytest

from labsim.endpoints.mqtt.announcements import Announcements
from labsim.endpoints.mqtt.voice import Style, Voice
from labsim.errors import ScenarioError, UnknownNameError
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface, load_interface
from labsim.plant.plant import Plant

TITLE = "x"
EVENTS = {
    "Opened": {"title": TITLE, "message": "{Count} times", "fields": {"Count": {"type": "u32", "title": TITLE}}},
    "Late": {"title": TITLE, "message": "{Age}", "fields": {"Age": {"type": "f64", "title": TITLE}}},
    "Silent": {"title": TITLE, "message": "x"},
}


class Kind:
    """A door that opens at each step, tells late of something, and tells what has no message."""

    interface = Interface.model_validate(
        {
            "type": "door",
            "title": TITLE,
            "about": TITLE,
            "identification": {"manufacturer": "x", "model": "x", "revision": "1", "serial": "1"},
            "tags": {"count": {"type": "u32", "title": TITLE}},
            "opcua": {"namespace": "urn:x", "type_name": "X", "nodes": {"Count": "count"}, "events": EVENTS},
            "mqtt": {
                "messages": [{"topic": "d/{device}/state", "every": "1 h", "tags": ["count"]}],
                "events": [
                    {"event": "Opened", "topic": "d/{device}/opened"},
                    {"event": "Late", "topic": "d/{device}/late", "qos": 2, "retain": True, "age": "Age"},
                ],
            },
        }
    )

    class behaviour(Device):  # noqa: N801 - the name the plant asks for
        """Tells."""

        def step(self, dt: float) -> None:
            """One step."""
            self["count"] = int(self["count"]) + 1
            self.emit("Opened", Count=self["count"])
            self.emit("Late", Age=0.25)
            self.emit("Silent")


def a_plant(count: int = 1) -> Plant:
    """Doors."""
    plant = Plant(1, SimClock(utc_ns=1_769_846_400_000_000_000))
    for number in range(count):
        plant.add(f"door{number + 1}", Kind)
    plant.start()
    return plant


def test_an_event_goes_out_at_the_step_in_which_it_happened():
    """Each event with a message is published once, in order, with its topic, QoS and retain; one without is not."""
    plant, sent = a_plant(2), []
    told = Announcements(plant, ["door1"], lambda *message: sent.append(message))
    plant.advance()
    told.tick()
    told.tick()
    assert [(topic, json.loads(payload), *rest) for topic, payload, *rest in sent] == [
        (
            "d/door1/opened",
            {"time": "2026-01-31T08:00:00.100Z", "event": "Opened", "fields": {"Count": 1}},
            1, False, "door1",
        ),
        (
            "d/door1/late",
            {
                "time": "2026-01-31T07:59:59.850Z", "sent": "2026-01-31T08:00:00.100Z", "event": "Late",
                "fields": {"Age": 0.25},
            },
            2, True, "door1",
        ),
    ]  # fmt: skip


def test_what_was_told_before_is_not_told_again():
    """Messages begin with whoever publishes them: a plant that was run again from its journal does not repeat itself."""
    plant, sent = a_plant(), []
    plant.advance()
    told = Announcements(plant, ["door1"], lambda *message: sent.append(message))
    plant.advance()
    told.tick()
    assert [json.loads(payload)["fields"].get("Count") for _, payload, *_ in sent] == [2, None]


@pytest.mark.parametrize(
    ("style", "topic"),
    [
        (Style(), "d/door1/opened"),
        (Style(topic="{place}/{device}/{message}", places={"door1": "acme"}), "acme/door1/opened"),
        (Style("tag", topic="{place}/{device}/{tag}", places={"door1": "acme"}), "acme/door1/opened"),
        (Style("tag"), "d/door1/opened"),
    ],
)
def test_both_plain_styles_tell_events(style: Style, topic: str):
    """An event goes to the template of the scenario, or to its own topic."""
    plant, sent = a_plant(), []
    voice = Voice(plant, ["door1"], style, lambda *message: sent.append(message[0]), lambda event: None)
    plant.advance()
    voice.tick()
    assert topic in sent


def test_an_unknown_device_is_told_when_it_is_built():
    """As for telemetry."""
    with pytest.raises(UnknownNameError, match="door1"):
        Announcements(a_plant(), ["door"], print)


def test_an_interface_that_tells_of_nothing_is_a_mistake(tmp_path):
    """An event, a field for the age and a topic that are none are told with their place."""
    file = tmp_path / "interface.yaml"
    file.write_text(
        "type: x\ntitle: X\nabout: X\nidentification: {manufacturer: x, model: x, revision: '1', serial: '1'}\n"
        "tags: {a: {type: u8, title: A}}\n"
        "opcua: {namespace: 'urn:x', type_name: X, nodes: {A: a}, events: {Opened: {title: O, message: o}}}\n"
        "mqtt:\n  messages: []\n  events:\n"
        "    - {event: Opend, topic: x}\n"
        "    - {event: Opened, topic: x, age: Age}\n"
        "    - {event: Opened, topic: 'x/#'}\n",
        encoding="utf-8",
    )
    with pytest.raises(ScenarioError) as caught:
        load_interface(file)
    assert [(p.line, p.code) for p in caught.value.problems] == [
        (10, "unknown-name"), (11, "unknown-name"), (12, "bad-topic"),
    ]  # fmt: skip
