"""Nothing happens in a lab without evidence: it is kept, or the plant stands until the disk takes it, or the lab ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from labsim.errors import DiskError, EvidenceError
from labsim.evidence.event import Entry, Event
from labsim.evidence.polls import WINDOW_NS, Polls
from labsim.lab.ledger import Ledger
from labsim.lab.outage import Outage
from labsim.plant.plant import Plant

RETRY_S = 1.0
"""Wall seconds after which a disk that took nothing is tried again."""
_log = logging.getLogger(__name__)


class Keeper:
    """Keeps what happens in a lab, and lets its plant wait for a disk that takes nothing.

    Args:
        ledger: Where it is kept.
        plant: Stands while nothing can be kept.
        needed: Whether a read has to be kept one by one.
        stopping: Set when nothing can be kept any more.

    Attributes:
        polls: The sink of every endpoint.
        outage: The disk takes nothing just now.
        failure: Why nothing can be kept any more.
    """

    def __init__(self, ledger: Ledger, plant: Plant, needed: Callable[[Event], bool], stopping: asyncio.Event) -> None:
        self._ledger, self._plant, self._stopping = ledger, plant, stopping
        self.polls = Polls(self.keep, needed, plant.clock.now_ns)
        self.outage: Outage | None = None
        self.failure: EvidenceError | None = None
        self._patient = False
        self._waiting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """From now on the plant runs, and can wait for a disk."""
        self._patient = True

    def end(self) -> None:
        """From now on nothing can wait."""
        self._patient = False
        if self._waiting is not None:
            self._waiting.cancel()

    def fail(self, error: EvidenceError) -> None:
        """Nothing can be kept any more: the lab has to stop."""
        self.failure = self.failure or error
        self._stopping.set()

    # ---- what is kept ----

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep events that came together.

        Raises:
            DiskError: they could not be kept; the plant stands until the disk takes them, since nothing may happen
                without evidence. What had happened already is kept then, see `labsim.lab.outage`.
            EvidenceError: nothing can be kept any more, and the lab stops.
        """
        outage = self.outage
        if outage is None:
            try:
                self._ledger.write(entries)
            except DiskError as error:
                outage = self._begin_outage(error)
            except EvidenceError as error:
                self.fail(error)
                raise
            else:
                return
        if not outage.take(entries, self._plant.clock.now_ns(), self._ledger.clients):
            raise outage.error

    def note(self, kind: str, **fields: Any) -> None:
        """Keep an event of the lab itself, as `keep` does."""
        self.polls(Event(kind=kind, protocol="lab", **fields))

    def sample(self) -> None:
        """Record the values of the step that was; they are late if the disk does not take them.

        Raises:
            EvidenceError: nothing can be kept any more.
        """
        try:
            self._ledger.sample()
        except DiskError as error:
            self._begin_outage(error).sample = True

    def tell_polls(self) -> None:
        """At the end of a second of plant time, tell what was counted in it."""
        now = self._plant.clock.step_time_ns
        if now % WINDOW_NS == 0:
            self.polls.tell(now)

    def snapshot_handin(self) -> None:
        """Keep what is new in the hand-in folder.

        Raises:
            DiskError: it could not be kept; the plant stands until the disk takes it, and a later snapshot finds it.
        """
        try:
            self._ledger.snapshot_handin()
        except DiskError as error:
            self._begin_outage(error)
            raise

    # ---- a disk that takes nothing ----

    def _begin_outage(self, error: DiskError) -> Outage:
        """The disk takes nothing: freeze the plant, and try once a second until it does.

        Raises:
            DiskError: the lab does not run yet, or no more; then nothing can wait.
        """
        if self.outage is not None:
            return self.outage
        if not self._patient:
            self.fail(error)
            raise error
        clock = self._plant.clock
        self.outage = Outage(error, clock.now_ns(), by_hand=clock.paused)
        self._plant.freeze()
        _log.error("the plant is paused: %s The lab then goes on by itself.", error)
        self._waiting = asyncio.get_running_loop().create_task(self._wait_for_disk(), name="disk")
        return self.outage

    async def _wait_for_disk(self) -> None:
        while self.outage is not None:
            await asyncio.sleep(RETRY_S)
            self.go_on()

    def go_on(self) -> None:
        """Try whether the disk takes evidence again; if it does, keep what is late and let the plant go on.

        Afterwards `outage` is None, unless the disk takes nothing still; `failure` says whether the lab has to stop instead.
        """
        outage = self.outage
        if outage is None:
            return
        try:
            refused = outage.make_up(self._ledger)
        except DiskError as error:
            outage.error = DiskError(outage.error.place, error.reason)  # where it began, and why it still is so
            return
        except EvidenceError as error:
            self.outage = None
            self.fail(error)
            return
        self.outage = None
        _log.warning("the disk takes evidence again, and the lab goes on; %d events were refused", refused)
        if not outage.by_hand:
            self._plant.thaw()
