"""Subscriptions, claim by claim (OPC 10000-4 §5.14)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S

GOOD = 0

REVISED: list[tuple[str, dict[str, Any], str, float]] = [
    ("an_interval_of_0_is_the_fastest", {"RequestedPublishingInterval": 0}, "RevisedPublishingInterval", 50.0),
    ("a_negative_interval_is_the_fastest", {"RequestedPublishingInterval": -1}, "RevisedPublishingInterval", 50.0),
    ("no_number_is_an_interval_all_the_same", {"RequestedPublishingInterval": float("nan")},
     "RevisedPublishingInterval", 50.0),
    ("a_good_interval_is_granted", {"RequestedPublishingInterval": 250}, "RevisedPublishingInterval", 250.0),
    ("a_long_interval_is_cut", {"RequestedPublishingInterval": 1e12}, "RevisedPublishingInterval", 3_600_000.0),
    ("a_keep_alive_of_0_is_raised", {"RequestedMaxKeepAliveCount": 0}, "RevisedMaxKeepAliveCount", -1),
    ("a_lifetime_is_three_keep_alives_at_least",
     {"RequestedMaxKeepAliveCount": 50, "RequestedLifetimeCount": 10}, "RevisedLifetimeCount", 150),
    ("a_good_lifetime_is_granted", {"RequestedLifetimeCount": 900}, "RevisedLifetimeCount", 900),
    ("a_huge_keep_alive_is_cut", {"RequestedMaxKeepAliveCount": 2**32 - 1}, "RevisedMaxKeepAliveCount", -10_000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "name", "granted"), [row[1:] for row in REVISED], ids=[f"5_14_2_{row[0]}" for row in REVISED]
)
def test_create(watching: Any, fields: dict[str, Any], name: str, granted: float) -> None:
    """What was asked for is revised to what will be kept (a negative number here: that is the bound)."""
    found = getattr(watching(**fields).granted, name)
    if granted == -1:
        assert found >= 1
    elif granted < 0:
        assert found <= -granted
    else:
        assert found == granted


@pytest.mark.parametrize(
    ("fields", "name", "granted"), [row[1:] for row in REVISED], ids=[f"5_14_3_{row[0]}" for row in REVISED]
)
def test_modify(watch: Any, fields: dict[str, Any], name: str, granted: float) -> None:
    """ModifySubscription revises as CreateSubscription does."""
    asked = ua.ModifySubscriptionRequest()
    given = {
        "SubscriptionId": watch.id, "RequestedPublishingInterval": 1000, "RequestedLifetimeCount": 300,
        "RequestedMaxKeepAliveCount": 100, "MaxNotificationsPerPublish": 0, "Priority": 0,
    } | fields  # fmt: skip
    for key, value in given.items():
        setattr(asked.Parameters, key, value)
    found = getattr(watch.peer.ask(asked).Parameters, name)
    assert found == granted or granted < 0 < found


UNKNOWN: list[tuple[str, Any, dict[str, Any]]] = [
    ("5_14_3_modify", ua.ModifySubscriptionRequest, {"SubscriptionId": 999_999}),
    ("5_14_4_publishing_mode", ua.SetPublishingModeRequest, {"SubscriptionIds": [999_999], "PublishingEnabled": True}),
    ("5_14_6_republish", ua.RepublishRequest, {"SubscriptionId": 999_999, "RetransmitSequenceNumber": 1}),
    ("5_14_7_transfer", ua.TransferSubscriptionsRequest, {"SubscriptionIds": [999_999], "SendInitialValues": True}),
    ("5_14_8_delete", ua.DeleteSubscriptionsRequest, {"SubscriptionIds": [999_999]}),
    ("5_13_2_create_items", ua.CreateMonitoredItemsRequest, {"SubscriptionId": 999_999}),
    ("5_13_3_modify_items", ua.ModifyMonitoredItemsRequest, {"SubscriptionId": 999_999}),
    ("5_13_4_monitoring_mode", ua.SetMonitoringModeRequest, {"SubscriptionId": 999_999}),
    ("5_13_5_triggering", ua.SetTriggeringRequest, {"SubscriptionId": 999_999}),
    ("5_13_6_delete_items", ua.DeleteMonitoredItemsRequest, {"SubscriptionId": 999_999}),
]


@pytest.mark.parametrize(("message", "fields"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_unknown_subscription(watch: Any, message: Any, fields: dict[str, Any]) -> None:
    """Every service says that there is no such subscription."""
    assert watch.codes(message(), **fields) == [S.BadSubscriptionIdInvalid]


@pytest.mark.parametrize(("message", "fields"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_foreign_subscription(watching: Any, server: Any, connect: Any, message: Any, fields: dict[str, Any]) -> None:
    """Another session's subscription does not exist for this one; only a transfer may ask for it."""
    owner, other = watching(), watching(connect(server).login())
    name = "SubscriptionId" if "SubscriptionId" in fields else "SubscriptionIds"
    mine = owner.id if name == "SubscriptionId" else [owner.id]
    expected = [GOOD] if message is ua.TransferSubscriptionsRequest else [S.BadSubscriptionIdInvalid]
    assert other.codes(message(), **fields | {name: mine}) == expected


