"""Where things stand in a file: a tree of positions parallel to the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Key = str | int
KeyPath = tuple[Key, ...]


@dataclass(slots=True)
class Position:
    """Where a value stands and where its key stands (line and column from 1, 0 unknown), and the positions inside it.

    ``start`` and ``end`` bound the value in the file's text, in characters; both 0 when the value is an alias, whose text
    stands elsewhere.
    """

    line: int
    column: int
    key_line: int = 0
    key_column: int = 0
    start: int = 0
    end: int = 0
    inside: dict[Key, Position] = field(default_factory=dict)

    def at(self, path: Sequence[Key]) -> tuple[Position, int]:
        """The position of the deepest known part of ``path`` and how many parts were known."""
        here, depth = self, 0
        for part in path:
            if part not in here.inside:
                break
            here, depth = here.inside[part], depth + 1
        return here, depth

    def place(self, path: Sequence[Key], *, key: bool = False) -> tuple[int, int]:
        """Line and column of ``path``, or of its key; a path that is not there stands at the key of what should hold it."""
        here, depth = self.at(path)
        if here.key_line and (key or depth < len(path)):
            return here.key_line, here.key_column
        return here.line, here.column
