"""Does not look into the certificate, and guesses."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"impostor": 3}


class BlamesTheKey(Trainee):
    """It will be the key."""

    def verdict(self, flaw: str) -> str:  # noqa: ARG002 - it does not look
        """Surely."""
        return "short-key"


if __name__ == "__main__":
    main(BlamesTheKey)
