"""Base information: the Server object and its capabilities, claim by claim (OPC 10000-5 §6.3, §7, §12.10)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from asyncua import ua

VT = ua.VariantType
ids = ua.ObjectIds

VALUES: list[tuple[str, int, Any, Any]] = [
    ("6_3_1_server_array_holds_the_uri", ids.Server_ServerArray, VT.String, lambda v: v == ["urn:test:server"]),
    ("6_3_1_namespace_array_begins_with_the_standard", ids.Server_NamespaceArray, VT.String,
     lambda v: v[:2] == ["http://opcfoundation.org/UA/", "urn:test:server"]),
    ("6_3_1_namespaces_are_unique", ids.Server_NamespaceArray, VT.String, lambda v: len(set(v)) == len(v)),
    ("6_3_1_service_level_is_full", ids.Server_ServiceLevel, VT.Byte, lambda v: v == 255),
    ("6_3_1_auditing_is_on", ids.Server_Auditing, VT.Boolean, lambda v: v is True),
    ("12_10_state_is_running", ids.Server_ServerStatus_State, VT.Int32, lambda v: v == 0),
    ("12_10_start_time", ids.Server_ServerStatus_StartTime, VT.DateTime, lambda v: isinstance(v, dt.datetime)),
    ("12_10_current_time", ids.Server_ServerStatus_CurrentTime, VT.DateTime, lambda v: isinstance(v, dt.datetime)),
    ("12_10_no_shutdown_is_near", ids.Server_ServerStatus_SecondsTillShutdown, VT.UInt32, lambda v: v == 0),
    ("12_10_shutdown_reason_is_a_text", ids.Server_ServerStatus_ShutdownReason, VT.LocalizedText, lambda v: True),
    ("12_4_product_uri", ids.Server_ServerStatus_BuildInfo_ProductUri, VT.String, bool),
    ("12_4_manufacturer", ids.Server_ServerStatus_BuildInfo_ManufacturerName, VT.String, bool),
    ("12_4_product_name", ids.Server_ServerStatus_BuildInfo_ProductName, VT.String, bool),
    ("12_4_software_version", ids.Server_ServerStatus_BuildInfo_SoftwareVersion, VT.String, lambda v: v is not None),
    ("12_4_build_number", ids.Server_ServerStatus_BuildInfo_BuildNumber, VT.String, lambda v: v is not None),
    ("12_4_build_date", ids.Server_ServerStatus_BuildInfo_BuildDate, VT.DateTime, bool),
    ("6_3_2_profiles", ids.Server_ServerCapabilities_ServerProfileArray, VT.String, bool),
    ("6_3_2_locales", ids.Server_ServerCapabilities_LocaleIdArray, VT.String, lambda v: "en" in v),
    ("6_3_2_fastest_sampling", ids.Server_ServerCapabilities_MinSupportedSampleRate, VT.Double, lambda v: v > 0),
    ("6_3_2_browse_points", ids.Server_ServerCapabilities_MaxBrowseContinuationPoints, VT.UInt16, lambda v: v > 0),
    ("6_3_2_query_points", ids.Server_ServerCapabilities_MaxQueryContinuationPoints, VT.UInt16, lambda v: v == 0),
    ("6_3_2_history_points", ids.Server_ServerCapabilities_MaxHistoryContinuationPoints, VT.UInt16, lambda v: v > 0),
    ("6_3_2_longest_array", ids.Server_ServerCapabilities_MaxArrayLength, VT.UInt32, lambda v: v > 0),
    ("6_3_2_longest_string", ids.Server_ServerCapabilities_MaxStringLength, VT.UInt32, lambda v: v > 0),
    ("6_3_2_longest_byte_string", ids.Server_ServerCapabilities_MaxByteStringLength, VT.UInt32, lambda v: v > 0),
    ("6_3_2_sessions", ids.Server_ServerCapabilities_MaxSessions, VT.UInt32, lambda v: v == 50),
    ("6_3_2_subscriptions", ids.Server_ServerCapabilities_MaxSubscriptions, VT.UInt32, lambda v: v == 200),
    ("6_3_2_subscriptions_per_session", ids.Server_ServerCapabilities_MaxSubscriptionsPerSession, VT.UInt32,
     lambda v: v == 20),
    ("6_3_2_items_per_subscription", ids.Server_ServerCapabilities_MaxMonitoredItemsPerSubscription, VT.UInt32,
     lambda v: v == 5000),
    ("6_3_11_nodes_per_read", ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_11_nodes_per_write", ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_11_nodes_per_call", ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerMethodCall, VT.UInt32,
     lambda v: v == 100),
    ("6_3_11_nodes_per_browse", ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_11_nodes_per_register", ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerRegisterNodes, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_11_nodes_per_translate",
     ids.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_11_items_per_call", ids.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall, VT.UInt32,
     lambda v: v == 1000),
    ("6_3_3_diagnostics_are_on", ids.Server_ServerDiagnostics_EnabledFlag, VT.Boolean,
     lambda v: v is True),
    ("6_3_5_current_sessions",
     ids.Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount, VT.UInt32, lambda v: v == 1),
    ("6_3_5_current_subscriptions",
     ids.Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSubscriptionCount, VT.UInt32, lambda v: v == 0),
    ("6_3_7_no_redundancy", ids.Server_ServerRedundancy_RedundancySupport, VT.Int32, lambda v: v == 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "kind", "holds"), [row[1:] for row in VALUES], ids=[f"part5_{row[0]}" for row in VALUES]
)
def test_value(peer: Any, reading: Any, number: int, kind: Any, holds: Any) -> None:
    """A variable of the Server object is there, of its own type, never Null, and true."""
    found = peer.read(reading(ua.NodeId(number))).Results[0]
    assert (found.StatusCode.value, found.Value.VariantType) == (0, kind)
    assert holds(found.Value.Value)


STRUCTURES: list[tuple[str, int, Any]] = [
    ("12_10_server_status", ids.Server_ServerStatus, ua.ServerStatusDataType),
    ("12_4_build_info", ids.Server_ServerStatus_BuildInfo, ua.BuildInfo),
    ("12_9_diagnostics_summary", ids.Server_ServerDiagnostics_ServerDiagnosticsSummary,
     ua.ServerDiagnosticsSummaryDataType),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "kind"), [row[1:] for row in STRUCTURES], ids=[f"part5_{row[0]}" for row in STRUCTURES]
)
def test_structure(peer: Any, reading: Any, number: int, kind: Any) -> None:
    """A structure can be read as a whole."""
    assert isinstance(peer.read(reading(ua.NodeId(number))).Results[0].Value.Value, kind)


def test_part5_12_10_current_time_goes_on(peer: Any, reading: Any, plant: Any) -> None:
    """CurrentTime is the plant's, and moves with it."""
    asked = reading(ua.NodeId(ids.Server_ServerStatus_CurrentTime))
    first = peer.read(asked).Results[0].Value.Value
    plant.advance()
    assert peer.read(asked).Results[0].Value.Value > first


