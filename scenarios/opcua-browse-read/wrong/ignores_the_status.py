"""Looks at numbers and not at their status: a value that stands still is called bad, and nothing uncertain."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client
from solution import Trainee, main

LOSES = {"quality": 4}


class IgnoresTheStatus(Trainee):
    """Guesses from the numbers."""

    async def quality(self, client: Client) -> list[tuple[str, str]]:  # noqa: ARG002 - it does not look
        """The speed is 0 at times, so it must be the one."""
        return [("bad", "spindle_speed"), ("uncertain", "spindle_speed")]


if __name__ == "__main__":
    main(IgnoresTheStatus)
