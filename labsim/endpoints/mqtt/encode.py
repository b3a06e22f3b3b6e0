"""What a server sends, as bytes, in both versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from labsim.endpoints.mqtt.field import encode_length
from labsim.endpoints.mqtt.packet import LEVEL_5, PUBACK, PUBCOMP, PUBREC, PUBREL
from labsim.endpoints.mqtt.properties import Properties, encode_properties

PINGRESP: Final = b"\xd0\x00"
SUBSCRIPTION_FAILED: Final = 0x80
"""The SUBACK return code of 3.1.1 for a filter that was not taken."""
_ACK_FLAGS = {PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70}


def _packet(header: int, body: bytes) -> bytes:
    return bytes((header,)) + encode_length(len(body)) + body


def _with_length(properties: Properties) -> bytes:
    encoded = encode_properties(properties)
    return encode_length(len(encoded)) + encoded


def encode_connack(code: int, *, present: bool = False) -> bytes:
    """CONNACK of 3.1.1 (§3.2); ``present`` only with code 0 [MQTT-3.2.2-4]."""
    return bytes((0x20, 2, present, code))


def encode_connack5(code: int, present: bool, properties: Properties) -> bytes:
    """CONNACK of version 5 (§3.2 there)."""
    return _packet(0x20, bytes((present, code)) + _with_length(properties))


def encode_ack(kind: int, mid: int, code: int = 0, reason: str = "") -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP; a code other than 0 only to a client of version 5."""
    if not code:
        return bytes((_ACK_FLAGS[kind], 2, mid >> 8, mid & 0xFF))
    if not reason:
        return bytes((_ACK_FLAGS[kind], 3, mid >> 8, mid & 0xFF, code))
    return _packet(_ACK_FLAGS[kind], bytes((mid >> 8, mid & 0xFF, code)) + _with_length({"reason_string": reason}))


def encode_publish(
    topic: bytes, payload: bytes, qos: int = 0, mid: int = 0, *, retain: bool = False, dup: bool = False,
    properties: bytes | None = None,
) -> bytes:  # fmt: skip
    """PUBLISH; ``topic`` is already an encoded string. ``properties`` (encoded, without length) make it version 5."""
    head = 0x30 | qos << 1 | retain | dup << 3
    if qos:
        topic += mid.to_bytes(2, "big")
    if properties is not None:
        topic += encode_length(len(properties)) + properties
    length = len(topic) + len(payload)
    first = bytes((head, length)) if length < 0x80 else bytes((head,)) + encode_length(length)
    return b"".join((first, topic, payload))


def encode_suback(mid: int, granted: Sequence[int], level: int, properties: Properties | None = None) -> bytes:
    """SUBACK (§3.9): a granted QoS or a failure per filter."""
    more = _with_length(properties or {}) if level == LEVEL_5 else b""
    return _packet(0x90, mid.to_bytes(2, "big") + more + bytes(granted))


def encode_unsuback(mid: int, codes: Sequence[int], level: int) -> bytes:
    """UNSUBACK (§3.11): in version 5 a code per filter."""
    return _packet(0xB0, mid.to_bytes(2, "big") + (b"\0" + bytes(codes) if level == LEVEL_5 else b""))


def encode_disconnect(code: int, reason: str = "") -> bytes:
    """DISCONNECT of version 5 (§3.14 there), which a server sends before it closes [MQTT-3.14.0-1]."""
    if not reason:
        return bytes((0xE0, 1, code))
    return _packet(0xE0, bytes((code,)) + _with_length({"reason_string": reason}))
