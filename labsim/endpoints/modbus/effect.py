"""What a write does besides setting a value: an edge that must go back first, a memory that wears."""

from __future__ import annotations

from collections.abc import Sequence

from labsim.endpoints.modbus.register import Register
from labsim.plant.tags import Tag, TagStore, Value

Change = tuple[Register, Tag, Value]


class Effects:
    """The effects of one device's registers.

    How often a memory was written stands in the tag store, where everybody can see it; what an edge register was last given
    belongs to the connection of this endpoint alone.
    """

    def __init__(self, store: TagStore) -> None:
        self._store = store
        self._last: dict[int, Value] = {}

    def worn(self, changes: Sequence[Change]) -> bool:
        """Whether one of the memories takes no more writes."""
        return any(
            r.wear is not None and float(self._store.read(r.wear.row)) >= r.entry.wear_limit for r, _, _ in changes
        )

    def idle(self, changes: Sequence[Change]) -> set[int]:
        """Rows of edge registers that are given what they were given last: nothing happens there."""
        return {tag.row for r, tag, value in changes if r.entry.effect == "edge" and self._last.get(tag.row) == value}

    def done(self, changes: Sequence[Change]) -> dict[str, int]:
        """Remember a write that was carried out; the new write counts by path of their tags."""
        wear: dict[str, int] = {}
        for register, tag, value in changes:
            if register.entry.effect == "edge":
                self._last[tag.row] = value
            if register.wear is not None:
                count = int(self._store.read(register.wear.row)) + 1
                self._store.set(register.wear.row, count)
                wear[register.wear.path] = count
        return wear
