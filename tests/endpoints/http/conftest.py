"""A shop alone in a plant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shop import INTERFACE, Shop

from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.interface import load_interface
from labsim.plant.plant import DeviceType, Plant


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Plant]:
    """Makes started plants with shops of the given paths."""
    file = tmp_path / "interface.yaml"
    file.write_text(INTERFACE, encoding="utf-8")
    kind = DeviceType(load_interface(file), Shop)

    def make(*paths: str) -> Plant:
        plant = Plant(1, SimClock(utc_ns=0))
        for path in paths or ("shop1",):
            plant.add(path, kind)
        plant.start()
        return plant

    return make


@pytest.fixture
def events() -> list[Event]:
    """What the endpoint kept: pass ``events.append`` as its sink."""
    return []
