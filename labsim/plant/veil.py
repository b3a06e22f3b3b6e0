"""What lies between what devices hold and what the world sees: sensor chains and faults, over the columns of the tag store.

Only tags that something lies over have a column here. After every step of the devices the true values of all columns are taken
at once, pass the sensor chains and the effects of the faults in force, and are written as what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labsim.plant.clock import STEP_NS
from labsim.plant.sensor import Chains, SensorSpec
from labsim.plant.tags import EXACT, INTEGER_RANGE, TagStore

Floats = NDArray[np.float64]
Columns = NDArray[np.intp]


@dataclass(slots=True)
class Frame:
    """One step of all columns while effects work on it.

    Attributes:
        value: What would be shown so far.
        status: Its status codes.
        before: What was shown after the last step.
        held: Columns that stay as they were shown, whatever ``value`` is.
        fresh: Columns whose source time is this step, although nothing has changed.
        frozen: Columns whose source time stays.
        late_ns: What is added to source times.
        now_ns: Plant time at the end of the step.
        dt: Seconds of a step.
    """

    value: Floats
    status: NDArray[np.uint32]
    before: Floats
    held: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    frozen: NDArray[np.bool_]
    late_ns: NDArray[np.int64]
    now_ns: int
    dt: float = STEP_NS / 1e9


Effect = Callable[[Frame], None]
"""Changes what a fault changes."""


class Veil:
    """The columns of one plant.

    Args:
        store: The plant's tags.

    Attributes:
        effects: Effects in force by number, in the order in which they began.
    """

    def __init__(self, store: TagStore) -> None:
        self._store = store
        self.effects: dict[int, Effect] = {}
        self._columns: dict[int, int] = {}
        self._chained: Columns = np.zeros(0, np.intp)
        self._chains: Chains | None = None
        self._shape()

    def __len__(self) -> int:
        return len(self._columns)

    def sense(self, chains: Mapping[str, SensorSpec], seed: int) -> None:
        """Put the sensor chains of the plant over its tags, once, after the devices' first values."""
        if chains:
            self._chained = self.columns(chains)
            rows = [self._store.true[self._store[path].row] for path in chains]
            self._chains = Chains(chains, seed, self._store.value[rows])

    def columns(self, paths: Iterable[str]) -> Columns:
        """The columns of some tags, which get one if they have none."""
        found = []
        for path in paths:
            row = self._store[path].row
            self._store.veil(path)
            found.append(self._columns.setdefault(row, len(self._columns)))
        self._shape()
        return np.array(found, np.intp)

    def _shape(self) -> None:
        """Work out what depends on which tags there are."""
        store, rows = self._store, list(self._columns)
        tags = [store.tags[row] for row in rows]
        self._rows = np.array(rows, np.intp)
        self._true = np.array([store.true[row] for row in rows], np.intp)
        self._text = np.array([tag.type == "text" for tag in tags], bool)
        self._texts = np.flatnonzero(self._text).tolist()
        self._whole = np.array([tag.type in INTEGER_RANGE or tag.type == "bool" for tag in tags], bool)
        ends = [INTEGER_RANGE.get(tag.type, (0, 1) if tag.type == "bool" else (-np.inf, np.inf)) for tag in tags]
        self._low = np.array([max(low, -EXACT) if np.isfinite(low) else low for low, _ in ends], float)
        self._high = np.array([min(high, EXACT) if np.isfinite(high) else high for _, high in ends], float)
        self._told = store.source_time[self._rows]
        self._base = self._told.copy()

    def shown(self, columns: Columns) -> Floats:
        """What some columns show now."""
        return self._store.value[self._rows[columns]]

    def true(self, columns: Columns) -> Floats:
        """What is true of some columns now."""
        return self._store.value[self._true[columns]]

    def apply(self) -> None:
        """Show what is to be shown after a step."""
        if not self._columns:
            return
        store, count = self._store, len(self._columns)
        none, never = np.zeros(count, bool), np.zeros(count, np.int64)
        frame = Frame(
            store.value[self._true], store.status[self._true], store.value[self._rows], none, none.copy(), none.copy(),
            never, store.now_ns,
        )  # fmt: skip
        if self._chains is not None:
            codes = frame.status[self._chained]
            frame.value[self._chained] = self._chains.apply(frame.value[self._chained], codes)
            frame.status[self._chained] = codes
        for effect in self.effects.values():
            effect(frame)
        self._show(frame)

    def _show(self, frame: Frame) -> None:
        store, rows = self._store, self._rows
        value = np.where(self._whole, np.clip(np.rint(frame.value), self._low, self._high), frame.value)
        keep = frame.held | (self._whole & np.isnan(value))
        value = np.where(keep, frame.before, value)
        for column in self._texts:
            source = rows[column] if keep[column] else self._true[column]
            store.show(int(rows[column]), store.read(int(source)), int(frame.status[column]))
            value[column] = store.value[rows[column]]
        old, codes = store.value[rows], store.status[rows]
        moved = ~((old == value) | (np.isnan(old) & np.isnan(value))) | (codes != frame.status) | frame.fresh
        since = store.source_time[rows]
        self._base = np.where(since == self._told, self._base, since)  # a client has written meanwhile
        self._base = np.where(moved & ~frame.frozen, frame.now_ns, self._base)
        self._told = self._base + frame.late_ns
        store.value[rows], store.status[rows], store.source_time[rows] = value, frame.status, self._told
