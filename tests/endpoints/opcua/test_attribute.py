"""Read and Write of the core."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S
from labsim.plant import status
from labsim.plant.plant import Plant

VT = ua.VariantType


def code(response: Any) -> int:
    """Status of the first result."""
    found = response.Results[0].StatusCode
    return found.value if found else 0


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("force", VT.Double, 50.0), ("speed", VT.Float, 1.5), ("count", VT.UInt32, 7), ("total", VT.Int64, 2**40),
        ("small", VT.SByte, -3), ("running", VT.Boolean, True), ("order", VT.String, "A-1"), ("state", VT.Byte, 0),
        ("alarm", VT.Int32, 10),
    ],
)  # fmt: skip
def test_every_kind_of_tag_reads_as_its_own_type(peer: Any, name: str, kind: Any, value: Any) -> None:
    """The built-in type on the wire is the tag's."""
    variant = peer.read(name).Results[0].Value
    assert (variant.VariantType, variant.Value) == (kind, value)


def test_times_are_the_plants(peer: Any, plant: Plant) -> None:
    """SourceTimestamp is the step at which the value changed, ServerTimestamp the plant's time now."""
    plant.advance()
    plant.store.set(plant.store["press1.force"].row, 60.0)
    plant.advance()
    found = peer.read("force", "count").Results
    start = dt.datetime.fromtimestamp(1_700_000_000, dt.UTC)
    assert found[0].SourceTimestamp == start + dt.timedelta(seconds=0.1)
    assert found[1].SourceTimestamp == start
    assert found[0].ServerTimestamp == start + dt.timedelta(seconds=0.2)


@pytest.mark.parametrize(
    ("asked", "has_source", "has_server"), [(0, True, False), (1, False, True), (2, True, True), (3, False, False)]
)
@pytest.mark.parametrize("names", [("force",), ("order",), ("force", "count", "running", "total")])
def test_timestamps_are_those_asked_for(peer: Any, names: Any, asked: int, has_source: bool, has_server: bool) -> None:
    """TimestampsToReturn is kept to, by the compiled read as by the slow one."""
    for found in peer.read(*names, timestamps=asked).Results:
        assert (found.SourceTimestamp is not None, found.ServerTimestamp is not None) == (has_source, has_server)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("nope",), S.BadNodeIdUnknown), (("force", 99), S.BadAttributeIdInvalid), (("force", 12), S.BadAttributeIdInvalid),
        (("force", 13, "0"), S.BadIndexRangeNoData), (("order", 13, "2:1"), S.BadIndexRangeInvalid),
        (("order", 13, "x"), S.BadIndexRangeInvalid), (("order", 13, None, "Default XML"), S.BadDataEncodingInvalid),
        ((ua.NodeId(2256), 13, None, "Default XML"), S.BadDataEncodingUnsupported),
        ((ua.NodeId(2256), 13, None, "Default Binary"), 0), ((ua.NodeId(63),), S.BadAttributeIdInvalid),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(peer: Any, reading: Any, wanted: tuple[Any, ...], expected: int) -> None:
    """Each wrong operation has its own code (OPC 10000-4 §5.11.2.4)."""
    assert code(peer.read(reading(*wanted))) == expected


def test_a_part_of_a_text(peer: Any, reading: Any) -> None:
    """An IndexRange cuts a String (OPC 10000-4 §7.27)."""
    assert peer.read(reading("order", 13, "0:1")).Results[0].Value.Value == "A-"


def test_requests_that_are_wrong_as_a_whole(peer: Any, reading: Any) -> None:
    """An empty Read, too many nodes, a negative age: service results."""
    assert peer.read().ResponseHeader.ServiceResult.value == S.BadNothingToDo
    assert peer.read(*["force"] * 1001).ResponseHeader.ServiceResult.value == S.BadTooManyOperations
    assert peer.read("force", age=-1).ResponseHeader.ServiceResult.value == S.BadMaxAgeInvalid


def test_bad_quality_carries_no_value(peer: Any, plant: Plant) -> None:
    """A Bad status hides the value, an Uncertain one does not (OPC 10000-4 §7.11)."""
    row = plant.store["press1.force"].row
    plant.store.set(row, 50.0, status.BAD_SENSOR_FAILURE)
    found = peer.read("force").Results[0]
    assert (found.StatusCode.value, found.Value.Value) == (status.BAD_SENSOR_FAILURE, None)
    plant.store.set(row, 51.0, status.UNCERTAIN_LAST_USABLE_VALUE)
    found = peer.read("force").Results[0]
    assert (found.StatusCode.value, found.Value.Value) == (status.UNCERTAIN_LAST_USABLE_VALUE, 51.0)


