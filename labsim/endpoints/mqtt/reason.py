"""Reason codes of MQTT 5 (§2.4 there) and the return codes of 3.1.1 that stand for them."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0x00
WITH_WILL: Final = 0x04
NO_MATCHING_SUBSCRIBERS: Final = 0x10
NO_SUBSCRIPTION_EXISTED: Final = 0x11
UNSPECIFIED: Final = 0x80
MALFORMED: Final = 0x81
PROTOCOL_ERROR: Final = 0x82
NOT_SUPPORTED_LEVEL: Final = 0x84
BAD_CLIENT_ID: Final = 0x85
BAD_CREDENTIALS: Final = 0x86
NOT_AUTHORISED: Final = 0x87
SERVER_BUSY: Final = 0x89
SHUTTING_DOWN: Final = 0x8B
BAD_METHOD: Final = 0x8C
KEEP_ALIVE: Final = 0x8D
TAKEN_OVER: Final = 0x8E
BAD_TOPIC: Final = 0x90
UNKNOWN_IDENTIFIER: Final = 0x92
RECEIVE_MAXIMUM: Final = 0x93
BAD_ALIAS: Final = 0x94
TOO_LARGE: Final = 0x95
RATE: Final = 0x96
QUOTA: Final = 0x97
BAD_PAYLOAD: Final = 0x99
CONNECTION_RATE: Final = 0x9F

FROM_CLIENT: Final = {
    0xE0: frozenset((0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99)),
    0x40: frozenset((0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)),
    0x50: frozenset((0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)),
    0x60: frozenset((0x00, 0x92)),
    0x70: frozenset((0x00, 0x92)),
}
"""By packet type in the high half byte: what a client may give as a reason [MQTT-3.4.2-1, -3.5.2-1, -3.6.2-1, -3.7.2-1,
MQTT-3.14.2-1]."""

_OLD_CONNACK: Final = {
    NOT_SUPPORTED_LEVEL: 1,
    BAD_CLIENT_ID: 2,
    SERVER_BUSY: 3,
    QUOTA: 3,
    CONNECTION_RATE: 3,
    BAD_CREDENTIALS: 4,
    NOT_AUTHORISED: 5,
}


def connack_311(code: int) -> int:
    """The CONNACK return code of 3.1.1 (§3.2.2.3 there) for a reason code."""
    return _OLD_CONNACK.get(code, 5) if code else 0
