"""MQTT control packets that a client sends, as typed records, for 3.1.1 and 5.

``decode`` makes them of bytes and ``encode`` writes a server's answers. Section numbers are those of MQTT Version 3.1.1, OASIS
Standard, 29 October 2014, unless version 5 is named (MQTT Version 5.0, OASIS Standard, 7 March 2019).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from labsim.endpoints.mqtt.reason import MALFORMED

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
AUTH: Final = 15

LEVEL: Final = 4
"""The protocol level of MQTT 3.1.1."""
LEVEL_5: Final = 5
"""The protocol version of MQTT 5."""
FOREVER: Final = 0xFFFFFFFF
"""A session expiry interval that never ends."""


class ProtocolViolation(Exception):  # noqa: N818 - the standard's own word (§4.8), and no error of ours
    """The peer sent what the protocol forbids; its connection must be closed [MQTT-4.8.0-1]. The text says what.

    Attributes:
        code: The reason code that a client of version 5 is told [MQTT-4.13.1-1].
    """

    def __init__(self, text: str, code: int = MALFORMED) -> None:
        super().__init__(text)
        self.code = code


class UnsupportedLevel(Exception):  # noqa: N818 - the same
    """A CONNECT of another version of the protocol; ``args[0]`` is its level."""


class Will(msgspec.Struct, frozen=True):
    """The message to publish when the connection ends without a DISCONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: dict[str, Any] = {}


class Connect(msgspec.Struct, frozen=True):
    """CONNECT (§3.1). ``keepalive`` in seconds, 0 for none; ``user`` and ``password`` are None when not given."""

    client_id: str
    clean: bool
    keepalive: int
    will: Will | None
    user: str | None
    password: bytes | None
    level: int = LEVEL
    properties: dict[str, Any] = {}


class Publish(msgspec.Struct, frozen=True, gc=False):
    """PUBLISH (§3.3). ``mid`` is 0 for QoS 0. The topic is UTF-8 but not yet judged: routing does it once per topic.

    In version 5 the topic may be empty, for one that a topic alias stands for; ``properties`` is None when there are none.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int
    properties: dict[str, Any] | None = None


class Ack(msgspec.Struct, frozen=True, gc=False):
    """PUBACK, PUBREC, PUBREL or PUBCOMP (§3.4 to §3.7), by ``kind``."""

    kind: int
    mid: int
    code: int = 0


class Asked(msgspec.Struct, frozen=True, gc=False):
    """One filter of a SUBSCRIBE with its options (version 5 §3.8.3.1)."""

    pattern: str
    qos: int
    no_local: bool = False
    as_published: bool = False
    handling: int = 0


class Subscribe(msgspec.Struct, frozen=True):
    """SUBSCRIBE (§3.8): filters in the order of the packet; ``identifier`` is 0 when there is none."""

    mid: int
    filters: tuple[Asked, ...]
    identifier: int = 0


class Unsubscribe(msgspec.Struct, frozen=True):
    """UNSUBSCRIBE (§3.10)."""

    mid: int
    filters: tuple[str, ...]


class PingReq(msgspec.Struct, frozen=True):
    """PINGREQ (§3.12)."""


class Disconnect(msgspec.Struct, frozen=True):
    """DISCONNECT (§3.14)."""

    code: int = 0
    properties: dict[str, Any] = {}


Packet = Connect | Publish | Ack | Subscribe | Unsubscribe | PingReq | Disconnect
