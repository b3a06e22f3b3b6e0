"""The state of one OPC UA server: sessions, subscriptions, sampling. Many live in one process and share the nodes below."""

from __future__ import annotations

import itertools
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.capabilities import server_values
from labsim.endpoints.opcua.core.condition import CONDITION_METHODS, Condition
from labsim.endpoints.opcua.core.connection import Connection
from labsim.endpoints.opcua.core.diagnostics import Diagnostics
from labsim.endpoints.opcua.core.event import Event, notifiers_of
from labsim.endpoints.opcua.core.eventitem import EventItem
from labsim.endpoints.opcua.core.fastread import Plans
from labsim.endpoints.opcua.core.happening import SESSION_END, Happening, Observer
from labsim.endpoints.opcua.core.history import HistoryStorage
from labsim.endpoints.opcua.core.item import Item
from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import ENCRYPTION, SIGNING, Node, Space
from labsim.endpoints.opcua.core.outbox import Outbox
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.policy import ALL_SECURITY, MODE_SIGN, MODE_SIGN_AND_ENCRYPT, Security
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.sampling import Group
from labsim.endpoints.opcua.core.session import Session
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.store import ValueStore
from labsim.endpoints.opcua.core.structure import Structures
from labsim.endpoints.opcua.core.subscription import Subscription
from labsim.endpoints.opcua.core.subscription_methods import SUBSCRIPTION_METHODS
from labsim.endpoints.opcua.core.throttle import Throttle
from labsim.endpoints.opcua.core.timers import Timers
from labsim.endpoints.opcua.core.users import Accounts, Identity

_HOUSEKEEPING_S = 1.0
_REMEMBERED = 200  # tokens of closed sessions, to say closed instead of unknown


