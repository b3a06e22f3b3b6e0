"""How likely a board has a defect, from what printer, placer and oven did to it.

Each cause is a logistic curve over one figure of the board: small inside its window, near 1 outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from labsim.plant.tags import Value

NONE, INSUFFICIENT, BRIDGE, MISPLACED, MISSING, REFLOW = range(6)
PAD_SD = 9.0
"""Standard deviation of the paste volume among the pads of a board, % of nominal."""
EXTREME, EXTREME_SD = 3.0, 0.36
"""Largest of some 400 pads in standard deviations: a Gumbel variable of this location and scale."""
OFFSET_SD_UM = 13.0


def extreme(random: np.random.Generator) -> float:
    """How many standard deviations the worst of many pads or components is off."""
    return min(float(random.gumbel(EXTREME, EXTREME_SD)), 7.0)


def rise(value: float, middle: float, width: float) -> float:
    """Logistic curve: 0 well below ``middle``, 1 well above."""
    return 1 / (1 + math.exp(min(max((middle - value) / width, -60.0), 60.0)))


def chances(marks: Mapping[str, Value]) -> dict[int, float]:
    """Chance of each defect, for a board with these marks; a mark that is missing counts as nominal.

    ``paste_volume_min`` and ``paste_volume_max`` in % of nominal, ``placement_offset`` in µm, ``components_missing``,
    ``peak_temperature`` in °C, ``time_above_liquidus`` in s.
    """

    def mark(name: str, nominal: float) -> float:
        return float(marks.get(name, nominal))

    peak, liquid = mark("peak_temperature", 240.0), mark("time_above_liquidus", 55.0)
    cold = max(rise(-peak, -227.0, 1.2), rise(-liquid, -32.0, 2.0))
    burnt = max(rise(peak, 256.0, 1.5), rise(liquid, 110.0, 4.0))
    return {
        INSUFFICIENT: rise(-mark("paste_volume_min", 68.0), -54.0, 2.0),
        BRIDGE: rise(mark("paste_volume_max", 130.0), 148.0, 2.5),
        MISPLACED: rise(mark("placement_offset", 40.0), 69.0, 4.0),
        MISSING: 1.0 if mark("components_missing", 0.0) >= 1 else 0.0,
        REFLOW: 1 - (1 - cold) * (1 - burnt) * (1 - 0.002),
    }


def typical(random: np.random.Generator) -> dict[str, Value]:
    """Marks of a board from a line in good order, for a station that stands alone."""
    mean = float(random.normal(96.0, 3.0))
    return {
        "paste_volume_min": mean - PAD_SD * extreme(random),
        "paste_volume_max": mean + PAD_SD * extreme(random),
        "placement_offset": OFFSET_SD_UM * extreme(random),
        "components_missing": int(random.random() < 0.002),
        "peak_temperature": float(random.normal(240.0, 1.0)),
        "time_above_liquidus": float(random.normal(55.0, 2.0)),
    }
