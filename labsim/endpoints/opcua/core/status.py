"""Status codes as the core uses them: the exception that carries one, and their names (OPC 10000-4 §7.38)."""

from __future__ import annotations

from asyncua import ua
from asyncua.ua.status_codes import get_name_and_doc

S = ua.StatusCodes
GOOD = 0
OVERFLOW = 0x480
"""InfoType DataValue and the Overflow bit (OPC 10000-4 §7.38.1)."""


class Bad(Exception):  # noqa: N818 - it is a result, not an error of ours
    """A service or operation result that is not Good."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code, self.reason = int(code), reason


def name_of(code: int) -> str:
    """``BadNodeIdUnknown`` for a code; info bits are left out."""
    return str(get_name_and_doc(code & 0xFFFF0000)[0]) if code else "Good"


def is_bad(code: int) -> bool:
    """Whether the severity bits say Bad."""
    return code >> 31 == 1
