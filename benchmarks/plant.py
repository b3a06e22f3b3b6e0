"""What a plant costs, beside the way it is usually done: an object for every sensor.

    python benchmarks/plant.py [--rounds N] [--steps N] [--days N]

Both plants run in this process, without endpoints, journal and clock, as quickly as they go. A step is 100 ms of plant time, so a
plant whose step takes 300 microseconds costs 0.3 % of a core at speed 1. Rounds are interleaved, so that other work on the
machine hits all alike, and the quickest round counts. Times of two runs do not compare; the ratios of one run do.

The naive plant has as many sensors as ours has tags, each an object that updates itself: a slow wave, noise from a generator
of its own, quantising, a time stamp, a lock, and the last hundred values. It has no process, no parts and no faults; it is not
asked to be right.

The year is that of the packaging line, driven by its events alone (`Plant.stride`).
"""

from __future__ import annotations

import argparse
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from labsim.lab.build import join_devices
from labsim.lab.catalogue import LabCatalogue
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.scenario.include import load_plant, ready_plants

GOAL_PERCENT = 0.3
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class NaiveSensor:
    """One sensor as an object that looks after itself."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.random = name, random.Random(seed)
        self.base, self.period = self.random.uniform(10, 100), self.random.uniform(30, 600)
        self.resolution, self.unit = 0.01, "bar"
        self.value, self.quality, self.time = self.base, "Good", EPOCH
        self.history: deque[tuple[datetime, float]] = deque(maxlen=100)
        self.listeners: list[Callable[[NaiveSensor], None]] = []
        self.lock = threading.Lock()

    def update(self, t: float) -> None:
        """The next value."""
        value = self.base * (1 + 0.1 * math.sin(2 * math.pi * t / self.period)) + self.random.gauss(0, 0.1)
        value = round(value / self.resolution) * self.resolution
        with self.lock:
            self.value, self.quality, self.time = value, "Good", EPOCH + timedelta(seconds=t)
            self.history.append((self.time, value))
            for listener in self.listeners:
                listener(self)


class NaivePlant:
    """Sensors that are updated one after the other."""

    def __init__(self, sensors: int) -> None:
        self.sensors = [NaiveSensor(f"sensor{n}", n) for n in range(sensors)]
        self.t = 0.0

    def advance(self) -> None:
        """One step of 100 ms."""
        self.t += 0.1
        for sensor in self.sensors:
            sensor.update(self.t)


def ready(name: str) -> Plant:
    """A ready plant, started and warm."""
    plan = load_plant(ready_plants()[name], LabCatalogue())
    plant = join_devices(plan, "benchmark", SimClock(utc_ns=0))
    plant.start()
    return plant


def step_us(plant: Any, steps: int) -> float:
    """Microseconds of processor time for one step."""
    began = time.process_time()
    for _ in range(steps):
        plant.advance()
    return (time.process_time() - began) / steps * 1e6


def steps_table(rounds: int, steps: int) -> None:
    """Our plants and the naive one, interleaved."""
    plants: dict[str, Any] = {name: ready(name) for name in ("pack", "cnc")}
    tags = {name: len(plant.store) for name, plant in plants.items()}
    naive = NaivePlant(sum(tags.values()))
    for plant in plants.values():
        for _ in range(600):
            plant.advance()
    best = dict.fromkeys((*plants, "naive"), math.inf)
    for _ in range(rounds):
        for name, plant in (*plants.items(), ("naive", naive)):
            best[name] = min(best[name], step_us(plant, steps))
    ours = sum(best[name] for name in plants)
    print(f"{'':28}{'tags':>6}{'us/step':>10}{'% of a core at 1x':>20}{'ns/tag':>9}")
    rows = [(f"{name} (ready plant)", tags[name], best[name]) for name in plants]
    rows += [("both", sum(tags.values()), ours), ("an object per sensor", len(naive.sensors), best["naive"])]
    for name, count, cost in rows:
        print(f"{name:28}{count:6d}{cost:10.0f}{cost / 1000:20.2f}{1000 * cost / count:9.0f}")
    print(f"ours / naive: {ours / best['naive']:.2f}; goal for both: at most {GOAL_PERCENT} % of a core")


def year(days: int) -> None:
    """The packaging line over days by its events, and what a year would take."""
    plant = ready("pack")
    began = time.process_time()
    for _ in range(days * 1440):
        plant.stride(600)
    took = time.process_time() - began
    filler, oee = plant.devices["fill1"], plant.devices["line_oee"]
    parts = int(filler["prod_processed_acc"])
    print(
        f"{days} days of a packaging line: {took:.1f} s, {parts} bottles, {1e6 * took / parts:.0f} us per bottle, "
        f"OEE {float(oee['oee']):.1f} %; a year: {took / days * 365 / 60:.1f} min"
    )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--days", type=int, default=7)
    options = parser.parse_args()
    steps_table(options.rounds, options.steps)
    year(options.days)


if __name__ == "__main__":
    main()
