"""The live feed: each record in plain words, kept for those who attach later and handed to those who listen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from labsim.evidence.event import Record
from labsim.lab.coach import Coach

_KEPT = 5000
_BEHIND = 2000


class Feed:
    """What the plant saw, as entries of the control API (``docs/architecture.md``).

    Entries are made only for what a person would want to see; the oldest give way after 5,000.
    """

    def __init__(self, coach: Coach) -> None:
        self._coach = coach
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()

    def push(self, record: Record) -> None:
        """Put one record into words and hand it on."""
        entry = self._coach.entry(record)
        if entry is None:
            return
        self._entries.append(entry)
        for queue in self._listeners:
            if queue.qsize() < _BEHIND:  # a face that does not read loses lines of the feed, never the lab
                queue.put_nowait(entry)

    async def listen(self, since: int) -> AsyncIterator[dict[str, Any]]:
        """Entries from sequence number ``since`` on, then live ones, until the feed is closed."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        backlog = [entry for entry in self._entries if entry["seq"] >= since]
        self._listeners.add(queue)
        try:
            for entry in backlog:
                yield entry
            while (live := await queue.get()) is not None:
                yield live
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End every listener."""
        for queue in self._listeners:
            queue.put_nowait(None)
