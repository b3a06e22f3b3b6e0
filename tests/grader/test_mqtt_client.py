from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.mqtt_client import WillParams, will_faults
from grader.outcome import State

WILL = {"topic": "site/gw/status", "qos": 1, "retain": True, "payload": "offline"}


def connect(bench: Bench, t: float, app: str = "gw-1", status: int = 0, **more: Any) -> None:
    """One CONNECT and what became of it."""
    fields = {key: more.pop(key) for key in ("user", "thumb") if key in more}
    detail = {"level": 4, "clean": True, "keepalive": 30, **more}
    bench.event(t, "mqtt", "connect", app=app, session=f"s-{app}", status=status, detail=detail, **fields)


@pytest.mark.parametrize(
    ("params", "good", "fault"),
    [
        ({}, True, ""),
        ({"client": "gw-[0-9]"}, True, ""),
        ({"client": "gw"}, False, "client id"),
        ({"user": "gateway"}, True, ""),
        ({"user": ""}, False, "user"),
        ({"version": "3.1.1"}, True, ""),
        ({"version": "5"}, False, "protocol version"),
        ({"clean": False}, False, "clean start"),
        ({"keepalive": "30 s"}, True, ""),
        ({"keepalive": "29 s"}, False, "keep-alive"),
        ({"kept": "1 s"}, False, "session expiry"),
        ({"tls": False}, True, ""),
        ({"tls": True}, False, "TLS"),
        ({"certificate": True}, False, "client certificate"),
        ({"will": WILL}, True, ""),
        ({"will": {"topic": "site/+/status"}}, True, ""),
        ({"will": {"qos": 0}}, False, "will: QoS"),
        ({"will": {"retain": False}}, False, "will: retain"),
        ({"will": {"payload": "gone"}}, False, "will: payload"),
        ({"for": "50 s"}, True, ""),
        ({"for": "51 s"}, False, "it lasted 50 s"),
    ],
)
def test_each_part_of_a_connection_is_judged(bench: Bench, params: dict[str, Any], good: bool, fault: str) -> None:
    """What was asked for and not met is named, and nothing else."""
    connect(bench, 10, user="gateway", will=WILL)
    bench.event(60, "mqtt", "close", app="gw-1", session="s-gw-1", detail={"clean": False})
    bench.end = 300
    outcome = bench.judge("mqtt.connected", **params)
    assert (outcome.state is State.PASSED) is good
    assert outcome.reason["en"].endswith(f"differs in: {fault}." if fault else "as asked at 00:00:10.0 UTC.")


def test_one_connection_must_have_everything(bench: Bench) -> None:
    """Two halves of a good connection are none; the nearer one is told."""
    connect(bench, 1, "gw-1")
    connect(bench, 2, "gw-2", clean=False, will=WILL)
    outcome = bench.judge("mqtt.connected", client="gw-1", clean=False, will=WILL)
    assert outcome.state is State.FAILED
    assert "gw-2" in outcome.reason["en"]
    assert outcome.evidence[0] in (1, 2)


def test_tls_is_what_the_endpoint_saw(bench: Bench) -> None:
    """The connection was opened over TLS; a client certificate proves it too."""
    bench.event(1, "mqtt", "open", session="s-gw-1", detail={"transport": "mqtts"})
    connect(bench, 1)
    connect(bench, 2, "gw-2", thumb="AB")
    assert bench.judge("mqtt.connected", client="gw-1", tls=True).state is State.PASSED
    assert bench.judge("mqtt.connected", client="gw-2", tls=True, certificate=True).state is State.PASSED
    assert bench.judge("mqtt.connected", client="gw-1", tls=False).state is State.FAILED


def test_a_session_is_kept_in_the_terms_of_its_version(bench: Bench) -> None:
    """3.1.1 keeps what is not clean for ever, 5 as long as its property says, and not at all without one."""
    connect(bench, 1, "old", clean=False)
    connect(bench, 2, "new", level=5, clean=False, properties={"session_expiry": 60})
    connect(bench, 3, "never", level=5, properties={"session_expiry": 0xFFFFFFFF})
    connect(bench, 4, "none", level=5, clean=False)
    for client, kept, good in (
        ("old", "30 d", True), ("new", "60 s", True), ("new", "61 s", False), ("never", "30 d", True), ("none", "1 s", False),
    ):  # fmt: skip
        outcome = bench.judge("mqtt.connected", client=client, kept=kept)
        assert (outcome.state is State.PASSED) is good, client


def test_refused_connections_say_so(bench: Bench) -> None:
    """Nobody, and nobody who was let in, are two different reasons."""
    assert "No client connected" in bench.judge("mqtt.connected").reason["en"]
    other = Bench(bench.folder.with_name("other"))
    connect(other, 1, status=5)
    assert "with code 5" in other.judge("mqtt.connected").reason["en"]


def test_a_restart_of_the_host_ends_a_connection(bench: Bench) -> None:
    """Session names come again in the next epoch; time does not go on over a restart."""
    connect(bench, 10)
    bench.event(20, "lab", "host-start")
    bench.end = 100
    assert "it lasted 10 s" in bench.judge("mqtt.connected", **{"for": "30 s"}).reason["en"]


parts = st.sampled_from(["topic", "qos", "retain", "payload"])
values = st.none() | st.booleans() | st.integers() | st.text()


@given(values | st.dictionaries(parts, values | st.lists(values, max_size=2)))
def test_no_will_raises(will: Any) -> None:
    """Whatever stands in the evidence is a will with faults, or none."""
    assert isinstance(will_faults(will, WillParams(**WILL)), list)


def will(bench: Bench, t: float, topic: str = "site/gw/status", payload: str = "offline", **detail: Any) -> None:
    """A will that the broker published."""
    bench.publish(t, topic, payload, will=True, **{"qos": 1, "retain": True, **detail})


def test_a_will_that_was_published_passes(bench: Bench) -> None:
    """Topic, flags and payload as asked; the client is told."""
    will(bench, 5)
    outcome = bench.judge("mqtt.will", **WILL, client="gw")
    assert outcome.state is State.PASSED
    assert outcome.reason["en"] == "The will of gw was published at 00:00:05.0 UTC."
    assert bench.judge("mqtt.will", **WILL, at_least=2).state is State.FAILED
    assert bench.judge("mqtt.will", **WILL, client="other").state is State.FAILED


def test_saying_it_oneself_is_no_will(bench: Bench) -> None:
    """A client that publishes 'offline' before it goes has told nothing about being lost."""
    bench.publish(5, "site/gw/status", "offline", qos=1, retain=True)
    assert bench.judge("mqtt.will", **WILL).state is State.FAILED


def test_what_a_will_lacks_is_named(bench: Bench) -> None:
    """Flags that differ, another topic, a will that never had to speak, and none at all are four reasons."""
    will(bench, 5, retain=False)
    assert "will: retain" in bench.judge("mqtt.will", **WILL).reason["en"]
    assert "wills on other topics: 1" in bench.judge("mqtt.will", topic="other").reason["en"]
    left = Bench(bench.folder.with_name("left"))
    connect(left, 1, will=WILL)
    outcome = left.judge("mqtt.will", **WILL)
    assert "took its leave" in outcome.reason["en"]
    assert "DISCONNECT" in outcome.help["en"]
    idle = Bench(bench.folder.with_name("idle"))
    assert "No client left a will" in idle.judge("mqtt.will", **WILL).reason["en"]
