"""A PackML machine as clients and its surroundings drive it, shown on the filling machine."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.packml.reason import Reason
from devices.packml.state import COMPLETES, TMC, TRANSITIONS, Command, State, after
from labsim.plant import status
from labsim.plant.flow import Lane, Part, Signals, Supply, TimeClass

CALM = {"mtbf": 0, "minor_stops_per_hour": 0, "scrap_rate": 0}


@pytest.fixture
def machine(bench):
    """A bench with a machine that nobody attends, unless asked otherwise."""
    return lambda **settings: bench("filling-machine", **{**CALM, "auto_restart": False, **settings})


def until(machine, state, most=60.0):
    """Run until a state, not longer than so many seconds."""
    for _ in range(round(most * 10)):
        if machine.device.state is state:
            return machine.device
        machine.run(0.1)
    raise AssertionError(f"{machine.device.state.name} after {most} s, not {state.name}")


def executing(machine):
    """Reset and start."""
    assert machine.device.call("reset", ())[0] == status.GOOD
    until(machine, State.IDLE)
    assert machine.device.call("start", ())[0] == status.GOOD
    return until(machine, State.EXECUTE)


def brought_to(machine, state):
    """Bring a fresh machine into a state by commands alone."""
    ways = {
        State.RESETTING: ["reset"], State.IDLE: ["reset", State.IDLE], State.STARTING: ["reset", State.IDLE, "start"],
        State.STOPPING: ["reset", "stop"], State.ABORTING: ["abort"], State.ABORTED: ["abort", State.ABORTED],
        State.CLEARING: ["abort", State.ABORTED, "clear"], State.STOPPED: [],
    }  # fmt: skip
    running = {
        State.EXECUTE: [], State.HOLDING: ["hold"], State.HELD: ["hold", State.HELD],
        State.UNHOLDING: ["hold", State.HELD, "unhold"], State.SUSPENDING: ["suspend"],
        State.SUSPENDED: ["suspend", State.SUSPENDED], State.UNSUSPENDING: ["suspend", State.SUSPENDED, "unsuspend"],
        State.COMPLETING: ["to_complete"], State.COMPLETE: ["to_complete", State.COMPLETE],
    }  # fmt: skip
    if state in running:
        executing(machine)
    for step in ways.get(state) or running.get(state, []):
        if isinstance(step, State):
            until(machine, step)
        else:
            assert machine.device.call(step, ())[0] == status.GOOD, step
    assert machine.device.state is state
    return machine.device


METHODS = {
    Command.RESET: "reset", Command.START: "start", Command.STOP: "stop", Command.HOLD: "hold", Command.UNHOLD: "unhold",
    Command.SUSPEND: "suspend", Command.UNSUSPEND: "unsuspend", Command.ABORT: "abort", Command.CLEAR: "clear",
    Command.COMPLETE: "to_complete",
}  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_refuses_what_the_table_refuses(machine, state):
    """In each of the 17 states a refused command gets BadInvalidState and changes nothing."""
    device = brought_to(machine(), state)
    assert (device["state_current"], device["state_enumeration"]) == (state, TMC[state])
    for command, method in METHODS.items():
        if after(state, command) is None:
            assert device.call(method, ())[0] == status.BAD_INVALID_STATE
            assert device.state is state


@pytest.mark.parametrize("state", [state for state in COMPLETES if state is not State.EXECUTE])
def test_acting_states_complete_by_themselves(machine, state):
    """Each acting state goes on within some seconds to where the table says."""
    made = machine()
    brought_to(made, state)
    until(made, COMPLETES[state], most=5)


def test_a_command_is_a_value_and_a_change_request(machine):
    """The pair of PackTags works alone and in one write; a request for what cannot be is refused."""
    made = machine()
    store, tags = made.plant.store, made.device.tags
    assert made.write("cntrl_cmd", Command.RESET) == status.GOOD
    assert made.device.state is State.STOPPED
    assert made.write("cmd_change_request", True) == status.GOOD
    assert (made.device.state, made.device["cmd_change_request"]) == (State.RESETTING, False)
    until(made, State.IDLE)
    assert made.write("cmd_change_request", True) == status.BAD_INVALID_STATE
    both = [(tags["cntrl_cmd"].row, int(Command.START)), (tags["cmd_change_request"].row, True)]
    assert store.write_all(both) == status.GOOD
    assert made.device.state is State.STARTING
    until(made, State.EXECUTE)
    wrong = [(tags["cntrl_cmd"].row, int(Command.CLEAR)), (tags["cmd_change_request"].row, True)]
    assert store.write_all(wrong) == status.BAD_INVALID_STATE
    assert (made.device.state, made.device["cntrl_cmd"]) == (State.EXECUTE, Command.START)


def test_the_mode_changes_where_the_machine_stands(machine):
    """In Stopped, Idle and Aborted; and outside Production no part is made and the time is planned."""
    made = machine()
    device = made.device
    assert device.call("set_unit_mode", (9,))[0] == status.BAD_INVALID_ARGUMENT
    assert made.write("unit_mode", 2) == status.GOOD
    assert made.write("unit_mode_change_request", True) == status.GOOD
    assert device["unit_mode_current"] == 2
    executing(made)
    assert device.call("set_unit_mode", (1,))[0] == status.BAD_INVALID_STATE
    assert device.call("suspend", ())[0] == status.BAD_INVALID_STATE
    made.run(60)
    assert device["prod_consumed_count"] == 0
    device.call("stop", ())
    until(made, State.STOPPED)
    assert device.call("set_unit_mode", (1,))[0] == status.GOOD


def test_a_part_takes_a_cycle_and_hold_keeps_it(machine):
    """At 24 a minute a machine makes 24 a minute; held in the middle it goes on where it was."""
    made = machine()
    device = executing(made)
    made.run(120)
    assert device["prod_processed_count"] == pytest.approx(48, abs=2)
    assert device["cur_mach_speed"] == 24
    device.call("hold", ())
    made.run(60)
    count = int(device["prod_processed_count"])
    assert (device.state, device["cur_mach_speed"]) == (State.HELD, 0)
    device.call("unhold", ())
    until(made, State.EXECUTE)
    made.run(60)
    assert device["prod_processed_count"] - count == pytest.approx(24, abs=2)


def test_counts_and_times_add_up(machine):
    """Consumed = processed + the one inside; processed = good + defective; the states' times are the time that passed."""
    made = machine(scrap_rate=20, minor_stops_per_hour=40, mtbf=300, mttr=20, auto_restart=True)
    device = made.run(3000)
    assert device["prod_consumed_count"] - device["prod_processed_count"] in (0, 1)
    assert device["prod_processed_count"] == device["order_good"] + device["order_bad"]
    assert device["prod_defective_count"] == device["order_bad"] > 0
    lasted = sum(device._lasted.values()) + (device.now_s - device._entered) * (device.state in device._lasted)
    assert lasted == pytest.approx(3000, rel=0.1)  # the rest are acting states
    assert device["acc_time_since_reset"] == 2999 or device["acc_time_since_reset"] == 3000
    made.write("reset_counters", True)
    assert (device["prod_processed_count"], device["reset_counters"]) == (0, False)
    assert device["prod_processed_acc"] > 0


