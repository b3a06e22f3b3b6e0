"""Events and conditions of devices (OPC 10000-9 §5): who hears of them, and what can be done with them."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary

S, VT = ua.StatusCodes, ua.VariantType
SERVER, STAMP1, STAMP2 = ua.NodeId(2253), ua.NodeId("stamp1", 2), ua.NodeId("stamp2", 2)
FORCE = ua.NodeId("stamp1/Alarms/ForceLimit", 2)
SHELVING = ua.NodeId("stamp1/Alarms/ForceLimit/ShelvingState", 2)
ACKNOWLEDGE, CONFIRM, COMMENT, ENABLE, DISABLE = (ua.NodeId(n) for n in (9111, 9113, 9029, 9027, 9028))
TIMED, ONE_SHOT, UNSHELVE, REFRESH, REFRESH2 = (ua.NodeId(n) for n in (2949, 2948, 2947, 3875, 12912))
CONDITION = ua.NodeId(2782)
SELECTED = (
    "EventId", "EventType", "SourceName", "Message", "Severity", "ConditionName", "Retain", "ActiveState/Id",
    "AckedState/Id", "ConfirmedState/Id", "Comment", "ClientUserId", "EnabledState/Id", "ShelvingState/CurrentState",
    "LimitState/CurrentState",
)  # fmt: skip


def select(*names: str, namespace: int = 0) -> Any:
    """An EventFilter that selects fields of any type."""
    filter_ = ua.EventFilter()
    for name in names:
        one = ua.SimpleAttributeOperand()
        one.TypeDefinitionId, one.AttributeId = ua.NodeId(2041), 13
        one.BrowsePath = [ua.QualifiedName(part, namespace) for part in name.split("/")]
        filter_.SelectClauses.append(one)
    return filter_


def only(filter_: Any, operator: Any, *operands: Any) -> Any:
    """The filter with a where clause of one element."""
    one = ua.ContentFilterElement()
    one.FilterOperator, one.FilterOperands = operator, list(operands)
    filter_.WhereClause.Elements = [one]
    return filter_


class Watcher:
    """A client with a subscription on events; time goes by hand."""

    def __init__(self, peer: Any, plant: Any, wall: Any, most: int = 0) -> None:
        self.peer, self.plant, self.wall = peer, plant, wall
        asked = ua.CreateSubscriptionRequest()
        asked.Parameters.RequestedPublishingInterval, asked.Parameters.PublishingEnabled = 100, True
        asked.Parameters.RequestedLifetimeCount, asked.Parameters.RequestedMaxKeepAliveCount = 3000, 1000
        asked.Parameters.MaxNotificationsPerPublish = most
        self.id = peer.ask(asked).Parameters.SubscriptionId
        self.names: tuple[str, ...] = SELECTED

    def watch(
        self, node: Any = SERVER, filter_: Any = None, queue: int = 100, oldest: bool = True, mode: int = 2
    ) -> Any:
        """Create an event item; its result."""
        one = ua.MonitoredItemCreateRequest()
        one.ItemToMonitor, one.MonitoringMode = ua.ReadValueId(node, 12), ua.MonitoringMode(mode)
        one.RequestedParameters.Filter = select(*SELECTED) if filter_ is None else filter_
        one.RequestedParameters.QueueSize, one.RequestedParameters.DiscardOldest = queue, oldest
        asked = ua.CreateMonitoredItemsRequest()
        asked.Parameters.SubscriptionId, asked.Parameters.ItemsToCreate = self.id, [one]
        asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        return self.peer.ask(asked).Results[0]

    def heard(self) -> list[dict[str, Any]]:
        """Events that came since the last time, by field."""
        self.peer.post(ua.PublishRequest())
        for _ in range(3):
            self.wall.seconds += 0.1
            self.peer.server.timers.tick(self.wall.seconds + 0.001)
        found = []
        for chunk in self.peer.chunks():
            message = struct_from_binary(ua.PublishResponse, Buffer(chunk[24:])).Parameters.NotificationMessage
            for part in message.NotificationData:
                for event in part.Events:
                    values = [getattr(field.Value, "Text", field.Value) for field in event.EventFields]
                    found.append(dict(zip(self.names, values, strict=False)))
        return found

    def force(self, *values: float) -> None:
        """Let the force of stamp1 be one value after another, for a step each."""
        for value in values:
            self.plant.store.set(self.plant.store["stamp1.force"].row, value)
            self.plant.advance()

    def call(self, node: Any, method: Any, *arguments: Any) -> int:
        """The status of one call."""
        asked = ua.CallRequest()
        given = [one if isinstance(one, ua.Variant) else ua.Variant(one) for one in arguments]
        asked.Parameters.MethodsToCall = [ua.CallMethodRequest(node, method, given)]
        return int(self.peer.ask(asked).Results[0].StatusCode.value)


@pytest.fixture
def watcher(caller: Any, stamps: Any, wall: Any) -> Watcher:
    """A client of the stamps."""
    return Watcher(caller, stamps, wall)


def said(text: str) -> Any:
    """A LocalizedText."""
    return ua.LocalizedText(text, "en")


def test_an_event_of_a_device(watcher: Watcher) -> None:
    """Its fields, the text in the session's language; what it does not have is null."""
    filter_ = select("EventType", "SourceNode", "Message", "Severity", "ConditionName")
    filter_.SelectClauses += select("Order", "Number", namespace=2).SelectClauses
    assert watcher.watch(filter_=filter_).StatusCode.value == 0
    watcher.names = ("type", "source", "message", "severity", "condition", "order", "number")
    watcher.plant.devices["stamp1"].emit("Stamped", Order="A-7", Force=12.5, Number=3)
    assert watcher.heard() == [
        {
            "type": ua.NodeId("StampedEventType", 2), "source": STAMP1, "message": "A-7 stamped", "severity": 300,
            "condition": None, "order": "A-7", "number": 3,
        }
    ]  # fmt: skip


