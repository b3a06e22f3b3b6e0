"""Writes degrees where the register holds tenths: 2.2 degrees are refused."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"single": 5, "readback": 2}


class ForgetsTheScale(Trainee):
    """Takes the number of the card as it is."""

    def scale(self) -> int:
        """One."""
        return 1


if __name__ == "__main__":
    main(ForgetsTheScale)
