"""HistoryRead (OPC 10000-4 §5.11.3) of the core: pages, bounds, refusals, evidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.evidence.history import Series

S, VT = ua.StatusCodes, ua.VariantType
SERVER, FORCE, ORDER = ua.NodeId(2253), ua.NodeId("stamp1.force", 2), ua.NodeId("stamp1.order", 2)
ORIGIN = datetime(2023, 11, 14, 22, 13, 20)  # 1_700_000_000 s; without a zone, as asyncua has it
OPEN = datetime(1601, 1, 1)
AVERAGE, COUNT = ua.NodeId(2342), ua.NodeId(2352)


def moment(seconds: float) -> datetime:
    """Plant time as the wire shows it."""
    return ORIGIN + timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def ramp(recorded: Any, stamps: Any) -> None:
    """120 values of the force, one a second, and three names of orders; the plant stands at 200 s."""
    seconds = np.arange(120)
    recorded.series["stamp1.force"] = Series(
        seconds * 10**9, seconds.astype(float), np.where(seconds == 60, 0x808C0000, 0).astype(np.uint32)
    )
    names = np.array(["A", "B", "C"], object)
    recorded.series["stamp1.order"] = Series(np.arange(3) * 10**9, names, np.zeros(3, np.uint32))
    stamps.clock.step = 2000


def raw(start: float | None, end: float | None, most: int = 0, bounds: bool = False) -> Any:
    """ReadRawModifiedDetails."""
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified, details.NumValuesPerNode, details.ReturnBounds = False, most, bounds
    details.StartTime = moment(start) if start is not None else OPEN
    details.EndTime = moment(end) if end is not None else OPEN
    return details


def mean(start: float, end: float, width_ms: float, *kinds: Any) -> Any:
    """ReadProcessedDetails."""
    details = ua.ReadProcessedDetails()
    details.StartTime, details.EndTime, details.ProcessingInterval = moment(start), moment(end), width_ms
    details.AggregateType = list(kinds or [AVERAGE])
    return details


def ask(peer: Any, details: Any, *nodes: Any, points: Any = None, release: bool = False, timestamps: int = 0) -> Any:
    """A HistoryRead; its response."""
    asked = ua.HistoryReadRequest()
    asked.Parameters.HistoryReadDetails = details
    asked.Parameters.ReleaseContinuationPoints = release
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn(timestamps)
    for node in nodes or (FORCE,):
        one = ua.HistoryReadValueId(node)
        one.IndexRange, one.ContinuationPoint = None, points
        one.DataEncoding = ua.QualifiedName(None, 0)
        asked.Parameters.NodesToRead.append(one)
    return peer.ask(asked)


def values(result: Any) -> list[Any]:
    """Values of one node."""
    data = result.HistoryData
    found = data if hasattr(data, "DataValues") else struct_from_binary(ua.HistoryData, Buffer(data.Body))
    return [one.Value.Value if one.Value is not None else None for one in found.DataValues]


def test_raw_values_come_in_pages(caller: Any) -> None:
    """No more than the server's 50 at once; the continuation point goes on where the page ended, once."""
    details, found, point = raw(0, 120), [], None
    while True:
        (result,) = ask(caller, details, points=point).Results
        found += values(result)
        used, point = point, result.ContinuationPoint
        if not point:
            break
    assert found == [*map(float, range(60)), None, *map(float, range(61, 120))]
    assert ask(caller, details, points=used).Results[0].StatusCode.value == S.BadContinuationPointInvalid


def test_pages_of_the_clients_size(caller: Any) -> None:
    """With both times a smaller page goes on; with one time the number is all that was asked for."""
    (result,) = ask(caller, raw(0, 10, 4)).Results
    assert values(result) == [0.0, 1.0, 2.0, 3.0]
    assert result.ContinuationPoint
    (result,) = ask(caller, raw(100, None, 3)).Results
    assert (values(result), result.ContinuationPoint) == ([100.0, 101.0, 102.0], None)
    (result,) = ask(caller, raw(None, 100, 3)).Results
    assert values(result) == [100.0, 99.0, 98.0]
    (result,) = ask(caller, raw(10, 7.5, bounds=True)).Results
    assert values(result) == [10.0, 9.0, 8.0, 7.0]


def test_texts_have_a_history(caller: Any) -> None:
    """Raw and at a time; an average of texts is refused, their count is not."""
    assert values(ask(caller, raw(0, 10), ORDER).Results[0]) == ["A", "B", "C"]
    details = ua.ReadAtTimeDetails()
    details.ReqTimes, details.UseSimpleBounds = [moment(1.5), moment(60)], False
    assert values(ask(caller, details, ORDER).Results[0]) == ["B", "C"]
    assert ask(caller, mean(0, 10, 0), ORDER).Results[0].StatusCode.value == S.BadAggregateInvalidInputs
    assert values(ask(caller, mean(0, 10, 0, COUNT), ORDER).Results[0]) == [3]


