"""The PackML state machine as a pure table (ISA-TR88.00.02-2015; transitions as in the nodeset of OPC 30050 v1.01).

`State` has the numbers of OPC 30050 (StateNumber). OPC 30060, for tobacco machines, numbers the same states otherwise: `TMC`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class State(IntEnum):
    """The 17 states, numbered as the StateNumber of OPC 30050."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Command(IntEnum):
    """CntrlCmd of the PackTags."""

    UNDEFINED = 0
    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


class Mode(IntEnum):
    """Unit modes of OPC 30050."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3


S = State
TMC: Mapping[State, int] = {
    S.STOPPED: 0, S.RESETTING: 1, S.IDLE: 2, S.STARTING: 3, S.EXECUTE: 4, S.COMPLETING: 5, S.COMPLETE: 6, S.ABORTING: 7,
    S.ABORTED: 8, S.STOPPING: 9, S.CLEARING: 10, S.SUSPENDING: 11, S.SUSPENDED: 12, S.UNSUSPENDING: 13, S.HOLDING: 14,
    S.HELD: 15, S.UNHOLDING: 16,
}  # fmt: skip
"""StateEnumeration of OPC 30060 v2.00 §11.9."""

COMPLETES: Mapping[State, State] = {
    S.CLEARING: S.STOPPED, S.STARTING: S.EXECUTE, S.EXECUTE: S.COMPLETING, S.STOPPING: S.STOPPED, S.ABORTING: S.ABORTED,
    S.HOLDING: S.HELD, S.UNHOLDING: S.EXECUTE, S.SUSPENDING: S.SUSPENDED, S.UNSUSPENDING: S.EXECUTE,
    S.RESETTING: S.IDLE, S.COMPLETING: S.COMPLETE,
}  # fmt: skip
"""Where an acting state goes by itself when its work is done ("state complete"); the other states wait for a command."""

_UNCLEARED = frozenset({S.ABORTING, S.ABORTED})
_NOT_RUNNING = _UNCLEARED | {S.CLEARING, S.STOPPING, S.STOPPED}
_HOLDS = (S.EXECUTE, S.STARTING, S.SUSPENDING, S.SUSPENDED, S.UNSUSPENDING, S.UNHOLDING)

TRANSITIONS: Mapping[Command, Mapping[State, State]] = {
    Command.RESET: {S.STOPPED: S.RESETTING, S.COMPLETE: S.RESETTING},
    Command.START: {S.IDLE: S.STARTING},
    Command.STOP: {state: S.STOPPING for state in State if state not in _NOT_RUNNING},
    Command.HOLD: dict.fromkeys(_HOLDS, S.HOLDING),
    Command.UNHOLD: {S.HELD: S.UNHOLDING},
    Command.SUSPEND: {S.EXECUTE: S.SUSPENDING},
    Command.UNSUSPEND: {S.SUSPENDED: S.UNSUSPENDING},
    Command.ABORT: {state: S.ABORTING for state in State if state not in _UNCLEARED},
    Command.CLEAR: {S.ABORTED: S.CLEARING},
    Command.COMPLETE: {S.EXECUTE: S.COMPLETING},
}
"""From where each command leads where; any other is refused."""

_SAFE = _NOT_RUNNING | {S.RESETTING, S.IDLE, S.STARTING, S.EXECUTE}
STATES: Mapping[Mode, frozenset[State]] = {
    Mode.PRODUCTION: frozenset(State),
    Mode.MAINTENANCE: _SAFE | {S.HOLDING, S.HELD, S.UNHOLDING},
    Mode.MANUAL: _SAFE,
}
"""States that a machine has in each mode."""

MODE_CHANGES = frozenset({S.STOPPED, S.IDLE, S.ABORTED})
"""States in which the mode may change."""


def after(state: State, command: Command, mode: Mode = Mode.PRODUCTION) -> State | None:
    """The state that a command leads to; None when it is refused here."""
    found = TRANSITIONS.get(command, {}).get(state)
    return found if found in STATES[mode] else None
