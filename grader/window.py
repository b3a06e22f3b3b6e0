"""Windows of plant time: how much of the best stretch of a given length was good.

A trainee may try, fail and try again; what counts is the best stretch. Time is the measure, not a count of events, so that one
long gap weighs as much as it lasted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
"""From and to, in nanoseconds of plant time."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best window: where it begins, and how many of its nanoseconds were good."""

    start: int
    good_ns: int


def best_window(spans: Sequence[Span], length_ns: int) -> Best:
    """The window of ``length_ns`` that good spans (in order, not overlapping) fill most.

    The optimum begins where a span begins or ends where a span ends, so only those are tried.
    """
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
    return best_of(starts, ends, length_ns)


def best_of(starts: NDArray[np.int64], ends: NDArray[np.int64], length_ns: int) -> Best:
    """`best_window` of spans as columns."""
    some = ends > starts
    starts, ends = starts[some], ends[some]
    if not starts.size or length_ns <= 0:
        return Best(0, 0)
    filled = np.concatenate(([0], np.cumsum(ends - starts)))

    def before(moments: NDArray[np.int64]) -> NDArray[np.int64]:
        index = np.searchsorted(starts, moments, side="right")
        last = np.maximum(index - 1, 0)
        inside = np.clip(moments - starts[last], 0, ends[last] - starts[last])
        return np.where(index == 0, 0, filled[last] + inside)

    tried = np.sort(np.concatenate((starts, np.maximum(ends - length_ns, 0))))
    good = before(tried + length_ns) - before(tried)
    best = int(np.argmax(good))  # the first of several
    return Best(int(tried[best]), int(good[best]))


def nanoseconds(seconds: float) -> int:
    """Seconds of a parameter as nanoseconds of plant time."""
    return round(seconds * 1e9)
