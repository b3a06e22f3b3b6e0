"""A monitored item on events: its queue holds encoded fields, and says by an event that it overflowed (OPC 10000-4 §5.13.1.5)."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core.event import QUEUE_OVERFLOW, Event, server_event
from labsim.endpoints.opcua.core.eventfilter import EventFilter
from labsim.endpoints.opcua.core.item import DISABLED, Item, Settings
from labsim.endpoints.opcua.core.status import Bad, S

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.subscription import Subscription

_DEFAULT_QUEUE = 100
_UINT32 = struct.Struct("<I")
_LOSER = "Internal/EventQueueOverflow"  # the SourceName that the standard gives it


class EventItem(Item):
    """One monitored item on the events of a notifier.

    Attributes:
        filter: What it tells; None until one was given.
    """

    __slots__ = ("_encoded", "_overflown", "filter")
    tells_events = True

    def __init__(self, number: int, subscription: Subscription, watched: Any, mode: int, timestamps: int) -> None:
        super().__init__(number, subscription, watched, mode, timestamps)
        self.filter: EventFilter | None = None
        self._encoded: deque[bytes] = deque()
        self._overflown = False

    def revise(self, server: Server, asked: Any) -> Any:
        """Take MonitoringParameters; the EventFilterResult.

        Raises:
            Bad: the filter is missing, of another kind, or wrong.
        """
        given = asked.Filter
        if not hasattr(given, "SelectClauses"):
            none = given is None or (isinstance(given, ua.ExtensionObject) and given.TypeId.is_null())
            raise Bad(S.BadEventFilterInvalid if none else S.BadFilterNotAllowed)
        filter_ = EventFilter(server.space, given)
        most, queue = server.limits.max_queue, int(asked.QueueSize)
        settings = Settings(
            client_handle=int(asked.ClientHandle),
            queue=min(queue if queue > 1 else _DEFAULT_QUEUE, most),
            discard_oldest=bool(asked.DiscardOldest),
        )
        self.filter, self.settings = filter_, settings
        while len(self._encoded) > settings.queue:
            self._encoded.popleft() if settings.discard_oldest else self._encoded.pop()
            self._overflown = True
        return filter_.result

    @property
    def waiting(self) -> bool:
        """Whether there is something to report."""
        return bool(self._encoded) or self._overflown

    def sample(self, force: bool = False) -> None:
        """Nothing: events come by themselves."""

    def clear(self) -> None:
        """Forget what waits."""
        self._encoded.clear()
        self._overflown = False

    def notice(self, event: Event, always: bool = False) -> None:
        """Queue an event that passes the filter; ``always`` asks no filter."""
        filter_, locales = self.filter, self.subscription.locales
        if filter_ is None or self.mode == DISABLED or not (always or filter_.passes(event, locales)):
            return
        if len(self._encoded) >= self.settings.queue:
            self._overflown = True
            if not self.settings.discard_oldest:
                self._encoded.pop()
            else:
                self._encoded.popleft()
        self._encoded.append(filter_.fields(event, locales))
        self.queued()

    def take(self, most: int) -> list[bytes]:
        """Up to ``most`` encoded EventFieldLists, oldest first."""
        assert self.filter is not None
        found: list[bytes] = []
        if self._overflown and self.settings.discard_oldest:
            found.append(self._overflow())
        while self._encoded and len(found) < most:
            found.append(self._encoded.popleft())
        if self._overflown and not self._encoded and len(found) < most:
            found.append(self._overflow())
        handle = _UINT32.pack(self.settings.client_handle)
        return [handle + fields for fields in found]

    def _overflow(self) -> bytes:
        """An EventQueueOverflowEvent (OPC 10000-5 §6.4.34), which no where clause holds back."""
        assert self.filter is not None
        self._overflown = False
        event = server_event(
            self.subscription.server, QUEUE_OVERFLOW, "events were lost: the queue was full", 100, _LOSER
        )
        return self.filter.fields(event, self.subscription.locales)
