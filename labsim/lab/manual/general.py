"""What stands first in a datasheet: nameplate, settings, values, ports."""

from __future__ import annotations

from labsim.lab.manual.say import Say, span, table
from labsim.plant.interface import Interface, SettingSpec, TagSpec
from labsim.plant.port_spec import PortSpec


def nameplate(interface: Interface, say: Say) -> str:
    """Maker, model, revision, serial number."""
    plate = interface.identification
    rows = [(say(name), getattr(plate, name)) for name in ("manufacturer", "model", "revision")]
    serial = say("own") if "{" in plate.serial else plate.serial
    head, *body = [*rows, (say("serial"), serial)]
    return f"## {say('nameplate')}\n\n{table(head, body)}"


def ports(found: dict[str, PortSpec], say: Say) -> str:
    """What a line joins it by."""
    rows = ((f"`{name}`", say(port.title), say(port.way), say(port.carries)) for name, port in found.items())
    head = [say(word) for word in ("port", "meaning", "way", "carries")]
    return f"## {say('ports')}\n\n{table(head, rows)}"


def settings(found: dict[str, SettingSpec], say: Say) -> str:
    """What a person sets on the device, as it leaves the factory."""

    def row(name: str, spec: SettingSpec) -> tuple[str, ...]:
        allowed = ", ".join(spec.choices) or span(spec.range, say) or say("any")
        unit = f" {spec.unit}" if spec.unit else " s" if spec.type == "duration" else ""
        default = spec.parse(spec.default)
        shown = f"{default:.15g}" if isinstance(default, float) else str(default)
        return f"`{name}`", say.meaning(spec), allowed, shown + unit

    head = [say(word) for word in ("setting", "meaning", "allowed", "default")]
    return f"## {say('settings')}\n\n{say('factory')}\n\n" + table(head, (row(*item) for item in found.items()))


def tags(found: dict[str, TagSpec], say: Say) -> str:
    """Every value, and what coded ones mean."""

    def row(name: str, spec: TagSpec) -> tuple[str, ...]:
        return f"`{name}`", say.meaning(spec), spec.type, spec.unit or "", span(spec.range, say), spec.access

    head = [say(word) for word in ("tag", "meaning", "type", "unit", "range", "access")]
    text = f"## {say('values')}\n\n" + table(head, (row(*item) for item in found.items()))
    coded = [
        f"- `{name}`: " + ", ".join(f"{number} {say(label)}" for number, label in spec.labels.items())
        for name, spec in found.items()
        if spec.labels
    ]
    return text + (f"\n\n### {say('codes')}\n\n" + "\n".join(coded) if coded else "")
