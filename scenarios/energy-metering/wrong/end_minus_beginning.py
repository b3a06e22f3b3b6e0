"""Takes the counter at the end minus the one at the beginning, although one was set back."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"energy": 5}


class EndMinusBeginning(Trainee):
    """A counter that falls has grown by less than nothing."""

    def energy(self) -> dict[str, float]:
        """Now less before."""
        return {meter: (now - self.first[meter]) / 1000 for meter, now in self.counter.items()}


if __name__ == "__main__":
    main(EndMinusBeginning)
