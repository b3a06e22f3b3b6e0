"""Call (OPC 10000-4 §5.12.2): which method, whose, and whether its arguments fit."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

S, VT = ua.StatusCodes, ua.VariantType
FOLDER, ADD = ua.NodeId("stamp1/Production", 2), ua.NodeId("stamp1/Production/Add", 2)
SERVER = ua.NodeId(2253)


def call(peer: Any, node: Any, method: Any, *arguments: Any) -> Any:
    """The result of one call."""
    asked = ua.CallRequest()
    asked.Parameters.MethodsToCall = [ua.CallMethodRequest(node, method, list(arguments))]
    return peer.ask(asked).Results[0]


def u32(value: int) -> Any:
    """A UInt32."""
    return ua.Variant(value, VT.UInt32)


def test_a_method_is_done_and_gives_typed_results(caller: Any, stamps: Any) -> None:
    """The device does it; what it returns has the declared types."""
    result = call(caller, FOLDER, ADD, u32(3), ua.Variant("more"))
    assert result.StatusCode.value == 0
    assert [(one.Value, one.VariantType) for one in result.OutputArguments] == [(10, VT.UInt32)]
    assert stamps.devices["stamp1"]["count"] == 10
    assert not result.InputArgumentResults


@pytest.mark.parametrize(
    ("arguments", "code", "each"),
    [
        ([], S.BadArgumentsMissing, []),
        ([u32(1)], S.BadArgumentsMissing, []),
        ([u32(1), ua.Variant("x"), u32(1)], S.BadTooManyArguments, []),
        ([ua.Variant(1, VT.Int32), ua.Variant("x")], S.BadInvalidArgument, [S.BadTypeMismatch, 0]),
        ([ua.Variant([1], VT.UInt32), ua.Variant(5.0)], S.BadInvalidArgument, [S.BadTypeMismatch, S.BadTypeMismatch]),
        ([u32(0), ua.Variant("x")], S.BadOutOfRange, []),
    ],
)
def test_arguments_are_judged_one_by_one(caller: Any, arguments: list[Any], code: int, each: list[int]) -> None:
    """Count, types, then the device's own word; InputArgumentResults tell which was wrong."""
    result = call(caller, FOLDER, ADD, *arguments)
    assert result.StatusCode.value == code
    assert [one.value for one in result.InputArgumentResults] == each


@pytest.mark.parametrize(
    ("node", "method", "code"),
    [
        (ua.NodeId("nobody", 2), ADD, S.BadNodeIdUnknown),
        (FOLDER, ua.NodeId("nobody", 2), S.BadNodeIdUnknown),
        (ua.NodeId("stamp1.force", 2), ADD, S.BadNodeIdInvalid),
        (ua.NodeId("stamp2/Production", 2), ADD, S.BadMethodInvalid),
        (FOLDER, FOLDER, S.BadMethodInvalid),
        (FOLDER, ua.NodeId(11492), S.BadMethodInvalid),
    ],
)
def test_a_method_belongs_to_its_object(caller: Any, node: Any, method: Any, code: int) -> None:
    """Object and method must exist and belong together."""
    assert call(caller, node, method, u32(1), ua.Variant("x")).StatusCode.value == code


def test_requests_have_a_size(caller: Any) -> None:
    """No call at all and too many calls are refused as a whole."""
    asked = ua.CallRequest()
    assert caller.result(asked) == S.BadNothingToDo
    asked.Parameters.MethodsToCall = [ua.CallMethodRequest(FOLDER, ADD, [])] * 101
    assert caller.result(asked) == S.BadTooManyOperations


def test_an_observer_may_not_call(stamp_server: Any, connect: Any) -> None:
    """Without the permission the call is refused and UserExecutable is false; to look is allowed."""
    stamp_server.accounts.anonymous = "Observer"
    viewer = connect(stamp_server).login()
    assert call(viewer, FOLDER, ADD, u32(1), ua.Variant("x")).StatusCode.value == S.BadUserAccessDenied
    reading = [ua.ReadValueId(ADD, attribute) for attribute in (21, 22)]
    assert [one.Value.Value for one in viewer.read(*reading).Results] == [True, False]
    assert call(viewer, SERVER, ua.NodeId(11492), u32(1)).StatusCode.value == S.BadSubscriptionIdInvalid


