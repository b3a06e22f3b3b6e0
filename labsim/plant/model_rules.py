"""What must hold between the OPC UA model of an interface and the rest of it: structures, values, state machines, types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from labsim.errors import did_you_mean
from labsim.plant.companion import plain_place, split_name
from labsim.plant.companion_states import MACHINES, OBJECT_TYPES, machines_of
from labsim.plant.companion_structures import STRUCTURES
from labsim.plant.model_spec import ComposedSpec, ConstantSpec, StatesSpec
from labsim.plant.signature import FieldType, MethodSpec
from labsim.plant.tags import TagType

if TYPE_CHECKING:
    from labsim.plant.interface import Interface, OpcuaSpec

_Path = tuple[str | int, ...]
_Found = tuple[_Path, str, str, str]
"""Where, a code, a sentence, and what to do: a `Conflict`."""
_PLAIN = {*get_args(TagType), *get_args(FieldType)}


def model_conflicts(interface: Interface, opcua: OpcuaSpec) -> Iterator[_Found]:
    """Everything in the model that does not fit."""
    structures = _structures_of(opcua)
    for name, structure in opcua.structures.items():
        for field, spec in structure.fields.items():
            yield from _type(spec.type, structures, ("opcua", "structures", name, "fields", field, "type"))
        if _holds_itself(opcua, name):
            yield (
                ("opcua", "structures", name), "bad-type", f"{name!r} holds itself without end.",
                "Make the field that leads back to it optional, or an array.",
            )  # fmt: skip
    for place, method in opcua.methods.items():
        yield from _arguments(method, structures, ("opcua", "methods", place))
    for place, value in opcua.values.items():
        yield from _value(interface, value, structures, ("opcua", "values", place))
    for place, states in opcua.states.items():
        yield from _states(interface, states, ("opcua", "states", place))
    if opcua.base is not None:
        yield from _object_type(opcua.base, ("opcua", "base"))
    folders = {
        plain_place(place).rsplit("/", depth)[0]
        for place in (*opcua.nodes, *opcua.methods, *opcua.values, *opcua.states)
        for depth in range(1, place.count("/") + 1)
    }
    for place, type_ in opcua.types.items():
        yield from _object_type(type_, ("opcua", "types", place))
        if plain_place(place) not in folders:
            hint = did_you_mean(plain_place(place), folders)
            yield ("opcua", "types", place), "unknown-name", f"there is no folder {place!r}.", hint


def _structures_of(opcua: OpcuaSpec) -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """By structure and field: its type, whether it is a list, whether it may be left out."""
    own = {
        name: {field: (spec.type, spec.array, spec.optional) for field, spec in structure.fields.items()}
        for name, structure in opcua.structures.items()
    }
    known = {
        name: {field.name: (field.type, field.array, field.optional) for field in structure.fields}
        for name, structure in STRUCTURES.items()
    }
    return known | own


def _type(type_: str, structures: Mapping[str, Any], path: _Path) -> Iterator[_Found]:
    if type_ not in _PLAIN and type_ not in structures:
        hint = did_you_mean(type_, [*structures, *_PLAIN])
        yield path, "unknown-name", f"there is no type or structure {type_!r}.", hint


def _holds_itself(opcua: OpcuaSpec, name: str) -> bool:
    """Whether a value of the structure could never end."""
    seen, todo = set[str](), [name]
    while todo:
        structure = opcua.structures.get(todo.pop())
        for field in structure.fields.values() if structure is not None else ():
            if field.array or field.optional:
                continue
            if field.type == name:
                return True
            if field.type not in seen:
                seen.add(field.type)
                todo.append(field.type)
    return False


def _arguments(method: MethodSpec, structures: Mapping[str, Any], path: _Path) -> Iterator[_Found]:
    for way, arguments in (("inputs", method.inputs), ("outputs", method.outputs)):
        for name, argument in arguments.items():
            yield from _type(argument.type, structures, (*path, way, name, "type"))


def _value(interface: Interface, value: ComposedSpec, structures: Mapping[str, Any], path: _Path) -> Iterator[_Found]:
    if value.structure not in structures:
        yield from _type(value.structure, structures, (*path, "structure"))
        return
    if value.json_tag is not None:
        spec = interface.tags.get(value.json_tag)
        if spec is None:
            yield _no_tag(interface, value.json_tag, (*path, "json"))
        elif spec.type != "text" or spec.access == "rw":
            yield (*path, "json"), "bad-type", f"{value.json_tag!r} must be a text that no client writes.", ""
    for way, given in (("fields", [value.fields]), ("items", list(value.items or ()))):
        for index, fields in enumerate(given):
            if fields is not None:
                where = (*path, way) if way == "fields" else (*path, way, index)
                yield from _fields(interface, fields, value.structure, structures, where)


def _fields(
    interface: Interface, fields: Mapping[str, Any], name: str, structures: Mapping[str, Any], path: _Path
) -> Iterator[_Found]:
    wanted = structures[name]
    for field, (type_, array, optional) in wanted.items():
        if field not in fields:
            if not optional:
                yield path, "missing", f"{name} has a field {field!r} that nothing here says.", ""
            continue
        yield from _source(interface, fields[field], type_, array, structures, (*path, field))
    for field in fields:
        if field not in wanted:
            yield (*path, field), "unknown-name", f"{name} has no field {field!r}.", did_you_mean(field, wanted)


def _source(
    interface: Interface,
    source: str | ConstantSpec,
    type_: str,
    array: bool,
    structures: Mapping[str, Any],
    path: _Path,
) -> Iterator[_Found]:
    if array:
        yield path, "bad-type", "a list in a structure comes from JSON alone.", "Use 'json' with a text tag."
    elif isinstance(source, ConstantSpec):
        if source.fields is not None and type_ in structures:
            yield from _fields(interface, source.fields, type_, structures, path)
        elif (source.unit is not None) != (type_ == "unit") or (source.fields is not None):
            yield path, "bad-type", f"that is no {type_}.", ""
    elif source not in interface.tags:
        yield _no_tag(interface, source, path)
    else:
        kind = interface.tags[source].type
        text = type_ in ("text", "localized", "decimal", "datetime", "utc")
        if type_ in structures or type_ in ("unit", "range", "path", "bytes"):
            yield path, "bad-type", f"no tag is a {type_}.", ""
        elif type_ != "any" and (kind == "text") != text:
            yield path, "bad-type", f"the tag {source!r} is a {kind}, not a {type_}.", ""


def _no_tag(interface: Interface, name: str, path: _Path) -> _Found:
    return path, "unknown-tag", f"there is no tag {name!r}.", did_you_mean(name, interface.tags)


def _states(interface: Interface, states: StatesSpec, path: _Path) -> Iterator[_Found]:
    tag = interface.tags.get(states.tag)
    if tag is None:
        yield _no_tag(interface, states.tag, (*path, "tag"))
        return
    if not tag.labels:
        yield (*path, "tag"), "bad-type", f"{states.tag!r} has no labels, so it has no states.", ""
    prefix = split_name(states.type)[0] if states.type is not None else ""
    machines = machines_of(states.type or "")
    if prefix and not machines:
        hint = did_you_mean(states.type or "", MACHINES)
        yield (*path, "type"), "unknown-name", f"there is no state machine {states.type!r}.", hint
        return
    known = {number for machine in machines for number in machine.states}
    for number in tag.labels if machines else ():
        if number not in known:
            yield (*path, "tag"), "bad-value", f"{states.type} has no state {number}.", ""
    commands = {name for machine in machines for name in machine.commands}
    for name in states.calls:
        if name not in commands:
            hint = did_you_mean(name, commands)
            yield (*path, "calls", name), "unknown-name", f"{states.type or 'it'} has no command {name!r}.", hint


def _object_type(name: str, path: _Path) -> Iterator[_Found]:
    if name not in OBJECT_TYPES:
        yield path, "unknown-name", f"there is no object type {name!r}.", did_you_mean(name, OBJECT_TYPES)
