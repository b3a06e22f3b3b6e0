"""Fields of a packet: read off its front, judged, and written (§1.5 of both versions)."""

from __future__ import annotations

from labsim.endpoints.mqtt.packet import ProtocolViolation


class Reader:
    """Takes fields off the front of a packet's body.

    Raises:
        ProtocolViolation: from every method, when the field is not there or not allowed.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count > self.left:
            raise ProtocolViolation("the packet ends inside a field")
        self._at += count
        return self._data[self._at - count : self._at]

    def part(self, count: int) -> Reader:
        """A reader of the next bytes alone."""
        if count > self.left:
            raise ProtocolViolation("the packet ends inside a field")
        self._at += count
        return Reader(self._data, self._at - count, self._at)

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def word(self) -> int:
        """A two byte integer."""
        return int.from_bytes(self.take(2), "big")

    def length(self) -> int:
        """A variable byte integer in its shortest form [MQTT-1.5.5-1]."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if not byte and shift:
                    raise ProtocolViolation("a variable byte integer that is longer than it need be")
                return value
        raise ProtocolViolation("a variable byte integer of more than four bytes")

    def mid(self) -> int:
        """A packet identifier, which is never 0 [MQTT-2.3.1-1; MQTT-2.2.1-3 in version 5]."""
        mid = self.word()
        if not mid:
            raise ProtocolViolation("packet identifier 0")
        return mid

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.word())

    def text(self, what: str) -> str:
        """A UTF-8 string [MQTT-1.5.3-1, -2, -3; MQTT-1.5.4-1, -2, -3 in version 5]."""
        raw = self.binary()
        try:
            text = raw.decode()  # strict: refuses surrogates and overlong forms, keeps a BOM
        except UnicodeDecodeError:
            raise ProtocolViolation(f"the {what} is not UTF-8") from None
        if "\0" in text:
            raise ProtocolViolation(f"U+0000 in the {what}")
        return text


def encode_string(text: str) -> bytes:
    """A UTF-8 string with its length before it (§1.5.3)."""
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def encode_length(length: int) -> bytes:
    """A variable byte integer (§2.2.3; §1.5.5 in version 5)."""
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)