EMPTY = [
    ("5_14_4_publishing_mode", ua.SetPublishingModeRequest),
    ("5_14_7_transfer", ua.TransferSubscriptionsRequest),
    ("5_14_8_delete", ua.DeleteSubscriptionsRequest),
]


@pytest.mark.parametrize("message", [row[1] for row in EMPTY], ids=[f"{row[0]}_nothing_to_do" for row in EMPTY])
def test_empty(watch: Any, message: Any) -> None:
    """An empty list is nothing to do."""
    assert watch.codes(message(), SubscriptionIds=[]) == [S.BadNothingToDo]


def test_5_14_2_subscriptions_are_limited(watch: Any) -> None:
    """A session has no more than the server says."""
    watch.server.limits.max_subscriptions_per_session = 2
    watch.subscribe()
    assert watch.codes(ua.CreateSubscriptionRequest()) == [S.BadTooManySubscriptions]


def test_5_14_2_ids_differ(watch: Any) -> None:
    """Two subscriptions have two ids."""
    assert len({watch.id, *(watch.subscribe().SubscriptionId for _ in range(5))}) == 6


def test_5_14_1_nothing_before_the_first_interval(watch: Any, reading: Any) -> None:
    """The first message comes when the first interval is over."""
    watch.item(reading("force"))
    assert watch.heard(0.9) == []
    watch.wait(0.2)
    assert watch.values() == [50.0]


def test_5_14_1_the_first_message_is_a_keep_alive_without_items(watch: Any) -> None:
    """The client hears of its subscription after one interval though there is nothing to tell."""
    watch.publish()
    watch.wait(1.1)
    (response,) = watch.responses()
    assert (response.NotificationMessage.NotificationData, response.NotificationMessage.SequenceNumber) == ([], 1)


def test_5_14_1_a_keep_alive_comes_after_its_count(watching: Any, reading: Any) -> None:
    """After as many silent intervals there is a keep-alive, not before."""
    watch = watching(RequestedMaxKeepAliveCount=3)
    watch.item(reading("force"))
    watch.publish(3)
    watch.wait(1.1)
    assert watch.values() == [50.0]
    watch.wait(2)
    assert watch.responses() == []
    watch.wait(1)
    assert [one.NotificationMessage.NotificationData for one in watch.responses()] == [[]]


