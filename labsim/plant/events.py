"""What devices tell of themselves: one log of the plant, for every protocol that shows events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from labsim.plant.tags import Value
from labsim.text import Text

KEPT = 10_000
"""Occurrences that the log remembers."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened at a device.

    Attributes:
        number: From 1, over the whole plant; a run that is repeated gives the same numbers.
        t_ns: Simulated nanoseconds.
        device: Path of the device.
        name: The event's name in the interface, or the alarm's.
        message: For people.
        severity: 1 to 1000 (OPC 10000-5 §6.4.2).
        fields: What this event says more.
        alarm: What an alarm looks like from now on; None for an event of the device itself.
    """

    number: int
    t_ns: int
    device: str
    name: str
    message: Text
    severity: int
    fields: Mapping[str, Value] = field(default_factory=dict)
    alarm: object = None


class EventLog:
    """The last occurrences in order of time, and who wants to hear of new ones."""

    def __init__(self) -> None:
        self._kept: deque[Occurrence] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[Occurrence], None]] = []
        self._number = 0

    def __iter__(self) -> Iterator[Occurrence]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def listen(self, listener: Callable[[Occurrence], None]) -> None:
        """Call ``listener`` with every new occurrence."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[Occurrence], None]) -> None:
        """Call it no more."""
        self._listeners.remove(listener)

    def next_number(self) -> int:
        """The number of the occurrence that comes next."""
        return self._number + 1

    def add(self, occurrence: Occurrence) -> None:
        """Keep an occurrence that has `next_number`, and tell of it."""
        assert occurrence.number == self._number + 1
        self._number += 1
        self._kept.append(occurrence)
        for listener in self._listeners:
            listener(occurrence)
