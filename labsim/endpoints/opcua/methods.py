"""Methods of devices as OPC UA methods: their nodes with typed arguments, and the way to `Device.call`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import add_property
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, STRUCTURE, Node, Space
from labsim.endpoints.opcua.core.plain import leaf_variant, plain_of
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.seat import Seat
from labsim.plant import status
from labsim.plant.plant import Plant
from labsim.plant.signature import ArgumentSpec, MethodSpec

VT = ua.VariantType
_ARGUMENT = 296


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument: its name, DataType and title, and whether it is a list."""

    name: str
    data_type: Key
    title: Mapping[str, str]
    array: bool


@dataclass(frozen=True, slots=True)
class DeviceMethod:
    """A method of a device: what the device calls it, and what goes in and comes out."""

    device: str
    call: str
    inputs: Sequence[Argument]
    outputs: Sequence[Argument]


def arguments_of(specs: Mapping[str, ArgumentSpec], data_type: Callable[[str], Key]) -> list[Argument]:
    """The arguments of an interface; ``data_type`` finds the DataType of a name."""
    return [Argument(name, data_type(one.type), one.title, one.array) for name, one in specs.items()]


def add_method(
    space: Space,
    key: tuple[int, str],
    name: tuple[int, str],
    parent: Key,
    spec: MethodSpec,
    inputs: Sequence[Argument],
    outputs: Sequence[Argument],
    key_now: Callable[[Key], Key],
) -> Node:
    """A Method node with its InputArguments and OutputArguments (OPC 10000-3 §5.7); ``name`` as for objects."""
    attributes: dict[int, Any] = {nodes.EXECUTABLE: True}
    if spec.about:
        attributes[nodes.DESCRIPTION] = spec.about
    node = Node(key, nodes.METHOD, ua.QualifiedName(name[1], name[0]), spec.title, attributes)
    space.add(node, parent, HAS_COMPONENT)
    for browse, fields in (("InputArguments", inputs), ("OutputArguments", outputs)):
        if fields:
            child = (key[0], f"{key[1]}/{browse}")
            add_property(space, child, (0, browse), key, _ARGUMENT, _arguments(fields, key_now), rank=1)
    return node


def _arguments(fields: Sequence[Argument], key_now: Callable[[Key], Key]) -> Callable[[Locales, Seat], Any]:
    def arguments(locales: Locales, _seat: Seat) -> Any:
        found = [
            ua.Argument(
                one.name, node_id(key_now(one.data_type)), 1 if one.array else -1, [0] if one.array else [],
                localize(one.title, locales),
            )
            for one in fields
        ]  # fmt: skip
        return ua.Variant(found, VT.ExtensionObject, is_array=True)

    return arguments


def bind(method: DeviceMethod, plant: Plant, key_now: Callable[[Key], Key]) -> Method:
    """What a call does: the device's own word; refused with BadInvalidState while the plant is paused.

    A device that does not answer is BadNoCommunication.
    """
    device, clock = plant.devices[method.device], plant.clock

    def callee(request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        if clock.paused:
            raise Bad(status.BAD_INVALID_STATE)
        if device.condition.dead:
            raise Bad(status.BAD_NO_COMMUNICATION)
        # what the journal keeps, and what a replay calls with
        arguments[:] = [_given(one, value) for one, value in zip(method.inputs, arguments, strict=True)]
        code, outputs = device.call(method.call, arguments)
        if code != status.GOOD:
            raise Bad(code)
        return [_returned(request, one, value) for one, value in zip(method.outputs, outputs, strict=True)]

    def _returned(request: Request, one: Argument, value: Any) -> Any:
        server, data_type, locales = request.server, key_now(one.data_type), request.session.locales
        kind = server.space.builtin(data_type)
        if kind != STRUCTURE:
            return leaf_variant(kind, value, one.array, locales)
        pack = server.structures.pack
        packed: Any = (
            [pack(data_type, each, locales) for each in value] if one.array else pack(data_type, value, locales)
        )
        return ua.Variant(packed, VT.ExtensionObject, is_array=one.array)

    return Method(callee)


def _given(one: Argument, value: Any) -> Any:
    """An argument as a device gets it: plain, a list for an array, and never None."""
    if one.array:
        return [_plain(each) for each in value or ()]
    return "" if value is None else _plain(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, dict) else plain_of(value)
