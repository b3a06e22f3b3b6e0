"""MQTT 3.1.1, chapters 1, 2, 3.1, 3.2, 3.12 and 3.14: one claim of the standard each, on both brokers."""

from __future__ import annotations

import pytest


def test_mqtt_3_1_0_1(server):
    """The first packet is a CONNECT; after any other the broker closes."""
    assert server.peer(4).send(b"\xc0\x00").ends() == []


def test_mqtt_3_1_0_2(three):
    """A second CONNECT is a protocol violation."""
    peer = three()
    assert peer.send(peer.connect_bytes("again")).ends() == []


def test_mqtt_3_1_2_1(server):
    """Another protocol name is not answered."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", name="HTTP")).ends() == []


def test_mqtt_3_1_2_2(server):
    """A protocol level that is not known is refused with code 1, then the broker closes."""
    peer = server.peer(4)
    assert [one.code for one in peer.send(peer.connect_bytes("c", level=9)).ends()] == [1]


def test_mqtt_3_1_2_3(server):
    """The reserved bit of the connect flags must be 0."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", flags=3)).ends() == []


def test_mqtt_3_1_2_4(server, three, topic):
    """With clean session 0 the session goes on."""
    name = server.unique()
    first = three(name, clean=False)
    first.subscribe((topic, 1))
    first.disconnect()
    three().publish(topic, b"kept", 1)
    second = three(name, clean=False)
    assert second.connack.present == 1
    assert [one.payload for one in second.messages()] == [b"kept"]


def test_mqtt_3_1_2_5(server, three, topic):
    """QoS 1 and 2 messages are kept for a session without a connection."""
    name = server.unique()
    three(name, clean=False).subscribe((topic, 2))
    server.peers[-1].vanish()
    writer = three()
    writer.publish(topic, b"1", 1, 1)
    writer.deliver(topic, b"2", 2, 2)
    assert [(one.payload, one.qos) for one in three(name, clean=False).messages()] == [(b"1", 1), (b"2", 2)]


def test_mqtt_3_1_2_6(server, three, topic):
    """With clean session 1 everything before is discarded."""
    name = server.unique()
    first = three(name, clean=False)
    first.subscribe((topic, 1))
    first.disconnect()
    three(name).disconnect()
    assert three(name, clean=False).connack.present == 0


def test_mqtt_3_1_2_7(three, topic):
    """Retained messages are no part of a session and outlive it."""
    writer = three()
    writer.publish(topic, b"kept", 1, retain=True)
    writer.disconnect()
    reader = three()
    reader.subscribe((topic, 0))
    assert [one.payload for one in reader.messages()] == [b"kept"]


def test_mqtt_3_1_2_8(three, topic):
    """The will is published when the connection ends without a DISCONNECT."""
    reader = three()
    reader.subscribe((topic, 0))
    three(will=(topic, b"gone", 0, False)).vanish()
    assert reader.expect("publish").payload == b"gone"


def test_mqtt_3_1_2_10(three, topic):
    """DISCONNECT removes the will."""
    reader = three()
    reader.subscribe((topic, 0))
    three(will=(topic, b"gone", 0, False)).disconnect()
    assert reader.messages() == []


@pytest.mark.parametrize("flags", [0x02 | 0x08, 0x02 | 0x10])
def test_mqtt_3_1_2_13(server, flags):
    """Without a will its QoS bits are 0."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", flags=flags)).ends() == []


def test_mqtt_3_1_2_14(server):
    """A will QoS of 3 closes."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", will=("w", b"", 3, False))).ends() == []


def test_mqtt_3_1_2_15(server):
    """Without a will its RETAIN bit is 0."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", flags=0x22)).ends() == []


def test_mqtt_3_1_2_17(three, topic):
    """A will with RETAIN 1 is published as a retained message."""
    three(will=(topic, b"gone", 0, True)).vanish()
    reader = three()
    reader.subscribe((topic, 0))
    assert [(one.payload, one.retain) for one in reader.messages()] == [(b"gone", True)]


def test_mqtt_3_1_2_22(server):
    """A password without a user name is refused."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes("c", password="p")).ends() == []


def test_mqtt_3_1_2_24(three, topic):
    """Silence of one and a half keep-alive periods is taken for a lost network."""
    reader = three()
    reader.subscribe((topic, 0))
    three(keepalive=1, will=(topic, b"silent", 0, False))
    assert reader.expect("publish").payload == b"silent"


def test_mqtt_3_1_3_4(server):
    """A client id that is not UTF-8 closes."""
    peer = server.peer(4)
    assert peer.send(peer.connect_bytes(b"\xc3\x28")).ends() == []


def test_mqtt_3_1_3_5(server):
    """Client ids of 1 to 23 letters and digits are let in."""
    for name in ("a", "0123456789abcdefABCDEFG"):
        assert server.peer(4).connect(name).code == 0


def test_mqtt_3_1_3_6(server):
    """An empty client id is let in with clean session 1."""
    assert server.peer(4).connect("").code == 0


