"""Methods of devices as OPC UA methods: their nodes with typed arguments, and the way to `Device.call`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import add_property
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, Node, Space
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.live import BUILTIN
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.signature import FieldSpec, MethodSpec

VT = ua.VariantType
_ARGUMENT = 296
_SCALAR = -1


def add_method(space: Space, key: tuple[int, str], name: tuple[int, str], parent: Key, spec: MethodSpec) -> Node:
    """A Method node with its InputArguments and OutputArguments (OPC 10000-3 §5.7); ``name`` as for objects."""
    attributes: dict[int, Any] = {nodes.EXECUTABLE: True}
    if spec.about:
        attributes[nodes.DESCRIPTION] = spec.about
    node = Node(key, nodes.METHOD, ua.QualifiedName(name[1], name[0]), spec.title, attributes)
    space.add(node, parent, HAS_COMPONENT)
    for browse, fields in (("InputArguments", spec.inputs), ("OutputArguments", spec.outputs)):
        if fields:
            child = (key[0], f"{key[1]}/{browse}")
            add_property(space, child, (0, browse), key, _ARGUMENT, _arguments(fields), rank=1)
    return node


def _arguments(fields: Mapping[str, FieldSpec]) -> Callable[[Locales], Any]:
    def arguments(locales: Locales) -> Any:
        found = [
            ua.Argument(name, node_id(BUILTIN[one.type]), _SCALAR, [], localize(one.title, locales))
            for name, one in fields.items()
        ]
        return ua.Variant(found, VT.ExtensionObject, is_array=True)

    return arguments


def device_method(device: Device, spec: MethodSpec, clock: SimClock) -> Method:
    """What a call does: the device's own word; refused with BadInvalidState while the plant is paused."""

    def callee(_request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        if clock.paused:
            raise Bad(status.BAD_INVALID_STATE)
        code, outputs = device.call(spec.call, ["" if one is None else one for one in arguments])
        if code != status.GOOD:
            raise Bad(code)
        return [
            ua.Variant(value, VT(BUILTIN[one.type])) for one, value in zip(spec.outputs.values(), outputs, strict=True)
        ]

    return Method(callee)
