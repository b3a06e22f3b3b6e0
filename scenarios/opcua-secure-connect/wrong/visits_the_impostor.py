"""Has a quick look at the other server, without a user and without encryption."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client
from solution import Trainee, main

LOSES = {"impostor": 3}


class VisitsTheImpostor(Trainee):
    """Curious."""

    async def suspect(self, url: str) -> None:
        """What has it got?"""
        async with Client(url) as client:
            await client.nodes.objects.get_children()


if __name__ == "__main__":
    main(VisitsTheImpostor)
