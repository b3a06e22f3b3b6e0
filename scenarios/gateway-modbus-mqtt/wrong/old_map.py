"""Knows one revision of the map only."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"revision": 3}


class OldMap(Trainee):
    """What was right yesterday."""

    def other_revision(self) -> int:
        """There is none."""
        return 0


if __name__ == "__main__":
    main(OldMap)
