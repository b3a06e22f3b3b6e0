"""Takes the flow meter's words as they come."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"points": 1.6, "revision": 3}


class WrongWordOrder(Trainee):
    """Did not read the register that says it."""

    def order(self, words: list[int]) -> str:
        """Most significant byte first, like everybody."""
        super().order(words)
        return "ABCD"


if __name__ == "__main__":
    main(WrongWordOrder)
