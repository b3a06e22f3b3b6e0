"""Topic aliases of one connection in both directions (version 5 §3.3.2.3.4)."""

from __future__ import annotations

from typing import Any

from labsim.endpoints.mqtt.encode import encode_publish
from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.reason import BAD_ALIAS, PROTOCOL_ERROR
from labsim.endpoints.mqtt.session import Message
from labsim.endpoints.mqtt.topic import check_topic


class AliasesIn:
    """What the client's aliases stand for; at most ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._topics: dict[int, str] = {}

    def topic(self, topic: str, properties: dict[str, Any] | None) -> str:
        """The topic that a PUBLISH is about; its alias is remembered or looked up [MQTT-3.3.2-12].

        Raises:
            ProtocolViolation: neither topic nor alias, or an alias too large or unknown.
        """
        alias = properties.get("topic_alias") if properties else None
        if alias is None:
            if not topic:
                raise ProtocolViolation("neither a topic nor a topic alias", PROTOCOL_ERROR)
            return topic
        if alias > self._most:
            raise ProtocolViolation(f"topic alias {alias}; the limit is {self._most}", BAD_ALIAS)
        if topic:
            check_topic(topic)
            self._topics[alias] = topic
            return topic
        if alias not in self._topics:
            raise ProtocolViolation(f"topic alias {alias} stands for nothing", PROTOCOL_ERROR)
        return self._topics[alias]


class AliasesOut:
    """Encodes messages for a client that takes ``most`` aliases: the first topics get one each, and keep it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers: dict[bytes, int] = {}

    def encode(self, message: Message, mid: int, dup: bool, now: float, largest: int) -> bytes | None:
        """A PUBLISH of version 5; None when it has more than ``largest`` bytes."""
        topic, properties, fresh = message.topic, message.properties + message.identifiers, 0
        if message.expires is not None:  # what is left of it [MQTT-3.3.2-6]
            properties += b"\x02" + max(1, round(message.expires - now)).to_bytes(4, "big")
        if self._most:
            alias = self._numbers.get(topic)
            if alias is not None:
                topic = b"\x00\x00"
            elif len(self._numbers) < self._most:
                alias = fresh = len(self._numbers) + 1
            if alias is not None:
                properties += b"\x23" + alias.to_bytes(2, "big")
        data = encode_publish(
            topic, message.payload, message.qos, mid, retain=message.retain, dup=dup, properties=properties
        )
        if len(data) > largest:
            return None
        if fresh:
            self._numbers[message.topic] = fresh
        return data
