"""Whether a series carries its own plant's noise: what was measured does, what was made up cannot.

The last digits of a measured value differ from plant to plant and from second to second, and nobody can guess them. So a
genuine series holds values that were true to the last digit, or, where it was averaged or filtered, moves as the truth moves
when that is averaged alike. Both are held against chance: how well the same values fit the truth of other moments.

Statistics that say "made up" wrongly do more harm than those that say nothing: a series is suspected only where it is near the
truth, long enough, and the truth has noise that its digits could have shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["genuine", "unclear", "smooth", "unrelated", "replayed", "repeated"]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

STEP_NS = 100_000_000
LEAST = 120
"""Values of a series that can be judged."""
_MOST = 4000
"""Values that are looked at: the last ones."""
_SLOW_S = 10.0
"""What a plant does over longer than this, anybody can guess; what is left is its noise."""
_CONTROLS = 8
"""Other moments whose noise a series is held against."""
_FILTERS_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
"""Exponential filters over what is sampled, by the share of the newest value."""
_NEAR = 0.8
_RUN = 12
"""So many values in a row, to the last digit, come again by chance never."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a series looks like, and the figures behind it.

    Attributes:
        kind: ``genuine``; ``unclear`` where nothing can be told; else what speaks against it.
        count: Values that were looked at.
        hits: Share of the values that were true to the last digit a little before.
        chance: The same with the noise of other moments.
        correlation: How closely it moves with the truth, at the best lag and filter.
        needed: The correlation that noise of other moments does not reach.
        lag_s: That lag.
        noise: How much it moves from value to value, as a part of how much the truth does.
    """

    kind: Kind
    count: int
    hits: float = math.nan
    chance: float = math.nan
    correlation: float = math.nan
    needed: float = math.nan
    lag_s: float = math.nan
    noise: float = math.nan

    @property
    def suspect(self) -> bool:
        """Whether it must be looked at by a person."""
        return self.kind not in ("genuine", "unclear")


def examine(
    times_ns: Sequence[int],
    values: Sequence[float],
    truth: tuple[Sequence[int], Sequence[float]],
    age_s: float,
    late_s: float,
) -> Finding:
    """Look at one series.

    Args:
        times_ns: When each value was published, or the time it names, in order.
        values: The values.
        truth: When the true value changed, and to what.
        age_s: How old an honest value may be.
        late_s: A whole series that is true with a lag beyond this is replayed.
    """
    times, series = np.asarray(times_ns, np.int64)[-_MOST:], np.asarray(values, float)[-_MOST:]
    good = np.isfinite(series)
    times, series = times[good], series[good]
    if len(series) < LEAST or not len(truth[0]):
        return Finding("unclear", len(series))
    column = _column(truth, int(times[-1]))
    place = np.minimum(times // STEP_NS, len(column) - 1)
    known = np.isfinite(column[place])
    series, place = series[known], place[known]
    if len(series) < LEAST:
        return Finding("unclear", len(series))
    true, digit = column[place], _digit(series)
    noise, spread = float(np.std(_moves(true))), max(float(np.std(true)), digit)
    near = np.abs(series - true) <= np.maximum(0.1 * np.abs(true), 6 * spread)
    if near.mean() < _NEAR or noise < digit / 2:
        return Finding("unclear", len(series))  # a slip of scale or word order, or digits too coarse to carry noise
    others = list(_others(column))
    tolerance = np.maximum(digit / 2, 1e-6 * np.abs(series)) * (1 + 1e-9)
    back = max(round(age_s * 1e9 / STEP_NS), 1)
    exact = False
    hits = chance = 0.0
    for window in sorted({min(10, back), min(30, back), back}):
        hits = _hits(column, place, series, tolerance, window)
        chance = float(np.mean([_hits(other, place, series, tolerance, window) for other in others]))
        deviation = math.sqrt(max(chance * (1 - chance), 1 / len(series)) / len(series))
        if hits >= 0.9 and hits - chance > 4 * deviation:
            exact = True
            break
    correlation, lag = _best(column, place, series, back)
    by_chance = max(_best(other, place, series, back)[0] for other in others)
    needed = min(1.2 * by_chance, 0.9)
    own = float(np.std(_moves(series)))
    facts: dict[str, Any] = {
        "count": len(series), "hits": hits, "chance": chance, "correlation": correlation, "needed": needed, "lag_s": lag,
        "noise": own / noise,
    }  # fmt: skip
    if not exact and _repeats(series, digit):
        return Finding("repeated", **facts)
    if exact or correlation >= needed > 0:
        return Finding("genuine", **facts)
    if hits >= 0.9 or correlation > by_chance:
        return Finding("unclear", **facts)  # so few different values that noise of any moment fits, or nearly proven
    later, far_lag = _replay(column, place, series, round(late_s * 1e9 / STEP_NS))
    if later >= max(needed, 0.7):
        return Finding("replayed", **{**facts, "correlation": later, "lag_s": far_lag})
    return Finding("smooth" if own < noise / 5 else "unrelated", **facts)


def _column(truth: tuple[Sequence[int], Sequence[float]], end_ns: int) -> Floats:
    """The truth by steps of the plant; NaN where nothing was recorded."""
    steps, values = np.asarray(truth[0], np.int64) // STEP_NS, np.asarray(truth[1], float)
    size = max(end_ns // STEP_NS, int(steps[-1])) + 1
    place = np.searchsorted(steps, np.arange(size), side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)


def _others(column: Floats) -> Iterator[Floats]:
    """The same plant with the noise of other moments: what it does slowly stays, the rest is turned round in a circle."""
    known = np.nan_to_num(column, nan=float(np.nanmean(column)))
    half = round(_SLOW_S * 5)
    padded = np.pad(known, half, mode="edge")
    sums = np.cumsum(np.insert(padded, 0, 0.0))
    slow = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    rest = known - slow
    for turn in range(1, _CONTROLS + 1):
        yield slow + np.roll(rest, len(rest) * turn // (_CONTROLS + 1))


def _hits(column: Floats, place: Places, series: Floats, tolerance: Floats, back: int) -> float:
    """Share of the values that were true to the last digit at some step up to ``back`` steps before."""
    hit = np.zeros(len(series), bool)
    for lag in range(back + 1):
        hit |= np.abs(column[np.maximum(place - lag, 0)] - series) <= tolerance
    return float(hit.mean())


def _best(column: Floats, place: Places, series: Floats, back: int) -> tuple[float, float]:
    """The highest correlation of the jitter with that of the truth, filtered or not, and its lag in seconds."""
    lags = np.arange(0, back + 1, max(back // 100, 1))
    best = (0.0, math.nan)
    places = np.maximum(place[:, None] - lags[None, :], 0)
    for width in _FILTERS_S:
        best = max(best, _closest(_averaged(column, width)[places], series, lags))
    sampled = column[places]
    for share in _SHARES:
        slow = np.empty_like(sampled)
        slow[0] = sampled[0]
        for row in range(1, len(sampled)):
            slow[row] = slow[row - 1] + share * (sampled[row] - slow[row - 1])
        best = max(best, _closest(slow, series, lags))
    return best


def _closest(candidates: Floats, series: Floats, lags: Places) -> tuple[float, float]:
    """The column of the candidates whose jitter is closest to that of the series, and its lag."""
    one, others = _moves(series), _moves(candidates)
    good = np.isfinite(others).all(axis=1)
    if good.sum() < LEAST // 2:
        return 0.0, math.nan
    one, others = one[good] - one[good].mean(), others[good] - others[good].mean(axis=0)
    size = np.sqrt((one @ one) * np.einsum("ij,ij->j", others, others))
    found = np.divide(one @ others, size, out=np.zeros(len(lags)), where=size > 0)
    top = int(np.argmax(found))
    return float(found[top]), float(lags[top]) / 10


def _replay(column: Floats, place: Places, series: Floats, first: int) -> tuple[float, float]:
    """The highest correlation at a long constant lag, over at least half of the series."""
    best = (0.0, math.nan)
    for start in range(first, first + 6000, 100):
        lags = np.arange(start, start + 100)
        inside = place >= lags[-1]
        if inside.sum() < max(len(series) // 2, LEAST // 2):
            break
        best = max(best, _closest(column[place[inside][:, None] - lags[None, :]], series[inside], lags))
    return best


def _averaged(column: Floats, width_s: float) -> Floats:
    """The mean over the last so many seconds."""
    width = max(round(width_s * 10), 1)
    if width == 1:
        return column
    whole = np.concatenate([[0.0], np.cumsum(np.nan_to_num(column))])
    ends = np.arange(len(column)) + 1
    starts = np.maximum(ends - width, 0)
    return np.asarray((whole[ends] - whole[starts]) / (ends - starts), float)


def _moves(series: Floats) -> Floats:
    """What is left of a series when what it does slowly is taken away: second differences keep only the jitter."""
    return series[2:] - 2 * series[1:-1] + series[:-2] if len(series) > 2 else series[:0]


def _digit(series: Floats) -> float:
    """The size of the last decimal that the values carry."""
    for decimals in range(7):
        if np.allclose(np.round(series, decimals), series, rtol=0, atol=10.0 ** -(decimals + 4)):
            return float(10.0**-decimals)
    return 1e-6


def _repeats(series: Floats, digit: float) -> bool:
    """Whether a run of values comes a second time, to the last digit, though it is no standstill."""
    whole = np.rint(series / digit).astype(np.int64).tolist()
    seen: dict[tuple[int, ...], int] = {}
    again = 0
    for start in range(len(whole) - _RUN):
        run = tuple(whole[start : start + _RUN])
        if len(set(run)) < _RUN // 2:
            continue
        if start - seen.setdefault(run, start) >= _RUN:
            again += 1
    return again * 5 >= len(whole)