def test_an_order_is_complete_with_its_last_good_part(machine):
    """The machine goes to Complete by itself, tells it, and makes none more; a new order begins at nothing."""
    made = machine(scrap_rate=30)
    assert made.write("order_id", "A-17") == status.GOOD
    assert made.write("order_quantity", 10) == status.GOOD
    device = executing(made)
    assert made.write("order_quantity", 5) == status.BAD_INVALID_STATE
    until(made, State.COMPLETE, most=120)
    assert device["order_good"] == 10
    made.run(60)
    assert (device["order_good"], device["stop_reason_id"]) == (10, Reason.ORDER_COMPLETE)
    told = [one.fields for one in made.plant.events if one.name == "OrderCompleted"]
    assert told == [{"Order": "A-17", "Good": 10, "Defective": device["order_bad"]}]
    assert made.write("order_id", "A-18") == status.GOOD
    assert (device["order_good"], device["order_bad"]) == (0, 0)


def test_without_parts_it_suspends_and_comes_back(machine):
    """A starved machine says so at once, suspends after some seconds and executes again when a part comes."""
    made = machine()
    lane = Lane(made.plant.env, 5)
    made.device.flows["parts_in"].append(lane)  # as `Plant.connect` does
    device = executing(made)
    made.run(1)
    assert device["equipment_starved"]
    until(made, State.SUSPENDED, most=10)
    lane.put(Part("b1"))
    made.run(0.1)
    assert not device["equipment_starved"]
    until(made, State.EXECUTE, most=5)
    device.call("suspend", ())
    until(made, State.SUSPENDED)
    lane.put(Part("b2"))
    made.run(60)
    assert device.state is State.SUSPENDED  # by command: only a command brings it back


