"""The refrigerant circuit: capacity, temperatures, pressures and the work they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

CARNOT_PART = 0.46
"""What a scroll chiller reaches of the ideal coefficient of performance."""
APPROACH_K, LIFT_K, LEAST_K = 5.0, 14.0, 6.0
"""Evaporating below the supply, and condensing above the air, at full load; condensing above the air at least."""
RATED_EVAPORATING, RATED_CONDENSING = 2.0, 49.0
PER_EVAPORATING, PER_CONDENSING = 0.03, 0.009
"""Capacity per K of evaporating and condensing temperature, as parts of the rated one."""
VAPOUR_A, VAPOUR_B = 10.82, 2662.0
"""ln p = A - B / T for R134a (bar, K): 2.93 bar at 0 °C, 10.2 bar at 40 °C."""
KELVIN = 273.15
COLDEST, HOTTEST = -38.0, 105.0


def saturation(celsius: float) -> float:
    """Saturation pressure, bar absolute (Clausius and Clapeyron with a constant heat of vaporisation)."""
    return math.exp(VAPOUR_A - VAPOUR_B / (celsius + KELVIN))


@dataclass(slots=True)
class Circuit:
    """State of the circuit.

    Attributes:
        evaporating: °C.
        condensing: °C.
    """

    evaporating: float
    condensing: float

    def settle(self, supply: float, air: float, part: float, fouling: float, charge: float) -> None:
        """Take on the temperatures of a load ``part`` of full; ``fouling`` in K at full load, ``charge`` 1 is full."""
        low = supply - APPROACH_K * part - 22.0 * (1 - charge) * (part > 0)
        high = air + (max(LIFT_K * part, LEAST_K) if part > 0 else 0.0) + fouling * part
        self.evaporating = min(max(low, COLDEST), 58.0)
        self.condensing = min(max(high, COLDEST + 20), HOTTEST)

    def capacity(self, rated: float) -> float:
        """Cooling of one stage, kW."""
        low = 1 + PER_EVAPORATING * (self.evaporating - RATED_EVAPORATING)
        high = 1 - PER_CONDENSING * (self.condensing - RATED_CONDENSING)
        return rated * min(max(low, 0.1), 1.8) * min(max(high, 0.3), 1.4)

    @property
    def cop(self) -> float:
        """A fixed part of Carnot's, at most 10."""
        lift = max(self.condensing - self.evaporating, 1.0)
        return min(CARNOT_PART * (self.evaporating + KELVIN) / lift, 10.0)
