"""Calls the stuck channel good, because its number is plausible."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"label": 5}


class PlausibleIsGood(Trainee):
    """It looks fine."""

    def quality(self, zone: int) -> str:
        """Good, all of them."""
        return "good" if zone else "bad"


if __name__ == "__main__":
    main(PlausibleIsGood)
