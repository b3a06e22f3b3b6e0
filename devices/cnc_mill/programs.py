"""What the mill makes: programs of operations, each a tool path in machine coordinates (mm) with its cutting data."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float, float]

RAPID_MM_S = 300.0
HOME: Point = (325.0, 250.0, 420.0)
"""Where tools are changed and parts are loaded."""
CLEAR = 60.0
"""Height at which the tool passes over the part."""
SPINDLE_TAU_S = 0.4
AT_SPEED = 0.97
"""Part of the programmed speed from which cutting may begin."""
TOOL_SWAP_S = 3.0


@dataclass(frozen=True, slots=True)
class Move:
    """A straight move to ``to``: a cut at the operation's feed, or a rapid move through the air."""

    to: Point
    cut: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a program: tool 1 to 3, spindle speed r/min, feed mm/min, spindle load % with a new tool, path."""

    step: str
    tool: int
    speed: float
    feed: float
    load: float
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A named list of operations."""

    name: str
    number: int
    operations: tuple[Operation, ...]

    @property
    def planned_s(self) -> float:
        """Cycle time at 100 % feed and speed without stops; the spindle runs up during the approach of each operation."""
        total, here = 0.0, HOME
        run_up = -SPINDLE_TAU_S * math.log(1 - AT_SPEED)
        for operation in self.operations:
            approach, *others = operation.moves
            total += TOOL_SWAP_S + max(math.dist(here, approach.to) / RAPID_MM_S, run_up)
            here = approach.to
            for move in (*others, Move(HOME, cut=False)):
                total += math.dist(here, move.to) / (operation.feed / 60 if move.cut else RAPID_MM_S)
                here = move.to
        return total


def _over(moves: list[Move], first: Point) -> tuple[Move, ...]:
    """The moves with a rapid approach above ``first`` and a retreat above the last point."""
    last = moves[-1].to
    return (
        Move((first[0], first[1], CLEAR), cut=False),
        Move(first, cut=True),
        *moves,
        Move((last[0], last[1], CLEAR), cut=False),
    )


def face(x: float, y: float, length: float, width: float, passes: int) -> tuple[Move, ...]:
    """Zigzag over a rectangle whose corner is (x, y)."""
    moves = []
    for index in range(passes):
        row = y + width * index / max(passes - 1, 1)
        ends = (x, x + length) if index % 2 == 0 else (x + length, x)
        moves += [Move((end, row, 40.0), cut=True) for end in ends]
    return _over(moves[1:], moves[0].to)


def ring(x: float, y: float, radius: float, depths: tuple[float, ...]) -> tuple[Move, ...]:
    """Full circles about (x, y) at several depths, as chords of 15 degrees."""
    first = (x + radius, y, depths[0])
    moves = [
        Move((x + radius * math.cos(math.tau * k / 24), y + radius * math.sin(math.tau * k / 24), depth), cut=True)
        for depth in depths
        for k in range(25)
    ]
    return _over(moves, first)


def holes(x: float, y: float, pitch: float, count: int, depth: float) -> tuple[Move, ...]:
    """A row of drilled holes."""
    moves: list[Move] = []
    for index in range(count):
        at = x + pitch * index
        moves += [
            Move((at, y, CLEAR), cut=False),
            Move((at, y, 42.0), cut=False),
            Move((at, y, depth), cut=True),
            Move((at, y, CLEAR), cut=False),
        ]
    return tuple(moves)


PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Program(
            "BRACKET-10",
            10,
            (
                Operation("10 FACE", 1, 4200, 2800, 38, face(200, 180, 180, 90, 5)),
                Operation("20 PROFILE", 2, 8200, 2200, 26, ring(290, 225, 38, (34, 28))),
                Operation("30 DRILL", 3, 5200, 700, 18, holes(220, 200, 28, 6, 18)),
            ),
        ),
        Program(
            "FLANGE-20",
            20,
            (
                Operation("10 FACE", 1, 4000, 2600, 42, face(230, 160, 140, 120, 6)),
                Operation("20 BORE", 2, 7800, 2000, 30, ring(300, 220, 30, (34, 28, 22))),
                Operation("30 RIM", 2, 8000, 2400, 22, ring(300, 220, 58, (30,))),
                Operation("40 DRILL", 3, 5000, 650, 20, holes(250, 170, 25, 5, 16)),
            ),
        ),
        Program(
            "PLATE-30",
            30,
            (
                Operation("10 FACE", 1, 4400, 3200, 34, face(120, 120, 320, 200, 4)),
                Operation("20 DRILL", 3, 5600, 800, 16, holes(140, 160, 36, 8, 20)),
                Operation("30 SLOT", 2, 7600, 1800, 34, face(160, 300, 220, 8, 2)),
            ),
        ),
    )
}
