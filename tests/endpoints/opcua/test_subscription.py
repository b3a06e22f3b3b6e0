"""Subscriptions and monitored items of the core, with time by hand."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary

from labsim.endpoints.opcua.core.status import S
from labsim.plant import status
from labsim.plant.plant import Plant

OVERFLOW = 0x480


class Monitor:
    """A client with one subscription.

    Time moves in steps of 100 ms; the plant stands where the test puts it.
    """

    def __init__(self, peer: Any, plant: Plant, wall: Any, **fields: Any) -> None:
        self.peer, self.server, self.plant, self.wall = peer, peer.server, plant, wall
        asked = ua.CreateSubscriptionRequest()
        given = {
            "RequestedPublishingInterval": 1000, "RequestedLifetimeCount": 300, "RequestedMaxKeepAliveCount": 100,
            "MaxNotificationsPerPublish": 0, "PublishingEnabled": True, "Priority": 0,
        } | fields  # fmt: skip
        for name, value in given.items():
            setattr(asked.Parameters, name, value)
        self.id = peer.ask(asked).Parameters.SubscriptionId

    def create(
        self, wanted: Any, band: tuple[int, float] | None = None, mode: int = 2, trigger: int = 1, **fields: Any
    ) -> Any:
        """Create one item; its result."""
        one = ua.MonitoredItemCreateRequest()
        one.ItemToMonitor, one.MonitoringMode = wanted, ua.MonitoringMode(mode)
        given = {"SamplingInterval": 100.0, "QueueSize": 10, "DiscardOldest": True, "ClientHandle": 1} | fields
        for name, value in given.items():
            setattr(one.RequestedParameters, name, value)
        if band is not None or trigger != 1:
            kind, value = band or (0, 0.0)
            one.RequestedParameters.Filter = ua.DataChangeFilter(ua.DataChangeTrigger(trigger), kind, value)
        asked = ua.CreateMonitoredItemsRequest()
        asked.Parameters.SubscriptionId, asked.Parameters.ItemsToCreate = self.id, [one]
        asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        return self.peer.ask(asked).Results[0]

    def publish(self, count: int = 1) -> None:
        """Send Publish requests."""
        for _ in range(count):
            self.peer.post(ua.PublishRequest())

    def set(self, name: str, value: Any, code: int = 0) -> None:
        """Give a tag a value."""
        self.plant.store.set(self.plant.store[f"press1.{name}"].row, value, code)

    def wait(self, seconds: float = 0.1) -> None:
        """Let time go by."""
        for _ in range(round(seconds * 10)):
            self.wall.seconds += 0.1
            self.server.timers.tick(self.wall.seconds + 0.001)

    def run(self, name: str, *values: Any) -> None:
        """Give a tag one value after another, each for 100 ms."""
        for value in values:
            self.set(name, value)
            self.wait()

    def messages(self) -> list[Any]:
        """NotificationMessages that came."""
        found = []
        for chunk in self.peer.chunks():
            response = struct_from_binary(ua.PublishResponse, Buffer(chunk[24:]))
            found.append(response.Parameters.NotificationMessage)
        return found

    def notifications(self) -> list[tuple[Any, int]]:
        """Values and statuses that came."""
        items = [one for message in self.messages() for data in message.NotificationData for one in data.MonitoredItems]
        return [(one.Value.Value.Value, one.Value.StatusCode.value if one.Value.StatusCode else 0) for one in items]


@pytest.fixture
def monitor(peer: Any, plant: Plant, wall: Any) -> Monitor:
    """A subscription of 1 s."""
    return Monitor(peer, plant, wall)


def test_the_first_value_comes_with_the_first_message(monitor: Monitor, reading: Any) -> None:
    """A new item reports its present value after one publishing interval (OPC 10000-4 §5.13.1.2)."""
    monitor.create(reading("force"))
    monitor.publish()
    monitor.wait(0.9)
    assert monitor.notifications() == []
    monitor.wait(0.2)
    assert monitor.notifications() == [(50.0, 0)]


def test_a_slow_drift_passes_an_absolute_deadband(monitor: Monitor, reading: Any) -> None:
    """The deadband counts from the last report, not from the last sample (OPC 10000-8 §7.2)."""
    monitor.create(reading("force"), band=(1, 5.0))
    monitor.publish()
    monitor.run("force", 52.0, 54.0, 56.0, 58.0, 61.0, 61.5)
    monitor.wait(1)
    assert monitor.notifications() == [(50.0, 0), (56.0, 0), (61.5, 0)]


def test_a_percent_deadband_is_of_the_range(monitor: Monitor, reading: Any) -> None:
    """10 % of 0 to 200 is 20; a change of status passes anyway."""
    monitor.create(reading("force"), band=(2, 10.0))
    monitor.publish()
    monitor.run("force", 60.0, 70.0, 70.5, 90.0, 90.6)
    monitor.set("force", 90.7, status.UNCERTAIN_UNITS_EXCEEDED)
    monitor.wait(1)
    assert monitor.notifications() == [(50.0, 0), (70.5, 0), (90.6, 0), (90.7, status.UNCERTAIN_UNITS_EXCEEDED)]


@pytest.mark.parametrize(
    ("name", "band", "code"),
    [
        ("force", (2, 101.0), S.BadDeadbandFilterInvalid), ("force", (1, -1.0), S.BadDeadbandFilterInvalid),
        ("force", (7, 1.0), S.BadDeadbandFilterInvalid), ("force", (1, float("inf")), S.BadDeadbandFilterInvalid),
        ("order", (1, 1.0), S.BadFilterNotAllowed), ("running", (1, 1.0), S.BadFilterNotAllowed),
        ("count", (2, 1.0), S.BadFilterNotAllowed), ("nope", None, S.BadNodeIdUnknown),
    ],
)  # fmt: skip
def test_filters_that_cannot_be(monitor: Monitor, reading: Any, name: str, band: Any, code: int) -> None:
    """A deadband needs a number, a percent deadband a range, and sense."""
    assert monitor.create(reading(name), band=band).StatusCode.value == code


@pytest.mark.parametrize(
    ("oldest", "expected"),
    [(True, [(103.0, OVERFLOW), (104.0, 0), (105.0, 0)]), (False, [(50.0, 0), (100.0, 0), (105.0, OVERFLOW)])],
)
def test_a_full_queue_says_so(monitor: Monitor, reading: Any, oldest: bool, expected: Any) -> None:
    """DiscardOldest decides what is lost; the Overflow bit stands where it was (OPC 10000-4 §5.13.1.5)."""
    monitor.create(reading("force"), QueueSize=3, DiscardOldest=oldest)
    monitor.publish()
    monitor.run("force", *(100.0 + n for n in range(6)))
    monitor.wait(1)
    assert monitor.notifications() == expected


def test_a_queue_of_one_keeps_the_last(monitor: Monitor, reading: Any) -> None:
    """Without a queue there is no overflow."""
    monitor.create(reading("order"), QueueSize=0)
    monitor.publish()
    monitor.run("order", "B", "C")
    monitor.wait(1)
    assert monitor.notifications() == [("C", 0)]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [(0, [(50.0, 0), (61.0, 0x40940000)]), (1, [(50.0, 0), (60.0, 0), (61.0, 0x40940000)])],
)
def test_triggers_pick_what_is_a_change(monitor: Monitor, reading: Any, trigger: int, expected: Any) -> None:
    """Status alone, or status and value (OPC 10000-4 §7.22.2)."""
    monitor.create(reading("force"), trigger=trigger)
    monitor.publish()
    monitor.run("force", 60.0)
    monitor.set("force", 61.0, status.UNCERTAIN_UNITS_EXCEEDED)
    monitor.wait(1)
    assert monitor.notifications() == expected


def test_a_timestamp_is_a_change_when_asked_for(monitor: Monitor, reading: Any, plant: Plant) -> None:
    """StatusValueTimestamp reports a value that was set again to the same."""
    monitor.create(reading("force"), trigger=2)
    monitor.publish()
    monitor.wait()
    plant.advance()
    monitor.set("force", 51.0)
    plant.advance()
    monitor.set("force", 50.0)
    monitor.wait(1)
    assert monitor.notifications() == [(50.0, 0), (50.0, 0)]


def test_nan_is_no_endless_change(monitor: Monitor, reading: Any) -> None:
    """NaN after NaN is no change; from NaN back to a number is one."""
    monitor.create(reading("force"), band=(1, 1.0))
    monitor.publish()
    nan = float("nan")
    monitor.run("force", nan, nan, 50.0)
    monitor.wait(1)
    assert [value for value, _ in monitor.notifications()][::2] == [50.0, 50.0]


def test_attributes_can_be_watched(monitor: Monitor, reading: Any) -> None:
    """An item on DisplayName reports once; one on events is not supported."""
    monitor.create(reading("force", 4))
    monitor.publish()
    monitor.wait(1.1)
    assert [value.Text for value, _ in monitor.notifications()] == ["Force"]
    assert monitor.create(reading(ua.NodeId(2253), 12)).StatusCode.value == S.BadEventFilterInvalid


def test_intervals_and_queues_are_revised(monitor: Monitor, reading: Any) -> None:
    """No faster than the plant steps, -1 is the publishing interval, a queue has its limit."""
    for wanted, granted in ((0.0, 100.0), (-1.0, 1000.0), (250.0, 250.0)):
        assert monitor.create(reading("force"), SamplingInterval=wanted).RevisedSamplingInterval == granted
    assert monitor.create(reading("force"), QueueSize=5000).RevisedQueueSize == 1000


def test_keep_alives_and_sequence_numbers(peer: Any, plant: Plant, wall: Any, reading: Any) -> None:
    """A keep-alive shows the next number without using it up; data does (OPC 10000-4 §5.14.1.1)."""
    monitor = Monitor(peer, plant, wall, RequestedMaxKeepAliveCount=2, RequestedPublishingInterval=100)
    monitor.publish(4)
    monitor.wait(0.3)
    alive = monitor.messages()
    assert [(message.SequenceNumber, len(message.NotificationData)) for message in alive] == [(1, 0), (1, 0)]
    monitor.create(reading("force"))
    peer.chunks()
    monitor.wait(0.1)
    monitor.run("force", 51.0)
    monitor.wait(0.1)
    assert [message.SequenceNumber for message in monitor.messages()] == [1, 2]


def test_lifetime_and_what_is_left_of_it(monitor: Monitor) -> None:
    """Without Publish requests a subscription ends, and the session hears of it (OPC 10000-4 §5.14.1.2)."""
    monitor.wait(299)
    assert monitor.id in monitor.server.subscriptions
    monitor.wait(1.1)
    assert not monitor.server.subscriptions
    monitor.publish()
    change = monitor.messages()[0].NotificationData[0]
    assert change.Status.value == S.BadTimeout


def test_republish_gives_the_same_message_until_it_is_acknowledged(monitor: Monitor, reading: Any) -> None:
    """A lost message can be asked for again (OPC 10000-4 §5.14.6)."""
    monitor.create(reading("force"))
    monitor.publish()
    monitor.wait(1.1)
    sent = monitor.messages()[0]
    asked = ua.RepublishRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.RetransmitSequenceNumber = monitor.id, sent.SequenceNumber
    assert monitor.peer.ask(asked).NotificationMessage == sent
    acknowledge = ua.PublishRequest()
    acknowledge.Parameters.SubscriptionAcknowledgements = [
        ua.SubscriptionAcknowledgement(monitor.id, sent.SequenceNumber), ua.SubscriptionAcknowledgement(monitor.id, 99),
    ]  # fmt: skip
    monitor.peer.post(acknowledge)
    assert monitor.peer.result(asked) == S.BadMessageNotAvailable
    monitor.run("force", 70.0)
    monitor.wait(1)
    response = struct_from_binary(ua.PublishResponse, Buffer(monitor.peer.chunks()[0][24:]))
    assert [code.value for code in response.Parameters.Results] == [0, S.BadSequenceNumberUnknown]


def test_publish_requests_are_bounded(monitor: Monitor) -> None:
    """Too many of them: the oldest gives way; none at all without a subscription (OPC 10000-4 §5.14.5)."""
    monitor.publish(21)
    fault = struct_from_binary(ua.ServiceFault, Buffer(monitor.peer.chunks()[0][24:]))
    assert fault.ResponseHeader.ServiceResult.value == S.BadTooManyPublishRequests
    asked = ua.DeleteSubscriptionsRequest()
    asked.Parameters.SubscriptionIds = [monitor.id]
    monitor.peer.post(asked)
    chunks = monitor.peer.chunks()
    assert len(chunks) == 21
    assert monitor.peer.result(ua.PublishRequest()) == S.BadNoSubscription


def test_more_notifications_follow_at_once(peer: Any, plant: Plant, wall: Any, reading: Any) -> None:
    """MaxNotificationsPerPublish cuts a message, and MoreNotifications says so."""
    monitor = Monitor(peer, plant, wall, MaxNotificationsPerPublish=2)
    for _ in range(3):
        monitor.create(reading("force"))
    monitor.publish(2)
    monitor.wait(1.1)
    responses = [struct_from_binary(ua.PublishResponse, Buffer(chunk[24:])).Parameters for chunk in peer.chunks()]
    counts = [len(response.NotificationMessage.NotificationData[0].MonitoredItems) for response in responses]
    assert (counts, [response.MoreNotifications for response in responses]) == ([2, 1], [True, False])


def test_modes_and_modify(monitor: Monitor, reading: Any) -> None:
    """Disabled watches nothing, sampling reports nothing, and modified settings count at once (§5.13.1.3)."""
    item = monitor.create(reading("force"), mode=0).MonitoredItemId
    monitor.publish()
    monitor.wait(1.1)
    assert [len(message.NotificationData) for message in monitor.messages()] == [0]
    monitor.publish()
    mode = ua.SetMonitoringModeRequest()
    mode.Parameters.SubscriptionId, mode.Parameters.MonitoredItemIds = monitor.id, [item, 99]
    mode.Parameters.MonitoringMode = ua.MonitoringMode.Sampling
    assert [code.value for code in monitor.peer.ask(mode).Parameters.Results] == [0, S.BadMonitoredItemIdInvalid]
    monitor.run("force", 51.0, 52.0)
    monitor.wait(1)
    assert monitor.notifications() == []
    mode.Parameters.MonitoringMode = ua.MonitoringMode.Reporting
    monitor.peer.ask(mode)
    modify = ua.ModifyMonitoredItemsRequest()
    one = ua.MonitoredItemModifyRequest(item)
    one.RequestedParameters.QueueSize, one.RequestedParameters.SamplingInterval = 2, 500.0
    one.RequestedParameters.DiscardOldest = True
    modify.Parameters.SubscriptionId, modify.Parameters.ItemsToModify = monitor.id, [one]
    modify.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    result = monitor.peer.ask(modify).Results[0]
    assert (result.RevisedSamplingInterval, result.RevisedQueueSize) == (500.0, 2)
    monitor.wait(1.1)
    assert monitor.notifications() == [(51.0, OVERFLOW), (52.0, 0)]


def test_one_item_triggers_another(monitor: Monitor, reading: Any) -> None:
    """A sampling item reports when its trigger does (OPC 10000-4 §5.13.1.6)."""
    trigger = monitor.create(reading("running")).MonitoredItemId
    linked = monitor.create(reading("force"), mode=1).MonitoredItemId
    asked = ua.SetTriggeringRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.TriggeringItemId = monitor.id, trigger
    asked.Parameters.LinksToAdd = [linked, 99]
    results = monitor.peer.ask(asked).Parameters.AddResults
    assert [code.value for code in results] == [0, S.BadMonitoredItemIdInvalid]
    monitor.publish(3)
    monitor.wait(1.1)
    assert monitor.notifications() == [(True, 0)]
    monitor.run("force", 70.0)
    monitor.wait(1)
    assert monitor.notifications() == []
    monitor.run("running", False)
    monitor.wait(1)
    assert sorted(value for value, _ in monitor.notifications()) == [False, 50.0, 70.0]


def test_a_subscription_moves_to_another_session(monitor: Monitor, connect: Any, reading: Any) -> None:
    """Transfer takes items and values along, and the old session is told (OPC 10000-4 §5.14.7)."""
    monitor.create(reading("force"), QueueSize=1)
    monitor.publish(2)
    monitor.wait(1.1)
    assert monitor.notifications() == [(50.0, 0)]
    other = connect(monitor.server).login()
    asked = ua.TransferSubscriptionsRequest()
    asked.Parameters.SubscriptionIds, asked.Parameters.SendInitialValues = [monitor.id, 99], True
    codes = [result.StatusCode.value for result in other.ask(asked).Parameters.Results]
    assert codes == [0, S.BadSubscriptionIdInvalid]
    assert monitor.messages()[0].NotificationData[0].Status.value == S.GoodSubscriptionTransferred
    old, monitor.peer = monitor.peer, other
    monitor.publish()
    monitor.wait(1.1)
    assert monitor.notifications() == [(50.0, 0)]
    assert old.result(ua.PublishRequest()) == S.BadNoSubscription


def test_a_subscription_can_outlive_its_session(monitor: Monitor, connect: Any, reading: Any) -> None:
    """CloseSession without deletion leaves it for a transfer by the same application (OPC 10000-4 §5.7.4)."""
    monitor.create(reading("force"))
    asked = ua.CloseSessionRequest()
    asked.DeleteSubscriptions = False
    monitor.peer.ask(asked)
    assert monitor.id in monitor.server.subscriptions
    stranger = connect(monitor.server)
    create = ua.CreateSessionRequest()
    create.Parameters.ClientDescription.ApplicationUri = "urn:stranger"
    stranger.token = stranger.ask(create).Parameters.AuthenticationToken
    stranger.ask(ua.ActivateSessionRequest())
    transfer = ua.TransferSubscriptionsRequest()
    transfer.Parameters.SubscriptionIds, transfer.Parameters.SendInitialValues = [monitor.id], True
    assert stranger.ask(transfer).Parameters.Results[0].StatusCode.value == S.BadUserAccessDenied
    monitor.peer = connect(monitor.server).login()
    assert monitor.peer.ask(transfer).Parameters.Results[0].StatusCode.value == 0
    monitor.publish()
    monitor.wait(1.1)
    assert monitor.notifications() == [(50.0, 0)]


def test_clients_that_vanish_leave_nothing(server: Any, connect: Any, plant: Plant, wall: Any, reading: Any) -> None:
    """After the timeouts no session, subscription, group or timer of them is left."""
    server.limits.max_sessions = server.limits.max_subscriptions = server.limits.max_connections = 1000
    for _ in range(60):
        monitor = Monitor(connect(server).login(), plant, wall)
        monitor.create(reading("force"))
        monitor.publish()
        monitor.peer.connection.close("gone")
    for _ in range(4000):
        wall.seconds += 1
        server.timers.tick(wall.seconds)
    assert [len(there) for there in (server.sessions, server.subscriptions, server.connections, server._groups)] == [
        0
    ] * 4
    assert len(server.timers._heap) == 1  # housekeeping


def test_deleting_an_item_ends_its_reports(monitor: Monitor, reading: Any) -> None:
    """A deleted item is gone, with what it had queued (OPC 10000-4 §5.13.6)."""
    item = monitor.create(reading("force")).MonitoredItemId
    asked = ua.DeleteMonitoredItemsRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.MonitoredItemIds = monitor.id, [item, item]
    assert [code.value for code in monitor.peer.ask(asked).Results] == [0, S.BadMonitoredItemIdInvalid]
    monitor.publish()
    monitor.wait(1.1)
    assert monitor.notifications() == []
