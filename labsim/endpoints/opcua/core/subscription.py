"""One subscription: publishing cycle, keep-alive, lifetime, retransmission (OPC 10000-4 §5.14.1)."""

from __future__ import annotations

import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labsim.endpoints.opcua.core.codec import NO_DIAGNOSTICS
from labsim.endpoints.opcua.core.item import DISABLED, Item

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.session import Session

# Encoding ids of DataChangeNotification, EventNotificationList and StatusChangeNotification with the mark of a binary body.
_DATA_CHANGE, _EVENTS, _STATUS_CHANGE = b"\x01\x00\x2b\x03\x01", b"\x01\x00\x94\x03\x01", b"\x01\x00\x34\x03\x01"
_LAST_SEQUENCE = 0xFFFFFFFF


@dataclass(slots=True)
class PublishRequest:
    """A Publish that waits for its answer, which has to go to the connection it came by."""

    connection: Connection
    request_id: int
    handle: int
    results: list[int]
    deadline: float


class Subscription:
    """One subscription with its items.

    Attributes:
        session: Whose it is; None after its session ended and left it for a transfer.
        interval: Publishing interval in ms.
        items: By id.
        ready: Items with something to report, the longest waiting first.
        sent: Messages that were not acknowledged, by sequence number.
        most: Notifications in one message at most.
        quiet, silent: Cycles without a message, and without a Publish request.
        late: It has something to send (or a keep-alive) since ``late_since`` and waits for a Publish.
    """

    def __init__(self, server: Server, session: Session, number: int, asked: Any) -> None:
        self.server, self.id = server, number
        self.session: Session | None = session
        self.identity, self.locales = session.identity, session.locales
        self.application, self.certificate = session.application, session.certificate
        self.enabled = True
        self.items: dict[int, Item] = {}
        self.ready: dict[int, Item] = {}
        self.sent: OrderedDict[int, bytes] = OrderedDict()
        self.late, self.late_since = False, 0.0
        self.next_sequence, self._cycle_number = 1, 0
        self.quiet = 0  # cycles without a message
        self.silent = 0  # cycles without a Publish request
        self._answered_once = False
        self.configure(asked)

    def configure(self, asked: Any) -> None:
        """Revise the parameters and start the cycle anew; the lifetime is at least three keep-alives (§5.14.2.2)."""
        limits, wanted = self.server.limits, asked.RequestedPublishingInterval
        least = limits.min_publishing_ms
        self.interval = min(max(wanted if wanted == wanted else least, least), limits.max_publishing_ms)
        self.keepalive = min(max(asked.RequestedMaxKeepAliveCount, 1), limits.max_keepalive)
        shortest = 3 * self.keepalive
        self.lifetime = min(max(asked.RequestedLifetimeCount, shortest), max(limits.max_lifetime, shortest))
        self.most = min(asked.MaxNotificationsPerPublish or limits.max_notifications, limits.max_notifications)
        self.priority = int(asked.Priority)
        self._due = self.server.monotonic() + self.interval / 1000
        self._arm()

    def _arm(self) -> None:
        """Set the timer of the next cycle; one that was set before means nothing any more."""
        self._cycle_number += 1
        mine = self._cycle_number

        def run(now: float) -> None:
            if mine == self._cycle_number and self.server.subscriptions.get(self.id) is self:
                self._cycle(now)

        self.server.timers.call_at(self._due, run)

    def _cycle(self, now: float) -> None:
        """One publishing interval has gone by (§5.14.1.2)."""
        step = self.interval / 1000
        self._due = self._due + step if self._due + step > now else now + step
        self._arm()  # first: whatever fails below, the subscription goes on
        session = self.session
        waiting = session is not None and self.server.drop_stale_publishes(session, now)
        self.silent = 0 if waiting else self.silent + 1
        if self.silent >= self.lifetime:
            self.server.expire(self)
            return
        if self.enabled and self.ready:
            self._call(now)
        else:
            self.quiet += 1
            if not self._answered_once or self.quiet >= self.keepalive:
                self._call(now)
        if self.late and session is not None:
            self.server.publish_late(session, now)

    def _call(self, now: float) -> None:
        if not self.late:
            self.late, self.late_since = True, now

    def answer(self, request: PublishRequest) -> None:
        """Answer a Publish with what is ready, or with a keep-alive."""
        changes: list[bytes] = []
        events: list[bytes] = []
        while self.enabled and self.ready and len(changes) + len(events) < self.most:
            number, item = next(iter(self.ready.items()))
            found = item.take(self.most - len(changes) - len(events))
            (events if item.tells_events else changes).extend(found)
            if not item.waiting:
                del self.ready[number]
        more = self.enabled and bool(self.ready)
        self.late, self.quiet, self._answered_once = more, 0, True
        parts = [_data_change(changes)] if changes else []
        parts += [_extension(_EVENTS, _array(events))] if events else []
        message = self._message(parts)
        request.connection.send_publish(request, self.id, list(self.sent), more, message)

    def _message(self, parts: list[bytes]) -> bytes:
        """A NotificationMessage (§7.26); a keep-alive shows the next number without using it up."""
        sequence = self.next_sequence
        message = struct.pack("<Iqi", sequence, self.server.store.now(), len(parts)) + b"".join(parts)
        if parts:
            self.sent[sequence] = message
            while len(self.sent) > self.server.limits.max_retransmit:
                self.sent.popitem(last=False)
            self.next_sequence = sequence + 1 if sequence < _LAST_SEQUENCE else 1
        return message

    def status_change(self, code: int) -> bytes:
        """A NotificationMessage that says that the subscription ended or was transferred (§7.25.4)."""
        part = _extension(_STATUS_CHANGE, struct.pack("<I", code) + b"\0")
        return struct.pack("<Iqi", self.next_sequence, self.server.store.now(), 1) + part

    def resend(self) -> None:
        """Report the present value of every item once more (§5.14.7, OPC 10000-5 §9.2)."""
        for item in self.items.values():
            if item.mode != DISABLED and not item.waiting:
                item.sample(force=True)

    def drop(self, number: int) -> bool:
        """Delete an item; False when there is none of the number."""
        item = self.items.pop(number, None)
        if item is None:
            return False
        self.ready.pop(number, None)
        self.server.event_items.pop(number, None)
        self.server.sample_no_more(item)
        for other in self.items.values():
            other.links.pop(number, None)
        return True


def _data_change(notifications: list[bytes]) -> bytes:
    return _extension(_DATA_CHANGE, _array(notifications) + NO_DIAGNOSTICS)


def _array(encoded: list[bytes]) -> bytes:
    return struct.pack("<i", len(encoded)) + b"".join(encoded)


def _extension(head: bytes, body: bytes) -> bytes:
    return head + struct.pack("<i", len(body)) + body
