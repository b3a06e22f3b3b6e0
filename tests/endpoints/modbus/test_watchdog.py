"""Claims about the watchdog: what keeps it alive, what happens when it expires, how it recovers; all in plant time."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.errors import UnknownNameError
from labsim.scenario.modbus import ModbusSpec, WatchdogSpec

READ, WRITE = "03 0064 0002", "06 00ca 0064"


def dog(make_bench: Any, **spec: Any) -> Any:
    """A bench whose device has a watchdog of one second with a safe state."""
    spec = {"time": 1, "safe": {"ramp": 0, "valve": False}, **spec}
    return make_bench(core={"watchdogs": {"an1": WatchdogSpec.model_validate(spec)}})


def states(bench: Any) -> list[str]:
    """What the watchdog said so far."""
    return [event.detail["state"] for event in bench.sink.of("watchdog")]


def test_it_sleeps_until_the_first_trigger(make_bench: Any) -> None:
    """A device that nobody ever talked to does not expire."""
    bench = dog(make_bench)
    bench.advance(5)
    assert (states(bench), bench.device["ramp"]) == ([], 5)


def test_it_expires_into_the_safe_state(make_bench: Any) -> None:
    """After its time without a request the device takes its safe values, which is evidence with tags and values."""
    bench = dog(make_bench)
    bench.ask("05 0000 ff00")
    bench.advance(0.9)
    assert (states(bench), bench.device["valve"]) == (["running"], True)
    bench.advance(0.1)
    assert (states(bench), bench.device["ramp"], bench.device["valve"]) == (["running", "expired"], 0, False)
    event = bench.sink.of("watchdog")[-1]
    assert (event.device, event.tags, event.values) == ("an1", ["an1.ramp", "an1.valve"], [0, False])


def test_requests_keep_it_alive(make_bench: Any) -> None:
    """A request within the time starts the time anew."""
    bench = dog(make_bench)
    for _ in range(5):
        bench.ask(READ)
        bench.advance(0.8)
    assert states(bench) == ["running"]


def test_an_exception_keeps_nothing_alive(make_bench: Any) -> None:
    """A request that was refused is no trigger."""
    bench = dog(make_bench)
    bench.ask(READ)
    bench.advance(0.8)
    assert bench.ask("03 0000 0001") == "83 02"
    bench.advance(0.3)
    assert states(bench) == ["running", "expired"]


@pytest.mark.parametrize(("trigger", "alive"), [("any", True), ("write", False), ((3,), True), ((16,), False)])
def test_what_triggers_is_declared(make_bench: Any, trigger: Any, alive: bool) -> None:
    """Any request, writes only, or named function codes."""
    bench = dog(make_bench, trigger=trigger)
    bench.ask("10 00c8 0002 04 41c80000")
    bench.advance(0.8)
    bench.ask(READ)
    bench.advance(0.8)
    assert ("expired" not in states(bench)) == alive


def test_writes_are_refused_while_it_is_expired(make_bench: Any) -> None:
    """Until it recovers a write gets 04 and changes nothing; a read is answered."""
    bench = dog(make_bench, recovery="reset", reset="command")
    bench.ask(READ)
    bench.advance(1)
    assert bench.ask(WRITE) == "86 04"
    assert bench.ask(READ)[:2] == "03"
    assert bench.device["ramp"] == 0


def test_writes_may_be_taken(make_bench: Any) -> None:
    """With ``writes: take`` the safe state is only a value."""
    bench = dog(make_bench, recovery="reset", reset="command", writes="take")
    bench.ask(READ)
    bench.advance(1)
    assert bench.ask(WRITE)[:2] == "06"
    assert bench.device["ramp"] == 10


def test_communication_recovers_it(make_bench: Any) -> None:
    """By default the next trigger ends it; with ``trigger: write`` the refused write does, and the next one is carried out."""
    bench = dog(make_bench, trigger="write")
    bench.ask(WRITE)
    bench.advance(1)
    assert bench.ask(WRITE) == "86 04"
    assert states(bench) == ["running", "expired", "running"]
    assert bench.ask(WRITE)[:2] == "06"
    bench.advance(1)
    assert states(bench)[-1] == "expired"


def test_outputs_may_come_back(make_bench: Any) -> None:
    """With ``restore`` the outputs get back what they had, which is evidence too."""
    bench = dog(make_bench, restore=True)
    bench.ask("05 0000 ff00")
    bench.advance(1)
    assert bench.device["valve"] is False
    bench.ask(READ)
    assert (bench.device["valve"], bench.device["ramp"]) == (True, 5)
    assert bench.sink.of("watchdog")[-1].values == [5, True]


def test_a_reset_recovers_it(make_bench: Any) -> None:
    """With ``recovery: reset`` only the reset tag ends it, and the reset alone may be written meanwhile."""
    bench = dog(make_bench, recovery="reset", reset="command")
    bench.ask(READ)
    bench.advance(1)
    bench.ask(READ)
    assert states(bench)[-1] == "expired"
    assert bench.ask("06 00cc 0001")[:2] == "06"
    bench.advance(0.1)
    assert states(bench)[-1] == "running"
    assert bench.ask(WRITE)[:2] == "06"


def test_it_may_hang_up(make_bench: Any) -> None:
    """With ``close`` the tick says that connections are to be closed."""
    bench = dog(make_bench, close=True)
    bench.ask(READ)
    assert bench.advance(0.9) is False
    assert bench.advance(0.1) is True
    assert bench.advance(1) is False


def test_a_tag_that_is_not_there_is_named(make_bench: Any) -> None:
    """A safe value for a tag that the device does not have is found when the endpoint is made."""
    with pytest.raises(UnknownNameError, match=r"an1\.rampe"):
        _ = dog(make_bench, safe={"rampe": 0}).core


def test_a_watchdog_belongs_to_a_unit() -> None:
    """A scenario's watchdog names a device behind the endpoint, and a reset belongs to 'recovery: reset'."""
    with pytest.raises(ValueError, match="device of 'units'"):
        ModbusSpec.model_validate({"units": {1: "a"}, "watchdogs": {"b": {"time": "1 s"}}})
    with pytest.raises(ValueError, match="belong together"):
        WatchdogSpec.model_validate({"time": 1, "recovery": "reset"})
