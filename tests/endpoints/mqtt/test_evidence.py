"""What the sink is told, and that no effect and no answer comes before it."""

from __future__ import annotations

import hashlib

import pytest

from labsim.endpoints.mqtt.evidence import describe
from labsim.evidence.event import PAYLOAD_KEPT, PLANT


def test_a_whole_visit_is_told(bench, raw):
    """Every act of a client is one event, in order, with client, session and app."""
    client = bench.open()
    client.send(raw.connect("c", keepalive=30, will=("w", b"\xff", 1, True)))
    client.send(raw.subscribe(("a", 1), ("b/#", 0)), raw.publish("t", b"hi", 1, 9, retain=True, dup=True))
    client.send(raw.unsubscribe("a"), raw.PING, raw.DISCONNECT)
    assert bench.kinds() == [
        "open", "connect", "subscribe", "subscribe", "publish", "unsubscribe", "disconnect", "close",
    ]  # fmt: skip
    opened, connected, first, second, published, left, _, _ = bench.events
    assert {event.session for event in bench.events} == {"mqtt-1"}
    assert {event.client for event in bench.events} == {"10.0.0.1:5000"}
    assert opened.app == ""
    assert {event.app for event in bench.events[1:]} == {"c"}
    will = connected.detail.pop("will")
    assert connected.detail == {"level": 4, "clean": True, "keepalive": 30}
    assert (will["topic"], will["qos"], will["retain"], will["payload"], will["binary"]) == ("w", 1, True, "ff", True)
    assert (first.subject, first.detail) == ("a", {"qos": 1, "granted": 1})
    assert (second.subject, second.detail) == ("b/#", {"qos": 0, "granted": 0})
    assert (published.subject, published.values) == ("t", ["hi"])
    assert published.detail == {
        "qos": 1, "retain": True, "dup": True, "mid": 9, "size": 2, "sha256": hashlib.sha256(b"hi").hexdigest(),
    }  # fmt: skip
    assert left.subject == "a"


def test_no_password_is_evidence(bench, raw):
    """A password is nowhere in what is kept."""
    bench.open().send(raw.connect("c", user="ann", password="s3cret-word"))
    assert "s3cret-word" not in repr(bench.events)


def test_each_connection_is_its_own_session(bench):
    """Two connections of one client id are told apart."""
    bench.connect("c")
    bench.connect("c")
    assert len({event.session for event in bench.of("connect")}) == 2


def test_a_resumed_session_is_told(bench):
    """A CONNECT that finds its session says so."""
    bench.connect("c", clean=False).vanish()
    bench.connect("c", clean=False)
    assert [event.detail.get("resumed") for event in bench.of("connect")] == [None, True]


def test_a_qos_2_duplicate_is_marked_as_repeated(bench, raw):
    """The packet that repeats a QoS 2 message is told once more, marked as one that was not delivered."""
    client = bench.connect()
    client.send(raw.publish("a", b"x", 2, 5), raw.publish("a", b"x", 2, 5, dup=True))
    assert [(event.detail["dup"], event.detail.get("repeat")) for event in bench.of("publish")] == [
        (False, None),
        (True, True),
    ]


def test_payloads_are_described():
    """Text stays text, bytes become hex, and only what is kept is cut, never inside a character."""
    assert describe("銑床".encode())[0] == "銑床"
    text, detail = describe(b"\x00\xff")
    assert (text, detail["binary"], detail["size"]) == ("00ff", True, 2)
    assert describe(b"\x00")[0] == "\x00"
    text, detail = describe(b"a" * (PAYLOAD_KEPT + 1))
    assert (len(text), detail["cut"], detail["size"]) == (PAYLOAD_KEPT, True, PAYLOAD_KEPT + 1)
    for lead in range(4):
        text, detail = describe(b"a" * lead + "銑".encode() * PAYLOAD_KEPT)
        assert "binary" not in detail
        assert set(text) <= set("a銑")
    assert describe(b"a" * (PAYLOAD_KEPT - 1) + b"\xffa")[1]["binary"], "a byte that is wrong, not cut"
    assert describe("銑".encode()[:2])[1]["binary"], "half a character that was sent so"
    text, detail = describe(b"\xff" * (PAYLOAD_KEPT * 2))
    assert (len(text), detail["binary"], detail["cut"]) == (PAYLOAD_KEPT * 2, True, True)
    assert detail["sha256"] == hashlib.sha256(b"\xff" * (PAYLOAD_KEPT * 2)).hexdigest()


def test_the_plants_own_messages_are_its_own(bench):
    """What the plant publishes is told under its name, with the device it is about."""
    reader = bench.subscribe("r", ("#", 0))
    bench.broker.publish("meter1/values", b"{}", device="meter1")
    bench.pump()
    assert len(reader.messages()) == 1
    [event] = bench.of("publish")
    assert (event.app, event.device, event.client, event.session) == (PLANT, "meter1", "", "")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("publish", "publish 1"), ("publish", "publish 2"), ("subscribe", "subscribe"), ("unsubscribe", "unsubscribe")],
)
def test_what_cannot_be_kept_has_no_answer_and_no_effect(bench, raw, kind, name):
    """When the sink raises, the packet is not answered or passed on, and the connection ends."""
    reader, client = bench.subscribe("r", ("#", 2)), bench.connect("c")
    bench.broken = lambda event: event.kind == kind
    packet = {
        "publish 1": raw.publish("a", b"x", 1, 1, retain=True),
        "publish 2": raw.publish("a", b"x", 2, 1),
        "subscribe": raw.subscribe(("a", 1)),
        "unsubscribe": raw.unsubscribe("a"),
    }[name]
    assert client.send(packet, raw.PING) == []
    assert client.closed
    assert reader.messages() == []
    assert not reader.closed
    assert len(bench.broker.retained) == 0


def test_a_connect_that_cannot_be_kept_has_no_answer(bench, raw):
    """No CONNACK, no take-over and no session without evidence."""
    older = bench.connect("c")
    bench.broken = lambda event: event.kind == "connect"
    client = bench.open()
    assert client.send(raw.connect("c")) == []
    assert client.closed
    assert not older.closed


@pytest.mark.parametrize("kind", ["open", "close", "reject", "timeout", "disconnect", "takeover", "drop"])
def test_a_broken_sink_never_escapes(bench, raw, kind):
    """Whichever event fails, the connection ends and nothing is raised into the shell."""
    bench.broken = lambda event: event.kind == kind
    client = bench.open()
    client.send(raw.connect("c", will=("w", b"", 0, False), keepalive=1))
    if not client.closed:
        client.send(raw.publish("a/#") if kind == "reject" else raw.PING)
        if kind == "takeover":
            bench.open().send(raw.connect("c"))
        elif kind == "drop":
            client.connection.cut()
        elif kind == "timeout":
            bench.advance(2)
        client.send(raw.DISCONNECT)
        client.vanish()
    assert client.closed
    assert client.connection not in bench.broker.connected.values()


def test_a_publish_of_the_plant_that_cannot_be_kept_is_raised(bench):
    """The lab learns that evidence has failed, and nothing was delivered."""
    from labsim.errors import EvidenceError

    reader = bench.subscribe("r", ("#", 0))
    bench.broken = lambda event: event.kind == "publish"
    with pytest.raises(EvidenceError):
        bench.broker.publish("a", b"x")
    bench.pump()
    assert reader.messages() == []
