"""Devices as nodes: what an ``interface.yaml`` says about OPC UA, laid over the standard address space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labsim.endpoints.opcua.alarms import AlarmCondition, EventIds
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import FOLDER, add_object, add_object_type
from labsim.endpoints.opcua.core.capabilities import SERVER, hide_unserved
from labsim.endpoints.opcua.core.condition import HAS_CONDITION
from labsim.endpoints.opcua.core.event import (
    EVENT_HISTORY,
    GENERATES_EVENT,
    HAS_EVENT_SOURCE,
    HAS_NOTIFIER,
    SUBSCRIBE_TO_EVENTS,
)
from labsim.endpoints.opcua.core.instance import add_children
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, Space
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.events import EventType, EventView, add_event_type
from labsim.endpoints.opcua.history import add_history, historize
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.live import LiveValues
from labsim.endpoints.opcua.methods import add_method, device_method
from labsim.endpoints.opcua.nameplate import HEALTH, IDENTIFICATION, Nameplate, entry_point
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.nodeset import merge_nodesets
from labsim.endpoints.opcua.renumber import renumber
from labsim.endpoints.opcua.variables import TagVariable, add_enumeration, declare
from labsim.errors import InputError, UnknownNameError
from labsim.plant.alarms import Alarm
from labsim.plant.clock import STEP_NS
from labsim.plant.companion import plain_place
from labsim.plant.device import Device
from labsim.plant.interface import OpcuaSpec
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag
from labsim.text import Text

_AS_WRITTEN = Layout()
_Name = tuple[int, str]  # a string node id, and a browse name


@dataclass(slots=True)
class Mapped:
    """The address space of some devices.

    Attributes:
        space: Frozen nodes.
        namespaces: URIs from index 2 on.
        tags: The tag of each variable that shows one.
        devices: The device that each object, folder or variable belongs to.
        methods: What can be called; ``calls`` is what the device calls it.
        conditions: Alarms by ``device.name``; ``view`` shows what happens as events.
    """

    space: Space
    namespaces: list[str] = field(default_factory=list)
    tags: dict[Key, Tag] = field(default_factory=dict)
    devices: dict[Key, str] = field(default_factory=dict)
    methods: dict[Key, Method] = field(default_factory=dict)
    calls: dict[Key, str] = field(default_factory=dict)
    conditions: dict[str, AlarmCondition] = field(default_factory=dict)
    event_types: dict[tuple[str, str], EventType] = field(default_factory=dict)
    ids: EventIds = field(default_factory=lambda: EventIds(""))
    filetime: Callable[[int], int] = lambda t_ns: t_ns // 100

    @property
    def view(self) -> EventView:
        """The plant's occurrences as events."""
        return EventView(self.event_types, self.conditions, self.ids, self.filetime)


