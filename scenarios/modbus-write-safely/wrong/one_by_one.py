"""Writes the four parameters in four requests: for a moment the unit works with half a card."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from collections.abc import Sequence

from solution import Trainee, main

LOSES = {"block": 3}


class OneByOne(Trainee):
    """Function 06 for everything."""

    def set_all(self, address: int, values: Sequence[int]) -> None:
        """One after the other."""
        for offset, value in enumerate(values):
            super().set_all(address + offset, [value])


if __name__ == "__main__":
    main(OneByOne)
