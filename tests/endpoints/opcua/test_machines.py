"""State machines made of a tag: Machinery's two, PackML's three in one another, and one of the device's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from asyncua import Client, ua

import devices
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.mapping import map_devices
from labsim.endpoints.opcua.renumber import NodeIds
from labsim.evidence.event import Event
from labsim.evidence.history import Series
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant

MACHINERY, PACKML = "http://opcfoundation.org/UA/Machinery/", "http://opcfoundation.org/UA/PackML/"
S = ua.StatusCodes


class Recorded:
    """What a recorder would have kept of one tag."""

    def __init__(self, values: list[float], times_s: list[float]) -> None:
        self._values, self._times = values, times_s

    def whole(self, _path: str) -> Series:
        """All of it."""
        times = (np.array(self._times) * 1e9).astype(np.int64)
        return Series(times, np.array(self._values), np.zeros(len(self._values), np.uint32))


STATES = {
    1: "Clearing", 2: "Stopped", 3: "Starting", 4: "Idle", 5: "Suspended", 6: "Execute", 7: "Stopping", 8: "Aborting",
    9: "Aborted", 10: "Holding", 11: "Held", 12: "Unholding", 13: "Suspending", 14: "Unsuspending", 15: "Resetting",
    16: "Completing", 17: "Complete",
}  # fmt: skip
COMMANDS = ("Abort", "Clear", "Stop", "Reset", "Start", "Hold", "Unhold", "Suspend", "Unsuspend", "ToComplete")
PACKER: dict[str, Any] = {
    "type": "packer",
    "title": "Packer",
    "about": "A machine with a PackML state.",
    "identification": {"manufacturer": "Acme", "model": "P 1", "revision": "1", "serial": "P-{number:08d}"},
    "tags": {
        "state_current": {"type": "u8", "initial": 2, "title": "State", "labels": STATES},
        "door": {
            "type": "u8",
            "title": "Door",
            "labels": {
                0: {"en": "Wide open", "zh-Hant": "大開", "zh-Hans": "大开"},
                1: {"en": "Shut", "zh-Hant": "關閉", "zh-Hans": "关闭"},
            },
        },
    },
    "opcua": {
        "namespace": "urn:test:packer",
        "type_name": "PackerType",
        "folder": "Machines",
        "base": "packml:PackMLBaseObjectType",
        "nodes": {"packml:Status/packml:StateCurrent": "state_current"},
        "types": {"packml:Status": "packml:PackMLStatusObjectType"},
        "states": {
            "packml:BaseStateMachine": {
                "tag": "state_current",
                "type": "packml:PackMLBaseStateMachineType",
                "calls": {name: name.lower() for name in COMMANDS},
            },
            "Guards/Door": {"tag": "door"},
        },
    },
}


class Packer(Device):
    """Remembers what it was asked to do."""

    def call(self, name: str, arguments: Any) -> tuple[int, Any]:
        """A command."""
        self.asked = (name, list(arguments))
        return 0, ()


@pytest.fixture
def plant() -> Plant:
    """A packer and a mill."""
    plant = Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))
    plant.add("packer1", DeviceType(Interface.model_validate(PACKER), Packer))
    plant.add("mill1", devices.load("cnc-mill"))
    plant.start()
    return plant


async def find(client: Client, *path: str) -> Any:
    """A node below Objects; each name is ``namespace URI|name``, or a name of namespace 0."""
    node = client.nodes.objects
    for part in path:
        uri, bar, name = part.rpartition("|")
        index = await client.get_namespace_index(uri) if bar else 0
        node = await node.get_child(ua.QualifiedName(name, index))
    return node


async def state(machine: Any) -> tuple[Any, int | None, int]:
    """Text, Number and status of CurrentState."""
    current = await machine.get_child("0:CurrentState")
    data = await current.read_data_value(raise_on_bad_status=False)
    number = await (await current.get_child("0:Number")).read_data_value(raise_on_bad_status=False)
    return data.Value.Value.Text if data.Value.Value else None, number.Value.Value, data.StatusCode.value


MACHINE = (f"{PACKML}|PackMLObjects", "urn:test:packer|packer1", f"{PACKML}|BaseStateMachine")


async def test_packml_spreads_one_state_over_three_machines(plant: Plant) -> None:
    """For every state a client reads three CurrentState variables, as OPC 30050 has it; an inner one may be in none."""
    device = plant.devices["packer1"]
    async with (
        OpcuaEndpoint(plant, ["packer1"], lambda _event: None) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        machine = await find(client, *MACHINE)
        inner = await find(client, *MACHINE, f"{PACKML}|MachineState")
        execute = await find(client, *MACHINE, f"{PACKML}|MachineState", f"{PACKML}|ExecuteState")
        none = (None, None, int(S.BadStateNotActive))
        for number, name in STATES.items():
            device["state_current"] = number
            outermost = number in (8, 9)
            middle = number in (1, 2, 7)
            assert await state(machine) == ((name, number, 0) if outermost else ("Cleared", 19, 0))
            assert await state(inner) == (none if outermost else (name, number, 0) if middle else ("Running", 18, 0))
            assert await state(execute) == (none if outermost or middle else (name, number, 0))


async def test_the_id_of_a_state_is_its_node_in_the_type(plant: Plant) -> None:
    """It has the number of the published model, a StateNumber, and stands among AvailableStates."""
    plant.devices["packer1"]["state_current"] = 6
    async with (
        OpcuaEndpoint(plant, ["packer1"], lambda _event: None) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        index = await client.get_namespace_index(PACKML)
        execute = await find(client, *MACHINE, f"{PACKML}|MachineState", f"{PACKML}|ExecuteState")
        identifier = await (await execute.get_child(["0:CurrentState", "0:Id"])).read_value()
        assert identifier == ua.NodeId(36, index)
        assert (await client.get_node(identifier).read_browse_name()) == ua.QualifiedName("Execute", index)
        assert await (await client.get_node(identifier).get_child("0:StateNumber")).read_value() == 6
        assert (await execute.read_type_definition()) == ua.NodeId(1, index)
        assert identifier in await (await execute.get_child("0:AvailableStates")).read_value()
        ways = await (await execute.get_child("0:AvailableTransitions")).read_value()
        names = {(await client.get_node(one).read_browse_name()).Name for one in ways}
        assert names == {"ExecuteToSuspending", "ExecuteToHolding", "ExecuteToCompleting"}


async def test_commands_are_what_the_device_is_asked(plant: Plant) -> None:
    """Each stands in its machine; Start takes parameters as a list of structures, which reach the device as mappings."""
    device, events = plant.devices["packer1"], list[Event]()
    assert isinstance(device, Packer)
    async with (
        OpcuaEndpoint(plant, ["packer1"], events.append, anonymous="Operator") as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        index = await client.get_namespace_index(PACKML)
        machines = {
            "Abort": MACHINE, "Clear": MACHINE, "Stop": (*MACHINE, f"{PACKML}|MachineState"),
            "Reset": (*MACHINE, f"{PACKML}|MachineState"),
        }  # fmt: skip
        deepest = (*MACHINE, f"{PACKML}|MachineState", f"{PACKML}|ExecuteState")
        for name in COMMANDS:
            machine = await find(client, *machines.get(name, deepest))
            given = [ua.Variant([], ua.VariantType.ExtensionObject, is_array=True)] if name == "Start" else []
            await machine.call_method(ua.QualifiedName(name, index), *given)
            assert device.asked == (name.lower(), [[]] if name == "Start" else [])
    assert [event.detail["name"] for event in events if event.kind == "call"] == [name.lower() for name in COMMANDS]


async def test_a_machine_of_the_devices_own(plant: Plant) -> None:
    """Its states are the labels, in the session's language; a client that reads it has read the tag."""
    events: list[Event] = []
    async with (
        OpcuaEndpoint(plant, ["packer1"], events.append) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        door = await find(
            client, f"{MACHINERY}|Machines", *(f"urn:test:packer|{x}" for x in ("packer1", "Guards", "Door"))
        )
        assert await state(door) == ("Wide open", 0, 0)
        kind = client.get_node(await door.read_type_definition())
        assert (await kind.read_browse_name()).Name == "DoorStateMachineType"
        assert (await kind.get_parent()).nodeid.Identifier == 2771
        identifier = await (await door.get_child(["0:CurrentState", "0:Id"])).read_value()
        assert (await client.get_node(identifier).read_browse_name()).Name == "WideOpen"
    read = next(event for event in events if event.kind == "read" and event.tags)
    assert (read.tags, read.values) == (["packer1.door"], [0])


async def test_the_mills_building_blocks(plant: Plant) -> None:
    """MachineryItemState and MachineryOperationMode are state machines of the types and numbers of OPC 40001-1."""
    async with (
        OpcuaEndpoint(plant, ["mill1"], lambda _event: None, history=Recorded([1, 2, 3], [0, 4, 6])) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        index = await client.get_namespace_index(MACHINERY)
        blocks = (f"{MACHINERY}|Machines", "urn:labsim:cnc-mill|mill1", f"{MACHINERY}|MachineryBuildingBlocks")
        item = await find(client, *blocks, f"{MACHINERY}|MachineryItemState")
        mode = await find(client, *blocks, f"{MACHINERY}|MachineryOperationMode")
        assert (await item.read_type_definition(), await mode.read_type_definition()) == (
            ua.NodeId(1002, index), ua.NodeId(1008, index),
        )  # fmt: skip
        assert await state(mode) == ("Processing", 3, 0)
        last = await item.get_child("0:LastTransition")
        assert (await last.read_value()).Text == "FromNotExecutingToExecuting"
        found = {
            name: await (await last.get_child(f"0:{name}")).read_value() for name in ("Id", "Number", "TransitionTime")
        }
        assert found["Id"] == ua.NodeId(5018, index)
        assert found["Number"] == 11
        assert found["TransitionTime"].timestamp() == pytest.approx(1_700_000_006)
        (target,) = await client.get_node(found["Id"]).get_referenced_nodes(ua.ObjectIds.ToState)
        assert (await target.read_browse_name()).Name == "Executing"


async def test_a_changed_state_reaches_a_subscriber(plant: Plant) -> None:
    """CurrentState can be watched as any other variable."""
    import asyncio

    seen: asyncio.Queue[str] = asyncio.Queue()

    class Handler:
        """Keeps texts."""

        def datachange_notification(self, _node: Any, value: Any, _data: Any) -> None:
            """One more."""
            seen.put_nowait(value.Text)

    async with (
        OpcuaEndpoint(plant, ["packer1"], lambda _event: None) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        machine = await find(client, *MACHINE, f"{PACKML}|MachineState")
        subscription = await client.create_subscription(50, Handler())
        await subscription.subscribe_data_change(await machine.get_child("0:CurrentState"))
        assert await asyncio.wait_for(seen.get(), 5) == "Stopped"
        plant.devices["packer1"]["state_current"] = 6
        assert await asyncio.wait_for(seen.get(), 5) == "Running"


@pytest.mark.parametrize("kind", ["numeric", "guid"])
def test_states_follow_drawn_node_ids(plant: Plant, kind: Any) -> None:
    """What CurrentState/Id names is a state that is there, whatever node ids the seat has."""
    mapped = map_devices(plant, ["packer1"], layout=Layout(ids=NodeIds(kind, "a")))
    found = []
    for key, tags in mapped.template.sources.items():
        node = mapped.space[key]
        if node.browse.Name == "Id" and tags[0].name == "door":
            state = mapped.space[key_of(node.constant((), mapped.seat).value.Value)]
            found.append((state.browse.Name, state.type_definition))
    assert found == [("WideOpen", 2307)]
