"""Looks in without a user and without encryption after the restart, because it is quicker."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client
from solution import Trainee, main

LOSES = {"tonight": 3}


class BackToNone(Trainee):
    """Just to see whether it is there."""

    async def again(self) -> None:
        """In by the old door first."""
        async with Client(self.url) as client:
            await client.nodes.server_state.read_value()
        await super().again()


if __name__ == "__main__":
    main(BackToNone)
