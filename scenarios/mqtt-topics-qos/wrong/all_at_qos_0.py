"""Leaves QoS where the library has it: events are sent and forgotten."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"door": 2, "state": 2, "presence": 3, "portal": 3}


class AllAtQos0(Trainee):
    """Zero, everywhere."""

    qos = 0


if __name__ == "__main__":
    main(AllAtQos0)
