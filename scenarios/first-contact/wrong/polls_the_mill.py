"""Reads the spindle speed again and again instead of subscribing to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"mill": 3}


class PollsTheMill(Trainee):
    """Polls the node."""

    async def watch(self, mill: Any, node: Any) -> None:
        """No subscription."""

    async def refresh(self, node: Any) -> None:
        """Read the node."""
        self.speed = await node.read_value()


if __name__ == "__main__":
    main(PollsTheMill)
