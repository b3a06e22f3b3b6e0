"""Takes the portal in with a clean session: what was sent while it was away is gone."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"portal": 3}


class CleanSession(Trainee):
    """Keeps the default."""

    clean = True


if __name__ == "__main__":
    main(CleanSession)
