"""Alarms of the plant: when they rise and fall, and what people can do with them, by plant time alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labsim.errors import UnknownNameError
from labsim.plant import status
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.alarms import Alarms
from labsim.plant.events import KEPT, EventLog, Occurrence
from labsim.plant.tags import Tag, TagStore
from labsim.text import Text

STEP = 100_000_000
LIMITS = {"hihi": 90, "hi": 80, "lo": 20, "lolo": 10}


class Bench:
    """One alarm on one tag, a step at a time."""

    def __init__(self, type_: str = "f64", **spec: Any) -> None:
        self.store, self.log = TagStore(), EventLog()
        self.store.add([Tag(0, "d.t", "d", "t", type_)], [50 if type_ == "f64" else 0])  # type: ignore[arg-type]  # by name
        self.alarms = Alarms(self.store, self.log)
        self.alarms.add("d", {"a": AlarmSpec(tag="t", title=Text(en="Hot"), **spec)})
        self.alarm = self.alarms["d.a"]

    def run(self, *values: float) -> list[tuple[bool, tuple[str, ...]]]:
        """The state after each value."""
        found = []
        for value in values:
            self.store.now_ns += STEP
            self.store.set(0, value)
            self.alarms.evaluate()
            found.append((self.alarm.state.active, self.alarm.state.levels))
        return found


def test_an_exclusive_alarm_shows_the_most_severe_limit() -> None:
    """Beyond a limit, not at it; back within it by the deadband."""
    bench = Bench(limits=LIMITS, deadband=2)
    states = bench.run(80, 80.1, 90.1, 88.1, 88, 78.1, 78, 20, 19.9, 9.9, 12, 21.9, 22)
    assert [levels for _, levels in states] == [
        (), ("hi",), ("hihi",), ("hihi",), ("hi",), ("hi",), (), (), ("lo",), ("lolo",), ("lo",), ("lo",), (),
    ]  # fmt: skip
    assert [one.number for one in bench.log] == list(range(1, len(bench.log) + 1))


def test_a_non_exclusive_alarm_shows_all_of_them() -> None:
    """High-high is high too."""
    bench = Bench(limits=LIMITS, exclusive=False)
    assert bench.run(95, 85, 50, 5) == [
        (True, ("hihi", "hi")), (True, ("hi",)), (False, ()), (True, ("lolo", "lo")),
    ]  # fmt: skip


def test_delays_are_plant_time() -> None:
    """A crossing counts when it has lasted; one that goes back begins anew."""
    bench = Bench(limits={"hi": 80}, on_delay="300 ms", off_delay="200 ms")
    active = [active for active, _ in bench.run(81, 81, 79, 81, 81, 81, 81, 79, 81, 79, 79, 79)]
    assert active == [False] * 6 + [True] * 5 + [False]


def test_discrete_and_off_normal() -> None:
    """One of some values, none of the others."""
    discrete = Bench("u8", kind="discrete", active=[2, 3])
    assert [active for active, _ in discrete.run(1, 2, 3, 4)] == [False, True, True, False]
    off_normal = Bench("bool", kind="off-normal", normal=[False])
    assert [active for active, _ in off_normal.run(0, 1, 0)] == [False, True, False]


def test_a_bad_value_changes_nothing() -> None:
    """What is not known is no alarm, and no end of one; the quality is told while somebody cares."""
    bench = Bench(limits={"hi": 80})
    bench.run(85)
    bench.store.set(0, 50.0, status.BAD_SENSOR_FAILURE)
    bench.alarms.evaluate()
    assert bench.alarm.state.active
    assert bench.alarm.state.quality == status.BAD_SENSOR_FAILURE
    assert len(bench.log) == 2


def test_a_relapse_must_be_acknowledged_again() -> None:
    """More severe is a new alarm, less severe is not."""
    bench = Bench(limits={"hihi": 90, "hi": 80})
    bench.run(85)
    assert bench.alarm.act("acknowledge") == ""
    bench.run(95)
    assert not bench.alarm.state.acknowledged
    bench.alarm.act("acknowledge")
    bench.run(85)
    assert bench.alarm.state.acknowledged
    bench.run(50)
    assert not bench.alarm.state.retain


def test_disabled_until_it_is_enabled() -> None:
    """A disabled alarm is silent and not retained; enabled, it looks at the tag anew."""
    bench = Bench(limits={"hi": 80})
    bench.run(85)
    assert bench.alarm.act("disable") == ""
    assert (bench.alarm.state.active, bench.alarm.state.retain) == (False, False)
    assert bench.run(86, 50, 86) == [(False, ())] * 3
    assert bench.alarm.act("enable") == ""
    assert bench.run(86) == [(True, ("hi",))]


def test_a_comment_stays_until_another() -> None:
    """None leaves it, an empty text clears it."""
    bench = Bench(limits={"hi": 80})
    bench.alarm.act("comment", user="ann", comment="looked at it")
    bench.alarm.act("shelve", comment=None)
    assert (bench.alarm.state.comment, bench.alarm.state.user) == ("looked at it", "ann")
    bench.alarm.act("comment", user="bob", comment="")
    assert (bench.alarm.state.comment, bench.alarm.state.user) == ("", "bob")


@given(
    st.lists(
        st.one_of(
            st.floats(0, 100),
            st.sampled_from(["acknowledge", "confirm", "comment", "enable", "disable", "shelve", "unshelve"]),
        ),
        max_size=40,
    )
)
def test_states_always_agree(steps: list[float | str]) -> None:
    """Whatever happens: levels only while active, active only while enabled, retained only with a reason; and it repeats."""
    seen = []
    for _ in range(2):
        bench = Bench(limits=LIMITS, deadband=3, confirm=True)
        for step in steps:
            if isinstance(step, str):
                bench.alarm.act(step)  # type: ignore[arg-type]  # drawn from its values
            else:
                bench.run(step)
            state = bench.alarm.state
            assert bool(state.levels) == state.active
            assert state.enabled or not state.active
            assert state.retain == (state.enabled and not (not state.active and state.acknowledged and state.confirmed))
        seen.append(list(bench.log))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"limits": {"hi": 10, "lo": 20}},
        {"limits": {"hi": 10}, "normal": [1]},
        {"kind": "discrete", "limits": {"hi": 1}},
        {"limits": {"hi": 10}, "severity": {"lo": 5}},
        {"limits": {"hi": 10}, "severity": 0},
    ],
)
def test_what_makes_no_sense_is_refused(spec: dict[str, Any]) -> None:
    """Limits out of order, parts of another kind, severities that fit no limit."""
    with pytest.raises(ValidationError):
        AlarmSpec(tag="t", title=Text(en="x"), **spec)


def test_an_unknown_alarm_is_named() -> None:
    """With the nearest there is."""
    with pytest.raises(UnknownNameError, match=r"d\.a"):
        Bench(limits={"hi": 1}).alarms["d.b"]


def test_the_log_forgets_the_oldest() -> None:
    """It keeps a number of occurrences, and listeners hear each of them until they leave."""
    log, heard = EventLog(), []
    log.listen(heard.append)
    for _ in range(KEPT + 2):
        log.add(Occurrence(log.next_number(), 0, "d", "e", Text(en="x"), 1))
    log.forget(heard.append)
    log.add(Occurrence(log.next_number(), 0, "d", "e", Text(en="x"), 1))
    assert (len(log), next(iter(log)).number, len(heard)) == (KEPT, 4, KEPT + 2)


_SPECS = (
    {"limits": LIMITS, "deadband": 2},
    {"limits": {"hi": 60}, "on_delay": "300 ms", "off_delay": "200 ms"},
    {"limits": LIMITS, "exclusive": False, "severity": {"hihi": 900, "hi": 500, "lo": 500, "lolo": 900}},
    {"kind": "discrete", "active": [1, 3]},
    {"kind": "off-normal", "normal": [0], "on_delay": "200 ms"},
)
_ACTS = ("acknowledge", "disable", "enable", "shelve", "unshelve", "flood", "calm", "stall", "free", "")


@given(
    st.lists(
        st.tuples(
            st.sampled_from((5, 15, 50, 61, 85, 95, 0, 1, 3)), st.sampled_from((0, 0, 0, status.BAD_SENSOR_FAILURE)),
            st.sampled_from(_ACTS), st.integers(0, len(_SPECS) - 1), st.booleans(),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_looking_at_what_has_changed_sees_all(steps: list[Any]) -> None:
    """Alarms that are only looked at when something changed tell the same as alarms looked at in every step."""
    told = []
    for always in (False, True):
        store, log = TagStore(), EventLog()
        store.add([Tag(n, f"d.t{n}", "d", f"t{n}", "f64" if n < 3 else "u8") for n in range(5)], [50, 50, 50, 0, 0])
        alarms = Alarms(store, log)
        alarms.add("d", {f"a{n}": AlarmSpec(tag=f"t{n}", title=Text(en="A"), **spec) for n, spec in enumerate(_SPECS)})
        for value, code, act, which, all_of_them in steps:
            store.now_ns += STEP
            for row in range(5) if all_of_them else [which]:
                store.set(row, value, code)
            if act == "flood":
                alarms.flooding["d"] = 3 * STEP
            elif act == "stall":
                alarms.stalled.add("d")
            elif act in ("calm", "free"):
                alarms.flooding.clear()
                alarms.stalled.clear()
            elif act:
                alarms[f"d.a{which}"].act(act, seconds=0.4 if act == "shelve" and value > 20 else 0)  # type: ignore[arg-type]
            if always:
                for alarm in alarms:
                    alarm.restless = True
            alarms.evaluate()
        told.append(
            ([(one.name, one.t_ns, one.message, one.severity) for one in log], [alarm.state for alarm in alarms])
        )
    assert told[0] == told[1]
