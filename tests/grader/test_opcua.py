from __future__ import annotations

import pytest
from grader_bench import Bench

from grader.outcome import State

POLICY = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
TAGS = ["oven1.temp", "oven1.setpoint"]


def session(bench: Bench, t: float, policy: str = "None", mode: str = "None", user: str = "", status: int = 0) -> None:
    """An activated session."""
    detail = {"policy": policy, "mode": mode, "identity": "username" if user else "anonymous"}
    bench.event(t, "opcua", "session", user=user, status=status, detail=detail)


def test_one_session_must_have_everything(bench: Bench) -> None:
    """Two sessions that have half of it each do not pass; the nearest is named with what it lacks."""
    session(bench, 1, POLICY, "SignAndEncrypt")
    session(bench, 2, user="operator")
    wanted = {"user": "operator", "policy": "Basic256Sha256", "mode": "SignAndEncrypt"}
    outcome = bench.judge("opcua.session", **wanted)
    assert outcome.state is State.FAILED
    assert "differs in: user" in outcome.reason["en"]
    assert bench.judge("opcua.session", policy=["Aes128_Sha256_RsaOaep", "Basic256Sha256"]).evidence == (1,)
    assert bench.judge("opcua.session", identity="username").evidence == (2,)


def test_the_role_and_the_application_of_a_session(bench: Bench) -> None:
    """Both can be asked for; what differs is named."""
    detail = {"policy": "None", "mode": "None", "identity": "username", "role": "Operator"}
    bench.event(1, "opcua", "session", user="op", app="urn:mine", detail=detail)
    assert bench.judge("opcua.session", role="Operator", app="urn:mine").state is State.PASSED
    assert "role" in bench.judge("opcua.session", role="Engineer").reason["en"]
    assert "application URI" in bench.judge("opcua.session", app="urn:other").reason["en"]


def test_a_refused_session_is_none(bench: Bench) -> None:
    """A bad status does not count, and the attempt is told."""
    session(bench, 1, user="operator", status=0x801F0000)
    bench.event(2, "opcua", "reject", detail={"service": "OpenSecureChannel", "reason": "BadSecurityChecksFailed"})
    outcome = bench.judge("opcua.session")
    assert outcome.state is State.FAILED
    assert outcome.evidence == (1, 2)


def test_reads_are_counted_by_tag(bench: Bench) -> None:
    """Shares by tag, unless one request has to hold them all."""
    bench.event(1, "opcua", "read", tags=["oven1.temp"], values=[20.0])
    bench.event(2, "opcua", "read", tags=["meter1.power"], values=[1.0])
    assert bench.judge("opcua.read", tags=TAGS).score == 0.5
    assert bench.judge("opcua.read", tags=["oven1.temp"], at_least=2).score == 0
    assert bench.judge("opcua.read", tags=TAGS, together=True).actual == "1"


def test_one_request_for_all(bench: Bench) -> None:
    """A request with the tags among others passes."""
    bench.event(1, "opcua", "read", tags=[*TAGS, "meter1.power"], values=[20.0, 21.0, 1.0])
    assert bench.judge("opcua.read", tags=TAGS, together=True).state is State.PASSED


def item(bench: Bench, t: float, tag: str, **detail: object) -> None:
    """A monitored item."""
    base = {"publishing_ms": 500.0, "sampling_ms": 250.0, "queue": 10, "deadband_type": 0, "deadband": 0.0}
    bench.event(t, "opcua", "subscribe", tags=[tag], detail={**base, **detail})


def test_a_subscription_is_judged_by_its_revised_settings(bench: Bench) -> None:
    """Exactly at each limit passes; beyond it, the setting is named."""
    item(bench, 1, "oven1.temp")
    tag = {"tags": ["oven1.temp"]}
    assert bench.judge("opcua.subscribed", **tag, publishing="500 ms", sampling="250 ms", queue=10).score == 1
    assert "publishing interval" in bench.judge("opcua.subscribed", **tag, publishing="499 ms").reason["en"]
    assert "sampling interval" in bench.judge("opcua.subscribed", **tag, sampling="0.2 s").reason["en"]
    assert "queue" in bench.judge("opcua.subscribed", **tag, queue=11).reason["en"]
    assert "deadband" in bench.judge("opcua.subscribed", **tag, deadband=0.5).reason["en"]
    assert bench.judge("opcua.subscribed", **tag, deadband=0).score == 1


