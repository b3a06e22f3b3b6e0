"""Reports every status bit as 0."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"bits": 3}


class AllIsWell(Trainee):
    """Reads the bits, but hands in zeros."""

    def bits(self) -> dict[str, Any]:
        """No loss, no export."""
        return dict.fromkeys(super().bits(), 0)


if __name__ == "__main__":
    main(AllIsWell)
