"""Polls all devices in one loop, with a generous time-out: one silent device stops everything."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from typing import Any

from solution import Trainee, main

LOSES = {"latency": 4, "dead": 2}


class OneLoop(Trainee):
    """One after the other."""

    timeout_s = 8.0

    def polling(self) -> list[Any]:
        """One loop for all."""
        return [self.forever(list(self.periods), 1.0)]


if __name__ == "__main__":
    main(OneLoop)
