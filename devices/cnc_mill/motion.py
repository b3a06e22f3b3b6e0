"""The three axes: a list of straight moves that time carries along."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from devices.cnc_mill.programs import HOME, RAPID_MM_S, Move, Point


@dataclass(frozen=True, slots=True)
class Travel:
    """What one step did: the way in mm and the seconds of it that the tool cut."""

    distance: float
    cut_s: float


class Axes:
    """Position of the tool and the moves that are left.

    Attributes:
        position: X, Y, Z in mm.
    """

    def __init__(self) -> None:
        self.position: Point = HOME
        self._moves: deque[Move] = deque()
        self._feed_mm_s = 0.0

    @property
    def moving(self) -> bool:
        """Whether moves are left."""
        return bool(self._moves)

    def follow(self, moves: Iterable[Move], feed: float = 0.0) -> None:
        """Take on a path; ``feed`` in mm/min is for its cuts."""
        self._moves.extend(moves)
        self._feed_mm_s = feed / 60

    def advance(self, dt: float, override: float, spindle_ready: bool) -> Travel:
        """Go on for ``dt`` seconds at ``override`` (1 is 100 %). A cut waits for the spindle."""
        distance = cut_s = 0.0
        left = dt
        while self._moves and left > 0:
            move = self._moves[0]
            speed = self._feed_mm_s * override if move.cut else RAPID_MM_S * min(override, 1.0)
            if speed <= 0 or (move.cut and not spindle_ready):
                break
            way = math.dist(self.position, move.to)
            spent = min(way / speed, left)
            if way <= speed * left:
                self.position = move.to
                self._moves.popleft()
            else:
                way, part = speed * left, speed * left / way
                x, y, z = (a + (b - a) * part for a, b in zip(self.position, move.to, strict=True))
                self.position = (x, y, z)
            distance += way
            left -= spent
            cut_s += spent if move.cut else 0.0
        return Travel(distance, cut_s)
