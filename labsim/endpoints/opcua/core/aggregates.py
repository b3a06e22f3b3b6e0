"""Aggregates over intervals of stored values (OPC 10000-13 §5.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.core.series import CALCULATED, MULTIPLE, PARTIAL, RAW, History, at_time
from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.values import DOUBLE, INT32, NUMERIC, DataValue

INTERPOLATIVE, AVERAGE, TIME_AVERAGE, MINIMUM, MAXIMUM, COUNT = 2341, 2342, 2343, 2346, 2347, 2352
"""Nodes of the aggregate functions (OPC 10000-13 §4.2.2)."""
NAMES = {
    INTERPOLATIVE: "Interpolative", AVERAGE: "Average", TIME_AVERAGE: "TimeAverage", MINIMUM: "Minimum",
    MAXIMUM: "Maximum", COUNT: "Count",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Configuration:
    """AggregateConfiguration (OPC 10000-13 §4.2.1.2); percentages from 0 to 100."""

    treat_uncertain_as_bad: bool = True
    percent_bad: int = 100
    percent_good: int = 100
    sloped_extrapolation: bool = False


class Interval(NamedTuple):
    """One interval: earlier and later end in FILETIME, which of them belongs to it, and whether it was cut short.

    ``time`` is where it starts in the direction of the request, which is the time of its result.
    """

    low: int
    high: int
    time: int
    backward: bool
    partial: bool


def intervals(start: int, end: int, width: int) -> Iterator[Interval]:
    """Intervals of a width (0: one for all) from ``start`` on to ``end``, backwards when that is earlier (§5.4.2)."""
    backward, span = end < start, abs(end - start)
    width = width or span
    for offset in range(0, span, width):
        length = min(width, span - offset)
        if backward:
            yield Interval(start - offset - length, start - offset, start - offset, True, length < width)
        else:
            yield Interval(start + offset, start + offset + length, start + offset, False, length < width)


def processed(
    history: History, start: int, end: int, width: int, aggregate: int, configuration: Configuration
) -> Iterator[DataValue]:
    """The aggregate of every interval, lazily."""
    calculate = _CALCULATE[aggregate]
    for interval in intervals(start, end, width):
        yield calculate(history, interval, configuration)


def fits(history: History, aggregate: int) -> bool:
    """Whether the aggregate makes sense of the variable's type."""
    return aggregate in (COUNT, INTERPOLATIVE) or history.builtin in NUMERIC


def _slice(history: History, interval: Interval) -> slice:
    """Stored values inside: from the start on, without the end, in the direction of the request."""
    side = "right" if interval.backward else "left"
    low, high = np.searchsorted(history.times, (interval.low, interval.high), side)  # type: ignore[call-overload]  # a literal
    return slice(int(low), int(high))