def test_access_levels_show_what_the_user_may(make_server: Any, connect: Any, reading: Any) -> None:
    """AccessLevel is the tag's, UserAccessLevel the role's (OPC 10000-3 §5.6.2)."""
    peer = connect(make_server()).login()
    found = peer.read(reading("setpoint", 17), reading("setpoint", 18), reading("force", 18)).Results
    assert [one.Value.Value for one in found] == [3, 1, 1]


@pytest.mark.parametrize(
    ("name", "variant", "expected"),
    [
        ("setpoint", ua.Variant(42.5, VT.Double), 0),
        ("setpoint", ua.Variant(42.5, VT.Float), S.BadTypeMismatch),
        ("setpoint", ua.Variant([1.0], VT.Double), S.BadTypeMismatch),
        ("setpoint", ua.Variant(), S.BadTypeMismatch),
        ("setpoint", ua.Variant(100.5, VT.Double), S.BadOutOfRange),
        ("setpoint", ua.Variant(math.nan, VT.Double), S.BadOutOfRange),
        ("force", ua.Variant(1.0, VT.Double), S.BadNotWritable),
        ("nope", ua.Variant(1.0, VT.Double), S.BadNodeIdUnknown),
        ("small", ua.Variant(-128, VT.SByte), 0),
        ("running", ua.Variant(False, VT.Boolean), 0),
        ("order", ua.Variant("B-2", VT.String), 0),
        ("order", ua.Variant(None, VT.String), S.BadTypeMismatch),
        ("order", ua.Variant("refused", VT.String), status.BAD_OUT_OF_SERVICE),
    ],
)  # fmt: skip
def test_writes_are_judged(peer: Any, name: str, variant: Any, expected: int) -> None:
    """Type, access and range are judged first, then the device; a good write is read back at once."""
    before = peer.read(name).Results[0].Value
    assert peer.write(name, variant) == expected
    if before is not None:
        after = peer.read(name).Results[0].Value.Value
        assert after == (variant.Value if expected == 0 else before.Value)


def test_what_may_be_written_beside_the_value(peer: Any) -> None:
    """A source timestamp is ignored; status and server timestamp are refused (OPC 10000-4 §5.11.4)."""
    now = dt.datetime.now(dt.UTC)
    value = ua.Variant(1.0, VT.Double)
    assert peer.write("setpoint", value, SourceTimestamp=now) == 0
    assert peer.write("setpoint", value, ServerTimestamp=now) == S.BadWriteNotSupported
    assert peer.write("setpoint", value, StatusCode=ua.StatusCode(0x40000000)) == S.BadWriteNotSupported
    assert peer.write("setpoint", ua.Variant(ua.LocalizedText("x"), VT.LocalizedText), attribute=4) == S.BadNotWritable
    assert peer.write("setpoint", value, attribute=99) == S.BadAttributeIdInvalid
    assert peer.write(ua.NodeId(2258), ua.Variant(now, VT.DateTime)) == S.BadNotWritable


def test_a_part_of_a_text_is_written(peer: Any) -> None:
    """An IndexRange replaces characters; the data must have the shape of the range."""
    assert peer.write("order", ua.Variant("C", VT.String), "0") == 0
    assert peer.read("order").Results[0].Value.Value == "C-1"
    assert peer.write("order", ua.Variant("CC", VT.String), "0") == S.BadIndexRangeDataMismatch
    assert peer.write("order", ua.Variant("C", VT.String), "7") == S.BadIndexRangeNoData


def test_an_observer_may_not_write(make_server: Any, connect: Any) -> None:
    """The role decides after access: a read-only tag is not writable for anybody."""
    peer = connect(make_server()).login()
    assert peer.write("setpoint", ua.Variant(1.0, VT.Double)) == S.BadUserAccessDenied
    assert peer.write("force", ua.Variant(1.0, VT.Double)) == S.BadNotWritable


def test_a_paused_plant_takes_no_writes(peer: Any, plant: Plant) -> None:
    """While the plant stands still a write is refused, and taken again afterwards."""
    plant.clock.pause()
    assert peer.write("setpoint", ua.Variant(1.0, VT.Double)) == S.BadInvalidState
    plant.clock.resume()
    assert peer.write("setpoint", ua.Variant(1.0, VT.Double)) == 0


def test_server_values_are_typed(peer: Any, reading: Any) -> None:
    """Status, capabilities and limits of the Server object are there; none is Null."""
    keys = (2254, 2255, 2256, 2257, 2258, 2259, 2267, 2269, 2271, 2272, 2735, 2994, 11705, 11714, 2275, 2277, 2992)
    for key in keys:
        found = peer.read(reading(ua.NodeId(key))).Results[0]
        assert found.Value.VariantType != VT.Null, key
