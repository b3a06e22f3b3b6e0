"""From a topic to the sessions that want it, remembered per topic until a subscription changes."""

from __future__ import annotations

import msgspec

from labsim.endpoints.mqtt.packet import encode_string
from labsim.endpoints.mqtt.session import Session
from labsim.endpoints.mqtt.topic import check_topic, has_wildcard, match_levels

_REMEMBERED = 10_000
"""Topics whose route is remembered; a client that publishes to ever new topics must not fill the memory."""


class Route(msgspec.Struct, frozen=True):
    """Where a topic leads.

    Attributes:
        topic: Its name, judged.
        wire: Its name as an encoded string.
        reserved: It begins with ``$``: no client may publish there (§4.7.2).
        targets: Each session once, with the highest QoS any of its matching filters was granted [MQTT-3.3.5-1].
    """

    topic: str
    wire: bytes
    reserved: bool
    targets: tuple[tuple[Session, int], ...]


class Router:
    """All subscriptions of one broker, by filter."""

    def __init__(self) -> None:
        self._plain: dict[str, dict[Session, int]] = {}
        self._wild: dict[str, dict[Session, int]] = {}
        self._levels: dict[str, list[str]] = {}
        self._routes: dict[str, Route] = {}

    def subscribe(self, session: Session, pattern: str, qos: int) -> None:
        """Add or replace a subscription [MQTT-3.8.4-3]; ``pattern`` is valid."""
        session.subscriptions[pattern] = qos
        table = self._wild if has_wildcard(pattern) else self._plain
        table.setdefault(pattern, {})[session] = qos
        if table is self._wild:
            self._levels[pattern] = pattern.split("/")
        self._routes.clear()

    def unsubscribe(self, session: Session, pattern: str) -> None:
        """Remove a subscription of exactly this spelling, if there is one [MQTT-3.10.4-1]."""
        if session.subscriptions.pop(pattern, None) is None:
            return
        table = self._wild if has_wildcard(pattern) else self._plain
        del table[pattern][session]
        if not table[pattern]:
            del table[pattern]
            self._levels.pop(pattern, None)
        self._routes.clear()

    def forget(self, session: Session) -> None:
        """Remove all subscriptions of a session."""
        for pattern in list(session.subscriptions):
            self.unsubscribe(session, pattern)

    def route(self, topic: str) -> Route:
        """The route of a topic.

        Raises:
            ProtocolViolation: not a topic.
        """
        route = self._routes.get(topic)
        return self._find(topic) if route is None else route

    def _find(self, topic: str) -> Route:
        check_topic(topic)
        best = dict(self._plain.get(topic, ()))
        levels = topic.split("/")
        for pattern, subscribers in self._wild.items():
            if match_levels(self._levels[pattern], levels):
                for session, qos in subscribers.items():
                    best[session] = max(qos, best.get(session, 0))
        route = Route(topic, encode_string(topic), topic[0] == "$", tuple(best.items()))
        if len(self._routes) >= _REMEMBERED:
            self._routes.clear()
        self._routes[topic] = route
        return route