def map_devices(
    plant: Plant,
    paths: Sequence[str],
    *,
    uri: str = "",
    history: bool = False,
    layout: Layout = _AS_WRITTEN,
    finish: Callable[[Mapped], None] = lambda _mapped: None,
) -> Mapped:
    """Nodes of the devices at ``paths``.

    Args:
        plant: The plant.
        paths: Devices, in their order.
        uri: Sets EventIds apart.
        history: It can be read.
        layout: Order of namespaces, kind of node ids, further models.
        finish: Has the last word before ids are given and all is frozen.

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak OPC UA.
        ScenarioError: a model does not fit.
    """
    devices = [_device(plant, path) for path in dict.fromkeys(paths)]
    space = Space(standard_space())
    hide_unserved(space)
    origin = LiveValues(plant).origin
    models = [uri for nodeset in layout.nodesets for uri in nodeset.uris]
    namespaces = Namespaces([spec for _, spec in devices], models, layout.order)
    mapped = Mapped(space, namespaces.uris, ids=EventIds(uri), filetime=lambda t_ns: t_ns // 100 + origin)
    if history:
        add_history(space)
    sampling_ms = STEP_NS / 1e6 / plant.clock.speed  # a value cannot change more often than the plant steps
    merge_nodesets(space, layout.nodesets, namespaces.index)  # before the devices, which use what is there
    for device, spec in devices:
        _DeviceNodes(mapped, namespaces, plant, device, spec, sampling_ms, history).build()
    finish(mapped)
    if layout.ids is not None:
        renumber(mapped, layout.ids, namespaces.devices)
    space.frozen = True
    return mapped


def _device(plant: Plant, path: str) -> tuple[Device, OpcuaSpec]:
    device = plant.devices.get(path)
    if device is None:
        raise UnknownNameError("device", path, plant.devices)
    if device.interface.opcua is None:
        raise InputError(f"{path}: a {device.interface.type} does not speak OPC UA; leave it out of this endpoint.")
    return device, device.interface.opcua


def alarms_by_key(mapped: Mapped) -> dict[Key, AlarmCondition]:
    """Conditions by their node, and by their ShelvingState, whose methods are about the condition."""
    found: dict[Key, AlarmCondition] = {}
    for condition in mapped.conditions.values():
        shelving = mapped.space.child(condition.key, "ShelvingState")
        assert shelving is not None
        found[condition.key] = found[shelving.key] = condition
    return found


class _DeviceNodes:
    """Builds the nodes of one device."""

    def __init__(
        self,
        mapped: Mapped,
        namespaces: Namespaces,
        plant: Plant,
        device: Device,
        spec: OpcuaSpec,
        sampling_ms: float,
        history: bool,
    ) -> None:
        self._mapped, self._space, self._device, self._spec = mapped, mapped.space, device, spec
        self._plant, self._sampling_ms, self._history = plant, sampling_ms, history
        self._namespaces, self._nameplate = namespaces, Nameplate(mapped.space, namespaces)
        self._ns = namespaces.index(spec.namespace)
        self._folders: dict[str, _Name] = {}

    def build(self) -> None:
        """Type, object, nameplate, and a variable per tag."""
        kind, path = (self._ns, self._spec.type_name), self._device.path
        self._enumerations()
        if self._space.get(kind) is None:
            self._type(kind)
        top = self._folders[""] = self._ours((self._ns, path))
        where = entry_point(self._space, self._namespaces, self._spec.folder)
        add_object(self._space, top, (self._ns, path), where, self._device.interface.title, type_=kind)
        identification = (self._ns, f"{path}/{IDENTIFICATION}")
        self._nameplate.add(identification, top, self._spec.folder, self._device, self._ours)
        for place, name in self._spec.nodes.items():
            self._variable(place, self._device.tags[name])
        for place, method in self._spec.methods.items():
            folder, _, last = place.rpartition("/")
            key = self._ours((self._ns, f"{path}/{plain_place(place)}"))
            add_method(self._space, key, self._browse(last), self._folder(folder), method)
            self._mapped.calls[key] = method.call
            self._mapped.methods[key] = device_method(self._device, method, self._plant.clock)
        self._nameplate.add_health(self._ours((self._ns, f"{path}/{HEALTH}")), top, self._device)
        if self._spec.events or self._device.interface.alarms:
            self._tells(top, kind)

    def _browse(self, name: str) -> tuple[int, str]:
        return self._namespaces.browse_name(name, self._ns)

    def _enumerations(self) -> None:
        """The DataTypes of the device's enumerations."""
        for name, data_type in self._spec.enumerations.items():
            key = self._data_type(name)
            assert key is not None
            if self._space.get(key) is None:
                add_enumeration(self._space, key, self._browse(data_type), self._device.tags[name].labels)

    def _data_type(self, tag: str) -> _Name | None:
        data_type = self._spec.enumerations.get(tag)
        return (self._ns, plain_place(data_type)) if data_type is not None else None

    def _type(self, kind: _Name) -> None:
        """The ObjectType with the same folders, variables and methods as its devices (OPC 10000-3 §6.3.3, §6.4)."""
        node = add_object_type(self._space, kind, kind)
        node.display = self._device.interface.title
        node.attributes[nodes.DESCRIPTION] = self._device.interface.about
        self._nameplate.add((self._ns, f"{kind[1]}/{IDENTIFICATION}"), kind, self._spec.folder, None, lambda key: key)
        for place, name in self._spec.nodes.items():
            tag, key = self._device.tags[name], (self._ns, f"{kind[1]}/{plain_place(place)}")
            folder, _, last = place.rpartition("/")
            about = self._device.interface.tags[name].about
            parent = self._declared(kind, folder)
            TagVariable(self._space, tag, self._data_type(name)).add(key, self._browse(last), parent, about)
        for place, method in self._spec.methods.items():
            folder, _, last = place.rpartition("/")
            key = (self._ns, f"{kind[1]}/{plain_place(place)}")
            declare(add_method(self._space, key, self._browse(last), self._declared(kind, folder), method))
        self._nameplate.add_health((self._ns, f"{kind[1]}/{HEALTH}"), kind, None)

    def _declared(self, kind: _Name, folder: str) -> _Name:
        """A folder of the type."""
        if not folder:
            return kind
        key = (self._ns, f"{kind[1]}/{plain_place(folder)}")
        if self._space.get(key) is None:
            above, _, last = folder.rpartition("/")
            declare(add_object(self._space, key, self._browse(last), self._declared(kind, above), type_=FOLDER))
        return key

    def _tells(self, top: _Name, kind: _Name) -> None:
        """Make the device a notifier of its events and alarms (OPC 10000-3 §7.15, §7.16, OPC 10000-9 §4.9)."""
        path = self._device.path
        self._space.edit(top).attributes[nodes.EVENT_NOTIFIER] = SUBSCRIBE_TO_EVENTS | (
            EVENT_HISTORY if self._history else 0
        )
        self._space.link(SERVER, HAS_NOTIFIER, top)
        for name, spec in self._spec.events.items():
            key = (self._ns, f"{name}EventType")
            if self._space.get(key) is None:
                add_event_type(self._space, key, spec)
                self._space.edit(kind).references += ((GENERATES_EVENT, True, key),)
            self._mapped.event_types[path, name] = EventType(key, top, spec)
        for name, alarm_spec in self._device.interface.alarms.items():
            self._alarm(top, self._plant.alarms[f"{path}.{name}"], alarm_spec.title)

    def _alarm(self, top: _Name, alarm: Alarm, title: Text) -> None:
        variable = (self._ns, alarm.tag.path)
        source = variable if self._space.get(variable) is not None else top
        browse = "".join(part.capitalize() for part in alarm.name.split("_"))
        key = self._ours((self._ns, f"{self._device.path}/Alarms/{browse}"))
        named = (source, alarm.tag.path if source is variable else self._device.path)
        condition = AlarmCondition(alarm, key, browse, named, self._mapped.ids, self._mapped.filetime)
        add_object(self._space, key, (self._ns, browse), self._folder("Alarms"), title, type_=condition.type)
        add_children(self._space, key, condition.optional(), condition.reader)
        self._space.link(source, HAS_CONDITION, key)
        if source is variable:
            self._space.link(top, HAS_EVENT_SOURCE, variable)
        self._mapped.conditions[alarm.path] = condition

    def _ours(self, key: _Name) -> _Name:
        self._mapped.devices[key] = self._device.path
        return key

    def _folder(self, place: str) -> _Name:
        plain = plain_place(place)
        key = self._folders.get(plain)
        if key is None:
            above, _, last = place.rpartition("/")
            parent = self._folder(above)
            key = self._folders[plain] = self._ours((self._ns, f"{self._device.path}/{plain}"))
            add_object(self._space, key, self._browse(last), parent, type_=FOLDER)
        return key

    def _variable(self, place: str, tag: Tag) -> None:
        folder, _, last = place.rpartition("/")
        parent, key = self._folder(folder), self._ours((self._ns, tag.path))
        if self._space.get(key) is not None:  # one tag at two places is one node
            self._space.link(parent, HAS_COMPONENT, key)
            return
        store, row = self._device.store, tag.row
        variable = TagVariable(self._space, tag, self._data_type(tag.name))
        node = variable.add(
            key, self._browse(last), parent, self._device.interface.tags[tag.name].about,
            sampling_ms=self._sampling_ms, value=lambda: int(store.read(row)),
        )  # fmt: skip
        for name in variable.properties:
            self._ours((self._ns, f"{key[1]}/{name}"))
        if self._history:
            historize(node)
        self._mapped.tags[key] = tag
