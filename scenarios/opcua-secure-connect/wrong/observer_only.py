"""Never logs in as the operator: looks on, and that is all."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"user": 4, "roles": 3, "tonight": 6}


class ObserverOnly(Trainee):
    """Safe is safe."""

    async def operate(self) -> None:
        """Rather not."""

    async def again(self) -> None:
        """Nothing to come back to."""


if __name__ == "__main__":
    main(ObserverOnly)
