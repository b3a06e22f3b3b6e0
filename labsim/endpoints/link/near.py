"""The transport of a connection behind a link, as the endpoint's protocol sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labsim.endpoints.link.line import Line

_DIRECT = (
    "write", "close", "abort", "is_closing", "pause_reading", "resume_reading", "is_reading", "get_write_buffer_size",
)  # fmt: skip


class Near(asyncio.Transport):
    """The transport as the endpoint's protocol sees it: one object for the whole life of the connection.

    The methods of ``_DIRECT`` are the socket transport's own while the link is good, and the line's while it is not.
    """

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self.go_through(line)

    def go_direct(self, far: asyncio.Transport) -> None:
        """Be the socket's transport."""
        for name in _DIRECT:
            setattr(self, name, getattr(far, name))

    def go_through(self, line: Line) -> None:
        """Be the line."""
        for name in _DIRECT:
            setattr(self, name, getattr(line, name))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio; the peer is the real one."""
        return self._line.far.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio."""
        self._line.exchange(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio."""
        return self._line.protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio."""
        self._line.far.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """See asyncio."""
        return self._line.far.get_write_buffer_limits()

    def can_write_eof(self) -> bool:
        """No endpoint half-closes its side."""
        return False
