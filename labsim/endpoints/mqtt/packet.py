"""MQTT 3.1.1 control packets: bytes from a client to typed records, and a server's answers to bytes.

Everything a client may send is judged here as far as one packet alone allows; what depends on the state of the connection is
`connection`'s. Section numbers are those of MQTT Version 3.1.1, OASIS Standard, 29 October 2014.
"""

from __future__ import annotations

from typing import Final

import msgspec

CONNECT: Final = 1
PUBLISH: Final = 3
PUBACK: Final = 4
PUBREC: Final = 5
PUBREL: Final = 6
PUBCOMP: Final = 7
SUBSCRIBE: Final = 8
UNSUBSCRIBE: Final = 10
PINGREQ: Final = 12
DISCONNECT: Final = 14

LEVEL: Final = 4
"""The protocol level of MQTT 3.1.1."""
LEVEL_5: Final = 5

ACCEPTED: Final = 0
BAD_LEVEL: Final = 1
BAD_CLIENT_ID: Final = 2
UNAVAILABLE: Final = 3
BAD_CREDENTIALS: Final = 4
NOT_AUTHORISED: Final = 5
BAD_LEVEL_5: Final = 0x84
"""Reason code "Unsupported Protocol Version" of MQTT 5 (§3.2.2.2 there)."""
SUBSCRIPTION_FAILED: Final = 0x80

PINGRESP: Final = b"\xd0\x00"
_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
_ACK_FLAGS = {PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70}


class ProtocolViolation(Exception):  # noqa: N818 - the standard's own word (§4.8), and no error of ours
    """The peer sent what the protocol forbids; its connection must be closed [MQTT-4.8.0-1]. The text says what."""


class UnsupportedLevel(Exception):  # noqa: N818 - the same
    """A CONNECT of another version of the protocol; ``args[0]`` is its level."""


class Will(msgspec.Struct, frozen=True):
    """The message to publish when the connection ends without a DISCONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Connect(msgspec.Struct, frozen=True):
    """CONNECT (§3.1). ``keepalive`` in seconds, 0 for none; ``user`` and ``password`` are None when not given."""

    client_id: str
    clean: bool
    keepalive: int
    will: Will | None
    user: str | None
    password: bytes | None


class Publish(msgspec.Struct, frozen=True, gc=False):
    """PUBLISH (§3.3). ``mid`` is 0 for QoS 0. The topic is UTF-8 but not yet judged: routing does it once per topic."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


class Ack(msgspec.Struct, frozen=True, gc=False):
    """PUBACK, PUBREC, PUBREL or PUBCOMP (§3.4 to §3.7), by ``kind``."""

    kind: int
    mid: int


class Subscribe(msgspec.Struct, frozen=True):
    """SUBSCRIBE (§3.8): filters with the QoS asked for, in the order of the packet."""

    mid: int
    filters: tuple[tuple[str, int], ...]


class Unsubscribe(msgspec.Struct, frozen=True):
    """UNSUBSCRIBE (§3.10)."""

    mid: int
    filters: tuple[str, ...]


class PingReq(msgspec.Struct, frozen=True):
    """PINGREQ (§3.12)."""


class Disconnect(msgspec.Struct, frozen=True):
    """DISCONNECT (§3.14)."""


Packet = Connect | Publish | Ack | Subscribe | Unsubscribe | PingReq | Disconnect


