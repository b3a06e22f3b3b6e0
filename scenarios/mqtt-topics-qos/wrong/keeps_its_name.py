"""Keeps the client id that somebody else has too, and is thrown out for ever."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"clash": 4}


class KeepsItsName(Trainee):
    """The network will calm down."""

    def rename(self) -> None:
        """Why should it be the name."""


if __name__ == "__main__":
    main(KeepsItsName)
