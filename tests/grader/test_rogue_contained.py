from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.checks import load
from grader.outcome import Outcome, State
from grader.probing import without_rogues

ROGUE, OURS = "127.0.0.66:50001", "127.0.0.1:40001"
REFUSED = 0x801F0000


def attack(bench: Bench, begin: float, end: float | None = None, endpoint: str = "opcua") -> None:
    """One attack and its connection."""
    for t, phase in ((begin, "begin"), (end, "end")):
        if t is not None:
            detail = {"fault": "rogue.write", "phase": phase, "number": 1, "hidden": True}
            bench.event(t, "lab", "fault", subject=f"rogue.{endpoint}", detail=detail)
    told(bench, begin, "open", endpoint)


def told(bench: Bench, t: float, phase: str, endpoint: str = "opcua", **detail: Any) -> None:
    """What the lab tells of its rogue client."""
    about = {"fault": "rogue.write", "number": 1, "phase": phase, **({} if phase == "act" else {"client": ROGUE})}
    bench.event(t, "lab", "rogue", subject=f"rogue.{endpoint}", detail=about | detail)


def write(bench: Bench, t: float, status: int = 0, client: str = ROGUE, **fields: Any) -> None:
    """A write by the rogue client, unless another one is named."""
    tags = {"tags": ["oven1.setpoint"], "values": [300.0], "device": "oven1"}
    bench.event(t, "opcua", "write", client=client, session=client, status=status, **tags | fields)


def shut_out(bench: Bench, at: float = 50, until: float = 120) -> None:
    """Writes every 5 s that are refused from a time on, while another client writes all the time."""
    attack(bench, 10)
    for t in range(11, round(until), 5):
        write(bench, t, 0 if t < at else REFUSED)
        write(bench, t + 1, client=OURS)
    bench.end = until


def contained(bench: Bench, **params: Any) -> Outcome:
    """The outcome as a verdict has it: judged without what the rogue client did."""
    check = load("rogue.contained")
    return check().judge(without_rogues(bench.evidence), check.Params.model_validate({"for": "30 s", **params}))


@pytest.mark.parametrize(
    ("params", "state", "said"),
    [
        ({}, State.PASSED, "nothing done after 00:00:46.0"),
        ({"rogue": "opcua", "within": "36 s"}, State.PASSED, ""),
        ({"within": "35 s"}, State.FAILED, "shut out after 36 s; it had to be within 35 s"),
        ({"for": "74 s"}, State.PASSED, ""),
        ({"for": "75 s"}, State.FAILED, "refused for 74 s"),
        ({"rogue": "modbus"}, State.FAILED, "No rogue client has come"),
        ({"served": 100}, State.FAILED, "nor did the others"),
    ],
)
def test_a_rogue_is_out_when_it_tries_in_vain(bench: Bench, params: dict[str, Any], state: State, said: str) -> None:
    """From the last thing it got done until the end it was refused, and others were not."""
    shut_out(bench)
    outcome = contained(bench, **params)
    assert outcome.state is state, outcome
    assert said in outcome.reason["en"]
    assert outcome.reason.missing == ()


def test_a_rogue_that_is_let_in_is_not_contained(bench: Bench) -> None:
    """As in a lab that nobody has touched, also when the attack ends by itself."""
    attack(bench, 10, 60)
    for t in range(11, 60, 5):
        write(bench, t)
        write(bench, t + 1, client=OURS)
    for t in range(60, 200, 5):
        write(bench, t, client=OURS)
    assert "still let in" in contained(bench).reason["en"]


def test_one_that_has_had_enough_is_not_contained(bench: Bench) -> None:
    """It acts once and stays away: nobody has shut it out."""
    attack(bench, 10)
    write(bench, 11)
    for t in range(20, 200, 5):
        write(bench, t, client=OURS)
    assert contained(bench).state is State.FAILED


def test_one_that_comes_back_is_not_contained(bench: Bench) -> None:
    """A pause in which it was refused proves nothing when it is let in afterwards."""
    shut_out(bench)
    write(bench, 119)
    assert contained(bench).state is State.FAILED


def test_shutting_everybody_out_is_no_containment(bench: Bench) -> None:
    """The others have to be served after it as well."""
    attack(bench, 10)
    for t in range(11, 120, 5):
        write(bench, t, 0 if t < 50 else REFUSED)
        write(bench, t + 1, 0 if t < 50 else REFUSED, client=OURS)
    bench.end = 120
    assert "nor did the others: 1 good requests of 3" in contained(bench).reason["en"]
    assert contained(bench, served=0).state is State.PASSED


def test_one_that_does_not_come_through_any_more_is_out(bench: Bench) -> None:
    """What the lab tells of its acts counts, where the endpoint never saw the attempt."""
    attack(bench, 10)
    write(bench, 11)
    told(bench, 12, "close")
    told(bench, 13, "act", result="unreachable", reason="timed out")
    for t in range(20, 120, 5):
        write(bench, t, client=OURS)
    assert contained(bench).state is State.PASSED


@pytest.mark.parametrize(("prevented", "state"), [(True, State.PASSED), (False, State.FAILED)])
def test_one_that_never_got_in(bench: Bench, prevented: bool, state: State) -> None:
    """It counts only where that is asked for, because such an attack may have been harmless by itself."""
    shut_out(bench, at=0)
    assert contained(bench, prevented=prevented).state is state


def test_to_come_and_look_around_is_nothing_done(bench: Bench) -> None:
    """An anonymous session and a read of the server's own nodes are let happen; a login as a user is not."""
    shut_out(bench)
    bench.event(100, "opcua", "session", client=ROGUE, session=ROGUE, detail={"identity": "anonymous"})
    bench.event(101, "opcua", "read", client=ROGUE, session=ROGUE, detail={"nodes": ["i=2255"], "statuses": [0]})
    assert contained(bench).state is State.PASSED


def test_a_login_as_a_user_is_something_done(bench: Bench) -> None:
    """With a stolen password it is still in, whatever it writes."""
    shut_out(bench)
    bench.event(100, "opcua", "session", client=ROGUE, session=ROGUE, user="operator", detail={"identity": "username"})
    assert contained(bench).state is State.FAILED


def test_a_message_that_the_broker_denies_is_refused(bench: Bench) -> None:
    """The client has its acknowledgement and believes it was published; the broker knows better."""
    attack(bench, 10, endpoint="mqtt")
    for t in range(11, 120, 5):
        kind = "publish" if t < 50 else "deny"
        bench.event(t, "mqtt", kind, client=ROGUE, session="r", app="x", subject="cmd", values=["1"])
        bench.publish(t + 1, "v", 1)
    bench.end = 120
    assert contained(bench).state is State.PASSED
