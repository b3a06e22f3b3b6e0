"""Scales and tick marks of the report's pictures, and how times are written beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from labsim.evidence.evidence import Evidence

_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value lies in a picture: ``low`` at pixel ``start``, ``high`` at pixel ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel, to a tenth."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float, about: int = 5) -> Iterator[float]:
    """Round values between two, some ``about`` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return
    raw = (high - low) / about
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    for index in range(first, first + 4 * about):
        if index * step > high + step * 1e-9:
            return
        yield round(index * step, 12)


def time_ticks(low_ns: int, high_ns: int, about: int = 8) -> Iterator[int]:
    """Round plant times between two, in nanoseconds."""
    span = (high_ns - low_ns) / 1e9
    step = next((s for s in _TIME_STEPS if span / s <= about), 86400 * max(1, math.ceil(span / 86400 / about)))
    first = math.ceil(low_ns / 1e9 / step)
    for index in range(first, int(high_ns // 1_000_000_000) // step + 1):
        yield index * step * 1_000_000_000


def elapsed(t_ns: int) -> str:
    """Plant time as ``m:ss`` or ``h:mm:ss``, to the whole second."""
    seconds = int(t_ns // 1_000_000_000)
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def clock(evidence: Evidence, t_ns: int) -> str:
    """The UTC time of day that clients saw, to a tenth of a second."""
    utc_ns = evidence.utc_ns(t_ns)
    return f"{datetime.fromtimestamp(utc_ns // 10**9, UTC):%H:%M:%S}.{utc_ns % 10**9 // 10**8}"
