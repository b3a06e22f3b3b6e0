"""A request PDU read: what it wants to touch, and whether it is well formed.

Section numbers are those of the Modbus Application Protocol V1.1b3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Literal

from labsim.plant.register_spec import Table

TABLE_OF: dict[int, Table] = {
    1: "coil", 5: "coil", 15: "coil", 2: "discrete", 4: "input",
    3: "holding", 6: "holding", 16: "holding", 22: "holding", 23: "holding",
}  # fmt: skip
"""The table each data function works on."""

_TWO = struct.Struct(">HH")
_READ_WRITE = struct.Struct(">HHHHB")
_FILE = struct.Struct(">BHHH")
_FILE_ROOM = 0xF5  # bytes of the sub-responses of function 20
_READ_BITS, _READ_REGISTERS, _WRITE_BITS, _WRITE_REGISTERS, _READ_WRITE_REGISTERS = 2000, 125, 1968, 123, 121


@dataclass(slots=True)
class Access:
    """One run of registers or bits that a request reads or writes; ``address`` or ``count`` is -1 where the PDU ends before it.

    Attributes:
        data: The bytes to write, or the bytes read once they are: registers big-endian, bits from the least significant.
        file: The file number of functions 20 and 21, whose records are the addresses.
        idle: Tags among them that the write left as they were, because their register waits for an edge.
        wear: New write counts by tag, of registers that wear.
        tags: Paths of the tags wholly inside, with their ``values``, once they are known.
    """

    kind: Literal["read", "write"]
    table: Table | Literal["file", "fifo"]
    address: int
    count: int
    data: bytes = b""
    tags: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    file: int = 0
    idle: list[str] = field(default_factory=list)
    wear: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Request:
    """A request PDU of a data function, or of any other (without ``accesses``).

    Attributes:
        function: The function code.
        accesses: In the order they are carried out: function 23 writes, then reads (§6.17).
        well_formed: Lengths, counts and fixed values are as the standard and the device's limit say; else exception 03.
        masks: AND and OR mask of function 22.
        reference: Reference types, file and record numbers of functions 20 and 21 are possible ones; else exception 02.
    """

    function: int
    accesses: tuple[Access, ...] = ()
    well_formed: bool = True
    masks: tuple[int, int] = (0xFFFF, 0)
    reference: bool = True


def parse(pdu: bytes, limit: int = _READ_REGISTERS, bits: int = _READ_BITS) -> Request:
    """Read a request PDU of at least one byte; never raises on what is in it.

    Args:
        pdu: Function code and data.
        limit: The most registers the device takes or gives in one request, if fewer than the standard's.
        bits: The same for coils and discrete inputs.
    """
    function, size = pdu[0], len(pdu)
    table = TABLE_OF.get(function)
    if table is None:
        return _FURTHER[function](pdu) if function in _FURTHER else Request(function)
    address, second = (
        _TWO.unpack_from(pdu, 1) if size >= 5 else (int.from_bytes(pdu[1:3], "big") if size > 2 else -1, -1)
    )
    match function:
        case 1 | 2 | 3 | 4:  # §6.1 to §6.4
            most = min(_READ_BITS, bits) if function < 3 else min(_READ_REGISTERS, limit)
            return Request(function, (Access("read", table, address, second),), size == 5 and 1 <= second <= most)
        case 5:  # §6.5: FF00 is on, 0000 is off, all else is illegal
            access = Access("write", table, address, 1, b"\1" if second == 0xFF00 else b"\0")
            return Request(function, (access,), size == 5 and second in (0, 0xFF00))
        case 6:  # §6.6
            return Request(function, (Access("write", table, address, 1, pdu[3:5]),), size == 5)
        case 15 | 16:  # §6.11, §6.12
            data = pdu[6:]
            most = min(_WRITE_BITS, bits) if function == 15 else min(_WRITE_REGISTERS, limit)
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


def _read_files(pdu: bytes) -> Request:
    """Function 20, §6.14: sub-requests of reference type, file, record and length, seven bytes each."""
    body = pdu[2:]
    good = len(pdu) > 1 and pdu[1] == len(body) and 7 <= len(body) <= 0xF5 and len(body) % 7 == 0
    if not good:
        return Request(20, (Access("read", "file", -1, -1),), well_formed=False)
    groups = [_FILE.unpack_from(body, at) for at in range(0, len(body), 7)]
    accesses = tuple(Access("read", "file", record, length, file=file) for _, file, record, length in groups)
    room = sum(2 + 2 * length for *_, length in groups) <= _FILE_ROOM
    return Request(20, accesses, room and all(length for *_, length in groups), reference=_reference(groups))


def _write_files(pdu: bytes) -> Request:
    """Function 21, §6.15: the same, each followed by its data."""
    body, at = pdu[2:], 0
    groups, accesses = [], []
    good = len(pdu) > 1 and pdu[1] == len(body) and 9 <= len(body) <= 0xFB
    while good and at < len(body):
        good = at + 7 <= len(body)
        if good:
            group = _FILE.unpack_from(body, at)
            data = body[at + 7 : at + 7 + 2 * group[3]]
            good = len(data) == 2 * group[3] > 0
            groups.append(group)
            accesses.append(Access("write", "file", group[2], group[3], data, file=group[1]))
            at += 7 + len(data)
    if not good:
        return Request(21, tuple(accesses) or (Access("write", "file", -1, -1),), well_formed=False)
    return Request(21, tuple(accesses), reference=_reference(groups))


def _reference(groups: list[tuple[int, int, int, int]]) -> bool:
    """Whether reference types are 6, and records in a file are 0 to 9999."""
    return all(kind == 6 and file and record + length <= 10000 for kind, file, record, length in groups)


def _read_queue(pdu: bytes) -> Request:
    """Function 24, §6.18: the pointer's address alone."""
    address = int.from_bytes(pdu[1:3], "big") if len(pdu) > 2 else -1
    return Request(24, (Access("read", "fifo", address, -1),), len(pdu) == 3)


_FURTHER = {20: _read_files, 21: _write_files, 24: _read_queue}
