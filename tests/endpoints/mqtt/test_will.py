"""The will (§3.1.2.5): when it goes out and when it does not, on bytes."""

from __future__ import annotations

import pytest

WILL = ("state/w", b"gone", 1, False)


def ends(bench, raw, how: str) -> None:
    """Connect ``w`` with a will and end it."""
    client = bench.connect("w", will=WILL, keepalive=10)
    match how:
        case "vanish":
            client.vanish()
        case "keep-alive":
            bench.advance(15.1)
        case "take-over":
            bench.connect("w")
        case "violation":
            client.send(raw.publish("a/+"))
        case "malformed":
            client.send(b"\x00\x00")
        case "slow":
            client.connection.cut()
            bench.pump()
        case "disconnect":
            client.send(raw.DISCONNECT)
        case "stop":
            client.connection.stop()
            bench.pump()


@pytest.mark.parametrize("how", ["vanish", "keep-alive", "take-over", "violation", "malformed", "slow"])
def test_mqtt_3_1_2_8_the_will_is_published_when_a_connection_fails(bench, raw, how):
    """An abrupt end, however it came, publishes the will once."""
    reader = bench.subscribe("r", ("state/+", 2))
    ends(bench, raw, how)
    assert [message[:4] for message in reader.messages()] == [("state/w", b"gone", 1, False)]
    [event] = bench.of("publish")
    assert (event.app, event.detail["will"]) == ("w", True)


@pytest.mark.parametrize("how", ["disconnect", "stop"])
def test_mqtt_3_14_4_3_no_will_after_disconnect(bench, raw, how):
    """DISCONNECT discards the will; nor is it published when it is the lab that stops."""
    reader = bench.subscribe("r", ("#", 2))
    ends(bench, raw, how)
    assert reader.messages() == []
    assert not bench.of("publish")


def test_mqtt_3_1_2_10_a_will_is_published_once(bench, raw):
    """A will that went out is gone; a second connection without one leaves none."""
    reader = bench.subscribe("r", ("#", 0))
    client = bench.connect("w", will=WILL, clean=False)
    client.vanish()
    client.vanish()
    bench.connect("w", clean=False).vanish()
    assert len(reader.messages()) == 1


def test_mqtt_3_1_2_12_no_will_without_the_flag(bench):
    """A client without a will leaves nothing."""
    reader = bench.subscribe("r", ("#", 0))
    bench.connect("w").vanish()
    assert reader.messages() == []


@pytest.mark.parametrize("retain", [False, True])
def test_mqtt_3_1_2_16_17_a_will_is_retained_as_it_asked(bench, raw, retain):
    """Will retain decides whether a later subscriber finds the will."""
    bench.connect("w", will=("state/w", b"gone", 0, retain)).vanish()
    answers = bench.connect("r").send(raw.subscribe(("state/w", 0)))
    assert [answer[2] for answer in answers[1:]] == ([b"gone"] if retain else [])


def test_a_refused_client_leaves_no_will(make_bench, raw):
    """The will of a CONNECT that was not accepted is not stored."""
    from labsim.endpoints.mqtt.access import Access

    bench = make_bench(Access(anonymous=False))
    bench.open().send(raw.connect(will=WILL))
    assert not bench.of("publish")


def test_a_take_over_delivers_the_will_to_the_session_itself(bench):
    """A persistent session subscribed to its own will gets it after the CONNACK of the new connection."""
    bench.subscribe("w", ("state/#", 1), clean=False, will=WILL)
    newer = bench.connect("w", clean=False)
    assert [packet[:3] for packet in newer.resumed] == [("publish", "state/w", b"gone")]


def test_a_will_below_a_dollar_is_denied(bench):
    """A will is bound by the same rules as any message of its client."""
    reader = bench.subscribe("r", ("$SYS/#", 0))
    bench.connect("w", will=("$SYS/x", b"gone", 0, True)).vanish()
    assert reader.messages() == []
    assert bench.of("deny")[0].detail["will"] is True
