"""The information model: types with their declarations, companion names, identification, node ids of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

import devices
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, ORGANIZES, Node, Space
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.mapping import Mapped, map_devices
from labsim.endpoints.opcua.renumber import NodeIds
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.status import BAD_NO_COMMUNICATION, UNCERTAIN_LAST_USABLE_VALUE

DI, MACHINERY = "http://opcfoundation.org/UA/DI/", "http://opcfoundation.org/UA/Machinery/"
MACHINE_TOOL = "http://opcfoundation.org/UA/MachineTool/"


def lay_out(plant: Plant, change: dict[str, Any], path: str = "cell1") -> None:
    """Add a small device whose interface differs in some keys."""
    text = {"en": "Mode", "zh-Hant": "模式", "zh-Hans": "模式"}
    interface = {
        "type": "cell",
        "title": text,
        "about": "A cell.",
        "identification": {"manufacturer": "Acme", "model": "C 1", "revision": "2.4", "serial": "C-{number:08d}"},
        "tags": {
            "mode": {"type": "u8", "title": text, "labels": {0: "Manual", 1: "Automatic mode"}},
            "code": {"type": "u16", "title": "Code", "labels": {10: "None", 20: "High"}},
            "force": {"type": "f64", "unit": "kN", "range": [0, 10], "title": "Force", "about": text},
        },
        "opcua": {
            "namespace": "urn:test:cell",
            "type_name": "CellType",
            "folder": "DeviceSet",
            "nodes": {
                "machinetool:Monitoring/machinetool:MachineTool/machinetool:OperationMode": "mode",
                "machinetool:Monitoring/Code": "code",
                "machinetool:Monitoring/Force": "force",
            },
            "enumerations": {"mode": "machinetool:MachineOperationMode"},
            **change,
        },
    }
    plant.add(path, DeviceType(Interface.model_validate(interface), Device), {})


@pytest.fixture
def plant() -> Plant:
    """An empty plant."""
    return Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))


class Unread:
    """A history that nobody asks."""

    def whole(self, path: str) -> Any:
        """Nothing."""
        raise AssertionError(path)


def step(mapped: Mapped, start: Key, *path: str) -> Node:
    """The node at the end of a path of ``index:name`` elements."""
    key = start
    for part in path:
        index, _, name = part.partition(":")
        node = mapped.space[key]
        below = [mapped.space[target] for target in node.targets((HAS_COMPONENT, HAS_PROPERTY, ORGANIZES))]
        key = next(one.key for one in below if (one.browse.NamespaceIndex, one.browse.Name) == (int(index), name))
    return mapped.space[key]


def shape(space: Space, key: Key) -> dict[Any, Any]:
    """Browse names, classes and data types of all below a node."""
    found = {}
    for target in space[key].targets((HAS_COMPONENT, HAS_PROPERTY)):
        node = space[target]
        data_type = node.attributes.get(nodes.DATA_TYPE_ID)
        facts = (node.cls, node.type_definition, key_of(data_type) if data_type is not None else None)
        found[node.browse.NamespaceIndex, node.browse.Name] = (facts, shape(space, target))
    return found


@pytest.mark.parametrize("kind", sorted(devices.names()))
def test_a_type_declares_what_its_devices_have(plant: Plant, kind: str) -> None:
    """Same names, classes, types and data types, each with the modelling rule Mandatory; alarms are the device's own."""
    if devices.interface(kind).opcua is None:
        pytest.skip("not on OPC UA")
    plant.add("one1", devices.load(kind), {})
    mapped = map_devices(plant, ["one1"])
    top = mapped.space[2, "one1"]
    assert top.type_definition is not None
    device, declared = shape(mapped.space, top.key), shape(mapped.space, top.type_definition)
    device.pop((2, "Alarms"), None)
    assert device == declared
    for target in mapped.space[top.type_definition].targets((HAS_COMPONENT,)):
        assert list(mapped.space[target].targets((nodes.MODELLING_RULE,))) in ([78], [80])


def test_names_with_a_prefix_are_the_companions(plant: Plant) -> None:
    """Their namespace is there by its URI; what has no prefix is in the device's own; node ids stay speaking."""
    lay_out(plant, {})
    mapped = map_devices(plant, ["cell1"])
    assert mapped.namespaces == ["urn:test:cell", DI, MACHINE_TOOL]
    node = step(mapped, 85, "3:DeviceSet", "2:cell1", "4:Monitoring", "4:MachineTool", "4:OperationMode")
    assert node.key == (2, "cell1.mode")
    assert step(mapped, (2, "cell1"), "4:Monitoring", "2:Force").key == (2, "cell1.force")
    assert mapped.space[3, 5001].browse.Name == "DeviceSet"


def test_an_enumeration_is_a_data_type(plant: Plant) -> None:
    """Its names stand on the DataType, and the variable is an Int32 of it."""
    lay_out(plant, {})
    mapped = map_devices(plant, ["cell1"])
    data_type = key_of(mapped.space[2, "cell1.mode"].attributes[nodes.DATA_TYPE_ID])
    node = mapped.space[data_type]
    assert (node.browse.NamespaceIndex, node.browse.Name) == (4, "MachineOperationMode")
    assert mapped.space.builtin(data_type) == 6
    fields = node.attributes[nodes.DEFINITION].Fields
    assert [(one.Name, one.Value) for one in fields] == [("Manual", 0), ("AutomaticMode", 1)]
    names = mapped.space.child(data_type, "EnumStrings")
    assert names is not None
    assert [one.Text for one in names.constant(()).Value] == ["Manual", "Automatic mode"]


