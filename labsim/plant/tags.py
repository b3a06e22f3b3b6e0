"""The tag store: every value of the plant, once.

What a device holds and what its sensor shows are two values, so a tag between which and the world something stands (a sensor
chain, a fault) has two rows: the tag's own row is what is shown, and a row ``device.tag.true`` is what the device reads and
writes; see `labsim.plant.veil`. Every other tag has one row.

Endpoints are views of these columns, the recorder samples them, devices write them. A value that a client writes is in the
store before the reply leaves; the device reacts in its next step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labsim.errors import UnknownNameError
from labsim.plant import status
from labsim.text import Text
from labsim.units import Unit

TagType = Literal["bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "text"]
Access = Literal["r", "rw"]
Value = bool | int | float | str
INTEGER_RANGE: dict[str, tuple[int, int]] = {
    kind: (
        (-(2 ** (int(kind[1:]) - 1)), 2 ** (int(kind[1:]) - 1) - 1) if kind[0] == "i" else (0, 2 ** int(kind[1:]) - 1)
    )
    for kind in ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64")
}
EXACT = 2**53
"""Whole numbers beyond this are not exact in a float64 column, so no client may write one."""
FLOAT_MAX = {"f32": float(np.finfo(np.float32).max), "f64": float(np.finfo(np.float64).max)}
TRUE = ".true"
"""What the path of a tag's true value ends with, where it stands beside what is shown."""
TEXT_MAX = 1024
"""Characters a client may write into a text tag."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A row of the store: what a value is, not what it is worth.

    ``path`` is ``device.name``; ``low`` and ``high`` are the engineering range (None where there is none); ``labels``
    names the values of an enumeration.
    """

    row: int
    path: str
    device: str
    name: str
    type: TagType
    unit: Unit | None = None
    low: float | None = None
    high: float | None = None
    access: Access = "r"
    title: Text = field(default_factory=Text)
    labels: dict[int, Text] = field(default_factory=dict)

    @property
    def writable(self) -> bool:
        """Whether a client may write it at all."""
        return self.access == "rw"


Guard = Callable[[Tag, Value], int]
"""A device's word on a client's write: a status code, `status.GOOD` to accept."""
Taker = Callable[[Tag, Value], Value]
"""What a client's write that was accepted leaves in the tag."""


