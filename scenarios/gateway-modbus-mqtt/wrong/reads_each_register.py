"""Reads the registers of the compressor one by one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, Values, main

LOSES = {"rate": 0.75}


class ReadsEachRegister(Trainee):
    """A request is cheap, is it not?"""

    async def comp1(self) -> Values:
        """One request for each register, to be sure."""
        for address in range(100, 120):
            await self.read("comp1", address + self.drawn["base"], 1)
        return await super().comp1()


if __name__ == "__main__":
    main(ReadsEachRegister)
