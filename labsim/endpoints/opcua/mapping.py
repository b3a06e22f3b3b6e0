"""Devices as nodes: what an ``interface.yaml`` says about OPC UA, laid over the standard address space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.alarms import AlarmCondition, EventIds
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import (
    BASE_VARIABLE,
    FOLDER,
    add_object,
    add_object_type,
    add_property,
    add_variable,
)
from labsim.endpoints.opcua.core.capabilities import OBJECTS, SERVER, hide_unserved
from labsim.endpoints.opcua.core.condition import HAS_CONDITION
from labsim.endpoints.opcua.core.event import (
    EVENT_HISTORY,
    GENERATES_EVENT,
    HAS_EVENT_SOURCE,
    HAS_NOTIFIER,
    SUBSCRIBE_TO_EVENTS,
)
from labsim.endpoints.opcua.core.instance import add_children
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, ORGANIZES, Space
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.events import EventType, EventView, add_event_type
from labsim.endpoints.opcua.history import add_history, historize
from labsim.endpoints.opcua.live import BUILTIN, LiveValues
from labsim.endpoints.opcua.methods import add_method, device_method
from labsim.errors import InputError, UnknownNameError
from labsim.plant.alarms import Alarm
from labsim.plant.clock import STEP_NS
from labsim.plant.device import Device
from labsim.plant.interface import OpcuaSpec
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag
from labsim.text import Text
from labsim.units import NAMESPACE, Unit

VT = ua.VariantType
_STRING, _LOCALIZED_TEXT, _RANGE, _EU_INFORMATION, _ENUM_VALUE = 12, 21, 884, 887, 7594
_ANALOG_ITEM, _ANALOG_UNIT, _ANALOG_UNIT_RANGE = 2368, 17497, 17570
_MULTI_STATE, _MULTI_STATE_VALUE = 2376, 11238
_OWN, _FIRST_DEVICE_NAMESPACE = 1, 2
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
    finish: Callable[[Mapped], None] = lambda _mapped: None,
) -> Mapped:
    """Nodes of the devices at ``paths``.

    ``uri`` sets EventIds apart, ``history`` says that it can be read, ``finish`` has the last word before all is frozen.

    Raises:
        UnknownNameError: the plant has no such device.
        InputError: a device does not speak OPC UA.
    """
    space = Space(standard_space())
    hide_unserved(space)
    origin = LiveValues(plant).origin
    mapped = Mapped(space, ids=EventIds(uri), filetime=lambda t_ns: t_ns // 100 + origin)
    if history:
        add_history(space)
    sampling_ms = STEP_NS / 1e6 / plant.clock.speed  # a value cannot change more often than the plant steps
    for path in dict.fromkeys(paths):
        device = plant.devices.get(path)
        if device is None:
            raise UnknownNameError("device", path, plant.devices)
        if device.interface.opcua is None:
            raise InputError(f"{path}: a {device.interface.type} does not speak OPC UA; leave it out of this endpoint.")
        _DeviceNodes(mapped, plant, device, device.interface.opcua, sampling_ms, history).build()
    finish(mapped)
    space.frozen = True
    return mapped


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
        self, mapped: Mapped, plant: Plant, device: Device, spec: OpcuaSpec, sampling_ms: float, history: bool
    ) -> None:
        self._mapped, self._space, self._device, self._spec = mapped, mapped.space, device, spec
        self._plant, self._sampling_ms, self._history = plant, sampling_ms, history
        if spec.namespace not in mapped.namespaces:
            mapped.namespaces.append(spec.namespace)
        self._ns = mapped.namespaces.index(spec.namespace) + _FIRST_DEVICE_NAMESPACE
        self._folders: dict[tuple[str, ...], _Name] = {}

    def build(self) -> None:
        """Type, object, nameplate, and a variable per tag."""
        kind, where = (self._ns, self._spec.type_name), (_OWN, self._spec.folder)
        if self._space.get(kind) is None:
            add_object_type(self._space, kind, kind)
        if self._space.get(where) is None:
            add_object(self._space, where, where, OBJECTS, type_=FOLDER, kind=ORGANIZES)
        path = self._device.path
        top = self._folders[()] = self._ours((self._ns, path))
        add_object(self._space, top, (self._ns, path), where, self._device.interface.title, type_=kind)
        self._nameplate()
        for shown, name in self._spec.nodes.items():
            *folders, last = shown.split("/")
            self._variable(self._folder(tuple(folders)), last, self._device.tags[name])
        for shown, method in self._spec.methods.items():
            *folders, last = shown.split("/")
            key = self._ours((self._ns, f"{path}/{shown}"))
            add_method(self._space, key, last, self._folder(tuple(folders)), method)
            self._mapped.calls[key] = method.call
            self._mapped.methods[key] = device_method(self._device, method, self._plant.clock)
        if self._spec.events or self._device.interface.alarms:
            self._tells(top, kind)

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
        add_object(self._space, key, (self._ns, browse), self._folder(("Alarms",)), title, type_=condition.type)
        add_children(self._space, key, condition.optional(), condition.reader)
        self._space.link(source, HAS_CONDITION, key)
        if source is variable:
            self._space.link(top, HAS_EVENT_SOURCE, variable)
        self._mapped.conditions[alarm.path] = condition

    def _ours(self, key: _Name) -> _Name:
        self._mapped.devices[key] = self._device.path
        return key

    def _folder(self, parts: tuple[str, ...]) -> _Name:
        key = self._folders.get(parts)
        if key is None:
            parent = self._folder(parts[:-1])
            key = self._folders[parts] = self._ours((self._ns, f"{self._device.path}/{'/'.join(parts)}"))
            add_object(self._space, key, (self._ns, parts[-1]), parent, type_=FOLDER)
        return key

    def _nameplate(self) -> None:
        plate, folder = self._device.interface.identification, self._folder(("Identification",))
        for name, value in (("Manufacturer", plate.manufacturer), ("Model", plate.model)):
            self._property(
                folder, name, _LOCALIZED_TEXT, ua.Variant(ua.LocalizedText(value), VT.LocalizedText), self._ns
            )
        for name, value in (("SerialNumber", self._device.serial), ("SoftwareRevision", plate.revision)):
            self._property(folder, name, _STRING, ua.Variant(value, VT.String), self._ns)

    def _variable(self, folder: _Name, name: str, tag: Tag) -> None:
        key = self._ours((self._ns, tag.path))
        if self._space.get(key) is not None:  # one tag at two places is one node
            self._space.link(folder, HAS_COMPONENT, key)
            return
        node = add_variable(
            self._space, key, (self._ns, name), folder, BUILTIN[tag.type], tag.title, row=tag.row,
            description=self._device.interface.tags[tag.name].about, writable=tag.writable,
            sampling_ms=self._sampling_ms, type_=_variable_type(tag),
        )  # fmt: skip
        if self._history:
            historize(node)
        self._mapped.tags[key] = tag
        self._range_and_unit(key, tag)
        if tag.labels:
            self._labels(key, tag)

    def _property(
        self, parent: _Name, name: str, data_type: Key, value: Any, namespace: int = 0, rank: int = -1
    ) -> None:
        key = self._ours((self._ns, f"{parent[1]}/{name}"))
        add_property(self._space, key, (namespace, name), parent, data_type, value, rank=rank)

    def _range_and_unit(self, key: _Name, tag: Tag) -> None:
        """EURange and EngineeringUnits (OPC 10000-8 §5.3.2, §5.6.2, §5.6.3)."""
        if tag.low is not None and tag.high is not None:
            self._property(key, "EURange", _RANGE, ua.Variant(ua.Range(tag.low, tag.high), VT.ExtensionObject))
        if tag.unit is not None:
            self._property(key, "EngineeringUnits", _EU_INFORMATION, ua.Variant(_unit(tag.unit), VT.ExtensionObject))

    def _labels(self, key: _Name, tag: Tag) -> None:
        """EnumStrings, or EnumValues with ValueAsText (OPC 10000-8 §5.3.3.3, §5.3.3.4)."""
        labels: Mapping[int, Mapping[str, str]] = tag.labels
        if _variable_type(tag) == _MULTI_STATE:
            strings = [labels[number] for number in sorted(labels)]

            def enum_strings(locales: Locales) -> Any:
                return ua.Variant([localize(text, locales) for text in strings], VT.LocalizedText, is_array=True)

            self._property(key, "EnumStrings", _LOCALIZED_TEXT, enum_strings, rank=1)
            return

        def enum_values(locales: Locales) -> Any:
            named = [(number, localize(text, locales)) for number, text in sorted(labels.items())]
            found = [ua.EnumValueType(number, text, ua.LocalizedText()) for number, text in named]
            return ua.Variant(found, VT.ExtensionObject, is_array=True)

        store = self._device.store

        def value_as_text(locales: Locales) -> Any:
            label = labels.get(int(store.read(tag.row)))
            return ua.Variant(localize(label, locales) if label else ua.LocalizedText(), VT.LocalizedText)

        self._property(key, "EnumValues", _ENUM_VALUE, enum_values, rank=1)
        self._property(key, "ValueAsText", _LOCALIZED_TEXT, value_as_text)


def _variable_type(tag: Tag) -> int:
    """The VariableType that says what the tag has (OPC 10000-8 §5.3)."""
    if tag.labels:
        unsigned = tag.type[0] == "u"
        return _MULTI_STATE if unsigned and sorted(tag.labels) == list(range(len(tag.labels))) else _MULTI_STATE_VALUE
    ranged = tag.low is not None and tag.high is not None
    if ranged:
        return _ANALOG_UNIT_RANGE if tag.unit is not None else _ANALOG_ITEM
    return _ANALOG_UNIT if tag.unit is not None else BASE_VARIABLE


def _unit(unit: Unit) -> Any:
    return ua.EUInformation(NAMESPACE, unit.unit_id, ua.LocalizedText(unit.symbol), ua.LocalizedText(unit.name, "en"))
