"""Monitored items, claim by claim (OPC 10000-4 §5.13, §7.22)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S
from labsim.plant import status

GOOD = 0
OVERFLOW = 0x480
VARIABLE, SERVER = ua.NodeId(2255), ua.NodeId(2253)


def band(kind: int, value: float, trigger: int = 1) -> Any:
    """A DataChangeFilter."""
    return ua.DataChangeFilter(ua.DataChangeTrigger(trigger), kind, value)


CREATED: list[tuple[str, Any, dict[str, Any], dict[str, Any], int]] = [
    ("a_variable_s_value", "force", {}, {}, GOOD),
    ("an_attribute", "force", {"attribute": 4}, {}, GOOD),
    ("an_attribute_of_an_object", SERVER, {"attribute": 4}, {}, GOOD),
    ("a_text", "order", {}, {}, GOOD),
    ("an_array", VARIABLE, {}, {}, GOOD),
    ("a_part_of_an_array", VARIABLE, {"index_range": "0:1"}, {}, GOOD),
    ("an_unknown_node", "nope", {}, {}, S.BadNodeIdUnknown),
    ("an_unknown_attribute", "force", {"attribute": 99}, {}, S.BadAttributeIdInvalid),
    ("the_value_of_an_object", SERVER, {}, {}, S.BadAttributeIdInvalid),
    ("an_index_range_of_letters", VARIABLE, {"index_range": "x"}, {}, S.BadIndexRangeInvalid),
    ("an_index_range_beyond_the_array_may_come_true", VARIABLE, {"index_range": "90"}, {}, GOOD),
    ("an_encoding_of_a_number", "force", {"encoding": "Default Binary"}, {}, S.BadDataEncodingInvalid),
    ("an_unknown_encoding", ua.NodeId(2256), {"encoding": "Default Smoke"}, {}, S.BadDataEncodingInvalid),
    ("an_absolute_deadband", "force", {}, {"filter": band(1, 5.0)}, GOOD),
    ("an_absolute_deadband_of_0", "force", {}, {"filter": band(1, 0.0)}, GOOD),
    ("a_percent_deadband", "force", {}, {"filter": band(2, 10.0)}, GOOD),
    ("a_percent_deadband_of_100", "force", {}, {"filter": band(2, 100.0)}, GOOD),
    ("a_percent_deadband_above_100", "force", {}, {"filter": band(2, 100.1)}, S.BadDeadbandFilterInvalid),
    ("a_negative_deadband", "force", {}, {"filter": band(1, -1.0)}, S.BadDeadbandFilterInvalid),
    ("a_deadband_that_is_no_number", "force", {}, {"filter": band(1, float("nan"))}, S.BadDeadbandFilterInvalid),
    ("an_unknown_deadband_type", "force", {}, {"filter": band(3, 1.0)}, S.BadDeadbandFilterInvalid),
    ("a_deadband_of_a_text", "order", {}, {"filter": band(1, 1.0)}, S.BadFilterNotAllowed),
    ("a_deadband_of_a_boolean", "running", {}, {"filter": band(1, 1.0)}, S.BadFilterNotAllowed),
    ("a_percent_deadband_without_range", "count", {}, {"filter": band(2, 1.0)}, S.BadFilterNotAllowed),
    ("a_deadband_of_an_attribute", "force", {"attribute": 4}, {"filter": band(1, 1.0)}, S.BadFilterNotAllowed),
    ("an_event_filter_of_a_value", "force", {}, {"filter": ua.EventFilter()}, S.BadFilterNotAllowed),
    ("events_without_a_filter", SERVER, {"attribute": 12}, {}, S.BadEventFilterInvalid),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "watched", "fields", "code"), [row[1:] for row in CREATED], ids=[f"5_13_2_{row[0]}" for row in CREATED]
)
def test_create(
    watch: Any, reading: Any, target: Any, watched: dict[str, Any], fields: dict[str, Any], code: int
) -> None:
    """An item is made, or says why not; one that was not made has no id."""
    result = watch.item(reading(target, **watched), **fields)
    assert result.StatusCode.value == code
    assert bool(result.MonitoredItemId) == (code == GOOD)


REVISED = [
    ("sampling_0_is_the_fastest", {"SamplingInterval": 0.0}, 100.0, 10),
    ("sampling_minus_1_is_the_publishing_interval", {"SamplingInterval": -1.0}, 1000.0, 10),
    ("any_negative_sampling_is_the_publishing_interval", {"SamplingInterval": -7.5}, 1000.0, 10),
    ("a_sampling_that_is_no_number", {"SamplingInterval": float("nan")}, 1000.0, 10),
    ("a_good_sampling", {"SamplingInterval": 333.0}, 333.0, 10),
    ("a_sampling_above_the_longest", {"SamplingInterval": 1e12}, 3_600_000.0, 10),
    ("a_queue_of_0_is_1", {"QueueSize": 0}, 100.0, 1),
    ("a_queue_of_1", {"QueueSize": 1}, 100.0, 1),
    ("a_huge_queue_is_cut", {"QueueSize": 2**32 - 1}, 100.0, 1000),
]


@pytest.mark.parametrize(
    ("fields", "sampling", "queue"), [row[1:] for row in REVISED], ids=[f"5_13_2_{row[0]}" for row in REVISED]
)
def test_revised(watch: Any, reading: Any, fields: dict[str, Any], sampling: float, queue: int) -> None:
    """What was asked for is revised to what will be done."""
    result = watch.item(reading("force"), **fields)
    assert (result.RevisedSamplingInterval, result.RevisedQueueSize) == (sampling, queue)


@pytest.mark.parametrize(
    ("fields", "sampling", "queue"), [row[1:] for row in REVISED], ids=[f"5_13_3_{row[0]}" for row in REVISED]
)
def test_modified(watch: Any, reading: Any, fields: dict[str, Any], sampling: float, queue: int) -> None:
    """ModifyMonitoredItems revises as CreateMonitoredItems does."""
    one = ua.MonitoredItemModifyRequest(watch.item(reading("force")).MonitoredItemId)
    given = {"SamplingInterval": 100.0, "QueueSize": 10, "DiscardOldest": True, "ClientHandle": 1} | fields
    for name, value in given.items():
        setattr(one.RequestedParameters, name, value)
    asked = ua.ModifyMonitoredItemsRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.ItemsToModify = watch.id, [one]
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    result = watch.peer.ask(asked).Results[0]
    assert (result.RevisedSamplingInterval, result.RevisedQueueSize) == (sampling, queue)


EMPTY: list[tuple[str, Any, dict[str, Any], int]] = [
    ("5_13_2_create_nothing_to_do", ua.CreateMonitoredItemsRequest, {"ItemsToCreate": []}, S.BadNothingToDo),
    ("5_13_2_create_timestamps_invalid", ua.CreateMonitoredItemsRequest,
     {"ItemsToCreate": [ua.MonitoredItemCreateRequest()], "TimestampsToReturn": ua.TimestampsToReturn(4)},
     S.BadTimestampsToReturnInvalid),
    ("5_13_2_create_too_many", ua.CreateMonitoredItemsRequest,
     {"ItemsToCreate": [ua.MonitoredItemCreateRequest()] * 1001}, S.BadTooManyOperations),
    ("5_13_3_modify_nothing_to_do", ua.ModifyMonitoredItemsRequest, {"ItemsToModify": []}, S.BadNothingToDo),
    ("5_13_3_modify_an_unknown_item", ua.ModifyMonitoredItemsRequest,
     {"ItemsToModify": [ua.MonitoredItemModifyRequest(77)]}, S.BadMonitoredItemIdInvalid),
    ("5_13_4_mode_nothing_to_do", ua.SetMonitoringModeRequest, {"MonitoredItemIds": []}, S.BadNothingToDo),
    ("5_13_4_mode_of_an_unknown_item", ua.SetMonitoringModeRequest, {"MonitoredItemIds": [77]},
     S.BadMonitoredItemIdInvalid),
    ("5_13_5_triggering_nothing_to_do", ua.SetTriggeringRequest, {"TriggeringItemId": 77}, S.BadNothingToDo),
    ("5_13_5_triggering_by_an_unknown_item", ua.SetTriggeringRequest, {"TriggeringItemId": 77, "LinksToAdd": [1]},
     S.BadMonitoredItemIdInvalid),
    ("5_13_6_delete_nothing_to_do", ua.DeleteMonitoredItemsRequest, {"MonitoredItemIds": []}, S.BadNothingToDo),
    ("5_13_6_delete_an_unknown_item", ua.DeleteMonitoredItemsRequest, {"MonitoredItemIds": [77]},
     S.BadMonitoredItemIdInvalid),
]  # fmt: skip


@pytest.mark.parametrize(("message", "fields", "code"), [row[1:] for row in EMPTY], ids=[row[0] for row in EMPTY])
def test_services(watch: Any, message: Any, fields: dict[str, Any], code: int) -> None:
    """Empty lists, too long ones, and items that are not there."""
    assert watch.codes(message(), SubscriptionId=watch.id, **fields) == [code]


DEADBANDS: list[tuple[str, str, Any, list[Any], list[Any]]] = [
    ("no_filter_reports_every_change", "force", None, [51.0, 51.5, 51.5], [50.0, 51.0, 51.5]),
    ("an_absolute_band_is_left_beyond_not_at_its_edge", "force", band(1, 5.0), [55.0, 55.5], [50.0, 55.5]),
    ("an_absolute_band_counts_from_the_last_report", "force", band(1, 5.0), [53.0, 56.0, 60.0, 62.0],
     [50.0, 56.0, 62.0]),
    ("an_absolute_band_downwards", "force", band(1, 5.0), [46.0, 44.0], [50.0, 44.0]),
    ("a_percent_band_of_the_range", "force", band(2, 10.0), [60.0, 70.0, 71.0], [50.0, 71.0]),
    ("a_percent_band_of_0_reports_every_change", "force", band(2, 0.0), [50.1], [50.0, 50.1]),
    ("a_percent_band_of_100_reports_nothing_inside", "force", band(2, 100.0), [200.0, 0.0], [50.0]),
    ("an_integer_with_a_band", "count", band(1, 2.0), [8, 9, 10], [7, 10]),
    ("a_float_with_a_band", "speed", band(1, 1.0), [2.0, 2.75], [1.5, 2.75]),
    ("the_same_value_again_is_no_change", "running", None, [True, True], [True]),
    ("a_boolean_there_and_back", "running", None, [False, True], [True, False, True]),
    ("a_text", "order", None, ["B", "B", "C"], ["A-1", "B", "C"]),
    ("a_long_integer", "total", None, [2**40 + 1], [2**40, 2**40 + 1]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "filter_", "values", "reported"),
    [row[1:] for row in DEADBANDS],
    ids=[f"7_22_2_{row[0]}" for row in DEADBANDS],
)
def test_changes(watch: Any, reading: Any, name: str, filter_: Any, values: list[Any], reported: list[Any]) -> None:
    """What counts as a change, against the value reported last (OPC 10000-8 §7.2)."""
    watch.item(reading(name), filter=filter_)
    watch.publish()
    watch.run(name, *values)
    watch.wait(1)
    assert watch.values() == reported


@pytest.mark.parametrize(
    ("trigger", "count"), [(0, 2), (1, 3), (2, 3)],
    ids=["7_22_2_status_alone", "7_22_2_status_and_value", "7_22_2_status_value_and_timestamp"],
)  # fmt: skip
def test_trigger(watch: Any, reading: Any, trigger: int, count: int) -> None:
    """A trigger picks which parts of a DataValue count."""
    watch.item(reading("force"), filter=band(0, 0.0, trigger))
    watch.publish()
    watch.run("force", 60.0)
    watch.set("force", 60.0, status.UNCERTAIN_UNITS_EXCEEDED)
    watch.wait(1)
    assert len(watch.values()) == count


def test_7_22_2_a_change_of_status_passes_a_deadband(watch: Any, reading: Any) -> None:
    """A deadband hides small values, never a status."""
    watch.item(reading("force"), filter=band(1, 100.0))
    watch.publish()
    watch.run("force", 51.0)
    watch.set("force", 51.0, status.UNCERTAIN_UNITS_EXCEEDED)
    watch.wait(1)
    assert watch.values() == [50.0, 51.0]


QUEUES = [
    ("a_queue_of_1_keeps_the_newest", 1, True, [3.0], [0]),
    ("a_queue_of_1_keeps_the_newest_whatever_is_discarded", 1, False, [3.0], [0]),
    ("a_queue_of_2_discards_the_oldest", 2, True, [2.0, 3.0], [OVERFLOW, 0]),
    ("a_queue_of_2_discards_the_newest_but_one", 2, False, [50.0, 3.0], [0, OVERFLOW]),
    ("a_queue_of_3_discards_the_oldest", 3, True, [1.0, 2.0, 3.0], [OVERFLOW, 0, 0]),
    ("a_queue_that_is_large_enough_loses_nothing", 4, True, [50.0, 1.0, 2.0, 3.0], [0, 0, 0, 0]),
]


@pytest.mark.parametrize(
    ("size", "oldest", "values", "codes"), [row[1:] for row in QUEUES], ids=[f"5_13_1_5_{row[0]}" for row in QUEUES]
)
def test_queue(watch: Any, reading: Any, size: int, oldest: bool, values: list[float], codes: list[int]) -> None:
    """Queue size, discard policy and overflow bit."""
    watch.item(reading("force"), QueueSize=size, DiscardOldest=oldest)
    watch.publish()
    watch.run("force", 1.0, 2.0, 3.0)
    watch.wait(1)
    notices = watch.notices()
    assert [one.Value.Value.Value for one in notices] == values
    assert [one.Value.StatusCode.value if one.Value.StatusCode else 0 for one in notices] == codes


@pytest.mark.parametrize(
    ("stamps", "of_source", "of_server"), [(0, True, False), (1, False, True), (2, True, True), (3, False, False)],
    ids=["5_13_2_source_time", "5_13_2_server_time", "5_13_2_both_times", "5_13_2_no_time"],
)  # fmt: skip
def test_timestamps(watch: Any, reading: Any, stamps: int, of_source: bool, of_server: bool) -> None:
    """A notification has the timestamps its item asked for."""
    watch.ask_items(reading("force"), stamps=stamps)
    watch.publish()
    watch.wait(1.1)
    (notice,) = watch.notices()
    assert (notice.Value.SourceTimestamp is not None, notice.Value.ServerTimestamp is not None) == (
        of_source,
        of_server,
    )


@pytest.mark.parametrize(
    ("mode", "values"), [(0, []), (1, []), (2, [50.0, 1.0])],
    ids=["5_13_1_3_disabled", "5_13_1_3_sampling", "5_13_1_3_reporting"],
)  # fmt: skip
def test_mode(watch: Any, reading: Any, mode: int, values: list[float]) -> None:
    """Only a reporting item reports."""
    watch.item(reading("force"), mode=mode)
    watch.publish()
    watch.run("force", 1.0)
    watch.wait(1)
    assert watch.values() == values


def test_5_13_4_reporting_again_gives_what_was_sampled(watch: Any, reading: Any) -> None:
    """The queue of a sampling item is kept for when it reports; that of a disabled one is lost."""
    sampled, off = (watch.item(reading("force"), mode=2).MonitoredItemId for _ in range(2))
    assert watch.heard() == [50.0, 50.0]
    for number, mode in ((sampled, 1), (off, 0)):
        asked = ua.SetMonitoringModeRequest()
        watch.codes(asked, SubscriptionId=watch.id, MonitoringMode=ua.MonitoringMode(mode), MonitoredItemIds=[number])
    watch.run("force", 1.0, 2.0)
    for number in (sampled, off):
        asked = ua.SetMonitoringModeRequest()
        reporting = ua.MonitoringMode.Reporting
        watch.codes(asked, SubscriptionId=watch.id, MonitoringMode=reporting, MonitoredItemIds=[number])
    assert watch.heard() == [1.0, 2.0, 2.0]


def test_5_13_2_client_handles_come_back(watch: Any, reading: Any) -> None:
    """A notification names its item by the client's own handle."""
    watch.ask_items(reading("force"), reading("order"), reading("count"))
    watch.publish()
    watch.wait(1.1)
    assert [one.ClientHandle for one in watch.notices()] == [1, 2, 3]


