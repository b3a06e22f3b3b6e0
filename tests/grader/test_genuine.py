"""Honest publishers are never suspected; those who make values up are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from grader_bench import Bench

from grader.genuine import examine
from grader.outcome import State

N = 2500
"""Steps of 100 ms."""
PLANTS = 4
Floats = np.ndarray
Publisher = Callable[[Floats, np.random.Generator], tuple[Floats, Floats]]


def plant(seed: int, noise: float = 0.3, kind: str = "voltage") -> Floats:
    """A mains voltage that wanders, with the noise of its meter; or a temperature that rises and swings."""
    random = np.random.default_rng(seed)
    t = np.arange(N) / 10
    slow = 231 + 2 * np.sin(t / 25) if kind == "voltage" else 20 + t / 3 + 5 * np.sin(t / 40)
    return np.asarray(np.float32(slow + noise * random.standard_normal(N)), float)


def polled(every: int, late: int = 2) -> Callable[[Floats, np.random.Generator], tuple[Floats, Floats]]:
    """Steps at which a gateway reads, and at which it publishes some steps later."""

    def publish(truth: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        read = np.arange(20, N - 20, every)
        return read + random.integers(0, late + 1, len(read)), truth[read]

    return publish


def changed(publisher: Publisher, change: Callable[[Floats], Floats]) -> Publisher:
    """A publisher that does something honest to its values."""

    def publish(truth: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        steps, values = publisher(truth, random)
        return steps, change(values)

    return publish


def averaged(width: int) -> Publisher:
    """The mean of all reads of the last second or five."""

    def publish(truth: Floats, _random: np.random.Generator) -> tuple[Floats, Floats]:
        steps = np.arange(60, N - 20, 10)
        return steps, np.array([truth[s - width + 1 : s + 1].mean() for s in steps])

    return publish


def smoothed(share: float) -> Publisher:
    """An exponential filter over reads once a second."""

    def publish(truth: Floats, _random: np.random.Generator) -> tuple[Floats, Floats]:
        steps = np.arange(20, N - 20, 10)
        values, last = [], truth[20]
        for step in steps:
            last += share * (truth[step] - last)
            values.append(last)
        return steps, np.array(values)

    return publish


def by_exception(truth: Floats, _random: np.random.Generator) -> tuple[Floats, Floats]:
    """A value is sent when it is 0.5 from the last one."""
    steps, last = [20], truth[20]
    for step in range(21, N - 20):
        if abs(truth[step] - last) >= 0.5:
            steps.append(step)
            last = truth[step]
    return np.array(steps), truth[np.array(steps)]


def rarely(publisher: Publisher, every: int) -> Publisher:
    """Every second value only."""

    def publish(truth: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        steps, values = publisher(truth, random)
        return steps[::every], values[::every]

    return publish


HONEST: dict[str, Publisher] = {
    "raw": polled(10),
    "late": polled(10, late=30),
    "fast": polled(2),
    "one decimal": changed(polled(10), lambda v: np.round(v, 1)),
    "whole numbers": changed(polled(10), lambda v: np.round(v)),
    "mean of 1 s": changed(averaged(10), lambda v: np.round(v, 2)),
    "mean of 5 s": averaged(50),
    "filter": smoothed(0.3),
    "slow filter": changed(smoothed(0.1), lambda v: np.round(v, 1)),
    "filter, sent rarely": rarely(smoothed(0.1), 2),
    "two decimals, late": changed(polled(10, late=40), lambda v: np.round(v, 2)),
    "by exception": by_exception,
    "wrong factor": changed(polled(10), lambda v: v * 10),
    "fahrenheit": changed(polled(10), lambda v: v * 1.8 + 32),
    "scaled counts": changed(polled(10), lambda v: np.round(v * 100) / 100),
}


@pytest.mark.parametrize("kind", ["voltage", "temperature"])
@pytest.mark.parametrize("name", HONEST)
def test_honest_publishers_are_never_suspected(name: str, kind: str) -> None:
    """Rounding, averaging, filtering, deadbands and slips of scale, on several plants each."""
    for seed in range(PLANTS):
        truth = plant(seed, kind=kind)
        steps, values = HONEST[name](truth, np.random.default_rng(seed + 1000))
        finding = examine(
            (steps * 10**8 + 5 * 10**7).tolist(),
            values.tolist(),
            ((np.arange(N) * 10**8).tolist(), truth.tolist()),
            10,
            60,
        )
        assert not finding.suspect, (seed, finding)


def made_up(kind: str, truth: Floats, random: np.random.Generator) -> Floats:
    """Values near the truth that nobody measured."""
    steps = np.arange(20, N - 20, 10)
    slow = 231 + 2 * np.sin(steps / 10 / 25)  # the best guess there is: what the plant does without its noise
    match kind:
        case "smooth":
            return np.round(slow, 3)
        case "constant":
            return np.full(len(steps), round(float(slow.mean()), 2))
        case "random":
            return np.round(slow + 0.3 * random.standard_normal(len(steps)), 2)
        case "another seat":
            return plant(int(random.integers(10_000, 20_000)))[steps]
        case "loop":
            piece = truth[20 : 20 + 300 : 10]
            return np.resize(piece, len(steps))
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["smooth", "constant", "random", "another seat", "loop"])
def test_made_up_values_are_found(kind: str) -> None:
    """On twenty plants each, mostly, with its own kind, and never taken for measured."""
    kinds = []
    for seed in range(PLANTS):
        truth = plant(seed)
        values = made_up(kind, truth, np.random.default_rng(seed + 1000))
        times = (np.arange(20, N - 20, 10) * 10**8).tolist()
        finding = examine(times, values.tolist(), ((np.arange(N) * 10**8).tolist(), truth.tolist()), 10, 60)
        kinds.append(finding.kind)
    wanted = {
        "smooth": "smooth",
        "constant": "smooth",
        "random": "unrelated",
        "another seat": "unrelated",
        "loop": "repeated",
    }
    assert kinds.count(wanted[kind]) * 3 >= PLANTS * 2, kinds
    assert set(kinds) <= {wanted[kind], "unclear"}


def test_a_recording_that_is_played_back_is_found() -> None:
    """What was true 70 s before, throughout."""
    truth = plant(1)
    steps = np.arange(720, N - 20, 10)
    finding = examine(
        (steps * 10**8).tolist(), truth[steps - 700].tolist(), ((np.arange(N) * 10**8).tolist(), truth.tolist()), 10, 60
    )
    assert (finding.kind, finding.lag_s) == ("replayed", 70.0)


def test_the_figures_stand_in_the_outcome(bench: Bench) -> None:
    """A publisher who reads passes, one who invents loses, and too few values say nothing."""
    truth = plant(3)
    bench.true("meter1.voltage", *((n / 10, float(v)) for n, v in enumerate(truth)))
    for n, value in enumerate(made_up("random", truth, np.random.default_rng(2))):
        t = 2 + n
        bench.publish(t, "invented", {"v": float(value)})
        bench.publish(t, "read", {"v": float(truth[t * 10])})
    bench.publish(3, "few", {"v": 231.0})
    bench.end = 250
    judged = {
        topic: bench.judge("data.genuine", points={topic: "meter1.voltage"}, value="v")
        for topic in ("read", "invented", "few")
    }
    assert [outcome.state for outcome in judged.values()] == [State.PASSED, State.FAILED, State.PASSED]
    assert "noise" in judged["invented"].reason["en"]
    assert str(judged["invented"].actual).startswith("n = 246, exact ")
