"""A disk that takes nothing for a while: what had happened by then waits in memory, everything else is refused.

A client's request changes the plant before its event is kept. When the disk refuses that event, the client gets no answer, but
the plant has changed: so the event is not forgotten, it is late. It is kept as soon as the disk takes it, with the plant time at
which it happened. The same goes for what plant and lab do by themselves in the step in which the disk fails, and for
connections that end meanwhile; nobody waits for an answer to those.
"""

from __future__ import annotations

import time
from collections.abc import Container, Sequence

import msgspec

from labsim.errors import DiskError
from labsim.evidence.event import PLANT, Entry, Event
from labsim.lab.inputs import is_input
from labsim.lab.ledger import Ledger

_FACTS = frozenset(("poll", "jitter", "incident", "probe", "rogue", "watchdog"))
_ENDS = frozenset(("close", "session-close"))
_BY_ITSELF = frozenset(("timeline", "condition"))
_TOLD_FIRST = frozenset(("fault", "watchdog"))
"""Inputs whose event comes before what they do: refused, they have not happened."""
_decode = msgspec.json.Decoder(Event).decode


class Outage:
    """One time in which the evidence takes nothing.

    Args:
        error: Why.
        t: Plant time at which it began; the plant stands from then on.
        by_hand: The plant was paused already, by somebody.

    Attributes:
        since_ns: Wall time of its beginning, UTC nanoseconds.
        refused: Events that were not kept and never will be: nobody got an answer to them.
        late: Events with their plant time that are kept when the disk takes them.
        sample: Whether a sample of the history is late, too.
        told: Its incident is in the journal.
    """

    def __init__(self, error: DiskError, t: int, *, by_hand: bool) -> None:
        self.error, self.t, self.by_hand = error, t, by_hand
        self.since_ns = time.time_ns()
        self.refused = 0
        self.late: list[tuple[int, Event]] = []
        self.sample = self.told = False

    def take(self, entries: Sequence[Entry], t: int, connected: Container[str]) -> bool:
        """Take in events that came together; whether nobody waits for an answer to any of them.

        Args:
            entries: The events.
            t: Plant time.
            connected: Sessions whose beginning was kept.
        """
        events = [_decode(entry + b"}") if isinstance(entry, bytes) else entry for entry in entries]
        alone = all(_by_itself(event) for event in events)
        for event in events:
            if event.kind == "close" and event.session not in connected:
                self.refused += 1  # so was its beginning
            elif _has_happened(event) or (alone and _by_itself(event)):
                self.late.append((t, event))
            elif event.kind != "poll":  # what a poll counts is still counted when it is refused
                self.refused += 1
        return alone

    def make_up(self, ledger: Ledger) -> int:
        """Keep what waited, after an incident that tells of it; the events refused since the last such incident.

        After a failure it can be tried again, and goes on where it was.

        Raises:
            DiskError: the disk takes nothing yet.
            EvidenceError: nothing can be kept any more.
        """
        refused = self.refused
        if refused or self.late or not self.told:
            ledger.tell_refused(refused, len(self.late), str(self.error), self.since_ns, self.t)
            self.refused, self.told = 0, True
        while self.late:
            t, event = self.late[0]
            ledger.write((event,), t)
            del self.late[0]
        if self.sample:
            ledger.sample()
            self.sample = False
        if not self.by_hand:
            ledger.write([_pause("begin"), _pause("end")])
        return refused


def _pause(phase: str) -> Event:
    return Event(kind="pause", protocol="lab", detail={"phase": phase, "reason": "the disk took nothing"})


def _by_itself(event: Event) -> bool:
    """Whether plant or lab did it by themselves, or a connection ended: whoever tells it waits for nothing."""
    if event.kind in ("fault", "setting"):
        return event.detail.get("by") in _BY_ITSELF
    return event.kind in _FACTS or event.kind in _ENDS or (event.kind == "publish" and event.app == PLANT)


def _has_happened(event: Event) -> bool:
    """Whether it had happened before it was told, and cannot be taken back."""
    return event.kind in _ENDS or (event.kind not in _TOLD_FIRST and is_input(event))
