"""The history as it is asked: what a tag was at a time, over a span, on the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labsim.errors import InputError, UnknownNameError
from labsim.evidence.history_file import RECORD, STEP_NS, last_step, read_records, read_texts, record_files
from labsim.evidence.manifest import TagInfo

_BAD = 0x8000_0000  # severity bits of a StatusCode: OPC 10000-4 §7.38

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one tag over a span.

    Attributes:
        times_ns: int64 simulated nanoseconds from which each value is in force.
        values: float64; of a text tag, an object array of str.
        statuses: uint32 StatusCodes.
    """

    times_ns: NDArray[np.int64]
    values: NDArray[Any]
    statuses: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.times_ns)


@dataclass(frozen=True, slots=True)
class _All:
    """All records of a history, in the order of time."""

    records: NDArray[np.void]
    rows: NDArray[np.uint16]  # whose each of them is, side by side: looked through for each tag that is asked for
    texts: list[str]


@dataclass(frozen=True, slots=True)
class _Column:
    """The records of one tag, in the order of time."""

    times_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    statuses: NDArray[np.uint32]


class History:
    """Everything that was recorded, over all epochs. Read when first asked.

    Args:
        folder: The attempt folder.
        tags: Tags by path.
    """

    def __init__(self, folder: Path, tags: Mapping[str, TagInfo]) -> None:
        self._folder, self._tags = folder, tags
        self._columns: dict[int, _Column] = {}

    def value_at(self, path: str, t_ns: int) -> tuple[Value, int] | None:
        """Value (in the tag's own type) and status in force at ``t_ns``; None when nothing was recorded by then.

        Raises:
            UnknownNameError: there is no such tag.
        """
        tag, column = self._column(path)
        at = int(np.searchsorted(column.times_ns, t_ns, side="right")) - 1
        if at < 0:
            return None
        return self._in_type(tag, float(column.values[at])), int(column.statuses[at])

    def series(self, path: str, t0_ns: int, t1_ns: int) -> Series:
        """The value in force at ``t0_ns`` (at time ``t0_ns``), then every record up to and with ``t1_ns``.

        Raises:
            UnknownNameError: there is no such tag.
        """
        tag, column = self._column(path)
        before, end = np.searchsorted(column.times_ns, (t0_ns, max(t0_ns, t1_ns)), side="right")
        part = slice(max(int(before) - 1, 0), int(end))
        values: NDArray[Any] = column.values[part]
        if tag.type == "text":
            values = np.array([self._all.texts[int(line)] for line in values], dtype=object)
        elif tag.type == "f32":
            values = values.astype(np.float32).astype(np.float64)
        return Series(np.maximum(column.times_ns[part], t0_ns), values, column.statuses[part])

    def mean(self, path: str, t0_ns: int, t1_ns: int) -> float | None:
        """The time-weighted mean over a span, each value weighing as long as it was in force; over no time, the value.

        Time in which the status was Bad, or nothing was recorded yet, does not count; None when no time counts.

        Raises:
            UnknownNameError: there is no such tag.
            InputError: it is a text.
        """
        if self._tag(path).type == "text":
            raise InputError(f"{path} is a text and has no mean: name a tag with a number.")
        series = self.series(path, t0_ns, t1_ns)
        good = (series.statuses & _BAD) == 0
        if not good.any():
            return None
        if t0_ns >= t1_ns:
            return float(series.values[0])
        weights = np.diff(series.times_ns, append=t1_ns)[good]
        # Divided before it is multiplied: nanoseconds times large values would lose digits.
        return float(np.dot(weights / weights.sum(), series.values[good])) if weights.any() else None

    @property
    def last_step(self) -> int:
        """The step of the last record, -1 when there is none."""
        return last_step(self._folder)

    def _tag(self, path: str) -> TagInfo:
        tag = self._tags.get(path)
        if tag is None:
            raise UnknownNameError("tag", path, self._tags)
        return tag

    def _column(self, path: str) -> tuple[TagInfo, _Column]:
        """A tag and its records, which are taken out of all of them when they are first asked for."""
        tag = self._tag(path)
        found = self._columns.get(tag.row)
        if found is None:
            records, places = self._all.records, np.flatnonzero(self._all.rows == tag.row)
            found = self._columns[tag.row] = _Column(
                times_ns=records["step"][places].astype(np.int64) * STEP_NS,
                values=records["value"][places],
                statuses=records["status"][places],
            )
            for column in (found.times_ns, found.values, found.statuses):
                column.flags.writeable = False  # a Series shows parts of them: one check must not change another's
        return tag, found

    def _in_type(self, tag: TagInfo, number: float) -> Value:
        if tag.type == "text":
            return self._all.texts[int(number)]
        if tag.type[0] == "f":
            return float(np.float32(number)) if tag.type == "f32" else number
        return bool(number) if tag.type == "bool" else int(number)

    @cached_property
    def _all(self) -> _All:
        text_rows = [tag.row for tag in self._tags.values() if tag.type == "text"]
        parts: list[NDArray[np.void]] = [np.empty(0, RECORD)]
        texts: list[str] = []
        for path in record_files(self._folder):
            records, lines = read_records(path), read_texts(path.with_suffix(".text"))
            is_text = np.isin(records["tag"], text_rows) if text_rows else np.zeros(0, bool)
            if is_text.any():
                records = records.copy()
                # After a power cut a record may stand without its text: then it was not kept.
                kept = ~is_text | (records["value"] < len(lines))
                records["value"][is_text] += len(texts)
                records = records[kept]
            parts.append(records)
            texts += lines
        records = np.concatenate(parts) if len(parts) > 2 else parts[-1]
        parts.clear()
        return _All(records, records["tag"].copy(), texts)
