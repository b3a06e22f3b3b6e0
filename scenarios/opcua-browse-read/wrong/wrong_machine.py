"""Reads the other machine, where the same browse names stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"values": 6, "quality": 4, "restart": 4}


class WrongMachine(Trainee):
    """Takes the first machine that has what is asked for."""

    def __init__(self, ready: dict[str, Any]) -> None:
        super().__init__(ready)
        self.machine = "mill2" if self.machine == "mill1" else "mill1"


if __name__ == "__main__":
    main(WrongMachine)
