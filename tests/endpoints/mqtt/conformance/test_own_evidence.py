"""What a client of version 5 does, as evidence."""

from __future__ import annotations

import pytest


@pytest.fixture
def host(own):
    """An endpoint that lets everybody in."""
    with own() as host:
        yield host


def test_a_connect_is_told_with_its_properties(host, wire):
    """Level, properties and the will's properties are kept; a refusal has its reason code as status."""
    given = wire.props((17, 60), (33, 5), (38, ("cell", "7")))
    host.client("c", properties=given, will=("w", b"x", 1, False, wire.props((24, 9), (9, b"\xff"))))
    detail = host.wait_for("connect", app="c").detail
    assert (detail["level"], detail["clean"], detail["keepalive"]) == (5, True, 0)
    assert detail["properties"] == {"session_expiry": 60, "receive_maximum": 5, "user": [["cell", "7"]]}
    assert detail["will"]["properties"] == {"will_delay": 9, "correlation_data": "ff"}
    assert host.peer().connect("plant").code == 0x85
    assert host.wait_for("connect", app="plant").status == 0x85


def test_a_publish_is_told_with_its_properties_and_its_real_topic(host, wire):
    """Properties are kept, and a topic alias is told as the topic it stands for."""
    peer = host.client("c")
    peer.publish("a/b", b"1", 1, properties=wire.props((35, 1), (3, "text/plain")))
    peer.publish("", b"2", 1, properties=wire.props((35, 1), (8, "answer"), (9, b"\x01"), (2, 30), (1, 1)))
    first, second = host.of("publish")
    assert (first.subject, first.detail["properties"]) == ("a/b", {"topic_alias": 1, "content_type": "text/plain"})
    assert (second.subject, second.values) == ("a/b", ["2"])
    assert second.detail["properties"] == {
        "topic_alias": 1, "response_topic": "answer", "correlation_data": "01", "message_expiry": 30, "payload_format": 1,
    }  # fmt: skip


def test_a_subscription_is_told_with_its_options(host, wire):
    """Options that are not the usual are kept, the identifier too."""
    host.client("c").subscribe(("a", 1 | 4 | 8 | 32), ("b", 0), properties=wire.props((11, 7)))
    first, second = host.of("subscribe")
    assert first.detail == {
        "qos": 1, "granted": 1, "no_local": True, "as_published": True, "handling": 2, "identifier": 7,
    }  # fmt: skip
    assert second.detail == {"qos": 0, "granted": 0, "identifier": 7}


def test_leaving_is_told_with_its_reason(host, wire):
    """DISCONNECT's code and properties are kept; a rejected packet has the code the client was told."""
    host.client("c").disconnect(4, wire.props((17, 0), (31, "out of paint")))
    event = host.wait_for("disconnect")
    assert event.status == 4
    assert event.detail["properties"] == {"session_expiry": 0, "reason_string": "out of paint"}
    assert host.wait_for("close", app="c").detail == {"clean": False}
    peer = host.client("d")
    assert peer.send(peer.publish_bytes("a", properties=wire.props((35, 0)))).refused(0x94)
    assert host.wait_for("reject").detail == {"reason": "topic alias 0", "code": 0x94}


def test_a_delayed_will_is_told_when_it_goes_out(host, wire):
    """The will's publish is told of the client that left it, after its connection has closed."""
    host.client("w", will=("state", b"gone", 1, False, wire.props((24, 1))), properties=wire.props((17, 100))).vanish()
    event = host.wait_for("publish")
    assert (event.app, event.subject, event.detail["will"]) == ("w", "state", True)
    kinds = [one.kind for one in host.events if one.app == "w"]
    assert kinds.index("close") < kinds.index("publish")


def test_system_counters_are_published_and_are_no_evidence(host):
    """$SYS is there for who asks for it, and nothing of it is in the journal."""
    reader = host.client("r", 4)
    reader.subscribe(("$SYS/#", 0))
    topics = {one.topic: one for one in reader.messages()}
    assert {"$SYS/broker/version", "$SYS/broker/clients/connected", "$SYS/broker/messages/received"} <= topics.keys()
    assert all(one.retain for one in topics.values())
    assert not host.of("publish")
