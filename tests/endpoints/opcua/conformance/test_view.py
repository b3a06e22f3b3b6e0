"""Browse, BrowseNext, TranslateBrowsePaths, RegisterNodes, claim by claim (OPC 10000-4 §5.9)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S

GOOD = 0
FORWARD, INVERSE, BOTH = ua.BrowseDirection.Forward, ua.BrowseDirection.Inverse, ua.BrowseDirection.Both
DEVICE, MONITORING, FORCE = (ua.NodeId(name, 2) for name in ("press1", "press1/Monitoring", "press1.force"))
OBJECTS, SERVER = ua.NodeId(85), ua.NodeId(2253)
HIERARCHICAL, ORGANIZES, COMPONENT, PROPERTY, TYPE = (ua.NodeId(number) for number in (33, 35, 47, 46, 40))
REFERENCES = ua.NodeId(31)


def description(node_id: Any, **fields: Any) -> Any:
    """A BrowseDescription; without fields all hierarchical references forward, with everything."""
    one = ua.BrowseDescription()
    given = {
        "NodeId": node_id, "BrowseDirection": FORWARD, "ReferenceTypeId": HIERARCHICAL, "IncludeSubtypes": True,
        "NodeClassMask": 0, "ResultMask": 63,
    } | fields  # fmt: skip
    for name, value in given.items():
        setattr(one, name, value)
    return one


def browse(peer: Any, *described: Any, most: int = 0, view: Any = None) -> Any:
    """A Browse; its response."""
    asked = ua.BrowseRequest()
    asked.Parameters.NodesToBrowse, asked.Parameters.RequestedMaxReferencesPerNode = list(described), most
    if view is not None:
        asked.Parameters.View.ViewId = view
    return peer.ask(asked)


def names(result: Any) -> set[str]:
    """Browse names."""
    return {one.BrowseName.Name for one in result.References}


RESULTS: list[tuple[str, Any, dict[str, Any], int, set[str]]] = [
    ("hierarchical_references_forward", DEVICE, {}, GOOD,
     {"Identification", "Monitoring", "Production", "Setpoint", "DeviceHealth"}),
    ("node_class_object", DEVICE, {"NodeClassMask": 1}, GOOD, {"Identification", "Monitoring", "Production"}),
    ("node_class_variable", DEVICE, {"NodeClassMask": 2}, GOOD, {"Setpoint", "DeviceHealth"}),
    ("node_classes_together", DEVICE, {"NodeClassMask": 3}, GOOD,
     {"Identification", "Monitoring", "Production", "Setpoint", "DeviceHealth"}),
    ("a_node_class_that_is_not_there", DEVICE, {"NodeClassMask": 4}, GOOD, set()),
    ("one_reference_type_without_subtypes", FORCE, {"ReferenceTypeId": PROPERTY, "IncludeSubtypes": False}, GOOD,
     {"EURange", "EngineeringUnits"}),
    ("a_supertype_without_subtypes", FORCE, {"ReferenceTypeId": HIERARCHICAL, "IncludeSubtypes": False}, GOOD, set()),
    ("a_supertype_with_subtypes", FORCE, {"ReferenceTypeId": ua.NodeId(44)}, GOOD, {"EURange", "EngineeringUnits"}),
    ("another_reference_type", FORCE, {"ReferenceTypeId": ORGANIZES}, GOOD, set()),
    ("the_type_definition", FORCE, {"ReferenceTypeId": TYPE}, GOOD, {"AnalogUnitRangeType"}),
    ("all_references_by_null", FORCE, {"ReferenceTypeId": ua.NodeId()}, GOOD,
     {"EURange", "EngineeringUnits", "AnalogUnitRangeType"}),
    ("all_references_by_their_root", FORCE, {"ReferenceTypeId": REFERENCES}, GOOD,
     {"EURange", "EngineeringUnits", "AnalogUnitRangeType"}),
    ("inverse_references", FORCE, {"BrowseDirection": INVERSE}, GOOD, {"Ram"}),
    ("both_directions", FORCE, {"BrowseDirection": BOTH}, GOOD, {"Ram", "EURange", "EngineeringUnits"}),
    ("inverse_of_one_type", ua.NodeId(2253), {"BrowseDirection": INVERSE, "ReferenceTypeId": ORGANIZES}, GOOD,
     {"Objects"}),
    ("no_forward_type_definition_inverse", FORCE, {"BrowseDirection": INVERSE, "ReferenceTypeId": TYPE}, GOOD, set()),
    ("an_unknown_node", ua.NodeId("nope", 2), {}, S.BadNodeIdUnknown, set()),
    ("the_null_node", ua.NodeId(), {}, S.BadNodeIdUnknown, set()),
    ("an_unknown_namespace", ua.NodeId("press1", 77), {}, S.BadNodeIdUnknown, set()),
    ("an_unknown_reference_type", DEVICE, {"ReferenceTypeId": ua.NodeId(999_999)}, S.BadReferenceTypeIdInvalid, set()),
    ("a_reference_type_that_is_an_object", DEVICE, {"ReferenceTypeId": OBJECTS}, S.BadReferenceTypeIdInvalid, set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("node_id", "fields", "code", "expected"), [row[1:] for row in RESULTS], ids=[f"5_9_2_{row[0]}" for row in RESULTS]
)
def test_browse(peer: Any, node_id: Any, fields: dict[str, Any], code: int, expected: set[str]) -> None:
    """Direction, reference type, subtypes and node classes pick the references."""
    result = browse(peer, description(node_id, **fields)).Results[0]
    assert (result.StatusCode.value, names(result)) == (code, expected)


MASKS: list[tuple[str, int, Any, Any]] = [
    ("reference_type", 1, lambda one: one.ReferenceTypeId.is_null(), False),
    ("is_forward", 2, lambda one: one.IsForward, True),
    ("node_class", 4, lambda one: one.NodeClass_, ua.NodeClass.Variable),
    ("browse_name", 8, lambda one: one.BrowseName.Name, "Setpoint"),
    ("display_name", 16, lambda one: one.DisplayName.Text, "Setpoint"),
    ("type_definition", 32, lambda one: one.TypeDefinition.is_null(), False),
]


def _class(one: Any) -> Any:
    return one.NodeClass


@pytest.mark.parametrize(
    ("bit", "look", "value"), [row[1:] for row in MASKS], ids=[f"5_9_2_mask_{row[0]}" for row in MASKS]
)
def test_result_mask(peer: Any, bit: int, look: Any, value: Any) -> None:
    """A field is given exactly when its bit is set; the node's id always is."""
    look = _class if bit == 4 else look
    only = browse(peer, description(DEVICE, NodeClassMask=2, ResultMask=bit)).Results[0].References[0]
    without = browse(peer, description(DEVICE, NodeClassMask=2, ResultMask=63 - bit)).Results[0].References[0]
    assert look(only) == value
    assert look(without) != value
    assert only.NodeId.Identifier == without.NodeId.Identifier == "press1.setpoint"


