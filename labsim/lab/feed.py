"""The live feed: each record in plain words, kept for those who attach later and handed to those who listen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from labsim.evidence.journal import decode_line
from labsim.lab.coach import Coach

_KEPT = 5000
_BEHIND = 5000
_TURN = 50
"""Records put into words before the plant and its clients get their turn."""


class Feed:
    """What the plant saw, as entries of the control API (``docs/architecture.md``).

    Entries are made only for what a person would want to see, and only once somebody listens: words in three languages take
    longer than the answer to a client. The oldest records and entries give way after 5,000.
    """

    def __init__(self, coach: Coach) -> None:
        self._coach = coach
        self._lines: deque[bytes] = deque(maxlen=_KEPT)  # of the journal, not yet in words
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._more = asyncio.Event()
        self._speaker: asyncio.Task[None] | None = None

    def push(self, lines: Sequence[bytes]) -> None:
        """Take in records, as lines of the journal."""
        self._lines.extend(lines)
        if self._listeners:
            self._more.set()

    async def listen(self, since: int) -> AsyncIterator[dict[str, Any]]:
        """Entries from sequence number ``since`` on, then live ones, until the feed is closed."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        backlog = [entry for entry in self._entries if entry["seq"] >= since]
        self._listeners.add(queue)
        self._more.set()
        if self._speaker is None or self._speaker.done():
            self._speaker = asyncio.create_task(self._speak(), name="feed")
        try:
            for entry in backlog:
                yield entry
            while (live := await queue.get()) is not None:
                if live["seq"] >= since:
                    yield live
        finally:
            self._listeners.discard(queue)

    async def _speak(self) -> None:
        """Put records into words and hand them on, as long as somebody listens."""
        while self._listeners:
            await self._more.wait()
            self._more.clear()
            while self._lines and self._listeners:
                for _ in range(min(_TURN, len(self._lines))):
                    self._say(self._lines.popleft())
                await asyncio.sleep(0)

    def _say(self, line: bytes) -> None:
        entry = self._coach.entry(decode_line(line, "the journal"))
        if entry is None:
            return
        self._entries.append(entry)
        for queue in self._listeners:
            if queue.qsize() < _BEHIND:  # a face that does not read loses lines of the feed, never the lab
                queue.put_nowait(entry)

    def close(self) -> None:
        """Hand on what there is, and end every listener."""
        while self._lines and self._listeners:
            self._say(self._lines.popleft())
        for queue in self._listeners:
            queue.put_nowait(None)
        if self._speaker is not None:
            self._speaker.cancel()
