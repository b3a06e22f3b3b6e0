from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import devices
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant


class Bench:
    """One device in a plant of its own, to be run for seconds or steps."""

    def __init__(self, kind: str, seed: int, settings: dict[str, Any]) -> None:
        self.plant = Plant(seed, SimClock(utc_ns=0))
        self.device: Device = self.plant.add("d1", devices.load(kind), settings)
        self.plant.start()

    def run(self, seconds: float, watch: Callable[[Device], None] | None = None) -> Device:
        """Go on for that long; ``watch`` is called after each step."""
        for _ in range(round(seconds * 10)):
            self.plant.advance()
            if watch is not None:
                watch(self.device)
        return self.device

    def write(self, tag: str, value: Any) -> int:
        """Write as a client."""
        return self.plant.store.write(self.device.tags[tag].row, value)

    def status(self, tag: str) -> int:
        """Quality of a tag."""
        return int(self.plant.store.status[self.device.tags[tag].row])


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Builds a bench: ``bench("cnc-mill", seed=1, tool_life=4)``."""
    return lambda kind, seed=1, **settings: Bench(kind, seed, settings)
