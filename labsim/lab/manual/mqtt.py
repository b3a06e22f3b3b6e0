"""What a device publishes, in a datasheet."""

from __future__ import annotations

import json

from labsim.lab.manual.say import Say, table
from labsim.plant import status
from labsim.plant.interface import Interface, MqttSpec


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
    return f"{text}\n\n{say('per_tag')}\n\n### Sparkplug B\n\n{say('sparkplug')}"
