"""A plant that is run again with the journalled inputs comes to the same state, calls and alarms too."""

from __future__ import annotations

import devices
from labsim.evidence.event import Record
from labsim.lab.inputs import Inputs, is_input
from labsim.plant.clock import STEP_NS, SimClock
from labsim.plant.plant import Plant

CALL = {"name": "replace_tool", "arguments": [1], "node": "n", "method": "m", "results": []}


def record(kind: str, step: int, status: int = 0, **fields: object) -> Record:
    """A record that came just after a step."""
    return Record(
        kind=kind,
        protocol="opcua",
        seq=step + 1,
        t=step * STEP_NS + 1,
        w=0,
        m=0,
        device="mill1",
        status=status,
        **fields,
    )  # type: ignore[arg-type]  # a test's word


def plant() -> Plant:
    """A mill whose tool 1 is nearly worn."""
    made = Plant(7, SimClock(utc_ns=0))
    made.add("mill1", devices.load("cnc-mill"), {"tool_life": 1, "warm_up": 0, "stops_per_hour": 0})
    made.start()
    return made


def test_calls_and_acts_are_done_again() -> None:
    """A call at a step, an acknowledgement and a shelving: the same occurrences, the same store."""
    live = plant()
    journal: list[Record] = []
    alarm = live.alarms["mill1.tool1_life"]
    while not alarm.state.active:
        live.advance()
    journal.append(
        record("acknowledge", live.clock.step, user="ann", detail={"condition": alarm.path, "comment": "seen"})
    )
    assert alarm.act("acknowledge", user="ann", comment="seen") == ""
    shelve = {"condition": alarm.path, "action": "shelve", "seconds": 3.0}
    journal.append(record("condition", live.clock.step, detail=shelve))
    assert alarm.act("shelve", seconds=3.0) == ""
    while live.devices["mill1"]["program_state"] != 2:
        live.advance()
    journal.append(record("call", live.clock.step, detail=CALL))
    assert live.devices["mill1"].call("replace_tool", [1])[0] == 0
    for _ in range(50):
        live.advance()
    again = plant()
    Inputs(again, journal).advance_to(live.clock.step)
    assert list(again.events) == list(live.events)
    assert again.alarms[alarm.path].state == alarm.state
    assert again.store.value.tobytes() == live.store.value.tobytes()


def test_what_was_refused_is_no_input() -> None:
    """Nor is a method that no device does."""
    assert not is_input(record("call", 1, status=0x80AF0000, detail=CALL))
    assert not is_input(record("call", 1, detail={"arguments": []}))
    assert not is_input(record("history-read", 1))
    assert is_input(record("condition", 1))
