"""Boards on the conveyor: where they are, how hot they are, and the profile they have seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from labsim.plant.flow import Part

ZONE_M, HEATED_M, COOLING_M = 0.4, 3.2, 0.8
LENGTH_M = HEATED_M + COOLING_M
GAP_M = 0.35
"""A board enters when the one before it is this far in."""
BOARD_TAU_S, COOLING_TAU_S = 30.0, 18.0
"""Time constants of a board in hot air, and in cooling air at 60 % fan."""
LIQUIDUS_C, SOAK_C = 217.0, (150.0, 200.0)
"""SAC305 melts at 217 °C; the soak is between these two on the way up."""
ENTRANCE = 0.35
"""Air at the entrance: this part of the way from the room to zone 1."""
CURTAIN = 0.26
"""Air in the first half of the cooling: this part of the way back to the last zone."""


class Air:
    """Air temperature along the conveyor, straight between the middles of the zones."""

    def __init__(self, zones: Sequence[float], cooling: float, ambient: float) -> None:
        last = zones[-1]
        self._cells = [*zones, cooling + CURTAIN * (last - cooling), cooling]
        self._entrance = ambient + ENTRANCE * (zones[0] - ambient)

    def at(self, metres: float) -> float:
        """The temperature so far from the entrance."""
        place = metres / ZONE_M - 0.5
        if place < 0:
            return self._entrance + (self._cells[0] - self._entrance) * 2 * (place + 0.5)
        index = int(place)
        if index >= len(self._cells) - 1:
            return self._cells[-1]
        here, there = self._cells[index], self._cells[index + 1]
        return here + (there - here) * (place - index)


@dataclass(slots=True)
class Board:
    """One board in the oven, as a thermocouple on it would see it."""

    part: Part
    entered_s: float
    celsius: float
    metres: float = 0.0
    peak: float = 0.0
    soak_s: float = 0.0
    liquid_s: float = 0.0
    ramp: float = 0.0

    @property
    def zone(self) -> int:
        """Number of the heated zone it is in, from 0; -1 in the cooling."""
        return int(self.metres / ZONE_M) if self.metres < HEATED_M else -1

    def advance(self, dt: float, way: float, air: float, cooling_tau: float) -> None:
        """Go on by ``way`` m in ``dt`` s through air of that temperature."""
        tau = BOARD_TAU_S if self.metres < HEATED_M else cooling_tau
        change = (air - self.celsius) * (1 - math.exp(-dt / tau))
        self.celsius += change
        self.ramp = max(self.ramp, change / dt)
        if self.celsius >= self.peak:
            self.peak = self.celsius
            if SOAK_C[0] <= self.celsius <= SOAK_C[1]:
                self.soak_s += dt
        if self.celsius > LIQUIDUS_C:
            self.liquid_s += dt
        self.metres += way


def cooling_tau(fan: float) -> float:
    """Time constant of a board in the cooling at ``fan`` %: forced convection goes with the speed to the power 0.6."""
    return float(COOLING_TAU_S * (60 / max(fan, 10.0)) ** 0.6)