async def test_an_enumeration_travels_as_int32(plant: Plant) -> None:
    """What a client reads, and what evidence keeps, is the number."""
    from asyncua import Client

    lay_out(plant, {})
    events: list[Event] = []
    async with (
        OpcuaEndpoint(plant, ["cell1"], events.append) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        value = await client.get_node("ns=2;s=cell1.mode").read_data_value()
    assert value.Value is not None
    assert (value.Value.VariantType, value.Value.Value) == (ua.VariantType.Int32, 0)
    (read,) = [event for event in events if event.kind == "read" and event.tags]
    assert (read.tags, read.values) == (["cell1.mode"], [0])


def test_a_device_of_di_has_its_properties_itself(plant: Plant) -> None:
    """The properties of DeviceType are below the device, and in its Identification they are the same nodes."""
    lay_out(plant, {})
    mapped = map_devices(plant, ["cell1"])
    wanted = {
        "Manufacturer", "Model", "SerialNumber", "SoftwareRevision", "HardwareRevision", "DeviceRevision",
        "DeviceManual", "RevisionCounter", "ProductInstanceUri",
    }  # fmt: skip
    own = {mapped.space[key].browse.Name: key for key in mapped.space[2, "cell1"].targets((HAS_PROPERTY,))}
    assert own.keys() == wanted
    for name, key in own.items():
        assert step(mapped, (2, "cell1"), "3:Identification", f"3:{name}").key == key
    assert mapped.space[own["ProductInstanceUri"]].constant((), mapped.seat).Value.startswith("urn:Acme:C%201:C-")


def test_device_health_follows_the_values(plant: Plant) -> None:
    """Bad is FAILURE, uncertain is OFF_SPEC, else NORMAL."""
    lay_out(plant, {})
    mapped = map_devices(plant, ["cell1"])
    health, row = step(mapped, (2, "cell1"), "3:DeviceHealth"), plant.store["cell1.force"].row
    plant.store.status[:] = 0
    assert health.constant((), mapped.seat).Value == 0
    plant.store.status[row] = UNCERTAIN_LAST_USABLE_VALUE
    assert health.constant((), mapped.seat).Value == 3
    plant.store.status[row] = BAD_NO_COMMUNICATION
    assert health.constant((), mapped.seat).Value == 1


@pytest.mark.parametrize("kind", ["numeric", "guid"])
def test_other_node_ids_leave_the_same_model(plant: Plant, kind: Any) -> None:
    """All names, types and tags are where they were; another seed gives other ids, the same seed the same."""
    plant.add("mill1", devices.load("cnc-mill"), {})
    speaking = map_devices(plant, ["mill1"], history=Unread())
    drawn = map_devices(plant, ["mill1"], history=Unread(), layout=Layout(ids=NodeIds(kind, "a")))
    (top,) = [key for key, path in drawn.devices.items() if path == "mill1" and drawn.space[key].browse.Name == "mill1"]

    def names(mapped: Mapped, key: Key) -> dict[Any, Any]:
        below = (mapped.space[target] for target in mapped.space[key].targets((HAS_COMPONENT, HAS_PROPERTY)))
        return {(one.browse.NamespaceIndex, one.browse.Name): names(mapped, one.key) for one in below}

    assert names(drawn, top) == names(speaking, (2, "mill1"))
    assert {tag.path for tag in drawn.tags.values()} == {tag.path for tag in speaking.tags.values()}
    assert not any(isinstance(key, tuple) and key[0] == 2 and isinstance(key[1], str) for key in drawn.space.own_keys())
    again = map_devices(plant, ["mill1"], history=Unread(), layout=Layout(ids=NodeIds(kind, "a")))
    other = map_devices(plant, ["mill1"], history=Unread(), layout=Layout(ids=NodeIds(kind, "b")))
    assert list(again.tags) == list(drawn.tags)
    assert set(other.tags).isdisjoint(drawn.tags)
    for key, condition in drawn.conditions.items():
        assert drawn.space[condition.key].browse.Name, key
        assert drawn.space.get(condition.source) is not None


def test_the_order_of_namespaces_is_drawn(plant: Plant) -> None:
    """A client that counts instead of asking finds another namespace in another seat."""
    lay_out(plant, {})
    orders = {tuple(map_devices(plant, ["cell1"], layout=Layout(str(seed + 1))).namespaces) for seed in range(20)}
    assert len(orders) > 1
    assert all(set(order) == {"urn:test:cell", DI, MACHINE_TOOL} for order in orders)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"nodes": {"machinetol:Mode": "mode"}, "enumerations": {}}, "machinetol"),
        ({"enumerations": {"force": "ForceType"}}, "no labels"),
        ({"enumerations": {"mod": "ModeType"}}, "mod"),
    ],
)
def test_what_an_interface_cannot_ask_for(change: dict[str, Any], word: str) -> None:
    """A companion that is unknown, an enumeration without names or without a tag."""
    from labsim.plant.rules import conflicts

    plant = Plant(7, SimClock(utc_ns=0))
    lay_out(plant, change | ({"enumerations": {}} if "mod" in change.get("enumerations", {}) else {}))
    interface = plant.devices["cell1"].interface
    assert interface.opcua is not None
    changed = interface.model_copy(update={"opcua": interface.opcua.model_copy(update=change)})
    assert any(word in conflict.message for conflict in conflicts(changed))
