"""Stored values of one variable, and what history makes of them: raw, and at a time (OPC 10000-11 §6.5, OPC 10000-13 §3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.core.status import S, is_bad
from labsim.endpoints.opcua.core.values import NUMERIC, DataValue, encode_plain

DATA_VALUE = 0x400
"""InfoType of a StatusCode that says where a historical value comes from (OPC 10000-4 §7.38.1)."""
RAW, CALCULATED, INTERPOLATED, PARTIAL, MULTIPLE = 0, DATA_VALUE | 1, DATA_VALUE | 2, DATA_VALUE | 4, DATA_VALUE | 16
"""HistorianBits."""
_FLOATS = (10, 11)


@dataclass(frozen=True, slots=True)
class History:
    """All that is stored of one variable.

    Attributes:
        times: FILETIME from which each value is in force, rising.
        values: float64, or texts.
        statuses: StatusCodes.
        builtin: Built-in type of the variable.
        stepped: Whether a value holds until the next one; else it is on a line to the next one.
        until: FILETIME up to which the last value is known to hold.
    """

    times: NDArray[np.int64]
    values: NDArray[Any]
    statuses: NDArray[np.uint32]
    builtin: int
    stepped: bool
    until: int

    def encode(self, value: Any, builtin: int | None = None) -> bytes:
        """An encoded Variant of a value in the variable's own type, or in another one."""
        kind = self.builtin if builtin is None else builtin
        if kind in NUMERIC and kind not in _FLOATS:
            value = round(value)
        return encode_plain(kind, bool(value) if kind == 1 else value)

    def stored(self, at: int) -> DataValue:
        """The value at a place."""
        status, time = int(self.statuses[at]), int(self.times[at])
        return DataValue(None if is_bad(status) else self.encode(self.values[at]), status, time, time)


def raw(history: History, start: int, end: int, bounds: bool) -> Iterator[DataValue]:
    """Stored values between two FILETIMEs, the first included, the second not; 0 is open.

    Time runs backwards when ``start`` is open or after ``end``. With ``bounds`` the value before the first and after the
    last come too when there is none exactly there, else BadBoundNotFound (OPC 10000-11 §6.5.3.2).
    """
    times = history.times
    backward = not start or bool(end and end < start)
    if not start:
        start, end = end, 0
    if backward:
        low = int(np.searchsorted(times, end, "right")) if end else 0
        high = int(np.searchsorted(times, start, "right"))
        places: Sequence[int] = range(high - 1, low - 1, -1)
        before, after = high, low - 1
    else:
        low = int(np.searchsorted(times, start, "left"))
        side = "right" if start == end else "left"
        high = int(np.searchsorted(times, end, side)) if end else len(times)  # type: ignore[call-overload]  # side is a literal
        places = range(low, high)
        before, after = low - 1, high
    if bounds and not (places and times[places[0]] == start):
        yield _bound(history, before, start)
    for place in places:
        yield history.stored(place)
    if bounds and end and end != start:
        yield _bound(history, after, end)


def _bound(history: History, place: int, time: int) -> DataValue:
    if 0 <= place < len(history.times):
        return history.stored(place)
    return DataValue(None, int(S.BadBoundNotFound), time, time)


def at_time(history: History, time: int, simple: bool = False, sloped_extrapolation: bool = False) -> DataValue:
    """The value at a FILETIME: the stored one, else interpolated (OPC 10000-13 §3.1.8, §5.4.3.4).

    Bad values are passed over, which makes the result uncertain; with ``simple`` bounds the neighbours count as they are.
    """
    at = int(np.searchsorted(history.times, time, "right")) - 1
    if at < 0:
        return DataValue(None, int(S.BadNoData), time, time)
    status = int(history.statuses[at])
    if history.times[at] == time and not is_bad(status):
        return history.stored(at)
    if simple and is_bad(status):
        return DataValue(None, status | INTERPOLATED, time, time)
    before = at
    while before >= 0 and is_bad(int(history.statuses[before])):
        before -= 1
    if before < 0:
        return DataValue(None, int(S.BadNoData), time, time)
    uncertain = before != at or int(history.statuses[before]) >> 30 != 0
    value, beyond = _between(history, before, time, simple, sloped_extrapolation)
    code = int(S.UncertainDataSubNormal) if uncertain or beyond else 0
    return DataValue(history.encode(value), code | INTERPOLATED, time, time)


def _between(history: History, before: int, time: int, simple: bool, sloped: bool) -> tuple[Any, bool]:
    """The value at a time after the stored one at ``before``, and whether it is beyond what is known."""
    value, after = history.values[before], before + 1
    while not simple and after < len(history.times) and is_bad(int(history.statuses[after])):
        after += 1
    if after >= len(history.times):
        beyond = time > history.until
        if beyond and sloped and not history.stepped and before > 0:
            return _line(history, before - 1, before, time), True
        return value, beyond
    if history.stepped or is_bad(int(history.statuses[after])):
        return value, False
    return _line(history, before, after, time), False


def _line(history: History, one: int, other: int, time: int) -> float:
    first, second = int(history.times[one]), int(history.times[other])
    low, high = float(history.values[one]), float(history.values[other])
    return low + (high - low) * ((time - first) / (second - first))
