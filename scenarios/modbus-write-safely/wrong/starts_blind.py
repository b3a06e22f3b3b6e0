"""Starts the pump without a look at the permissive."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"start": 4, "untouched": 4}


class StartsBlind(Trainee):
    """It will be fine."""

    def may_start(self) -> None:
        """Surely."""


if __name__ == "__main__":
    main(StartsBlind)