def test_events_go_to_notifiers_above_the_source(watcher: Watcher) -> None:
    """The Server hears all, a device its own only; an object that tells nothing cannot be watched."""
    for node in (SERVER, STAMP1, STAMP2):
        assert watcher.watch(node).StatusCode.value == 0
    watcher.force(190)
    assert len(watcher.heard()) == 2
    folder = watcher.watch(ua.NodeId("stamp1/Alarms", 2)).StatusCode.value
    assert folder == S.BadNotSupported


@pytest.mark.parametrize(
    "rights",
    [{"stamp1": {"browse": ("Engineer",)}}, {"stamp1": {"events": ("Engineer",)}}],
    ids=["browse", "events"],
)
def test_nobody_hears_of_what_is_hidden_from_him(watcher: Watcher, stamps: Any) -> None:
    """Without ReceiveEvents, or Browse, a device's events and alarms are not told: live, refreshed or from history."""
    watcher.watch()
    watcher.force(190)
    watcher.plant.devices["stamp1"].emit("Stamped", Order="A-7", Force=12.5, Number=3)
    watcher.plant.devices["stamp2"].emit("Stamped", Order="B-8", Force=12.5, Number=4)
    assert [event["SourceName"] for event in watcher.heard()] == ["stamp2"]
    assert watcher.call(CONDITION, REFRESH, ua.Variant(watcher.id, VT.UInt32)) == 0
    assert [event["EventType"] for event in watcher.heard()] == [ua.NodeId(2787), ua.NodeId(2788)]
    details = ua.ReadEventDetails()
    details.NumValuesPerNode, details.Filter = 50, select("SourceName")
    details.StartTime = ua.win_epoch_to_datetime(watcher.peer.server.started)
    details.EndTime = ua.win_epoch_to_datetime(watcher.peer.server.store.now() + 10**8)
    asked = ua.HistoryReadRequest()
    asked.Parameters.HistoryReadDetails = details
    one = ua.HistoryReadValueId(SERVER)
    one.IndexRange, one.ContinuationPoint, one.DataEncoding = None, None, ua.QualifiedName(None, 0)
    asked.Parameters.NodesToRead, asked.Parameters.ReleaseContinuationPoints = [one], False
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    (found,) = watcher.peer.ask(asked).Results
    assert found.StatusCode.value == 0
    events = found.HistoryData.Events
    assert [event.EventFields[0].Value for event in events] == ["stamp2"]
    assert any(one.device == "stamp1" for one in stamps.events)


