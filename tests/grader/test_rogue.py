from __future__ import annotations

import pytest
from grader_bench import Bench

from grader.outcome import State


def came(bench: Bench) -> None:
    """A rogue client at each of two endpoints."""
    for t, endpoint, client, name in (
        (1, "modbus", "127.0.0.66:50001", ""),
        (2, "opcua", "127.0.0.9:50002", "eng-laptop-1"),
    ):
        detail = {"phase": "open", "client": client, "number": t, "fault": "rogue.write"} | (
            {"name": name} if name else {}
        )
        bench.event(t, "lab", "rogue", subject=f"rogue.{endpoint}", detail=detail)


@pytest.mark.parametrize(
    ("said", "endpoint", "good"),
    [
        ("127.0.0.66", "modbus", True),
        (" 127.0.0.66:50001", "modbus", True),
        ("127.0.0.66", "opcua", False),
        ("127.0.0.6", None, False),
        ("urn:eng-laptop-1:client", None, True),
        ("ENG-LAPTOP-1", "opcua", True),
        ("", None, False),
        ("urn::client", None, False),
    ],
)
def test_a_rogue_is_named_by_address_or_name(bench: Bench, said: str, endpoint: str | None, good: bool) -> None:
    """What evidence knows of it counts, with or without port, of the endpoint that is asked about."""
    came(bench)
    bench.event(3, "lab", "answer", values=[said], detail={"task": "say"})
    outcome = bench.judge("rogue.named", task="say", rogue=endpoint)
    assert (outcome.state is State.PASSED) is good


def test_a_guess_before_it_came_is_none(bench: Bench) -> None:
    """Only what the trainee can have seen counts."""
    bench.event(0.5, "lab", "answer", values=["127.0.0.66"], detail={"task": "say"})
    came(bench)
    assert bench.judge("rogue.named", task="say").state is State.FAILED
