"""RTU frames: a byte stream cut into requests by their checksum, and responses put into frames.

A frame is unit id, PDU and CRC-16, low byte first (Modbus over Serial Line V1.02 §2.5.1). It has no length of its own: that
follows from the function code. On a wire a silence of 3.5 characters ends a frame; a TCP stream has no silence, so bytes that
are no frame are skipped one by one until one begins.
"""

from __future__ import annotations

from labsim.endpoints.modbus.frame import Frame

_SHORTEST, _LONGEST = 4, 256
_SKIPS = 256  # bytes of noise looked at in one go
_FIXED = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7}
_COUNTED = {15: 6, 16: 6, 20: 2, 21: 2, 23: 10}
"""Where in the frame the byte count of a function stands that has one."""


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _table()


def checksum(data: bytes) -> bytes:
    """The two bytes of the CRC as they stand on the wire (§6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


class RtuBuffer:
    """The bytes of one line that are not yet cut into frames.

    Attributes:
        fault: Always empty: a line that carries noise is not hung up on.
        pending: `take` stopped before the end of what it has; call it again.
    """

    fault = ""

    def __init__(self) -> None:
        self._data = b""
        self.pending = False
        self._lost = False  # the stream is not known to stand at the beginning of a frame
        self._noise = 0

    def feed(self, data: bytes) -> None:
        """Append what has arrived."""
        self._data += bytes(data)

    def silence(self) -> None:
        """The line has been silent: what has begun will not be finished."""
        self._noise += len(self._data)
        self._data, self._lost = b"", False

    def heard_noise(self) -> int:
        """Bytes that were no frame since the last call."""
        noise, self._noise = self._noise, 0
        return noise

    def head(self, size: int = 16) -> bytes:
        """The first bytes that are not a frame (yet)."""
        return self._data[:size]

    def take(self, most: int) -> list[Frame]:
        """The next complete frames, at most ``most``. Their transaction id is 0, because they have none."""
        data, at, skips = self._data, 0, 0
        frames: list[Frame] = []
        self.pending = False
        while len(data) - at >= _SHORTEST:
            if len(frames) == most or skips == _SKIPS:
                self.pending = True
                break
            size = _size(data, at)
            if size and at + size <= len(data) and _whole(data, at, size):
                frames.append((0, data[at], data[at + 1 : at + size - 2]))
                at, self._lost = at + size, False
            elif size is None or at + size <= len(data):
                at, self._lost, self._noise, skips = at + 1, True, self._noise + 1, skips + 1
            elif self._lost and (ahead := _ending(data, at + 1)):
                self._noise += ahead - at
                at = ahead
            else:
                break  # it may become a frame
        self._data = data[at:]
        return frames


def _whole(data: bytes, at: int, size: int) -> bool:
    return checksum(data[at : at + size - 2]) == data[at + size - 2 : at + size]


def _size(data: bytes, at: int) -> int | None:
    """Length of the frame that begins at ``at``; more than there is while that is unknown; None when none can begin there."""
    function, there = data[at + 1], len(data) - at
    if function in _FIXED:
        return _FIXED[function]
    if function in _COUNTED:
        place = _COUNTED[function]
        size = place + 1 + data[at + place] + 2 if there > place else there + 1
        return size if size <= _LONGEST else None
    if function == 8:
        # a return of query data may be of any length: the one whose checksum is right, or the usual one
        return _closing(data, at, 8) or 8
    if function >= 0x80:  # no request: an answer of another device, or noise
        return None
    # of a function that nobody knows only the checksum can tell where it ends
    return _closing(data, at, _SHORTEST) or (there + 1 if there < _LONGEST else None)


def _closing(data: bytes, at: int, least: int) -> int | None:
    """The shortest size from ``least`` on whose checksum is right: the CRC over a frame and its own CRC is 0."""
    crc = 0xFFFF
    for size, byte in enumerate(data[at : at + _LONGEST], 1):
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
        if crc == 0 and size >= least:
            return size
    return None


def _ending(data: bytes, first: int) -> int:
    """Where a whole frame of a usual function begins that ends with the data; 0 when there is none."""
    for at in range(first, len(data) - _SHORTEST + 1):
        function = data[at + 1]
        if (
            (function in _FIXED or function in _COUNTED)
            and _size(data, at) == len(data) - at
            and _whole(data, at, len(data) - at)
        ):
            return at
    return 0


def framed(_transaction: int, unit: int, pdu: bytes) -> bytes:
    """A response in its frame."""
    body = bytes((unit,)) + pdu
    return body + checksum(body)
