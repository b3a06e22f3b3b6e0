"""HistoryRead (OPC 10000-4 §5.11.3, OPC 10000-11 §6.5): raw, at times, processed, and events, in pages."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from asyncua import ua

from labsim.endpoints.opcua.core import aggregates, nodes
from labsim.endpoints.opcua.core.aggregates import Configuration
from labsim.endpoints.opcua.core.event import EVENT_HISTORY, Event
from labsim.endpoints.opcua.core.eventfilter import EventFilter
from labsim.endpoints.opcua.core.happening import HistoryFact
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import Node
from labsim.endpoints.opcua.core.ranges import parse_range
from labsim.endpoints.opcua.core.request import Request, check_count, check_timestamps
from labsim.endpoints.opcua.core.series import History, at_time, raw
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.values import encode_data_value

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.session import Session

HISTORY_READ = 4
"""Bit of AccessLevel (OPC 10000-3 §8.57)."""
HAS_HISTORICAL_CONFIGURATION = 56
_NEITHER = 3
_VALUES, _INTERVALS, _EVENTS = 10_000, 2_000, 1_000
"""How much one request may look at, so that it does not delay others; the rest comes by continuation points."""
_HISTORY_DATA = ua.NodeId(ua.ObjectIds.HistoryData_Encoding_DefaultBinary, 0)
_HISTORY_EVENT = ua.NodeId(ua.ObjectIds.HistoryEvent_Encoding_DefaultBinary, 0)
_FILETIME_MOST = 2**63 - 1


class HistoryStorage(Protocol):
    """Where history comes from."""

    def values(self, key: Key) -> History | None:
        """All that is stored of a variable; None when it has no history."""
        ...

    def events(self, fits: Callable[[int], bool], backward: bool) -> Iterator[Event]:
        """Events that are remembered and whose FILETIME fits, the oldest or the latest first; made as they are fetched."""
        ...


class Point(NamedTuple):
    """A continuation point: what is left of a read, where None is something that a filter held back."""

    key: Key
    kind: str
    rest: Iterator[bytes | None]
    type_id: Any


class _Asked(NamedTuple):
    """One kind of details: its name, its times as they were given, how many values a page has at most (0: any), the read.

    ``paged`` says that a page may be followed by another; ``effort`` how much one request may look at in all.
    """

    kind: str
    start: int
    end: int
    most: int
    paged: bool
    read: Callable[[Request, Node], Iterator[bytes | None]]
    type_id: Any
    effort: int
    aggregate: str = ""


def history_read(request: Request, message: Any) -> Any:
    """HistoryRead (OPC 10000-4 §5.11.3)."""
    asked, server = message.Parameters, request.server
    check_count(asked.NodesToRead, server.limits.max_nodes_per_history_read)
    timestamps = check_timestamps(asked.TimestampsToReturn)
    if timestamps == _NEITHER:
        raise Bad(S.BadTimestampsToReturnInvalid, "history needs a timestamp")  # OPC 10000-11 §4.5
    release = bool(asked.ReleaseContinuationPoints)
    details = [] if release else _details(asked.HistoryReadDetails, timestamps, len(asked.NodesToRead))
    facts = request.facts = []
    response = ua.HistoryReadResponse()
    for at, one in enumerate(asked.NodesToRead):
        result, key = ua.HistoryReadResult(), key_of(one.NodeId)
        fact = HistoryFact(key, "release", 0, 0, "", 0, 0)
        try:
            if release:
                if request.session.history_points.pop(one.ContinuationPoint, None) is None:
                    raise Bad(S.BadContinuationPointInvalid)
            else:
                wanted = details[at]
                fact.kind, fact.start, fact.end = wanted.kind, wanted.start, wanted.end
                fact.aggregate = wanted.aggregate
                effort = min(wanted.effort, server.limits.max_history_values) // len(asked.NodesToRead)
                fact.count = _page(request, one, wanted, max(effort, 1), result)
                if not fact.count and not result.ContinuationPoint:
                    result.StatusCode = ua.StatusCode(S.GoodNoData)
        except Bad as error:
            fact.status = error.code
            result.StatusCode = ua.StatusCode(error.code)
        facts.append(fact)
        response.Results.append(result)
    return response


def _page(request: Request, one: Any, wanted: _Asked, effort: int, result: Any) -> int:
    """The next page of one node; how many values it has."""
    server, session = request.server, request.session
    node = server.visible(key_of(one.NodeId), session.identity)
    if not server.may(session.identity, "history", node):
        raise Bad(S.BadUserAccessDenied)
    if one.ContinuationPoint:
        point = session.history_points.pop(one.ContinuationPoint, None)
        if point is None or point.key != node.key or point.kind != wanted.kind:
            raise Bad(S.BadContinuationPointInvalid)
    else:
        if one.IndexRange:
            parse_range(one.IndexRange)
            raise Bad(S.BadIndexRangeNoData)  # only arrays have parts, and none has a history
        point = Point(node.key, wanted.kind, wanted.read(request, node), wanted.type_id)
    page: list[bytes] = []
    looked = 0
    for found in point.rest:
        page += [found] if found is not None else []
        looked += 1
        if looked == effort or len(page) == wanted.most:
            break
    # An open end is done with the number that was asked for; what was asked to an end goes on.
    if looked and (looked == effort or len(page) == wanted.most) and (wanted.paged or len(page) < wanted.most):
        following = list(islice(point.rest, 1))
        if following:
            result.ContinuationPoint = _keep(session, point, following[0], server.limits.max_history_points)
    body = struct.pack("<i", len(page)) + b"".join(page)
    result.HistoryData = ua.ExtensionObject(point.type_id, body)
    return len(page)


def _keep(session: Session, point: Point, following: bytes | None, most: int) -> bytes:
    """A new continuation point; the oldest of the session gives way (OPC 10000-4 §7.9)."""

    def rest() -> Iterator[bytes | None]:
        yield following
        yield from point.rest

    while len(session.history_points) >= most:
        session.history_points.popitem(last=False)
    name = os.urandom(8)
    session.history_points[name] = point._replace(rest=rest())
    return name


def _details(details: Any, timestamps: int, count: int) -> list[_Asked]:
    """What HistoryReadDetails ask for, for each node.

    Raises:
        Bad: BadHistoryOperationInvalid or BadHistoryOperationUnsupported.
    """
    if isinstance(details, ua.ReadRawModifiedDetails):
        if details.IsReadModified:
            raise Bad(S.BadHistoryOperationUnsupported, "values are never modified here")
        return [_raw(details, timestamps)] * count
    if isinstance(details, ua.ReadAtTimeDetails):
        return [_at_time(details, timestamps)] * count
    if isinstance(details, ua.ReadProcessedDetails):
        if len(details.AggregateType or ()) != count:
            raise Bad(S.BadAggregateListMismatch)
        return [_processed(details, kind, timestamps) for kind in details.AggregateType]
    if isinstance(details, ua.ReadEventDetails):
        return [_events(details)] * count
    raise Bad(S.BadHistoryOperationUnsupported)


def _filetime(time: Any) -> int:
    """A DateTime as FILETIME; 0 when it is not given."""
    return min(max(int(ua.datetime_to_win_epoch(time)), 0), _FILETIME_MOST) if time else 0


def _two_of_three(start: int, end: int, most: int) -> None:
    """Two of start, end and number must be given (OPC 10000-11 §6.5.2.2, §6.5.3.2)."""
    if bool(start) + bool(end) + bool(most) < 2:
        raise Bad(S.BadHistoryOperationInvalid, "give two of start time, end time and number of values")


def _stored(request: Request, node: Node) -> History:
    """The history of a variable."""
    storage = request.server.history
    readable = node.cls == nodes.VARIABLE and node.attributes[nodes.ACCESS_LEVEL] & HISTORY_READ
    found = storage.values(node.key) if storage is not None and readable else None
    if found is None:
        raise Bad(S.BadHistoryOperationUnsupported)
    return found


def _raw(details: Any, timestamps: int) -> _Asked:
    start, end, most = _filetime(details.StartTime), _filetime(details.EndTime), int(details.NumValuesPerNode)
    _two_of_three(start, end, most)

    def read(request: Request, node: Node) -> Iterator[bytes]:
        found = raw(_stored(request, node), start, end, bool(details.ReturnBounds))
        return (encode_data_value(value, timestamps) for value in found)

    return _Asked("raw", start, end, most, bool(start and end), read, _HISTORY_DATA, _VALUES)


def _at_time(details: Any, timestamps: int) -> _Asked:
    times = [_filetime(time) for time in details.ReqTimes or ()]
    if not times:
        raise Bad(S.BadNothingToDo)
    simple = bool(details.UseSimpleBounds)

    def read(request: Request, node: Node) -> Iterator[bytes]:
        history = _stored(request, node)
        return (encode_data_value(at_time(history, time, simple), timestamps) for time in times)

    return _Asked("at-time", min(times), max(times), 0, True, read, _HISTORY_DATA, _VALUES)


def _processed(details: Any, aggregate: Any, timestamps: int) -> _Asked:
    start, end = _filetime(details.StartTime), _filetime(details.EndTime)
    width, kind = float(details.ProcessingInterval), key_of(aggregate)
    if not start or not end or start == end:
        raise Bad(S.BadInvalidArgument, "a processed read needs a start and another end time")
    if not 0 <= width < math.inf:
        raise Bad(S.BadInvalidArgument, "a processing interval is a number of milliseconds, 0 for one interval")
    if 0 < width < 1:
        raise Bad(S.BadInvalidArgument, "a processing interval is at least 1 ms")
    configuration = _configuration(details.AggregateConfiguration)

    def read(request: Request, node: Node) -> Iterator[bytes]:
        history = _stored(request, node)
        if not isinstance(kind, int) or kind not in aggregates.NAMES:
            raise Bad(S.BadAggregateNotSupported)
        if not aggregates.fits(history, kind):
            raise Bad(S.BadAggregateInvalidInputs)
        found = aggregates.processed(history, start, end, round(min(width * 10_000, 2.0**62)), kind, configuration)
        return (encode_data_value(value, timestamps) for value in found)

    name = aggregates.NAMES.get(kind, "") if isinstance(kind, int) else ""
    return _Asked("processed", start, end, 0, True, read, _HISTORY_DATA, _INTERVALS, name)


def _configuration(given: Any) -> Configuration:
    """AggregateConfiguration as given, or the server's own (OPC 10000-13 §4.2.1.2)."""
    if given.UseServerCapabilitiesDefaults:
        return Configuration()
    bad, good = int(given.PercentDataBad), int(given.PercentDataGood)
    if bad > 100 or good > 100 or good < 100 - bad:
        raise Bad(S.BadAggregateConfigurationRejected)
    return Configuration(bool(given.TreatUncertainAsBad), bad, good, bool(given.UseSlopedExtrapolation))


