"""Retained messages: the last of each topic, for whoever subscribes later (§3.3.1.3)."""

from __future__ import annotations

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

    def keep(self, topic: str, message: Message) -> bool:
        """Replace the message of a topic; an empty payload removes it [MQTT-3.3.1-5, -10, -11]. False: no room left."""
        self._remove(topic)
        size = len(message.payload)
        if not size:
            return True
        if len(self._by_topic) >= self._most or self._bytes + size > self._most_bytes:
            return False
        self._by_topic[topic] = message
        self._bytes += size
        return True

    def has_room(self, topic: str, size: int) -> bool:
        """Whether `keep` would say True."""
        old = self._by_topic.get(topic)
        if not size:
            return True
        if old is not None:
            return self._bytes - len(old.payload) + size <= self._most_bytes
        return len(self._by_topic) < self._most and self._bytes + size <= self._most_bytes

    def matching(self, pattern: str, now: float) -> list[tuple[str, Message]]:
        """Topics and retained messages a new subscription gets, the longest unchanged first; none that has expired."""
        if not has_wildcard(pattern):
            found = [(pattern, self._by_topic[pattern])] if pattern in self._by_topic else []
        else:
            levels = pattern.split("/")
            found = [pair for pair in self._by_topic.items() if match_levels(levels, pair[0].split("/"))]
        fresh = []
        for topic, message in found:
            if message.expires is not None and message.expires <= now:
                self._remove(topic)
            else:
                fresh.append((topic, message))
        return fresh

    def _remove(self, topic: str) -> None:
        old = self._by_topic.pop(topic, None)
        if old is not None:
            self._bytes -= len(old.payload)
