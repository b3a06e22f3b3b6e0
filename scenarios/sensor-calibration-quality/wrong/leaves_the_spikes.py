"""Filters nothing: every spike goes out."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"correct": 2}


class LeavesTheSpikes(Trainee):
    """One sample is the median of one sample."""

    window = 1


if __name__ == "__main__":
    main(LeavesTheSpikes)