def test_an_alarm_from_rise_to_rest(watcher: Watcher) -> None:
    """Active, more severe, acknowledged, inactive, confirmed: each is an event, and Retain ends with the last."""
    watcher.watch()
    watcher.force(160)
    (event,) = watcher.heard()
    assert (event["ConditionName"], event["Severity"], event["Message"]) == ("ForceLimit", 500, "Force (high)")
    assert (event["ActiveState/Id"], event["AckedState/Id"], event["ConfirmedState/Id"]) == (True, False, True)
    assert (event["LimitState/CurrentState"], event["EventType"]) == ("high", ua.NodeId(9341))
    watcher.force(185)
    (event,) = watcher.heard()
    assert (event["LimitState/CurrentState"], event["Severity"], event["Retain"]) == ("high-high", 900, True)
    assert watcher.call(FORCE, ACKNOWLEDGE, event["EventId"], said("seen")) == 0
    (event,) = watcher.heard()
    assert (event["AckedState/Id"], event["ConfirmedState/Id"], event["Comment"]) == (True, False, "seen")
    watcher.force(176, 174, 146, 144)
    *_, event = watcher.heard()
    assert (event["ActiveState/Id"], event["Retain"]) == (False, True)
    assert watcher.call(FORCE, CONFIRM, event["EventId"], said("")) == 0
    (event,) = watcher.heard()
    assert (event["ConfirmedState/Id"], event["Retain"], event["Comment"]) == (True, False, "")


def test_refusals_have_their_codes(watcher: Watcher) -> None:
    """The codes of OPC 10000-9 §5.5 to §5.8."""
    watcher.watch()
    watcher.force(160)
    (event,) = watcher.heard()
    seen = (event["EventId"], said("x"))
    assert watcher.call(FORCE, ACKNOWLEDGE, b"nonsense", said("x")) == S.BadEventIdUnknown
    assert watcher.call(FORCE, ACKNOWLEDGE, ua.Variant(None, VT.ByteString), said("x")) == S.BadEventIdUnknown
    assert watcher.call(FORCE, CONFIRM, *seen) == S.BadInvalidState
    assert watcher.call(FORCE, ACKNOWLEDGE, *seen) == 0
    assert watcher.call(FORCE, ACKNOWLEDGE, *seen) == S.BadConditionBranchAlreadyAcked
    assert watcher.call(FORCE, CONFIRM, *seen) == 0
    assert watcher.call(FORCE, CONFIRM, *seen) == S.BadConditionBranchAlreadyConfirmed
    assert watcher.call(FORCE, ENABLE) == S.BadConditionAlreadyEnabled
    assert watcher.call(SHELVING, UNSHELVE) == S.BadConditionNotShelved
    assert watcher.call(SHELVING, TIMED, -1.0) == S.BadShelvingTimeOutOfRange
    assert watcher.call(SHELVING, TIMED, 1e12) == S.BadShelvingTimeOutOfRange
    assert watcher.call(SHELVING, TIMED, float("nan")) == S.BadShelvingTimeOutOfRange
    assert watcher.call(FORCE, DISABLE) == 0
    assert watcher.call(FORCE, DISABLE) == S.BadConditionAlreadyDisabled
    assert watcher.call(FORCE, COMMENT, *seen) == S.BadConditionDisabled
    assert watcher.call(ua.NodeId("stamp1/Alarms/Stopped", 2), CONFIRM, *seen) == S.BadMethodInvalid
    assert watcher.call(ua.NodeId(2881), ACKNOWLEDGE, *seen) == S.BadNodeIdInvalid


def test_an_old_event_cannot_be_acknowledged(watcher: Watcher) -> None:
    """An EventId from before the alarm was last inactive is unknown."""
    watcher.watch()
    watcher.force(160)
    (old,) = watcher.heard()
    watcher.force(50, 160)
    *_, new = watcher.heard()
    assert watcher.call(FORCE, ACKNOWLEDGE, old["EventId"], said("late")) == S.BadEventIdUnknown
    assert watcher.call(FORCE, ACKNOWLEDGE, new["EventId"], said("now")) == 0


def test_shelving(watcher: Watcher, stamps: Any) -> None:
    """A timed shelving ends by plant time, a one-shot with the alarm."""
    watcher.watch()
    assert watcher.call(SHELVING, TIMED, 500.0) == 0
    assert watcher.heard()[-1]["ShelvingState/CurrentState"] == "Timed Shelved"
    for _ in range(4):
        stamps.advance()
    left = ua.ReadValueId(ua.NodeId("stamp1/Alarms/ForceLimit/ShelvingState/UnshelveTime", 2), 13)
    assert watcher.peer.read(left).Results[0].Value.Value == 100.0
    assert watcher.heard() == []
    stamps.advance()
    assert watcher.heard()[-1]["ShelvingState/CurrentState"] == "Unshelved"
    assert watcher.call(SHELVING, ONE_SHOT) == 0
    watcher.force(160, 50)
    assert watcher.heard()[-1]["ShelvingState/CurrentState"] == "Unshelved"


