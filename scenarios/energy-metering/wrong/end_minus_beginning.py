"""Takes the counter at the end minus the one at the beginning, although one was set back."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"energy": 5, "demand": 3}


class EndMinusBeginning(Trainee):
    """A counter that falls has grown by less than nothing."""

    def growth(self, meter: str, now: float) -> float:
        """Now less before."""
        before = self.counter.get(meter, now)
        self.counter[meter] = now
        return now - before


if __name__ == "__main__":
    main(EndMinusBeginning)
