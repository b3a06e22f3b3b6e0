"""Browsing, and the address space it finds."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S


def browse(peer: Any, node_id: Any, most: int = 0, **fields: Any) -> Any:
    """Browse one node forward along hierarchical references; the BrowseResult."""
    one = ua.BrowseDescription()
    one.NodeId, one.BrowseDirection, one.ReferenceTypeId = node_id, ua.BrowseDirection.Forward, ua.NodeId(33)
    one.IncludeSubtypes, one.NodeClassMask, one.ResultMask = True, 0, 63
    for name, value in fields.items():
        setattr(one, name, value)
    asked = ua.BrowseRequest()
    asked.Parameters.NodesToBrowse, asked.Parameters.RequestedMaxReferencesPerNode = [one], most
    return peer.ask(asked).Results[0]


def browse_next(peer: Any, point: bytes, release: bool = False) -> Any:
    """Go on; the BrowseResult."""
    asked = ua.BrowseNextRequest()
    asked.Parameters.ContinuationPoints, asked.Parameters.ReleaseContinuationPoints = [point], release
    return peer.ask(asked).Parameters.Results[0]


def names(result: Any) -> list[str]:
    """Browse names with their index."""
    return [f"{one.BrowseName.NamespaceIndex}:{one.BrowseName.Name}" for one in result.References]


def walk(peer: Any, *path: str) -> Any:
    """TranslateBrowsePaths from Objects; the result."""
    asked = ua.TranslateBrowsePathsToNodeIdsRequest()
    one = ua.BrowsePath(ua.NodeId(85), ua.RelativePath())
    for name in path:
        index, _, text = name.partition(":")
        element = ua.RelativePathElement(ua.NodeId(33), False, True, ua.QualifiedName(text, int(index)))
        one.RelativePath.Elements.append(element)
    asked.Parameters.BrowsePaths = [one]
    return peer.ask(asked).Results[0]


def test_a_device_is_laid_out_as_its_interface_says(peer: Any) -> None:
    """Objects, Machines, the device, its folders, its variables; each name in the type's namespace."""
    assert "4:Machines" in names(browse(peer, ua.NodeId(85)))
    device = walk(peer, "4:Machines", "2:press1").Targets[0].TargetId
    assert device.Identifier == "press1"
    below = ["3:Identification", "2:Monitoring", "2:Production", "2:Setpoint", "3:DeviceHealth"]
    assert names(browse(peer, device)) == below
    found = walk(peer, "4:Machines", "2:press1", "2:Monitoring", "2:Ram", "2:Force").Targets
    assert [one.TargetId.Identifier for one in found] == ["press1.force"]
    assert names(browse(peer, found[0].TargetId)) == ["0:EURange", "0:EngineeringUnits"]


def test_a_tag_without_a_place_is_not_shown(peer: Any) -> None:
    """Only the tags that the interface places have a node."""
    assert peer.read("hidden").Results[0].StatusCode.value == S.BadNodeIdUnknown


def test_paths_that_lead_nowhere(peer: Any) -> None:
    """No node, no name, no path: each has its code (OPC 10000-4 §5.9.4.4)."""
    assert walk(peer, "2:nope").StatusCode.value == S.BadNoMatch
    assert walk(peer, "2:").StatusCode.value == S.BadBrowseNameInvalid
    assert walk(peer).StatusCode.value == S.BadNothingToDo


def test_browse_goes_on_where_it_stopped(peer: Any) -> None:
    """Continuation points give the rest, once (OPC 10000-4 §5.9.3)."""
    whole = names(browse(peer, ua.NodeId("press1/Monitoring", 2)))
    part = browse(peer, ua.NodeId("press1/Monitoring", 2), most=3)
    rest = browse_next(peer, part.ContinuationPoint)
    assert names(part) + names(rest) == whole
    assert not rest.ContinuationPoint
    assert browse_next(peer, part.ContinuationPoint).StatusCode.value == S.BadContinuationPointInvalid


