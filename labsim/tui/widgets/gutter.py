"""The strip between two columns of the plant's picture, in which arrows run."""

from __future__ import annotations

from textual.content import Content

GUTTER = 9
"""Cells of width: a trunk for arrows each way, a figure such as 12/12, and a head."""

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_SHAPES = dict(
    zip(
        (3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15),
        "│┘┐┤└┌├─┴┬┼",
        strict=True,
    )
) | {1: "│", 2: "│", 4: "─", 8: "─"}
_TRUNK, _TRUNK_BACK = 1, 2


class Gutter:
    """Arrows between boxes to the left and to the right.

    What leaves or reaches a box to the left shares one of its rows for each way, and branches from there; at the box to the right
    each arrow has a row of its own with its figure.

    Args:
        height: Rows.
    """

    def __init__(self, height: int) -> None:
        self._ways = [[0] * GUTTER for _ in range(height)]
        self._signs: dict[tuple[int, int], str] = {}
        self._used: dict[int, int] = {}
        self._shared: dict[tuple[int, int], int] = {}

    def forward(self, left: int, right: int, figure: str) -> None:
        """An arrow from the box whose top row is ``left`` to the one whose top row is ``right``."""
        self._signs[self._join(left, right, _TRUNK, figure), GUTTER - 1] = "▶"

    def backward(self, left: int, right: int, figure: str) -> None:
        """An arrow from the right box to the left one."""
        self._join(left, right, _TRUNK_BACK, figure)
        self._signs[self._shared[left, _TRUNK_BACK], 0] = "◀"

    def line(self, y: int) -> Content:
        """One row."""
        shapes = [self._signs.get((y, x)) or _SHAPES.get(way, " ") for x, way in enumerate(self._ways[y])]
        return Content("").join(
            Content.styled(shape, "bold" if shape.isdigit() or shape == "/" else "$secondary") for shape in shapes
        )

    def _join(self, left: int, right: int, trunk: int, figure: str) -> int:
        """Draw the line; the row it has at the right box."""
        inner = self._used[right] = self._used.get(right, 0) + 1
        target = right + inner
        source = self._shared.setdefault((left, trunk), left + trunk)
        for x in range(trunk):
            self._ways[source][x] |= _LEFT | _RIGHT
        self._ways[source][trunk] |= _LEFT
        low, high = sorted((source, target))
        for y in range(low, high):
            self._ways[y][trunk] |= _DOWN
            self._ways[y + 1][trunk] |= _UP
        self._ways[target][trunk] |= _RIGHT
        for x in range(trunk + 1, GUTTER):
            self._ways[target][x] |= _LEFT | _RIGHT
        for x, sign in enumerate(figure[: GUTTER - 4], 3):
            self._signs[target, x] = sign
        return target
