"""The node tree in a datasheet, with methods and events."""

from __future__ import annotations

from labsim.lab.manual.say import Say, fields, table
from labsim.plant.interface import Interface, OpcuaSpec


def opcua(interface: Interface, spec: OpcuaSpec, say: Say) -> str:
    """The tree of nodes, structures, state machines, methods, events."""
    lines: list[str] = []
    shown: set[str] = set()
    for place, name in sorted(spec.nodes.items()):
        *folders, leaf = place.split("/")
        for depth, folder in enumerate(folders):
            path = "/".join(folders[: depth + 1])
            if path not in shown:
                shown.add(path)
                lines.append("  " * depth + folder)
        tag = interface.tags[name]
        facts = " ".join(filter(None, (tag.type, tag.unit, tag.access)))
        lines.append("  " * len(folders) + f"{leaf}  ({facts}: {say(tag.title)})")
    tree = "\n".join(lines)
    below = say("below", folder=f"`Objects/{spec.folder}`", type=f"`{spec.type_name}`")
    parts = [f"## OPC UA\n\n{say('namespace')}: `{spec.namespace}`\n\n{below}\n\n```text\n{tree}\n```"]
    if spec.values:
        head = [say(word) for word in ("made_of", "type", "meaning")]
        values = (
            (f"`{place}`", f"`{one.structure}{'[]' if one.is_list else ''}`", say(one.title))
            for place, one in spec.values.items()
        )
        parts.append(f"### {say('made_of')}\n\n{table(head, values)}")
    if spec.states:
        head = [say(word) for word in ("states_of", "type", "tag")]
        states = ((f"`{place}`", f"`{one.type_at(place)}`", f"`{one.tag}`") for place, one in spec.states.items())
        parts.append(f"### {say('states')}\n\n{table(head, states)}")
    if spec.methods:
        head = [say(word) for word in ("method", "call", "meaning", "inputs", "outputs")]
        methods = (
            (f"`{place}`", f"`{m.call}`", say.meaning(m), fields(m.inputs, say), fields(m.outputs, say))
            for place, m in spec.methods.items()
        )
        parts.append(f"### {say('methods')}\n\n{table(head, methods)}")
    if spec.events:
        head = [say(word) for word in ("event", "meaning", "severity", "fields")]
        events = (
            (f"`{name}EventType`", say(event.title), event.severity, fields(event.fields, say))
            for name, event in spec.events.items()
        )
        parts.append(f"### {say('events')}\n\n{table(head, events)}")
    return "\n\n".join(parts)
