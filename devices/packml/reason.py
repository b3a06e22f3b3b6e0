"""Why a machine stands, and what class of time that is."""

from __future__ import annotations

from enum import IntEnum

from devices.packml.state import Mode, State
from labsim.plant.flow import TimeClass


class Reason(IntEnum):
    """Stop reasons, as the tag ``stop_reason_id`` numbers them."""

    NONE = 0
    JAM = 1
    MINOR_STOP = 2
    BREAKDOWN = 3
    EMERGENCY_STOP = 4
    NO_MATERIAL = 5
    STARVED = 6
    BLOCKED = 7
    COMMAND = 8
    LOW_AIR = 9
    NO_POWER = 10
    CHANGEOVER = 11
    ORDER_COMPLETE = 12


_FAULTS = {Reason.JAM, Reason.BREAKDOWN, Reason.EMERGENCY_STOP, Reason.LOW_AIR, Reason.NO_POWER}
_BY_REASON = {
    Reason.NONE: TimeClass.PRODUCING,
    Reason.MINOR_STOP: TimeClass.MINOR_STOP,
    Reason.NO_MATERIAL: TimeClass.STARVED,
    Reason.STARVED: TimeClass.STARVED,
    Reason.BLOCKED: TimeClass.BLOCKED,
    Reason.CHANGEOVER: TimeClass.SETUP,
} | dict.fromkeys(_FAULTS, TimeClass.DOWN)
_SETUP = {State.STARTING, State.RESETTING, State.COMPLETING}
_EXECUTING = {State.EXECUTE, State.SUSPENDING, State.SUSPENDED, State.UNSUSPENDING}
_HOLDING = {State.HOLDING, State.HELD, State.UNHOLDING}


def time_class(state: State, mode: Mode, reason: Reason) -> TimeClass:
    """What a machine's time counts as. An operator's hold is a loss; a stop by command is no demand."""
    if mode is not Mode.PRODUCTION:
        return TimeClass.PLANNED
    if reason in _FAULTS:
        return TimeClass.DOWN
    if state in _EXECUTING and reason in _BY_REASON:
        producing = state is State.EXECUTE or reason is not Reason.NONE
        return _BY_REASON[reason] if producing else TimeClass.SETUP
    if state in _HOLDING:
        return TimeClass.DOWN
    if state in _SETUP:
        return TimeClass.SETUP
    return TimeClass.IDLE