def test_continuation_points_are_released_and_bounded(server: Any, peer: Any) -> None:
    """A released point is gone; the oldest gives way when there are too many."""
    points = [browse(peer, ua.NodeId(85), most=1).ContinuationPoint for _ in range(25)]
    assert browse_next(peer, points[0]).StatusCode.value == S.BadContinuationPointInvalid
    assert not browse_next(peer, points[-1], release=True).References
    assert browse_next(peer, points[-1]).StatusCode.value == S.BadContinuationPointInvalid


@pytest.mark.parametrize(
    ("node_id", "fields", "code"),
    [
        (ua.NodeId("nope", 2), {}, S.BadNodeIdUnknown),
        (ua.NodeId(85), {"ReferenceTypeId": ua.NodeId(85)}, S.BadReferenceTypeIdInvalid),
    ],
)
def test_what_cannot_be_browsed(peer: Any, node_id: Any, fields: dict[str, Any], code: int) -> None:
    """An unknown node and a reference type that is none."""
    assert browse(peer, node_id, **fields).StatusCode.value == code


def test_masks_leave_out_what_was_not_asked(peer: Any) -> None:
    """NodeClassMask picks the nodes, ResultMask the fields (OPC 10000-4 §5.9.2.2)."""
    found = browse(peer, ua.NodeId("press1", 2), NodeClassMask=2, ResultMask=8)
    assert names(found) == ["2:Setpoint", "3:DeviceHealth"]
    assert found.References[0].DisplayName.Text is None


def test_inverse_references_lead_back(peer: Any) -> None:
    """A variable knows the folder it stands in."""
    found = browse(peer, ua.NodeId("press1.force", 2), BrowseDirection=ua.BrowseDirection.Inverse)
    assert names(found) == ["2:Ram"]


def test_the_whole_address_space_can_be_walked(peer: Any) -> None:
    """Every reference that is shown leads to a node that is there, thousands of them."""
    seen, todo = set(), [ua.NodeId(84)]
    while todo:
        asked = ua.BrowseRequest()
        asked.Parameters.RequestedMaxReferencesPerNode = 0
        for node_id in todo[:100]:
            one = ua.BrowseDescription()
            one.NodeId, one.BrowseDirection, one.ResultMask = node_id, ua.BrowseDirection.Forward, 0
            one.IncludeSubtypes, one.NodeClassMask = True, 0
            asked.Parameters.NodesToBrowse.append(one)
        todo = todo[100:]
        for result in peer.ask(asked).Results:
            assert result.StatusCode.value == 0
            for one in result.References:
                if one.NodeId not in seen:
                    seen.add(one.NodeId)
                    todo.append(one.NodeId)
    assert len(seen) > 3000


def test_texts_are_in_the_sessions_language(server: Any, connect: Any, reading: Any) -> None:
    """Display names, descriptions and labels follow LocaleIds, with the nearest script (OPC 10000-4 §5.4)."""
    for locales, name, label in (([], "Force", "On"), (["zh-TW"], "壓力", "開"), (["de", "zh-Hans"], "压力", "开")):
        peer = connect(server).login(locales)
        enum_strings = ua.NodeId("press1.state/EnumStrings", 2)
        found = peer.read(reading("force", 4), reading(enum_strings), reading("force", 5)).Results
        assert found[0].Value.Value.Text == name
        assert found[1].Value.Value[1].Text == label
        assert found[2].Value.Value.Text == "What the ram presses with."


def test_registered_nodes_are_the_nodes(peer: Any) -> None:
    """RegisterNodes gives the same ids back (OPC 10000-4 §5.9.5)."""
    asked = ua.RegisterNodesRequest()
    asked.Parameters.NodesToRegister = [ua.NodeId("press1.force", 2)]
    assert peer.ask(asked).Parameters.RegisteredNodeIds[0].Identifier == "press1.force"
    asked = ua.UnregisterNodesRequest()
    asked.Parameters.NodesToUnregister = [ua.NodeId("press1.force", 2)]
    assert peer.result(asked) == 0
