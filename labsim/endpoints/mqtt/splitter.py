"""A stream of MQTT cut into control packets, for whoever only looks on."""

from __future__ import annotations

from collections.abc import Iterator

from labsim.endpoints.mqtt.decode import frame

_LARGEST = 16 << 20
"""A packet beyond this is too large to look at."""
_ANY = 1 << 29


class Splitter:
    """Cuts a stream into packets, keeping no byte of those that nobody asked for.

    Args:
        wanted: Packet types that are given out; None for all.
    """

    def __init__(self, wanted: frozenset[int] | None = None) -> None:
        self._wanted = wanted
        self._rest = b""
        self._parts: list[bytes] = []
        self._need = 0  # bytes that the packet at hand still lacks
        self._skip = 0  # bytes of an unwanted packet still to come

    def split(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """First byte and body of each packet that is complete now.

        Raises:
            ProtocolViolation: what comes is no packet, or too large a one.
        """
        if self._need:
            self._parts.append(data)
            self._need -= len(data)
            if self._need > 0:
                return
            data, self._need = b"".join(self._parts), 0
            self._parts.clear()
        elif self._rest:
            data, self._rest = self._rest + data, b""
        at = min(self._skip, len(data))
        self._skip -= at
        while at < len(data):
            wanted = self._wanted is None or data[at] >> 4 in self._wanted
            found = frame(data, at, _LARGEST if wanted else _ANY)
            if found is None:
                self._rest = data[at:]
                return
            start, end = found
            if end > len(data):
                if wanted:
                    self._parts, self._need = [data[at:]], end - len(data)
                else:
                    self._skip = end - len(data)
                return
            if wanted:
                yield data[at], data[start:end]
            at = end
