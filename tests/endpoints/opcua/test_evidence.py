"""What the sink is told: one event per service, with what the grader asks for."""

from __future__ import annotations

from typing import Any

from asyncua import ua
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.status import S
from labsim.evidence.encoding import encode
from labsim.evidence.event import Event
from labsim.plant import status
from labsim.plant.plant import Plant

VT = ua.VariantType
NUMBERS = ["force", "setpoint", "speed", "length", "count", "total", "small", "running", "state", "alarm"]


def subscribe(peer: Any, wanted: Any, **fields: Any) -> tuple[int, int]:
    """A subscription of 500 ms with one item; their ids."""
    asked = ua.CreateSubscriptionRequest()
    asked.Parameters.RequestedPublishingInterval, asked.Parameters.PublishingEnabled = 500, True
    number = peer.ask(asked).Parameters.SubscriptionId
    one = ua.MonitoredItemCreateRequest()
    one.ItemToMonitor, one.MonitoringMode = wanted, ua.MonitoringMode.Reporting
    for name, value in ({"SamplingInterval": 20.0, "QueueSize": 10, "DiscardOldest": True} | fields).items():
        setattr(one.RequestedParameters, name, value)
    create = ua.CreateMonitoredItemsRequest()
    create.Parameters.SubscriptionId, create.Parameters.ItemsToCreate = number, [one]
    return number, peer.ask(create).Results[0].MonitoredItemId


def of_kind(events: list[Event], kind: str) -> list[Event]:
    """Events of one kind."""
    return [event for event in events if event.kind == kind]


def test_a_connection_and_its_session(server: Any, connect: Any, events: list[Event]) -> None:
    """Open, activated session, its end, close: each once, by one client, each session with its own id."""
    peer = connect(server)
    create = ua.CreateSessionRequest()
    create.Parameters.ClientDescription.ApplicationUri = "urn:test:client"
    create.Parameters.SessionName, create.Parameters.EndpointUrl = "mine", "opc.tcp://lab:4840"
    peer.token = peer.ask(create).Parameters.AuthenticationToken
    peer.ask(ua.ActivateSessionRequest())
    peer.ask(ua.CloseSessionRequest())
    peer.connection.close("the client hung up")
    assert [event.kind for event in events] == ["open", "session", "session-close", "close"]
    assert {event.client for event in events} == {"192.0.2.1:5"}
    session = events[1]
    assert (session.app, session.user, session.status) == ("urn:test:client", "", 0)
    assert session.detail == {
        "policy": "None",
        "mode": "None",
        "identity": "anonymous",
        "role": "Operator",
        "name": "mine",
        "endpoint": "opc.tcp://lab:4840",
        "server": "press",
    }
    assert session.session == events[2].session != events[0].session
    assert events[3].detail == {"reason": "the client hung up"}


def test_reads_name_the_tags_that_were_good(peer: Any, plant: Plant, events: list[Event], reading: Any) -> None:
    """All nodes and statuses, and path and value of each tag that was read good."""
    plant.store.set(plant.store["press1.count"].row, 8, status.BAD_SENSOR_FAILURE)
    peer.read("force", "order", "count", "nope", reading("force", 4), reading(ua.NodeId(2259)))
    event = of_kind(events, "read")[0]
    assert (event.tags, event.values, event.status) == (["press1.force", "press1.order"], [50.0, "A-1"], 0)
    assert event.detail == {
        "nodes": ["ns=2;s=press1.force", "ns=2;s=press1.order", "ns=2;s=press1.count", "ns=2;s=press1.nope",
                  "ns=2;s=press1.force", "i=2259"],
        "statuses": [0, 0, status.BAD_SENSOR_FAILURE, S.BadNodeIdUnknown, 0, 0],
    }  # fmt: skip


