"""Takes what really happened for a fault, too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"report": 4, "proof": 2}


class BlamesTheProcess(Trainee):
    """Everything that jumps is broken."""

    def hand_in(self) -> None:
        """One row more."""
        self.found[self.real] = ("drift", self.times[self.real, "temperature"][-1], [])
        super().hand_in()


if __name__ == "__main__":
    main(BlamesTheProcess)
