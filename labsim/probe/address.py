"""Which register is meant: an address on the wire, or the number that a manual prints.

On the wire every table counts from 0 (Modbus Application Protocol V1.1b3 §4.4). Manuals count from 1, and many put the table
before the number: 40001 is the first holding register, 30001 the first input register, 10001 the first discrete input; with
six digits 400001.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from labsim.errors import InputError

Table = Literal["holding", "input", "coil", "discrete"]
TABLES: tuple[Table, ...] = get_args(Table)
_PREFIX: dict[str, Table] = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
HIGHEST = 0xFFFF


@dataclass(frozen=True, slots=True)
class Address:
    """A register or bit on the wire."""

    table: Table
    number: int

    def __str__(self) -> str:
        return f"{self.table} {self.number}"

    def after(self, steps: int) -> Address:
        """The one so many further on."""
        return Address(self.table, self.number + steps)


def parse_address(text: str, table: str | None, *, numbered: bool) -> Address:
    """An address from what was typed.

    Args:
        text: A decimal number, or hexadecimal with ``0x``.
        table: The table, if it was named; holding registers otherwise.
        numbered: It is a manual's number: counted from 1, and of five or six digits with the table before it, unless another
            table was named.

    Raises:
        InputError: no number, no such table, or outside the table.
    """
    named: Table | None = next((known for known in TABLES if known == table), None)
    if table is not None and named is None:
        raise InputError(f"there is no table {table!r}. Choose one of: {', '.join(TABLES)}.")
    digits = text.strip()
    try:
        number = int(digits, 16 if digits.lower().startswith("0x") else 10)
    except ValueError:
        raise InputError(f"{text!r} is not an address. Write a number such as 3027 or 0xBD3.") from None
    if numbered:
        prefixed = _PREFIX.get(digits[:1]) if digits.isdigit() and len(digits) in (5, 6) else None
        if prefixed is not None and named in (None, prefixed) and int(digits[1:]) > 0:
            named, number = prefixed, int(digits[1:])
        number -= 1
    if not 0 <= number <= HIGHEST:
        counted = "1 to 65536" if numbered else "0 to 65535"
        raise InputError(f"{text!r} is outside the table: {'a number' if numbered else 'an address'} is {counted}.")
    return Address(named or "holding", number)
