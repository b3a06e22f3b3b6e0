"""Server-sent events, read from bytes as they arrive (HTML Living Standard §9.2.6), without a socket.

Only ``data`` matters to the feed; comments, ids and event names are passed over as the standard says.
"""

from __future__ import annotations

from labsim.errors import ControlError

LIMIT = 4 * 1024 * 1024
"""Bytes of one event; more is not a feed."""


class EventStream:
    """Cuts a byte stream into the ``data`` of its events.

    Lines are cut in bytes, not in text: JSON may hold U+2028 and its like, which end a line of text but not of the stream.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[str] = []
        self._size = 0

    def push(self, chunk: bytes) -> list[str]:
        """Data of the events that ``chunk`` completes, in order.

        Raises:
            ControlError: an event grows beyond `LIMIT`.
        """
        self._buffer += chunk
        held = b""
        if self._buffer.endswith(b"\r"):
            self._buffer, held = self._buffer[:-1], b"\r"  # the other half of CR LF may be in the next chunk
        *lines, self._buffer = self._buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._buffer += held
        done = [data for line in lines if (data := self._line(line)) is not None]
        if self._size + len(self._buffer) > LIMIT:
            raise ControlError("the lab sent an endless event; is this address really a lab?")
        return done

    def _line(self, line: bytes) -> str | None:
        if not line:
            data, self._data, self._size = self._data, [], 0
            return "\n".join(data) if data else None
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
            self._size += len(value)
        return None
