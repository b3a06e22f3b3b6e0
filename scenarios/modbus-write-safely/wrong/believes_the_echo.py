"""Takes the echo of a write for what the device has kept."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"clamped": 2}


class BelievesTheEcho(Trainee):
    """The answer said 500."""

    def kept(self) -> float:
        """What was asked for."""
        return 50.0


if __name__ == "__main__":
    main(BelievesTheEcho)
