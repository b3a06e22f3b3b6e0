"""What must hold between the parts of an interface: names that are referred to exist, registers do not overlap.

The shape of each part is judged by its model; here is what no part can see alone, each with the path to where it stands.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from labsim.errors import did_you_mean
from labsim.plant.companion import COMPANIONS, plain_place
from labsim.plant.model_rules import model_conflicts
from labsim.plant.tags import INTEGER_RANGE
from labsim.plant.vda5050_spec import LISTS

if TYPE_CHECKING:
    from labsim.plant.interface import Interface, MqttSpec, OpcuaSpec
    from labsim.plant.register_spec import ModbusSpec, RegisterSpec
    from labsim.plant.vda5050_spec import Vda5050Spec

_WORD_ORDERS = {"ABCD", "CDAB", "BADC", "DCBA"}


class Conflict(NamedTuple):
    """Two parts that do not fit: the path in the file, a code, a sentence, and what to do."""

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str = ""


def conflicts(interface: Interface) -> Iterator[Conflict]:
    """Everything in ``interface`` that does not fit together."""
    yield from _fields(interface.identification.serial, {"number"}, ("identification", "serial"))
    yield from _alarms(interface)
    yield from _faults(interface)
    if interface.modbus is not None:
        yield from _modbus(interface, interface.modbus)
    if interface.opcua is not None:
        yield from _opcua(interface, interface.opcua)
    if interface.time is not None:
        yield from _number(interface, interface.time.offset, ("time", "offset"))
        yield from _number(interface, interface.time.stratum, ("time", "stratum"))
        yield from _bool(interface, interface.time.synchronised, ("time", "synchronised"))
    if interface.mqtt is not None:
        yield from _mqtt(interface, interface.mqtt)


def _tag(interface: Interface, name: str, path: tuple[str | int, ...]) -> Iterator[Conflict]:
    if name not in interface.tags:
        yield Conflict(path, "unknown-tag", f"there is no tag {name!r}.", did_you_mean(name, interface.tags))


def _faults(interface: Interface) -> Iterator[Conflict]:
    """What a sensor chain or a fault of the type is about."""
    for name in interface.sensors:
        yield from _tag(interface, name, ("sensors", name))
        if name in interface.tags and interface.tags[name].type in ("bool", "text"):
            yield Conflict(
                ("sensors", name), "bad-value", f"{name} is a {interface.tags[name].type}: a sensor gives numbers."
            )
    for fault, spec in interface.faults.items():
        for name, parameter in spec.parameters.items():
            if parameter.default is None:
                yield Conflict(
                    ("faults", fault, "parameters", name), "bad-value", "a parameter of a type's fault has a 'default'."
                )


def _fields(text: str, known: set[str], path: tuple[str | int, ...]) -> Iterator[Conflict]:
    """Names in braces that nothing fills in."""
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        yield Conflict(path, "bad-value", f"{text!r} has unpaired braces ({error}).")
        return
    for name in sorted(names - known):
        yield Conflict(path, "bad-value", f"nothing fills in {{{name}}}.", did_you_mean(name, known))


def _modbus(interface: Interface, modbus: ModbusSpec) -> Iterator[Conflict]:
    for object_id, text in modbus.identification.items():
        yield from _fields(text, {"serial"}, ("modbus", "identification", object_id))
    base = interface.settings.get("base_register")
    if base is not None and (base.type != "integer" or base.range is None or base.range[0] < 0):
        yield Conflict(
            ("settings", "base_register"), "bad-setting", "base_register is an integer with a range from 0 on."
        )
        base = None
    order = interface.settings.get("word_order")
    if order is not None and (order.type != "choice" or not set(order.choices) <= _WORD_ORDERS):
        yield Conflict(
            ("settings", "word_order"), "bad-setting", f"word_order is a choice of {', '.join(sorted(_WORD_ORDERS))}."
        )
    highest = int(base.range[1]) if base is not None and base.range is not None else 0
    yield from _registers(interface, modbus, highest)
    for number, file in modbus.files.items():
        yield from _file(interface, file, ("modbus", "files", number))
    for pointer, queue in modbus.queues.items():
        path = ("modbus", "queues", pointer)
        if not 0 <= pointer - modbus.numbering <= 65535 - highest:
            yield Conflict(path, "bad-address", f"pointer {pointer} is outside the wire addresses 0 to 65535.")
        yield from _number(interface, queue.tag, (*path, "tag"))
    for index, name in enumerate(modbus.exception_status):
        yield from _bool(interface, name, ("modbus", "exception_status", index))
    if modbus.run_tag is not None:
        yield from _bool(interface, modbus.run_tag, ("modbus", "run_tag"))
    if modbus.server_id is not None:
        yield from _fields(modbus.server_id, {"serial"}, ("modbus", "server_id"))


def _registers(interface: Interface, modbus: ModbusSpec, highest: int) -> Iterator[Conflict]:
    taken: dict[tuple[str, int], RegisterSpec] = {}
    tables: dict[str, str] = {}
    for index, register in enumerate(modbus.registers):
        path = ("modbus", "registers", index)
        address = register.doc - modbus.numbering
        if address < 0 or address + register.size + highest > 65536:
            yield Conflict(
                (*path, "doc"), "bad-address", f"register {register.doc} is wire address {address}, outside 0 to 65535."
            )
        table = "holding" if modbus.same_tables and register.table == "input" else register.table
        table = "coil" if modbus.same_bits and table == "discrete" else table
        words = [(table, address + offset) for offset in range(register.size)]
        hit = next((taken[word] for word in words if word in taken), None)
        if hit is not None:
            yield Conflict((*path, "doc"), "overlap", f"{register.table} {register.doc} overlaps the one at {hit.doc}.")
        taken.update(dict.fromkeys(words, register))
        if register.group is not None and tables.setdefault(register.group, register.table) != register.table:
            yield Conflict((*path, "group"), "bad-group", f"group {register.group!r} stands in two tables.")
        yield from _register_tag(interface, register, path)


def _file(interface: Interface, file: tuple[RegisterSpec, ...], path: tuple[str | int, ...]) -> Iterator[Conflict]:
    """Records 0 to 9999 (Modbus Application Protocol V1.1b3 §6.14) that do not overlap."""
    taken: set[int] = set()
    for index, register in enumerate(file):
        records = set(range(register.doc, register.doc + register.size))
        if register.table != "holding":
            yield Conflict((*path, index, "table"), "bad-table", "a file has no tables: leave 'table' out.")
        if max(records) > 9999:
            yield Conflict((*path, index, "doc"), "bad-address", f"record {register.doc} is outside 0 to 9999.")
        if records & taken:
            yield Conflict((*path, index, "doc"), "overlap", f"record {register.doc} overlaps another.")
        taken |= records
        yield from _register_tag(interface, register, (*path, index))


def _number(interface: Interface, name: str, path: tuple[str | int, ...]) -> Iterator[Conflict]:
    yield from _tag(interface, name, path)
    if name in interface.tags and interface.tags[name].type == "text":
        yield Conflict(path, "bad-type", f"{name!r} is a text, not a number.")


def _bool(interface: Interface, name: str, path: tuple[str | int, ...]) -> Iterator[Conflict]:
    yield from _tag(interface, name, path)
    if name in interface.tags and interface.tags[name].type != "bool":
        yield Conflict(path, "bad-type", f"{name!r} is not a bool.")


def _register_tag(interface: Interface, register: RegisterSpec, path: tuple[str | int, ...]) -> Iterator[Conflict]:
    if register.tag is None:
        return
    if register.tag not in interface.tags:
        yield from _tag(interface, register.tag, (*path, "tag"))
        return
    tag = interface.tags[register.tag]
    if (tag.type == "text") != (register.type == "text") or (register.type == "bool" and tag.type != "bool"):
        yield Conflict((*path, "type"), "bad-type", f"a {tag.type} tag cannot stand in a {register.type} register.")
    if register.access == "rw" and tag.access == "r":
        yield Conflict((*path, "access"), "bad-access", f"the tag {register.tag!r} cannot be written.")
    if register.wear_tag is not None:
        yield from _number(interface, register.wear_tag, (*path, "wear_tag"))


def _alarms(interface: Interface) -> Iterator[Conflict]:
    for name, alarm in interface.alarms.items():
        path = ("alarms", name)
        yield from _tag(interface, alarm.tag, (*path, "tag"))
        tag = interface.tags.get(alarm.tag)
        if tag is None:
            continue
        numbers = tag.type not in ("text", "bool")
        if not (numbers if alarm.kind == "limit" else tag.type == "bool" or tag.type in INTEGER_RANGE):
            yield Conflict(
                (*path, "kind"), "bad-type", f"a {alarm.kind} alarm cannot watch {alarm.tag!r}, which is {tag.type}.",
                "Numbers have limits; bool and whole numbers are discrete or off-normal.",
            )  # fmt: skip
        for value in (*alarm.active, *alarm.normal):
            if tag.labels and value not in tag.labels:
                yield Conflict(path, "bad-value", f"{alarm.tag!r} has no value {value}.")


def _opcua(interface: Interface, opcua: OpcuaSpec) -> Iterator[Conflict]:
    places = [plain_place(place) for place in (*opcua.nodes, *opcua.methods, *opcua.values, *opcua.states)]
    variables = {plain_place(place) for place in (*opcua.nodes, *opcua.values)}
    methods = {plain_place(place) for place in opcua.methods}
    folders = {place.rsplit("/", depth)[0] for place in places for depth in range(1, place.count("/") + 1)}
    for place in opcua.methods:
        if plain_place(place) in variables | folders:
            yield Conflict(("opcua", "methods", place), "overlap", f"{place!r} is a method and something else.")
    restricted = {*opcua.nodes.values(), *folders, *methods, *map(plain_place, (*opcua.values, *opcua.states))}
    for name in opcua.roles:
        if name not in restricted:
            hint = did_you_mean(name, restricted)
            yield Conflict(
                ("opcua", "roles", name), "unknown-name", f"{name!r} is no tag, folder or method here.", hint
            )
    for name, event in opcua.events.items():
        for sentence in event.message.values():
            yield from _fields(sentence, set(event.fields), ("opcua", "events", name, "message"))
    for place, name in opcua.nodes.items():
        path = ("opcua", "nodes", place)
        yield from _tag(interface, name, path)
        if not all(part.strip() == part and part for part in place.split("/")):
            yield Conflict(path, "bad-path", f"the browse path {place!r} has an empty or blank-edged name.")
        if plain_place(place) in folders:
            yield Conflict(path, "overlap", f"{place!r} is a variable and a folder.")
    for place in (
        *opcua.nodes, *opcua.methods, *opcua.enumerations.values(), *opcua.values, *opcua.states, *opcua.structures,
    ):  # fmt: skip
        for part in place.split("/"):
            prefix, colon, _ = part.partition(":")
            if colon and prefix not in COMPANIONS:
                yield Conflict(
                    ("opcua",), "unknown-name", f"{place!r}: there is no companion specification {prefix!r}.",
                    did_you_mean(prefix, COMPANIONS),
                )  # fmt: skip
    for name in opcua.enumerations:
        path = ("opcua", "enumerations", name)
        yield from _tag(interface, name, path)
        if name in interface.tags and not interface.tags[name].labels:
            yield Conflict(path, "bad-type", f"{name!r} has no labels, so it cannot be an enumeration.")
    for found in model_conflicts(interface, opcua):
        yield Conflict(*found)


def _mqtt(interface: Interface, mqtt: MqttSpec) -> Iterator[Conflict]:
    for index, message in enumerate(mqtt.messages):
        path = ("mqtt", "messages", index)
        yield from _topic(message.topic, (*path, "topic"))
        if message.every <= 0:
            yield Conflict((*path, "every"), "bad-value", "a message is sent every so often, more than 0 s.")
        for place, name in enumerate(message.tags):
            yield from _tag(interface, name, (*path, "tags", place))
    events = interface.opcua.events if interface.opcua is not None else {}
    for index, message_of_event in enumerate(mqtt.events):
        path = ("mqtt", "events", index)
        yield from _topic(message_of_event.topic, (*path, "topic"))
        name, age = message_of_event.event, message_of_event.age
        if name not in events:
            yield Conflict((*path, "event"), "unknown-name", f"there is no event {name!r}.", did_you_mean(name, events))
        elif age is not None and age not in events[name].fields:
            hint = did_you_mean(age, events[name].fields)
            yield Conflict((*path, "age"), "unknown-name", f"the event {name!r} has no field {age!r}.", hint)
    if mqtt.vda5050 is not None:
        yield from _vda5050(interface, mqtt.vda5050)


def _vda5050(interface: Interface, spec: Vda5050Spec) -> Iterator[Conflict]:
    path = ("mqtt", "vda5050")
    for field, name in spec.state.items():
        yield from _tag(interface, name, (*path, "state", field))
        top = field.split("/")[0]
        if name in interface.tags and (top in LISTS) != (top == field and interface.tags[name].first == "[]"):
            why = f"{top!r} is a list, so its tag is a text that begins as '[]'." if top in LISTS else "it is no list."
            yield Conflict((*path, "state", field), "bad-type", f"{name!r} does not fit: {why}")
    yield from _bool(interface, spec.connected, (*path, "connected"))
    yield from _number(interface, spec.factsheet_requests, (*path, "factsheet_requests"))
    calls = [method.call for method in interface.opcua.methods.values()] if interface.opcua is not None else []
    for part, call in (("order", spec.order), ("instant_actions", spec.instant_actions)):
        if call not in calls:
            yield Conflict((*path, part), "unknown-name", f"no method calls {call!r}.", did_you_mean(call, calls))
    if spec.visualization <= 0:
        yield Conflict((*path, "visualization"), "bad-value", "a message is sent every so often, more than 0 s.")


def _topic(topic: str, path: tuple[str | int, ...]) -> Iterator[Conflict]:
    yield from _fields(topic, {"device"}, path)
    if any(char in topic for char in "+#\0") or not topic:
        yield Conflict(path, "bad-topic", "a topic is not empty and has no wildcard (MQTT-3.3.2-2).")