class Server:
    """One server.

    Args:
        uri: Application URI.
        name: What clients are shown.
        space: Its frozen address space.
        store: Its live values.
        pki: Its certificate.
        accounts: Who may log in.
        namespaces: URIs from index 2 on.
        observer: Is told of everything clients do.
        version: Software version it shows.
        locales: Languages its texts have.
        roles: What each role may do.
        limits: What it grants.
        security: Policies and modes it offers.
        plain_passwords: Take passwords without encryption of their own, whatever the channel does.
        context: What functions in the nodes are given; nodes may be shared, it is this server's own.
        monotonic: The seconds that timers, timeouts and tokens run by.

    Attributes:
        host, port: Where it listens, for URLs that say so.
        values: Its own variables: Variants, or functions that give one.
        conditions: Alarms and their like, by the key of their node.
        history: Where history is read; None when there is none.
        methods: What can be called, by the key of the method's node; others are BadNotImplemented.
        diagnostics: What it has counted.
        started: FILETIME of its start, by the store's clock.
        quick: Whether Reads and Writes take the quick ways; the plain ones give the same answers.
    """

    def __init__(
        self,
        *,
        uri: str,
        name: str,
        space: Space,
        store: ValueStore,
        pki: Pki,
        accounts: Accounts,
        namespaces: Sequence[str],
        observer: Observer,
        version: str = "",
        locales: Sequence[str] = ("en",),
        roles: Roles | None = None,
        limits: Limits | None = None,
        security: Sequence[Security] = ALL_SECURITY,
        plain_passwords: bool = False,
        context: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        assert space.frozen
        self.uri, self.name, self.version, self.locales = uri, name, version, tuple(locales)
        self.host, self.port, self.quick = "localhost", 0, True
        self.space, self.store, self.pki, self.accounts = space, store, pki, accounts
        self.observer, self.monotonic, self.security = observer, monotonic, tuple(security)
        self.limits, self.roles, self.plain_passwords = limits or Limits(), roles or Roles(), plain_passwords
        self.context, self.structures = context, Structures(space)
        self.diagnostics = Diagnostics()
        self.started = store.now()
        self.timers = Timers()
        self.outbox = Outbox()
        self.throttle = Throttle(self.limits.max_wrong_logins, self.limits.wrong_login_window_s)
        self.connections: dict[Connection, None] = {}
        self.sessions: OrderedDict[bytes, Session] = OrderedDict()
        self.subscriptions: dict[int, Subscription] = {}
        self.plans: Plans = OrderedDict()
        self.methods: dict[Key, Method] = SUBSCRIPTION_METHODS | CONDITION_METHODS
        self.event_items: dict[int, EventItem] = {}
        self.conditions: dict[Key, Condition] = {}
        self.history: HistoryStorage | None = None
        self._notifiers: dict[Key, frozenset[Key]] = {}
        self._closed_tokens: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._groups: dict[float, Group] = {}
        self._ids = itertools.count(int.from_bytes(os.urandom(2), "little") + 1)
        self.values: dict[Key, Any] = server_values(self, namespaces)
        self.timers.call_at(monotonic() + _HOUSEKEEPING_S, self._keep_house)

    def new_id(self) -> int:
        """A number nothing else of this server has."""
        return next(self._ids)

    def new_event_id(self) -> bytes:
        """An EventId nothing else has."""
        return os.urandom(16)

    def emit(self, event: Event) -> None:
        """Tell an event to everybody who watches its source or a notifier above it (OPC 10000-3 §4.7)."""
        above = self.notifiers_of(event.source)
        for item in list(self.event_items.values()):
            if item.key in above and self.may_hear(item.subscription.identity, event):
                item.notice(event)

    def may_hear(self, identity: Identity | None, event: Event) -> bool:
        """Whether a user is told an event: of its source and of its type (PermissionType ReceiveEvents, OPC 10000-3 §8.55)."""
        about = [node for node in (self.space.get(event.source), self.space.get(event.type)) if node is not None]
        return all(self.may(identity, "browse", node) and self.may(identity, "events", node) for node in about)

    def notifiers_of(self, source: Key) -> frozenset[Key]:
        """The objects that tell the events of a source."""
        known = self._notifiers.get(source)
        if known is None:
            known = self._notifiers[source] = notifiers_of(self.space, source)
        return known

    # ---- who may what ----

    def may(self, identity: Identity | None, operation: str, node: Node) -> bool:
        """Whether a user may do something with a node: see `OPERATIONS`."""
        return self.roles.may(identity, operation, node.attributes.get(nodes.ROLE_PERMISSIONS))

    def demand(self, identity: Identity | None, operation: str, node: Node) -> None:
        """The user may do it, over the channel that is used.

        Raises:
            Bad: BadSecurityModeInsufficient (OPC 10000-3 §5.2.11), BadUserAccessDenied.
        """
        restrictions = node.attributes.get(nodes.ACCESS_RESTRICTIONS, 0)
        mode = identity.mode if identity is not None else 0
        if (restrictions & SIGNING and mode < MODE_SIGN) or (
            restrictions & ENCRYPTION and mode < MODE_SIGN_AND_ENCRYPT
        ):
            raise Bad(S.BadSecurityModeInsufficient)
        if not self.may(identity, operation, node):
            raise Bad(S.BadUserAccessDenied)

    def visible(self, key: Key, identity: Identity | None) -> Node:
        """The node, if the user may know that it is there.

        Raises:
            Bad: BadNodeIdUnknown.
        """
        node = self.space.get(key)
        if node is None or not self.may(identity, "browse", node):
            raise Bad(S.BadNodeIdUnknown)
        return node

    def write_value(self, node: Node, variant: Any) -> int:
        """A write that passed all checks of the protocol; the owner of the value may still refuse it."""
        if node.row < 0:
            return int(S.BadNotWritable)
        return self.store.write(node.row, variant.Value)

    def range_of(self, key: Key) -> tuple[float, float] | None:
        """Low and high of a variable's EURange (OPC 10000-8 §5.3.2)."""
        found = self.space.child(key, "EURange")
        value = found.constant((), self.context) if found is not None else None
        return (float(value.Value.Low), float(value.Value.High)) if value is not None else None

    # ---- connections and sessions ----

    def admit(self) -> bool:
        """Room for another connection; the oldest without a session gives way (OPC 10000-4 §5.6.2.1)."""
        if len(self.connections) < self.limits.max_connections:
            return True
        busy = {session.connection for session in self.sessions.values() if session.activated}
        idle = next((connection for connection in self.connections if connection not in busy), None)
        if idle is None:
            return False
        idle.dismiss(int(S.BadTcpNotEnoughResources), "gave way to another connection")
        return True

    def leave(self, connection: Connection) -> None:
        """A connection is closed."""
        self.connections.pop(connection, None)
        for session in [one for one in self.sessions.values() if one.connection is connection]:
            session.publish_queue.clear()
            session.connection = None
            if not session.activated:
                self.close_session(session, True)

    def make_room_for_session(self) -> None:
        """Raises BadTooManySessions; the oldest that was never activated gives way (OPC 10000-4 §5.7.2.1)."""
        if len(self.sessions) >= self.limits.max_sessions:
            raise Bad(S.BadTooManySessions)
        waiting = [session for session in self.sessions.values() if not session.activated]
        if len(waiting) >= self.limits.max_unactivated_sessions:
            self.close_session(waiting[0], True)

    def find_session(self, token: Any) -> Session:
        """The session of an authentication token (OPC 10000-4 §7.35).

        Raises:
            Bad: BadSessionClosed or BadSessionIdInvalid.
        """
        raw = token.Identifier
        if not isinstance(raw, bytes) or token.NamespaceIndex != 0:
            raise Bad(S.BadSessionIdInvalid)
        session = self.sessions.get(raw)
        if session is None:
            raise Bad(S.BadSessionClosed if raw in self._closed_tokens else S.BadSessionIdInvalid)
        return session

    def close_session(self, session: Session, with_subscriptions: bool) -> None:
        """End a session; subscriptions that stay wait for a transfer (OPC 10000-4 §5.7.4)."""
        self.sessions.pop(session.token, None)
        self._closed_tokens.append(session.token)
        session.closed = True
        for subscription in list(session.subscriptions.values()):
            if with_subscriptions:
                self.drop_subscription(subscription)
            else:
                subscription.session = None
        session.subscriptions.clear()
        for waiting in session.publish_queue:
            waiting.connection.send_fault(waiting.request_id, waiting.handle, int(S.BadSessionClosed))
        session.publish_queue.clear()
        if session.connection is not None and session.connection.quick is session:
            session.connection.quick = None

    def _keep_house(self, now: float) -> None:
        """Sessions and channels whose time is over, or whose certificates are trusted no more."""
        self.timers.call_at(now + _HOUSEKEEPING_S, self._keep_house)
        if self.pki.lists_changed():
            self._judge_again()
        for session in [one for one in self.sessions.values() if now - one.last > one.timeout]:
            self.close_session(session, False)
            self.diagnostics.timeouts += 1
            if session.activated:
                self.observer(Happening(SESSION_END, session.connection, session, reason="timeout"))
        for connection in list(self.connections):
            if connection.channel.expired(now):
                connection.cut(int(S.BadSecureChannelClosed), "the security token ran out")
            elif not connection.channel.id and now - connection.born > self.limits.channel_within_s:
                connection.cut(int(S.BadTimeout), "no secure channel in time")

    def _judge_again(self) -> None:
        """Look again at everybody who proved himself by a certificate."""
        for connection in list(self.connections):
            connection.judge_again()
        for session in list(self.sessions.values()):
            chain = session.identity.chain if session.identity is not None else ()
            if chain and self.pki.judge_user(chain):
                self.close_session(session, True)
                self.observer(Happening(SESSION_END, session.connection, session, reason="the user is trusted no more"))

    # ---- subscriptions ----

    def drop_subscription(self, subscription: Subscription) -> None:
        """Delete a subscription with its items."""
        self.subscriptions.pop(subscription.id, None)
        for number in list(subscription.items):
            subscription.drop(number)
        if subscription.session is not None:
            subscription.session.subscriptions.pop(subscription.id, None)

    def expire(self, subscription: Subscription) -> None:
        """Its lifetime is over: tell the session when it asks again (OPC 10000-4 §5.14.1.2)."""
        if subscription.session is not None:
            message = subscription.status_change(int(S.BadTimeout))
            subscription.session.status_changes.append((subscription.id, message))
        self.drop_subscription(subscription)

    def drop_stale_publishes(self, session: Session, now: float) -> bool:
        """Answer the Publish requests whose time is over; whether one is left."""
        queue = session.publish_queue
        while queue and queue[0].deadline < now:
            stale = queue.popleft()
            stale.connection.send_fault(stale.request_id, stale.handle, int(S.BadTimeout))
        return bool(queue)

    def publish_late(self, session: Session, now: float) -> None:
        """Answer Publish requests: ends first, then late subscriptions by priority and age (OPC 10000-4 §5.14.1.2)."""
        queue = session.publish_queue
        while self.drop_stale_publishes(session, now):
            if session.status_changes:
                number, message = session.status_changes.popleft()
                request = queue.popleft()
                request.connection.send_publish(request, number, [], False, message)
                continue
            late = [one for one in session.subscriptions.values() if one.late]
            if not late:
                break
            max(late, key=lambda one: (one.priority, -one.late_since)).answer(queue.popleft())
        if not session.subscriptions:
            while queue:
                request = queue.popleft()
                request.connection.send_fault(request.request_id, request.handle, int(S.BadNoSubscription))

    # ---- sampling ----

    def sample_with_group(self, item: Item) -> None:
        """Put an item among those of its sampling interval."""
        self.sample_no_more(item)
        interval = item.settings.sampling
        group = self._groups.get(interval)
        if group is None:
            group = self._groups[interval] = Group(self, interval)
            self._sample_at(group, self.monotonic() + interval / 1000)
        group.add(item)

    def sample_no_more(self, item: Item) -> None:
        """Take an item out of its group; an empty group ends."""
        group = item.group
        if group is not None:
            group.drop(item)
            if not group.items and self._groups.get(group.interval) is group:
                del self._groups[group.interval]

    def _sample_at(self, group: Group, due: float) -> None:
        step = group.interval / 1000

        def run(now: float) -> None:
            if self._groups.get(group.interval) is group:
                self._sample_at(group, due + step if due + step > now else now + step)
                group.sample()

        self.timers.call_at(due, run)