def test_an_emergency_stop_aborts_and_is_cleared_after_its_release(machine):
    """While the button is pressed Clear is refused; then clear, reset and start make parts again, none counted twice."""
    made = machine()
    device = executing(made)
    made.run(31)
    device.begin_fault("emergency-stop", {})
    until(made, State.ABORTED, most=5)
    inside = device["prod_consumed_count"] - device["prod_processed_count"]
    assert device["stop_reason_id"] == Reason.EMERGENCY_STOP
    assert device.call("clear", ())[0] == status.BAD_INVALID_STATE
    device.end_fault("emergency-stop")
    assert device.call("clear", ())[0] == status.GOOD
    until(made, State.STOPPED)
    executing(made)
    made.run(60)
    assert device["prod_consumed_count"] - device["prod_processed_count"] in (0, 1)
    assert inside in (0, 1)


def test_a_jam_holds_until_somebody_has_cleared_it(machine):
    """The fault holds the machine; after it an operator takes a while, and only then it stays in Execute."""
    made = machine()
    device = executing(made)
    device.begin_fault("jam", {})
    until(made, State.HELD)
    assert device["stop_reason_id"] == Reason.JAM
    assert device.call("unhold", ())[0] == status.GOOD
    until(made, State.HOLDING, most=5)
    until(made, State.HELD)
    device.end_fault("jam")
    made.run(50)
    assert device["stop_reason_id"] == Reason.COMMAND
    device.call("unhold", ())
    until(made, State.EXECUTE)
    made.run(10)
    assert device.state is State.EXECUTE


def test_minor_stops_leave_the_state_in_execute(machine):
    """With the fault, the machine stands again and again at speed 0 in Execute, for 5 to 40 s."""
    made = machine()
    device = executing(made)
    device.begin_fault("minor-stops", {"per_hour": 200})
    stood = []
    made.run(600, lambda d: stood.append((d.state, d["stop_reason_id"], d["cur_mach_speed"])))
    assert {state for state, _, _ in stood} == {State.EXECUTE}
    share = sum(reason == Reason.MINOR_STOP for _, reason, _ in stood) / len(stood)
    assert 0.3 < share < 0.8
    assert sum(speed == 0 for _, _, speed in stood) > 0.2 * len(stood)
    device.end_fault("minor-stops")


def test_an_operator_restarts_after_a_breakdown_but_not_what_a_client_stopped(machine):
    """Breakdowns abort; with an operator the machine comes back by itself, and after a client's stop it does not."""
    made = machine(auto_restart=True, mtbf=120, mttr=10)
    seen = set()
    device = made.run(1200, lambda d: seen.add(d.state))
    assert {State.ABORTED, State.CLEARING, State.RESETTING, State.STARTING, State.EXECUTE} <= seen
    assert device["prod_processed_count"] > 200
    until(made, State.EXECUTE, most=120)
    device.call("stop", ())
    made.run(120)
    assert device.state is State.STOPPED


def test_power_and_air_are_needed(machine):
    """Without power the machine aborts and draws nothing; low air holds it; demand follows what it does."""
    made = machine()
    device = executing(made)
    made.run(10)
    supply = device.supplies("power")[0]
    assert supply.demand == device.busy_kw
    assert device["power"] == pytest.approx(device.busy_kw, rel=0.1)
    supply.level = 0.0
    until(made, State.ABORTED)
    assert (device["stop_reason_id"], supply.demand) == (Reason.NO_POWER, 0)
    supply.level = 1.0
    made.run(1)
    assert supply.demand == device.idle_kw


