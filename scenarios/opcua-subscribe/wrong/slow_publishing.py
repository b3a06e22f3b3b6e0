"""Publishes every two seconds, as the client did by itself."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"subscribe": 4}


class SlowPublishing(Trainee):
    """Keeps the default."""

    publishing_ms = 2000.0


if __name__ == "__main__":
    main(SlowPublishing)
