"""Polls: reads that no check looks at one by one, counted instead of kept, so that a fast client does not fill the journal.

A client asks for the same things again and again. The first read of a session that asks for something is kept as it is; when
the same comes again, and nothing in it is graded, it is only counted. What was counted in a second of plant time becomes one
``poll`` event: how many reads, when the first and the last of them were, and the shortest and longest time between two.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from labsim.evidence.event import Event, Sink

WINDOW_NS = 1_000_000_000
"""Plant time that one ``poll`` event stands for, at most."""
_SHAPES_KEPT = 256
"""Different reads of one session that are counted; those beyond are kept one by one, as a scanner's are."""
_ENDS = ("close", "session-close", "session")
"""Events after which a session's reads are no longer what they were: it is over, or somebody else's."""
_LEFT_OUT = ("raw", "statuses")


def keep_all(_event: Event) -> bool:
    """Every read is needed."""
    return True


class _Tally:
    """What is counted of one read: all times in plant nanoseconds."""

    __slots__ = ("event", "first", "last", "longest", "reads", "shortest", "until")

    def __init__(self, event: Event, t: int) -> None:
        self.event, self.last = event, t
        self.reads = self.first = self.longest = self.until = 0
        self.shortest = -1


class Polls:
    """A sink before a sink: what is a read like one before and not needed, it counts; everything else it hands on.

    What was counted for a session is told before anything but a read of that session is handed on, and all of it before
    anything of the lab itself is. `tell` tells what is due otherwise; the lab calls it as its plant time goes on.

    Args:
        sink: Keeps events.
        needed: Whether every single read like this one has to be kept.
        clock_t: Plant nanoseconds now.
    """

    def __init__(
        self, sink: Sink, needed: Callable[[Event], bool] = keep_all, clock_t: Callable[[], int] = lambda: 0
    ) -> None:
        self._sink, self._needed, self._now = sink, needed, clock_t
        self._sessions: dict[str, dict[Hashable, _Tally | None]] = {}  # None: needed
        self._running: dict[_Tally, None] = {}

    @classmethod
    def of(cls, sink: Sink) -> Polls:
        """The sink itself when it counts polls, else one before it that counts none."""
        return sink if isinstance(sink, cls) else cls(sink)

    def __call__(self, event: Event) -> None:
        """Hand an event on.

        Raises:
            EvidenceError: it, or what was counted before it, could not be kept.
        """
        if event.kind != "read" and self._running:
            if event.protocol == "lab":
                self.tell()
            elif event.session in self._sessions:
                for tally in self._sessions[event.session].values():
                    if tally is not None:
                        self._tell(tally)
        self._sink(event)
        if event.kind in _ENDS:
            self._sessions.pop(event.session, None)

    def begin(self, event: Event, shape: Hashable) -> None:
        """A good read was handed on: others of its session with the same ``shape`` are counted from now on, unless needed.

        Args:
            event: The read.
            shape: What it asked for, in the protocol's own terms: equal for reads that ask for the same.
        """
        shapes = self._sessions.setdefault(event.session, {})
        if shape not in shapes and len(shapes) < _SHAPES_KEPT:
            shapes[shape] = None if self._needed(event) else _Tally(event, self._now())

    def again(self, session: str, shape: Hashable) -> bool:
        """Count a good read if that is enough; False when it has to be kept.

        Raises:
            EvidenceError: what was counted in the second before could not be kept.
        """
        shapes = self._sessions.get(session)
        if shapes is None:
            return False
        tally = shapes.get(shape)
        if tally is None:
            return False
        t = self._now()
        if t >= tally.until:
            if tally.reads:
                self._tell(tally)
            tally.first, tally.until = t, t - t % WINDOW_NS + WINDOW_NS
            self._running[tally] = None
        gap = t - tally.last
        if gap > tally.longest:
            tally.longest = gap
        if gap < tally.shortest or tally.shortest < 0:
            tally.shortest = gap
        tally.last = t
        tally.reads += 1
        return True

    def tell(self, before_ns: int | None = None) -> None:
        """Tell what was counted in seconds that ended by ``before_ns``; all there is without it.

        Raises:
            EvidenceError: it could not be kept; it is still counted, and told the next time.
        """
        for tally in [*self._running]:
            if before_ns is None or tally.until <= before_ns:
                self._tell(tally)

    def _tell(self, tally: _Tally) -> None:
        if not tally.reads:
            return
        read = tally.event
        detail: dict[str, Any] = {key: value for key, value in read.detail.items() if key not in _LEFT_OUT}
        detail |= {
            "reads": tally.reads,
            "first": tally.first,
            "last": tally.last,
            "shortest": tally.shortest,
            "longest": tally.longest,
        }
        self._sink(
            Event(
                kind="poll",
                protocol=read.protocol,
                client=read.client,
                session=read.session,
                app=read.app,
                user=read.user,
                thumb=read.thumb,
                device=read.device,
                tags=read.tags,
                detail=detail,
            )
        )
        tally.reads = tally.longest = tally.until = 0
        tally.shortest = -1
        self._running.pop(tally, None)
