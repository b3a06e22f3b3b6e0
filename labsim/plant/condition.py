"""How a device answers, apart from what it says: what endpoints ask when they speak for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Condition:
    """The condition of one device; a good one by default. Faults change it, endpoints read it.

    Attributes:
        dead: It does not answer: ``gateway`` when something before it says so, ``silent`` when nobody does; "" when it does.
        delay_s: Plant seconds that it takes for an answer, and by chance up to ``jitter_s`` more.
        swapped: The 16-bit words of its numbers come in the reverse order.
        moved: Registers by which its map has moved.
        skew_ns: How far its clock is ahead.
    """

    dead: Literal["", "gateway", "silent"] = ""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    swapped: bool = False
    moved: int = 0
    skew_ns: int = 0
