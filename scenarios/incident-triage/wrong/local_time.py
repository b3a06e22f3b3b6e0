"""Writes down the time of the clock on the wall, eight hours ahead, as if it were UTC."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datetime import datetime, timedelta

from solution import Trainee, iso, main

LOSES = {"proof": 4}


class LocalTime(Trainee):
    """Nobody said UTC, did they?"""

    def written(self, moment: datetime) -> str:
        """Local time."""
        return iso(moment + timedelta(hours=8))


if __name__ == "__main__":
    main(LocalTime)
