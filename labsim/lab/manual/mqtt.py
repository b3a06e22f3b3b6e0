"""What a device publishes, in a datasheet."""

from __future__ import annotations

import json

from labsim.lab.manual.say import Say, table
from labsim.plant import status
from labsim.plant.interface import Interface, MqttSpec
from labsim.plant.vda5050_spec import Vda5050Spec


def mqtt(interface: Interface, spec: MqttSpec, say: Say) -> str:
    """Topics, payload, events, and the other styles."""
    messages = spec.messages
    head = [say("topic"), say("every"), "QoS", say("retained"), say("values")]
    rows = [
        (f"`{m.topic}`", f"{m.every:g} s", m.qos, say("yes" if m.retain else "no"), ", ".join(m.tags)) for m in messages
    ]
    first = messages[0]
    values = {
        name: {
            "value": interface.tags[name].first,
            "unit": interface.tags[name].unit,
            "quality": status.name(status.GOOD),
        }
        for name in first.tags
    }
    lines = ",\n".join(f'    "{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in values.items())
    payload = '{\n  "time": "2026-01-31T08:00:00.100Z",\n  "values": {\n' + lines + "\n  }\n}"
    example = say("example", topic=first.topic)
    text = f"## MQTT\n\n{say('publishes')}\n\n{table(head, rows)}\n\n{example}\n\n```json\n{payload}\n```"
    if spec.events:
        head = [say("topic"), say("event"), "QoS", say("retained"), say("fields")]
        assert interface.opcua is not None
        told = [
            (
                f"`{m.topic}`",
                m.event,
                m.qos,
                say("yes" if m.retain else "no"),
                ", ".join(interface.opcua.events[m.event].fields),
            )
            for m in spec.events
        ]
        text += f"\n\n{say('announces')}\n\n{table(head, told)}"
    if spec.vda5050 is not None:
        text += f"\n\n### VDA 5050\n\n{_vda5050(interface, spec.vda5050, say)}"
    return f"{text}\n\n{say('per_tag')}\n\n### Sparkplug B\n\n{say('sparkplug')}"


def _vda5050(interface: Interface, spec: Vda5050Spec, say: Say) -> str:
    """Topics, and which value each field of the state is."""
    base = f"{spec.interface}/v2/{interface.identification.manufacturer}/…"
    topics = [
        (f"`{base}/{topic}`", say("to_device" if taken else "from_device"), qos, say("yes" if kept else "no"))
        for topic, taken, qos, kept in (
            ("connection", False, 1, True), ("state", False, 0, False), ("visualization", False, 0, False),
            ("factsheet", False, 0, True), ("order", True, 0, False), ("instantActions", True, 0, False),
        )
    ]  # fmt: skip
    fields = [
        (f"`{field.replace('/', '.')}`", f"`{tag}`", say(interface.tags[tag].title))
        for field, tag in spec.state.items()
    ]
    heads = [say("topic"), say("direction"), "QoS", say("retained")], [say("field"), say("tag"), say("meaning")]
    return "\n\n".join((say("vda5050"), table(heads[0], topics), table(heads[1], fields)))
