"""Structures: DataTypes with definition and encoding, values made of tags, arguments of methods, job control."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncua import Client, ua
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.core.structure import Structures
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.layout import Layout
from labsim.endpoints.opcua.mapping import Mapped, map_devices
from labsim.endpoints.opcua.renumber import NodeIds
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.status import BAD_NO_COMMUNICATION

S, VT = ua.StatusCodes, ua.VariantType
ISA95 = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
ORDER = {"type": "isa95:ISA95JobOrderDataType", "title": "Job order"}
COMMENT = {"type": "localized", "array": True, "title": "Comment"}
STATUS = {"ReturnStatus": {"type": "u64", "title": "Status"}}
JOB = {"JobOrderID": {"type": "text", "title": "Job order"}, "Comment": COMMENT}
CELL: dict[str, Any] = {
    "type": "structured-cell",
    "title": "Cell",
    "about": "A cell with structures.",
    "identification": {"manufacturer": "Acme", "model": "C 1", "revision": "1", "serial": "C-{number:08d}"},
    "tags": {
        "number": {"type": "u8", "initial": 4, "title": "Number"},
        "wear": {"type": "f32", "unit": "%", "range": [0, 200], "initial": 12.5, "title": "Wear"},
        "name": {"type": "text", "initial": "End mill", "title": "Name"},
        "count": {"type": "u32", "initial": 7, "title": "Count"},
        "jobs": {"type": "text", "title": "Jobs", "initial": "[]"},
    },
    "opcua": {
        "namespace": "urn:test:structured",
        "type_name": "StructuredCellType",
        "nodes": {"Wear": "wear"},
        "structures": {
            "ToolData": {
                "title": "Tool",
                "fields": {
                    "Number": {"type": "u8", "title": "Number of the tool"},
                    "Name": {"type": "text", "title": "Name"},
                    "Wear": {"type": "f32", "title": "Wear"},
                    "Place": {"type": "ToolPlace", "title": "Where it is"},
                    "Note": {"type": "text", "title": "Note", "optional": True},
                },
            },
            "ToolPlace": {
                "title": "Place",
                "fields": {
                    "Magazine": {"type": "i16", "title": "Magazine"},
                    "Label": {"type": "localized", "title": "Label"},
                },
            },
        },
        "values": {
            "Tools/Active": {
                "structure": "ToolData",
                "title": {"en": "Tool in the spindle", "zh-Hant": "主軸刀具", "zh-Hans": "主轴刀具"},
                "fields": {
                    "Number": "number",
                    "Name": "name",
                    "Wear": "wear",
                    "Place": {"fields": {"Magazine": {"constant": 3}, "Label": {"constant": "left"}}},
                },
            },
            "packml:Admin/packml:ProdProcessedCount": {
                "structure": "packml:PackMLCountDataType",
                "title": "Parts",
                "items": [
                    {
                        "ID": {"constant": 1}, "Name": {"constant": "Bottles"}, "Unit": {"unit": "pcs"},
                        "Count": "count", "AccCount": "count",
                    }
                ],
            },
            "isa95:JobOrderControl/isa95:JobOrderList": {
                "structure": "isa95:ISA95JobOrderAndStateDataType", "title": "Job orders", "json": "jobs", "array": True,
            },
        },
        "types": {"isa95:JobOrderControl": "isa95:ISA95JobOrderReceiverObjectType"},
        "methods": {
            "Tools/Replace": {
                "call": "replace",
                "title": "Replace",
                "inputs": {
                    "Tool": {"type": "ToolData", "title": "The new one"},
                    "Places": {"type": "ToolPlace", "array": True, "title": "Places"},
                },
                "outputs": {"Old": {"type": "ToolData", "title": "The old one"}},
            },
            "isa95:JobOrderControl/isa95:Store": {
                "call": "store", "title": "Store", "inputs": {"JobOrder": ORDER, "Comment": COMMENT}, "outputs": STATUS,
            },
            "isa95:JobOrderControl/isa95:Start": {
                "call": "start_job", "title": "Start", "inputs": JOB, "outputs": STATUS,
            },
        },
    },
}  # fmt: skip


class Cell(Device):
    """Keeps job orders as JSON, and hands its old tool out."""

    def call(self, name: str, arguments: Any) -> tuple[int, Any]:
        """Store a job, or replace the tool."""
        self.asked = (name, list(arguments))
        if name == "replace":
            place = {"Magazine": 9, "Label": {"en": "right", "zh-Hant": "右", "zh-Hans": "右"}}
            return 0, [{"Number": 1, "Name": "Old", "Wear": 99.0, "Place": place, "Note": "worn"}]
        if name == "store":
            state = {"BrowsePath": {"Elements": []}, "StateText": "NotAllowedToStart", "StateNumber": 1}
            self["jobs"] = json.dumps([{"JobOrder": arguments[0], "State": [state]}])
        return 0, [0]


@pytest.fixture
def plant() -> Plant:
    """One cell."""
    plant = Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))
    plant.add("cell1", DeviceType(Interface.model_validate(CELL), Cell))
    plant.start()
    return plant


@pytest.fixture
def events() -> list[Event]:
    """What the sink was given."""
    return []


@pytest.fixture
async def client(plant: Plant, events: list[Event]) -> AsyncIterator[Client]:
    """A client that has read the definitions of the server's structures."""
    async with (
        OpcuaEndpoint(plant, ["cell1"], events.append, anonymous="Operator") as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        await client.load_data_type_definitions()
        yield client


def node(client: Client, name: str) -> Any:
    """A node of the cell."""
    return client.get_node(f"ns=2;s=cell1/{name}")


async def test_a_client_decodes_a_structure_by_its_definition(client: Client) -> None:
    """Fields of tags, constants and a structure in it; what may be left out and is, is not there."""
    found = await node(client, "Tools/Active").read_value()
    assert (found.Number, found.Name, found.Wear, found.Note) == (4, "End mill", 12.5, None)
    assert (found.Place.Magazine, found.Place.Label.Text) == (3, "left")


async def test_a_companion_structure_has_its_published_numbers(client: Client) -> None:
    """PackMLCountDataType is i=14 with the encoding i=69, and its unit is EUInformation."""
    index = await client.get_namespace_index("http://opcfoundation.org/UA/PackML/")
    (found,) = await node(client, "Admin/ProdProcessedCount").read_value()
    assert (found.ID, found.Name, found.Count, found.AccCount) == (1, "Bottles", 7, 7)
    assert (found.Unit.UnitId, found.Unit.DisplayName.Text) == (4732983, "pcs")
    assert (await node(client, "Admin/ProdProcessedCount").read_data_type()) == ua.NodeId(14, index)
    encodings = await client.get_node(ua.NodeId(14, index)).get_referenced_nodes(ua.ObjectIds.HasEncoding)
    assert [(one.nodeid, (await one.read_browse_name()).Name) for one in encodings] == [
        (ua.NodeId(69, index), "Default Binary")
    ]


async def test_a_value_is_its_tags(plant: Plant, client: Client) -> None:
    """It follows them at once; its status is the worst of theirs, and its time that of the last change."""
    active, device = node(client, "Tools/Active"), plant.devices["cell1"]
    plant.advance()
    device["number"] = 5
    found = await active.read_data_value()
    assert found.Value is not None
    assert found.Value.Value.Number == 5
    assert found.SourceTimestamp is not None
    assert found.SourceTimestamp.timestamp() == pytest.approx(1_700_000_000.1)
    device.mark("wear", BAD_NO_COMMUNICATION)
    found = await active.read_data_value(raise_on_bad_status=False)
    assert (found.StatusCode.value, found.Value.Value) == (BAD_NO_COMMUNICATION, None)


async def test_a_reader_of_a_structure_has_read_its_tags(client: Client, events: list[Event]) -> None:
    """Evidence names the tags behind it with the values they had; so does that of a monitored item."""
    await node(client, "Tools/Active").read_value()
    (read,) = [event for event in events if event.kind == "read" and event.tags]
    assert dict(zip(read.tags, read.values, strict=True)) == {
        "cell1.number": 4, "cell1.name": "End mill", "cell1.wear": 12.5,
    }  # fmt: skip
    subscription = await client.create_subscription(100, type("Deaf", (), {"datachange_notification": print})())
    await subscription.subscribe_data_change(node(client, "Tools/Active"))
    (subscribed,) = [event for event in events if event.kind == "subscribe"]
    assert subscribed.tags == ["cell1.number", "cell1.name", "cell1.wear"]


async def test_structures_as_arguments(plant: Plant, client: Client, events: list[Event]) -> None:
    """The device is given mappings and lists, gives such back, and the journal keeps them as they were."""
    device: Any = plant.devices["cell1"]
    place = ua.ToolPlace(Magazine=2, Label=ua.LocalizedText("up"))
    tool = ua.ToolData(Number=8, Name="Drill", Wear=0.5, Place=place, Note="new")
    packed = ua.Variant([place, place], VT.ExtensionObject, is_array=True)
    old = await node(client, "Tools").call_method("2:Replace", tool, packed)
    said = {"Number": 8, "Name": "Drill", "Wear": 0.5, "Place": {"Magazine": 2, "Label": "up"}, "Note": "new"}
    assert device.asked == ("replace", [said, [{"Magazine": 2, "Label": "up"}] * 2])
    assert (old.Number, old.Name, old.Place.Magazine, old.Place.Label.Text, old.Note) == (1, "Old", 9, "right", "worn")
    (call,) = [event for event in events if event.kind == "call"]
    assert call.detail["arguments"] == json.loads(json.dumps(device.asked[1]))
    assert call.detail["results"][0]["Name"] == "Old"


def raw(name: str, body: bytes) -> Any:
    """An encoded structure of the cell in the server's third namespace."""
    return ua.Variant(ua.ExtensionObject(ua.NodeId(f"{name}/Default Binary", 3), body), VT.ExtensionObject)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (ua.Variant(ua.Range(0.0, 1.0), VT.ExtensionObject), S.BadTypeMismatch),
        (ua.Variant(5, VT.Int32), S.BadTypeMismatch),
        (raw("ToolPlace", b"\0\0"), S.BadTypeMismatch),
        (raw("ToolData", b"\0\0"), S.BadDecodingError),
        (raw("ToolData", b"\0" * 900), S.BadDecodingError),
    ],
    ids=["another_structure", "a_number", "its_part", "half_of_it", "too_much"],
)
async def test_a_wrong_structure_is_told(plant: Plant, wrong: Any, code: int) -> None:
    """Each argument has its own result, and the device hears of nothing."""
    further = Plant(7, SimClock())  # its namespace comes first, so that asyncua knows no class for those of the cell
    opcua = {**CELL["opcua"], "namespace": "urn:test:first"}
    further.add("first1", DeviceType(Interface.model_validate({**CELL, "opcua": opcua}), Cell))
    further.add("cell1", DeviceType(plant.devices["cell1"].interface, Cell))
    async with (
        OpcuaEndpoint(further, ["first1", "cell1"], lambda _event: None, anonymous="Operator") as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        asked = ua.CallMethodRequest()
        asked.ObjectId, asked.MethodId = ua.NodeId("cell1/Tools", 3), ua.NodeId("cell1/Tools/Replace", 3)
        asked.InputArguments = [wrong, ua.Variant([], VT.ExtensionObject, is_array=True)]
        (result,) = await client.uaclient.call([asked])
    assert result.StatusCode.value == S.BadInvalidArgument
    assert [one.value for one in result.InputArgumentResults] == [code, 0]
    assert not hasattr(further.devices["cell1"], "asked")


async def test_a_job_order_is_stored(plant: Plant, client: Client) -> None:
    """ISA95JobOrderReceiver's Store takes a whole order; the list of orders shows it again (OPC 10031-4)."""
    device: Any = plant.devices["cell1"]
    index = await client.get_namespace_index(ISA95)
    parameter = ua.ISA95ParameterDataType(ID="Volume", Value=ua.Variant(250.0), Subparameters=[])
    order = ua.ISA95JobOrderDataType(JobOrderID="J-1", JobOrderParameters=[parameter], Priority=3)
    assert await node(client, "JobOrderControl").call_method(
        ua.QualifiedName("Store", index), order, ua.Variant([ua.LocalizedText("go")], VT.LocalizedText, is_array=True)
    ) == 0  # fmt: skip
    wanted = {
        "JobOrderID": "J-1", "Priority": 3,
        "JobOrderParameters": [{"ID": "Volume", "Value": 250.0, "Subparameters": []}],
    }  # fmt: skip
    assert device.asked == ("store", [wanted, ["go"]])
    (shown,) = await node(client, "JobOrderControl/JobOrderList").read_value()
    assert (shown.JobOrder.JobOrderID, shown.JobOrder.Priority) == ("J-1", 3)
    assert shown.JobOrder.JobOrderParameters[0].Value.Value == 250.0
    assert [(one.StateNumber, one.StateText.Text) for one in shown.State] == [(1, "NotAllowedToStart")]
    assert (await node(client, "JobOrderControl").read_type_definition()) == ua.NodeId(1002, index)


async def test_what_is_no_such_structure_is_not_shown(plant: Plant, client: Client) -> None:
    """A device that keeps something else has a bad value, and the server goes on."""
    for text in ('[{"Wrong": 1}]', "{}", "no json", '[{"JobOrder": 5, "State": []}]'):
        plant.devices["cell1"]["jobs"] = text
        found = await node(client, "JobOrderControl/JobOrderList").read_data_value(raise_on_bad_status=False)
        assert found.StatusCode.value == S.BadEncodingError, text


async def test_standard_structures_have_definitions_too(client: Client) -> None:
    """A client that knows no class for Range or EUInformation finds how they are built."""
    found = await client.get_node(ua.ObjectIds.EUInformation).read_data_type_definition()
    assert [(field.Name, field.DataType.Identifier) for field in found.Fields] == [
        ("NamespaceUri", 12), ("UnitId", 6), ("DisplayName", 21), ("Description", 21)
    ]  # fmt: skip
    assert found.DefaultEncodingId == ua.NodeId(ua.ObjectIds.EUInformation_Encoding_DefaultBinary)
    modes = await client.get_node(ua.ObjectIds.MessageSecurityMode).read_data_type_definition()
    assert [(field.Name, field.Value) for field in modes.Fields][1:3] == [("None", 1), ("Sign", 2)]


@pytest.mark.parametrize("kind", ["numeric", "guid"])
def test_definitions_follow_drawn_node_ids(plant: Plant, kind: Any) -> None:
    """Encodings and DataTypes that a definition names are the nodes that are there."""
    mapped = map_devices(plant, ["cell1"], layout=Layout(ids=NodeIds(kind, "a")))
    (tool,) = [key for key in mapped.space.own_keys() if mapped.space[key].browse.Name == "ToolData"]
    definition = mapped.space[tool].attributes[nodes.DEFINITION]
    assert mapped.space[key_of(definition.DefaultEncodingId)].browse.Name == "Default Binary"
    place = next(field for field in definition.Fields if field.Name == "Place")
    assert mapped.space[key_of(place.DataType)].browse.Name == "ToolPlace"
    (method,) = [key for key, name in mapped.calls.items() if name == "replace"]
    inputs = mapped.space.child(method, "InputArguments")
    assert inputs is not None
    assert key_of(inputs.constant((), mapped.seat).Value[0].DataType) == tool


LEAVES = st.fixed_dictionaries(
    {
        "Number": st.integers(0, 255),
        "Name": st.none() | st.text(max_size=20),
        "Wear": st.floats(width=32, allow_nan=False),
        "Place": st.fixed_dictionaries({"Magazine": st.integers(-(2**15), 2**15 - 1), "Label": st.text(max_size=9)}),
    },
    optional={"Note": st.text(max_size=5)},
)


@pytest.fixture(scope="module")
def mapped() -> Mapped:
    """The nodes of a cell."""
    plant = Plant(7, SimClock())
    plant.add("cell1", DeviceType(Interface.model_validate(CELL), Cell))
    return map_devices(plant, ["cell1"])


@given(said=LEAVES)
def test_what_is_packed_is_unpacked(mapped: Mapped, said: dict[str, Any]) -> None:
    """Nothing is lost on the way, and what may be left out stays away."""
    structures = Structures(mapped.space)
    assert structures.unpack((2, "ToolData"), structures.pack((2, "ToolData"), said)) == said


@settings(max_examples=300)
@given(body=st.binary(max_size=60))
@pytest.mark.parametrize("name", ["ToolData", "order"])
def test_no_bytes_break_it(mapped: Mapped, name: str, body: bytes) -> None:
    """Rubbish is a mapping or a Bad code, however deep structures hold themselves."""
    key: Any = (2, "ToolData") if name == "ToolData" else next(
        key for key in mapped.space.own_keys() if mapped.space[key].browse.Name == "ISA95JobOrderDataType"
    )  # fmt: skip
    encoding = mapped.space[key].attributes[nodes.DEFINITION].DefaultEncodingId
    found: Any = None
    with contextlib.suppress(Bad):  # any other exception is a fault
        found = Structures(mapped.space).unpack(key, ua.ExtensionObject(encoding, body))
    json.dumps(found)
