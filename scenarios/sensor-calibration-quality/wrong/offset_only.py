"""Takes one point and calls the difference the offset: right at one temperature only."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"calibrate": 6}


class OffsetOnly(Trainee):
    """The gain is one, is it not."""

    def line(self, low: tuple[float, float], high: tuple[float, float]) -> tuple[float, float]:  # noqa: ARG002 - one point
        """The difference at the second point."""
        return 1.0, high[1] - high[0]


if __name__ == "__main__":
    main(OffsetOnly)