def test_5_13_2_one_bad_item_leaves_the_others(watch: Any, reading: Any) -> None:
    """Items are judged one by one, in order."""
    results = watch.ask_items(reading("force"), reading("nope"), reading("count")).Results
    assert [one.StatusCode.value for one in results] == [GOOD, S.BadNodeIdUnknown, GOOD]


def test_5_13_2_items_are_limited(watch: Any, reading: Any) -> None:
    """A subscription has no more items than the server says."""
    watch.server.limits.max_items_per_subscription = 2
    results = watch.ask_items(*[reading("force")] * 3).Results
    assert [one.StatusCode.value for one in results] == [GOOD, GOOD, S.BadTooManyMonitoredItems]


def test_5_13_3_a_smaller_queue_keeps_the_newest(watch: Any, reading: Any) -> None:
    """Modify to a smaller queue discards at once, as DiscardOldest says."""
    number = watch.item(reading("force")).MonitoredItemId
    watch.run("force", 1.0, 2.0, 3.0)
    one = ua.MonitoredItemModifyRequest(number)
    one.RequestedParameters.QueueSize, one.RequestedParameters.DiscardOldest = 2, True
    one.RequestedParameters.SamplingInterval = 100.0
    asked = ua.ModifyMonitoredItemsRequest()
    assert watch.codes(asked, SubscriptionId=watch.id, ItemsToModify=[one]) == [GOOD]
    assert watch.heard() == [2.0, 3.0]


