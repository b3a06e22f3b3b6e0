"""What a tag came to over a stretch of time: time-weighted mean, lowest, highest, growth of a counter, integral."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from grader.truth import Step, Truth

Statistic = Literal["value", "mean", "min", "max", "change"]
_BAD = 2  # severity bits of a StatusCode: OPC 10000-4 §7.38


def statistic(truth: Truth, of: Statistic, t0: int, t1: int) -> float | None:
    """One number of a stretch, or None when nothing good was recorded in it."""
    match of:
        case "value":
            found = truth.at(t0)
            return found if isinstance(found, float) else None
        case "change":
            return growth(truth, t0, t1)
        case "mean":
            return mean(truth, t0, t1)
        case "min" | "max":
            values = [value for value, _ in _good(truth, t0, t1)]
            return None if not values else min(values) if of == "min" else max(values)


def mean(truth: Truth, t0: int, t1: int) -> float | None:
    """The time-weighted mean: a value weighs as long as it was in force; time with a Bad status does not count."""
    total, length = integral(truth, t0, t1), sum(width for _, width in _good(truth, t0, t1))
    return total * 1e9 / length if length else None


def integral(truth: Truth, t0: int, t1: int) -> float:
    """Value times seconds, over the time with a good value."""
    return math.fsum(value * width for value, width in _good(truth, t0, t1)) / 1e9


def growth(truth: Truth, t0: int, t1: int, rollover: float | None = None) -> float | None:
    """How much a counter grew. Where it runs back it was set to zero, or has rolled over if it does so at all."""
    values = [
        step.value for step in _steps(truth, t0, t1) if isinstance(step.value, float) and step.value == step.value
    ]
    if not values:
        return None
    steps = []
    for before, after in pairwise(values):
        change = after - before
        steps.append(change if change >= 0 else after if rollover is None else change + rollover)
    return math.fsum(steps)


def _steps(truth: Truth, t0: int, t1: int) -> list[Step]:
    return list(truth.steps(t0, t1))[::-1]


def _good(truth: Truth, t0: int, t1: int) -> Iterator[tuple[float, int]]:
    """Values and how long each was in force, those that count."""
    for step in _steps(truth, t0, t1):
        value, width = step.value, step.end - step.start
        if isinstance(value, float) and value == value and width > 0 and step.status >> 30 != _BAD:
            yield value, width
