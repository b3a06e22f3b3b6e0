"""The coolant itself: tank, pump against its filter and nozzles, heat and chiller."""

from __future__ import annotations

import math
from dataclasses import dataclass

HEAD_BAR = 5.0
"""What the pump gives against a closed valve at full speed."""
NOZZLE_BAR, FILTER_BAR, RATED_L_MIN = 2.4, 0.25, 40.0
"""Pressure over the nozzles and over a clean filter band at the rated flow; both rise with the square of the flow."""
PUMP_TAU_S, HIGH_TAU_S = 2.5, 1.5
CLOG_M3 = 6.0
"""After this much coolant the filter's resistance has doubled."""
EFFICIENCY, HIGH_EFFICIENCY = 0.5, 0.75
HIGH_L_MIN = 12.0
HEAT_CAPACITY = 3.9
"""kJ per litre and kelvin, of an emulsion with a few percent of oil."""
LOSS_KW_PER_K = 0.06
STAGE_KW, STAGE_COP = 4.0, 2.9
STAGE_ON_K = (0.6, 1.8)
STAGE_OFF_K = (-0.4, 0.6)
REFILL_L_MIN, DOSE_L_MIN = 20.0, 1.0
DOSE_BAND = 0.15
WATER_PART = 0.4
"""What evaporates is water: this part of the losses; the rest leaves with the chips as it is."""


@dataclass(slots=True)
class Tank:
    """Water and oil in the tank, litres, and its temperature."""

    full: float
    water: float
    oil: float
    celsius: float

    @property
    def litres(self) -> float:
        """What is in it."""
        return self.water + self.oil

    @property
    def percent(self) -> float:
        """Level in percent of a full tank."""
        return 100 * self.litres / self.full

    @property
    def concentration(self) -> float:
        """Oil in percent of what is in it; 0 in an empty tank."""
        return 100 * self.oil / self.litres if self.litres > 0 else 0.0

    def take(self, litres: float, water_part: float = 0.0) -> None:
        """Lose so much: ``water_part`` of it as water alone, the rest as it is mixed."""
        litres = min(litres, self.litres)
        water = min(litres * water_part, self.water)
        share = self.oil / self.litres if self.litres > 0 else 0.0
        oil = min((litres - water) * share, self.oil)
        self.oil -= oil
        self.water = max(self.water - (litres - oil), 0.0)

    def add(self, litres: float, concentration: float, celsius: float) -> float:
        """Take in a mix, as far as there is room; the litres that went in."""
        litres = max(min(litres, self.full - self.litres), 0.0)
        if litres:
            self.celsius += (celsius - self.celsius) * litres / (self.litres + litres)
            self.oil += litres * concentration / 100
            self.water += litres * (1 - concentration / 100)
        return litres

    def heat(self, kilowatts: float, dt: float) -> None:
        """Warm or cool it; what little is left in an empty tank counts as 5 % of it."""
        capacity = HEAT_CAPACITY * max(self.litres, 0.05 * self.full)
        self.celsius = min(max(self.celsius + kilowatts * dt / capacity, 0.5), 90.0)


class Filter:
    """A paper band that clogs with what passes, and moves on to clean paper.

    Attributes:
        clogging: Its resistance above that of clean paper, as a part of it.
    """

    def __init__(self) -> None:
        self.clogging = 0.0

    def resistance(self, flow: float) -> float:
        """Pressure over it, bar, at ``flow`` l/min."""
        return FILTER_BAR * (1 + self.clogging) * (flow / RATED_L_MIN) ** 2

    def most(self, head: float) -> float:
        """The highest flow, l/min, that a pump of ``head`` bar brings through filter and nozzles."""
        return RATED_L_MIN * math.sqrt(head / (NOZZLE_BAR + FILTER_BAR * (1 + self.clogging)))

    def pass_on(self, litres: float) -> None:
        """So much went through."""
        self.clogging += litres / 1000 / CLOG_M3


def stage(now: int, above: float) -> int:
    """The chiller stage at ``above`` K over the set-point: each stage has its own switching band."""
    wanted = sum(above > on for on in STAGE_ON_K)
    kept = sum(above > off for off in STAGE_OFF_K)
    return max(wanted, min(now, kept))
