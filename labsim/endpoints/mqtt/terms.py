"""What a client and the broker have agreed on with CONNECT and CONNACK."""

from __future__ import annotations

from dataclasses import dataclass

from labsim.endpoints.mqtt.encode import encode_ack, encode_disconnect
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import FOREVER, LEVEL, LEVEL_5, Connect
from labsim.endpoints.mqtt.properties import Properties

_UNLIMITED = 1 << 28


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one connection.

    Attributes:
        level: Version of the protocol.
        patience: Seconds of silence after which it ends; None for ever.
        expiry: Seconds that the session outlives the connection; None for ever.
        window: Messages of QoS 1 and 2 on their way to the client [MQTT-3.3.4-9].
        largest: Bytes of a packet that the client takes [MQTT-3.1.2-24].
        aliases: Topic aliases that the client takes [MQTT-3.1.2-26].
        explains: The client wants reason strings [MQTT-3.1.2-29].
        keeps: The client asked for a session that outlives the connection.
        told: Properties of the CONNACK.
    """

    level: int = LEVEL
    patience: float | None = None
    expiry: float | None = 0
    window: int = 65535
    largest: int = _UNLIMITED
    aliases: int = 0
    explains: bool = False
    keeps: bool = False
    told: Properties | None = None

    @classmethod
    def of(cls, packet: Connect, limits: Limits) -> Terms:
        """What a client asks for, as far as the limits go."""
        if packet.level != LEVEL_5:
            patience = packet.keepalive * 1.5 if packet.keepalive else None
            return cls(patience=patience, expiry=0 if packet.clean else limits.expiry, window=limits.window)
        asked = packet.properties
        wanted, keepalive = asked.get("session_expiry", 0), packet.keepalive
        expiry = granted_expiry(wanted, limits)
        told: Properties = {}
        if expiry is not None and expiry != wanted:
            told["session_expiry"] = int(expiry)
        if limits.receive < 65535:
            told["receive_maximum"] = limits.receive
        told["maximum_packet_size"] = limits.packet
        told["topic_alias_maximum"] = limits.aliases
        if limits.keepalive and not 0 < keepalive <= limits.keepalive:
            keepalive = told["server_keep_alive"] = limits.keepalive  # [MQTT-3.1.2-21]
        return cls(
            level=LEVEL_5,
            patience=keepalive * 1.5 if keepalive else None,
            expiry=expiry,
            window=min(limits.window, asked.get("receive_maximum", 65535)),
            largest=asked.get("maximum_packet_size", _UNLIMITED),
            aliases=asked.get("topic_alias_maximum", 0),
            explains=asked.get("request_problem_information", 1) == 1,
            keeps=wanted > 0,
            told=told,
        )

    def ack(self, kind: int, mid: int, code: int, reason: str) -> bytes:
        """An acknowledgement, with a sentence where the client wants it and has room [MQTT-3.4.2-2, MQTT-3.5.2-2]."""
        if reason and code and self.explains:
            told = encode_ack(kind, mid, code, reason)
            if len(told) <= self.largest:
                return told
        return encode_ack(kind, mid, code)

    def disconnect(self, code: int, reason: str) -> bytes:
        """A DISCONNECT, with a sentence where the client has room [MQTT-3.14.2-3]."""
        told = encode_disconnect(code, reason)
        return told if len(told) <= self.largest else encode_disconnect(code)


def granted_expiry(wanted: int, limits: Limits) -> float | None:
    """A session expiry as far as the limit goes; None for ever."""
    if wanted == FOREVER:
        return limits.expiry
    return wanted if limits.expiry is None else min(wanted, limits.expiry)
