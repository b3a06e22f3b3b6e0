"""Leaves the limits to the compressor, which takes far too much."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import LOAD_PRESSURE, Trainee, main

LOSES = {"commands": 2.5, "overpressure": 3}


class TakesEveryCommand(Trainee):
    """The platform knows what it does."""

    async def write(self, bar: float) -> str:
        """Written as it came."""
        await self.ask("comp1", "write_register", LOAD_PRESSURE + self.drawn["base"], round(bar * 100))
        return "done"


if __name__ == "__main__":
    main(TakesEveryCommand)
