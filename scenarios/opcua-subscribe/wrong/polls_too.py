"""Subscribes, and reads everything once more every second to be sure."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Node
from solution import Trainee, main

LOSES = {"quiet": 4}


class PollsToo(Trainee):
    """Does not trust the subscription."""

    async def look(self, nodes: list[Node]) -> None:
        """Read them all."""
        for node in nodes:
            await node.read_data_value(raise_on_bad_status=False)


if __name__ == "__main__":
    main(PollsToo)
