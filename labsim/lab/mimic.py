"""The picture of a running plant for faces that draw it: ``GET /mimic`` of the control API.

It says what somebody who walks through the hall would see: machines with their lamps and displays, and how full the conveyors
between them are. Values are those that devices show, never the true ones; what a check measures against is left out, so is
every device that no endpoint serves, and in an exam there are no values at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labsim.lab.lab import Lab
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.flow import Lane
from labsim.plant.interface import Interface
from labsim.scenario.model import Scenario

MOST_VALUES = 4


def mimic_document(lab: Lab, lang: str) -> dict[str, Any]:
    """Stations with state, key values and active alarms, and the flows between them."""
    served = served_devices(lab.scenario)
    open_values = lab.mode != "exam"
    return {
        "t": lab.clock.now_ns() / 1e9,
        "stations": [
            _station(lab, device, lang, shows=open_values and path in served)
            for path, device in lab.plant.devices.items()
        ],
        "flows": [
            {
                "from": joined.source,
                "to": joined.target,
                "carries": joined.carries,
                "level": len(joined.flow) if isinstance(joined.flow, Lane) else None,
                "capacity": int(joined.flow.capacity) if isinstance(joined.flow, Lane) else None,
            }
            for joined in lab.plant.joined
        ],
    }


def served_devices(scenario: Scenario) -> set[str]:
    """Devices that stand at an endpoint, so that a trainee may know how they are."""
    found: set[str] = set()
    for endpoint in scenario.endpoints:
        if endpoint.modbus is not None:
            found |= set(endpoint.modbus.units.values())
        found |= set(getattr(endpoint.spec, "devices", ()))
    return found


def _station(lab: Lab, device: Device, lang: str, *, shows: bool) -> dict[str, Any]:
    spec = lab.scenario.plant[device.path]
    station: dict[str, Any] = {
        "device": device.path,
        "type": device.interface.type,
        "title": (spec.title or device.interface.title).say(lang),
        "place": spec.place,
        "state": None,
        "values": [],
        "alarms": [],
    }
    if shows:
        open_tags = [name for name, tag in device.tags.items() if tag.path not in lab.graded]
        name = state_tag(device.interface)
        if name in open_tags:
            station["state"] = _state(device, name, lang)
        keys = [key for key in key_tags(device.interface) if key in open_tags]
        station["values"] = [_value(device, key, lang) for key in keys[:MOST_VALUES]]
        station["alarms"] = [
            {"alarm": alarm.name, "title": alarm.spec.title.say(lang), "severity": alarm.state.severity}
            for alarm in lab.plant.alarms
            if alarm.device == device.path and alarm.state.active and alarm.tag.name in open_tags
        ]
    return station


def state_tag(interface: Interface) -> str:
    """The tag that says what a device does: that of its state machine, else the first with names for its values."""
    machines = interface.opcua.states.values() if interface.opcua is not None else ()
    named = (name for name, tag in interface.tags.items() if tag.labels and tag.access == "r")
    return next((states.tag for states in machines), None) or next(named, "")


def key_tags(interface: Interface) -> list[str]:
    """What is worth a display: numbers with a unit, those that alarms watch first, then as the device publishes them."""

    def wanted() -> Iterator[str]:
        yield from (alarm.tag for alarm in interface.alarms.values())
        for message in interface.mqtt.messages if interface.mqtt is not None else ():
            yield from message.tags
        yield from interface.tags

    numbers = {name for name, tag in interface.tags.items() if tag.unit is not None and not tag.labels}
    return [name for name in dict.fromkeys(wanted()) if name in numbers]


def _state(device: Device, name: str, lang: str) -> dict[str, Any]:
    number = int(device.shown(name))
    label = device.interface.tags[name].labels.get(number)
    return {"tag": name, "value": number, "label": label.say(lang) if label is not None else str(number)}


def _value(device: Device, name: str, lang: str) -> dict[str, Any]:
    tag = device.tags[name]
    code = int(device.store.status[tag.row])
    return {
        "tag": name,
        "title": tag.title.say(lang),
        "value": None if code >> 31 else device.shown(name),
        "unit": tag.unit.symbol if tag.unit is not None else "",
        "low": tag.low,
        "high": tag.high,
        "quality": status.name(code),
    }
