"""The battery of the vehicle: charge in percent, and what its charger draws."""

from __future__ import annotations

from dataclasses import dataclass

DRIVING, STANDING, CHARGING = -8.0, -1.0, 40.0
"""Percent in an hour."""
CAPACITY_KWH = 5.0
CHARGER_EFFICIENCY = 0.9
LOW, EMPTY = 20.0, 3.0
"""A warning below the one; below the other the vehicle stands."""


@dataclass(slots=True)
class Battery:
    """Charge (%), and whether it is being charged."""

    charge: float
    charging: bool = False

    @property
    def voltage(self) -> float:
        """V of 15 cells in series, by the charge alone."""
        return 46.0 + 0.06 * self.charge

    @property
    def draw(self) -> float:
        """What the charger takes now, kW."""
        return CHARGING / 100 * CAPACITY_KWH / CHARGER_EFFICIENCY if self.charging else 0.0

    def advance(self, dt: float, *, driving: bool, supplied: bool) -> None:
        """Use or take in charge; a full battery ends the charging."""
        rate = CHARGING * supplied if self.charging else DRIVING if driving else STANDING
        self.charge = min(max(self.charge + rate * dt / 3600, 0.0), 100.0)
        if self.charge >= 100:
            self.charging = False
