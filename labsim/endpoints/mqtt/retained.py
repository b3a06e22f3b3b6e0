"""Retained messages: the last of each topic, for whoever subscribes later (§3.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterable

from labsim.endpoints.mqtt.routing import Route
from labsim.endpoints.mqtt.session import Message
from labsim.endpoints.mqtt.topic import has_wildcard, match_levels


class Retained:
    """The retained messages of one broker.

    Args:
        messages: How many are kept.
        payload_bytes: How many bytes of payload are kept.
    """

    def __init__(self, messages: int, payload_bytes: int) -> None:
        self._most, self._most_bytes, self._bytes = messages, payload_bytes, 0
        self._by_topic: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._by_topic)

    def keep(self, route: Route, payload: bytes, qos: int) -> bool:
        """Replace the message of a topic; an empty payload removes it [MQTT-3.3.1-5, -10, -11]. False: no room left."""
        old = self._by_topic.pop(route.topic, None)
        if old is not None:
            self._bytes -= len(old.payload)
        if not payload:
            return True
        if len(self._by_topic) >= self._most or self._bytes + len(payload) > self._most_bytes:
            return False
        self._by_topic[route.topic] = Message(route.wire, payload, qos, True)
        self._bytes += len(payload)
        return True

    def matching(self, pattern: str) -> Iterable[Message]:
        """The retained messages a new subscription gets, the longest unchanged first."""
        if not has_wildcard(pattern):
            return [self._by_topic[pattern]] if pattern in self._by_topic else []
        levels = pattern.split("/")
        return [message for topic, message in self._by_topic.items() if match_levels(levels, topic.split("/"))]
