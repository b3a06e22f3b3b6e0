"""Polls: reads that no check looks at one by one, counted instead of kept, so that a fast client does not fill the journal.

A client asks for the same things again and again. The first read of a session that asks for something is kept as it is; when
the same comes again, and nothing in it is graded, it is only counted. What was counted in a second of plant time becomes one
``poll`` event: how many reads, when the first and the last of them were, and the shortest and longest time between two.

Here also wait the events of one segment that a client sent, so that they are kept in one write before its answers leave.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import msgspec

from labsim.evidence.event import Entry, Event, Sink

WINDOW_NS = 1_000_000_000
"""Plant time that one ``poll`` event stands for, at most."""
_SHAPES_KEPT = 256
"""Different reads of one session that are counted; those beyond are kept one by one, as a scanner's are."""
_ENDS = ("close", "session-close", "session")
"""Events after which a session's reads are no longer what they were: it is over, or somebody else's."""
_LEFT_OUT = ("raw", "statuses")
_NONE: dict[Hashable, Any] = {}
_NEVER: Any = object()


Keep: TypeAlias = Callable[[Sequence[Entry]], None]
"""Keeps events that came together, all of them or none; raises EvidenceError when it does not."""
_decode = msgspec.json.Decoder(Event).decode


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
    """A sink: what is a read like one before and not needed, it counts; everything else it hands on.

    What was counted for a session is told before anything but a read of that session is handed on, and all of it before
    anything of the lab itself is. `tell` tells what is due otherwise; the lab calls it as its plant time goes on.

    Between `gather` and `settle` events wait, to be kept at once; no answer may leave before `settle` has returned. Both are
    called in one turn of the event loop.

    Args:
        keep: Keeps events.
        needed: Whether every single read like this one has to be kept.
        clock_t: Plant nanoseconds now.
    """

    def __init__(
        self, keep: Keep, needed: Callable[[Event], bool] = keep_all, clock_t: Callable[[], int] = lambda: 0
    ) -> None:
        self._keep, self._needed, self._now = keep, needed, clock_t
        self._waiting: list[Entry] | None = None
        self._failure: Exception | None = None
        self._sessions: dict[str, dict[Hashable, _Tally | None]] = {}  # None: needed
        self._running: dict[_Tally, None] = {}

    @classmethod
    def of(cls, sink: Sink) -> Polls:
        """The sink itself when it counts polls, else one before it that counts none and hands on event by event."""
        return sink if isinstance(sink, cls) else cls(one_by_one(sink))

    def gather(self) -> None:
        """From now on events wait for `settle`."""
        self._waiting, self._failure = [], None

    def settle(self) -> None:
        """Keep what waited.

        Raises:
            EvidenceError: something since `gather` could not be kept.
        """
        waiting, self._waiting = self._waiting, None
        if self._failure is not None:
            raise self._failure
        if waiting:
            self._keep(waiting)

    def __call__(self, event: Event) -> None:
        """Hand an event on.

        Raises:
            EvidenceError: it, or what was counted before it, could not be kept.
        """
        try:
            if event.kind != "read" and self._running:
                if event.protocol == "lab":
                    self.tell()
                else:
                    self._tell_of(event.session)
        finally:
            self._hand(event)
        if event.kind in _ENDS:
            self._sessions.pop(event.session, None)

    def encoded(self, body: bytes, session: str = "") -> None:
        """Hand on the JSON of an event, as `labsim.evidence.encoding.Template.body` gives it.

        Args:
            body: Of a read; of a write, when there is a ``session``.
            session: Whose reads are told first.

        Raises:
            EvidenceError: it, or what was counted before it, could not be kept.
        """
        try:
            if session and self._running:
                self._tell_of(session)
        finally:
            self._hand(body)

    def _hand(self, entry: Entry) -> None:
        """Even when what comes before it could not be kept: a request may have changed the plant before it is told."""
        if self._waiting is None or self._failure is not None:
            self._keep((entry,))
        else:
            self._waiting.append(entry)

    def _tell_of(self, session: str) -> None:
        for tally in self._sessions.get(session, _NONE).values():
            if tally is not None:
                self._tell(tally)

    def begin(self, event: Event, shape: Hashable) -> None:
        """A good read was handed on: others of its session with the same ``shape`` are counted from now on, unless needed.

        Args:
            event: The read.
            shape: What it asked for, in the protocol's own terms: equal for reads that ask for the same.
        """
        shapes = self._sessions.setdefault(event.session, {})
        if shape not in shapes and len(shapes) < _SHAPES_KEPT:
            shapes[shape] = None if self._needed(event) else _Tally(event, self._now())

    def again(self, session: str, shape: Hashable) -> bool | None:
        """Count a good read if that is enough; False when it is needed, None when there was none like it: keep it, `begin`.

        Raises:
            EvidenceError: what was counted in the second before could not be kept.
        """
        tally = self._sessions.get(session, _NONE).get(shape, _NEVER)
        if tally is None:
            return False
        if tally is _NEVER:
            return None
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
        poll = Event(
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
        # Not among what waits: a poll that could not be kept is still counted.
        waiting = self._waiting or ()
        try:
            self._keep((*waiting, poll))
        except Exception as error:
            self._failure = error
            raise
        if waiting:
            self._waiting = []
        tally.reads = tally.longest = tally.until = 0
        tally.shortest = -1
        self._running.pop(tally, None)


def one_by_one(sink: Sink) -> Keep:
    """Keeps in a sink that takes one event at a time."""

    def keep(entries: Sequence[Entry]) -> None:
        for entry in entries:
            sink(_decode(entry + b"}") if isinstance(entry, bytes) else entry)

    return keep