@pytest.mark.parametrize(
    ("count", "code"), [(0, S.BadNothingToDo), (1000, GOOD), (1001, S.BadTooManyOperations)],
    ids=["5_9_2_nothing_to_do", "5_9_2_the_limit", "5_9_2_above_the_limit"],
)  # fmt: skip
def test_browse_service(peer: Any, count: int, code: int) -> None:
    """The number of nodes is limited as the server says."""
    response = browse(peer, *[description(FORCE, ResultMask=0)] * count)
    assert response.ResponseHeader.ServiceResult.value == code


@pytest.mark.parametrize(
    ("view", "code"), [(OBJECTS, S.BadViewIdUnknown), (ua.NodeId("x", 9), S.BadViewIdUnknown)],
    ids=["5_9_2_a_view_that_is_none", "5_9_2_an_unknown_view"],
)  # fmt: skip
def test_browse_view(peer: Any, view: Any, code: int) -> None:
    """A view must be one."""
    assert browse(peer, description(DEVICE), view=view).ResponseHeader.ServiceResult.value == code


def test_5_9_2_an_invalid_direction_is_told(peer: Any) -> None:
    """A direction beyond Both has its own code, of the operation or of the request."""
    response = browse(peer, description(DEVICE, BrowseDirection=ua.BrowseDirection(3)))
    codes = [response.ResponseHeader.ServiceResult.value]
    codes += [one.StatusCode.value for one in getattr(response, "Results", [])]
    assert S.BadBrowseDirectionInvalid in codes


def test_5_9_2_results_stand_in_the_order_of_the_request(peer: Any) -> None:
    """One bad node does not spoil the others."""
    results = browse(peer, description(DEVICE), description(ua.NodeId(5, 9)), description(FORCE)).Results
    assert [one.StatusCode.value for one in results] == [GOOD, S.BadNodeIdUnknown, GOOD]


