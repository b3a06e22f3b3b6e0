"""Read, claim by claim (OPC 10000-4 §5.11.2)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S

VT, A = ua.VariantType, ua.AttributeIds
GOOD = 0
DI, MACHINERY = "http://opcfoundation.org/UA/DI/", "http://opcfoundation.org/UA/Machinery/"
ARRAY, STRUCTURE, OBJECT, METHOD = ua.NodeId(2255), ua.NodeId(2256), ua.NodeId(2253), ua.NodeId(11492)
REFERENCE, DATA_TYPE, VARIABLE_TYPE, OBJECT_TYPE = ua.NodeId(35), ua.NodeId(11), ua.NodeId(63), ua.NodeId(58)

SERVICE = [
    ("an_empty_list_is_nothing_to_do", 0, 0.0, 2, S.BadNothingToDo),
    ("as_many_nodes_as_the_limit_says", 1000, 0.0, 2, GOOD),
    ("one_node_above_the_limit_is_too_many", 1001, 0.0, 2, S.BadTooManyOperations),
    ("a_negative_max_age_is_invalid", 1, -1.0, 2, S.BadMaxAgeInvalid),
    ("a_max_age_that_is_no_number_is_invalid", 1, float("nan"), 2, S.BadMaxAgeInvalid),
    ("any_large_max_age_is_taken", 1, 1e300, 2, GOOD),
    ("timestamps_to_return_above_neither_are_invalid", 1, 0.0, 4, S.BadTimestampsToReturnInvalid),
]


@pytest.mark.parametrize(
    ("count", "age", "stamps", "code"), [row[1:] for row in SERVICE], ids=[f"5_11_2_{row[0]}" for row in SERVICE]
)
def test_read_service(peer: Any, count: int, age: float, stamps: int, code: int) -> None:
    """What is wrong with the whole request is the service result."""
    assert peer.read(*["force"] * count, age=age, timestamps=stamps).ResponseHeader.ServiceResult.value == code


OPERATIONS: list[tuple[str, Any, int, str | None, str | None, int, Any]] = [
    ("an_unknown_identifier_is_unknown", ua.NodeId("nope", 2), 13, None, None, S.BadNodeIdUnknown, None),
    ("an_unknown_namespace_is_unknown", ua.NodeId("press1.force", 99), 13, None, None, S.BadNodeIdUnknown, None),
    ("an_unknown_number_is_unknown", ua.NodeId(999_999), 13, None, None, S.BadNodeIdUnknown, None),
    ("the_null_node_id_is_unknown", ua.NodeId(), 13, None, None, S.BadNodeIdUnknown, None),
    ("attribute_0_is_invalid", "force", 0, None, None, S.BadAttributeIdInvalid, None),
    ("attribute_28_is_invalid", "force", 28, None, None, S.BadAttributeIdInvalid, None),
    ("attribute_max_is_invalid", "force", 2**32 - 1, None, None, S.BadAttributeIdInvalid, None),
    ("an_object_has_no_value", OBJECT, 13, None, None, S.BadAttributeIdInvalid, None),
    ("a_method_has_no_value", METHOD, 13, None, None, S.BadAttributeIdInvalid, None),
    ("a_variable_has_no_event_notifier", "force", 12, None, None, S.BadAttributeIdInvalid, None),
    ("a_variable_is_not_executable", "force", 21, None, None, S.BadAttributeIdInvalid, None),
    ("a_variable_has_no_inverse_name", "force", 10, None, None, S.BadAttributeIdInvalid, None),
    ("an_object_is_not_abstract", OBJECT, 8, None, None, S.BadAttributeIdInvalid, None),
    ("an_object_has_no_access_level", OBJECT, 17, None, None, S.BadAttributeIdInvalid, None),
    ("an_encoding_of_a_number_is_invalid", "force", 13, None, "Default Binary", S.BadDataEncodingInvalid, None),
    ("an_encoding_of_an_attribute_is_invalid", "force", 4, None, "Default Binary", S.BadDataEncodingInvalid, None),
    ("an_unknown_encoding_is_invalid", STRUCTURE, 13, None, "Default Smoke", S.BadDataEncodingInvalid, None),
    ("an_encoding_we_lack_is_unsupported", STRUCTURE, 13, None, "Default XML", S.BadDataEncodingUnsupported, None),
    ("an_index_range_of_a_number_has_no_data", "force", 13, "0", None, S.BadIndexRangeNoData, None),
    ("an_index_range_beyond_an_array_has_no_data", ARRAY, 13, "50", None, S.BadIndexRangeNoData, None),
    ("an_index_range_beyond_a_text_has_no_data", "order", 13, "9:10", None, S.BadIndexRangeNoData, None),
    ("an_index_range_of_too_many_dimensions_has_no_data", ARRAY, 13, "0,0,0", None, S.BadIndexRangeNoData, None),
    ("an_index_range_of_letters_is_invalid", ARRAY, 13, "abc", None, S.BadIndexRangeInvalid, None),
    ("a_falling_index_range_is_invalid", ARRAY, 13, "2:1", None, S.BadIndexRangeInvalid, None),
    ("an_index_range_from_an_index_to_itself_is_invalid", ARRAY, 13, "1:1", None, S.BadIndexRangeInvalid, None),
    ("a_negative_index_is_invalid", ARRAY, 13, "-1", None, S.BadIndexRangeInvalid, None),
    ("an_open_index_range_is_invalid", ARRAY, 13, "1:", None, S.BadIndexRangeInvalid, None),
    ("an_index_range_with_spaces_is_invalid", ARRAY, 13, "0 : 1", None, S.BadIndexRangeInvalid, None),
    ("an_index_range_with_an_empty_dimension_is_invalid", ARRAY, 13, "0,,1", None, S.BadIndexRangeInvalid, None),
    ("one_index_gives_an_array_of_one", ARRAY, 13, "2", None, GOOD, ["urn:test:press"]),
    ("an_index_range_gives_a_part", ARRAY, 13, "1:2", None, GOOD, ["urn:test:server", "urn:test:press"]),
    ("an_index_range_over_the_end_gives_the_rest", ARRAY, 13, "2:99", None, GOOD, ["urn:test:press", DI, MACHINERY]),
    ("an_index_range_of_a_text_gives_letters", "order", 13, "0:1", None, GOOD, "A-"),
    ("an_index_range_reaches_into_texts_of_an_array", ARRAY, 13, "2,0:2", None, GOOD, ["urn"]),
    ("a_boolean", "running", 13, None, None, GOOD, True),
    ("a_float", "speed", 13, None, None, GOOD, 1.5),
    ("a_signed_byte", "small", 13, None, None, GOOD, -3),
    ("a_long_integer", "total", 13, None, None, GOOD, 2**40),
    ("a_text", "order", 13, None, None, GOOD, "A-1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "attribute", "span", "encoding", "code", "value"),
    [row[1:] for row in OPERATIONS],
    ids=[f"5_11_2_{row[0]}" for row in OPERATIONS],
)
def test_read_operation(
    peer: Any, reading: Any, target: Any, attribute: int, span: str | None, encoding: str | None, code: int, value: Any
) -> None:
    """What is wrong with one node is that node's status; what is right has its value."""
    found = peer.read(reading(target, attribute, span, encoding)).Results[0]
    assert found.StatusCode.value == code
    assert (found.Value.Value if found.Value else None) == value


