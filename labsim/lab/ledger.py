"""What a running lab keeps as long as its disk takes it: events in the journal, values in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Entry, Event
from labsim.lab.clients import Clients
from labsim.lab.feed import Feed
from labsim.lab.recorder import Recorder
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant


class EvidenceClock:
    """Plant time of what is kept: now, or when something happened that is kept late."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._late_t: int | None = None

    def __call__(self) -> int:
        """Simulated nanoseconds."""
        return self._clock.now_ns() if self._late_t is None else self._late_t

    @contextmanager
    def at(self, t: int) -> Iterator[None]:
        """What is kept in here happened at plant time ``t``."""
        self._late_t = t
        try:
            yield
        finally:
            self._late_t = None


class Ledger:
    """Writes into the attempt of one lab, and tells whoever watches what was kept.

    Args:
        attempt: The attempt.
        clock: What it tells the time by.
        plant: Whose values are sampled.
        graded: Paths of the tags that checks look at.
        feed: Is handed each line of the journal.

    Attributes:
        clients: Whose connection is in the journal.
        watchers: Each is called with an event once it is kept; not with reads and writes that came encoded, which are
            most of a journal and change nothing for those who watch.
    """

    def __init__(
        self, attempt: Attempt, clock: EvidenceClock, plant: Plant, graded: AbstractSet[str], feed: Feed
    ) -> None:
        self._attempt, self._clock, self._plant, self._feed = attempt, clock, plant, feed
        self._recorder = Recorder(plant.store, attempt, graded)
        self.clients = Clients()
        self.watchers: list[Callable[[Event], None]] = [self.clients.see]

    def write(self, entries: Sequence[Entry], t: int | None = None) -> None:
        """Keep events that came together; ``t`` is the plant time at which they happened, now if it is not given.

        Raises:
            EvidenceError: none of them is kept.
        """
        if t is None:
            lines = self._attempt.write_all(entries)
        else:
            with self._clock.at(t):
                lines = self._attempt.write_all(entries)
        for entry in entries:
            if isinstance(entry, Event):
                for see in self.watchers:
                    see(entry)
        self._feed.push(lines)

    def tell_refused(self, count: int, late: int, error: str, since_ns: int, t: int) -> None:
        """Tell that events are taken again after none was; see `Attempt.tell_refused`. It stands at plant time ``t``.

        Raises:
            EvidenceError: they are not.
        """
        with self._clock.at(t):
            self._feed.push([self._attempt.tell_refused(count, late, error, since_ns)])

    def sample(self) -> None:
        """Record the values that changed, as of the step at which the plant is.

        Raises:
            EvidenceError: they are not kept; the same sample can be taken again.
        """
        self._recorder.sample(self._plant.clock.step)

    def snapshot_handin(self) -> None:
        """Keep what is new in the hand-in folder.

        Raises:
            EvidenceError: something could not be kept.
        """
        self._attempt.snapshot_handin()