def test_processed_values(caller: Any) -> None:
    """One value per interval, a list of aggregates for a list of nodes, in pages too."""
    assert values(ask(caller, mean(0, 30, 10_000)).Results[0]) == [4.5, 14.5, 24.5]
    first, second = ask(caller, mean(0, 10, 0, AVERAGE, COUNT), FORCE, FORCE).Results
    assert (values(first), values(second)) == ([4.5], [10])
    (result,) = ask(caller, mean(0, 100, 1000)).Results
    assert len(values(result)) == 50
    assert len(values(ask(caller, mean(0, 100, 1000), points=result.ContinuationPoint).Results[0])) == 50


def test_a_year_in_milliseconds_costs_one_page(caller: Any) -> None:
    """Intervals are made as they are fetched."""
    (result,) = ask(caller, mean(0, 31_000_000, 1)).Results
    assert len(values(result)) == 50
    assert result.ContinuationPoint


@pytest.mark.parametrize(
    ("details", "node", "code"),
    [
        (raw(0, 120), ua.NodeId("nobody", 2), S.BadNodeIdUnknown),
        (raw(0, 120), ua.NodeId(2258), S.BadHistoryOperationUnsupported),
        (raw(0, 120), ua.NodeId("stamp1", 2), S.BadHistoryOperationUnsupported),
        (raw(300, 400), FORCE, S.GoodNoData),
        (mean(0, 10, 0, ua.NodeId(2361)), FORCE, S.BadAggregateNotSupported),
    ],
)
def test_a_node_without_history(caller: Any, details: Any, node: Any, code: int) -> None:
    """What is wrong with one node is told for that node."""
    assert ask(caller, details, node).Results[0].StatusCode.value == code


def test_requests_that_make_no_sense(caller: Any) -> None:
    """Refused as a whole: too few times, no interval, unequal lists, no timestamp, unknown details, no nodes."""
    assert result_of(ask(caller, raw(0, None))) == S.BadHistoryOperationInvalid
    assert result_of(ask(caller, mean(5, 5, 0))) == S.BadInvalidArgument
    assert result_of(ask(caller, mean(0, 5, -1.0))) == S.BadInvalidArgument
    assert result_of(ask(caller, mean(0, 5, float("nan")))) == S.BadInvalidArgument
    assert result_of(ask(caller, mean(0, 5, 0, AVERAGE, COUNT))) == S.BadAggregateListMismatch
    assert result_of(ask(caller, raw(0, 5), timestamps=3)) == S.BadTimestampsToReturnInvalid
    modified = raw(0, 5)
    modified.IsReadModified = True
    assert result_of(ask(caller, modified)) == S.BadHistoryOperationUnsupported
    asked = ua.HistoryReadRequest()
    asked.Parameters.HistoryReadDetails = raw(0, 5)
    assert caller.result(asked) == S.BadNothingToDo
    configured = mean(0, 5, 0)
    configured.AggregateConfiguration.UseServerCapabilitiesDefaults = False
    configured.AggregateConfiguration.PercentDataGood = 200
    assert result_of(ask(caller, configured)) == S.BadAggregateConfigurationRejected


def result_of(response: Any) -> int:
    """The service result."""
    return int(response.ResponseHeader.ServiceResult.value)


def test_continuation_points_are_few_and_can_be_released(caller: Any, stamp_server: Any, connect: Any) -> None:
    """The oldest gives way, a released one is gone, another session has none of them (OPC 10000-4 §7.9)."""
    points = [ask(caller, raw(0, 10, 1)).Results[0].ContinuationPoint for _ in range(21)]
    other = connect(stamp_server).login()
    wrong = S.BadContinuationPointInvalid
    assert ask(other, raw(0, 10, 1), points=points[20]).Results[0].StatusCode.value == wrong
    assert ask(caller, raw(0, 10, 1), points=points[0]).Results[0].StatusCode.value == wrong
    assert ask(caller, raw(0, 10, 1), ORDER, points=points[1]).Results[0].StatusCode.value == wrong
    assert ask(caller, raw(0, 10, 1), points=points[2], release=True).Results[0].StatusCode.value == 0
    assert ask(caller, raw(0, 10, 1), points=points[2]).Results[0].StatusCode.value == wrong