def test_5_9_2_every_reference_has_its_inverse(peer: Any) -> None:
    """What a folder shows leads back to it."""
    for one in browse(peer, description(MONITORING)).Results[0].References:
        back = browse(peer, description(one.NodeId, BrowseDirection=INVERSE)).Results[0]
        assert MONITORING in [ref.NodeId for ref in back.References]


def go_on(peer: Any, *points: bytes, release: bool = False) -> Any:
    """A BrowseNext; its response."""
    asked = ua.BrowseNextRequest()
    asked.Parameters.ContinuationPoints, asked.Parameters.ReleaseContinuationPoints = list(points), release
    return peer.ask(asked)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 100], ids=lambda most: f"5_9_3_pages_of_{most}")
def test_browse_pages(peer: Any, most: int) -> None:
    """Pages of any size give together what one gives, none twice."""
    whole = [one.NodeId for one in browse(peer, description(MONITORING)).Results[0].References]
    result = browse(peer, description(MONITORING), most=most).Results[0]
    found = [one.NodeId for one in result.References]
    while result.ContinuationPoint:
        result = go_on(peer, result.ContinuationPoint).Parameters.Results[0]
        assert 0 < len(result.References) <= most
        found += [one.NodeId for one in result.References]
    assert found == whole


def test_5_9_3_a_point_is_used_once(peer: Any) -> None:
    """After it was used, a continuation point is invalid."""
    point = browse(peer, description(MONITORING), most=1).Results[0].ContinuationPoint
    go_on(peer, point)
    assert go_on(peer, point).Parameters.Results[0].StatusCode.value == S.BadContinuationPointInvalid


def test_5_9_3_a_released_point_is_gone(peer: Any) -> None:
    """Release gives nothing and ends the point."""
    point = browse(peer, description(MONITORING), most=1).Results[0].ContinuationPoint
    released = go_on(peer, point, release=True).Parameters.Results[0]
    assert (released.StatusCode.value, released.References, released.ContinuationPoint) in [
        (GOOD, none, point_) for none in (None, []) for point_ in (None, b"")
    ]
    assert go_on(peer, point).Parameters.Results[0].StatusCode.value == S.BadContinuationPointInvalid


def test_5_9_3_an_unknown_point_is_invalid(peer: Any) -> None:
    """Bytes that were never given are no point."""
    assert go_on(peer, b"made up").Parameters.Results[0].StatusCode.value == S.BadContinuationPointInvalid


def test_5_9_3_an_empty_list_is_nothing_to_do(peer: Any) -> None:
    """There must be at least one point."""
    assert go_on(peer).ResponseHeader.ServiceResult.value == S.BadNothingToDo


def test_5_9_3_a_point_is_of_one_session(server: Any, peer: Any, connect: Any) -> None:
    """Another session cannot go on with it."""
    point = browse(peer, description(MONITORING), most=1).Results[0].ContinuationPoint
    other = connect(server).login()
    assert go_on(other, point).Parameters.Results[0].StatusCode.value == S.BadContinuationPointInvalid
    assert go_on(peer, point).Parameters.Results[0].StatusCode.value == GOOD


def test_7_9_points_within_one_request_do_not_give_way(server: Any, peer: Any) -> None:
    """More points than there may be in one request: the rest has BadNoContinuationPoints."""
    server.limits.max_browse_points = 2
    results = browse(peer, *[description(MONITORING)] * 3, most=1).Results
    assert [one.StatusCode.value for one in results] == [GOOD, GOOD, S.BadNoContinuationPoints]


def element(name: str | None, index: int = 2, kind: Any = HIERARCHICAL, inverse: bool = False, sub: bool = True) -> Any:
    """A RelativePathElement."""
    return ua.RelativePathElement(kind, inverse, sub, ua.QualifiedName(name, index))


def walk(peer: Any, start: Any, *elements: Any) -> Any:
    """TranslateBrowsePathsToNodeIds of one path; its result."""
    asked = ua.TranslateBrowsePathsToNodeIdsRequest()
    asked.Parameters.BrowsePaths = [ua.BrowsePath(start, ua.RelativePath(list(elements)))]
    return peer.ask(asked).Results[0]


