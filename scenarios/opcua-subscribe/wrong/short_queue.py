"""Leaves the queue at ten: what happens in the cut falls out of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"record": 7}


class ShortQueue(Trainee):
    """Ten values deep, everywhere."""

    deep_queue = 10


if __name__ == "__main__":
    main(ShortQueue)