def frame(data: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """Where the body of the packet that begins at ``at`` starts and ends; None while its fixed header is incomplete.

    The end may lie beyond ``data``: the rest is still to come.

    Raises:
        ProtocolViolation: a remaining length of more than four bytes (§2.2.3), or a packet of more than ``limit`` bytes.
    """
    length, shift, place = 0, 0, at + 1  # nearly always one byte of length
    for byte in data[place : at + 5]:
        place += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            if place + length - at > limit:
                raise ProtocolViolation(f"a packet of {place + length - at} bytes; the limit is {limit}")
            return place, place + length
        shift += 7
    if place == at + 5:
        raise ProtocolViolation("the remaining length takes more than four bytes")
    return None


def parse(header: int, data: bytes, start: int, end: int) -> Packet:
    """The packet whose first byte is ``header`` and whose body is ``data[start:end]``.

    Raises:
        ProtocolViolation: malformed, or of a kind that only a server sends.
        UnsupportedLevel: a CONNECT of another version.
    """
    kind = header >> 4
    if kind == PUBLISH:
        return parse_publish(header, data, start, end)
    if header & 0x0F != _FLAGS.get(kind, 0):
        raise ProtocolViolation(f"reserved flags {header & 0x0F:04b} in packet type {kind}")  # [MQTT-2.2.2-2]
    body = _Reader(data, start, end)
    packet: Packet
    if kind in _ACK_FLAGS:
        packet = Ack(kind, body.mid())
    elif kind == PINGREQ:
        packet = PingReq()
    elif kind == SUBSCRIBE:
        packet = _subscribe(body)
    elif kind == UNSUBSCRIBE:
        packet = _unsubscribe(body)
    elif kind == CONNECT:
        packet = _connect(body)
    elif kind == DISCONNECT:
        packet = Disconnect()
    else:
        raise ProtocolViolation(f"packet type {kind} does not come from a client")
    if body.left:
        raise ProtocolViolation(f"{body.left} bytes too many in packet type {kind}")
    return packet


def parse_publish(header: int, data: bytes, start: int, end: int) -> Publish:
    """A PUBLISH, straight from the buffer because it is nearly all of the traffic; see `parse`."""
    qos = header >> 1 & 3
    if end - start < 2:
        raise ProtocolViolation("a PUBLISH without a topic")
    place = start + 2 + (data[start] << 8 | data[start + 1])
    body = place + 2 if qos else place
    if body > end:
        raise ProtocolViolation("a PUBLISH shorter than its topic says")
    mid = 0
    if qos:
        mid = data[place] << 8 | data[place + 1]
        if qos == 3:
            raise ProtocolViolation("QoS 3")  # [MQTT-3.3.1-4]
        if not mid:
            raise ProtocolViolation("packet identifier 0")  # [MQTT-2.3.1-1]
    elif header & 8:
        raise ProtocolViolation("DUP on QoS 0")  # [MQTT-3.3.1-2]
    try:
        topic = data[start + 2 : place].decode()
    except UnicodeDecodeError:
        raise ProtocolViolation("the topic is not UTF-8") from None  # [MQTT-1.5.3-1]
    return Publish(topic, data[body:end], qos, header & 1 == 1, header & 8 == 8, mid)


class _Reader:
    """Takes fields off the front of a packet's body."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    @property
    def left(self) -> int:
        return self._end - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ProtocolViolation("the packet ends inside a field")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def word(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def mid(self) -> int:
        mid = self.word()
        if not mid:
            raise ProtocolViolation("packet identifier 0")  # [MQTT-2.3.1-1]
        return mid

    def qos(self) -> int:
        qos = self.byte()
        if qos > 2:
            raise ProtocolViolation(f"requested QoS byte {qos}")  # [MQTT-3.8.3-4]
        return qos

    def binary(self) -> bytes:
        return self.take(self.word())

    def text(self, what: str) -> str:
        raw = self.binary()
        try:
            text = raw.decode()  # strict: refuses surrogates and overlong forms, keeps a BOM [MQTT-1.5.3-1, -3]
        except UnicodeDecodeError:
            raise ProtocolViolation(f"the {what} is not UTF-8") from None
        if "\0" in text:
            raise ProtocolViolation(f"U+0000 in the {what}")  # [MQTT-1.5.3-2]
        return text


def _connect(body: _Reader) -> Connect:
    name, level = body.binary(), body.byte()
    if (name, level) != (b"MQTT", LEVEL):
        if name not in (b"MQTT", b"MQIsdp"):
            raise ProtocolViolation("the protocol name is not MQTT")  # [MQTT-3.1.2-1]
        raise UnsupportedLevel(level)
    flags, keepalive = body.byte(), body.word()
    has_will, will_qos, will_retain = flags & 0x04, flags >> 3 & 3, flags & 0x20
    has_password, has_user = flags & 0x40, flags & 0x80
    if flags & 0x01:
        raise ProtocolViolation("the reserved flag of CONNECT is set")  # [MQTT-3.1.2-3]
    if will_qos == 3 or (not has_will and (will_qos or will_retain)):
        raise ProtocolViolation("will flags that contradict each other")  # [MQTT-3.1.2-11, -13, -14, -15]
    if has_password and not has_user:
        raise ProtocolViolation("a password without a user name")  # [MQTT-3.1.2-22]
    client_id = body.text("client identifier")
    will = Will(body.text("will topic"), body.binary(), will_qos, bool(will_retain)) if has_will else None
    user = body.text("user name") if has_user else None
    return Connect(client_id, bool(flags & 0x02), keepalive, will, user, body.binary() if has_password else None)


def _subscribe(body: _Reader) -> Subscribe:
    mid, filters = body.mid(), []
    while body.left:
        filters.append((body.text("topic filter"), body.qos()))
    if not filters:
        raise ProtocolViolation("a SUBSCRIBE without a filter")  # [MQTT-3.8.3-3]
    return Subscribe(mid, tuple(filters))


def _unsubscribe(body: _Reader) -> Unsubscribe:
    mid, filters = body.mid(), []
    while body.left:
        filters.append(body.text("topic filter"))
    if not filters:
        raise ProtocolViolation("an UNSUBSCRIBE without a filter")  # [MQTT-3.10.3-2]
    return Unsubscribe(mid, tuple(filters))


# What the server sends.


def encode_string(text: str) -> bytes:
    """A UTF-8 string with its length before it (§1.5.3)."""
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def encode_length(length: int) -> bytes:
    """A remaining length (§2.2.3)."""
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def encode_connack(code: int, *, present: bool = False) -> bytes:
    """CONNACK (§3.2); ``present`` only with `ACCEPTED` [MQTT-3.2.2-4]."""
    return bytes((0x20, 2, present, code))


def encode_bad_level(level: int) -> tuple[int, bytes]:
    """The code and the CONNACK, in the client's own version of the protocol, that say we do not speak it."""
    if level == LEVEL_5:
        return BAD_LEVEL_5, bytes((0x20, 3, 0, BAD_LEVEL_5, 0))
    return BAD_LEVEL, encode_connack(BAD_LEVEL)


def encode_ack(kind: int, mid: int) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    return bytes((_ACK_FLAGS[kind], 2, mid >> 8, mid & 0xFF))


def encode_publish(
    topic: bytes, payload: bytes, qos: int = 0, mid: int = 0, *, retain: bool = False, dup: bool = False
) -> bytes:
    """PUBLISH; ``topic`` is already an encoded string."""
    head = 0x30 | qos << 1 | retain | dup << 3
    length = len(topic) + len(payload) + (2 if qos else 0)
    first = bytes((head, length)) if length < 0x80 else bytes((head,)) + encode_length(length)
    if qos:
        return b"".join((first, topic, mid.to_bytes(2, "big"), payload))
    return b"".join((first, topic, payload))


def encode_suback(mid: int, granted: list[int]) -> bytes:
    """SUBACK (§3.9): a granted QoS or `SUBSCRIPTION_FAILED` per filter."""
    return b"\x90" + encode_length(2 + len(granted)) + mid.to_bytes(2, "big") + bytes(granted)


def encode_unsuback(mid: int) -> bytes:
    """UNSUBACK (§3.11)."""
    return b"\xb0\x02" + mid.to_bytes(2, "big")