ROOTS = [
    ("root_has_objects_types_views", 84, {"Objects", "Types", "Views"}),
    ("types_has_its_folders", 86, {"ObjectTypes", "VariableTypes", "DataTypes", "ReferenceTypes", "EventTypes"}),
    ("objects_has_the_server", 85, {"Server"}),
    ("server_has_its_parts", 2253, {"ServerArray", "NamespaceArray", "ServerStatus", "ServiceLevel", "Auditing",
     "ServerCapabilities", "ServerDiagnostics", "VendorServerInfo", "ServerRedundancy", "GetMonitoredItems",
     "ResendData"}),
    ("capabilities_have_their_parts", 2268, {"OperationLimits", "ModellingRules", "AggregateFunctions"}),
]  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [row[1:] for row in ROOTS], ids=[f"part5_8_{row[0]}" for row in ROOTS])
def test_children(peer: Any, number: int, expected: set[str]) -> None:
    """What every client looks for first is where the standard puts it."""
    one = ua.BrowseDescription()
    one.NodeId, one.BrowseDirection, one.ReferenceTypeId = ua.NodeId(number), ua.BrowseDirection.Forward, ua.NodeId(33)
    one.IncludeSubtypes, one.NodeClassMask, one.ResultMask = True, 0, 63
    asked = ua.BrowseRequest()
    asked.Parameters.NodesToBrowse = [one]
    assert {ref.BrowseName.Name for ref in peer.ask(asked).Results[0].References} >= expected


def test_part5_6_3_1_sessions_are_counted(server: Any, peer: Any, connect: Any, reading: Any) -> None:
    """The count of sessions follows them."""
    number = ids.Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount
    asked = reading(ua.NodeId(number))
    other = connect(server).login()
    assert peer.read(asked).Results[0].Value.Value == 2
    other.ask(ua.CloseSessionRequest())
    assert peer.read(asked).Results[0].Value.Value == 1
