"""Writes the clock on the wall into its messages and calls it UTC."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datetime import datetime, timedelta

from solution import Trainee, main

LOSES = {"payload": 2, "door": 2, "state": 2}


class LocalTime(Trainee):
    """Eight hours ahead."""

    def now(self) -> str:
        """The time in Taipei."""
        utc = datetime.fromisoformat(super().now())
        return (utc + timedelta(hours=8)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    main(LocalTime)
