"""What one request covers: a run of registers or bits without a hole, with everything a read needs worked out beforehand.

Clients ask for the same runs again and again, so a span is made once per map and kept. It holds no values: `read` takes them
from the tag store at that moment.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.modbus.coding import Raw
from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.endpoints.modbus.register import Register
from labsim.plant.tags import Tag, TagStore, Value

_Step = tuple[
    int, Callable[[Value], Raw] | None, Raw | None, Raw | None
]  # row or -1, presenter, invalid mark, constant
_BAD = np.uint32(1 << 31)  # severity Bad (OPC 10000-4 §7.38)


class Span:
    """A run of registers (or bits) of one table or file.

    Args:
        store: Where the values are.
        registers: What covers the run, in order.
        address: First wire address.
        count: Length in registers or bits.

    Attributes:
        tags: Paths of the tags whose registers lie wholly inside.
        shown: Those of them that a read shows: the register of a command reads 0, whatever its tag holds.
        cut: The run begins or ends inside a value or a group that is written as one.
        readable: A read of the run is not refused for cutting what must be read as one.
        writable: Every register of the run may be written.
        functions: The function codes that reach every register of the run, None for all.
    """

    def __init__(self, store: TagStore, registers: list[Register], address: int, count: int) -> None:
        self._store, self._registers, self._count = store, registers, count
        first, last = registers[0].entry, registers[-1].entry
        start, end = first.address, last.address + last.size
        head, tail = start < address, end > address + count
        apart = [
            r.entry
            for r in registers
            if r.entry.together and not (address <= r.entry.together[0] and r.entry.together[1] <= address + count)
        ]
        self.cut = head or tail or any(entry.grouped for entry in apart)
        self.readable = not apart
        self.writable = all(register.entry.access == "rw" for register in registers)
        only = [r.entry.functions for r in registers if r.entry.functions is not None]
        self.functions = frozenset.intersection(*only) if only else None
        self._bits = first.type == "bool"
        inside = registers[head : len(registers) - tail]
        self.tags = [r.tag.path for r in inside if r.tag is not None]
        self.shown = [r.tag.path for r in inside if r.tag is not None and _shows(r)]
        # a read takes the values of all tags in the run; the ones wholly inside are a slice of them
        skipped = int(head and _shows(registers[0]))
        self._values = slice(skipped, skipped + len(self.shown))
        self._steps: list[_Step] = [_step(register) for register in registers]
        refusing = [r.tag.row for r in registers if r.tag is not None and _shows(r) and r.entry.invalid == "refuse"]
        self._refusing = np.array(refusing) if refusing else None
        if not self._bits:
            self._struct = struct.Struct(">" + "".join(r.coding.format for r in registers))
            places = [2 * (r.entry.address - start) + i for r in registers for i in r.coding.layout]
            cut = slice(2 * (address - start), 2 * (address - start + count))
            self._cut = cut if head or tail else None
            self._order = None if places == sorted(places) else _pick(places[cut])
            self._floats = _floats(registers)
            self._all = len(self.shown) == len(registers)

    def read(self) -> tuple[bytes, list[Value]]:
        """The bytes of the run (bits packed from the least significant), and the values of `shown`.

        The values are the store's own, before scaling and whatever the register shows while they are invalid.
        """
        if not self._bits and self._floats is not None:
            return self._read_floats(self._floats)
        read, state = self._store.read, self._store.status
        raws: list[Raw] = []
        values: list[Value] = []
        for row, present, invalid, constant in self._steps:
            if row < 0:
                raws.append(constant)  # type: ignore[arg-type]  # a step without a row has one
                continue
            value = read(row)
            values.append(value)
            if invalid is not None and state[row] >> 31:
                raws.append(invalid)
            else:
                raws.append(value if present is None else present(value))  # type: ignore[arg-type]  # texts have one
        return (_packed(raws) if self._bits else self._bytes(raws)), values[self._values]

    def raw(self) -> bytes:
        """The bytes alone."""
        if not self._bits and self._floats is not None and not max(self._store.status[self._floats].tolist()) >> 31:
            return self._arranged(self._struct.pack(*self._store.value[self._floats].tolist()))
        return self.read()[0]

    def _read_floats(self, rows: slice | NDArray[np.intp]) -> tuple[bytes, list[Value]]:
        """The same for f32 registers that show f32 tags as they are: what a meter is asked for most."""
        packed = self._struct.pack(*self._store.value[rows].tolist())
        values: list[Value] = list(self._struct.unpack(packed))
        states = self._store.status[rows].tolist()
        if max(states) >> 31:
            marked = zip(values, states, self._steps, strict=True)
            raws = [math.nan if state >> 31 and step[2] is not None else value for value, state, step in marked]
            packed = self._struct.pack(*raws)
        return self._arranged(packed), values if self._all else values[self._values]

    def _bytes(self, raws: Sequence[Raw]) -> bytes:
        return self._arranged(self._struct.pack(*raws))

    def _arranged(self, packed: bytes) -> bytes:
        """Values packed one after the other as they are on the wire: in their word order, and cut to the run."""
        if self._order is not None:
            return bytes(self._order(packed))
        return packed if self._cut is None else packed[self._cut]

    @property
    def refusal(self) -> int:
        """The status of the first bad value whose register answers with an exception instead; 0 when there is none."""
        if self._refusing is None:
            return 0
        states = self._store.status[self._refusing]
        bad = states[(states & _BAD) != 0]
        return int(bad[0]) if len(bad) else 0

    def decode(self, data: bytes) -> list[tuple[Register, Tag, Value]]:
        """What ``data`` means, for every register of the run that shows a tag. The run must not be `cut`.

        Raises:
            ModbusError: 03, it holds what no tag can.
        """
        if self.cut:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE)
        raws: Iterable[Raw]
        if self._bits:
            raws = [data[i >> 3] >> (i & 7) & 1 for i in range(self._count)]
        else:
            # a word order is its own inverse
            raws = self._struct.unpack(data if self._order is None else bytes(self._order(data)))
        return [
            (r, r.tag, bool(raw) if self._bits else r.coding.value(raw, r.tag.type))
            for r, raw in zip(self._registers, raws, strict=True)
            if r.tag is not None
        ]


def _shows(register: Register) -> bool:
    """Whether a read shows the register's tag."""
    return register.tag is not None and register.entry.effect != "command"


