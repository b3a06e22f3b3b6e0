"""Takes the mean of the last values: a spike is smeared over all of them, and not gone."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"correct": 2}


class AveragesTheSpikes(Trainee):
    """A moving average smooths everything."""

    def smooth(self, values: Iterable[float]) -> float:
        """Their mean."""
        return statistics.fmean(values)


if __name__ == "__main__":
    main(AveragesTheSpikes)
