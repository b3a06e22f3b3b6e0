from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.oee_monitor.indicators import Indicators
from labsim.plant.flow import Signals, TimeClass

TIMES = (
    "production_time", "setup_time", "starved_time", "blocked_time", "minor_stop_time", "down_time", "idle_time",
    "planned_stop_time",
)  # fmt: skip


@given(
    st.lists(st.floats(0, 1e6), min_size=8, max_size=8),
    st.floats(0.1, 3600),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_indicators_keep_their_identities(seconds, per_item, good, bad):
    """OEE = PRI x GQ / PBT; availability and quality are shares; PBT is the time less planned stops."""
    found = Indicators(seconds, per_item, good + bad, good)
    assert found.planned_busy + seconds[TimeClass.PLANNED] == pytest.approx(found.elapsed)
    assert 0 <= found.availability <= 1
    assert 0 <= found.quality <= 1
    if found.production > 0.001 and good:
        assert found.oee == pytest.approx(per_item * good / found.planned_busy)
    assert 0 <= found.biggest_loss() <= 8


def test_a_known_shift():
    """480 min with 30 min break, 47 min down, 13 min starved: the example of every OEE course."""
    seconds = [0.0] * 8
    seconds[TimeClass.PLANNED], seconds[TimeClass.DOWN], seconds[TimeClass.STARVED] = 30 * 60, 47 * 60, 13 * 60
    seconds[TimeClass.PRODUCING] = 390 * 60
    found = Indicators(seconds, 1.0, 19_271, 18_848)
    assert found.availability == pytest.approx(390 / 450)
    assert found.effectiveness == pytest.approx(19_271 / (390 * 60))
    assert found.oee == pytest.approx(18_848 / (450 * 60))
    assert found.biggest_loss() == 7  # speed: 4,129 s against 2,820 s down


@pytest.fixture
def watched(bench):
    """A monitor with signals that the test gives."""
    made = bench("oee-monitor")
    return made, made.device._unit


def test_times_add_up_to_the_time_since_the_start(watched):
    """Whatever the unit does, every second is in one class."""
    made, unit = watched
    assert isinstance(unit, Signals)
    for doing in (*TimeClass, TimeClass.PRODUCING):
        unit.enter(doing)
        made.run(17)
    device = made.device
    assert sum(float(device[name]) for name in TIMES) == pytest.approx(device["elapsed_time"])
    assert device["elapsed_time"] == pytest.approx(17 * 9, abs=1.1)
    assert device["production_time"] == pytest.approx(34, abs=1.1)
    assert device["doing"] == TimeClass.PRODUCING


def test_a_planned_stop_takes_time_out_whatever_the_unit_does(watched):
    """A break of the timeline counts from its first second to its last, and not against the availability."""
    made, unit = watched
    unit.enter(TimeClass.PRODUCING)
    made.run(100)
    made.device.configure("planned_stop", True)
    unit.enter(TimeClass.DOWN)
    made.run(50)
    made.device.configure("planned_stop", False)
    unit.enter(TimeClass.PRODUCING)
    device = made.run(100)
    assert device["planned_stop_time"] == pytest.approx(50, abs=0.2)
    assert (device["down_time"], device["availability"]) == (pytest.approx(0, abs=0.2), pytest.approx(100, abs=0.2))


def test_it_begins_anew(watched):
    """A reset forgets times and parts; produced = good + scrap before and after."""
    made, unit = watched
    unit.enter(TimeClass.PRODUCING)
    unit.made, unit.bad, unit.reworked = 50, 5, 3
    device = made.run(100)
    assert (device["produced_quantity"], device["good_quantity"], device["scrap_quantity"]) == (50, 45, 5)
    assert device["oee"] == pytest.approx(100 * 45 * 2.5 / 100, rel=0.02)
    made.write("reset", True)
    assert (device["produced_quantity"], device["elapsed_time"], device["reset"]) == (0, 0, False)
    unit.made += 4
    made.run(2)
    assert (device["produced_quantity"], device["rework_quantity"]) == (4, 0)