def test_refresh_tells_what_is_retained(watcher: Watcher) -> None:
    """Between RefreshStart and RefreshEnd, the same EventId again; ConditionRefresh2 for one item only."""
    watcher.force(160)
    one = watcher.watch()
    watcher.watch(STAMP2)
    assert watcher.call(CONDITION, REFRESH, ua.Variant(watcher.id, VT.UInt32)) == 0
    heard = watcher.heard()
    kinds = [event["EventType"].Identifier for event in heard]
    assert sorted(kinds) == [2787, 2787, 2788, 2788, 9341]
    again = next(event for event in heard if event["EventType"].Identifier == 9341)
    assert watcher.call(FORCE, ACKNOWLEDGE, again["EventId"], said("late, but seen")) == 0
    watcher.heard()
    given = [ua.Variant(number, VT.UInt32) for number in (watcher.id, one.MonitoredItemId)]
    assert watcher.call(CONDITION, REFRESH2, *given) == 0
    assert [event["EventType"].Identifier for event in watcher.heard()] == [2787, 9341, 2788]
    wrong = ua.Variant(7, VT.UInt32)
    assert watcher.call(CONDITION, REFRESH, wrong) == S.BadSubscriptionIdInvalid
    assert watcher.call(CONDITION, REFRESH2, given[0], wrong) == S.BadMonitoredItemIdInvalid


def test_where_holds_back_events_but_not_the_frame_of_a_refresh(watcher: Watcher) -> None:
    """Only conditions of severity 600 and more; the refresh events come whatever the filter says."""
    severity, limit = select("Severity").SelectClauses[0], ua.LiteralOperand(ua.Variant(600))
    watcher.watch(filter_=only(select(*SELECTED), ua.FilterOperator.GreaterThanOrEqual, severity, limit))
    watcher.force(160)
    assert watcher.heard() == []
    assert watcher.call(CONDITION, REFRESH, ua.Variant(watcher.id, VT.UInt32)) == 0
    assert [event["EventType"].Identifier for event in watcher.heard()] == [2787, 2788]
    watcher.force(185)
    assert [event["Severity"] for event in watcher.heard()] == [900]


@pytest.mark.parametrize("oldest", [True, False])
def test_a_full_queue_says_so(watcher: Watcher, oldest: bool) -> None:
    """An EventQueueOverflowEvent stands where events were lost (OPC 10000-4 §5.13.1.5)."""
    filter_ = select("EventType", "Message")
    watcher.names = ("type", "message")
    assert watcher.watch(filter_=filter_, queue=2, oldest=oldest).RevisedQueueSize == 2
    for number in range(4):
        watcher.plant.devices["stamp1"].emit("Stamped", Order=str(number), Force=1.0, Number=number)
    heard = watcher.heard()
    lost = [event["type"].Identifier == 3035 for event in heard]
    kept = [event["message"] for event in heard if event["type"].Identifier != 3035]
    assert lost == ([True, False, False] if oldest else [False, False, True])
    assert kept == (["2 stamped", "3 stamped"] if oldest else ["0 stamped", "3 stamped"])
    assert watcher.heard() == []


def test_an_overflow_waits_for_its_place(caller: Any, stamps: Any, wall: Any) -> None:
    """With one notification per message each event comes in a message of its own, the overflow last."""
    watcher = Watcher(caller, stamps, wall, most=1)
    watcher.names = ("type",)
    watcher.watch(filter_=select("EventType"), queue=2, oldest=False)
    for number in range(3):
        stamps.devices["stamp1"].emit("Stamped", Order="x", Force=1.0, Number=number)
    kinds = [[event["type"].Identifier for event in watcher.heard()] for _ in range(4)]
    assert kinds == [["StampedEventType"], ["StampedEventType"], [3035], []]


