"""The coupler's own watchdog, set and asked over its registers."""

from __future__ import annotations

from enum import IntEnum

UNIT_S = 0.1
STOP_FIRST, STOP_THEN = 0xAAAA, 0x5555
STOP_AT_ONCE = (0xAA55, 0x55AA)
BIT_WRITES = (5, 15)
WORD_WRITES = (6, 16, 22, 23)


class State(IntEnum):
    """What the status register says."""

    OFF = 0
    RUNNING = 1
    EXPIRED = 2


class Watchdog:
    """Counts down from its time, in units of 100 ms, and expires unless it is triggered.

    In the usual mode function codes of the mask, or changed numbers in the trigger register, trigger it; once expired it refuses
    outputs until it is restarted. In the alternative mode every write triggers it, also after it has expired.

    Attributes:
        state: Off, running or expired.
        time: Time in units of 100 ms; 0 watches nothing.
        mask: Function codes that trigger it, code n at bit n - 1.
        alternative: The alternative mode.
        least: The least remaining time since the start, in units of 100 ms.
    """

    def __init__(self) -> None:
        self.state = State.OFF
        self.time, self.mask, self.alternative = 100, 0, False
        self.least = 0
        self._remaining_s = 0.0
        self._trigger = self._stop = 0

    @property
    def blocks(self) -> bool:
        """Whether outputs are refused."""
        return self.state is State.EXPIRED and not self.alternative

    def wrote(self, functions: tuple[int, ...]) -> None:
        """A client wrote, with one of these function codes."""
        if self.alternative or (not self.blocks and any(self.mask >> (code - 1) & 1 for code in functions)):
            self.start()

    def trigger(self, number: int) -> None:
        """The trigger register was written: a changed number other than 0 triggers."""
        changed, self._trigger = number not in (0, self._trigger), number
        if changed and not self.blocks:
            self.start()

    def start(self) -> None:
        """Begin, or begin again, to count down."""
        if not self.time:
            return
        if self.state is not State.RUNNING:
            self.least = self.time
        self.state, self._remaining_s = State.RUNNING, self.time * UNIT_S

    def stop(self, number: int) -> None:
        """The stop register was written: AAAA hex, then 5555 hex, stop it."""
        if self._stop == STOP_FIRST and number == STOP_THEN:
            self.state = State.OFF
        self._stop = number

    def stop_at_once(self, number: int) -> None:
        """The simple stop register was written."""
        if number in STOP_AT_ONCE:
            self.state = State.OFF

    def advance(self, dt: float) -> bool:
        """Go on for ``dt`` s; whether it has just expired."""
        if self.state is not State.RUNNING:
            return False
        self._remaining_s -= dt
        self.least = min(self.least, max(round(self._remaining_s / UNIT_S), 0))
        if self._remaining_s > 1e-9:
            return False
        self.state = State.EXPIRED
        return True
