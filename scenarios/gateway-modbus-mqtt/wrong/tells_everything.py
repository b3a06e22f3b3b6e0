"""Publishes every point after every poll."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"exception": 4}


class TellsEverything(Trainee):
    """Better once too often."""

    def due(self, when: float) -> bool:  # noqa: ARG002 - it does not matter when
        """Always."""
        return True


if __name__ == "__main__":
    main(TellsEverything)
