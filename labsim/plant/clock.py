"""Simulated time: fixed steps, paced by the wall clock times the speed, never skipping one.

The plant itself knows only the step; where the wall clock stands inside a step matters only to evidence, which wants a finer
time than 100 ms. A step that starts late is counted, never dropped: the plant falls behind instead of losing a tick.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

STEP_NS = 100_000_000
MAX = 1e6
"""The speed that means: as fast as it goes. No step waits for the wall clock, and none is late."""
_TURN = 20
"""Steps at that speed between two turns of the event loop."""
_TIMER_GRAIN_NS = 20_000_000


class SimClock:
    """The plant's time. It stands still until `run`, while paused, and after `run` has ended.

    Args:
        speed: Simulated seconds per wall second, over 0.
        utc_ns: The UTC time that simulated time 0 stands for.
        monotonic: The source of wall nanoseconds; tests pass their own.

    Attributes:
        step: Steps completed since the start.
        late_steps: Steps that began more than half a step (wall time, but at least 20 ms, which is the grain of a desktop's
            timer) after they were due.
        behind_ns: How late the current step began, in plant nanoseconds; 0 when it was on time.
        paused: Whether the plant is frozen.
    """

    def __init__(
        self, speed: float = 1.0, utc_ns: int | None = None, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        assert speed > 0
        self.speed = speed
        self.utc_origin_ns = time.time_ns() if utc_ns is None else utc_ns
        self.step = 0
        self.late_steps = 0
        self.behind_ns = 0
        self.paused = False
        self._monotonic = monotonic
        self._began: int | None = None  # wall time at which the current step began; None while time stands still
        self._inside_ns = 0  # how far inside the step time stands still
        self._shift = asyncio.Event()

    @property
    def step_s(self) -> float:
        """Length of a step in simulated seconds."""
        return STEP_NS / 1e9

    @property
    def step_time_ns(self) -> int:
        """Simulated time at the last completed step."""
        return self.step * STEP_NS

    def now_ns(self) -> int:
        """Simulated time now, inside the current step; never beyond the next one, never backwards."""
        if self._began is None:
            return self.step_time_ns + self._inside_ns
        inside = int((self._monotonic() - self._began) * self.speed)
        if inside < 0:  # spelt out: every event asks
            inside = 0
        elif inside >= STEP_NS:
            inside = STEP_NS - 1
        return self.step * STEP_NS + inside

    def utc_ns(self, sim_ns: int) -> int:
        """UTC nanoseconds that simulated time ``sim_ns`` stands for."""
        return self.utc_origin_ns + sim_ns

    def tick(self) -> None:
        """Count one completed step."""
        self.step += 1
        self._inside_ns = 0
        if self._began is not None:
            self._began = self._monotonic()

    def pause(self) -> None:
        """Freeze the plant where it stands: no step until `resume`."""
        self._stand()
        self.paused = True
        self._shift.set()

    def resume(self) -> None:
        """Go on from where the plant was frozen; the step that was begun is finished first."""
        self.paused = False
        self._shift.set()

    def _stand(self) -> None:
        self._inside_ns, self._began = self.now_ns() - self.step_time_ns, None

    def _flow(self) -> int:
        self._began = self._monotonic() - int(self._inside_ns / self.speed)
        return self._began

    async def run(self, advance: Callable[[], None], until_step: int | None = None) -> None:
        """Call ``advance`` once per step at absolute deadlines until ``until_step`` or cancellation."""
        period = STEP_NS / self.speed
        late = max(period / 2, _TIMER_GRAIN_NS)
        origin, base = 0, 0
        try:
            while until_step is None or self.step < until_step:
                if self.paused:
                    self._shift.clear()
                    await self._shift.wait()
                    continue
                if self._began is None:
                    origin, base = self._flow(), self.step
                if self.speed >= MAX:
                    advance()
                    if self.step % _TURN == 0:
                        await asyncio.sleep(0)
                    continue
                ahead = origin + (self.step - base + 1) * period - self._monotonic()
                if ahead > 0:
                    await asyncio.sleep(ahead / 1e9)
                    continue  # the plant may have been frozen meanwhile
                self.late_steps += -ahead > late
                self.behind_ns = round(-ahead * self.speed)
                advance()
                await asyncio.sleep(0)  # a plant that is behind still lets its clients in
        finally:
            self._stand()
