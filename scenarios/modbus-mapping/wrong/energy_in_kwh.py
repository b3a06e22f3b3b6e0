"""Hands in the energy in kWh where Wh is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"decode": 1}


class EnergyInKwh(Trainee):
    """Divides by a thousand too much."""

    def energy(self, watt_hours: float) -> float:
        """Energy in kWh."""
        return watt_hours / 1000


if __name__ == "__main__":
    main(EnergyInKwh)
