"""Publishes the raw numbers as values: the database is as wrong as the oven."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"correct": 4}


class PublishesWhatItReads(Trainee):
    """A gateway is a gateway."""

    def true(self, zone: int, shown: float, scaled: bool) -> float:  # noqa: ARG002 - it does not care
        """What is shown."""
        return shown


if __name__ == "__main__":
    main(PublishesWhatItReads)
