"""Decodes signed integers as unsigned: what is negative comes out large."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"decode": 3}


class Unsigned(Trainee):
    """Forgets the sign."""

    def signed(self, meter: str, data: bytes) -> float:
        """An integer without its sign."""
        return self.number(meter, data, "H" if len(data) == 2 else "I")


if __name__ == "__main__":
    main(Unsigned)