def _step(register: Register) -> _Step:
    coding = register.coding
    bit = register.entry.type == "bool"
    if register.tag is None:
        return -1, None, None, register.constant
    if not _shows(register):
        return -1, None, None, b"" if coding.type == "text" else 0
    present = None if bit or coding.plain(register.tag.type) else coding.present
    mark = register.entry.invalid
    invalid: Raw | None = None
    if not bit and mark not in ("last", "refuse"):
        invalid = coding.invalid if isinstance(mark, str) else mark
    return register.tag.row, present, invalid, None


def _floats(registers: Sequence[Register]) -> slice | NDArray[np.intp] | None:
    """Rows of the tags (a slice where they follow on one another), when every register shows its tag as it is; else None."""
    rows = [
        r.tag.row
        for r in registers
        if r.tag is not None and r.coding.type == "f32" and _shows(r) and r.coding.plain(r.tag.type)
    ]
    if len(rows) < len(registers):
        return None
    first, end = rows[0], rows[0] + len(rows)
    return slice(first, end) if rows == list(range(first, end)) else np.array(rows, np.intp)


def _pick(places: Sequence[int]) -> Callable[[bytes], Any]:
    return itemgetter(*places)


def _packed(bits: list[Raw]) -> bytes:
    number = int("".join("1" if bit else "0" for bit in reversed(bits)), 2)
    return number.to_bytes((len(bits) + 7) // 8, "little")
