"""Writes a setting of a meter that works, to see whether it helps."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client, ua
from solution import Trainee, child, device_of, main

LOSES = {"untouched": 2}


class TriesASetting(Trainee):
    """It cannot do any harm."""

    tried = False

    async def meddle(self, client: Client, gone: float) -> None:
        """Once, when it gets nervous."""
        if gone > 120 and not self.tried:
            self.tried = True
            scale = await child(await child(await device_of(client, "wash1"), "Configuration"), "Qmax")
            await scale.write_value(ua.Variant(0.01, ua.VariantType.Float))


if __name__ == "__main__":
    main(TriesASetting)
