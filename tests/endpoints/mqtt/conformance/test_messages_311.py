"""MQTT 3.1.1, chapters 3.3 to 3.11 and 4: one claim of the standard each, on both brokers."""

from __future__ import annotations

import pytest


def test_mqtt_3_3_1_1(server, three, topic):
    """What was not acknowledged is sent again with DUP 1."""
    name = server.unique()
    three(name, clean=False).subscribe((topic, 1))
    first = server.peers[-1]
    three().publish(topic, b"x", 1)
    assert first.expect("publish").dup is False
    first.vanish()
    assert [one.dup for one in three(name, clean=False).messages()] == [True]


def test_mqtt_3_3_1_2(three):
    """DUP on QoS 0 closes."""
    peer = three()
    assert peer.send(peer.publish_bytes("a", dup=True)).ends() == []


def test_mqtt_3_3_1_3(three, topic):
    """DUP of an incoming message is not passed on."""
    reader = three()
    reader.subscribe((topic, 1))
    three().publish(topic, b"x", 1, dup=True)
    assert [one.dup for one in reader.messages()] == [False]


def test_mqtt_3_3_1_4(three):
    """QoS 3 closes."""
    peer = three()
    assert peer.send(peer.publish_bytes("a", qos=3)).ends() == []


def test_mqtt_3_3_1_6(three, topic):
    """A new subscription gets the last retained message of each matching topic."""
    writer = three()
    writer.publish(topic + "/a", b"old", 1, retain=True)
    writer.publish(topic + "/a", b"new", 1, retain=True)
    writer.publish(topic + "/b", b"b", 1, retain=True)
    reader = three()
    reader.subscribe((topic + "/+", 1))
    assert sorted(one.payload for one in reader.messages()) == [b"b", b"new"]


def test_mqtt_3_3_1_7(three, topic):
    """A QoS 0 message with RETAIN takes the place of what was retained."""
    writer = three()
    writer.publish(topic, b"1", 1, retain=True)
    writer.publish(topic, b"0", retain=True)
    reader = three()
    reader.subscribe((topic, 1))
    assert [one.payload for one in reader.messages()] == [b"0"]


def test_mqtt_3_3_1_8(three, topic):
    """What a new subscription finds retained has RETAIN 1."""
    three().publish(topic, b"x", 1, retain=True)
    reader = three()
    reader.subscribe((topic, 1))
    assert [one.retain for one in reader.messages()] == [True]


def test_mqtt_3_3_1_9(three, topic):
    """An established subscription sees RETAIN 0."""
    reader = three()
    reader.subscribe((topic, 1))
    three().publish(topic, b"x", 1, retain=True)
    assert [one.retain for one in reader.messages()] == [False]


def test_mqtt_3_3_1_10(three, topic):
    """An empty retained message is passed on and removes what was retained."""
    writer, reader = three(), three()
    writer.publish(topic, b"x", 1, retain=True)
    reader.subscribe((topic, 0))
    writer.publish(topic, b"", 1, retain=True)
    assert [one.payload for one in reader.messages()] == [b"x", b""]
    late = three()
    late.subscribe((topic, 0))
    assert late.messages() == []


def test_mqtt_3_3_1_12(three, topic):
    """A message with RETAIN 0 leaves what is retained."""
    writer = three()
    writer.publish(topic, b"kept", 1, retain=True)
    writer.publish(topic, b"other", 1)
    reader = three()
    reader.subscribe((topic, 0))
    assert [one.payload for one in reader.messages()] == [b"kept"]


@pytest.mark.parametrize("wild", ["a/+", "#", "a/#/b", "+"])
def test_mqtt_3_3_2_2(three, wild):
    """A wildcard in the topic of a PUBLISH closes."""
    peer = three()
    assert peer.send(peer.publish_bytes(wild)).ends() == []


def test_mqtt_3_3_5_1(three, topic):
    """Overlapping filters: the message comes at the highest QoS among them."""
    reader = three()
    reader.subscribe((topic + "/#", 0), (topic + "/+", 2), (topic + "/a", 1))
    three().deliver(topic + "/a", b"x", 2)
    assert max(one.qos for one in reader.messages()) == 2


def test_mqtt_3_6_1_1(three):
    """PUBREL with other flags than 0010 closes."""
    assert three().send(b"\x60\x02\x00\x01").ends() == []