def test_intervals_are_plant_time(bench: Bench) -> None:
    """At four times the speed 500 ms on the wire are two seconds of the plant."""
    bench.speed = 4.0
    item(bench, 1, "oven1.temp")
    outcome = bench.judge("opcua.subscribed", tags=["oven1.temp"], publishing="1.9 s")
    assert outcome.state is State.FAILED
    assert "2000 ms" in str(outcome.actual)
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], publishing="2 s", sampling="1 s").score == 1


def test_the_best_item_of_a_tag_counts(bench: Bench) -> None:
    """A wrong try before the right one costs nothing; each tag has its share."""
    item(bench, 1, "oven1.temp", queue=1)
    item(bench, 2, "oven1.temp", deadband_type="absolute", deadband=0.5)
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], queue=10, deadband=0.5).evidence == (2,)
    assert bench.judge("opcua.subscribed", tags=TAGS, queue=10).score == 0.5


def test_a_percent_deadband_is_not_an_absolute_one(bench: Bench) -> None:
    """The two kinds are told apart."""
    item(bench, 1, "oven1.temp", deadband_type=2, deadband=1.0)
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], deadband="1 %").score == 1
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], deadband=1).score == 0


def test_going_on_with_reads_is_seen(bench: Bench) -> None:
    """Reads before the subscription are free, later ones are counted."""
    for t in (0.5, 2, 3):
        bench.event(t, "opcua", "read", tags=["oven1.temp"], values=[20.0])
    item(bench, 1, "oven1.temp")
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], reads_after=2).score == 1
    assert bench.judge("opcua.subscribed", tags=["oven1.temp"], reads_after=1).score == 0


def test_no_subscription_and_incomplete_details_fail(bench: Bench) -> None:
    """A refused item does not count; an item without its details is not as asked."""
    bench.event(1, "opcua", "subscribe", tags=["oven1.setpoint"], status=0x80340000)
    assert "No monitored item" in bench.judge("opcua.subscribed", tags=TAGS).reason["en"]
    bench2 = Bench(bench.folder.with_name("other"))
    bench2.event(1, "opcua", "subscribe", tags=["oven1.temp"])
    assert bench2.judge("opcua.subscribed", tags=["oven1.temp"], publishing="1 s", queue=1, deadband=1).score == 0


def test_writes_are_judged_by_user_and_result(bench: Bench) -> None:
    """An observer's write is refused, an operator's taken."""
    write = {"tags": ["oven1.setpoint"], "values": [245.0]}
    bench.event(1, "opcua", "write", **write, user="observer", status=0x801F0000)
    bench.event(2, "opcua", "write", **write, user="operator")
    tag = {"tag": "oven1.setpoint"}
    assert bench.judge("opcua.wrote", **tag, value=245, user="operator").evidence == (2,)
    assert bench.judge("opcua.wrote", **tag, value=245, user="observer").state is State.FAILED
    assert bench.judge("opcua.wrote", **tag, user="observer", result="refused").evidence == (1,)
    assert bench.judge("opcua.wrote", **tag, user="operator", result="refused").state is State.FAILED
    assert bench.judge("opcua.wrote", **tag, value=24.5).help["en"].startswith("It is off by a factor of 10")


@pytest.mark.parametrize("together", [True, False])
def test_who_read_the_wrong_device_is_told_what_was_read(bench: Bench, together: bool) -> None:
    """Not that a request was too small, when none of the tags was in any."""
    bench.event(1, "opcua", "read", tags=["meter1.power"], values=[1.0])
    outcome = bench.judge("opcua.read", tags=TAGS, together=together)
    assert "None of oven1.temp, oven1.setpoint was read" in outcome.reason["en"]
    assert outcome.actual == "meter1.power"
    assert not outcome.help