ATTRIBUTES: list[tuple[str, Any, int, Any]] = [
    ("5_2_1_node_id_of_a_variable", "force", A.NodeId, VT.NodeId),
    ("5_2_3_node_class_of_a_variable", "force", A.NodeClass, VT.Int32),
    ("5_2_4_browse_name_of_a_variable", "force", A.BrowseName, VT.QualifiedName),
    ("5_2_5_display_name_of_a_variable", "force", A.DisplayName, VT.LocalizedText),
    ("5_2_6_description_of_a_variable", "force", A.Description, VT.LocalizedText),
    ("5_2_7_write_mask_of_a_variable", "force", A.WriteMask, VT.UInt32),
    ("5_2_8_user_write_mask_of_a_variable", "force", A.UserWriteMask, VT.UInt32),
    ("5_2_10_user_role_permissions_of_a_variable", "force", A.UserRolePermissions, VT.ExtensionObject),
    ("5_2_11_access_restrictions_of_a_variable", "force", A.AccessRestrictions, VT.UInt16),
    ("5_6_2_data_type_of_a_variable", "force", A.DataType, VT.NodeId),
    ("5_6_2_value_rank_of_a_variable", "force", A.ValueRank, VT.Int32),
    ("5_6_2_access_level_of_a_variable", "force", A.AccessLevel, VT.Byte),
    ("5_6_2_user_access_level_of_a_variable", "force", A.UserAccessLevel, VT.Byte),
    ("5_6_2_minimum_sampling_interval_of_a_variable", "force", A.MinimumSamplingInterval, VT.Double),
    ("5_6_2_historizing_of_a_variable", "force", A.Historizing, VT.Boolean),
    ("5_6_2_access_level_ex_of_a_variable", "force", A.AccessLevelEx, VT.UInt32),
    ("5_6_2_array_dimensions_of_an_array", ARRAY, A.ArrayDimensions, VT.UInt32),
    ("5_6_5_is_abstract_of_a_variable_type", VARIABLE_TYPE, A.IsAbstract, VT.Boolean),
    ("5_6_5_data_type_of_a_variable_type", VARIABLE_TYPE, A.DataType, VT.NodeId),
    ("5_5_1_event_notifier_of_an_object", OBJECT, A.EventNotifier, VT.Byte),
    ("5_5_2_is_abstract_of_an_object_type", OBJECT_TYPE, A.IsAbstract, VT.Boolean),
    ("5_3_2_is_abstract_of_a_reference_type", REFERENCE, A.IsAbstract, VT.Boolean),
    ("5_3_2_symmetric_of_a_reference_type", REFERENCE, A.Symmetric, VT.Boolean),
    ("5_3_2_inverse_name_of_a_reference_type", REFERENCE, A.InverseName, VT.LocalizedText),
    ("5_7_executable_of_a_method", METHOD, A.Executable, VT.Boolean),
    ("5_7_user_executable_of_a_method", METHOD, A.UserExecutable, VT.Boolean),
    ("5_8_3_is_abstract_of_a_data_type", DATA_TYPE, A.IsAbstract, VT.Boolean),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "attribute", "kind"), [row[1:] for row in ATTRIBUTES], ids=[f"part3_{row[0]}" for row in ATTRIBUTES]
)
def test_read_attribute(peer: Any, reading: Any, target: Any, attribute: int, kind: Any) -> None:
    """An attribute its class has is there, of its own built-in type (OPC 10000-3 §5)."""
    found = peer.read(reading(target, attribute)).Results[0]
    if attribute == A.ArrayDimensions and found.StatusCode.value == S.BadAttributeIdInvalid:
        pytest.fail("a mandatory part of an array of known rank")
    assert (found.StatusCode.value, found.Value.VariantType) == (GOOD, kind)


