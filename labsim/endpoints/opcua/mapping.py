"""Devices as the address space of a server: nodes that all servers share that look alike, bound to one plant."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from labsim.endpoints.opcua.alarms import AlarmCondition, EventIds
from labsim.endpoints.opcua.core.capabilities import hide_unserved
from labsim.endpoints.opcua.core.diagnostics import guard_diagnostics
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.roleset import show_roles
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.device_nodes import DeviceNodes
from labsim.endpoints.opcua.events import EventType, EventView
from labsim.endpoints.opcua.history import add_history
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.live import LiveValues
from labsim.endpoints.opcua.methods import bind
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.nodeset import merge_nodesets
from labsim.endpoints.opcua.renumber import renumber
from labsim.endpoints.opcua.seat import HistorySource, Seat
from labsim.endpoints.opcua.template import Template
from labsim.errors import InputError, UnknownNameError
from labsim.plant.clock import STEP_NS
from labsim.plant.device import Device
from labsim.plant.interface import OpcuaSpec
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag

_AS_WRITTEN = Layout()
_KEPT = 16
Finish = Callable[[Template], None]


@dataclass(slots=True)
class Mapped:
    """The address space of some devices of one plant.

    Attributes:
        template: The nodes, and what stands behind them by name.
        seat: What functions in the nodes are given.
        methods: What can be called.
        conditions: Alarms by ``device.name``; ``view`` shows what happens as events.
    """

    template: Template
    seat: Seat
    methods: dict[Key, Method]
    conditions: dict[str, AlarmCondition]
    view: EventView

    @property
    def space(self) -> Space:
        """Frozen nodes."""
        return self.template.space

    @property
    def namespaces(self) -> list[str]:
        """URIs from index 2 on."""
        return self.template.namespaces

    @property
    def tags(self) -> dict[Key, Tag]:
        """The tag of each variable that is one."""
        return self.template.tags

    @property
    def devices(self) -> dict[Key, str]:
        """The device that each object, folder or variable belongs to."""
        return self.template.devices

    @property
    def calls(self) -> dict[Key, str]:
        """What a device calls a method."""
        return self.template.calls

    @property
    def event_types(self) -> dict[tuple[str, str], EventType]:
        """Events by device and name."""
        return self.template.event_types


def map_devices(
    plant: Plant,
    paths: Sequence[str],
    *,
    uri: str = "",
    history: HistorySource | None = None,
    layout: Layout = _AS_WRITTEN,
    finish: Finish | None = None,
    variant: Hashable = None,
) -> Mapped:
    """Nodes of the devices at ``paths``.

    Args:
        plant: The plant.
        paths: Devices, in their order.
        uri: Sets EventIds apart.
        history: Recorded values that can be read; None when there are none.
        layout: Order of namespaces, kind of node ids, further models.
        finish: Has the last word before ids are given and all is frozen.
        variant: What ``finish`` does, so that nodes it finished alike are shared; with None they are not.

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak OPC UA.
        ScenarioError: a model does not fit.
    """
    devices = [_device(plant, path) for path in dict.fromkeys(paths)]
    sampling_ms = STEP_NS / 1e6 / plant.clock.speed  # a value cannot change more often than the plant steps
    look = _Look(devices, sampling_ms, history is not None, layout, finish)
    template = look.build() if finish is not None and variant is None else _templates.get(look, variant)
    origin = LiveValues(plant).origin
    ids = EventIds(uri)

    def filetime(t_ns: int) -> int:
        return t_ns // 100 + origin

    conditions = {
        path: AlarmCondition(plant.alarms[path], at.key, at.name, (at.source, at.source_name), ids, filetime)
        for path, at in template.conditions.items()
    }
    methods = {key: bind(method, plant, template.key_now) for key, method in template.methods.items()}
    view = EventView(template.event_types, conditions, ids, filetime)
    return Mapped(template, Seat(plant, origin, conditions, history), methods, conditions, view)


def _device(plant: Plant, path: str) -> tuple[Device, OpcuaSpec]:
    device = plant.devices.get(path)
    if device is None:
        raise UnknownNameError("device", path, plant.devices)
    if device.interface.opcua is None:
        raise InputError(f"{path}: a {device.interface.type} does not speak OPC UA; leave it out of this endpoint.")
    return device, device.interface.opcua


@dataclass(frozen=True, slots=True)
class _Look:
    """All that decides what nodes look like."""

    devices: list[tuple[Device, OpcuaSpec]]
    sampling_ms: float
    history: bool
    layout: Layout
    finish: Finish | None = field(default=None)

    def key(self) -> tuple[Any, ...]:
        """Equal for looks that are alike: same interfaces at the same paths and rows."""
        seats = [
            (device.path, id(device.interface), next((tag.row for tag in device.tags.values()), 0))
            for device, _ in self.devices
        ]
        models = tuple((model.file, model.digest) for model in self.layout.nodesets)
        return (*seats, self.sampling_ms, self.history, self.layout.order, self.layout.ids, models)

    def build(self) -> Template:
        """Make the nodes."""
        space = Space(standard_space())
        hide_unserved(space)
        show_roles(space, Roles())
        guard_diagnostics(space, Roles())
        models = [uri for nodeset in self.layout.nodesets for uri in nodeset.uris]
        namespaces = Namespaces([spec for _, spec in self.devices], models, self.layout.order)
        template = Template(space, namespaces.uris)
        if self.history:
            add_history(space)
        merge_nodesets(space, self.layout.nodesets, namespaces.index)  # before the devices, which use what is there
        for device, spec in self.devices:
            DeviceNodes(template, namespaces, device, spec, self.sampling_ms, self.history).build()
        if self.finish is not None:
            self.finish(template)
        if self.layout.ids is not None:
            renumber(template, self.layout.ids, namespaces.devices)
        space.frozen = True
        return template


class _Templates:
    """The templates that were made last; a class of trainees has the same devices in many servers of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, tuple[Template, list[object]]] = OrderedDict()

    def get(self, look: _Look, variant: Hashable) -> Template:
        """The template of a look, made when it is asked for first."""
        key = (look.key(), variant)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                # the interfaces are kept too, so that no other one can have the id of one of them
                found = look.build(), [device.interface for device, _ in look.devices]
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return found[0]


_templates = _Templates()


def alarms_by_key(mapped: Mapped) -> dict[Key, AlarmCondition]:
    """Conditions by their node, and by their ShelvingState, whose methods are about the condition."""
    found: dict[Key, AlarmCondition] = {}
    for condition in mapped.conditions.values():
        shelving = mapped.space.child(condition.key, "ShelvingState")
        assert shelving is not None
        found[condition.key] = found[shelving.key] = condition
    return found
