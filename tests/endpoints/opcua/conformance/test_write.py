"""Write, claim by claim (OPC 10000-4 §5.11.4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S

VT, A = ua.VariantType, ua.AttributeIds
GOOD = 0


def value(plain: Any, kind: Any = VT.Double, **shape: Any) -> Any:
    """A Variant."""
    return ua.Variant(plain, kind, **shape)


WRITES: list[tuple[str, Any, Any, int]] = [
    ("a_number_of_the_type_is_taken", "setpoint", value(60.0), GOOD),
    ("the_lower_end_of_the_range_is_taken", "setpoint", value(0.0), GOOD),
    ("the_upper_end_of_the_range_is_taken", "setpoint", value(100.0), GOOD),
    ("below_the_range_is_out_of_range", "setpoint", value(-0.1), S.BadOutOfRange),
    ("above_the_range_is_out_of_range", "setpoint", value(100.1), S.BadOutOfRange),
    ("no_number_is_out_of_range", "setpoint", value(float("nan")), S.BadOutOfRange),
    ("infinity_is_out_of_range", "setpoint", value(float("inf")), S.BadOutOfRange),
    ("a_float_is_no_double", "setpoint", value(60.0, VT.Float), S.BadTypeMismatch),
    ("an_integer_is_no_double", "setpoint", value(60, VT.Int32), S.BadTypeMismatch),
    ("a_text_is_no_double", "setpoint", value("60", VT.String), S.BadTypeMismatch),
    ("a_boolean_is_no_double", "setpoint", value(True, VT.Boolean), S.BadTypeMismatch),
    ("null_is_no_double", "setpoint", ua.Variant(), S.BadTypeMismatch),
    ("an_array_is_no_scalar", "setpoint", value([60.0]), S.BadTypeMismatch),
    ("an_empty_array_is_no_scalar", "setpoint", value([], is_array=True), S.BadTypeMismatch),
    ("a_signed_byte_is_taken", "small", value(-128, VT.SByte), GOOD),
    ("a_byte_is_no_signed_byte", "small", value(1, VT.Byte), S.BadTypeMismatch),
    ("a_boolean_is_taken", "running", value(False, VT.Boolean), GOOD),
    ("a_byte_is_no_boolean", "running", value(1, VT.Byte), S.BadTypeMismatch),
    ("a_text_is_taken", "order", value("B-2", VT.String), GOOD),
    ("an_empty_text_is_taken", "order", value("", VT.String), GOOD),
    ("a_byte_string_is_no_text", "order", value(b"B", VT.ByteString), S.BadTypeMismatch),
    ("what_the_device_refuses_has_its_code", "order", value("refused", VT.String), S.BadOutOfService),
    ("a_tag_to_read_cannot_be_written", "force", value(1.0), S.BadNotWritable),
    ("an_unknown_node_is_unknown", "nope", value(1.0), S.BadNodeIdUnknown),
    ("a_standard_variable_cannot_be_written", ua.NodeId(2258), value(dt.datetime(2026, 1, 1), VT.DateTime),
     S.BadNotWritable),
    ("a_property_cannot_be_written", ua.NodeId("press1.force/EURange", 2), value(1.0), S.BadNotWritable),
    ("an_object_has_no_value", ua.NodeId(2253), value(1.0), S.BadAttributeIdInvalid),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "variant", "code"), [row[1:] for row in WRITES], ids=[f"5_11_4_{row[0]}" for row in WRITES]
)
def test_write(peer: Any, target: Any, variant: Any, code: int) -> None:
    """Each value is taken, or refused for its own reason; what is taken is there."""
    before = peer.read(target).Results[0].Value if isinstance(target, str) else None
    assert peer.write(target, variant) == code
    if isinstance(target, str) and target != "nope":
        now = peer.read(target).Results[0].Value.Value
        assert now == (variant.Value if code == GOOD else before.Value)


@pytest.mark.parametrize(
    "attribute",
    [A.NodeId, A.NodeClass, A.BrowseName, A.DisplayName, A.Description, A.WriteMask, A.UserWriteMask, A.DataType,
     A.ValueRank, A.AccessLevel, A.UserAccessLevel, A.MinimumSamplingInterval, A.Historizing],
    ids=lambda one: f"5_11_4_{A(one).name}_cannot_be_written",
)  # fmt: skip
def test_write_attribute(peer: Any, attribute: Any) -> None:
    """WriteMask is 0, so no attribute but Value is written (OPC 10000-3 §5.2.7)."""
    assert peer.write("force", value(1.0), attribute=int(attribute)) == S.BadNotWritable


@pytest.mark.parametrize(
    ("attribute", "code"),
    [(0, S.BadAttributeIdInvalid), (28, S.BadAttributeIdInvalid), (A.EventNotifier, S.BadAttributeIdInvalid)],
    ids=["5_11_4_attribute_0_is_invalid", "5_11_4_attribute_28_is_invalid", "5_11_4_another_class_s_attribute"],
)
def test_write_no_attribute(peer: Any, attribute: int, code: int) -> None:
    """What is no attribute of the node is invalid, not read-only."""
    assert peer.write("setpoint", value(1.0), attribute=attribute) == code


EXTRAS: list[tuple[str, dict[str, Any], int]] = [
    ("a_source_timestamp_is_taken", {"SourceTimestamp": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, GOOD),
    ("a_server_timestamp_is_not_supported", {"ServerTimestamp": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
     S.BadWriteNotSupported),
    ("a_bad_status_is_not_supported", {"StatusCode": ua.StatusCode(S.BadDeviceFailure)}, S.BadWriteNotSupported),
    ("an_uncertain_status_is_not_supported", {"StatusCode": ua.StatusCode(S.UncertainLastUsableValue)},
     S.BadWriteNotSupported),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "code"), [row[1:] for row in EXTRAS], ids=[f"5_11_4_{row[0]}" for row in EXTRAS])
def test_write_beside_the_value(peer: Any, extra: dict[str, Any], code: int) -> None:
    """Status and ServerTimestamp are the server's own."""
    assert peer.write("setpoint", value(60.0), **extra) == code


