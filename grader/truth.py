"""What a tag was really worth: its history as steps, and whether a given value was ever true in a stretch of time."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Tolerance

Value = float | str
TRUE = ".true"
"""What the path of a tag's physically true value ends with, where the history has it beside what was shown."""


def plain(text: str) -> str:
    """Text as it is compared: full-width forms narrowed, case folded, white space single."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def to_number(text: str) -> float | None:
    """A number from text (``231.5``, ``2.3e2``, ``nan``), or None."""
    try:
        return float(unicodedata.normalize("NFKC", text).strip())
    except ValueError:
        return None


def as_value(raw: object, tag: TagInfo) -> Value | None:
    """What a client wrote for a tag, in the tag's own terms; None when it cannot be a value of it.

    Booleans count as 0 and 1, a label of an enumeration as its number, a missing value (JSON null) as NaN.
    """
    if tag.type == "text":
        return raw if isinstance(raw, str) else None
    if type(raw) is float:  # nearly always
        return raw
    if raw is None:
        return math.nan
    if isinstance(raw, (bool, int, float)):
        try:
            return float(raw)
        except OverflowError:
            return math.inf if raw > 0 else -math.inf
    if not isinstance(raw, str):
        return None
    found = to_number(raw)
    if found is not None:
        return found
    said = plain(raw)
    if tag.type == "bool" and said in ("true", "false", "on", "off"):
        return float(said in ("true", "on"))
    for code, label in tag.labels.items():
        if said in map(plain, label.values()):
            return float(code)
    return None


def matches(got: Value, true: object, tolerance: Tolerance) -> bool:
    """Whether ``got`` is ``true`` within the tolerance; text is compared without regard to case and width."""
    if isinstance(got, str) or isinstance(true, str):
        return isinstance(got, str) and isinstance(true, str) and plain(got) == plain(true)
    return tolerance.allows(got, math.nan if true is None else float(true))  # type: ignore[arg-type] # a number here


def near(tolerance: Tolerance, got: ArrayLike, true: ArrayLike) -> NDArray[np.bool_]:
    """`Tolerance.allows` for arrays of numbers (or one number and an array), element by element and to the last bit."""
    got, true = np.broadcast_arrays(np.asarray(got, np.float64), np.asarray(true, np.float64))
    with np.errstate(all="ignore"):
        limit = tolerance.absolute + tolerance.relative * np.abs(true)
        found: NDArray[np.bool_] = (np.abs(got - true) <= limit) & (limit < np.inf)
        rest = np.flatnonzero(~found)
        one, other, limit = got[rest], true[rest], limit[rest]
        size = np.minimum(np.maximum(np.abs(one), np.abs(other)), 2.0**1023)  # NumPy has no ulp of the largest float
        forgiven = np.where(limit != 0, 4 * np.spacing(size), 0.0)
        found[rest] = np.where(
            np.isnan(one) | np.isnan(other),
            np.isnan(one) & np.isnan(other),
            np.where(np.isinf(one) | np.isinf(other), one == other, np.abs(one - other) <= limit + forgiven),
        )
    return found


class Step(NamedTuple):
    """One value of a tag: in force from ``start`` until ``end`` (nanoseconds of plant time), and its status."""

    start: int
    end: int
    value: Value
    status: int


class Table(NamedTuple):
    """The steps of a tag as columns, in order of time; values are float64, of a text tag objects."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[Any]
    statuses: NDArray[np.uint32]


class Truth:
    """The history of one tag between two moments.

    Args:
        evidence: Where the history is.
        path: The tag.
        t0: From here; the value already in force counts.
        t1: To here.
    """

    def __init__(self, evidence: Evidence, path: str, t0: int = 0, t1: int | None = None) -> None:
        self.tag = evidence.tags[path]
        end = evidence.end_ns if t1 is None else t1
        self._series = evidence.history.series(path, t0, end)
        self.end = max(end, int(self._series.times_ns[-1])) if len(self._series) else end

    @cached_property
    def times(self) -> list[int]:
        """Plant nanoseconds from which each value is in force."""
        found: list[int] = self._series.times_ns.tolist()
        return found

    @cached_property
    def values(self) -> list[Value]:
        """The values."""
        found: list[Value] = self._series.values.tolist()
        return found

    @cached_property
    def statuses(self) -> list[int]:
        """Their StatusCodes."""
        found: list[int] = self._series.statuses.tolist()
        return found

    def table(self) -> Table:
        """All of the `steps`, as columns."""
        series = self._series
        times = series.times_ns
        if not len(times):
            return Table(times, times, series.values, series.statuses)
        # Of several at the first moment the last one counts.
        part = slice(int(np.searchsorted(times, times[0], side="right")) - 1, None)
        ends = np.append(times[1:], self.end)
        return Table(times[part], ends[part], series.values[part], series.statuses[part])

    def steps(self, t0: int | None = None, t1: int | None = None) -> Iterator[Step]:
        """The values in force between two moments, latest first, cut to them."""
        low = self.times[0] if t0 is None and self.times else t0 or 0
        high = self.end if t1 is None else t1
        index = bisect_right(self.times, high) - 1
        while index >= 0:
            begin = self.times[index]
            until = self.times[index + 1] if index + 1 < len(self.times) else max(self.end, high)
            yield Step(max(begin, low), min(until, high), self.values[index], self.statuses[index])
            if begin <= low:
                return
            index -= 1

    def latest_match(self, got: Value, t: int, back_ns: int, tolerance: Tolerance) -> int | None:
        """The last moment in ``[t - back_ns, t]`` at which ``got`` was true, or None."""
        times, values = self.times, self.values
        index = bisect_right(times, t) - 1
        until = t  # the value in force at t is true up to t
        while index >= 0:
            if matches(got, values[index], tolerance):
                return until
            until = times[index]
            if until <= t - back_ns:
                return None
            index -= 1
        return None

    def latest_matches(
        self, got: Sequence[Value], at: ArrayLike, back_ns: ArrayLike, tolerance: Tolerance
    ) -> NDArray[np.int64]:
        """`latest_match` of many values, each with its own moment and (if not the same) look back; -1 stands for None."""
        until = np.array(at, np.int64)
        since = until - np.asarray(back_ns, np.int64)
        moments = np.full(until.shape, -1, np.int64)
        if self.tag.type == "text":
            asked = zip(got, until.tolist(), (until - since).tolist(), strict=True)
            found = [self.latest_match(value, t, back, tolerance) for value, t, back in asked]
            return np.array([-1 if moment is None else moment for moment in found], np.int64)
        values, true, times = np.array(got, np.float64), self._series.values, self._series.times_ns
        index = np.searchsorted(times, until, side="right") - 1
        left = np.flatnonzero(index >= 0)
        while left.size:  # one step further back each time, with those that have found nothing yet
            hit = near(tolerance, values[left], true[index[left]])
            moments[left[hit]] = until[left[hit]]
            left = left[~hit]
            until[left] = times[index[left]]
            left = left[until[left] > since[left]]
            index[left] -= 1
            left = left[index[left] >= 0]
        return moments

    def at(self, t: int) -> Value | None:
        """The value in force at ``t``, or None before the first."""
        for step in self.steps(t, t):
            return step.value
        return None


def real(evidence: Evidence, path: str) -> str:
    """Where the history keeps what was physically true of a tag, whatever a faulty sensor showed: beside it, or as it."""
    beside = f"{path}{TRUE}"
    return beside if beside in evidence.tags else path


def is_good(code: int) -> bool:
    """Whether the severity bits of an OPC UA StatusCode say Good (OPC 10000-4 §7.38)."""
    return code >> 30 == 0
