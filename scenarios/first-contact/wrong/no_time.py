"""Leaves the time out of the messages: they have not the asked shape."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"bridge": 3}


class NoTime(Trainee):
    """Publishes value and unit only."""

    def payload(self, value: float, unit: str) -> str:
        """A message without its time."""
        return json.dumps({"value": value, "unit": unit})


if __name__ == "__main__":
    main(NoTime)
