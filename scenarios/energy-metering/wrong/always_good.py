"""Calls every value good, also the last one of a meter that is silent."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"live": 4}


class AlwaysGood(Trainee):
    """The number is still there."""

    def quality(self, good: bool) -> str:  # noqa: ARG002 - it does not look
        """Good."""
        return "good"


if __name__ == "__main__":
    main(AlwaysGood)
