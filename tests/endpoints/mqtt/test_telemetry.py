"""What the plant publishes by itself, in plant time, from a small plant."""

from __future__ import annotations

import json

import pytest

from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.mqtt.payload import rfc3339
from labsim.endpoints.mqtt.telemetry import Telemetry
from labsim.errors import InputError, UnknownNameError
from labsim.evidence.event import PLANT
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import Plant

UTC_NS = 1_769_846_400_000_000_000  # 2026-01-31T08:00:00Z
META = {
    "title": {"en": "x"},
    "about": {"en": "x"},
    "identification": {"manufacturer": "labsim", "model": "x", "revision": "1", "serial": "{number:08d}"},
}
TAGS = {
    "temperature": {"type": "f64", "unit": "°C", "title": "temperature"},
    "running": {"type": "bool", "title": "running"},
    "parts": {"type": "u32", "title": "parts", "unit": "pcs"},
    "recipe": {"type": "text", "title": "recipe", "initial": "鋁"},
}


class Kind:
    """A device type with MQTT messages; its temperature is the number of the step."""

    def __init__(self, *messages: dict, tags: dict = TAGS) -> None:
        mqtt = {"messages": messages} if messages else None
        self.interface = Interface.model_validate({"type": "oven", **META, "tags": tags, "mqtt": mqtt})

    class behaviour(Device):  # noqa: N801 - the name the plant asks for
        """An oven that gets a degree warmer each step."""

        def step(self, dt: float) -> None:
            """Warm up."""
            self["temperature"] = self["temperature"] + 1.0


def a_plant(*kinds: Kind) -> Plant:
    """A plant with one oven per kind."""
    plant = Plant(1, SimClock(utc_ns=UTC_NS))
    for number, kind in enumerate(kinds, 1):
        plant.add(f"oven{number}", kind)
    plant.start()
    return plant


def run(plant: Plant, steps: int, *paths: str) -> list[tuple]:
    """Publish for so many steps; (step, topic, payload, qos, retain, device) of each message."""
    sent: list[tuple] = []
    telemetry = Telemetry(plant, paths, lambda *message: sent.append((plant.clock.step, *message)))
    for _ in range(steps):
        plant.advance()
        telemetry.tick()
    return sent


def message(topic="ovens/{device}/state", every="1 s", **more) -> dict:
    """One message of an interface."""
    return {"topic": topic, "every": every, "tags": list(TAGS), **more}


def test_the_payload_is_what_the_interface_says():
    """Time as RFC 3339 UTC with milliseconds; for each tag its true value, unit symbol and quality."""
    plant = a_plant(Kind(message()))
    plant.devices["oven1"].mark("running", status.BAD_SENSOR_FAILURE)
    [(step, topic, payload, *_)] = run(plant, 1, "oven1")
    assert (step, topic) == (1, "ovens/oven1/state")
    assert json.loads(payload) == {
        "time": "2026-01-31T08:00:00.100Z",
        "values": {
            "temperature": {"value": 1.0, "unit": "°C", "quality": "Good"},
            "running": {"value": False, "unit": None, "quality": "BadSensorFailure"},
            "parts": {"value": 0, "unit": "pcs", "quality": "Good"},
            "recipe": {"value": "鋁", "unit": None, "quality": "Good"},
        },
    }
    assert type(json.loads(payload)["values"]["parts"]["value"]) is int


def test_values_are_those_of_the_step_they_are_dated():
    """Payload time and values belong to one step."""
    for step, _, payload, *_ in run(a_plant(Kind(message(every="300 ms"))), 20, "oven1"):
        document = json.loads(payload)
        assert document["values"]["temperature"]["value"] == step
        assert document["time"] == rfc3339(UTC_NS + step * 100_000_000)


@pytest.mark.parametrize(
    ("every", "steps"),
    [
        ("1 s", [1, 11, 21, 31]),
        ("500 ms", [1, 6, 11, 16, 21, 26, 31, 36]),
        ("250 ms", [1, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 29, 31, 34, 36, 39]),
        ("10 ms", list(range(1, 41))),
        ("0 s", list(range(1, 41))),
    ],
)
def test_messages_keep_their_period_in_plant_time(every, steps):
    """The first tick publishes, then every so often; on average where a step does not divide the period."""
    assert [step for step, *_ in run(a_plant(Kind(message(every=every))), 40, "oven1")] == steps


def test_qos_retain_and_device_are_passed_on():
    """A message is published as its specification says, for the devices asked for alone."""
    plant = a_plant(Kind(message(qos=1, retain=True)), Kind(message()), Kind())
    sent = run(plant, 1, "oven1", "oven3")
    assert [(topic, *rest) for _, topic, _, *rest in sent] == [("ovens/oven1/state", 1, True, "oven1")]


def test_a_value_that_is_no_number_is_null():
    """JSON has no NaN."""
    plant = a_plant(Kind(message()))
    plant.devices["oven1"]["temperature"] = float("nan")
    assert json.loads(run(plant, 1, "oven1")[0][2])["values"]["temperature"]["value"] is None


def test_the_same_seed_publishes_the_same_bytes():
    """Telemetry adds nothing of its own to a run."""
    assert run(a_plant(Kind(message())), 30, "oven1") == run(a_plant(Kind(message())), 30, "oven1")


def test_what_cannot_be_published_is_said_when_it_is_built():
    """An unknown device and a topic with a wildcard are refused with a sentence."""
    plant = a_plant(Kind(message(topic="ovens/#")))
    with pytest.raises(UnknownNameError, match="oven1"):
        Telemetry(plant, ["oven"], print)
    with pytest.raises(InputError, match="wildcard"):
        Telemetry(plant, ["oven1"], print)


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "1970-01-01T00:00:00.000Z"), (UTC_NS + 999_999_999, "2026-01-31T08:00:00.999Z")]
)
def test_rfc3339_cuts_to_milliseconds(ns, text):
    """A time is never rounded into the future."""
    assert rfc3339(ns) == text


async def test_the_endpoint_publishes_at_ticks_and_keeps_evidence():
    """A tick of the endpoint journals the plant's message under the plant's name, and keeps it if retained."""
    events: list = []
    plant = a_plant(Kind(message(retain=True)))
    async with MqttEndpoint(plant, ["oven1"], events.append) as endpoint:
        endpoint.tick()
        plant.advance()
        endpoint.tick()
        endpoint.publish("lab/notice", b"hello", qos=1)
        with pytest.raises(InputError, match="lab/#"):
            endpoint.publish("lab/#", b"")
        assert len(endpoint.broker.retained) == 1
    assert [(event.kind, event.app, event.subject, event.device) for event in events] == [
        ("publish", PLANT, "ovens/oven1/state", "oven1"),
        ("publish", PLANT, "lab/notice", ""),
    ]
    assert json.loads(events[0].values[0])["time"] == "2026-01-31T08:00:00.000Z"