def test_mqtt_3_8_1_1(three):
    """SUBSCRIBE with other flags than 0010 closes."""
    peer = three()
    assert peer.send(b"\x80" + peer.subscribe_bytes(("a", 0))[1:]).ends() == []


def test_mqtt_3_8_3_1(three):
    """A filter that is not UTF-8 closes."""
    peer = three()
    assert peer.send(peer.subscribe_bytes((b"\xff", 0))).ends() == []


def test_mqtt_3_8_3_3(three):
    """A SUBSCRIBE without a filter closes."""
    peer = three()
    assert peer.send(peer.subscribe_bytes()).ends() == []


@pytest.mark.parametrize("options", [3, 4, 0x80])
def test_mqtt_3_8_3_4(three, options):
    """A requested QoS of 3, or reserved bits beside it, close."""
    peer = three()
    assert peer.send(peer.subscribe_bytes(("a", options))).ends() == []


def test_mqtt_3_8_4_1(three, topic):
    """SUBSCRIBE is answered with SUBACK."""
    assert three().subscribe((topic, 1)).codes == [1]


def test_mqtt_3_8_4_3(three, topic):
    """A filter that is there already is replaced, and its retained messages come again."""
    three().publish(topic, b"kept", 1, retain=True)
    reader = three()
    reader.subscribe((topic, 0))
    reader.messages()
    reader.subscribe((topic, 1), mid=2)
    assert [one.payload for one in reader.messages()] == [b"kept"]
    three().publish(topic, b"live", 1)
    assert [(one.payload, one.qos) for one in reader.messages()] == [(b"live", 1)]


def test_mqtt_3_8_4_4(three, topic):
    """Several filters in one packet are as if they had come in a sequence of packets."""
    reader = three()
    reader.subscribe((topic + "/a", 0), (topic + "/b", 1))
    writer = three()
    for last in "ab":
        writer.publish(f"{topic}/{last}", b"x", 1)
    assert [(one.topic[-1], one.qos) for one in reader.messages()] == [("a", 0), ("b", 1)]


def test_mqtt_3_8_4_5(three, topic):
    """SUBACK has a code for each filter, in their order [MQTT-3.9.3-1]."""
    assert three().subscribe((topic, 2), (topic + "/a", 0), (topic + "/b", 1)).codes == [2, 0, 1]


@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_mqtt_3_8_4_6(three, topic, published, granted):
    """A message comes at the lower of its own QoS and the granted one."""
    reader = three()
    reader.subscribe((topic, granted))
    three().deliver(topic, b"x", published)
    assert [one.qos for one in reader.messages()] == [min(published, granted)]


def test_mqtt_3_10_1_1(three):
    """UNSUBSCRIBE with other flags than 0010 closes."""
    peer = three()
    assert peer.send(b"\xa0" + peer.unsubscribe_bytes("a")[1:]).ends() == []


def test_mqtt_3_10_3_2(three):
    """An UNSUBSCRIBE without a filter closes."""
    peer = three()
    assert peer.send(peer.unsubscribe_bytes()).ends() == []


def test_mqtt_3_10_4_1(three, topic):
    """Filters are compared character by character: one that merely matches is not removed."""
    reader = three()
    reader.subscribe((topic + "/+", 0))
    reader.unsubscribe(topic + "/#")
    three().publish(topic + "/a", b"x", 1)
    assert len(reader.messages()) == 1


def test_mqtt_3_10_4_2(three, topic):
    """After UNSUBACK nothing new comes."""
    reader = three()
    reader.subscribe((topic, 0))
    reader.unsubscribe(topic, mid=2)
    three().publish(topic, b"x", 1)
    assert reader.messages() == []


def test_mqtt_3_10_4_5(three, topic):
    """UNSUBACK comes also when there was nothing to remove."""
    assert three().unsubscribe(topic, mid=9).mid == 9


def test_mqtt_4_3_1_1(three, topic):
    """QoS 0: once, with DUP 0 and without an identifier."""
    reader = three()
    reader.subscribe((topic, 0))
    three().publish(topic, b"hello")
    assert [(one.payload, one.dup, one.mid) for one in reader.messages()] == [(b"hello", False, 0)]


def test_mqtt_4_3_2_2(three, topic):
    """QoS 1: acknowledged; after the PUBACK its identifier is a new message, with DUP or without."""
    reader, writer = three(), three()
    reader.subscribe((topic, 0))
    for payload, dup in ((b"1", False), (b"2", True)):
        writer.publish(topic, payload, 1, 7, dup=dup)
    assert [one.payload for one in reader.messages()] == [b"1", b"2"]


