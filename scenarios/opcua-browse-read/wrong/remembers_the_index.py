"""Uses the node ids of before the restart, whose namespace index has moved."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client
from solution import Trainee, main

LOSES = {"restart": 4}


class RemembersTheIndex(Trainee):
    """Does not look anything up again."""

    async def again(self, client: Client) -> None:
        """Read what was remembered."""
        await self.read(client, self.remembered)


if __name__ == "__main__":
    main(RemembersTheIndex)