RANGES = [
    ("a_part_of_a_text_is_replaced", "order", "0:1", "XY", GOOD),
    ("one_letter_is_replaced", "order", "2", "9", GOOD),
    ("a_part_of_another_length_does_not_match", "order", "0:1", "XYZ", S.BadIndexRangeDataMismatch),
    ("a_part_beyond_the_text_has_no_data", "order", "5:6", "XY", S.BadIndexRangeNoData),
    ("a_range_of_letters_is_invalid", "order", "x", "X", S.BadIndexRangeInvalid),
    ("a_falling_range_is_invalid", "order", "2:1", "XY", S.BadIndexRangeInvalid),
]


@pytest.mark.parametrize(
    ("target", "span", "text", "code"), [row[1:] for row in RANGES], ids=[f"5_11_4_{row[0]}" for row in RANGES]
)
def test_write_range(peer: Any, target: str, span: str, text: str, code: int) -> None:
    """An IndexRange writes a part and leaves the rest."""
    assert peer.write(target, value(text, VT.String), span) == code
    expected = {"0:1": "XY1", "2": "A-9"}[span] if code == GOOD else "A-1"
    assert peer.read(target).Results[0].Value.Value == expected


def test_5_11_4_an_index_range_of_a_scalar_has_no_data(peer: Any) -> None:
    """A number has no parts."""
    assert peer.write("setpoint", value(1.0), "0") in (S.BadIndexRangeNoData, S.BadTypeMismatch)


@pytest.mark.parametrize(
    ("count", "code"), [(0, S.BadNothingToDo), (1000, GOOD), (1001, S.BadTooManyOperations)],
    ids=["5_11_4_nothing_to_do", "5_11_4_the_limit", "5_11_4_above_the_limit"],
)  # fmt: skip
def test_write_service(peer: Any, count: int, code: int) -> None:
    """The number of operations is limited as the server says."""
    asked = ua.WriteRequest()
    one = ua.WriteValue(ua.NodeId("press1.setpoint", 2), 13, None, ua.DataValue(value(1.0)))
    asked.Parameters.NodesToWrite = [one] * count
    assert peer.result(asked) == code


def test_5_11_4_one_bad_write_leaves_the_others(peer: Any) -> None:
    """Operations are judged one by one, in order."""
    asked = ua.WriteRequest()
    asked.Parameters.NodesToWrite = [
        ua.WriteValue(ua.NodeId(f"press1.{name}", 2), 13, None, ua.DataValue(value(number)))
        for name, number in (("setpoint", 10.0), ("nope", 1.0), ("setpoint", 20.0))
    ]
    assert [one.value for one in peer.ask(asked).Results] == [GOOD, S.BadNodeIdUnknown, GOOD]
    assert peer.read("setpoint").Results[0].Value.Value == 20.0


def test_5_11_4_an_observer_may_not_write(make_server: Any, connect: Any) -> None:
    """Who lacks the right is denied, and UserAccessLevel said so before."""
    peer = connect(make_server()).login()
    assert peer.write("setpoint", value(60.0)) == S.BadUserAccessDenied
