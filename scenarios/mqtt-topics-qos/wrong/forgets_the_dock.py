"""Takes the dock out of service and thinks of nothing else: it is still there for whoever looks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"decommission": 4}


class ForgetsTheDock(Trainee):
    """Off is off."""

    def retire(self) -> None:
        """It will be quiet by itself."""


if __name__ == "__main__":
    main(ForgetsTheDock)
