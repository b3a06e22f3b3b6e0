from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device, Process
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.tags import Tag, Value

MIXER: dict[str, Any] = {
    "type": "mixer",
    "title": "Mixer",
    "about": "Turns",
    "identification": {"manufacturer": "M", "model": "X", "revision": "1", "serial": "MX-{number:08d}"},
    "settings": {
        "gain": {"type": "number", "title": "Gain", "default": 1.0, "range": [0, 10]},
        "mode": {"type": "choice", "title": "Mode", "default": "slow", "choices": ["slow", "fast"]},
    },
    "tags": {
        "speed": {"type": "f32", "unit": "r/min", "range": [0, 3000], "title": "Speed"},
        "level": {"type": "f64", "title": "Level"},
        "setpoint": {"type": "i16", "range": [0, 1000], "access": "rw", "initial": 100, "title": "Setpoint"},
        "batches": {"type": "u32", "title": "Batches"},
        "note": {"type": "text", "access": "rw", "title": "Note"},
        "state": {"type": "u8", "access": "rw", "title": "State", "labels": {0: "Off", 1: "On"}},
        "big": {"type": "i64", "access": "rw", "title": "Big"},
        "open": {"type": "bool", "access": "rw", "title": "Open"},
        "ratio": {"type": "f32", "access": "rw", "title": "Ratio"},
    },
}


class Mixer(Device):
    """A device that draws in `step` and in its process, and refuses a setpoint of 13."""

    def start(self) -> None:
        """Turn slowly at first."""
        self["speed"] = 10.0

    def step(self, dt: float) -> None:
        """Noise on the speed; the level integrates the setpoint."""
        self["speed"] = 1000 + float(self.random.standard_normal()) * float(self.settings["gain"])
        self["level"] = float(self["level"]) + dt * float(self["setpoint"])

    def run(self) -> Process:
        """A batch now and then."""
        while True:
            yield self.wait(float(self.random.exponential(2.0)))
            self["batches"] = int(self["batches"]) + 1

    def guard(self, tag: Tag, value: Value) -> int:
        """No 13."""
        return status.BAD_INVALID_STATE if tag.name == "setpoint" and value == 13 else status.GOOD


@pytest.fixture
def mixer_type() -> DeviceType:
    """A type with every kind of tag."""
    return DeviceType(Interface.model_validate(MIXER), Mixer)


@pytest.fixture
def build(mixer_type: DeviceType) -> Callable[..., Plant]:
    """Builds a started plant of mixers at the given paths."""

    def make(*paths: str, seed: int = 1, settings: dict[str, Any] | None = None) -> Plant:
        plant = Plant(seed, SimClock(utc_ns=0))
        for path in paths:
            plant.add(path, mixer_type, settings)
        plant.start()
        return plant

    return make