def test_arguments_speak_the_sessions_language(stamp_server: Any, connect: Any) -> None:
    """InputArguments is an array of Argument whose descriptions are in the session's locale."""
    peer = connect(stamp_server).login(["zh-Hant"])
    inputs = peer.read(ua.ReadValueId(ua.NodeId("stamp1/Production/Add/InputArguments", 2), 13)).Results[0].Value.Value
    assert [(one.Name, one.DataType.Identifier, one.Description.Text) for one in inputs] == [
        ("Count", 7, "多少"),
        ("Why", 12, "Why"),
    ]


def test_a_paused_plant_takes_no_call(caller: Any, stamps: Any) -> None:
    """What cannot be repeated from the journal is refused."""
    stamps.clock.pause()
    assert call(caller, FOLDER, ADD, u32(1), ua.Variant("x")).StatusCode.value == S.BadInvalidState


def test_items_can_be_asked_for_and_resent(caller: Any, stamp_server: Any, connect: Any) -> None:
    """GetMonitoredItems and ResendData serve the session's own subscriptions only."""
    made = caller.ask(ua.CreateSubscriptionRequest())
    number = made.Parameters.SubscriptionId
    asked = ua.CreateMonitoredItemsRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.TimestampsToReturn = number, ua.TimestampsToReturn.Both
    item = ua.MonitoredItemCreateRequest(ua.ReadValueId(ua.NodeId("stamp1.force", 2), 13))
    item.RequestedParameters.ClientHandle = 77
    asked.Parameters.ItemsToCreate = [item]
    made_item = caller.ask(asked).Results[0].MonitoredItemId
    result = call(caller, SERVER, ua.NodeId(11492), u32(number))
    assert [one.Value for one in result.OutputArguments] == [[made_item], [77]]
    assert call(caller, SERVER, ua.NodeId(12873), u32(number)).StatusCode.value == 0
    other = connect(stamp_server).login()
    for method in (11492, 12873):
        assert call(other, SERVER, ua.NodeId(method), u32(number)).StatusCode.value == S.BadUserAccessDenied
        assert call(other, SERVER, ua.NodeId(method), u32(1)).StatusCode.value == S.BadSubscriptionIdInvalid


def test_calls_are_evidence(caller: Any, events: Any) -> None:
    """Each call is one event with the device's own name of the method, arguments, results and status."""
    call(caller, FOLDER, ADD, u32(3), ua.Variant("more"))
    call(caller, FOLDER, ADD, u32(3))
    done, refused = [event for event in events if event.kind == "call"]
    assert (done.device, done.status) == ("stamp1", 0)
    assert done.detail == {
        "node": "ns=2;s=stamp1/Production",
        "method": "ns=2;s=stamp1/Production/Add",
        "name": "add",
        "arguments": [3, "more"],
        "results": [10],
    }
    assert (refused.status, refused.detail["arguments"]) == (S.BadArgumentsMissing, [3])


VARIANTS = st.one_of(
    st.integers(0, 2**32 - 1).map(u32), st.floats().map(ua.Variant), st.text(max_size=9).map(ua.Variant),
    st.binary(max_size=20).map(ua.Variant), st.just(ua.Variant(None, VT.ByteString)), st.just(ua.Variant(None, VT.String)),
    st.text(max_size=5).map(lambda text: ua.Variant(ua.LocalizedText(text))), st.just(ua.Variant(ua.LocalizedText())),
    st.booleans().map(ua.Variant), st.lists(st.integers(0, 9), max_size=3).map(lambda v: ua.Variant(v, VT.UInt32)),
    st.just(ua.Variant()),
)  # fmt: skip
METHODS = [
    ADD,
    *(ua.NodeId(n) for n in (11492, 12873, 9111, 9113, 9029, 9027, 9028, 2949, 2948, 2947, 9213, 3875, 12912)),
]
OBJECTS = [FOLDER, SERVER, ua.NodeId(2782), *(
    ua.NodeId(f"stamp1/Alarms/{name}", 2) for name in ("ForceLimit", "ForceLimit/ShelvingState", "Stopped")
)]  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(OBJECTS), st.sampled_from(METHODS), st.lists(VARIANTS, max_size=3))
def test_no_call_breaks_the_core(caller: Any, node: Any, method: Any, arguments: list[Any]) -> None:
    """Whatever is called with whatever, it gives a result, and none is an internal error."""
    assert call(caller, node, method, *arguments).StatusCode.value != S.BadInternalError
