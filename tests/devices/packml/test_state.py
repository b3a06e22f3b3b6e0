"""The PackML state machine: every transition of ISA-TR88.00.02, and none besides."""

from __future__ import annotations

import pytest

from devices.packml.state import COMPLETES, MODE_CHANGES, STATES, TMC, Command, Mode, State, after

ALLOWED = {
    "stopped": "reset>resetting abort>aborting",
    "resetting": "stop>stopping abort>aborting",
    "idle": "start>starting stop>stopping abort>aborting",
    "starting": "hold>holding stop>stopping abort>aborting",
    "execute": "hold>holding suspend>suspending complete>completing stop>stopping abort>aborting",
    "completing": "stop>stopping abort>aborting",
    "complete": "reset>resetting stop>stopping abort>aborting",
    "holding": "stop>stopping abort>aborting",
    "held": "unhold>unholding stop>stopping abort>aborting",
    "unholding": "hold>holding stop>stopping abort>aborting",
    "suspending": "hold>holding stop>stopping abort>aborting",
    "suspended": "unsuspend>unsuspending hold>holding stop>stopping abort>aborting",
    "unsuspending": "hold>holding stop>stopping abort>aborting",
    "stopping": "abort>aborting",
    "clearing": "abort>aborting",
    "aborting": "",
    "aborted": "clear>clearing",
}


@pytest.mark.parametrize("state", State)
def test_a_state_takes_its_commands_and_refuses_every_other(state: State):
    """All 17 states times all commands, as the standard's diagram has them."""
    allowed = dict(move.split(">") for move in ALLOWED[state.name.lower()].split())
    for command in Command:
        target = allowed.get(command.name.lower())
        assert after(state, command) == (State[target.upper()] if target else None)


def test_acting_states_end_by_themselves_and_waiting_states_do_not():
    """State complete leads on from the eleven acting states; six wait for a command."""
    assert {state.name for state in State if state not in COMPLETES} == {
        "STOPPED", "IDLE", "SUSPENDED", "ABORTED", "HELD", "COMPLETE",
    }  # fmt: skip
    assert {state.name: target.name for state, target in COMPLETES.items()} == {
        "CLEARING": "STOPPED", "STOPPING": "STOPPED", "RESETTING": "IDLE", "STARTING": "EXECUTE",
        "UNHOLDING": "EXECUTE", "UNSUSPENDING": "EXECUTE", "HOLDING": "HELD", "SUSPENDING": "SUSPENDED",
        "ABORTING": "ABORTED", "EXECUTE": "COMPLETING", "COMPLETING": "COMPLETE",
    }  # fmt: skip


def test_both_numberings_name_every_state_once():
    """OPC 30050 counts 17 states from 1, OPC 30060 the same from 0; the well-known trap is that 2 is Stopped or Idle."""
    assert sorted(State) == list(range(1, 18))
    assert sorted(TMC.values()) == list(range(17))
    assert (State.STOPPED, TMC[State.STOPPED]) == (2, 0)
    assert (State.IDLE, TMC[State.IDLE]) == (4, 2)
    assert (State.EXECUTE, TMC[State.EXECUTE]) == (6, 4)
    assert (State.UNHOLDING, TMC[State.UNHOLDING]) == (12, 16)


@pytest.mark.parametrize("mode", Mode)
def test_no_command_leads_out_of_a_modes_states(mode: Mode):
    """In each mode, commands and state completion stay within its states, and every state can be left for Stopped."""
    for state in STATES[mode]:
        for command in Command:
            target = after(state, command, mode)
            assert target is None or target in STATES[mode]
        if state in COMPLETES and state is not State.EXECUTE:
            assert COMPLETES[state] in STATES[mode]
        seen, todo = set(), [state]
        while todo:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += [s for c in Command if (s := after(here, c, mode))] + [COMPLETES.get(here, here)]
        assert State.STOPPED in seen
    assert STATES[mode] >= MODE_CHANGES


def test_maintenance_has_no_suspend_and_manual_no_hold():
    """A command whose state a mode does not have is refused there."""
    assert after(State.EXECUTE, Command.SUSPEND, Mode.MAINTENANCE) is None
    assert after(State.EXECUTE, Command.HOLD, Mode.MAINTENANCE) is State.HOLDING
    assert after(State.EXECUTE, Command.HOLD, Mode.MANUAL) is None
    assert after(State.EXECUTE, Command.COMPLETE, Mode.MANUAL) is None
