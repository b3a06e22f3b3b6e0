"""Call, claim by claim (OPC 10000-4 §5.12; OPC 10000-5 §9.1, §9.2)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S

VT = ua.VariantType
GOOD = 0
SERVER, GET_ITEMS, RESEND = ua.NodeId(2253), ua.NodeId(11492), ua.NodeId(12873)
PRODUCTION, ADD = ua.NodeId("stamp1/Production", 2), ua.NodeId("stamp1/Production/Add", 2)
COUNT, WHY = ua.Variant(3, VT.UInt32), ua.Variant("order", VT.String)


def call(peer: Any, object_id: Any, method_id: Any, *arguments: Any) -> Any:
    """Call one method; its result."""
    asked = ua.CallRequest()
    asked.Parameters.MethodsToCall = [ua.CallMethodRequest(object_id, method_id, list(arguments))]
    return peer.ask(asked).Results[0]


CALLS: list[tuple[str, Any, Any, list[Any], int]] = [
    ("right_arguments", PRODUCTION, ADD, [COUNT, WHY], GOOD),
    ("no_arguments", PRODUCTION, ADD, [], S.BadArgumentsMissing),
    ("too_few_arguments", PRODUCTION, ADD, [COUNT], S.BadArgumentsMissing),
    ("too_many_arguments", PRODUCTION, ADD, [COUNT, WHY, WHY], S.BadTooManyArguments),
    ("an_argument_of_another_type", PRODUCTION, ADD, [ua.Variant(3.0, VT.Double), WHY], S.BadInvalidArgument),
    ("an_array_for_a_scalar", PRODUCTION, ADD, [ua.Variant([3], VT.UInt32), WHY], S.BadInvalidArgument),
    ("null_for_a_number", PRODUCTION, ADD, [ua.Variant(), WHY], S.BadInvalidArgument),
    ("what_the_device_refuses", PRODUCTION, ADD, [ua.Variant(0, VT.UInt32), WHY], S.BadOutOfRange),
    ("an_unknown_object", ua.NodeId("nope", 2), ADD, [COUNT, WHY], S.BadNodeIdUnknown),
    ("an_unknown_method", PRODUCTION, ua.NodeId("nope", 2), [], S.BadNodeIdUnknown),
    ("an_object_as_method", PRODUCTION, PRODUCTION, [], S.BadMethodInvalid),
    ("a_variable_as_object", ua.NodeId("stamp1.force", 2), ADD, [COUNT, WHY], S.BadNodeIdInvalid),
    ("a_method_of_another_object", SERVER, ADD, [COUNT, WHY], S.BadMethodInvalid),
    ("a_method_of_another_device", ua.NodeId("stamp2/Production", 2), ADD, [COUNT, WHY], S.BadMethodInvalid),
]  # fmt: skip


@pytest.mark.parametrize(
    ("object_id", "method_id", "arguments", "code"),
    [row[1:] for row in CALLS],
    ids=[f"5_12_2_{row[0]}" for row in CALLS],
)
def test_call(caller: Any, object_id: Any, method_id: Any, arguments: list[Any], code: int) -> None:
    """A method is called, or the call says what is wrong with it; only a good one has outputs."""
    result = call(caller, object_id, method_id, *arguments)
    assert result.StatusCode.value == code
    assert bool(result.OutputArguments) == (code == GOOD)


def test_5_12_2_outputs_have_their_type(caller: Any) -> None:
    """The device counted up and tells how far."""
    (total,) = call(caller, PRODUCTION, ADD, COUNT, WHY).OutputArguments
    assert (total.Value, total.VariantType) == (10, VT.UInt32)


def test_5_12_2_each_argument_has_its_result(caller: Any) -> None:
    """InputArgumentResults says which argument is wrong."""
    result = call(caller, PRODUCTION, ADD, ua.Variant("3", VT.String), WHY)
    assert [one.value for one in result.InputArgumentResults] == [S.BadTypeMismatch, GOOD]


@pytest.mark.parametrize(
    ("count", "code"), [(0, S.BadNothingToDo), (100, GOOD), (101, S.BadTooManyOperations)],
    ids=["5_12_2_nothing_to_do", "5_12_2_the_limit", "5_12_2_above_the_limit"],
)  # fmt: skip
def test_service(caller: Any, count: int, code: int) -> None:
    """The number of calls is limited as the server says."""
    asked = ua.CallRequest()
    asked.Parameters.MethodsToCall = [ua.CallMethodRequest(PRODUCTION, ADD, [COUNT, WHY])] * count
    assert caller.result(asked) == code


def test_part5_9_1_get_monitored_items(watch: Any, reading: Any) -> None:
    """The handles of a subscription, as the server and as the client know them."""
    first, second = (one.MonitoredItemId for one in watch.ask_items(reading("force"), reading("count")).Results)
    result = call(watch.peer, SERVER, GET_ITEMS, ua.Variant(watch.id, VT.UInt32))
    assert [one.Value for one in result.OutputArguments] == [[first, second], [1, 2]]


@pytest.mark.parametrize("method", [GET_ITEMS, RESEND], ids=["part5_9_1_get_monitored_items", "part5_9_2_resend_data"])
def test_unknown_subscription(peer: Any, method: Any) -> None:
    """Of a subscription that is not there nothing is told or sent."""
    assert call(peer, SERVER, method, ua.Variant(77, VT.UInt32)).StatusCode.value == S.BadSubscriptionIdInvalid


@pytest.mark.parametrize("method", [GET_ITEMS, RESEND], ids=["part5_9_1_get_monitored_items", "part5_9_2_resend_data"])
def test_foreign_subscription(watch: Any, server: Any, connect: Any, method: Any) -> None:
    """Another session's subscription is out of reach."""
    other = connect(server).login()
    result = call(other, SERVER, method, ua.Variant(watch.id, VT.UInt32))
    assert result.StatusCode.value in (S.BadUserAccessDenied, S.BadSubscriptionIdInvalid)


def test_part5_9_2_resend_data_reports_everything_again(watch: Any, reading: Any) -> None:
    """After ResendData the last values come again."""
    watch.ask_items(reading("force"), reading("order"))
    assert watch.heard() == [50.0, "A-1"]
    assert call(watch.peer, SERVER, RESEND, ua.Variant(watch.id, VT.UInt32)).StatusCode.value == GOOD
    assert watch.heard() == [50.0, "A-1"]