class TagStore:
    """Columns over all tags of one plant.

    Attributes:
        value: float64 per tag; bool and integers exact to 2^53; a text tag's column counts its changes.
        status: uint32 OPC UA StatusCode per tag.
        source_time: int64 simulated nanoseconds of the last change of value or status.
        now_ns: the simulated time of the current step; the plant moves it.
        true: row of the true value by the row of what is shown, for every tag that is veiled.
        refusing: what every client's write gets, such as BadInvalidState while the plant is paused; 0 for nothing.
        unreachable: the same by device, for one that does not answer.
    """

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.value: NDArray[np.float64] = np.zeros(0)
        self.status: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self.source_time: NDArray[np.int64] = np.zeros(0, np.int64)
        self.now_ns = 0
        self.true: dict[int, int] = {}
        self._spans: dict[tuple[int, int], NDArray[np.intp] | None] = {}
        self.refusing = status.GOOD
        self.unreachable: dict[str, int] = {}
        self._text: dict[int, str] = {}
        self._rows: dict[str, int] = {}
        self._guards: dict[int, Guard] = {}
        self._takers: dict[int, Taker] = {}
        self._make: list[Callable[[float], Value] | None] = []  # by row: to the tag's own type; None is text
        self._cells()

    def _cells(self) -> None:
        """The columns once more, for one value at a time: an item of a memoryview is had in half the time of an array's."""
        self._values: Any = memoryview(self.value)  # type: ignore[arg-type]
        self._codes: Any = memoryview(self.status)  # type: ignore[arg-type]
        self._times: Any = memoryview(self.source_time)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.tags)

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.tags)

    def __contains__(self, path: str) -> bool:
        return path in self._rows

    def __getitem__(self, path: str) -> Tag:
        """The tag at ``path``; raises UnknownNameError with the nearest spelling."""
        row = self._rows.get(path)
        if row is None:
            raise UnknownNameError("tag", path, self._rows)
        return self.tags[row]

    def add(
        self, tags: list[Tag], initial: list[Value], guard: Guard | None = None, taker: Taker | None = None
    ) -> None:
        """Append the tags of one device; rows must follow on.

        ``guard`` is asked before a client's write takes effect, ``taker`` says what an accepted one leaves in the tag.
        """
        assert [t.row for t in tags] == list(range(len(self), len(self) + len(tags)))
        self.tags += tags
        self._make += [_maker(tag.type) for tag in tags]
        extra = len(tags)
        self.value = np.concatenate((self.value, np.zeros(extra)))
        self.status = np.concatenate((self.status, np.zeros(extra, np.uint32)))
        self.source_time = np.concatenate((self.source_time, np.full(extra, self.now_ns, np.int64)))
        self._cells()
        for tag, first in zip(tags, initial, strict=True):
            self._rows[tag.path] = tag.row
            if guard is not None:
                self._guards[tag.row] = guard
            if taker is not None:
                self._takers[tag.row] = taker
            if tag.type == "text":
                self._text[tag.row] = str(first)
            else:
                self.value[tag.row] = first

    def veil(self, path: str) -> int:
        """Give a tag a row of its own for its true value, which is the present one; the row, also when it has one already."""
        row = self[path].row
        if row not in self.true:
            tag = self.tags[row]
            true = replace(tag, row=len(self), path=f"{tag.path}{TRUE}", name=f"{tag.name}{TRUE}", access="r")
            self.add([true], [self.read(row)])
            self.value[true.row], self.status[true.row] = self.value[row], self.status[row]
            self.source_time[true.row] = self.source_time[row]
            self.true[row] = true.row
            self._spans.clear()
        return self.true[row]

    def truth(self, row: int) -> Value:
        """The value as the device holds it; `read` is what is shown."""
        return self.read(self.true.get(row, row))

    def read(self, row: int) -> Value:
        """The current value in the tag's own type."""
        make = self._make[row]
        if make is None:
            return self._text[row]
        number: Value = make(self._values[row])
        return number

    def set(self, row: int, value: Value, code: int = status.GOOD) -> None:
        """Set a value as the device that owns it. The source time moves only when value or status does."""
        if self.true:
            row = self.true.get(row, row)
        self.show(row, value, code)

    def show(self, row: int, value: Value, code: int = status.GOOD) -> None:
        """Set what is in this very row, also where it is what is shown of a tag with a true value of its own."""
        if isinstance(value, str):
            if self._text[row] == value and self._codes[row] == code:  # a KeyError here: the tag holds no text
                return
            self._text[row] = value
            self.value[row] += 1
        else:
            old = self._values[row]
            if (old == value or (old != old and value != value)) and self._codes[row] == code:
                return
            assert row not in self._text, f"{self.tags[row].path} holds text, not {value!r}"
            self._values[row] = value
        self._codes[row] = code
        self._times[row] = self.now_ns

    def set_span(self, first: int, values: NDArray[np.float64], codes: int | NDArray[np.uint32] = status.GOOD) -> None:
        """Set consecutive number rows at once as `set` does each; ``codes`` is one status for all or one for each."""
        span = slice(first, first + len(values))
        if self.true and (rows := self._held(first, len(values))) is not None:
            old, code = self.value[rows], self.status[rows]
            same = (old == values) | ((old != old) & (values != values))
            moved = ~(same & (code == codes))
            self.value[rows], self.status[rows] = values, codes
            self.source_time[rows[moved]] = self.now_ns
            return
        old, code = self.value[span], self.status[span]
        same = (old == values) | ((old != old) & (values != values))
        moved = ~(same & (code == codes))
        old[:] = values
        code[:] = codes
        self.source_time[span][moved] = self.now_ns

    def _held(self, first: int, count: int) -> NDArray[np.intp] | None:
        """The rows that the device sets of a span; None where nothing lies over one of its tags."""
        if (first, count) not in self._spans:
            rows = np.array([self.true.get(row, row) for row in range(first, first + count)], np.intp)
            self._spans[first, count] = rows if (rows != np.arange(first, first + count)).any() else None
        return self._spans[first, count]

    def write(self, row: int, value: Value) -> int:
        """Write as a client: judged by access, type and range, then by the device's guard; in effect at once when good.

        Returns:
            `status.GOOD`, or BadNotWritable, BadTypeMismatch, BadOutOfRange, or what the guard said.
        """
        return self.write_all(((row, value),))

    def write_all(self, changes: Sequence[tuple[int, Value]]) -> int:
        """Write the (row, value) pairs of one request as a client: all of them, or none when one is refused.

        Every value is judged against the plant as it was before the request.

        Returns:
            `status.GOOD`, or the code of the first that was refused; see `write`. `refusing` and `unreachable` come first.
        """
        for row, value in changes:
            tag = self.tags[row]
            code = self.refusing or self.unreachable.get(tag.device, status.GOOD) or judge(tag, value)
            if code == status.GOOD and row in self._guards:
                code = self._guards[row](tag, value)
            if code != status.GOOD:
                return code
        self.accept(changes)
        return status.GOOD

    def accept(self, changes: Sequence[tuple[int, Value]]) -> None:
        """Let the (row, value) pairs of a client's write that was judged take effect, as `write_all` does.

        A replay does again what was accepted, whatever was refused before.
        """
        for row, value in changes:
            taker = self._takers.get(row)
            taken = value if taker is None else taker(self.tags[row], value)
            self.set(row, taken)
            if row in self.true:  # what a client reads back at once is what it wrote
                self.show(row, taken)


