"""Polls each voltage with a request of its own."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"poll": 5}


class ThreeRequests(Trainee):
    """Three requests a poll."""

    def poll_once(self) -> None:
        """One request for each voltage."""
        for number in (3028, 3030, 3032):
            self.holding("meter1", number, 2)


if __name__ == "__main__":
    main(ThreeRequests)
