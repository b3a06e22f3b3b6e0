"""What registers mean: values of every usual type in every usual word order, to registers and back.

Word orders are named by where the bytes A (most significant) to D of a 32-bit value go on the wire; values of 64 bits
accordingly. A single register is always big-endian (Modbus Application Protocol V1.1b3 §4.2).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from labsim.errors import InputError

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
_CODES = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "u64": "Q", "i64": "q", "f64": "d"}
TYPES = (*_CODES, "text")
"""Types of registers; a text is as long as the registers it is given."""
Value = int | float | str
_SEEMLY = (1e-6, 1e12)


def words_of(kind: str) -> int:
    """How many registers a value of the type takes; 1 for a text, which takes as many as it is given.

    Raises:
        InputError: no such type.
    """
    if kind not in TYPES:
        raise InputError(f"there is no type {kind!r}. Choose one of: {', '.join(TYPES)}.")
    return 1 if kind == "text" else struct.calcsize(_CODES[kind]) // 2


def decode(words: Sequence[int], kind: str, order: str = "ABCD") -> Value:
    """The value that registers hold.

    Args:
        words: As many registers as the type takes, as they came.
        kind: One of `TYPES`.
        order: One of `ORDERS`.
    """
    data = _arranged(words, order)
    if kind == "text":
        return data.split(b"\0")[0].decode("utf-8", "replace").rstrip()
    value: int | float = struct.unpack(f">{_CODES[kind]}", data)[0]
    return value


def encode(text: str, kind: str, order: str = "ABCD") -> list[int]:
    """The registers that hold a value as a person types it.

    Raises:
        InputError: it is no value of the type.
    """
    size = words_of(kind)
    if kind == "text":
        data = text.encode()
        data += b"\0" * (len(data) % 2)
    else:
        try:
            number = float(text) if kind[0] == "f" else int(text, 0)
            data = struct.pack(f">{_CODES[kind]}", number)
        except (ValueError, OverflowError, struct.error):
            raise InputError(f"{text!r} is no {kind}: {_range(kind, size)}.") from None
    return list(struct.unpack(f">{len(data) // 2}H", _arranged(struct.unpack(f">{len(data) // 2}H", data), order)))


def typed_words(text: str) -> list[int]:
    """Registers from hexadecimal text: ``4366 8000``, ``0x4366,0x8000`` or ``43668000``.

    Raises:
        InputError: it is none, or more than 64.
    """
    joined = text.replace(",", " ").replace("0x", " ").split()
    parts = [joined[0][n : n + 4] for n in range(0, len(joined[0]), 4)] if len(joined) == 1 else joined
    try:
        words = [int(part, 16) for part in parts]
    except ValueError:
        raise InputError(f"{text!r} is not hexadecimal. Write registers as in '4366 8000'.") from None
    if not words or not 0 <= min(words) <= max(words) <= 0xFFFF or len(words) > 64:
        raise InputError("give 1 to 64 registers of at most four hexadecimal digits.")
    return words


def bit(text: str) -> int:
    """A bit as a person types it.

    Raises:
        InputError: it is none.
    """
    bits = {"1": 1, "0": 0, "on": 1, "off": 0, "true": 1, "false": 0}
    if text.lower() not in bits:
        raise InputError(f"{text!r} is not a bit: write on, off, 1 or 0.")
    return bits[text.lower()]


def readings(words: Sequence[int]) -> dict[str, dict[str, Value]]:
    """The first registers as every type they suffice for, each in every order that makes a difference."""
    found: dict[str, dict[str, Value]] = {}
    for kind in TYPES:
        size = len(words) if kind == "text" else words_of(kind)
        if size <= len(words):
            orders = ORDERS[:1] if kind.endswith("16") else ORDERS
            found[kind] = {order: decode(words[:size], kind, order) for order in orders}
    return found


def shown(value: Value) -> str:
    """A value for a person: a float that fits into 32 bits with no more digits than tell it from its neighbours there."""
    if not isinstance(value, float):
        return str(value)
    image = _single(value)
    if image is None or struct.unpack(">f", image)[0] != value:
        return repr(value)
    digits = next(n for n in range(1, 10) if n == 9 or _single(float(f"{value:.{n}g}")) == image)
    return f"{value:.{digits}g}"


def _single(value: float) -> bytes | None:
    """The nearest 32-bit float; None beyond the largest."""
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return None


def is_seemly(value: Value) -> bool:
    """Whether a float is of a size that a measured value has; the others are likely read in a wrong word order."""
    if isinstance(value, float):
        return value == 0 or (math.isfinite(value) and _SEEMLY[0] <= abs(value) < _SEEMLY[1])
    return not isinstance(value, str) or (value.isprintable() and "\ufffd" not in value)


def _arranged(words: Sequence[int], order: str) -> bytes:
    """The bytes of registers in the standard's order; its own inverse."""
    if order not in ORDERS:
        raise InputError(f"there is no word order {order!r}. Choose one of: {', '.join(ORDERS)}.")
    if len(words) == 1:
        return struct.pack(">H", words[0])
    turned = words[::-1] if order in ("CDAB", "DCBA") else words
    return struct.pack(f"{'<' if order in ('BADC', 'DCBA') else '>'}{len(words)}H", *turned)


def _range(kind: str, size: int) -> str:
    if kind[0] == "f":
        return "write a number such as 230.5" + (" below 3.4e38" if kind == "f32" else "")
    low, high = (0, 2 ** (16 * size) - 1) if kind[0] == "u" else (-(2 ** (16 * size - 1)), 2 ** (16 * size - 1) - 1)
    return f"write a whole number from {low} to {high}"
