"""Windows of plant time: how much of the best stretch of a given length was good.

A trainee may try, fail and try again; what counts is the best stretch. Time is the measure, not a count of events, so that one
long gap weighs as much as it lasted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

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
    spans = [span for span in spans if span[1] > span[0]]
    if not spans or length_ns <= 0:
        return Best(0, 0)
    starts = [start for start, _ in spans]
    filled = [0, *accumulate(end - start for start, end in spans)]

    def before(moment: int) -> int:
        index = bisect_right(starts, moment)
        if index == 0:
            return 0
        start, end = spans[index - 1]
        return filled[index - 1] + min(max(moment - start, 0), end - start)

    best_start, best_good = 0, -1
    for start in sorted({*starts, *(max(end - length_ns, 0) for _, end in spans)}):
        good = before(start + length_ns) - before(start)
        if good > best_good:
            best_start, best_good = start, good
    return Best(best_start, best_good)


def nanoseconds(seconds: float) -> int:
    """Seconds of a parameter as nanoseconds of plant time."""
    return round(seconds * 1e9)