def test_time_is_told_to_whoever_watches(machine):
    """Signals give every second to one class, and the parts that were made."""
    made = machine(minor_stops_per_hour=30, mtbf=200, mttr=10, auto_restart=True)
    signals = Signals(made.plant.env)
    made.device.watchers.append(signals)
    device = made.run(1500)
    seconds = signals.seconds()
    assert sum(seconds) == pytest.approx(1500)
    assert min(seconds[k] for k in (TimeClass.PRODUCING, TimeClass.MINOR_STOP, TimeClass.DOWN)) > 0
    assert (signals.made, signals.bad) == (device["prod_processed_count"], device["prod_defective_count"])


def test_a_fault_that_is_hidden_by_another_shows_when_that_is_over(machine):
    """A jam under an emergency stop holds the machine once the stop is released and cleared."""
    made = machine(auto_restart=True)
    device = made.run(30)
    device.begin_fault("jam", {})
    until(made, State.HELD)
    device.begin_fault("emergency-stop", {})
    until(made, State.ABORTED)
    device.end_fault("emergency-stop")
    assert device["stop_reason_id"] == Reason.JAM
    made.run(120)
    processed = int(device["prod_processed_count"])
    made.run(60)
    assert device["prod_processed_count"] == processed
    device.end_fault("jam")
    made.run(120)
    assert device["prod_processed_count"] > processed


ACTS = (*METHODS.values(), "jam", "minor-stops", "emergency-stop", "low-material", "power", "air", "mode", "order", "")
LEGAL = {(int(state), int(target)) for state, target in COMPLETES.items()} | {
    (int(state), int(target)) for moves in TRANSITIONS.values() for state, target in moves.items()
}


@pytest.mark.parametrize("kind", ["loading-machine", "filling-machine", "sealing-machine"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 150)), max_size=25),
    attended=st.booleans(),
    mtbf=st.sampled_from([0, 1, 60]),
)
def test_no_act_leads_out_of_the_table(bench, kind, acts, attended, mtbf):
    """Whatever commands, faults and failing supplies come when, every change of state is one of the standard's.

    Parts are conserved, times add up, and when all is well again the machine can be brought to Execute.
    """
    made = bench(kind, auto_restart=attended, mtbf=mtbf, mttr=2, minor_stops_per_hour=100)
    device, air = made.device, Supply(6.0)
    if "air" in device.flows:
        device.air = air
    signals = Signals(made.plant.env)
    device.watchers.append(signals)
    for act, steps in acts:
        if act in METHODS.values():
            device.call(act, ())
        elif act in device.interface.faults:
            if act in device.faults:
                device.end_fault(act)
            else:
                device.begin_fault(act, {"per_hour": 100})
        elif act == "power":
            device.power.level = 1.0 - device.power.level
        elif act == "air":
            air.level = 10.0 - air.level
        elif act == "mode":
            device.call("set_unit_mode", (steps % 3 + 1,))
        elif act == "order":
            made.write("order_quantity", steps % 5)
        made.run(steps / 10)
    changes = [(one.fields["From"], one.fields["To"]) for one in made.plant.events if one.name == "StateChanged"]
    assert set(changes) <= LEGAL
    assert all(before[1] == after_[0] for before, after_ in pairwise(changes))
    assert device["prod_consumed_count"] - device["prod_processed_count"] in (0, 1)
    assert sum(signals.seconds()) == pytest.approx(device.now_s)
    recover(made, air)


def recover(made, air):
    """Everything right again: from wherever it is, the machine comes to make parts."""
    device = made.device
    for name in list(device.faults):
        device.end_fault(name)
    device.power.level, air.level = 1.0, 6.0
    device.configure("mtbf", 0)
    made.run(120)
    device.call("abort", ())
    until(made, State.ABORTED)
    assert device.call("clear", ())[0] == status.GOOD
    until(made, State.STOPPED)
    made.write("order_quantity", 0)
    assert device.call("set_unit_mode", (1,))[0] == status.GOOD
    executing(made)
    before = int(device["prod_processed_count"])
    made.run(150)
    assert device["prod_processed_count"] > before
