"""Totals the energy as the last reading minus the first: the counter went through zero in between."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"rollover": 4}


class EndMinusBeginning(Trainee):
    """Believes that a counter only goes up."""

    def total(self, readings: list[int]) -> int:
        """One subtraction."""
        return readings[-1] - readings[0]


if __name__ == "__main__":
    main(EndMinusBeginning)
