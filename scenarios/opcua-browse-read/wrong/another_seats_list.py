"""Copies the asset list of another seat: makers and models are the same there, serial numbers are not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client
from solution import Trainee, main

LOSES = {"assets": 1.5}


class AnotherSeat(Trainee):
    """Writes serial numbers that are not those of these machines."""

    async def assets(self, client: Client) -> list[tuple[str, Any]]:
        """The register with somebody else's serial numbers."""
        return [(item, "VM650-00000001" if "serial" in item else value) for item, value in await super().assets(client)]


if __name__ == "__main__":
    main(AnotherSeat)
