"""Believes every good answer: the value that was lost stays lost."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from collections.abc import Sequence

from solution import Trainee, main

LOSES = {"block": 1, "readback": 4}


class TrustsTheAnswer(Trainee):
    """Does not read back."""

    def stayed(self, address: int, values: Sequence[int]) -> bool:  # noqa: ARG002 - it does not look
        """Surely."""
        return True


if __name__ == "__main__":
    main(TrustsTheAnswer)
