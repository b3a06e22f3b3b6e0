"""Labels every tag of a device bad because something is wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import DEVICES, Trainee, main

LOSES = {"quality": 6}


class CondemnsTheDevice(Trainee):
    """Better safe than sorry."""

    def affected(self, device: str, tags: list[str]) -> list[str]:  # noqa: ARG002 - it does not distinguish
        """All of them."""
        return list(DEVICES[device])


if __name__ == "__main__":
    main(CondemnsTheDevice)
