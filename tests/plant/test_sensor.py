"""Sensor chains, stage by stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.sensor import Chains, SensorSpec


def run(true: list[float], seed: int = 1, **chain: Any) -> tuple[list[float], list[int]]:
    """What one sensor shows of a series, with the status of each value."""
    chains = Chains({"m.level": SensorSpec.model_validate(chain)}, seed, np.array(true[:1]))
    values, codes = [], []
    for value in true:
        code = np.zeros(1, np.uint32)
        values.append(float(chains.apply(np.array([value]), code)[0]))
        codes.append(int(code[0]))
    return values, codes


def test_a_chain_of_no_stages_shows_the_truth() -> None:
    """Nothing given, nothing changed."""
    assert run([1.0, 2.5, float("nan"), 4.0])[0] == pytest.approx([1.0, 2.5, float("nan"), 4.0], nan_ok=True)


def test_lag_reaches_63_per_cent_after_its_time_constant() -> None:
    """A step of 1 with a lag of 2 s stands at 1 - 1/e after 2 s."""
    assert run([0.0] + [1.0] * 40, lag="2 s")[0][20] == pytest.approx(1 - np.exp(-1), abs=1e-9)


def test_gain_and_offset_come_before_drift() -> None:
    """``gain * x + offset + drift * t``."""
    values, _ = run([10.0] * 10, gain=2, offset=1, drift=3600)
    assert values == pytest.approx([21 + (n + 1) / 10 for n in range(10)])


def test_noise_has_its_deviation_and_no_mean() -> None:
    """A thousand values of deviation 2."""
    values = np.array(run([5.0] * 2000, noise=2)[0])
    assert abs(values.mean() - 5) < 0.2
    assert values.std() == pytest.approx(2, rel=0.1)


def test_resolution_then_clip_then_the_ends_of_the_current() -> None:
    """Values are multiples of a digit, and end at 3.8 and 20.5 mA (NE 43)."""
    assert run([0.0, 1.26, 9.9], resolution=0.5, clip=[0, 8])[0] == [0.0, 1.5, 8.0]
    assert run([-50.0, 500.0], current={"low": 0, "high": 160})[0] == pytest.approx([-2.0, 165.0])


def test_a_held_value_stands_until_the_next_is_taken() -> None:
    """Every third value is new."""
    assert run([0.0, 1.0, 2.0, 3.0, 4.0], hold="300 ms")[0] == [0.0, 0.0, 0.0, 3.0, 3.0]


def test_a_lost_value_is_the_last_one_and_uncertain() -> None:
    """About a tenth of the values is lost."""
    values, codes = run([float(n) for n in range(1000)], dropout=0.1)
    lost = [n for n, code in enumerate(codes) if code == status.UNCERTAIN_LAST_USABLE_VALUE]
    assert 60 < len(lost) < 140
    assert all(values[n] == values[n - 1] for n in lost if n)


def test_another_sensor_changes_no_noise() -> None:
    """What one sensor draws depends on its own path alone."""
    one = SensorSpec(noise=1)
    alone, both = Chains({"a.x": one}, 1, np.zeros(1)), Chains({"b.x": one, "a.x": one}, 1, np.zeros(2))
    for _ in range(200):
        single = alone.apply(np.zeros(1), np.zeros(1, np.uint32))[0]
        assert both.apply(np.zeros(2), np.zeros(2, np.uint32))[1] == single


def test_a_device_shows_its_sensors_and_keeps_its_truth(mixer_type: DeviceType) -> None:
    """The store shows the sensor's value; the integral behind it is exact."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("m", mixer_type, sensors={"level": SensorSpec(offset=1000)})
    plant.start()
    for _ in range(10):
        plant.advance()
    assert plant.devices["m"]["level"] == pytest.approx(100)
    assert plant.store.read(plant.store["m.level"].row) == pytest.approx(1100)


@pytest.mark.parametrize("chain", [{"clip": [2, 1]}, {"noise": -1}, {"dropout": 1}, {"current": {"low": 1, "high": 1}}])
def test_a_chain_that_cannot_be_is_refused(chain: dict[str, Any]) -> None:
    """Ends in the wrong order and negative noise are mistakes."""
    with pytest.raises(ValidationError):
        SensorSpec.model_validate(chain)
