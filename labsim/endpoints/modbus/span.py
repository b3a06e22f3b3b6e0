"""What one request covers: a run of registers or bits without a hole, with everything a read needs worked out beforehand.

Clients ask for the same runs again and again, so a span is made once per map and kept. It holds no values: `read` takes them
from the tag store at that moment.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from labsim.endpoints.modbus.coding import Raw
from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.endpoints.modbus.register import Register
from labsim.plant.tags import TagStore, Value

_Step = tuple[
    int, Callable[[Value], Raw] | None, Raw | None, Raw | None
]  # row or -1, presenter, invalid mark, constant


class Span:
    """A run of registers (or bits) of one table.

    Args:
        store: Where the values are.
        registers: What covers the run, in order.
        address: First wire address.
        count: Length in registers or bits.

    Attributes:
        tags: Paths of the tags whose registers lie wholly inside.
        cut: The run begins or ends inside a value.
        readable: A read of the run is not refused for cutting a value that must be read whole.
    """

    def __init__(self, store: TagStore, registers: list[Register], address: int, count: int) -> None:
        self._store, self._registers, self._count = store, registers, count
        first, last = registers[0].entry, registers[-1].entry
        start, end = first.address, last.address + last.size
        head, tail = start < address, end > address + count
        self.cut = head or tail
        self.readable = not ((head and first.whole) or (tail and last.whole))
        self._bits = first.type == "bool"
        self.tags = [r.tag.path for r in registers[head : len(registers) - tail] if r.tag is not None]
        # a read takes the values of all tags in the run; the ones wholly inside are a slice of them
        skipped = int(head and registers[0].tag is not None)
        self._values = slice(skipped, skipped + len(self.tags))
        self._steps: list[_Step] = [_step(register) for register in registers]
        if not self._bits:
            self._struct = struct.Struct(">" + "".join(r.coding.format for r in registers))
            places = [2 * (r.entry.address - start) + i for r in registers for i in r.coding.layout]
            cut = slice(2 * (address - start), 2 * (address - start + count))
            self._cut = cut if self.cut else None
            self._order = None if places == sorted(places) else _pick(places[cut])

    def read(self) -> tuple[bytes, list[Value]]:
        """The bytes of the run (bits packed from the least significant), and the values of `tags`.

        The values are the store's own, before scaling and whatever the register shows while they are invalid.
        """
        read, state = self._store.read, self._store.status
        raws: list[Raw] = []
        values: list[Value] = []
        for row, present, invalid, constant in self._steps:
            if row < 0:
                raws.append(constant)  # type: ignore[arg-type]  # a step without a row has one
                continue
            value = read(row)
            values.append(value)
            if invalid is not None and state[row] >> 31:  # severity Bad (OPC 10000-4 §7.39)
                raws.append(invalid)
            else:
                raws.append(value if present is None else present(value))  # type: ignore[arg-type]  # texts have one
        return (_packed(raws) if self._bits else self._bytes(raws)), values[self._values]

    def _bytes(self, raws: list[Raw]) -> bytes:
        packed = self._struct.pack(*raws)
        if self._order is not None:
            return bytes(self._order(packed))
        return packed if self._cut is None else packed[self._cut]

    @property
    def writable(self) -> bool:
        """Whether every register of the run may be written."""
        return all(register.entry.access == "rw" for register in self._registers)

    def decode(self, data: bytes) -> list[tuple[int, Value]]:
        """What ``data`` means, as (row, value) for every tag of the run.

        Raises:
            ModbusError: 03, it cuts a value in half or holds what no tag can.
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
            (r.tag.row, bool(raw) if self._bits else r.coding.value(raw, r.tag.type))
            for r, raw in zip(self._registers, raws, strict=True)
            if r.tag is not None
        ]


def _step(register: Register) -> _Step:
    if register.tag is None:
        return -1, None, None, register.constant
    coding = register.coding
    bit = register.entry.type == "bool"
    present = None if bit or coding.plain(register.tag.type) else coding.present
    invalid = None if bit or register.entry.invalid == "last" else coding.invalid
    return register.tag.row, present, invalid, None


def _pick(places: Sequence[int]) -> Callable[[bytes], Any]:
    return itemgetter(*places)


def _packed(bits: list[Raw]) -> bytes:
    number = int("".join("1" if bit else "0" for bit in reversed(bits)), 2)
    return number.to_bytes((len(bits) + 7) // 8, "little")