def test_filters_of_event_items_are_judged(watcher: Watcher) -> None:
    """No filter, a data change filter, a wrong where clause: refused, with results; also when modified."""
    assert watcher.watch(filter_=ua.ExtensionObject()).StatusCode.value == S.BadEventFilterInvalid
    assert watcher.watch(filter_=ua.DataChangeFilter()).StatusCode.value == S.BadFilterNotAllowed
    wrong = watcher.watch(filter_=only(select("Severity"), ua.FilterOperator.Equals))
    assert wrong.StatusCode.value == S.BadEventFilterInvalid
    assert [one.StatusCode.value for one in wrong.FilterResult.WhereClauseResult.ElementResults] == [
        S.BadFilterOperandCountMismatch
    ]
    assert watcher.watch(queue=0).RevisedQueueSize == 100
    made = watcher.watch()
    asked = ua.ModifyMonitoredItemsRequest()
    one = ua.MonitoredItemModifyRequest(made.MonitoredItemId)
    one.RequestedParameters.Filter, one.RequestedParameters.QueueSize = select("Message"), 5
    asked.Parameters.SubscriptionId, asked.Parameters.ItemsToModify = watcher.id, [one]
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    assert watcher.peer.ask(asked).Results[0].RevisedQueueSize == 5
    one.RequestedParameters.Filter = ua.DataChangeFilter()
    assert watcher.peer.ask(asked).Results[0].StatusCode.value == S.BadFilterNotAllowed


def test_a_disabled_item_hears_nothing(watcher: Watcher) -> None:
    """Disabled items queue nothing, sampling ones do not report (OPC 10000-4 §5.13.1.3)."""
    watcher.watch(mode=0)
    watcher.watch(mode=1)
    watcher.force(160)
    assert watcher.heard() == []


def test_a_condition_is_an_object_with_live_variables(watcher: Watcher, caller: Any) -> None:
    """Every mandatory child is there and reads what the last event said, optional ones as far as they have sense."""
    watcher.force(185)

    def read(name: str) -> Any:
        (one,) = caller.read(ua.ReadValueId(ua.NodeId(f"stamp1/Alarms/ForceLimit/{name}", 2), 13)).Results
        return getattr(one.Value.Value, "Text", one.Value.Value) if one.Value is not None else None

    assert [read(name) for name in ("ActiveState", "ActiveState/Id", "Retain", "Severity")] == [
        "Active",
        True,
        True,
        900,
    ]
    assert read("LimitState/CurrentState/Id") == ua.NodeId(9329)
    assert (read("HighLimit"), read("SeverityHighHigh"), read("ConfirmedState/Id")) == (150.0, 900, True)
    assert read("InputNode") == ua.NodeId("stamp1.force", 2)


def test_levels_of_a_non_exclusive_alarm(watcher: Watcher) -> None:
    """Each limit has a state of its own."""
    watcher.names = ("high", "low", "limit")
    watcher.watch(filter_=select("HighState/Id", "LowState/Id", "HighLimit"))
    watcher.plant.store.set(watcher.plant.store["stamp1.length"].row, 25.0)
    watcher.plant.advance()
    assert watcher.heard() == [{"high": True, "low": False, "limit": 20.0}]


def test_acts_are_evidence(watcher: Watcher, events: Any) -> None:
    """Acknowledge is its own kind, everything else a condition action; refusals have their status."""
    watcher.watch()
    watcher.force(160)
    (event,) = watcher.heard()
    watcher.call(FORCE, ACKNOWLEDGE, event["EventId"], said("seen"))
    watcher.call(FORCE, CONFIRM, event["EventId"], said("done"))
    watcher.call(SHELVING, TIMED, 5000.0)
    watcher.call(FORCE, ACKNOWLEDGE, event["EventId"], said("seen"))
    told = [one for one in events if one.kind in ("acknowledge", "condition", "call")]
    assert [(one.kind, one.detail.get("action"), one.status) for one in told] == [
        ("acknowledge", None, 0),
        ("condition", "confirm", 0),
        ("condition", "shelve", 0),
        ("acknowledge", None, S.BadConditionBranchAlreadyAcked),
    ]
    assert (told[0].device, told[0].tags) == ("stamp1", ["stamp1.force"])
    assert told[0].detail == {
        "source": "ns=2;s=stamp1.force", "condition": "stamp1.force_limit", "event_id": event["EventId"].hex(),
        "comment": "seen", "active_ns": 100_000_000,
    }  # fmt: skip
    assert told[2].detail["seconds"] == 5.0
