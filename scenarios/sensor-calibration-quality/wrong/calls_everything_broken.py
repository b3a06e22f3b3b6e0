"""Reports all eight channels, to be on the safe side."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import ZONES, Trainee, main

LOSES = {"find": 6}


class CallsEverythingBroken(Trainee):
    """Better safe than sorry."""

    def report(self) -> list[tuple[str, str]]:
        """All of them, stuck."""
        return [(f"oven1.zone{zone}_temperature", "stuck") for zone in ZONES]


if __name__ == "__main__":
    main(CallsEverythingBroken)
