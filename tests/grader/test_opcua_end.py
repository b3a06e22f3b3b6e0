"""How OPC UA sessions end, which must not be, and how many requests a Modbus device gets."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.outcome import State

GOOD, BAD = State.PASSED, State.FAILED


def session(bench: Bench, t: float, name: str, app: str = "urn:a", **detail: Any) -> None:
    """An activated session."""
    facts = {"policy": "Basic256Sha256", "mode": "SignAndEncrypt", "identity": "username", "server": "line", **detail}
    bench.event(t, "opcua", "session", session=name, app=app, user="op", detail=facts)


def test_the_last_session_of_each_client_is_closed(bench: Bench) -> None:
    """An earlier one may have been cut."""
    session(bench, 1, "s1")
    bench.event(2, "opcua", "session-close", session="s1", app="urn:a", detail={"reason": "timeout"})
    session(bench, 3, "s2")
    bench.event(4, "opcua", "session-close", session="s2", app="urn:a")
    assert bench.judge("opcua.closed").state is GOOD


@pytest.mark.parametrize("detail", [{"reason": "timeout"}, None])
def test_a_session_that_was_cut_or_left_open_is_not_closed(bench: Bench, detail: dict[str, Any] | None) -> None:
    """And an attempt without a session earns nothing."""
    assert bench.judge("opcua.closed").state is BAD
    other = Bench(bench.folder.with_name("other"))
    session(other, 1, "s1")
    if detail:
        other.event(2, "opcua", "session-close", session="s1", app="urn:a", detail=detail)
    assert other.judge("opcua.closed").state is BAD


@pytest.mark.parametrize(("items", "state"), [([1, 2], GOOD), ([], GOOD), ([1], BAD), (None, BAD)])
def test_subscriptions_are_deleted_first(bench: Bench, items: list[int] | None, state: State) -> None:
    """Item by item or as a whole; one item that is left is one too many."""
    session(bench, 1, "s1")
    for item in (1, 2):
        bench.event(2, "opcua", "subscribe", session="s1", app="urn:a", detail={"subscription": 7, "item": item})
    if items is not None:
        bench.event(3, "opcua", "unsubscribe", session="s1", app="urn:a", detail={"subscription": 7, "items": items})
    bench.event(4, "opcua", "session-close", session="s1", app="urn:a")
    assert bench.judge("opcua.closed", subscriptions=True).state is state


@pytest.mark.parametrize(
    ("params", "state"),
    [
        ({"identity": "anonymous"}, BAD),
        ({"identity": "anonymous", "policy": "Basic256Sha256"}, GOOD),
        ({"policy": ["None"], "mode": "None"}, BAD),
        ({"server": "impostor"}, GOOD),
        ({"user": "guest"}, GOOD),
        ({"user": "guest", "at_least": 3}, BAD),
    ],
)
def test_no_session_of_a_kind(bench: Bench, params: dict[str, Any], state: State) -> None:
    """One session was anonymous and open, the other was not."""
    session(bench, 1, "s1")
    bench.event(2, "opcua", "session", session="s2", detail={"policy": "None", "mode": "None", "identity": "anonymous"})
    assert bench.judge("opcua.no-session", **params).state is state


@pytest.mark.parametrize(("most", "state"), [(10, GOOD), (9, BAD)])
def test_no_device_gets_too_many_requests(bench: Bench, most: int, state: State) -> None:
    """Ten a second, whether it answers or not."""
    for n in range(50):
        bench.read(n / 10, status=0 if n % 2 else -1)
    assert bench.judge("modbus.rate", devices=["meter1"], most=most).state is state
    assert bench.judge("modbus.rate", devices=["meter1"], most=50, at_least=51).state is BAD
    assert bench.judge("modbus.rate", devices=["meter1", "oven1"], most=50).score == 0.5
