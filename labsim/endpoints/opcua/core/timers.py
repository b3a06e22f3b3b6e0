"""Things to do at a time: the core has no tasks, whoever runs it calls `Timers.tick`."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Timers:
    """Calls in the order they are due, by the server's monotonic seconds.

    Attributes:
        rearm: Called when the earliest call has become earlier; the one who runs the core sets it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self.rearm: Callable[[], None] = lambda: None

    def call_at(self, due: float, call: Callable[[float], None]) -> None:
        """Call ``call(now)`` once, not before ``due``."""
        heapq.heappush(self._heap, (due, next(self._order), call))
        if self._heap[0][2] is call:
            self.rearm()

    def next_due(self) -> float | None:
        """When the earliest call is due."""
        return self._heap[0][0] if self._heap else None

    def tick(self, now: float) -> None:
        """Make the calls that are due; one that fails keeps no other from its turn."""
        while self._heap and self._heap[0][0] <= now:
            call = heapq.heappop(self._heap)[2]
            try:
                call(now)
            except Exception:  # noqa: BLE001 - one that fails keeps no other from its turn
                _log.exception("a timer of the OPC UA server failed")
