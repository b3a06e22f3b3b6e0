"""Lets the portal subscribe to everything of the hub, to be sure."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"portal": 2}


class ListensToEverything(Trainee):
    """Sorts it out later."""

    def filter(self) -> str:
        """All of it."""
        return f"{self.root}/#"


if __name__ == "__main__":
    main(ListensToEverything)
