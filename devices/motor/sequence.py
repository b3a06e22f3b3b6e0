"""The state machine behind a control word: off, ready, enabled, in operation, and the three ways to stop.

PROFIdrive and the profiles made after it (the ABB Drives profile) agree in bits 0 to 7: OFF1, OFF2, OFF3, enable operation,
ramp output, ramp, ramp input, reset.
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Where a drive is on its way to operation."""

    SWITCH_ON_INHIBITED = 0
    NOT_READY = 1
    READY_TO_SWITCH_ON = 2
    READY_TO_OPERATE = 3
    OPERATION_ENABLED = 4  # the ramp's output is held at zero
    RAMP_OUTPUT_ENABLED = 5  # the ramp is held where it is
    RAMP_ENABLED = 6  # the ramp's input is held at zero
    OPERATION = 7
    OFF1_ACTIVE = 8
    OFF2_ACTIVE = 9
    OFF3_ACTIVE = 10
    FAULT = 11


_ENABLED = (State.OPERATION_ENABLED, State.RAMP_OUTPUT_ENABLED, State.RAMP_ENABLED, State.OPERATION)
_ON = (State.READY_TO_OPERATE, *_ENABLED)
_STOPPABLE = (State.READY_TO_SWITCH_ON, *_ON, State.OFF1_ACTIVE)


def bit(word: int, number: int) -> bool:
    """One bit of a word."""
    return bool(word >> number & 1)


class Sequence:
    """Follows control words from state to state."""

    def __init__(self) -> None:
        self.state = State.SWITCH_ON_INHIBITED
        self._reset = False

    @property
    def enabled(self) -> bool:
        """Whether operation is enabled: the status bit 2 of the profiles."""
        return self.state in _ENABLED

    @property
    def ready(self) -> bool:
        """Whether it is switched on: the status bit 1."""
        return self.state in _ON

    def status_bits(self, word: int) -> tuple[bool, ...]:
        """Bits 0 to 6 of the status word, which the profiles share; ``word`` is the control word that is followed."""
        inhibited = self.state is State.SWITCH_ON_INHIBITED
        waits = inhibited or self.state in (State.NOT_READY, State.FAULT, State.OFF2_ACTIVE, State.OFF3_ACTIVE)
        return (
            not waits,
            self.ready,
            self.enabled,
            self.state is State.FAULT,
            bit(word, 1),
            bit(word, 2),
            inhibited,
        )

    def trip(self) -> None:
        """Go to FAULT."""
        self.state = State.FAULT

    def follow(self, word: int, *, standstill: bool, clear: bool = True) -> bool:
        """Take a control word; whether its reset (bit 7, 0 to 1) has just ended a fault. ``clear``: its cause is gone."""
        edge = bit(word, 7) and not self._reset
        self._reset = bit(word, 7)
        ended = edge and clear and self.state is State.FAULT
        if ended:
            self.state = State.SWITCH_ON_INHIBITED
        while (after := self._next(word, standstill)) is not self.state:
            self.state = after
        return ended

    def _next(self, word: int, standstill: bool) -> State:
        off1, off2, off3, run = (bit(word, number) for number in range(4))
        if self.state in (*_STOPPABLE, State.OFF3_ACTIVE) and not off2:
            return State.OFF2_ACTIVE
        if self.state in _STOPPABLE and not off3:
            return State.OFF3_ACTIVE
        match self.state:
            case State.SWITCH_ON_INHIBITED if not off1:
                return State.NOT_READY
            case State.NOT_READY if off2 and off3 and not off1:
                return State.READY_TO_SWITCH_ON
            case State.READY_TO_SWITCH_ON if off1:
                return State.READY_TO_OPERATE
            case State.OFF1_ACTIVE if standstill:
                return State.READY_TO_SWITCH_ON
            case State.OFF2_ACTIVE | State.OFF3_ACTIVE if standstill:
                return State.SWITCH_ON_INHIBITED
            case state if state in _ON:
                if not off1:
                    return State.OFF1_ACTIVE
                if not run:
                    return State.READY_TO_OPERATE
                open_to = next((number for number in (4, 5, 6) if not bit(word, number)), 7)
                return State(open_to)
        return self.state
