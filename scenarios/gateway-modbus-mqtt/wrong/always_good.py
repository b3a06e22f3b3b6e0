"""Keeps the last value of a silent device as if nothing were wrong."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"dead": 4}


class AlwaysGood(Trainee):
    """The number is still there."""

    def quality(self, quality: str) -> str:  # noqa: ARG002 - it does not look
        """Good."""
        return "good"


if __name__ == "__main__":
    main(AlwaysGood)
