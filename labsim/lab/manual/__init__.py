"""The datasheet of a device type, made from its interface: what a vendor's manual says, and nothing about one device.

Addresses, word order and other settings stand here as they leave the factory; what a seat has drawn is for the trainee to find.
Faults are never shown.
"""

from __future__ import annotations

from labsim.lab.manual.alarms import alarms
from labsim.lab.manual.general import nameplate, ports, settings, tags
from labsim.lab.manual.modbus import modbus
from labsim.lab.manual.mqtt import mqtt
from labsim.lab.manual.opcua import opcua
from labsim.lab.manual.say import Say
from labsim.lab.manual.services import rest, time
from labsim.plant.interface import Interface


def manual(interface: Interface, lang: str = "en") -> str:
    """The datasheet of ``interface`` as Markdown in ``lang``; the same for every seat."""
    say = Say(lang)
    parts = [f"# {say(interface.title)} ({interface.type})\n\n{say(interface.about)}", nameplate(interface, say)]
    shown = {name: spec for name, spec in interface.settings.items() if not spec.hidden}
    if shown:
        parts.append(settings(shown, say))
    parts.append(tags(interface.tags, say))
    if interface.ports:
        parts.append(ports(interface.ports, say))
    if interface.alarms:
        parts.append(alarms(interface.alarms, say))
    if interface.modbus is not None:
        parts.append(modbus(interface, interface.modbus, say))
    if interface.opcua is not None:
        parts.append(opcua(interface, interface.opcua, say))
    if interface.mqtt is not None:
        parts.append(mqtt(interface, interface.mqtt, say))
    if interface.rest is not None:
        parts.append(rest(interface.rest, say))
    if interface.time is not None:
        parts.append(time(say))
    return "\n\n".join(parts) + "\n"