def test_mqtt_3_1_3_8(server):
    """An empty client id with clean session 0 is refused with code 2, then the broker closes."""
    peer = server.peer(4)
    assert peer.connect("", clean=False).code == 2
    assert peer.ends() == []


def test_mqtt_3_1_4_2(server, three):
    """The same client id again disconnects the client that had it."""
    name = server.unique()
    older = three(name)
    newer = three(name)
    assert older.ends() == []
    assert newer.sync() == []


def test_mqtt_3_2_2_5(server):
    """Credentials that are not right are refused with code 4 or 5 (§3.2.2.3), then the broker closes."""
    peer = server.peer(4, guarded=True)
    assert peer.connect(user="ann", password="wrong").code in (4, 5)
    assert peer.ends() == []


def test_mqtt_3_1_4_5(server, three, topic):
    """What follows a CONNECT that is refused has no effect."""
    peer = server.peer(4, guarded=True)
    peer.send(peer.connect_bytes("c"), peer.publish_bytes("mine/" + topic, b"x", retain=True)).ends()
    good = server.peer(4, guarded=True)
    assert good.connect(user="ann", password="secret").code == 0
    good.subscribe(("mine/" + topic, 0))
    assert good.messages() == []


def test_mqtt_3_2_0_1(server):
    """The first packet of the broker is the CONNACK, also when more has come with the CONNECT."""
    peer = server.peer(4)
    peer.send(peer.connect_bytes(server.unique()), b"\xc0\x00")
    assert peer.get().kind == "connack"
    assert peer.get().kind == "pong"


def test_mqtt_3_2_2_1(server, three):
    """Clean session 1 has session present 0."""
    name = server.unique()
    three(name, clean=False).disconnect()
    assert three(name).connack.present == 0


def test_mqtt_3_2_2_2(server, three):
    """Clean session 0 with a stored session has session present 1."""
    name = server.unique()
    three(name, clean=False).disconnect()
    assert three(name, clean=False).connack.present == 1


def test_mqtt_3_2_2_3(three):
    """Clean session 0 without a stored session has session present 0."""
    assert three(clean=False).connack.present == 0


def test_mqtt_3_2_2_4(server):
    """A refusal has session present 0."""
    assert server.peer(4, guarded=True).connect().present == 0


def test_mqtt_3_12_4_1(three):
    """PINGREQ is answered."""
    assert three().sync() == []


def test_mqtt_3_14_1_1(three, topic):
    """DISCONNECT with reserved bits set is malformed: the will goes out."""
    reader = three()
    reader.subscribe((topic, 0))
    three(will=(topic, b"gone", 0, False)).send(b"\xe1\x00").ends()
    assert reader.expect("publish").payload == b"gone"


def test_mqtt_3_14_4_closes(three):
    """After DISCONNECT the broker closes, if the client has not (§3.14.4: it should)."""
    assert three().send(b"\xe0\x00").ends() == []


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"])
def test_mqtt_1_5_3_1(three, bad):
    """Ill-formed UTF-8 (stray, overlong, surrogate, five bytes) closes."""
    peer = three()
    assert peer.send(peer.publish_bytes(bad)).ends() == []


def test_mqtt_1_5_3_2(three):
    """U+0000 in a string closes."""
    peer = three()
    assert peer.send(peer.subscribe_bytes(("a\0b", 0))).ends() == []


def test_mqtt_1_5_3_3(three, topic):
    """U+FEFF is a character like another, and stays."""
    reader = three()
    reader.subscribe(("\ufeff" + topic, 0), (topic, 0))
    three().publish("\ufeff" + topic)
    assert [one.topic for one in reader.messages()] == ["\ufeff" + topic]


@pytest.mark.parametrize("header", [0x60, 0x80, 0xA0, 0xC1])
def test_mqtt_2_2_2_2(three, header):
    """Reserved flags of a fixed header that are not as the table says close."""
    body = {0x60: b"\0\1", 0x80: b"\0\1\0\1a\0", 0xA0: b"\0\1\0\1a", 0xC0: b""}[header & 0xF0]
    assert three().send(bytes((header, len(body))) + body).ends() == []


@pytest.mark.parametrize("kind", ["publish", "subscribe", "unsubscribe"])
def test_mqtt_2_3_1_1(three, kind):
    """A packet identifier of 0 closes."""
    peer = three()
    packet = {
        "publish": peer.publish_bytes("a", b"", 1, 0),
        "subscribe": peer.subscribe_bytes(("a", 0), mid=0),
        "unsubscribe": peer.unsubscribe_bytes("a", mid=0),
    }[kind]
    assert peer.send(packet).ends() == []


def test_mqtt_2_3_1_6(three, topic):
    """PUBACK, PUBREC and PUBREL have the identifier of the PUBLISH."""
    peer = three()
    assert peer.publish(topic, b"", 1, 513).mid == 513
    assert peer.publish(topic, b"", 2, 77).mid == 77


def test_mqtt_2_3_1_7(three, topic):
    """SUBACK and UNSUBACK have the identifier of what they answer."""
    peer = three()
    assert peer.subscribe((topic, 0), mid=300).mid == 300
    assert peer.unsubscribe(topic, mid=301).mid == 301
