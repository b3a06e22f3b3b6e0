"""What flows between devices: parts through a buffer, supplies such as power or air, and the signals of a station.

A device type names its **ports** in its interface; a scenario or a ready plant joins an outlet to an inlet by a **flow**. A port
that nothing is joined to is an open end: an inlet then brings new parts for ever and is fully supplied, an outlet takes all.
So a behaviour is written once, whether its machine stands in a line or alone.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import simpy

from labsim.plant.tags import Value


@dataclass(slots=True, eq=False)
class Part:
    """One part, carton, board or pallet on its way.

    Attributes:
        identity: Unique in the plant; what a code on it says.
        product: What it is to become.
        born_s: Plant time at which it entered the line.
        good: False once a station has found or made it bad.
        marks: What stations did to it, such as a fill weight, by name.
        trail: Which station had it, and from when, in order.
    """

    identity: str
    product: str = ""
    born_s: float = 0.0
    good: bool = True
    marks: dict[str, Value] = field(default_factory=dict)
    trail: list[tuple[str, float]] = field(default_factory=list)


class Lane:
    """A buffer of parts between two stations, first in, first out.

    A station that finds it full is blocked, one that finds it empty is starved; both wait in the order they came.

    Args:
        env: The plant's SimPy environment.
        capacity: Parts it holds at most.
        endless: An open inlet: never empty, makes parts named ``<endless>-<n>``. An open outlet: ``sink``.
        sink: Takes every part away at once.

    Attributes:
        passed: Parts that left it.
    """

    def __init__(
        self, env: simpy.Environment, capacity: float = math.inf, *, endless: str = "", sink: bool = False
    ) -> None:
        self.env, self.capacity, self.sink = env, capacity, sink
        self._endless, self._made = endless, 0
        self._parts: deque[Part] = deque()
        self._getters: deque[simpy.Event] = deque()
        self._putters: deque[tuple[simpy.Event, Part]] = deque()
        self.passed = 0

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def full(self) -> bool:
        """Whether a part put now would have to wait."""
        return not self.sink and len(self._parts) >= self.capacity

    @property
    def empty(self) -> bool:
        """Whether whoever takes a part now would have to wait."""
        return not self._parts and not self._endless

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is in it, the oldest first."""
        return tuple(self._parts)

    def put(self, part: Part) -> simpy.Event:
        """An event that happens when the part is in."""
        event = self.env.event()
        self._putters.append((event, part))
        self._settle()
        return event

    def get(self) -> simpy.Event:
        """An event that happens with the next part as its value."""
        event = self.env.event()
        self._getters.append(event)
        self._settle()
        return event

    def cancel(self, event: simpy.Event) -> None:
        """Whoever waited with ``event`` waits no more; nothing when it already happened."""
        self._getters = deque(waiting for waiting in self._getters if waiting is not event)
        self._putters = deque(entry for entry in self._putters if entry[0] is not event)

    def _settle(self) -> None:
        while True:
            if self._putters and not self.full:
                event, part = self._putters.popleft()
                if self.sink:
                    self.passed += 1
                else:
                    self._parts.append(part)
                event.succeed()
            elif self._getters and not self.empty:
                self._getters.popleft().succeed(self._next())
                self.passed += 1
            else:
                return

    def _next(self) -> Part:
        if self._parts:
            return self._parts.popleft()
        self._made += 1
        return Part(f"{self._endless}-{self._made:05d}", born_s=float(self.env.now))


class Supply:
    """A quantity that one device gives another all the time: power, air, water, coolant.

    Attributes:
        demand: What the receiver draws now (kW, m³/h, l/min as the port's title says); the receiver sets it.
        level: What the giver offers (1 for power that is on, bar for air and water); the giver sets it.
    """

    __slots__ = ("demand", "level")

    def __init__(self, level: float = 1.0) -> None:
        self.demand, self.level = 0.0, level


class TimeClass(IntEnum):
    """What a work unit does with its time; every second belongs to exactly one."""

    IDLE = 0
    """Planned, but nobody wants parts: stopped, ready or complete."""
    PRODUCING = 1
    SETUP = 2
    """Start-up, change of recipe, clearing up."""
    STARVED = 3
    """No part or material comes."""
    BLOCKED = 4
    """The part cannot leave."""
    MINOR_STOP = 5
    DOWN = 6
    """A fault, an emergency stop or an operator's hold."""
    PLANNED = 7
    """Maintenance or manual work that was planned."""


class Signals:
    """What a work unit tells a monitor: how it spends its time, and what it has made.

    Attributes:
        doing: What it does now.
        made: Parts worked on.
        bad: Those of them that are not good.
        reworked: Those that were worked on twice.
    """

    __slots__ = ("_env", "_seconds", "_since", "bad", "doing", "made", "reworked")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._seconds = [0.0] * len(TimeClass)
        self._since = float(env.now)
        self.doing = TimeClass.IDLE
        self.made = self.bad = self.reworked = 0

    def enter(self, doing: TimeClass) -> None:
        """From now on the unit does this."""
        if doing != self.doing:
            self._seconds[self.doing] += self._env.now - self._since
            self._since, self.doing = float(self._env.now), doing

    def seconds(self) -> list[float]:
        """How long the unit did what, by `TimeClass`; their sum is the time since the start."""
        found = list(self._seconds)
        found[self.doing] += self._env.now - self._since
        return found


Flow = Lane | Supply | Signals
Taking = Generator[simpy.Event, Any, Part]
