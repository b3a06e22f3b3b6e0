"""A value as the bytes of its registers and back: types, scale, saturation, word order, text.

A register is big-endian by the standard (Modbus Application Protocol V1.1b3 §4.2). How a value of several registers is laid
over them is not: families differ in word and byte order, here named by where the bytes A (most significant) to D of a 32-bit
value go. 230.5 V as f32 is 43 66 80 00 in ABCD, 80 00 43 66 in CDAB, 66 43 00 80 in BADC, 00 80 66 43 in DCBA.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cache

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.plant.register_spec import RegisterType, WordOrder
from labsim.plant.tags import INTEGER_RANGE, TagType, Value

Raw = int | float | bytes
"""What `struct` packs into the registers of one value."""

_FORMAT = {"i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f", "f64": "d"}
_F32_MAX = 3.4028234663852886e38


@cache
def layout(order: WordOrder, words: int) -> tuple[int, ...]:
    """For every byte on the wire, which byte of the big-endian value it is; its own inverse.

    A single register is never turned round: its byte order is the standard's.
    """
    if words == 1:
        return (0, 1)
    places = list(range(words))
    if order in ("CDAB", "DCBA"):
        places.reverse()
    swapped = order in ("BADC", "DCBA")
    return tuple(
        byte for word in places for byte in ((2 * word + 1, 2 * word) if swapped else (2 * word, 2 * word + 1))
    )


@dataclass(frozen=True, slots=True)
class Coding:
    """How one register of the map codes its tag's value.

    Attributes:
        type: The register's type; ``bool`` is a bit of a coil or discrete-input table.
        words: Length in registers.
        scale: Multiplies the tag's value on the way to the wire; integers are rounded half to even.
        order: Word order of a number of two or more registers; a text has none.
        offset: Added after scaling.
        wrap: An integer that does not fit goes round instead of stopping at the end of its range.
    """

    type: RegisterType
    words: int = 1
    scale: float = 1.0
    order: WordOrder = "ABCD"
    offset: float = 0.0
    wrap: bool = False

    @property
    def format(self) -> str:
        """The `struct` code of the value, to follow ``>``."""
        return f"{2 * self.words}s" if self.type == "text" else _FORMAT[self.type]

    @property
    def layout(self) -> tuple[int, ...]:
        """Bytes on the wire as indexes into the packed value."""
        return layout("ABCD" if self.type == "text" else self.order, self.words)

    @property
    def invalid(self) -> Raw:
        """What stands for "no value": NaN, or for integers the end of the range that instruments reserve (0x8000, 0xFFFF…)."""
        if self.type == "text":
            return b""
        if self.type[0] == "f":
            return math.nan
        low, high = INTEGER_RANGE[self.type]
        return low or high

    def plain(self, tag: TagType) -> bool:
        """Whether every value of a tag of that type can be packed as it is."""
        return self.scale == 1 and self.offset == 0 and (self.type == "f64" or self.type == tag == "f32")

    def present(self, value: Value) -> Raw:
        """The raw number (or padded UTF-8) that shows ``value``; whatever the value, it can be packed."""
        if isinstance(value, str):
            return _padded(value, 2 * self.words)
        number = value if self.scale == 1 else value * self.scale
        number = number + self.offset if self.offset else number
        if self.type == "f32":
            return number if not abs(number) > _F32_MAX else math.copysign(math.inf, number)
        if self.type == "f64":
            return number
        if number != number:
            return self.invalid
        low, high = INTEGER_RANGE[self.type]
        if self.wrap and not low <= number <= high and math.isfinite(number):
            return (round(number) - low) % (high - low + 1) + low
        return low if number <= low else high if number >= high else round(number)

    def value(self, raw: Raw, tag: TagType) -> Value:
        """The tag value that a client means by ``raw``.

        Raises:
            ModbusError: 03, no tag can hold it (NaN, infinity, bytes that are no text).
        """
        if isinstance(raw, bytes):
            try:
                return raw.rstrip(b"\0").decode("utf-8")
            except UnicodeDecodeError:
                raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE) from None
        if not math.isfinite(raw):
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE)
        number = raw - self.offset if self.offset else raw
        number = number if self.scale == 1 else number / self.scale
        if tag[0] == "f":
            return float(number)
        whole = round(number)
        if not math.isclose(number, whole, rel_tol=1e-9, abs_tol=1e-9):
            return number  # the store says that a whole number is wanted
        return bool(whole) if tag == "bool" and whole in (0, 1) else whole

    def encode(self, value: Value) -> bytes:
        """The bytes of the registers that show ``value``."""
        packed = struct.pack(">" + self.format, self.present(value))
        return bytes(packed[i] for i in self.layout)

    def decode(self, data: bytes, tag: TagType = "f64") -> Value:
        """The value, as a tag of that type holds it, in ``data`` (two bytes per register); see `value` for what it raises."""
        (raw,) = struct.unpack(">" + self.format, bytes(data[i] for i in self.layout))
        return self.value(raw, tag)


def _padded(text: str, size: int) -> bytes:
    """UTF-8 of ``text`` cut to ``size`` bytes between characters, filled up with NUL."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore").encode("utf-8").ljust(size, b"\0")
