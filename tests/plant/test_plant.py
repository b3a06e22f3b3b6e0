from __future__ import annotations

import numpy as np
import pytest

from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.clock import STEP_NS, SimClock
from labsim.plant.plant import Plant


def history(plant: Plant, device: str, steps: int) -> bytes:
    """Every value, quality and source time of one device after each step."""
    rows = [tag.row for tag in plant.devices[device].tags.values()]
    parts = []
    for _ in range(steps):
        plant.advance()
        store = plant.store
        parts.append(store.value[rows].tobytes() + store.status[rows].tobytes() + store.source_time[rows].tobytes())
    return b"".join(parts)


def test_one_seed_gives_one_history_and_another_seed_another(build):
    """The same seed repeats bit for bit; another seed does not."""
    first = history(build("m1"), "m1", 500)
    assert history(build("m1"), "m1", 500) == first
    assert history(build("m1", seed=2), "m1", 500) != first


def test_another_device_changes_no_numbers(build):
    """Devices before and behind in the plant leave a device's history as it was."""
    first = history(build("m1"), "m1", 500)
    plant = build("a", "m1", "z")
    assert history(plant, "m1", 500) == first
    assert plant.store.value[plant.store["a.speed"].row] != plant.store.value[plant.store["z.speed"].row]


def test_a_step_is_a_tenth_of_a_second_and_stamps_its_end(build):
    """Values of step n carry the time n x 100 ms; discrete and continuous behaviour share it."""
    plant = build("m1")
    plant.advance()
    row = plant.store["m1.speed"].row
    assert (plant.clock.step, plant.store.source_time[row]) == (1, STEP_NS)
    for _ in range(600):
        plant.advance()
    assert plant.store.source_time[row] == 601 * STEP_NS
    assert plant.env.now == pytest.approx(60.1)


def test_a_clients_write_is_in_the_store_at_once_and_moves_the_device_next_step(build):
    """The written value is read back before the step, and the device follows in it."""
    plant = build("m1")
    plant.advance()
    store, device = plant.store, plant.devices["m1"]
    before = float(device["level"])
    assert store.write(store["m1.setpoint"].row, 500) == status.GOOD
    assert (device["setpoint"], device["level"]) == (500, before)
    plant.advance()
    assert device["level"] == before + 50.0


def test_a_devices_guard_is_asked(build):
    """A device refuses a write with its own code."""
    plant = build("m1")
    assert plant.store.write(plant.store["m1.setpoint"].row, 13) == status.BAD_INVALID_STATE


def test_settings_are_parsed_and_watched(build):
    """A setting is changed in its own type, watchers hear of it, and what it does not take is refused by name."""
    device = build("m1", settings={"gain": "2.5"}).devices["m1"]
    assert device.settings == {"gain": 2.5, "mode": "slow"}
    heard = []
    device.watch(lambda who, name: heard.append((who.path, name, who.settings[name])))
    assert device.configure("mode", "fast") == "fast"
    assert heard == [("m1", "mode", "fast")]
    with pytest.raises(InputError, match=r"m1\.gain: 11 is outside 0 to 10"):
        device.configure("gain", 11)
    with pytest.raises(UnknownNameError, match="Did you mean 'mode'"):
        device.configure("mood", "fast")
    assert device.settings["gain"] == 2.5


def test_a_path_is_used_once(mixer_type):
    """A second device of the same path is refused, as its tags would hide the first's."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("m1", mixer_type)
    with pytest.raises(InputError, match="already has a device 'm1'"):
        plant.add("m1", mixer_type)


def test_a_serial_is_the_devices_own(build):
    """Serial numbers follow from seed and path: the same again, and no two the same."""
    plant = build("m1", "m2")
    serials = [device.serial for device in plant.devices.values()]
    assert serials == [device.serial for device in build("m1", "m2").devices.values()]
    assert len(set(serials)) == 2
    assert all(serial.startswith("MX-") and len(serial) == 11 for serial in serials)


def test_an_error_of_ours_survives_a_process(mixer_type):
    """SimPy makes an exception anew from its args; ours keep their class and sentence."""

    class Broken(mixer_type.behaviour):
        def run(self):
            yield self.wait(0.05)
            raise UnknownNameError("tag", "sped", ["speed"])

    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("m1", type(mixer_type)(mixer_type.interface, Broken))
    plant.start()
    with pytest.raises(UnknownNameError, match="Did you mean 'speed'"):
        plant.advance()


def test_marking_gives_a_value_another_quality(build):
    """`mark` keeps the value and changes the quality; the next ordinary set makes it Good."""
    device = build("m1").devices["m1"]
    device.mark("speed", status.BAD_SENSOR_FAILURE)
    row = device.tags["speed"].row
    assert (device["speed"], device.store.status[row]) == (10.0, status.BAD_SENSOR_FAILURE)
    device["speed"] = 10.0
    assert np.all(device.store.status == status.GOOD)