def test_variables_say_that_they_have_history(caller: Any) -> None:
    """Historizing, the HistoryRead bit, and HasHistoricalConfiguration with a whole configuration."""
    level, historizing = (
        one.Value.Value for one in caller.read(ua.ReadValueId(FORCE, 17), ua.ReadValueId(FORCE, 20)).Results
    )
    assert (level & 4, historizing) == (4, True)
    names = ("Stepped", "AggregateConfiguration/PercentDataGood")
    wanted = [ua.ReadValueId(ua.NodeId(f"HistoryConfiguration/{name}", 1), 13) for name in names]
    assert [one.Value.Value for one in caller.read(*wanted).Results] == [True, 100]
    assert caller.read(ua.ReadValueId(ua.NodeId(11193), 13)).Results[0].Value.Value is True
    assert caller.read(ua.ReadValueId(SERVER, 12)).Results[0].Value.Value == 5


def test_events_have_a_history(caller: Any, stamps: Any) -> None:
    """Events of a notifier between two times, both ways, through a filter."""
    for number in range(3):
        stamps.store.now_ns = number * 10**9
        stamps.devices["stamp1"].emit("Stamped", Order=f"A-{number}", Force=1.0, Number=number)
    details = ua.ReadEventDetails()
    details.StartTime, details.EndTime, details.NumValuesPerNode = moment(1), moment(10), 0
    message = ua.SimpleAttributeOperand()
    message.TypeDefinitionId, message.AttributeId = ua.NodeId(2041), 13
    message.BrowsePath = [ua.QualifiedName("Message", 0)]
    details.Filter.SelectClauses = [message]

    def told(*nodes: Any) -> list[list[str]]:
        found = []
        for result in ask(caller, details, *nodes).Results:
            data = result.HistoryData
            whole = data if hasattr(data, "Events") else struct_from_binary(ua.HistoryEvent, Buffer(data.Body))
            found.append([event.EventFields[0].Value.Text for event in whole.Events])
        return found

    stamp1, stamp2 = ua.NodeId("stamp1", 2), ua.NodeId("stamp2", 2)
    assert told(SERVER, stamp1, stamp2) == [["A-1 stamped", "A-2 stamped"]] * 2 + [[]]
    details.StartTime, details.EndTime = moment(10), moment(0)
    assert told(stamp1) == [["A-2 stamped", "A-1 stamped"]]
    assert ask(caller, details, FORCE).Results[0].StatusCode.value == S.BadHistoryOperationUnsupported
    details.Filter.SelectClauses = []
    assert ask(caller, details, stamp1).Results[0].StatusCode.value == S.BadEventFilterInvalid


def test_reads_are_evidence(caller: Any, events: Any) -> None:
    """One event per kind and span, in plant time, with how many values each tag gave."""
    ask(caller, raw(0, 10), FORCE, ORDER, ua.NodeId(2258))
    ask(caller, mean(10, 0, 5000))
    first, second = [one for one in events if one.kind == "history-read"]
    assert (first.tags, first.values) == (["stamp1.force", "stamp1.order"], [10, 3])
    assert first.detail == {
        "what": "raw", "nodes": ["ns=2;s=stamp1.force", "ns=2;s=stamp1.order", "i=2258"], "from": 0, "to": 10 * 10**9,
        "counts": [10, 3, 0], "statuses": [0, 0, S.BadHistoryOperationUnsupported],
    }  # fmt: skip
    assert (second.detail["what"], second.detail["aggregate"], second.detail["from"]) == (
        "processed",
        "Average",
        10**10,
    )


TIMES = st.one_of(
    st.just(OPEN), st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 31)), st.floats(-10, 300).map(moment)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TIMES, TIMES, st.integers(0, 2**32 - 1), st.floats(), st.sampled_from([*range(2341, 2363), 11285]), st.booleans()
)
def test_no_details_break_the_core(
    caller: Any, start: datetime, end: datetime, most: int, width: float, aggregate: int, flag: bool
) -> None:
    """Whatever times, numbers and intervals are asked for, an answer comes, and none of them is an internal error."""
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified, details.NumValuesPerNode, details.ReturnBounds = False, most, flag
    details.StartTime, details.EndTime = start, end
    processed = ua.ReadProcessedDetails()
    processed.StartTime, processed.EndTime, processed.ProcessingInterval = start, end, width
    processed.AggregateType = [ua.NodeId(aggregate)] * 2
    at = ua.ReadAtTimeDetails()
    at.ReqTimes, at.UseSimpleBounds = [start, end], flag
    for asked in (details, processed, at):
        response = ask(caller, asked, FORCE, ORDER)
        assert result_of(response) != S.BadInternalError
