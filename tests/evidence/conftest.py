"""Attempts to test with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event
from labsim.evidence.key import SigningKey
from labsim.evidence.manifest import Manifest, TagInfo

STEP_NS = 100_000_000
TAGS = [
    TagInfo(row=0, path="m.speed", device="m", name="speed", type="f64", unit="r/min", low=0, high=100, graded=True),
    TagInfo(row=1, path="m.count", device="m", name="count", type="u32"),
    TagInfo(row=2, path="m.program", device="m", name="program", type="text"),
    TagInfo(row=3, path="m.on", device="m", name="on", type="bool", labels={1: {"en": "On", "zh-Hant": "開"}}),
]
SCENARIO = {"scenario.yaml": b"labsim: 1\n", "brief/brief.en.md": b"# Read the meter\n"}


class Clock:
    """Plant time that a test moves."""

    def __init__(self) -> None:
        self.t = 0

    def __call__(self) -> int:
        """Simulated nanoseconds now."""
        return self.t


Make = Callable[[Path], Attempt]


@pytest.fixture
def clock() -> Clock:
    """The clock of `make`'s attempts, at 0."""
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Make]:
    """Creates attempts in a folder and closes them at the end."""
    made: list[Attempt] = []

    def create(folder: Path) -> Attempt:
        made.append(create_attempt(folder, clock))
        return made[-1]

    yield create
    for attempt in made:
        attempt.close()


@pytest.fixture
def attempt(tmp_path: Path, make: Make) -> Attempt:
    """A new, open attempt."""
    return make(tmp_path / "attempt")


def create_attempt(folder: Path, clock: Callable[[], int], key: SigningKey | None = None) -> Attempt:
    """A new attempt of a scenario with four tags."""
    manifest = Manifest.new(
        scenario="first-contact",
        title={"en": "First contact", "zh-Hant": "初次接觸"},
        seed="7",
        variants={"base": 40, "order": "CDAB"},
        speed=2.0,
        lang="zh-Hant",
        utc_origin_ns=1_700_000_000_000_000_000,
    )
    return Attempt.create(folder, manifest=manifest, tags=TAGS, scenario_files=SCENARIO, clock_t=clock, key=key)


def write_event(n: int) -> Event:
    """A Modbus write, recognisable by its value."""
    return Event(
        kind="write", protocol="modbus", device="m", tags=["m.count"], values=[n], detail={"unit": 11, "fc": 6}
    )


def fill(attempt: Attempt, clock: Clock) -> None:
    """A little of everything that an attempt can hold."""
    attempt.keep(Event(kind="host-start", protocol="lab", detail={"speed": 2.0}))
    for step in range(3):
        clock.t = step * STEP_NS
        attempt.record(step, [0, 1, 2, 3], [step / 2, step, 0, 1], [0, 0, 0, 0], {2: f"O{step:04d}"})
        attempt.keep(write_event(step))
    (attempt.handin / "map.csv").write_bytes(b"tag,value\nspeed,1\n")
    attempt.snapshot_handin()
    attempt.keep(Event(kind="answer", protocol="lab", values=[42], detail={"task": "read"}))
    attempt.record(3, np.array([0]), np.array([9.0]), np.array([0x808C0000], np.uint32))
    attempt.save_verdict({"score": 1, "head": attempt.head})
