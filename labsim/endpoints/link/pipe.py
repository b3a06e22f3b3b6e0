"""One direction of one connection while its link is impaired: what is on its way, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_SLICE_S = 0.05
"""A throttled stream comes in pieces of so much time, so that it trickles instead of coming in bursts."""

Step = Callable[[], None]
"""Something that happens when its turn has come: a connection is made, or ends."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a pipe does to what it carries, in wall time: nothing by default.

    Attributes:
        shut: Nothing gets through.
        lag: Gives the delay of the next piece in seconds; None for no delay.
        rate: Bytes per second; 0 for no limit.
    """

    shut: bool = False
    lag: Callable[[], float] | None = None
    rate: float = 0.0


OPEN = Shape()


class Pipe:
    """Carries bytes and steps, never out of order and never from inside `put`.

    Args:
        carry: Takes the bytes that have got through.
        moved: Called when something has got through or was thrown away.

    Attributes:
        held: Bytes on their way.
        blocked: The receiver takes nothing now.
    """

    def __init__(self, carry: Callable[[bytes], None], moved: Step) -> None:
        self._carry, self._moved = carry, moved
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[float, memoryview | Step]] = deque()
        self._shape = OPEN
        self._timer: asyncio.TimerHandle | None = None
        self._latest = 0.0  # when the last piece put in is due
        self._free = 0.0  # when the rate allows the next piece
        self.held = 0
        self.blocked = False

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._queue

    def shape(self, shape: Shape) -> None:
        """Be so from now on, also to what is on its way."""
        self._shape = shape
        self._arm(0.0)

    def put(self, item: bytes | Step) -> None:
        """Send something on its way."""
        due = 0.0
        if self._shape.lag is not None:
            due = self._latest = max(self._latest, self._loop.time() + self._shape.lag())
        if callable(item):
            self._queue.append((due, item))
        else:
            self.held += len(item)
            self._queue.append((due, memoryview(bytes(item))))
        if len(self._queue) == 1:
            self._arm(due)

    def clear(self) -> None:
        """Lose everything."""
        self._queue.clear()
        self.held = 0
        self._arm(None)

    def wake(self) -> None:
        """Go on, because the receiver takes something again."""
        self._arm(0.0)

    def pump(self) -> None:
        """Let through what is due."""
        self._arm(None)
        while self._queue and not self.blocked and not self._shape.shut:
            due, item = self._queue[0]
            now = self._loop.time()
            rate = self._shape.rate
            wait = max(due if self._shape.lag is not None else 0.0, self._free if rate else 0.0)
            if wait > now:
                self._arm(wait)
                break
            if not isinstance(item, memoryview):
                self._queue.popleft()
                item()
                continue
            count = max(1, int(rate * _SLICE_S)) if rate else len(item)
            piece, rest = item[:count], item[count:]
            if len(rest):
                self._queue[0] = (due, rest)
            else:
                self._queue.popleft()
            self._free = now + len(piece) / rate if rate else 0.0
            self.held -= len(piece)
            self._carry(bytes(piece))
        self._moved()

    def _arm(self, when: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if when is not None and self._queue:
            self._timer = self._loop.call_at(max(when, self._loop.time()), self.pump)