PATHS: list[tuple[str, Any, list[Any], int, Any]] = [
    ("one_step", DEVICE, [element("Setpoint")], GOOD, "press1.setpoint"),
    ("several_steps", DEVICE, [element(name) for name in ("Monitoring", "Ram", "Force")], GOOD, "press1.force"),
    ("an_inverse_step", FORCE, [element("Ram", inverse=True)], GOOD, "press1/Monitoring/Ram"),
    ("one_reference_type", FORCE, [element("EURange", 0, PROPERTY, sub=False)], GOOD, "press1.force/EURange"),
    ("any_reference_type_by_null", FORCE, [element("EURange", 0, ua.NodeId())], GOOD, "press1.force/EURange"),
    ("a_supertype_without_subtypes", FORCE, [element("EURange", 0, HIERARCHICAL, sub=False)], S.BadNoMatch, None),
    ("a_name_that_is_not_there", DEVICE, [element("Nope")], S.BadNoMatch, None),
    ("a_name_of_another_namespace", DEVICE, [element("Setpoint", 0)], S.BadNoMatch, None),
    ("a_name_in_other_letters", DEVICE, [element("setpoint")], S.BadNoMatch, None),
    ("the_wrong_direction", DEVICE, [element("Setpoint", inverse=True)], S.BadNoMatch, None),
    ("a_reference_type_that_is_none", DEVICE, [element("Setpoint", 2, OBJECTS)], S.BadNoMatch, None),
    ("an_empty_name", DEVICE, [element("")], S.BadBrowseNameInvalid, None),
    ("a_null_name", DEVICE, [element(None)], S.BadBrowseNameInvalid, None),
    ("no_step_at_all", DEVICE, [], S.BadNothingToDo, None),
    ("an_unknown_start", ua.NodeId("nope", 2), [element("Setpoint")], S.BadNodeIdUnknown, None),
    ("the_null_start", ua.NodeId(), [element("Setpoint")], S.BadNodeIdUnknown, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "elements", "code", "target"), [row[1:] for row in PATHS], ids=[f"5_9_4_{row[0]}" for row in PATHS]
)
def test_translate(peer: Any, start: Any, elements: list[Any], code: int, target: str | None) -> None:
    """A path leads to its node with nothing left over, or says why not."""
    result = walk(peer, start, *elements)
    assert result.StatusCode.value == code
    if target is not None:
        assert [(one.TargetId.Identifier, one.RemainingPathIndex) for one in result.Targets] == [(target, 2**32 - 1)]


@pytest.mark.parametrize(
    ("count", "code"), [(0, S.BadNothingToDo), (1000, GOOD), (1001, S.BadTooManyOperations)],
    ids=["5_9_4_nothing_to_do", "5_9_4_the_limit", "5_9_4_above_the_limit"],
)  # fmt: skip
def test_translate_service(peer: Any, count: int, code: int) -> None:
    """The number of paths is limited as the server says."""
    asked = ua.TranslateBrowsePathsToNodeIdsRequest()
    asked.Parameters.BrowsePaths = [ua.BrowsePath(DEVICE, ua.RelativePath([element("Setpoint")]))] * count
    assert peer.result(asked) == code


@pytest.mark.parametrize("service", ["5_9_5_Register", "5_9_6_Unregister"])
@pytest.mark.parametrize(
    ("count", "code"), [(0, S.BadNothingToDo), (1, GOOD), (1000, GOOD), (1001, S.BadTooManyOperations)],
    ids=["nothing_to_do", "one_node", "the_limit", "above_the_limit"],
)  # fmt: skip
def test_register(peer: Any, service: str, count: int, code: int) -> None:
    """RegisterNodes and UnregisterNodes take as many nodes as the server says."""
    register = service == "5_9_5_Register"
    asked = ua.RegisterNodesRequest() if register else ua.UnregisterNodesRequest()
    if register:
        asked.Parameters.NodesToRegister = [FORCE] * count
    else:
        asked.Parameters.NodesToUnregister = [FORCE] * count
    assert peer.result(asked) == code


def test_5_9_5_a_registered_node_can_be_read(peer: Any, reading: Any) -> None:
    """The id that RegisterNodes gives works like the node's own."""
    asked = ua.RegisterNodesRequest()
    asked.Parameters.NodesToRegister = [FORCE]
    (given,) = peer.ask(asked).Parameters.RegisteredNodeIds
    assert peer.read(reading(given)).Results[0].Value.Value == 50.0