def _masks(statuses: NDArray[np.uint32], configuration: Configuration) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which values are Good, and which count as Bad."""
    severity = statuses >> 30
    good = severity == 0
    bad = ~good if configuration.treat_uncertain_as_bad else severity >= 2
    return good, bad


def _none(interval: Interval, code: int = int(S.BadNoData)) -> DataValue:
    return DataValue(None, code, interval.time, interval.time)


def _quality(good: float, bad: float, configuration: Configuration) -> int:
    """The StatusCode from the shares of good and bad data in percent (§5.4.3.2.1)."""
    if bad > 0 and bad >= configuration.percent_bad:
        return int(S.Bad)
    return 0 if good >= configuration.percent_good else int(S.UncertainDataSubNormal)


def _result(interval: Interval, encoded: bytes, code: int, bits: int) -> DataValue:
    if code == int(S.Bad):
        return _none(interval, code | bits)
    return DataValue(encoded, code | bits | (PARTIAL if interval.partial else 0), interval.time, interval.time)


def _interpolative(history: History, interval: Interval, configuration: Configuration) -> DataValue:
    """The value at the start (§5.4.3.4)."""
    return at_time(history, interval.time, sloped_extrapolation=configuration.sloped_extrapolation)


def _average(history: History, interval: Interval, configuration: Configuration) -> DataValue:
    """The mean of the Good values (§5.4.3.5)."""
    part = _slice(history, interval)
    good, bad = _masks(history.statuses[part], configuration)
    if not good.any():
        return _none(interval)
    mean = float(np.mean(history.values[part][good]))
    code = _quality(100 * good.mean(), 100 * bad.mean(), configuration)
    return _result(interval, history.encode(mean, DOUBLE), code, CALCULATED)


def _count(history: History, interval: Interval, configuration: Configuration) -> DataValue:
    """How many Good values there are (§5.4.3.20)."""
    if not len(history.times) or interval.high <= history.times[0] or interval.low > history.until:
        return _none(interval)
    part = _slice(history, interval)
    good, bad = _masks(history.statuses[part], configuration)
    code = _quality(100 * good.mean(), 100 * bad.mean(), configuration) if len(good) else 0
    return _result(interval, history.encode(int(good.sum()), INT32), code, CALCULATED)


def _extreme(choose: Callable[[Any], Any]) -> Callable[[History, Interval, Configuration], DataValue]:
    def extreme(history: History, interval: Interval, configuration: Configuration) -> DataValue:
        """The least or greatest Good value (§5.4.3.10, §5.4.3.11): raw when it stands at the start."""
        part = _slice(history, interval)
        good, _ = _masks(history.statuses[part], configuration)
        values = history.values[part][good]
        if not values.size:
            return _none(interval)
        found = choose(values)
        same = np.flatnonzero(values == found)
        at_start = bool((history.times[part][good][same] == interval.time).any())
        bits = (RAW if at_start else CALCULATED) | (MULTIPLE if len(same) > 1 else 0)
        code = 0 if good.all() else int(S.UncertainDataSubNormal)
        return _result(interval, history.encode(found), code, bits)

    return extreme


def _time_average(history: History, interval: Interval, configuration: Configuration) -> DataValue:
    """The mean over time of the line or the steps through the values that are not Bad (§5.4.3.6)."""
    part, bad = _around(history, interval, configuration)
    known = ~bad
    times, values = part.times[known], part.values[known]
    low, high = (
        interval.low,
        min(interval.high, max(history.until, int(history.times[-1]) if len(history.times) else 0)),
    )
    if not times.size or high <= int(times[0]) or low >= high:
        return _none(interval)
    low = max(low, int(times[0]))
    first = int(np.searchsorted(times, low, "right")) - 1
    last = int(np.searchsorted(times, high, "left"))
    edges = np.concatenate(([low], times[first + 1 : last], [high]))
    weights = np.diff(edges) / float(high - low)
    if history.stepped:
        mean = float(np.dot(weights, values[first:last]))
    else:
        corners = np.interp(edges - low, times - low, values)
        mean = float(np.dot(weights, (corners[:-1] + corners[1:]) / 2))
    whole = float(interval.high - interval.low)
    lost = _bad_time(part, bad, low, high) + whole - (high - low)
    code = _quality(100 * (whole - lost) / whole, 100 * lost / whole, configuration)
    return _result(interval, history.encode(mean, DOUBLE), code, CALCULATED)


def _around(history: History, interval: Interval, configuration: Configuration) -> tuple[History, NDArray[np.bool_]]:
    """The values inside and the nearest that are not Bad on both sides, and which of them count as Bad."""
    low = int(np.searchsorted(history.times, interval.low, "right")) - 1
    high = int(np.searchsorted(history.times, interval.high, "left"))
    worst = 1 if configuration.treat_uncertain_as_bad else 2
    while low > 0 and int(history.statuses[low]) >> 30 >= worst:
        low -= 1
    while high < len(history.times) and int(history.statuses[high]) >> 30 >= worst:
        high += 1
    span = slice(max(low, 0), high + 1)
    part = replace(history, times=history.times[span], values=history.values[span], statuses=history.statuses[span])
    return part, _masks(part.statuses, configuration)[1]


def _bad_time(history: History, bad: NDArray[np.bool_], low: int, high: int) -> float:
    """How long between two times the value in force counted as Bad."""
    first = max(int(np.searchsorted(history.times, low, "right")) - 1, 0)
    last = int(np.searchsorted(history.times, high, "left"))
    edges = np.concatenate((np.maximum(history.times[first:last], low), [high]))
    return float(np.diff(edges)[bad[first:last]].sum())


Calculate: TypeAlias = Callable[[History, Interval, Configuration], DataValue]
_CALCULATE: dict[int, Calculate] = {
    INTERPOLATIVE: _interpolative,
    AVERAGE: _average,
    TIME_AVERAGE: _time_average,
    MINIMUM: _extreme(np.min),
    MAXIMUM: _extreme(np.max),
    COUNT: _count,
}