def test_5_14_1_a_disabled_subscription_sends_keep_alives_alone(watching: Any, reading: Any) -> None:
    """PublishingEnabled False keeps data back and the subscription alive."""
    watch = watching(PublishingEnabled=False, RequestedMaxKeepAliveCount=2)
    watch.item(reading("force"))
    watch.publish(2)
    watch.wait(3.2)
    assert [one.NotificationMessage.NotificationData for one in watch.responses()] == [[], []]
    assert watch.codes(ua.SetPublishingModeRequest(), SubscriptionIds=[watch.id], PublishingEnabled=True) == [GOOD]
    assert watch.heard() == [50.0]


def test_5_14_1_a_late_publish_is_answered_at_once(watch: Any, reading: Any) -> None:
    """Data that waits for a Publish leaves with the first that comes."""
    watch.item(reading("force"))
    watch.wait(1.1)
    watch.publish()
    assert watch.values() == [50.0]


def test_5_14_1_priority_decides_who_is_served(watch: Any, reading: Any) -> None:
    """Of late subscriptions the one with the higher priority has the Publish."""
    low, high = watch.subscribe(Priority=1), watch.subscribe(Priority=9)
    for one in (low, high):
        watch.ask_items(reading("force"), subscription=one.SubscriptionId)
    watch.wait(1.1)
    watch.publish(2)
    assert [one.SubscriptionId for one in watch.responses()] == [high.SubscriptionId, low.SubscriptionId]


def test_5_14_1_sequence_numbers_rise_by_one(watch: Any, reading: Any) -> None:
    """Each message with data has the next number, beginning at 1."""
    watch.item(reading("force"))
    watch.publish(4)
    watch.wait(1.1)
    for value in (1.0, 2.0, 3.0):
        watch.run("force", value)
        watch.wait(1)
    assert [one.NotificationMessage.SequenceNumber for one in watch.responses()] == [1, 2, 3, 4]


def test_5_14_5_available_numbers_are_those_not_acknowledged(watch: Any, reading: Any) -> None:
    """What was not acknowledged can still be had, and the answer says so."""
    watch.item(reading("force"))
    watch.publish(2)
    watch.wait(1.1)
    watch.run("force", 1.0)
    watch.wait(1)
    assert [one.AvailableSequenceNumbers for one in watch.responses()][-1] == [1, 2]


ACKNOWLEDGED = [
    ("a_sent_number_is_good", 0, 1, GOOD),
    ("an_unknown_number_is_unknown", 0, 77, S.BadSequenceNumberUnknown),
    ("a_keep_alive_s_number_is_unknown", 0, 2, S.BadSequenceNumberUnknown),
    ("an_unknown_subscription", 5, 1, S.BadSubscriptionIdInvalid),
]


@pytest.mark.parametrize(
    ("offset", "number", "code"), [row[1:] for row in ACKNOWLEDGED], ids=[f"5_14_5_{row[0]}" for row in ACKNOWLEDGED]
)
def test_acknowledge(watch: Any, reading: Any, offset: int, number: int, code: int) -> None:
    """Each acknowledgement has its result in the answer to its Publish."""
    watch.item(reading("force"))
    assert watch.heard() == [50.0]
    asked = ua.PublishRequest()
    asked.Parameters.SubscriptionAcknowledgements = [ua.SubscriptionAcknowledgement(watch.id + offset, number)]
    watch.peer.post(asked)
    watch.run("force", 1.0)
    watch.wait(1)
    assert [one.value for one in watch.responses()[0].Results] == [code]


def test_5_14_5_publish_without_subscription(peer: Any) -> None:
    """There is nobody to wait for."""
    assert peer.result(ua.PublishRequest()) == S.BadNoSubscription


def test_5_14_5_a_timeout_hint_ends_a_publish(watch: Any) -> None:
    """A Publish whose time is over is answered with BadTimeout."""
    watch.publish()
    watch.wait(1.1)
    watch.peer.chunks()
    asked = ua.PublishRequest()
    asked.RequestHeader.AuthenticationToken, asked.RequestHeader.TimeoutHint = watch.peer.token, 500
    from asyncua.ua.ua_binary import struct_to_binary

    watch.peer.send(struct_to_binary(asked))
    watch.wait(1.1)
    (chunk,) = watch.peer.chunks()
    assert int.from_bytes(chunk[40:44], "little") == S.BadTimeout


