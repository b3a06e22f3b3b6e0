from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.checks import REGISTRY, load
from grader.cut import Cut
from grader.outcome import State
from grader.server import ServerCheck

LEFT_OUT = {"opcua.no-session"}
"""It has a server of its own meaning: the one that nobody may have a session with."""


def at(bench: Bench, server: str, start: float = 0.0) -> None:
    """A session at a server and one of each deed in it."""
    told = {"policy": "None", "mode": "None", "identity": "anonymous", "role": "Observer", "server": server}
    bench.event(start + 1, "opcua", "session", session=server, app="urn:mine", detail=told)
    item = {"publishing_ms": 500.0, "sampling_ms": 250.0, "queue": 10, "deadband_type": 0, "deadband": 0.0}
    deeds: dict[str, dict[str, Any]] = {
        "browse": {"device": "oven1", "detail": {"nodes": ["ns=2;i=1"]}},
        "read": {"tags": ["oven1.temp"], "values": [20.0]},
        "write": {"tags": ["oven1.setpoint"], "values": [200.0]},
        "subscribe": {"tags": ["oven1.temp"], "detail": item},
        "call": {"device": "oven1", "detail": {"name": "start", "arguments": []}},
        "acknowledge": {"detail": {"condition": "oven1.hot"}},
        "history-read": {"tags": ["oven1.temp"], "values": [5], "detail": {"what": "raw"}},
        "session-close": {},
    }
    for kind, fields in deeds.items():
        given = {"device": "oven1"} | fields
        bench.event(start + 2, "opcua", kind, session=server, app="urn:mine", **given)


@pytest.mark.parametrize(
    ("check", "params"),
    [
        ("opcua.session", {}),
        ("opcua.browsed", {"device": "oven1"}),
        ("opcua.read", {"tags": ["oven1.temp"]}),
        ("opcua.wrote", {"tag": "oven1.setpoint", "value": 200}),
        ("opcua.subscribed", {"tags": ["oven1.temp"]}),
        ("opcua.not-polled", {"tags": ["oven1.temp"]}),
        ("opcua.called", {"method": "oven1.start"}),
        ("opcua.acknowledged", {"alarm": "oven1.hot"}),
        ("opcua.history-read", {"tags": ["oven1.temp"]}),
        ("opcua.closed", {}),
    ],
)
def test_only_what_is_done_at_the_server_counts(bench: Bench, check: str, params: dict[str, Any]) -> None:
    """Deeds at one of two servers are none at the other, and whoever did them there is told which one counts."""
    at(bench, "oven-a")
    assert bench.judge(check, **params).state is State.PASSED
    assert bench.judge(check, **params, server="oven-a").state is State.PASSED
    outcome = bench.judge(check, **params, server="oven-b")
    assert outcome.state is State.FAILED
    assert outcome.help
    made = load(check)
    assert "(server oven-b)" in made().title(made.Params.model_validate({**params, "server": "oven-b"}))["en"]


def test_what_never_may_be_at_one_server_may_be_at_another(bench: Bench) -> None:
    """A write at the other server is no write at this one."""
    at(bench, "oven-a")
    at(bench, "oven-b", 10)
    never = {"tags": ["oven1.setpoint"]}
    assert bench.judge("opcua.never", **never, server="oven-b").evidence != ()
    assert bench.judge("opcua.never", **never, server="oven-c", at_least=0).state is State.PASSED


@pytest.mark.parametrize(("server", "state"), [("press", State.PASSED), ("impostor", State.FAILED)])
def test_a_certificate_is_trusted_by_one_server(bench: Bench, server: str, state: State) -> None:
    """What the trust list of one server says is nothing at another."""
    for t, action in ((1, "rejected"), (2, "trusted")):
        detail = {"of": "client", "thumbprint": "AB", "action": action, "reason": "", "server": "press"}
        bench.event(t, "opcua", "certificate", session=f"connection-{t}", detail=detail)
    told = {"policy": "Basic256Sha256", "mode": "SignAndEncrypt", "server": "press"}
    bench.event(3, "opcua", "session", session="i=5", thumb="AB", detail=told)
    assert bench.judge("opcua.certificate", server=server).state is state


def test_a_session_from_before_the_stretch_still_says_where_it_is(bench: Bench) -> None:
    """With `when` a session may have begun earlier; what is done in it counts at its server."""
    at(bench, "oven-a")
    bench.event(30, "opcua", "write", session="oven-a", tags=["oven1.setpoint"], values=[210.0])
    check = load("opcua.wrote")
    params = check.Params.model_validate({"tag": "oven1.setpoint", "value": 210, "server": "oven-a"})
    part = Cut(bench.evidence, start_ns=20 * 10**9)
    assert check().judge(part, params).state is State.PASSED


def test_a_subscription_from_before_the_stretch_counts_at_its_server(bench: Bench) -> None:
    """What was monitored before `when` began is monitored in it."""
    at(bench, "oven-a")
    bench.end = 60
    check = load("opcua.not-polled")
    part = Cut(bench.evidence, start_ns=20 * 10**9)
    for server, state in (("oven-a", State.PASSED), ("oven-b", State.FAILED)):
        params = check.Params.model_validate({"tags": ["oven1.temp"], "server": server})
        assert check().judge(part, params).state is state


def test_every_check_of_opcua_can_be_of_one_server() -> None:
    """So that a lab with two servers can be graded, whatever it asks for."""
    ours = {name for name in REGISTRY if name.startswith("opcua.")} - LEFT_OUT
    assert [name for name in sorted(ours) if not issubclass(load(name), ServerCheck)] == []