def _single(number: float) -> float:
    return float(np.float32(number))


def _maker(kind: TagType) -> Callable[[float], Value] | None:
    """What makes a value of a type from a number of a column."""
    if kind in INTEGER_RANGE:
        return int
    known: dict[str, Callable[[float], Value] | None] = {"bool": bool, "f32": _single, "f64": float, "text": None}
    return known[kind]


def judge(tag: Tag, value: Value) -> int:
    """Whether a client may write ``value`` to ``tag`` by access, type and range alone; a status code.

    A number must be finite and one that the tag's type holds exactly enough: integers to 2^53, f32 without overflow.
    """
    if not tag.writable:
        return status.BAD_NOT_WRITABLE
    if (tag.type == "text") != isinstance(value, str):
        return status.BAD_TYPE_MISMATCH
    if isinstance(value, str):
        return status.GOOD if len(value) <= TEXT_MAX else status.BAD_OUT_OF_RANGE
    if tag.type == "bool":
        return status.GOOD if value in (0, 1) else status.BAD_TYPE_MISMATCH
    if isinstance(value, float) and not math.isfinite(value):
        return status.BAD_OUT_OF_RANGE
    if tag.type in INTEGER_RANGE:
        low, high = INTEGER_RANGE[tag.type]
        if int(value) != value:
            return status.BAD_TYPE_MISMATCH
        if not max(low, -EXACT) <= value <= min(high, EXACT):
            return status.BAD_OUT_OF_RANGE
    elif abs(value) > FLOAT_MAX[tag.type]:
        return status.BAD_OUT_OF_RANGE
    if tag.low is not None and tag.high is not None and not tag.low <= value <= tag.high:
        return status.BAD_OUT_OF_RANGE
    if tag.labels and value not in tag.labels:
        return status.BAD_OUT_OF_RANGE
    return status.GOOD
