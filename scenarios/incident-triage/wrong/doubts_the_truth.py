"""Names a broken device as the one whose change is real."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"herring": 4}


class DoubtsTheTruth(Trainee):
    """Picks one of those that were reported."""

    def answer(self, task: str, value: str) -> None:  # noqa: ARG002 - it has its own
        """The first of them."""
        super().answer(task, f"{next(iter(self.found))} density")


if __name__ == "__main__":
    main(DoubtsTheTruth)
