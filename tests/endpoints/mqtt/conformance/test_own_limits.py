"""Limits, and what each client is told when it goes too far, in both versions."""

from __future__ import annotations

import pytest

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Rights
from labsim.endpoints.mqtt.limits import Limits


def test_the_connack_tells_the_limits(own, wire):
    """Receive maximum, packet size, aliases, keep-alive and a cut session expiry are told."""
    with own(limits=Limits(receive=7, packet=5000, aliases=3, keepalive=60, expiry=100)) as host:
        told = host.client("c", properties=wire.props((17, 500))).connack.props
        assert told == {17: [100], 33: [7], 39: [5000], 34: [3], 19: [60]}
        assert host.client("d", keepalive=30).connack.props.keys() == {33, 39, 34}
        assert host.client("e", properties=wire.props((17, 0xFFFFFFFF))).connack.props[17] == [100]


@pytest.mark.parametrize("level", [4, 5])
def test_too_many_messages_a_second(own, level):
    """A client over its rate is closed, in version 5 with 0x96; the messages before are delivered, another client is served."""
    with own(limits=Limits(rate=10)) as host:
        good, flood = host.client("good"), host.client("flood", level)
        good.subscribe(("a", 0))
        assert flood.send(*(flood.publish_bytes("a") for _ in range(30))).refused(0x96)
        assert len(good.messages()) >= 10
        assert "messages a second" in host.of("reject")[0].detail["reason"]


def test_too_many_connects_a_second(own):
    """CONNECTs over the rate are refused with 0x9F, in 3.1.1 with 3."""
    with own(limits=Limits(connects=2)) as host:
        codes = [host.peer().connect(f"c{n}").code for n in range(10)]
        assert codes[:2] == [0, 0]
        assert set(codes[2:]) <= {0, 0x9F}
        assert 0x9F in codes
        assert {host.peer(4).connect(f"d{n}").code for n in range(10)} <= {0, 3}


@pytest.mark.parametrize(("level", "code"), [(4, 3), (5, 0x97)])
def test_too_many_clients(own, level, code):
    """A client too many is refused; one that comes again is none more."""
    with own(limits=Limits(connections=1)) as host:
        host.client("a")
        assert host.peer(level).connect("b").code == code
        assert host.peer(level).connect("a").code == 0


@pytest.mark.parametrize("level", [4, 5])
def test_a_packet_too_large(own, level):
    """It is refused at its header, in version 5 with 0x95."""
    with own(limits=Limits(packet=1000)) as host:
        peer = host.client("c", level)
        assert peer.send(peer.publish_bytes("a", b"x" * 1000)[:10]).refused(0x95)


def test_too_many_subscriptions(own):
    """A filter too many is answered 0x97, with a sentence."""
    with own(limits=Limits(subscriptions=1)) as host:
        said = host.client("c").subscribe(("a", 0), ("b", 0))
        assert said.codes == [0, 0x97]
        assert said.props[31] == ["a session has at most 1 subscriptions"]


def test_too_many_unreleased_messages(own):
    """QoS 2 messages beyond the receive maximum close with 0x93; released ones do not count."""
    with own(limits=Limits(receive=2)) as host:
        peer = host.client("c")
        for mid in range(1, 6):
            peer.deliver("a", b"x", 2, mid)
        assert [peer.publish("a", b"x", 2, mid).code for mid in (7, 8)] == [0x10, 0x10]
        assert peer.send(peer.publish_bytes("a", b"x", 2, 9)).refused(0x93)


def test_strangers_make_room_for_each_other(own):
    """Of many connections without a CONNECT the oldest is closed, so a client that speaks always gets in."""
    with own(limits=Limits(strangers=3)) as host:
        idle = [host.peer() for _ in range(6)]
        assert [one.ends() for one in idle[:3]] == [[], [], []]
        assert host.client("good").sync() == []
        assert host.wait_for("close").detail["reason"] == "too many connections without a CONNECT"
        assert idle[-1].connect("late").code == 0


