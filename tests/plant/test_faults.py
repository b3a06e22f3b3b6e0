"""Faults of the value layer and of the device layer, at the store: what is shown, what stays true, and that it repeats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.fault_table import VALUE_FAULTS
from labsim.plant.faults import concerned, faults_of_tag
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.tags import INTEGER_RANGE
from labsim.plant.value_faults import MAKERS

Build = Callable[..., Plant]


def shown(plant: Plant, path: str) -> Any:
    """What the world sees."""
    return plant.store.read(plant.store[path].row)


def code(plant: Plant, path: str) -> int:
    """Its status."""
    return int(plant.store.status[plant.store[path].row])


def when(plant: Plant, path: str) -> int:
    """Its source time."""
    return int(plant.store.source_time[plant.store[path].row])


def begin(plant: Plant, path: str, name: str, number: int = 1, **given: Any) -> None:
    """Begin a fault as the lab does."""
    plant.faults.begin(number, path, name, plant.faults.parse(path, name, given))


def steps(plant: Plant, count: int) -> None:
    """Let so many steps pass."""
    for _ in range(count):
        plant.advance()


def test_every_fault_of_the_table_is_made() -> None:
    """Table and effects name the same faults."""
    assert VALUE_FAULTS.keys() == MAKERS.keys()


@pytest.mark.parametrize("name", sorted(VALUE_FAULTS))
def test_a_value_fault_shows_ends_and_leaves_the_physics_alone(build: Build, name: str) -> None:
    """With its defaults each fault changes what is shown, at most for its time, and nothing that the device holds."""
    plant, sound = build("m", settings={"gain": 0}), build("m", settings={"gain": 0})
    needed: dict[str, dict[str, Any]] = {
        "swapped": {"with": "speed"},
        "counter-rollover": {"limit": 20},
        "float32-stall": {"at": 20},
        "saturated-16bit": {"top": 20},
        "quantised": {"digit": 7},
    }
    steps(plant, 10)
    steps(sound, 10)
    begin(plant, "m.level", name, **needed.get(name, {}))
    seen = set()
    for _ in range(1200):
        plant.advance()
        sound.advance()
        level = plant.store["m.level"].row
        assert plant.store.truth(level) == shown(sound, "m.level")
        seen.add((shown(plant, "m.level") == shown(sound, "m.level"), code(plant, "m.level")))
    assert (False, status.GOOD) in seen or any(code for _, code in seen)
    plant.faults.end(1)
    steps(plant, 1)
    steps(sound, 1)
    assert (shown(plant, "m.level"), code(plant, "m.level")) == (shown(sound, "m.level"), status.GOOD)


def test_chance_depends_on_seed_and_number_alone(build: Build) -> None:
    """Two plants with the same faults show the same noise, bit for bit; another number shows another."""
    runs = []
    for number in (1, 1, 2):
        plant = build("m", seed=5)
        begin(plant, "m.level", "noise", number, deviation=3)
        values = []
        for _ in range(50):
            plant.advance()
            values.append(shown(plant, "m.level"))
        runs.append(values)
    assert runs[0] == runs[1] != runs[2]


def test_the_device_reads_back_what_it_wrote(build: Build) -> None:
    """A stuck counter that is read, increased and written again goes on counting behind the fault."""
    plant = build("m")
    begin(plant, "m.batches", "stuck", value=7)
    steps(plant, 600)
    assert shown(plant, "m.batches") == 7
    assert float(plant.devices["m"]["batches"]) > 10
    assert plant.devices["m"].shown("batches") == 7


def test_faults_of_one_tag_add_up_in_their_order(build: Build) -> None:
    """An offset upon a stuck value is seen; when the first ends, the second stays."""
    plant = build("m")
    begin(plant, "m.level", "stuck", 1, value=100)
    begin(plant, "m.level", "offset", 2, by=5)
    steps(plant, 1)
    assert shown(plant, "m.level") == 105
    plant.faults.end(1)
    steps(plant, 1)
    assert shown(plant, "m.level") == pytest.approx(float(plant.devices["m"]["level"]) + 5)


def test_a_ramp_grows_to_its_full_size(build: Build) -> None:
    """Half way through its onset half of the offset is there."""
    plant = build("m")
    begin(plant, "m.level", "offset", by=10, ramp="2 s")
    off = []
    for _ in range(30):
        plant.advance()
        off.append(shown(plant, "m.level") - plant.devices["m"]["level"])
    assert off[9] == pytest.approx(5)
    assert off[19:] == pytest.approx([10] * 11)


def test_whole_numbers_stay_whole_and_in_their_type(build: Build) -> None:
    """A fault of an integer tag shows an integer its type can hold."""
    plant = build("m")
    begin(plant, "m.batches", "offset", by=-1000.4)
    steps(plant, 1)
    assert shown(plant, "m.batches") == 0
    assert isinstance(shown(plant, "m.batches"), int)


def test_source_times_tell_stale_from_held(build: Build) -> None:
    """A held value has new times, a stale one its old."""
    plant = build("m")
    steps(plant, 5)
    begin(plant, "m.level", "held", 1)
    begin(plant, "m.speed", "stale", 2)
    steps(plant, 5)
    assert when(plant, "m.level") == 1_000_000_000
    assert when(plant, "m.speed") == 500_000_000
    assert code(plant, "m.speed") == status.GOOD


def test_a_clients_write_reaches_the_device_through_a_fault(build: Build) -> None:
    """What a client writes to a stuck setpoint is true, and is what it reads back until the next step."""
    plant = build("m")
    begin(plant, "m.setpoint", "stuck")
    steps(plant, 1)
    assert plant.store.write(plant.store["m.setpoint"].row, 300) == status.GOOD
    assert shown(plant, "m.setpoint") == 300
    steps(plant, 1)
    assert (plant.devices["m"]["setpoint"], shown(plant, "m.setpoint")) == (300, 100)


def test_a_dead_device_keeps_its_values_and_refuses_writes(build: Build) -> None:
    """Every tag, also a text, is BadNoCommunication with its last value, until the device is back."""
    plant = build("m")
    steps(plant, 3)
    before = shown(plant, "m.level")
    begin(plant, "m", "dead", silent=1)
    steps(plant, 3)
    assert shown(plant, "m.level") == before
    assert {code(plant, f"m.{name}") for name in plant.devices["m"].tags} == {status.BAD_NO_COMMUNICATION}
    assert plant.store.write(plant.store["m.setpoint"].row, 5) == status.BAD_NO_COMMUNICATION
    assert plant.devices["m"].condition.dead == "silent"
    plant.faults.end(1)
    steps(plant, 1)
    assert shown(plant, "m.level") == plant.devices["m"]["level"] != before
    assert plant.store.write(plant.store["m.setpoint"].row, 5) == status.GOOD


def test_wrong_clocks_add_up_and_drift(build: Build) -> None:
    """Source times are ahead by the sum of both, one of which grows; they are right again at the next change."""
    plant = build("m")
    begin(plant, "m", "clock-skew", 1, by=20, rate=3600)
    begin(plant, "m", "clock-jump", 2, by=-86)
    steps(plant, 10)
    assert when(plant, "m.speed") == 1_000_000_000 + (20 - 86 + 1) * 1_000_000_000
    assert plant.devices["m"].condition.skew_ns == -65_000_000_000
    plant.faults.end(1)
    plant.faults.end(2)
    steps(plant, 1)
    assert when(plant, "m.speed") == 1_100_000_000
    assert plant.devices["m"].condition.skew_ns == 0


def test_a_true_value_has_a_row_beside_what_is_shown(build: Build) -> None:
    """The row ``device.tag.true`` follows the device, and no client writes it."""
    plant = build("m")
    begin(plant, "m.setpoint", "offset", by=50)
    steps(plant, 1)
    true = plant.store["m.setpoint.true"]
    assert plant.store.read(true.row) == 100
    assert plant.store.write(true.row, 1) == status.BAD_NOT_WRITABLE


def test_a_span_that_is_set_at_once_goes_to_the_true_side(build: Build) -> None:
    """`set_span` over a veiled tag and its neighbour sets the truth of one and the value of the other."""
    plant = build("m")
    begin(plant, "m.speed", "stuck", value=1)
    first = plant.store["m.speed"].row
    plant.store.set_span(first, np.array([20.0, 30.0]))
    assert (plant.devices["m"]["speed"], shown(plant, "m.level")) == (20.0, 30.0)
    assert shown(plant, "m.speed") != 20.0


@pytest.mark.parametrize(
    ("path", "name", "given", "error"),
    [
        ("x.level", "stuck", {}, UnknownNameError),
        ("m.lvel", "stuck", {}, UnknownNameError),
        ("m.level", "stick", {}, UnknownNameError),
        ("m.note", "stuck", {}, UnknownNameError),
        ("m.open", "drift", {}, UnknownNameError),
        ("m.level", "offset", {"size": 1}, UnknownNameError),
        ("m.level", "offset", {"by": "much"}, InputError),
        ("m.level", "lag", {"tau": 0}, InputError),
        ("m.level", "swapped", {}, InputError),
        ("m.level", "swapped", {"with": "note"}, UnknownNameError),
        ("m", "stuck", {}, UnknownNameError),
    ],
)
def test_what_cannot_fail_so_is_told(
    build: Build, path: str, name: str, given: dict[str, Any], error: type[Exception]
) -> None:
    """An unknown place, fault or parameter and a wrong value are errors before anything begins."""
    with pytest.raises(error):
        build("m").faults.parse(path, name, given)


def test_a_fault_says_which_tags_it_concerns(build: Build) -> None:
    """One tag, two that are swapped, all of a dead device, none where only the way of answering changes."""
    interface = build("m").devices["m"].interface
    assert concerned(interface, "m", "level", "drift", {}) == ["m.level"]
    assert concerned(interface, "m", "level", "swapped", {"with": "speed"}) == ["m.level", "m.speed"]
    assert len(concerned(interface, "m", "", "dead", {})) == len(interface.tags)
    assert concerned(interface, "m", "", "slow", {}) == []
    assert not faults_of_tag("text")


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_fault_shows_what_its_tag_cannot_hold(mixer_type: DeviceType, data: st.DataObject) -> None:
    """Whatever the fault and its parameters, every tag shows a value of its type, and the truth stays as it was."""
    plant, sound = (Plant(1, SimClock(utc_ns=0)) for _ in range(2))
    for twin in (plant, sound):
        twin.add("m", mixer_type)
        twin.start()
    for number in (1, 2):
        tag = data.draw(st.sampled_from([n for n, t in plant.devices["m"].tags.items() if t.type != "text"]))
        known = faults_of_tag(plant.devices["m"].tags[tag].type)
        name = data.draw(st.sampled_from(sorted(known)))
        chosen: dict[str, Any] = {}
        for key, spec in known[name].parameters.items():
            if spec.of == "tag":
                chosen[key] = data.draw(st.sampled_from(sorted({"speed", "level", "batches", "open"} - {tag})))
            elif data.draw(st.booleans()):
                chosen[key] = data.draw(st.floats(*spec.range))
        begin(plant, f"m.{tag}", name, number, **chosen)
    for _ in range(5):
        plant.advance()
        sound.advance()
        for one in plant.devices["m"].tags.values():
            value = plant.store.read(one.row)
            assert plant.store.truth(one.row) == sound.store.read(one.row)
            if one.type in INTEGER_RANGE:
                low, high = INTEGER_RANGE[one.type]
                assert low <= int(value) <= high
            elif one.type == "bool":
                assert value in (False, True)
            elif one.type != "text":
                assert not math.isinf(float(value))