def test_5_13_1_2_a_slow_sampling_misses_what_is_between(watch: Any, reading: Any) -> None:
    """An item sees only what is there when it samples."""
    watch.item(reading("force"), SamplingInterval=500.0)
    watch.publish()
    watch.run("force", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    watch.wait(0.5)
    seen = watch.values()
    assert seen[0] == 50.0
    assert 2 <= len(seen) <= 3


def trigger(watch: Any, by: int, add: list[int], remove: list[int] | None = None) -> list[int]:
    """SetTriggering; add results and remove results."""
    asked = ua.SetTriggeringRequest()
    asked.Parameters.SubscriptionId, asked.Parameters.TriggeringItemId = watch.id, by
    asked.Parameters.LinksToAdd, asked.Parameters.LinksToRemove = add, remove or []
    found = watch.peer.ask(asked).Parameters
    return [int(one.value) for one in (*(found.AddResults or ()), *(found.RemoveResults or ()))]


def test_5_13_1_6_a_linked_item_reports_with_its_trigger(watch: Any, reading: Any) -> None:
    """A sampling item reports when its trigger does, once for each time."""
    by = watch.item(reading("running")).MonitoredItemId
    linked = watch.item(reading("count"), mode=1).MonitoredItemId
    assert watch.heard() == [True]
    assert trigger(watch, by, [linked]) == [GOOD]
    watch.run("count", 8)
    assert watch.heard() == []
    watch.run("running", False)
    watch.wait(1)
    assert sorted(watch.values()) == [False, 7, 8]


def test_5_13_5_a_removed_link_triggers_no_more(watch: Any, reading: Any) -> None:
    """LinksToRemove ends it; what is no link cannot be removed."""
    by = watch.item(reading("running")).MonitoredItemId
    linked = watch.item(reading("count"), mode=1).MonitoredItemId
    trigger(watch, by, [linked])
    assert trigger(watch, by, [], [linked, linked, 99]) == [GOOD, S.BadMonitoredItemIdInvalid,
                                                            S.BadMonitoredItemIdInvalid]  # fmt: skip
    assert watch.heard() == [True]


def test_5_13_6_a_deleted_item_is_gone(watch: Any, reading: Any) -> None:
    """Neither its queue nor its id is left."""
    number = watch.item(reading("force")).MonitoredItemId
    asked = ua.DeleteMonitoredItemsRequest()
    codes = watch.codes(asked, SubscriptionId=watch.id, MonitoredItemIds=[number, number])
    assert codes == [GOOD, S.BadMonitoredItemIdInvalid]
    assert watch.heard() == []


def test_7_17_a_value_that_becomes_bad_is_reported(watch: Any, reading: Any) -> None:
    """A Bad status is a change, and so is the good value after it."""
    watch.item(reading("force"))
    watch.publish()
    watch.wait()
    watch.set("force", 50.0, status.BAD_OUT_OF_SERVICE)
    watch.wait()
    watch.set("force", 50.0)
    watch.wait(1)
    codes = [one.Value.StatusCode.value if one.Value.StatusCode else 0 for one in watch.notices()]
    assert codes == [GOOD, status.BAD_OUT_OF_SERVICE, GOOD]
