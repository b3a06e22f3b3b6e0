"""Publishes 8000 hex as a temperature of -3276.8 degrees, in good quality."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"payload": 2}


class BelievesTheSentinel(Trainee):
    """A number is a number."""

    def temperature(self, register: int) -> str:
        """Always a value."""
        return self.message((register - 0x10000 if register >= 0x8000 else register) / 10, "°C")


if __name__ == "__main__":
    main(BelievesTheSentinel)
