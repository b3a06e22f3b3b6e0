"""Says online once, when it starts: after the cut the world believes it dead."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"presence": 2}


class BirthOnce(Trainee):
    """It has been born already."""

    def connected(self) -> None:
        """Only the first time."""
        if self.births == 1:
            super().connected()


if __name__ == "__main__":
    main(BirthOnce)