def _events(details: Any) -> _Asked:
    start, end, most = _filetime(details.StartTime), _filetime(details.EndTime), int(details.NumValuesPerNode)
    _two_of_three(start, end, most)

    def read(request: Request, node: Node) -> Iterator[bytes | None]:
        server, locales, identity = request.server, list(request.session.locales), request.session.identity
        if server.history is None or not (node.attributes.get(nodes.EVENT_NOTIFIER) or 0) & EVENT_HISTORY:
            raise Bad(S.BadHistoryOperationUnsupported)
        filter_ = EventFilter(server.space, details.Filter)
        return (
            filter_.fields(event, locales)
            if node.key in server.notifiers_of(event.source)
            and server.may_hear(identity, event)
            and filter_.passes(event, locales)
            else None
            for event in server.history.events(*_span(start, end))
        )

    return _Asked("events", start, end, most, bool(start and end), read, _HISTORY_EVENT, _EVENTS)


def _span(start: int, end: int) -> tuple[Callable[[int], bool], bool]:
    """Whether a time is from ``start`` on and before ``end``, and whether they go backwards: start is open or later."""
    if not start:
        start, end = end, 0
        return (lambda time: end < time <= start), True
    if end and end < start:
        return (lambda time: end < time <= start), True
    return (lambda time: start <= time and (not end or time < end or time == start)), False
