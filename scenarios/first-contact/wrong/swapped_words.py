"""Decodes the meter's floats with the words swapped: voltage and power are nonsense."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from solution import Trainee, main

LOSES = {"bridge": 6}


class SwappedWords(Trainee):
    """Believes that the low word comes first."""

    def decode(self, data: bytes) -> float:
        """A float in the wrong word order."""
        return float(struct.unpack(">f", data[2:] + data[:2])[0])


if __name__ == "__main__":
    main(SwappedWords)
