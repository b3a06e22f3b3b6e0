"""Sampling: all items of one server with one interval are compared with the value store as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.core.item import DISABLED, ON_TIME, ON_VALUE, Item, Last
from labsim.endpoints.opcua.core.status import is_bad
from labsim.endpoints.opcua.core.values import NUMPY, DataValue, stored

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

_TEXT = 0  # no number: its column holds a version, its value only the store has
_NEVER = Last(float("nan"), 0xFFFFFFFF, 0)  # no sample can have this status, so the first one differs


class Group:
    """Items that are sampled together.

    Attributes:
        interval: Milliseconds.
    """

    def __init__(self, server: Server, interval: float) -> None:
        self._server, self.interval = server, interval
        self.items: dict[int, Item] = {}
        self._stale = True
        self._stored: list[Item] = []
        self._read: list[Item] = []
        self._place: dict[int, int] = {}
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._value = self._deadband = np.zeros(0)
        self._status: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._source: NDArray[np.int64] = np.zeros(0, np.int64)
        self._by_value = self._by_time = np.zeros(0, np.bool_)
        self._kind: NDArray[np.uint8] = np.zeros(0, np.uint8)

    def add(self, item: Item) -> None:
        """Sample this one too."""
        self.items[item.id], item.group = item, self
        self._stale = True

    def drop(self, item: Item) -> None:
        """Sample it no more."""
        self.items.pop(item.id, None)
        item.group = None
        self._stale = True

    def changed(self) -> None:
        """Settings or mode of an item changed."""
        self._stale = True

    def reported(self, item: Item) -> None:
        """An item was sampled between two cycles: go on from its report."""
        at = self._place.get(item.id)
        if not self._stale and at is not None and item.last is not None:
            self._value[at], self._status[at], self._source[at] = item.last

    def _build(self) -> None:
        """Arrays of what was last reported. Taken from the items, not from the store, so that no change is lost."""
        live = [item for item in self.items.values() if item.mode != DISABLED]
        self._stored = found = [item for item in live if item.row >= 0]
        self._read = [item for item in live if item.row < 0]
        self._place = {item.id: at for at, item in enumerate(found)}
        last = [item.last or _NEVER for item in found]
        self._rows = np.array([item.row for item in found], np.intp)
        self._value = np.array([one.value for one in last], np.float64)
        self._status = np.array([one.status for one in last], np.uint32)
        self._source = np.array([one.source for one in last], np.int64)
        self._deadband = np.array([item.settings.deadband for item in found], np.float64)
        self._by_value = np.array([item.settings.trigger >= ON_VALUE for item in found], np.bool_)
        self._by_time = np.array([item.settings.trigger == ON_TIME for item in found], np.bool_)
        kinds = [self._server.store.builtin(item.row) for item in found]
        self._kind = np.array([kind if kind in NUMPY else _TEXT for kind in kinds], np.uint8)
        self._stale = False

    def sample(self) -> None:
        """One cycle: queue what moved since it was last reported."""
        if self._stale:
            self._build()
        if self._stored:
            self._compare()
        for item in self._read:
            item.sample()

    def _compare(self) -> None:
        store = self._server.store
        value, status = store.value[self._rows], store.status[self._rows]
        source = store.source_time[self._rows] // 100 + store.origin
        with np.errstate(invalid="ignore"):  # inf - inf; NaN is compared below
            moved = np.abs(value - self._value) > self._deadband
        moved |= np.isnan(value) != np.isnan(self._value)
        moved &= self._by_value
        moved |= status != self._status
        moved |= self._by_time & (source != self._source)
        if not moved.any():
            return
        now, places = store.now(), np.flatnonzero(moved)
        value, status, source = value[places], status[places], source[places]
        self._value[places], self._status[places], self._source[places] = value, status, source
        quick = self._server.quick
        encoded = encode_numbers(self._kind[places], value) if quick else [b""] * len(places)
        rows = zip(places.tolist(), value.tolist(), status.tolist(), source.tolist(), encoded, strict=True)
        for at, number, code, moment, variant in rows:
            item = self._stored[at]
            item.last = Last(number, code, moment)
            if variant:
                item.push(DataValue(None if is_bad(code) else variant, code, moment, now))
            else:
                item.push(stored(store, item.row, now))


def encode_numbers(kinds: NDArray[np.uint8], numbers: NDArray[np.float64]) -> list[bytes]:
    """Encoded Variants of numbers of some built-in types, each type as one array; empty where it is a text."""
    found = [b""] * len(kinds)
    for kind in np.unique(kinds).tolist():
        if kind == _TEXT:
            continue
        where = np.flatnonzero(kinds == kind)
        records = np.zeros(len(where), np.dtype([("type", "u1"), ("value", NUMPY[kind])]))
        with np.errstate(over="ignore"):  # a double too large for a float is infinite there
            records["type"], records["value"] = kind, numbers[where]
        raw, size = records.tobytes(), records.itemsize
        for number, place in enumerate(where.tolist()):
            found[place] = raw[number * size : (number + 1) * size]
    return found
