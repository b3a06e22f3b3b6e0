"""A link: the network between one endpoint and its clients, good until somebody impairs it."""

from __future__ import annotations

import asyncio
import random
from weakref import WeakSet

from labsim.endpoints.endpoint import ProtocolFactory
from labsim.endpoints.link.impairment import Impairment
from labsim.endpoints.link.line import Line
from labsim.endpoints.link.pipe import Shape

_SHUT = Shape(shut=True)


class Link:
    """What an endpoint's listeners put every new connection behind, with `guard`.

    Several impairments may be in force; for a client the one that began last counts, and when it ends the one before it. A
    connection of a good link costs nothing; see `Line`.

    Args:
        seed: What jitter is drawn from.
        speed: Plant seconds per wall second; impairments are in plant time.

    Attributes:
        lines: The connections.
    """

    def __init__(self, *, seed: str | int = 0, speed: float = 1.0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._speed = speed
        self._active: list[Impairment] = []
        self._down: set[Impairment] = set()
        self._turns: dict[Impairment, asyncio.TimerHandle] = {}
        self.lines: WeakSet[Line] = WeakSet()

    def guard(self, factory: ProtocolFactory) -> ProtocolFactory:
        """A factory for a listener, whose connections stand behind this link."""
        return lambda: Line(self, factory)

    @property
    def active(self) -> tuple[Impairment, ...]:
        """The impairments in force, in the order in which they began."""
        return tuple(self._active)

    def begin(self, impairment: Impairment) -> None:
        """Impair the link until `end`."""
        self._active.append(impairment)
        if impairment.state == "flap":
            self._turn(impairment, down=True)
        elif impairment.state == "reset":
            for line in self._concerned(impairment):
                line.reset()
        self._apply(impairment)

    def end(self, impairment: Impairment) -> None:
        """End an impairment; what it held goes on its way. Nothing happens when it is not in force."""
        if impairment not in self._active:
            return
        self._active.remove(impairment)
        self._down.discard(impairment)
        if impairment in self._turns:
            self._turns.pop(impairment).cancel()
        self._apply(impairment)

    def shut(self) -> None:
        """End everything at once, because the endpoint is about to close; what was on its way is lost."""
        for timer in self._turns.values():
            timer.cancel()
        self._turns.clear()
        self._down.clear()
        self._active.clear()
        for line in list(self.lines):
            line.shut()

    # What lines ask.

    def impairment(self, host: str) -> Impairment | None:
        """What counts for a client now; None when its link is good."""
        for impairment in reversed(self._active):
            if impairment.concerns(host) and (impairment.state != "flap" or impairment in self._down):
                return impairment
        return None

    def shape(self, impairment: Impairment) -> Shape:
        """What an impairment does to each direction of a connection."""
        if impairment.state in ("black-hole", "flap"):
            return _SHUT
        if impairment.state == "slow":
            return Shape(lag=lambda: self._lag(impairment))
        if impairment.state == "throttle":
            return Shape(rate=impairment.rate * self._speed)
        return Shape()

    def _lag(self, impairment: Impairment) -> float:
        spread = impairment.jitter and self._random.uniform(-impairment.jitter, impairment.jitter)
        return max(0.0, impairment.delay + spread) / self._speed

    def _turn(self, impairment: Impairment, *, down: bool) -> None:
        (self._down.add if down else self._down.discard)(impairment)
        part = 1.0 - impairment.duty if down else impairment.duty
        wait = impairment.period * part / self._speed
        loop = asyncio.get_running_loop()
        self._turns[impairment] = loop.call_later(wait, self._turn_over, impairment, not down)

    def _turn_over(self, impairment: Impairment, down: bool) -> None:
        self._turn(impairment, down=down)
        self._apply(impairment)

    def _concerned(self, impairment: Impairment) -> list[Line]:
        return [line for line in self.lines if impairment.concerns(line.host)]

    def _apply(self, impairment: Impairment) -> None:
        for line in self._concerned(impairment):
            line.impair(self.impairment(line.host))
