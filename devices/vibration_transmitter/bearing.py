"""A ball bearing of type 6205: how often its balls pass a damaged place, and what a blow sounds like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BALLS = 9
RATIO = 0.3126 / 1.537
"""Ball diameter over pitch diameter, contact angle 0."""
RESONANCE_HZ, DAMPING = 1900.0, 0.05
SLIP = 0.01
"""Standard deviation of the time between blows, as a part of it: balls slip."""


def pass_frequency(race: str, shaft_hz: float) -> float:
    """How often balls pass a place of the ``outer`` or ``inner`` race, Hz (BPFO, BPFI)."""
    return BALLS / 2 * shaft_hz * (1 - RATIO if race == "outer" else 1 + RATIO)


def ringing(rate_hz: float) -> NDArray[np.float64]:
    """The answer of the housing to one blow: exp(-2 pi zeta f t) sin(2 pi f t), highest value 1, sampled at ``rate_hz``."""
    t = np.arange(round(0.015 * rate_hz)) / rate_hz
    answer = np.exp(-2 * np.pi * DAMPING * RESONANCE_HZ * t) * np.sin(2 * np.pi * RESONANCE_HZ * t)
    return np.asarray(answer / np.abs(answer).max())


def blows(race: str, shaft_hz: float, count: int, rate_hz: float, random: np.random.Generator) -> NDArray[np.float64]:
    """The strength of the blow at each of ``count`` samples, mostly 0.

    A place of the outer race is always under the same load; one of the inner race turns through the loaded zone once a turn.
    """
    period = 1 / pass_frequency(race, shaft_hz)
    number = int(count / rate_hz / period) + 2
    between = period * (1 + SLIP * random.standard_normal(number))
    times = np.cumsum(between) - period * random.random()
    train = np.zeros(count)
    where = (times * rate_hz).astype(int)
    inside = (where >= 0) & (where < count)
    strength = np.ones(number)
    if race == "inner":
        strength = 0.7 + 0.3 * np.cos(2 * np.pi * (shaft_hz * times + random.random()))
    np.add.at(train, where[inside], strength[inside])
    return train
