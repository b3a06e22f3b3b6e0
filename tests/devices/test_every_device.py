from __future__ import annotations

import hashlib
import math
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import devices
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import SettingSpec
from labsim.plant.plant import Plant
from labsim.plant.tags import INTEGER_RANGE

NAMES = devices.names()
LONG = os.environ.get("LABSIM_FUZZ") == "1"


def setting_values(spec: SettingSpec) -> st.SearchStrategy:
    """Every value a setting takes."""
    if spec.choices:
        return st.sampled_from(spec.choices)
    if spec.type == "bool":
        return st.booleans()
    if spec.type == "text":
        return st.text(max_size=40)
    assert spec.range is not None, "a number without a range lets anything in"
    if spec.type == "integer":
        return st.integers(int(spec.range[0]), int(spec.range[1]))
    return st.floats(spec.range[0], spec.range[1])


def sound(device: Device) -> None:
    """A device's values are finite, whole where their type is, named where they have labels."""
    store = device.store
    for tag in device.tags.values():
        if tag.type == "text":
            continue
        value = float(store.value[tag.row])
        assert math.isfinite(value), tag.path
        if tag.type == "bool":
            assert value in (0, 1), tag.path
        elif tag.type in INTEGER_RANGE:
            low, high = INTEGER_RANGE[tag.type]
            assert value == int(value), tag.path
            assert low <= value <= high, tag.path
        if tag.labels:
            assert value in tag.labels, tag.path
        if tag.low is not None and tag.high is not None and status.is_good(int(store.status[tag.row])):
            assert tag.low <= value <= tag.high, f"{tag.path} = {value}"


def histories(kinds: dict[str, str], seed: int, steps: int) -> dict[str, bytes]:
    """All values, qualities and source times of each device (type by path) after every step, as one hash."""
    plant = Plant(seed, SimClock(utc_ns=0))
    for path, kind in kinds.items():
        plant.add(path, devices.load(kind))
    plant.start()
    store = plant.store
    spans = {path: np.array([tag.row for tag in device.tags.values()]) for path, device in plant.devices.items()}
    digests = {path: hashlib.sha256() for path in kinds}
    for _ in range(steps):
        plant.advance()
        for path, rows in spans.items():
            for column in (store.value, store.status, store.source_time):
                digests[path].update(column[rows].tobytes())
    return {path: digest.digest() for path, digest in digests.items()}


def test_minutes_repeat_bit_for_bit_and_no_device_changes_another():
    """One seed gives the same minutes of every device, whether it stands alone in the plant or among all others."""
    steps = 6_000 if LONG else 1_500
    together = histories({name.replace("-", "_"): name for name in NAMES}, 11, steps)
    for name in NAMES:
        path = name.replace("-", "_")
        assert histories({path: name}, 11, steps)[path] == together[path]


@pytest.mark.parametrize("kind", NAMES)
def test_seed_and_path_make_the_numbers(kind: str):
    """Another seed or another path gives another history; the same two give the same."""
    first = histories({"d1": kind, "d2": kind}, 11, 200)
    assert first["d1"] != first["d2"]
    assert first == histories({"d1": kind, "d2": kind}, 11, 200)
    assert first["d1"] != histories({"d1": kind}, 12, 200)["d1"]


@pytest.mark.parametrize("kind", NAMES)
@settings(max_examples=100 if LONG else 8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_setting_and_no_client_breaks_a_device(kind: str, data: st.DataObject):
    """With any settings, changed while it runs, and any accepted writes, values stay finite, typed and in range."""
    interface = devices.interface(kind)
    wanted = {name: data.draw(setting_values(spec), name) for name, spec in interface.settings.items()}
    plant = Plant(data.draw(st.integers(0, 2**32), "seed"), SimClock(utc_ns=0))
    device = plant.add("d1", devices.load(kind), wanted)
    plant.start()
    sound(device)
    writable = [tag for tag in device.tags.values() if tag.writable]
    for _ in range(4):
        for tag in writable:
            span = (tag.low, tag.high) if tag.low is not None and tag.high is not None else (-2.0, 2.0)
            value = data.draw(
                st.one_of(st.floats(*span), st.integers(0, 5), st.booleans(), st.just(math.nan)), tag.name
            )
            before = device[tag.name]
            code = plant.store.write(tag.row, value)
            assert (device[tag.name] == before) or code == status.GOOD
        for _ in range(data.draw(st.integers(1, 60), "steps")):
            plant.advance()
            sound(device)
        name = data.draw(st.sampled_from(sorted(interface.settings)), "changed")
        device.configure(name, data.draw(setting_values(interface.settings[name]), "to"))


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_is_drawn_outside_the_devices_own_generator(kind: str, monkeypatch: pytest.MonkeyPatch):
    """No device asks the wall clock or a global generator."""

    def forbidden(*_: object) -> None:
        raise AssertionError("a device asked for wall time or a global random number")

    plant = Plant(3, SimClock(utc_ns=0, monotonic=lambda: 0))
    plant.add("d1", devices.load(kind))
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"):
        monkeypatch.setattr(time, name, forbidden)
    for name in ("random", "gauss", "uniform", "seed"):
        monkeypatch.setattr(f"random.{name}", forbidden)
    for name in ("rand", "randn", "random", "normal", "uniform", "default_rng", "seed"):
        monkeypatch.setattr(f"numpy.random.{name}", forbidden)
    try:
        plant.start()
        for _ in range(1200):
            plant.advance()
    finally:
        monkeypatch.undo()


@pytest.mark.parametrize("kind", [name for name in NAMES if devices.interface(name).faults])
@settings(max_examples=100 if LONG else 5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_fault_breaks_a_device(kind: str, data: st.DataObject):
    """With its own faults, of any size and one on top of another, values stay finite, typed and in range, and end with them."""
    interface = devices.interface(kind)
    plant = Plant(data.draw(st.integers(0, 2**32), "seed"), SimClock(utc_ns=0))
    device = plant.add("d1", devices.load(kind))
    plant.start()
    for _ in range(3):
        name = data.draw(st.sampled_from(sorted(interface.faults)), "fault")
        parameters = interface.faults[name].parameters
        device.begin_fault(name, {key: data.draw(st.floats(*spec.range), key) for key, spec in parameters.items()})
        for _ in range(data.draw(st.integers(1, 300), "steps")):
            plant.advance()
            sound(device)
        if data.draw(st.booleans(), "ends"):
            device.end_fault(name)
            assert name not in device.faults