@pytest.mark.parametrize("most", [1, 2, 3, 5], ids=lambda most: f"5_14_2_at_most_{most}_in_a_message")
def test_more_notifications(watching: Any, reading: Any, most: int) -> None:
    """No message has more, MoreNotifications says that there are more, and none is lost."""
    watch = watching(MaxNotificationsPerPublish=most)
    watch.ask_items(*[reading("force")] * 5)
    watch.publish(6)
    watch.wait(1.1)
    responses = watch.responses()
    counts = [len(one.NotificationMessage.NotificationData[0].MonitoredItems) for one in responses]
    assert sum(counts) == 5
    assert max(counts) <= most
    assert [one.MoreNotifications for one in responses] == [True] * (len(counts) - 1) + [False]


@pytest.mark.parametrize(
    ("number", "code"), [(1, GOOD), (2, S.BadMessageNotAvailable), (0, S.BadMessageNotAvailable)],
    ids=["5_14_6_a_kept_message", "5_14_6_a_message_to_come", "5_14_6_number_0"],
)  # fmt: skip
def test_republish(watch: Any, reading: Any, number: int, code: int) -> None:
    """A message is there until it is acknowledged; another is not available."""
    watch.item(reading("force"))
    assert watch.heard() == [50.0]
    asked = ua.RepublishRequest()
    assert watch.codes(asked, SubscriptionId=watch.id, RetransmitSequenceNumber=number) == [code]


def test_5_14_8_deleted_twice(watch: Any) -> None:
    """A deleted subscription is gone."""
    asked = ua.DeleteSubscriptionsRequest()
    assert watch.codes(asked, SubscriptionIds=[watch.id, watch.id]) == [GOOD, S.BadSubscriptionIdInvalid]


def test_5_14_8_waiting_publishes_are_told(watch: Any) -> None:
    """With the last subscription waiting Publish requests end."""
    watch.publish(2)
    asked = ua.DeleteSubscriptionsRequest()
    asked.Parameters.SubscriptionIds = [watch.id]
    watch.peer.post(asked)
    codes = [int.from_bytes(chunk[40:44], "little") for chunk in watch.peer.chunks()]
    assert codes == [GOOD, S.BadNoSubscription, S.BadNoSubscription]


@pytest.mark.parametrize("initial", [True, False], ids=["5_14_7_with_initial_values", "5_14_7_without_initial_values"])
def test_transfer(watching: Any, watch: Any, server: Any, connect: Any, reading: Any, initial: bool) -> None:
    """SendInitialValues decides whether the new session hears what the old one was told already."""
    watch.item(reading("force"))
    assert watch.heard() == [50.0]
    watch.peer = connect(server).login()
    asked = ua.TransferSubscriptionsRequest()
    assert watch.codes(asked, SubscriptionIds=[watch.id], SendInitialValues=initial) == [GOOD]
    assert watch.heard() == ([50.0] if initial else [])


def test_5_14_7_unacknowledged_messages_move_along(watch: Any, server: Any, connect: Any, reading: Any) -> None:
    """The new session can ask for what the old one did not acknowledge."""
    watch.item(reading("force"))
    assert watch.heard() == [50.0]
    watch.peer = connect(server).login()
    asked = ua.TransferSubscriptionsRequest()
    asked.Parameters.SubscriptionIds, asked.Parameters.SendInitialValues = [watch.id], False
    assert watch.peer.ask(asked).Parameters.Results[0].AvailableSequenceNumbers == [1]
    assert watch.codes(ua.RepublishRequest(), SubscriptionId=watch.id, RetransmitSequenceNumber=1) == [GOOD]
