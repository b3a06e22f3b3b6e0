from __future__ import annotations

import asyncio
import math

import pytest

from labsim.plant.clock import MAX, STEP_NS, SimClock

SECOND = 1_000_000_000


class Wall:
    """A wall clock that only moves when somebody sleeps or a step takes its time."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        """Nanoseconds now."""
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """A wall clock that sleeping moves."""
    clock = Wall()
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        clock.now += math.ceil(seconds * SECOND)
        await real(0)

    monkeypatch.setattr("labsim.plant.clock.asyncio.sleep", sleep)
    return clock


@pytest.mark.parametrize("speed", [0.5, 1.0, 7.0, 60.0])
async def test_steps_stand_at_absolute_deadlines(wall: Wall, speed: float):
    """Step n begins n periods after the start at any speed, without drift over a thousand steps."""
    clock, began, starts = SimClock(speed, 0, wall), wall.now, []

    def advance() -> None:
        starts.append(wall.now - began)
        clock.tick()

    await clock.run(advance, until_step=1000)
    period = STEP_NS / speed
    assert all(abs(at - n * period) < 2 for n, at in enumerate(starts, 1))
    assert clock.late_steps == 0


async def test_a_late_step_is_counted_and_none_is_skipped(wall: Wall):
    """After a step of a second the plant catches up step by step, and says how many began late."""
    clock, steps = SimClock(1.0, 0, wall), []

    def advance() -> None:
        steps.append(clock.step)
        wall.now += SECOND if clock.step == 3 else 0
        clock.tick()

    await clock.run(advance, until_step=40)
    assert steps == list(range(40))
    assert clock.late_steps == 9  # those due 900, 800 ... 100 ms before the second was over


async def test_time_inside_a_step_runs_at_the_speed_and_never_past_the_next(wall: Wall):
    """Between two steps evidence gets finer times, up to but not including the next step's."""
    clock, seen = SimClock(10.0, 0, wall), []

    def advance() -> None:
        clock.tick()
        for moved in (0, 4_000_000, 50_000_000):  # wall ns since the step
            wall.now += moved
            seen.append(clock.now_ns())
        wall.now -= 54_000_000

    await clock.run(advance, until_step=1)
    assert seen == [STEP_NS, STEP_NS + 40_000_000, 2 * STEP_NS - 1]


async def test_time_stands_still_before_a_run_and_after(wall: Wall):
    """Outside a run no plant time passes, whatever the wall does; it goes on where it stood."""
    clock = SimClock(1.0, 0, wall)
    wall.now += 7 * SECOND
    assert clock.now_ns() == 0
    await clock.run(clock.tick, until_step=3)
    stood = clock.now_ns()
    wall.now += 7 * SECOND
    assert clock.now_ns() == stood == 3 * STEP_NS
    await clock.run(clock.tick, until_step=4)
    assert clock.late_steps == 0


async def test_a_pause_freezes_inside_the_step_and_the_step_is_finished_after(wall: Wall):
    """Plant time never goes back over a pause, and the next step comes after what was left of this one."""
    clock, stepped = SimClock(1.0, 0, wall), [wall.now]
    reached = asyncio.Event()

    def advance() -> None:
        clock.tick()
        stepped.append(wall.now)
        if clock.step == 1:
            wall.now += 40_000_000
            clock.pause()
            reached.set()

    run = asyncio.create_task(clock.run(advance, until_step=3))
    await reached.wait()
    wall.now += 100 * SECOND
    assert (clock.paused, clock.step, clock.now_ns()) == (True, 1, STEP_NS + 40_000_000)
    clock.resume()
    assert clock.now_ns() == STEP_NS + 40_000_000
    await run
    paused = 100 * SECOND
    assert [at - stepped[0] for at in stepped[1:]] == [STEP_NS, 2 * STEP_NS + paused, 3 * STEP_NS + paused]
    assert clock.late_steps == 0


async def test_cancelling_a_run_stops_time(wall: Wall):
    """A cancelled run leaves the clock where it stood."""
    clock, reached = SimClock(1.0, 0, wall), asyncio.Event()

    def advance() -> None:
        clock.tick()
        if clock.step == 5:
            reached.set()

    run = asyncio.create_task(clock.run(advance))
    await reached.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    stood = clock.now_ns()
    wall.now += SECOND
    assert clock.now_ns() == stood


async def test_an_error_in_a_step_ends_the_run(wall: Wall):
    """What a device raises reaches the host; it is not swallowed."""

    def advance() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await SimClock(1.0, 0, wall).run(advance)


def test_utc_is_the_origin_plus_plant_time():
    """Timestamps on the wire are the plant's start plus plant time."""
    assert SimClock(1.0, 1_000).utc_ns(STEP_NS) == 1_000 + STEP_NS


async def test_at_the_greatest_speed_nothing_waits(wall: Wall):
    """As fast as it goes: a thousand steps take no wall time of their own, others get their turns, and no step is late."""
    clock, began, turns = SimClock(MAX, 0, wall), wall.now, []

    async def others() -> None:
        while clock.step < 1000:
            turns.append(clock.step)
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await clock.run(clock.tick, until_step=1000)
    await beside
    assert (clock.step, wall.now, clock.late_steps) == (1000, began, 0)
    assert len(turns) > 10
