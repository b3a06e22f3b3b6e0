"""Writes down when a value came, not when it was measured: everything in the cut is late."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datetime import UTC, datetime

from asyncua import ua
from solution import Trainee, main

LOSES = {"record": 7}


class TimeOfArrival(Trainee):
    """Takes the clock on the wall."""

    def time(self, value: ua.DataValue) -> datetime:  # noqa: ARG002 - it does not look
        """Now."""
        return datetime.now(UTC)


if __name__ == "__main__":
    main(TimeOfArrival)
