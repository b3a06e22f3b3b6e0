"""A PV array: irradiance over a day, and the current it gives at a voltage."""

from __future__ import annotations

import math
from dataclasses import dataclass

VMP, VOC = 640.0, 780.0
"""Voltage of the best point and of the open array at 1,000 W/m² and 25 °C."""
FILL = 0.945
"""Current at the best point over that of the shorted array."""
VOLTAGE_PER_K, CURRENT_PER_K = -0.0031, 0.0005
CELL_K_PER_W = 0.028
"""Heating of the cells over the air, K per W/m²."""
_C2 = (VMP / VOC - 1) / math.log(1 - FILL)
_C1 = (1 - FILL) * math.exp(-VMP / VOC / _C2)


def clear_sky(hour: float) -> float:
    """Irradiance of the array at a solar hour without clouds, W/m²: sunrise at 6, sunset at 18."""
    return float(1000 * max(math.sin(math.pi * (hour - 6) / 12), 0.0) ** 1.15) if 6 < hour < 18 else 0.0


@dataclass(frozen=True, slots=True)
class Array:
    """The array in one light and warmth.

    Attributes:
        short: Current of the shorted array, A.
        open: Voltage of the open array, V.
    """

    short: float
    open: float

    @classmethod
    def lit(cls, peak_w: float, irradiance: float, air_c: float) -> Array:
        """An array of ``peak_w`` under ``irradiance`` (W/m²) in air of ``air_c`` degrees."""
        warmer = air_c + CELL_K_PER_W * irradiance - 25
        short = peak_w / (VMP * FILL) * irradiance / 1000 * (1 + CURRENT_PER_K * warmer)
        light = 1 + 0.04 * math.log(max(irradiance, 1.0) / 1000)
        return cls(short, VOC * (1 + VOLTAGE_PER_K * warmer) * light)

    def current(self, voltage: float) -> float:
        """I = Isc (1 - C1 (exp(V / (C2 Voc)) - 1)), A; 0 beyond the open voltage."""
        return max(self.short * (1 - _C1 * (math.exp(voltage / (_C2 * self.open)) - 1)), 0.0)

    @property
    def best(self) -> tuple[float, float]:
        """Voltage and power of the best point."""
        voltage = self.open * VMP / VOC
        return voltage, voltage * self.current(voltage)

    def voltage_for(self, power: float) -> float:
        """The voltage above the best point at which the array gives ``power`` (at most the best), by bisection."""
        low, high = self.best[0], self.open
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if middle * self.current(middle) > power else (low, middle)
        return (low + high) / 2
