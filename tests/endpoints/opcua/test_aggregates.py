"""Raw, at-time and processed history (OPC 10000-11 §6.5, OPC 10000-13 §5.4) against an oracle that looks at every value."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, variant_from_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.aggregates import (
    AVERAGE,
    COUNT,
    INTERPOLATIVE,
    MAXIMUM,
    MINIMUM,
    TIME_AVERAGE,
    Configuration,
    intervals,
    processed,
)
from labsim.endpoints.opcua.core.series import CALCULATED, INTERPOLATED, MULTIPLE, PARTIAL, History, at_time, raw

S = ua.StatusCodes
DOUBLE = 11
BAD = int(S.BadSensorFailure)
UNCERTAIN = int(S.UncertainDataSubNormal)


def history(*points: tuple[int, float] | tuple[int, float, int], stepped: bool = True, until: int = 0) -> History:
    """Values as (time, value, status)."""
    times, values, statuses = zip(*((*point, 0)[:3] for point in points), strict=True) if points else ((), (), ())
    return History(
        np.array(times, np.int64), np.array(values, float), np.array(statuses, np.uint32), DOUBLE, stepped,
        until or (max(times) if times else 0),
    )  # fmt: skip


def value(data: Any) -> Any:
    """The value inside an answer."""
    return variant_from_binary(Buffer(data.value)).Value if data.value is not None else None


def one(
    series: History, start: int, end: int, aggregate: int, width: int = 0, **given: Any
) -> list[tuple[Any, int, int]]:
    """Value, status and time of every interval."""
    found = processed(series, start, end, width, aggregate, Configuration(**given))
    return [(value(data), data.status, data.source) for data in found]


RAMP = history((10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0), until=50)


@pytest.mark.parametrize(
    ("start", "end", "bounds", "times"),
    [
        (10, 40, False, [10, 20, 30]),
        (15, 35, False, [20, 30]),
        (15, 35, True, [10, 20, 30, 40]),
        (10, 40, True, [10, 20, 30, 40]),
        (40, 10, False, [40, 30, 20]),
        (35, 15, True, [40, 30, 20, 10]),
        (20, 20, False, [20]),
        (21, 0, False, [30, 40]),
        (0, 25, False, [20, 10]),
        (50, 60, False, []),
    ],
)
def test_raw_values_between(start: int, end: int, bounds: bool, times: list[int]) -> None:
    """The start is included, the end is not; backwards when the start is later or open (OPC 10000-11 §6.5.3.2)."""
    assert [data.source for data in raw(RAMP, start, end, bounds)] == times


def test_a_bound_that_is_not_there() -> None:
    """BadBoundNotFound stands at the time that was asked for."""
    found = [(data.source, data.status) for data in raw(RAMP, 5, 45, True)]
    assert found == [(5, S.BadBoundNotFound), *((t, 0) for t in (10, 20, 30, 40)), (45, S.BadBoundNotFound)]
    assert [data.status for data in raw(history(), 5, 45, True)] == [S.BadBoundNotFound] * 2


def test_at_a_time() -> None:
    """A stored value is raw; between two the step or the line, before the first nothing, beyond what is known uncertain."""
    sloped = history((10, 1.0), (20, 2.0), stepped=False)
    assert (value(at_time(RAMP, 20)), at_time(RAMP, 20).status) == (2.0, 0)
    assert (value(at_time(RAMP, 29)), at_time(RAMP, 29).status) == (2.0, INTERPOLATED)
    assert value(at_time(sloped, 15)) == 1.5
    assert at_time(RAMP, 9).status == S.BadNoData
    assert at_time(RAMP, 50).status == INTERPOLATED
    assert at_time(RAMP, 51).status == UNCERTAIN | INTERPOLATED
    assert value(at_time(sloped, 30)) == 2.0
    assert value(at_time(sloped, 30, sloped_extrapolation=True)) == 3.0


def test_at_a_time_bad_values_are_passed_over() -> None:
    """The nearest that is not bad counts, and the result is uncertain; simple bounds tell the bad one."""
    holed = history((10, 1.0), (20, 9.0, BAD), (30, 3.0), stepped=False)
    assert (value(at_time(holed, 20)), at_time(holed, 20).status) == (2.0, UNCERTAIN | INTERPOLATED)
    assert at_time(holed, 25, simple=True).status == BAD | INTERPOLATED


def test_intervals_go_both_ways() -> None:
    """From the start on; the last one is cut short and says so (OPC 10000-13 §5.4.2)."""
    assert [(i.low, i.high, i.time, i.partial) for i in intervals(0, 25, 10)] == [
        (0, 10, 0, False), (10, 20, 10, False), (20, 25, 20, True),
    ]  # fmt: skip
    assert [(i.low, i.high, i.time, i.partial) for i in intervals(25, 0, 10)] == [
        (15, 25, 25, False), (5, 15, 15, False), (0, 5, 5, True),
    ]  # fmt: skip
    assert [(i.low, i.high) for i in intervals(3, 9, 0)] == [(3, 9)]


def test_aggregates_of_a_ramp() -> None:
    """By hand."""
    assert one(RAMP, 10, 50, AVERAGE, 20) == [(1.5, CALCULATED, 10), (3.5, CALCULATED, 30)]
    assert one(RAMP, 50, 10, AVERAGE, 20) == [(4.0, CALCULATED, 50), (2.5, CALCULATED, 30)]
    assert one(RAMP, 15, 35, TIME_AVERAGE) == [(2.0, CALCULATED, 15)]
    assert one(RAMP, 10, 50, MINIMUM) == [(1.0, 0, 10)]
    assert one(RAMP, 10, 50, MAXIMUM) == [(4.0, CALCULATED, 10)]
    assert one(RAMP, 10, 50, COUNT, 25) == [(3, CALCULATED, 10), (1, CALCULATED | PARTIAL, 35)]
    assert one(RAMP, 15, 35, INTERPOLATIVE, 10) == [(1.0, INTERPOLATED, 15), (2.0, INTERPOLATED, 25)]
    assert one(history((10, 5.0), (20, 5.0)), 10, 30, MAXIMUM) == [(5.0, MULTIPLE, 10)]


def test_the_line_and_the_steps() -> None:
    """TimeAverage follows Stepped."""
    points = ((0, 0.0), (10, 10.0))
    assert one(history(*points), 0, 10, TIME_AVERAGE) == [(0.0, CALCULATED, 0)]
    assert one(history(*points, stepped=False), 0, 10, TIME_AVERAGE) == [(5.0, CALCULATED, 0)]


def test_no_data() -> None:
    """Where nothing is stored there is BadNoData, for Count a zero inside of what is known."""
    for aggregate in (AVERAGE, TIME_AVERAGE, MINIMUM, MAXIMUM, INTERPOLATIVE, COUNT):
        assert one(RAMP, 1, 9, aggregate)[0][1] == S.BadNoData
        assert one(history(), 1, 9, aggregate)[0][1] == S.BadNoData
    assert one(RAMP, 41, 49, COUNT) == [(0, CALCULATED, 41)]
    assert one(RAMP, 41, 49, AVERAGE)[0][1] == S.BadNoData


def test_quality_follows_the_configuration() -> None:
    """Half of the values bad: uncertain by default, good or bad by the limits (OPC 10000-13 §5.4.3.2.1)."""
    half = history((0, 1.0), (10, 2.0, BAD), until=20)
    assert one(half, 0, 20, AVERAGE) == [(1.0, UNCERTAIN | CALCULATED, 0)]
    assert one(half, 0, 20, AVERAGE, percent_good=50) == [(1.0, CALCULATED, 0)]
    assert one(half, 0, 20, AVERAGE, percent_bad=50)[0][1] == S.Bad | CALCULATED
    doubt = history((0, 1.0, UNCERTAIN), until=20)
    assert one(doubt, 0, 20, TIME_AVERAGE)[0][1] == S.BadNoData
    assert one(doubt, 0, 20, TIME_AVERAGE, treat_uncertain_as_bad=False) == [(1.0, CALCULATED, 0)]


POINTS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-50, 50), st.sampled_from([0, 0, 0, BAD, UNCERTAIN])),
    max_size=12,
    unique_by=lambda point: point[0],
).map(sorted)


@settings(max_examples=200, deadline=None)
@given(POINTS, st.integers(0, 70), st.integers(0, 70), st.integers(1, 30), st.booleans(), st.booleans())
def test_aggregates_agree_with_the_oracle(
    points: list[tuple[int, int, int]], start: int, end: int, width: int, stepped: bool, doubt: bool
) -> None:
    """Values of every interval, both ways, stepped and sloped, with bad and uncertain values among them."""
    series = history(*((t, float(v), s) for t, v, s in points), stepped=stepped, until=65)
    for aggregate in (AVERAGE, MINIMUM, MAXIMUM, COUNT, TIME_AVERAGE, INTERPOLATIVE):
        found = processed(series, start, end, width, aggregate, Configuration(treat_uncertain_as_bad=doubt))
        for interval, data in zip(intervals(start, end, width), found, strict=True):
            want = oracle(points, interval, aggregate, stepped, doubt)
            got = value(data)
            assert (got is None) == (want is None), (interval, aggregate)
            if want is not None:
                assert math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9), (interval, aggregate)


def oracle(
    points: list[tuple[int, int, int]], interval: Any, aggregate: int, stepped: bool, doubt: bool
) -> float | None:
    """The aggregate of one interval, the slow way."""
    every = [
        (v, s)
        for t, v, s in points
        if (interval.low < t <= interval.high if interval.backward else interval.low <= t < interval.high)
    ]
    inside = [v for v, s in every if s == 0]
    if aggregate == COUNT:
        outside = not points or interval.high <= points[0][0] or interval.low > 65
        lost = bool(every) and all(s >> 31 or (s and doubt) for _, s in every)  # 100 % bad is Bad
        return None if outside or lost else len(inside)
    if aggregate == AVERAGE:
        return sum(inside) / len(inside) if inside else None
    if aggregate in (MINIMUM, MAXIMUM):
        return (min if aggregate == MINIMUM else max)(inside) if inside else None
    line = [(t, v) for t, v, s in points if s >> 31 == 0 and not (s and doubt and aggregate == TIME_AVERAGE)]
    if aggregate == INTERPOLATIVE:
        return at(line, interval.time, stepped)
    # Twelve moments in each of the ticks: exact for steps and lines whose corners are at ticks.
    moments = [n + (k + 0.5) / 12 for n in range(interval.low, min(interval.high, 65)) for k in range(12)]
    known = [found for found in (at(line, moment, stepped) for moment in moments) if found is not None]
    force = [[s for t, _, s in points if t <= moment][-1:] for moment in moments]
    if not any(last and not (last[0] >> 31 or (last[0] and doubt)) for last in force):
        return None  # 100 % bad is Bad
    return sum(known) / len(known) if known else None


def at(line: list[tuple[int, int]], time: float, stepped: bool) -> float | None:
    """The value at a moment."""
    before = [point for point in line if point[0] <= time]
    after = [point for point in line if point[0] > time]
    if not before:
        return None
    (t0, v0) = before[-1]
    if stepped or not after or t0 == time:
        return v0
    (t1, v1) = after[0]
    return v0 + (v1 - v0) * (time - t0) / (t1 - t0)


def test_integers_stay_integers() -> None:
    """Minimum and Interpolative have the variable's type, Average is a Double, Count an Int32."""
    series = History(np.array([0, 10]), np.array([1.0, 4.0]), np.zeros(2, np.uint32), 7, False, 20)
    kinds = {}
    for aggregate in (AVERAGE, MINIMUM, COUNT, TIME_AVERAGE):
        (data,) = processed(series, 0, 20, 0, aggregate, Configuration())
        kinds[aggregate] = struct.unpack_from("<B", data.value)[0]
    assert kinds == {AVERAGE: DOUBLE, MINIMUM: 7, COUNT: 6, TIME_AVERAGE: DOUBLE}
    assert value(at_time(series, 5)) == 2
