"""Publishes the power in watts under the unit kW: the power is not the true one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"bridge": 3}


class PowerInWatts(Trainee):
    """Forgets that the register is in kW already."""

    def power(self, kilowatts: float) -> float:
        """Power times a thousand."""
        return kilowatts * 1000


if __name__ == "__main__":
    main(PowerInWatts)
