"""Puts the deadband on every value: most of the process vanishes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import LOAD, Trainee, main

LOSES = {"deadband": 1.5}


class DeadbandEverywhere(Trainee):
    """Filters all but what it records."""

    def deadband(self, place: tuple[str, ...]) -> float:
        """The same for all."""
        return 0.0 if place == LOAD else 0.5


if __name__ == "__main__":
    main(DeadbandEverywhere)
