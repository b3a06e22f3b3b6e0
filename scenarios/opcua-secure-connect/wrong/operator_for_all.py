"""Uses the operator for everything, and never finds out what the observer may."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"roles": 3}


class OperatorForAll(Trainee):
    """One user will do."""

    async def observe(self) -> None:
        """Not needed."""


if __name__ == "__main__":
    main(OperatorForAll)
