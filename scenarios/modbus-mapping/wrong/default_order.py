"""Hands in the usual word order for every meter without looking."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"orders": 6}


class DefaultOrder(Trainee):
    """Believes that everything is ABCD."""

    def report_orders(self) -> dict[str, Any]:
        """The same order for all."""
        return dict.fromkeys(self.order, "ABCD")


if __name__ == "__main__":
    main(DefaultOrder)
