"""Watches the power and not the diagnostic bits."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"alarm": 4}


class NoAlarm(Trainee):
    """Nobody told it."""

    async def look_at_alarm(self) -> None:
        """Nothing."""


if __name__ == "__main__":
    main(NoAlarm)
