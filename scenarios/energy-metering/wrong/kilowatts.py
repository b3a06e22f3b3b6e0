"""Publishes kilowatts where watts are asked for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"live": 4}


class Kilowatts(Trainee):
    """A thousandth of it."""

    def shown(self, watts: float) -> float:
        """In kW."""
        return watts / 1000


if __name__ == "__main__":
    main(Kilowatts)
