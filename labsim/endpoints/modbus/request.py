"""A request PDU read: what it wants to touch, and whether it is well formed.

Section numbers are those of the Modbus Application Protocol V1.1b3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Literal

from labsim.plant.interface import Table

TABLE_OF: dict[int, Table] = {
    1: "coil", 5: "coil", 15: "coil", 2: "discrete", 4: "input",
    3: "holding", 6: "holding", 16: "holding", 22: "holding", 23: "holding",
}  # fmt: skip
"""The table each data function works on."""

_TWO = struct.Struct(">HH")
_READ_WRITE = struct.Struct(">HHHHB")
_READ_BITS, _READ_REGISTERS, _WRITE_BITS, _WRITE_REGISTERS, _READ_WRITE_REGISTERS = 2000, 125, 1968, 123, 121


@dataclass(slots=True)
class Access:
    """One run of registers or bits that a request reads or writes; ``address`` or ``count`` is -1 where the PDU ends before it.

    Attributes:
        data: The bytes to write, or the bytes read once they are: registers big-endian, bits from the least significant.
        tags: Paths of the tags wholly inside, with their ``values``, once they are known.
    """

    kind: Literal["read", "write"]
    table: Table
    address: int
    count: int
    data: bytes = b""
    tags: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Request:
    """A request PDU of a data function, or of any other (without ``accesses``).

    Attributes:
        function: The function code.
        accesses: In the order they are carried out: function 23 writes, then reads (§6.17).
        well_formed: Lengths, counts and fixed values are as the standard and the device's limit say; else exception 03.
        masks: AND and OR mask of function 22.
    """

    function: int
    accesses: tuple[Access, ...] = ()
    well_formed: bool = True
    masks: tuple[int, int] = (0xFFFF, 0)


def parse(pdu: bytes, limit: int = _READ_REGISTERS) -> Request:
    """Read a request PDU of at least one byte; never raises on what is in it.

    Args:
        pdu: Function code and data.
        limit: The most registers the device takes or gives in one request, if fewer than the standard's.
    """
    function, size = pdu[0], len(pdu)
    table = TABLE_OF.get(function)
    if table is None:
        return Request(function)
    address, second = (
        _TWO.unpack_from(pdu, 1) if size >= 5 else (int.from_bytes(pdu[1:3], "big") if size > 2 else -1, -1)
    )
    match function:
        case 1 | 2 | 3 | 4:  # §6.1 to §6.4
            most = _READ_BITS if function < 3 else min(_READ_REGISTERS, limit)
            return Request(function, (Access("read", table, address, second),), size == 5 and 1 <= second <= most)
        case 5:  # §6.5: FF00 is on, 0000 is off, all else is illegal
            access = Access("write", table, address, 1, b"\1" if second == 0xFF00 else b"\0")
            return Request(function, (access,), size == 5 and second in (0, 0xFF00))
        case 6:  # §6.6
            return Request(function, (Access("write", table, address, 1, pdu[3:5]),), size == 5)
        case 15 | 16:  # §6.11, §6.12
            data = pdu[6:]
            most = _WRITE_BITS if function == 15 else min(_WRITE_REGISTERS, limit)
            needed = (second + 7) // 8 if function == 15 else 2 * second
            good = size > 6 and 1 <= second <= most and pdu[5] == needed == len(data)
            return Request(function, (Access("write", table, address, second, data),), good)
        case 22:  # §6.16
            masks = (second, int.from_bytes(pdu[5:7], "big"))
            return Request(function, (Access("write", table, address, 1),), size == 7, masks)
        case _:  # 23, §6.17
            read = Access("read", table, address, second)
            if size < 10:
                return Request(function, (Access("write", table, -1, -1), read), well_formed=False)
            _, _, start, count, length = _READ_WRITE.unpack_from(pdu, 1)
            data = pdu[10:]
            good = 1 <= second <= min(_READ_REGISTERS, limit) and 1 <= count <= min(_READ_WRITE_REGISTERS, limit)
            good = good and length == 2 * count == len(data)
            return Request(function, (Access("write", table, start, count, data), read), good)