RIGHTS = {
    "ann": Rights(publish=("mine/#", "u/%u/%c"), subscribe=("mine/#", "$share/g/x", "u/+/%c")),
    "": Rights(publish=(), subscribe=("public/+",)),
}


@pytest.fixture(scope="module")
def guarded(own):
    """Ann with her rights, Bob with none written down, and anybody with a few."""
    users = [User("ann", "secret"), User("bob", "secret"), User("a/b", "secret")]
    with own(users=users, acl=RIGHTS | {"a/b": Rights(publish=("u/%u",))}) as host:
        yield host


@pytest.mark.parametrize(
    ("topic", "code"),
    [("mine/a/b", 0x10), ("mine", 0x10), ("other", 0x87), ("u/ann/c1", 0x10), ("u/bob/c1", 0x87), ("u/ann/c2", 0x87),
     ("$SYS/x", 0x87)],
)  # fmt: skip
def test_rights_to_publish(guarded, topic, code):
    """Filters with %u and %c say where a user may publish."""
    ann = guarded.client("c1", user="ann", password="secret")
    assert ann.publish(topic, b"", 1).code == code
    bob = guarded.client("c9", user="bob", password="secret")
    assert bob.publish("other", b"", 1).code == 0x10, "a user without a list may do everything"


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("mine/#", 0), ("mine/+/x", 0), ("#", 0x87), ("+/a", 0x87), ("mine", 0), ("u/+/c1", 0), ("u/ann/c1", 0),
     ("u/ann/+", 0x87), ("u/#", 0x87), ("$share/h/mine/a", 0), ("$share/h/other", 0x87)],
)  # fmt: skip
def test_rights_to_subscribe(guarded, pattern, code):
    """A filter is granted when everything it matches is allowed; of a shared subscription its filter counts."""
    assert guarded.client("c1", user="ann", password="secret").subscribe((pattern, 0)).codes == [code]


def test_anonymous_rights(guarded):
    """Who has no name has the rights of nobody."""
    peer = guarded.client("x")
    assert peer.subscribe(("public/a", 0), ("public/#", 0)).codes == [0, 0x87]
    assert peer.publish("public/a", b"", 1).code == 0x87


def test_a_name_with_a_slash_is_no_path(guarded):
    """A placeholder never stands for more than one level."""
    assert guarded.client("c", user="a/b", password="secret").publish("u/a/b", b"", 1).code == 0x87


def test_rights_at_the_will(guarded):
    """A will to a forbidden topic is not published, and evidence tells."""
    bob = guarded.client("r", user="bob", password="secret")
    bob.subscribe(("#", 0))
    guarded.client("w", user="ann", password="secret", will=("other/w", b"gone", 0, False)).vanish()
    assert bob.messages() == []
    event = guarded.wait_for("deny", app="w")
    assert (event.subject, event.detail["will"]) == ("other/w", True)


def test_rights_at_delivery(guarded, wire):
    """A session that goes on under another user gets only what that user may have."""
    keep = wire.props((17, 100))
    first = guarded.client("shared-id", user="bob", password="secret", properties=keep)
    first.subscribe(("mine/a", 1), ("other/a", 1))
    first.disconnect()
    second = guarded.client("shared-id", user="ann", password="secret", clean=False, properties=keep)
    assert second.connack.present == 1
    writer = guarded.client("w", user="bob", password="secret")
    writer.publish("other/a", b"secret", 1, 1)
    writer.publish("mine/a", b"fine", 1, 2)
    assert [one.payload for one in second.messages()] == [b"fine"]


def test_a_refusal_says_why_unless_nobody_asks(guarded, wire):
    """The reason string comes with the code, and not with request problem information 0 [MQTT-3.1.2-29]."""
    told = guarded.client("p", user="ann", password="secret").publish("other", b"", 1)
    assert told.props[31] == ["access list"]
    mute = guarded.client("q", user="ann", password="secret", properties=wire.props((23, 0)))
    assert mute.publish("other", b"", 1).props == {}
