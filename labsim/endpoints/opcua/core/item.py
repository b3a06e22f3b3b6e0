"""One monitored item: filter, queue, and what counts as a change (OPC 10000-4 §5.13.1, §7.22.2)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.attribute import read_one
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.status import OVERFLOW
from labsim.endpoints.opcua.core.values import DataValue, encode_data_value, plain

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.sampling import Group
    from labsim.endpoints.opcua.core.subscription import Subscription

DISABLED, SAMPLING, REPORTING = 0, 1, 2
MODE_NAMES = {DISABLED: "Disabled", SAMPLING: "Sampling", REPORTING: "Reporting"}
ON_STATUS, ON_VALUE, ON_TIME = 0, 1, 2
"""DataChangeTrigger: status; status or value; status, value or source timestamp (OPC 10000-4 §7.22.2)."""
_UINT32 = struct.Struct("<I")


@dataclass(slots=True)
class Settings:
    """What a client may set and modify, as revised.

    Attributes:
        sampling: Sampling interval in ms; ``requested_sampling`` before it was revised.
        deadband: In the value's unit, also for a percent deadband; ``deadband_value`` as it was given.
    """

    client_handle: int = 0
    sampling: float = 0.0
    requested_sampling: float = 0.0
    queue: int = 1
    discard_oldest: bool = True
    trigger: int = ON_VALUE
    deadband: float = 0.0
    deadband_type: int = 0
    deadband_value: float = 0.0


class Last(NamedTuple):
    """The last report: value (for a row of the store its column), status, source time."""

    value: Any
    status: int
    source: int


class Item:
    """One monitored item.

    Attributes:
        row: Row of the value store when the whole Value of a tag is watched; else -1, and it is sampled by reading.
        last: The last value that passed the filter, never just the last sample: else a slow drift would hide in a
            deadband for ever.
        links: Items that this one triggers.
    """

    tells_events = False
    __slots__ = (
        "group", "id", "key", "last", "links", "mode", "queue", "row", "settings", "subscription", "timestamps",
        "watched",
    )  # fmt: skip

    def __init__(self, number: int, subscription: Subscription, watched: Any, mode: int, timestamps: int) -> None:
        self.id, self.subscription, self.watched = number, subscription, watched
        self.mode, self.timestamps, self.settings = mode, timestamps, Settings()
        self.key: Key = key_of(watched.NodeId)
        self.queue: deque[DataValue] = deque()
        self.links: dict[int, None] = {}
        self.row = -1
        self.group: Group | None = None
        self.last: Last | None = None

    def apply(self, settings: Settings) -> None:
        """Take (modified) settings; a shorter queue loses its oldest or newest and says so by the Overflow bit."""
        self.settings = settings
        lost = len(self.queue) - settings.queue
        for _ in range(lost):
            self.queue.popleft() if settings.discard_oldest else self.queue.pop()
        if lost > 0 and settings.queue > 1:
            at = 0 if settings.discard_oldest else -1
            self.queue[at] = _overflown(self.queue[at])

    def switch(self, mode: int) -> None:
        """Change the monitoring mode (OPC 10000-4 §5.13.1.3)."""
        before, self.mode = self.mode, mode
        if self.group is not None:
            self.group.changed()
        if mode == DISABLED:
            self.clear()
        if mode == REPORTING and self.waiting:
            self.subscription.ready[self.id] = self
        else:
            self.subscription.ready.pop(self.id, None)
        if before == DISABLED and mode != DISABLED:
            self.sample()

    @property
    def waiting(self) -> bool:
        """Whether there is something to report."""
        return bool(self.queue)

    def clear(self) -> None:
        """Forget what waits, and what was reported last."""
        self.queue.clear()
        self.last = None

    def push(self, data: DataValue) -> None:
        """Queue a value; a full queue keeps the newest or the oldest and marks the overflow (§5.13.1.5)."""
        queue, settings = self.queue, self.settings
        if len(queue) < settings.queue:
            queue.append(data)
        elif settings.queue == 1:
            queue[0] = data
        elif settings.discard_oldest:
            queue.popleft()
            queue.append(data)
            queue[0] = _overflown(queue[0])
        else:
            queue[-1] = _overflown(data)
        self.queued()

    def queued(self) -> None:
        """Something was queued: it is reported, and so are the items that this one triggers (§5.13.1.6)."""
        if self.mode == REPORTING:
            self.subscription.ready[self.id] = self
        for number in self.links:
            linked = self.subscription.items.get(number)
            if linked is not None and linked.mode == SAMPLING and linked.waiting:
                self.subscription.ready[number] = linked

    def take(self, most: int) -> list[bytes]:
        """Up to ``most`` encoded MonitoredItemNotifications, oldest first."""
        handle = _UINT32.pack(self.settings.client_handle)
        count = min(most, len(self.queue))
        return [handle + encode_data_value(self.queue.popleft(), self.timestamps) for _ in range(count)]

    def sample(self, force: bool = False) -> None:
        """Read once and queue what passes the filter; ``force`` queues it anyway."""
        server, subscription = self.subscription.server, self.subscription
        now = server.store.now()
        data = read_one(server, subscription.identity, self.watched, now, subscription.locales, self.key)
        if data.source == 0 and self.watched.AttributeId == nodes.VALUE:
            data = data._replace(source=now)
        value = float(server.store.value[self.row]) if self.row >= 0 else plain(data.value)
        if force or self.last is None or self.moved(self.last, value, data.status, data.source):
            self.last = Last(value, data.status, data.source)
            if self.group is not None:
                self.group.reported(self)
            self.push(data)

    def moved(self, last: Last, value: Any, status: int, source: int) -> bool:
        """Whether a sample passes the filter against the last report (§7.22.2, OPC 10000-8 §7.2)."""
        settings = self.settings
        if status != last.status:
            return True
        if settings.trigger == ON_STATUS:
            return False
        if settings.trigger == ON_TIME and source != last.source:
            return True
        return _differs(value, last.value, settings.deadband)


def _overflown(data: DataValue) -> DataValue:
    return data._replace(status=data.status | OVERFLOW)


def _differs(new: Any, old: Any, deadband: float) -> bool:
    if deadband and isinstance(new, (list, tuple)) and isinstance(old, (list, tuple)) and len(new) == len(old):
        return any(_differs(one, other, deadband) for one, other in zip(new, old, strict=True))
    if deadband and isinstance(new, (int, float)) and isinstance(old, (int, float)) and new == new and old == old:
        return abs(new - old) > deadband
    return bool(new != old) and not (new != new and old != old)
