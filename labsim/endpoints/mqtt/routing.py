"""From a topic to the sessions that want it, remembered per topic until a subscription changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from labsim.endpoints.mqtt.field import encode_string
from labsim.endpoints.mqtt.properties import encode_properties
from labsim.endpoints.mqtt.session import Session, Subscription
from labsim.endpoints.mqtt.topic import check_topic, has_wildcard, match_levels, shared

_REMEMBERED = 10_000
"""Topics whose route is remembered; a client that publishes to ever new topics must not fill the memory."""

MayReceive = Callable[[Session, str], bool]
"""Whether a session may be given messages of a topic."""


class Target(msgspec.Struct, frozen=True):
    """One session that a topic leads to.

    Attributes:
        session: The receiver.
        qos: The highest that any of its matching filters was granted [MQTT-3.3.5-1; MQTT-3.3.4-2 in version 5].
        as_published: Whether it wants the RETAIN flag of the publisher [MQTT-3.3.1-12, -13 in version 5].
        identifiers: Of its matching subscriptions, encoded as properties [MQTT-3.3.4-3, -4].
        no_local: One of its filters does not want what the session itself publishes; ``own`` is what the others want.
        own: See ``no_local``.
    """

    session: Session
    qos: int
    as_published: bool = False
    identifiers: bytes = b""
    no_local: bool = False
    own: Target | None = None


class Share:
    """A shared subscription: each message goes to one of its members, in turn (version 5 §4.8.2)."""

    def __init__(self, pattern: str) -> None:
        self.levels = pattern.split("/")
        self.members: dict[Session, Subscription] = {}
        self._turn = 0

    def choose(self, may: Callable[[Session], bool]) -> Target | None:
        """The member whose turn it is; one that is connected, if there is any."""
        members = [member for member in self.members if may(member)]
        ready = [member for member in members if member.outlet is not None] or members
        if not ready:
            return None
        self._turn += 1
        session = ready[self._turn % len(ready)]
        return _target(session, [self.members[session]])


class Route(msgspec.Struct, frozen=True):
    """Where a topic leads.

    Attributes:
        topic: Its name, judged.
        wire: Its name as an encoded string.
        reserved: It begins with ``$``: no client may publish there (§4.7.2).
        targets: Each session once.
        shares: Shared subscriptions that match.
    """

    topic: str
    wire: bytes
    reserved: bool
    targets: tuple[Target, ...]
    shares: tuple[Share, ...]


class Router:
    """All subscriptions of one broker, by filter.

    Args:
        may_receive: Asked once per session and route; ``forget_routes`` when its answers change.
    """

    def __init__(self, may_receive: MayReceive = lambda _session, _topic: True) -> None:
        self._may_receive = may_receive
        self._plain: dict[str, dict[Session, Subscription]] = {}
        self._wild: dict[str, dict[Session, Subscription]] = {}
        self._shares: dict[str, Share] = {}
        self._levels: dict[str, list[str]] = {}
        self._routes: dict[str, Route] = {}

    def subscribe(self, session: Session, pattern: str, wanted: Subscription) -> None:
        """Add or replace a subscription [MQTT-3.8.4-3]; ``pattern`` is valid."""
        session.subscriptions[pattern] = wanted
        share = shared(pattern)
        if share is not None:
            self._shares.setdefault(pattern, Share(share[1])).members[session] = wanted
        else:
            table = self._wild if has_wildcard(pattern) else self._plain
            table.setdefault(pattern, {})[session] = wanted
            if table is self._wild:
                self._levels[pattern] = pattern.split("/")
        self._routes.clear()

    def unsubscribe(self, session: Session, pattern: str) -> bool:
        """Remove a subscription of exactly this spelling, if there is one [MQTT-3.10.4-1]; whether there was."""
        if session.subscriptions.pop(pattern, None) is None:
            return False
        if shared(pattern) is not None:
            del self._shares[pattern].members[session]
            if not self._shares[pattern].members:
                del self._shares[pattern]
        else:
            table = self._wild if has_wildcard(pattern) else self._plain
            del table[pattern][session]
            if not table[pattern]:
                del table[pattern]
                self._levels.pop(pattern, None)
        self._routes.clear()
        return True

    def forget(self, session: Session) -> None:
        """Remove all subscriptions of a session."""
        for pattern in list(session.subscriptions):
            self.unsubscribe(session, pattern)

    def forget_routes(self) -> None:
        """Work every route out anew, because somebody's rights have changed."""
        self._routes.clear()

    def route(self, topic: str) -> Route:
        """The route of a topic.

        Raises:
            ProtocolViolation: not a topic.
        """
        route = self._routes.get(topic)
        return self._find(topic) if route is None else route

    def _find(self, topic: str) -> Route:
        check_topic(topic)
        levels = topic.split("/")
        wanted: dict[Session, list[Subscription]] = {}
        for subscribers in self._matching(topic, levels):
            for session, subscription in subscribers.items():
                wanted.setdefault(session, []).append(subscription)
        targets = tuple(_target(session, all_) for session, all_ in wanted.items() if self._may_receive(session, topic))
        shares = tuple(share for share in self._shares.values() if match_levels(share.levels, levels))
        route = Route(topic, encode_string(topic), topic[0] == "$", targets, shares)
        if len(self._routes) >= _REMEMBERED:
            self._routes.clear()
        self._routes[topic] = route
        return route

    def _matching(self, topic: str, levels: list[str]) -> Iterable[dict[Session, Subscription]]:
        yield self._plain.get(topic, {})
        for pattern, subscribers in self._wild.items():
            if match_levels(self._levels[pattern], levels):
                yield subscribers

    def choose(self, share: Share, topic: str) -> Target | None:
        """The member of a shared subscription that gets the next message."""
        return share.choose(lambda session: self._may_receive(session, topic))


def _target(session: Session, subscriptions: list[Subscription]) -> Target:
    """The subscriptions of one session taken together."""
    others = [subscription for subscription in subscriptions if not subscription.no_local]
    identifiers = [subscription.identifier for subscription in subscriptions if subscription.identifier]
    return Target(
        session,
        max(subscription.qos for subscription in subscriptions),
        any(subscription.as_published for subscription in subscriptions),
        b"".join(encode_properties({"subscription_identifier": identifier}) for identifier in identifiers),
        len(others) < len(subscriptions),
        _target(session, others) if others and len(others) < len(subscriptions) else None,
    )