def test_compiled_reads_are_told_alike(peer: Any, plant: Plant, events: list[Event]) -> None:
    """Values have the tag's own type, whichever way they were read, and are those that were answered."""
    plant.store.set(plant.store["press1.speed"].row, 0.1)
    for value in (50.0, 51.5):
        plant.store.set(plant.store["press1.force"].row, value)
        peer.read("force", "total", "running", "speed")
    first, second = of_kind(events, "read")
    assert first.values == [50.0, 2**40, True, 0.10000000149011612]
    assert second.values == [51.5, 2**40, True, 0.10000000149011612]
    assert [type(value) for value in second.values] == [float, int, bool, float]
    assert (second.device, second.detail["statuses"]) == ("press1", [0, 0, 0, 0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=12),
    force=st.floats(),
    speed=st.floats(width=32),
    count=st.integers(0, 2**32 - 1),
    running=st.booleans(),
)
def test_a_compiled_read_is_the_same_line(
    server: Any, peer: Any, plant: Plant, events: list[Event], names: list[str], force: float, speed: float, count: int,
    running: bool,
) -> None:  # fmt: skip
    """For any tags and values the journal gets the bytes that it gets of a plain Read."""
    for name, value in {"force": force, "speed": speed, "count": count, "running": running}.items():
        plant.store.set(plant.store[f"press1.{name}"].row, value)
    events.clear()
    for quick in (True, True, False):  # a plan's first read, its second, and a plain one
        server.quick = quick
        peer.read(*names)
    lines = [encode(event) for event in events]
    assert lines[0] == lines[1] == lines[2]


def test_each_write_is_an_event_with_the_old_value(peer: Any, events: list[Event]) -> None:
    """One event per node: value, old value, result."""
    asked = ua.WriteRequest()
    for name, variant in (
        ("setpoint", ua.Variant(42.0, VT.Double)),
        ("force", ua.Variant(1.0, VT.Double)),
        ("order", ua.Variant("B", VT.String)),
    ):
        data = ua.DataValue(variant)
        asked.Parameters.NodesToWrite.append(ua.WriteValue(ua.NodeId(f"press1.{name}", 2), 13, None, data))
    peer.ask(asked)
    told = of_kind(events, "write")
    assert [(event.tags, event.values, event.status) for event in told] == [
        (["press1.setpoint"], [42.0], 0),
        (["press1.force"], [1.0], S.BadNotWritable),
        (["press1.order"], ["B"], 0),
    ]
    assert [event.detail["old"] for event in told] == [50.0, None, "A-1"]
    assert told[0].detail["node"] == told[0].subject == "ns=2;s=press1.setpoint"
    assert told[0].device == "press1"


def test_each_item_is_an_event_with_its_revised_settings(peer: Any, events: list[Event], reading: Any) -> None:
    """What was granted, and what was asked for; told again when it is modified."""
    band = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, 2, 5.0)
    number, item = subscribe(peer, reading("force"), Filter=band)
    modify = ua.ModifySubscriptionRequest()
    modify.Parameters.SubscriptionId, modify.Parameters.RequestedPublishingInterval = number, 250
    peer.ask(modify)
    first, second = of_kind(events, "subscribe")
    assert (first.tags, first.status, first.device) == (["press1.force"], 0, "press1")
    assert first.detail == {
        "node": "ns=2;s=press1.force", "subscription": number, "item": item, "publishing_ms": 500.0,
        "sampling_ms": 100.0, "requested_sampling_ms": 20.0, "queue": 10, "deadband_type": 2, "deadband": 5.0,
        "mode": "Reporting",
    }  # fmt: skip
    assert second.detail["publishing_ms"] == 250.0
    delete = ua.DeleteSubscriptionsRequest()
    delete.Parameters.SubscriptionIds = [number]
    peer.ask(delete)
    assert of_kind(events, "unsubscribe")[0].detail == {"subscription": number, "items": [item]}


