"""Does not look at the sign of the phases, and names one at random."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"wiring": 4}


class IgnoresTheSign(Trainee):
    """A guess."""

    async def look_at_phases(self, meter: str) -> None:
        """The hall is as good as any."""
        if not self.answered and meter:
            self.answer("wiring", "meter3 L1")
            self.answered = True


if __name__ == "__main__":
    main(IgnoresTheSign)