@pytest.mark.parametrize(
    ("stamps", "of_source", "of_server"),
    [(0, True, False), (1, False, True), (2, True, True), (3, False, False)],
    ids=["7_40_source_alone", "7_40_server_alone", "7_40_both", "7_40_neither"],
)
def test_read_timestamps(peer: Any, stamps: int, of_source: bool, of_server: bool) -> None:
    """A Value has the timestamps that were asked for, no other."""
    found = peer.read("force", timestamps=stamps).Results[0]
    assert (found.SourceTimestamp is not None, found.ServerTimestamp is not None) == (of_source, of_server)


def test_5_11_2_an_attribute_other_than_value_has_no_source_timestamp(peer: Any, reading: Any) -> None:
    """Only Values have a source (OPC 10000-4 §7.11.3)."""
    found = peer.read(reading("force", A.DisplayName), timestamps=2).Results[0]
    assert found.SourceTimestamp is None
    assert found.ServerTimestamp is not None


def test_5_11_2_results_stand_in_the_order_of_the_request(peer: Any) -> None:
    """Each node has its result at its own place, repeated nodes too, bad ones between."""
    found = peer.read("count", "nope", "order", "count").Results
    assert [one.Value.Value if one.Value else None for one in found] == [7, None, "A-1", 7]


def test_5_11_2_a_bad_result_has_no_value(peer: Any) -> None:
    """With a Bad status no value is sent."""
    found = peer.read("nope").Results[0].Value
    assert found is None or found.VariantType == VT.Null


def test_5_11_2_a_structure_can_be_asked_for_in_binary(peer: Any, reading: Any) -> None:
    """Default Binary is the encoding that a server must have."""
    found = peer.read(reading(STRUCTURE, 13, None, "Default Binary")).Results[0]
    assert found.Value.Value.State == ua.ServerState.Running