def test_an_item_on_events_is_told_with_its_filter(peer: Any, events: list[Event]) -> None:
    """The fields it tells, and its where clause element by element; a long list is cut, a loop cannot be sent."""

    def field(*path: str) -> Any:
        one = ua.SimpleAttributeOperand()
        one.TypeDefinitionId, one.AttributeId = ua.NodeId(2041), 13
        one.BrowsePath = [ua.QualifiedName(name, 0) for name in path]
        return one

    def element(operator: Any, *operands: Any) -> Any:
        one = ua.ContentFilterElement()
        one.FilterOperator, one.FilterOperands = operator, list(operands)
        return one

    def literal(value: Any) -> Any:
        return ua.LiteralOperand(ua.Variant(value))

    filter_ = ua.EventFilter()
    filter_.SelectClauses = [field("Severity"), field("ActiveState", "Id")]
    filter_.WhereClause.Elements = [
        element(ua.FilterOperator.And, ua.ElementOperand(1), ua.ElementOperand(2)),
        element(ua.FilterOperator.GreaterThanOrEqual, field("Severity"), literal(500)),
        element(ua.FilterOperator.And, ua.ElementOperand(3), ua.ElementOperand(4)),
        element(ua.FilterOperator.OfType, literal(ua.NodeId(2915))),
        element(ua.FilterOperator.InList, field("SourceName"), *[literal(f"press{n}" * 40) for n in range(30)]),
    ]
    watched = ua.ReadValueId(ua.NodeId(2253), ua.AttributeIds.EventNotifier)
    subscribe(peer, watched, Filter=filter_)
    detail = of_kind(events, "subscribe")[0].detail
    assert detail["select"] == ["Severity", "ActiveState/Id"]
    assert detail["where"][:4] == [
        ["And", "#1", "#2"], ["GreaterThanOrEqual", "Severity", 500], ["And", "#3", "#4"], ["OfType", "i=2915"],
    ]  # fmt: skip
    assert detail["where"][4][:2] == ["InList", "SourceName"]
    assert len(detail["where"][4]) < 30
    assert max(map(len, detail["where"][4])) <= 200


def test_an_item_that_is_refused_is_told_too(peer: Any, events: list[Event], reading: Any) -> None:
    """A wrong node gives an event with its status."""
    subscribe(peer, reading("nope"))
    event = of_kind(events, "subscribe")[0]
    assert (event.tags, event.status) == ([], S.BadNodeIdUnknown)


def test_browsing_is_told(peer: Any, events: list[Event]) -> None:
    """Browse and TranslateBrowsePaths name the nodes they start from."""
    asked = ua.BrowseRequest()
    one = ua.BrowseDescription()
    one.NodeId = ua.NodeId("press1", 2)
    asked.Parameters.NodesToBrowse = [one]
    peer.ask(asked)
    event = of_kind(events, "browse")[0]
    assert (event.detail, event.device) == ({"nodes": ["ns=2;s=press1"]}, "press1")


def test_what_is_refused_is_told(make_server: Any, connect: Any, events: list[Event]) -> None:
    """Refused sessions, unknown services, empty requests and broken transports each leave a trace."""
    from labsim.endpoints.opcua.core.users import Accounts

    server = make_server(accounts=Accounts(None, [("operator", "x", "Operator")]), plain_passwords=True)
    peer = connect(server)
    peer.token = peer.ask(ua.CreateSessionRequest()).Parameters.AuthenticationToken
    activate = ua.ActivateSessionRequest()
    peer.ask(activate)
    activate.Parameters.UserIdentityToken = ua.UserNameIdentityToken("username-plain", "operator", b"wrong", None)
    peer.ask(activate)
    activate.Parameters.UserIdentityToken.Password = b"x"
    peer.ask(activate)
    peer.ask(ua.QueryFirstRequest())
    peer.read()
    peer.connection.feed(b"rubbish, rubbish")
    told = [(event.kind, event.detail.get("service"), event.status) for event in events]
    assert told == [
        ("open", None, 0),
        ("reject", "ActivateSession", S.BadIdentityTokenRejected),
        ("reject", "ActivateSession", S.BadUserAccessDenied),
        ("session", None, 0),
        ("reject", "unknown", S.BadServiceUnsupported),
        ("reject", "Read", S.BadNothingToDo),
        ("reject", "transport", S.BadTcpMessageTypeInvalid),
        ("close", None, 0),
    ]
    assert "'operator'" in events[2].detail["reason"]
    assert events[3].user == "operator"
