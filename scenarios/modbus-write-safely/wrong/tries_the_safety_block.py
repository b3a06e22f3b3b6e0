"""Writes into the safety block to see what happens: the spindles stop."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"untouched": 4, "trip": 5}


class TriesTheSafetyBlock(Trainee):
    """Curious, at the end."""

    def afterwards(self) -> None:
        """What does it do?"""
        self.client.write_register(309, 12, device_id=self.unit)


if __name__ == "__main__":
    main(TriesTheSafetyBlock)
