"""One device as nodes: what its ``interface.yaml`` says about OPC UA, laid out as objects, variables, methods and alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labsim.endpoints.opcua.alarms import AlarmCondition, condition_type
from labsim.endpoints.opcua.composed import Composed
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import BASE_OBJECT, FOLDER, add_object, add_object_type
from labsim.endpoints.opcua.core.capabilities import OBJECTS, SERVER
from labsim.endpoints.opcua.core.condition import HAS_CONDITION
from labsim.endpoints.opcua.core.event import (
    EVENT_HISTORY,
    GENERATES_EVENT,
    HAS_EVENT_SOURCE,
    HAS_NOTIFIER,
    SUBSCRIBE_TO_EVENTS,
    Path,
)
from labsim.endpoints.opcua.core.instance import add_children
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, ORGANIZES
from labsim.endpoints.opcua.data_types import DataTypes, add_enumeration
from labsim.endpoints.opcua.events import EventType, add_event_type
from labsim.endpoints.opcua.history import historize
from labsim.endpoints.opcua.machines import MachineNodes
from labsim.endpoints.opcua.methods import DeviceMethod, add_method, arguments_of
from labsim.endpoints.opcua.nameplate import HEALTH, IDENTIFICATION, Nameplate, entry_point
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.seat import Seat
from labsim.endpoints.opcua.template import ConditionNode, Template
from labsim.endpoints.opcua.variables import TagVariable, declare
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.companion import plain_place, split_name
from labsim.plant.companion_states import OBJECT_TYPES, Command
from labsim.plant.device import Device
from labsim.plant.interface import OpcuaSpec
from labsim.plant.signature import MethodSpec
from labsim.plant.tags import Tag

_Name = tuple[int, str]  # a string node id, and a browse name
_PACKML, _PACKML_OBJECTS = "packml:PackMLBaseObjectType", 72


class DeviceNodes:
    """Builds the nodes of one device, and those of its type when they are not there yet.

    Args:
        template: Where.
        namespaces: Indexes of all namespaces.
        device: The device; only what it has in common with others of its type and path is looked at.
        spec: What its interface says about OPC UA.
        sampling_ms: MinimumSamplingInterval of its variables.
        history: What is recorded can be read.
    """

    def __init__(
        self,
        template: Template,
        namespaces: Namespaces,
        device: Device,
        spec: OpcuaSpec,
        sampling_ms: float,
        history: bool,
    ) -> None:
        self._template, self._space, self._device, self._spec = template, template.space, device, spec
        self._sampling_ms, self._history = sampling_ms, history
        self._namespaces, self._nameplate = namespaces, Nameplate(template.space, namespaces)
        self._ns = namespaces.index(spec.namespace)
        self._data_types = DataTypes(template.space, namespaces, self._ns, spec)
        self._object_types = {plain_place(place): type_ for place, type_ in spec.types.items()}
        self._folders: dict[str, _Name] = {}

    def build(self) -> None:
        """Type, object, nameplate, and what is in it."""
        kind, path = (self._ns, self._spec.type_name), self._device.path
        self._enumerations()
        if self._space.get(kind) is None:
            self._type(kind)
        top = self._folders[""] = self._ours((self._ns, path))
        where = entry_point(self._space, self._namespaces, self._spec.folder)
        add_object(self._space, top, (self._ns, path), where, self._device.interface.title, type_=kind)
        if self._spec.base == _PACKML:
            self._space.link(self._packml_objects(), ORGANIZES, top)
        identification = (self._ns, f"{path}/{IDENTIFICATION}")
        self._nameplate.add(identification, top, self._spec.folder, self._device, self._ours)
        self._content(path, self._folder, live=True)
        self._nameplate.add_health(self._ours((self._ns, f"{path}/{HEALTH}")), top, self._device)
        if self._spec.events or self._device.interface.alarms:
            self._tells(top, kind)

    def _packml_objects(self) -> Key:
        """PackMLObjects, where clients look for machines with PackML (OPC 30050 §6.2)."""
        index = self._namespaces.companion("packml")
        key: Key = (index, _PACKML_OBJECTS)
        if self._space.get(key) is None:
            add_object(self._space, key, (index, "PackMLObjects"), OBJECTS, type_=FOLDER, kind=ORGANIZES)
        return key

    def _browse(self, name: str) -> _Name:
        return self._namespaces.browse_name(name, self._ns)

    # ---- types ----

    def _enumerations(self) -> None:
        """The DataTypes of the device's enumerations, and its structures."""
        for name, data_type in self._spec.enumerations.items():
            key = self._data_type(name)
            assert key is not None
            if self._space.get(key) is None:
                add_enumeration(self._space, key, self._browse(data_type), self._device.tags[name].labels)
        for structure in self._spec.structures:
            self._data_types.key(structure)

    def _data_type(self, tag: str) -> _Name | None:
        data_type = self._spec.enumerations.get(tag)
        return (self._ns, plain_place(data_type)) if data_type is not None else None

    def _object_type(self, name: str, above: Key = BASE_OBJECT) -> Key:
        """An ObjectType of a companion specification; a model that is laid beside it may have it already."""
        prefix, plain = split_name(name)
        index = self._namespaces.companion(prefix)
        key: Key = (index, OBJECT_TYPES[name])
        if self._space.get(key) is None:
            add_object_type(self._space, key, (index, plain), above)
        return key

    def _type(self, kind: _Name) -> None:
        """The ObjectType with the same children as its devices (OPC 10000-3 §6.3.3, §6.4)."""
        base = self._object_type(self._spec.base) if self._spec.base is not None else BASE_OBJECT
        node = add_object_type(self._space, kind, kind, base)
        node.display = self._device.interface.title
        node.attributes[nodes.DESCRIPTION] = self._device.interface.about
        self._nameplate.add((self._ns, f"{kind[1]}/{IDENTIFICATION}"), kind, self._spec.folder, None, lambda key: key)
        self._content(kind[1], lambda place: self._declared(kind, place), live=False)
        self._nameplate.add_health((self._ns, f"{kind[1]}/{HEALTH}"), kind, None)

    def _declared(self, kind: _Name, folder: str) -> _Name:
        """A folder of the type."""
        plain = plain_place(folder)
        if not plain:
            return kind
        key = (self._ns, f"{kind[1]}/{plain}")
        if self._space.get(key) is None:
            above, _, last = folder.rpartition("/")
            parent = self._declared(kind, above)
            declare(add_object(self._space, key, self._browse(last), parent, type_=self._folder_type(plain)))
        return key

    def _folder_type(self, plain: str) -> Key:
        named = self._object_types.get(plain)
        return self._object_type(named) if named is not None else FOLDER

    # ---- what a device and its type both have ----

    def _content(self, root: str, folder: Callable[[str], _Name], live: bool) -> None:
        """State machines first, because other things may stand in them."""
        for place in self._spec.states:
            self._machine(place, root, folder, live)
        for place, name in self._spec.nodes.items():
            self._variable(place, self._device.tags[name], root, folder, live)
        for place, spec in self._spec.values.items():
            parent, browse, key = self._place(place, root, folder)
            composed = Composed(self._space, spec, self._data_types.key(spec.structure), self._device.tags)
            node = composed.add(key, browse, parent, sampling_ms=self._sampling_ms, live=live)
            if live:
                self._template.sources[self._ours(key)] = composed.tags
            else:
                declare(node)
        for place, method in self._spec.methods.items():
            parent, browse, key = self._place(place, root, folder)
            self._method(key, browse, parent, method, live)

    def _place(self, place: str, root: str, folder: Callable[[str], _Name]) -> tuple[_Name, _Name, _Name]:
        """Parent, browse name and node of what stands at a place."""
        above, _, last = place.rpartition("/")
        return folder(above), self._browse(last), (self._ns, f"{root}/{plain_place(place)}")

    def _variable(self, place: str, tag: Tag, root: str, folder: Callable[[str], _Name], live: bool) -> None:
        parent, browse, key = self._place(place, root, folder)
        about, data_type = self._device.interface.tags[tag.name].about, self._data_type(tag.name)
        variable = TagVariable(self._space, tag, data_type)
        if not live:
            variable.add(key, browse, parent, about)
            return
        key = self._ours((self._ns, tag.path))
        if self._space.get(key) is not None:  # one tag at two places is one node
            self._space.link(parent, HAS_COMPONENT, key)
            return
        node = variable.add(key, browse, parent, about, sampling_ms=self._sampling_ms, live=True)
        for name in variable.properties:
            self._ours((self._ns, f"{key[1]}/{name}"))
        if self._history:
            historize(node)
        self._template.tags[key] = tag

    def _method(self, key: _Name, browse: _Name, parent: Key, spec: MethodSpec, live: bool) -> None:
        inputs = arguments_of(spec.inputs, self._data_types.key)
        outputs = arguments_of(spec.outputs, self._data_types.key)
        node = add_method(self._space, key, browse, parent, spec, inputs, outputs, self._template.key_now)
        if not live:
            declare(node)
            return
        self._ours(key)
        self._template.calls[key] = spec.call
        self._template.methods[key] = DeviceMethod(self._device.path, spec.call, inputs, outputs)

    def _machine(self, place: str, root: str, folder: Callable[[str], _Name], live: bool) -> None:
        spec = self._spec.states[place]
        parent, browse, key = self._place(place, root, folder)
        tag = self._device.tags[spec.tag]

        def called(machine: _Name, name: _Name, _type: Key, command: str, given: Command) -> None:
            if command in spec.calls:
                method = MethodSpec(call=spec.calls[command], title=given.title, inputs=given.inputs)
                self._method((machine[0], f"{machine[1]}/{command}"), name, machine, method, live)

        def shown(variable: _Name) -> None:
            if live:
                self._template.sources[self._ours(variable)] = (tag,)

        built = MachineNodes(
            self._space, self._namespaces, self._ns, tag, spec.type_at(place), self._template.key_now
        )  # fmt: skip
        machines = built.add(key, browse, parent, history=self._history, live=live, called=called, shown=shown)
        for machine in machines if live else ():
            self._ours(machine)
            self._folders[machine[1].removeprefix(f"{root}/")] = machine

    # ---- the device alone ----

    def _ours(self, key: _Name) -> _Name:
        self._template.devices[key] = self._device.path
        return key

    def _folder(self, place: str) -> _Name:
        plain = plain_place(place)
        key = self._folders.get(plain)
        if key is None:
            above, _, last = place.rpartition("/")
            parent = self._folder(above)
            key = self._folders[plain] = self._ours((self._ns, f"{self._device.path}/{plain}"))
            add_object(self._space, key, self._browse(last), parent, type_=self._folder_type(plain))
        return key

    def _tells(self, top: _Name, kind: _Name) -> None:
        """Make the device a notifier of its events and alarms (OPC 10000-3 §7.17, §7.18, OPC 10000-9 §4.10)."""
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
            self._template.event_types[path, name] = EventType(key, top, spec)
        for name, alarm in self._device.interface.alarms.items():
            self._alarm(top, name, alarm)

    def _alarm(self, top: _Name, name: str, spec: AlarmSpec) -> None:
        path, tag = self._device.path, self._device.tags[spec.tag]
        variable = (self._ns, tag.path)
        source = variable if self._space.get(variable) is not None else top
        browse = "".join(part.capitalize() for part in name.split("_"))
        key = self._ours((self._ns, f"{path}/Alarms/{browse}"))
        kind, full = condition_type(spec), f"{path}.{name}"

        def reader(where: Path) -> Callable[[Locales, Seat], Any]:
            return lambda locales, seat: seat.conditions[full].value(where, locales)

        add_object(self._space, key, (self._ns, browse), self._folder("Alarms"), spec.title, type_=kind)
        add_children(self._space, key, AlarmCondition.optional(spec), reader)
        self._space.link(source, HAS_CONDITION, key)
        if source is variable:
            self._space.link(top, HAS_EVENT_SOURCE, variable)
        named = tag.path if source is variable else path
        self._template.conditions[full] = ConditionNode(key, browse, source, named)