def test_mqtt_4_3_3_1(three, topic):
    """QoS 2 towards a client: PUBLISH, PUBREC, PUBREL, PUBCOMP."""
    reader = three()
    reader.subscribe((topic, 2))
    writer = three()
    writer.publish(topic, b"x", 2, 3)
    writer.ack("pubrel", 3).expect("pubcomp")
    mid = reader.expect("publish").mid
    assert reader.ack("pubrec", mid).expect("pubrel").mid == mid
    assert reader.ack("pubcomp", mid).sync() == []


def test_mqtt_4_3_3_2(three, topic):
    """QoS 2 from a client: until its PUBREL a repeated identifier is acknowledged and not delivered again."""
    reader, writer = three(), three()
    reader.subscribe((topic, 0))
    writer.publish(topic, b"x", 2, 9)
    assert writer.publish(topic, b"x", 2, 9, dup=True).mid == 9
    assert writer.ack("pubrel", 9).expect("pubcomp").mid == 9
    assert len(reader.messages()) == 1


def test_mqtt_4_4_0_1(server, three, topic):
    """On reconnect a PUBLISH and a PUBREL that were not answered come again with their identifiers."""
    name = server.unique()
    first = three(name, clean=False)
    first.subscribe((topic, 2))
    writer = three()
    for mid in (1, 2):
        writer.publish(topic, bytes((mid,)), 2, mid)
        writer.ack("pubrel", mid).expect("pubcomp")
    one, two = first.expect("publish"), first.expect("publish")
    first.ack("pubrec", one.mid).expect("pubrel")
    first.vanish()
    again = three(name, clean=False).sync()
    assert {(packet.kind, packet.mid) for packet in again} == {("pubrel", one.mid), ("publish", two.mid)}


def test_mqtt_4_5_0_1(three, topic):
    """A message reaches every client with a matching filter."""
    readers = [three(), three(), three()]
    for reader, pattern in zip(readers, (topic, topic + "/#", "+" + topic[1:]), strict=True):
        reader.subscribe((pattern, 0))
    three().publish(topic, b"x", 1)
    assert [len(reader.messages()) for reader in readers] == [1, 1, 1]


def test_mqtt_4_6_0_6(three, topic):
    """Messages of one publisher to one topic come in their order."""
    reader, writer = three(), three()
    reader.subscribe((topic, 1))
    writer.send(*(writer.publish_bytes(topic, str(n).encode(), 1, n) for n in range(1, 15)))
    assert len(writer.sync()) == 14
    assert [int(one.payload) for one in reader.messages()] == list(range(1, 15))


@pytest.mark.parametrize("pattern", ["a/#/b", "a#", "#/a"])
def test_mqtt_4_7_1_2(three, pattern):
    """# is the last level and a whole one."""
    peer = three()
    assert peer.send(peer.subscribe_bytes((pattern, 0))).ends() == []


@pytest.mark.parametrize("pattern", ["a+", "a/+b", "++"])
def test_mqtt_4_7_1_3(three, pattern):
    """+ is a whole level."""
    peer = three()
    assert peer.send(peer.subscribe_bytes((pattern, 0))).ends() == []


def test_mqtt_4_7_2_1(three):
    """A filter that begins with a wildcard does not match a topic that begins with $."""
    reader = three()
    reader.subscribe(("+/broker/version", 0))
    assert reader.messages() == []
    reader.subscribe(("$SYS/broker/version", 0), mid=2)
    assert len(reader.messages()) == 1


def test_mqtt_4_7_3_1(three):
    """Topics and filters have at least one character."""
    for packet in (three().publish_bytes(""), three().subscribe_bytes(("", 0))):
        assert three().send(packet).ends() == []


def test_mqtt_4_7_3_4(three, topic):
    """Nothing is normalised: case, slashes at the ends and blanks make another topic."""
    reader = three()
    reader.subscribe((topic, 0))
    writer = three()
    for other in (topic.upper(), topic + "/", "/" + topic, topic + " "):
        writer.publish(other, b"x", 1)
    assert reader.messages() == []


def test_mqtt_4_8_0_1(three):
    """A protocol violation closes the connection."""
    assert three().send(b"\xf0\x00").ends() == []
