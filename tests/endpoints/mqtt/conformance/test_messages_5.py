"""MQTT 5, chapters 3.3 to 3.11 and 4: one claim of the standard each, on both brokers."""

from __future__ import annotations

import pytest

FORMAT, MESSAGE_EXPIRY, CONTENT, RESPONSE, CORRELATION, IDENTIFIER, EXPIRY, RECEIVE, ALIAS, ALIASES, USER, LARGEST = (
    1, 2, 3, 8, 9, 11, 17, 33, 35, 34, 38, 39,
)  # fmt: skip
LONG = 1000
NO_LOCAL, AS_PUBLISHED, ONLY_NEW, NEVER = 4, 8, 16, 32


def test_mqtt5_3_3_1_1(server, five, wire, topic):
    """What was not acknowledged is sent again with DUP 1."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    first = five(name, properties=keep)
    first.subscribe((topic, 1))
    five().publish(topic, b"x", 1)
    assert first.expect("publish").dup is False
    first.vanish()
    assert [one.dup for one in five(name, clean=False, properties=keep).messages()] == [True]


def test_mqtt5_3_3_1_2(five):
    """DUP on QoS 0 is malformed."""
    peer = five()
    said = peer.send(peer.publish_bytes("a", dup=True)).ends()
    assert [one.kind for one in said] == ["disconnect"]


def test_mqtt5_3_3_1_3(five, topic):
    """DUP of an incoming message is not passed on."""
    reader = five()
    reader.subscribe((topic, 1))
    five().publish(topic, b"x", 1, dup=True)
    assert [one.dup for one in reader.messages()] == [False]


def test_mqtt5_3_3_1_4(five):
    """QoS 3 is malformed."""
    peer = five()
    assert peer.send(peer.publish_bytes("a", qos=3)).refused(0x81)


def test_mqtt5_3_3_1_5(five, topic):
    """A retained message takes the place of the one before."""
    writer, reader = five(), five()
    writer.publish(topic, b"old", 1, retain=True)
    writer.publish(topic, b"new", 1, retain=True)
    reader.subscribe((topic, 0))
    assert [one.payload for one in reader.messages()] == [b"new"]


def test_mqtt5_3_3_1_6(five, topic):
    """An empty retained message removes what was retained, and is not stored [MQTT-3.3.1-7]."""
    writer, reader = five(), five()
    writer.publish(topic, b"x", 1, retain=True)
    writer.publish(topic, b"", 1, retain=True)
    reader.subscribe((topic, 0))
    assert reader.messages() == []


def test_mqtt5_3_3_1_8(five, topic):
    """A message with RETAIN 0 leaves what is retained."""
    writer, reader = five(), five()
    writer.publish(topic, b"kept", 1, retain=True)
    writer.publish(topic, b"other", 1)
    reader.subscribe((topic, 0))
    assert [one.payload for one in reader.messages()] == [b"kept"]


def test_mqtt5_3_3_1_9(five, topic):
    """Retain handling 0: retained messages come at every SUBSCRIBE."""
    five().publish(topic, b"kept", 1, retain=True)
    reader = five()
    for mid in (1, 2):
        reader.subscribe((topic, 0), mid=mid)
        assert len(reader.messages()) == 1


def test_mqtt5_3_3_1_10(five, topic):
    """Retain handling 1: retained messages come only to a subscription that is new."""
    five().publish(topic, b"kept", 1, retain=True)
    reader = five()
    reader.subscribe((topic, ONLY_NEW))
    assert len(reader.messages()) == 1
    reader.subscribe((topic, ONLY_NEW), mid=2)
    assert reader.messages() == []


def test_mqtt5_3_3_1_11(five, topic):
    """Retain handling 2: no retained messages come."""
    five().publish(topic, b"kept", 1, retain=True)
    reader = five()
    reader.subscribe((topic, NEVER))
    assert reader.messages() == []


def test_mqtt5_3_3_1_12(five, topic):
    """Retain as published 0: a live message has RETAIN 0."""
    reader = five()
    reader.subscribe((topic, 0))
    five().publish(topic, b"x", 1, retain=True)
    assert [one.retain for one in reader.messages()] == [False]


def test_mqtt5_3_3_1_13(five, topic):
    """Retain as published 1: a live message has RETAIN as it came."""
    reader = five()
    reader.subscribe((topic, AS_PUBLISHED))
    writer = five()
    writer.publish(topic, b"1", 1, retain=True)
    writer.publish(topic, b"0", 1)
    assert [one.retain for one in reader.messages()] == [True, False]


@pytest.mark.parametrize("wild", ["a/+", "#", "a/#/b", "+"])
def test_mqtt5_3_3_2_2(five, wild):
    """A wildcard in the topic of a PUBLISH closes with a reason."""
    peer = five()
    said = peer.send(peer.publish_bytes(wild)).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82, 0x90)


@pytest.mark.parametrize(
    ("key", "value"),
    [(FORMAT, 1), (RESPONSE, "answer/here"), (CORRELATION, b"\0\xff"), (CONTENT, "application/json")],
    ids=["4", "15", "16", "20"],
)
def test_mqtt5_3_3_2_4(five, wire, topic, key, value):
    """Payload format, response topic, correlation data and content type come as they were given [MQTT-3.3.2-15, -16, -20]."""
    reader = five()
    reader.subscribe((topic, 0))
    five().publish(topic, b"{}", 1, properties=wire.props((key, value)))
    assert reader.expect("publish").props[key] == [value]


def test_mqtt5_3_3_2_5(server, five, wire, topic):
    """A message whose expiry interval is over before its delivery begins is not delivered."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    five(name, properties=keep).subscribe((topic, 1), (topic + "/end", 1))
    server.peers[-1].vanish()
    writer = five(will=(topic + "/end", b"later", 1, False, wire.props((24, 2))), properties=wire.props((EXPIRY, 2)))
    writer.publish(topic, b"short", 1, 1, properties=wire.props((MESSAGE_EXPIRY, 1)))
    writer.publish(topic, b"long", 1, 2, properties=wire.props((MESSAGE_EXPIRY, LONG)))
    watcher = five()
    watcher.subscribe((topic + "/end", 0))
    writer.vanish()
    watcher.expect("publish")  # two seconds later
    again = five(name, clean=False, properties=keep)
    assert [one.payload for one in again.messages()] == [b"long", b"later"]


def test_mqtt5_3_3_2_6(five, wire, topic):
    """The expiry interval that a receiver gets is what is left of it."""
    five().publish(topic, b"x", 1, retain=True, properties=wire.props((MESSAGE_EXPIRY, LONG)))
    reader = five()
    reader.subscribe((topic, 0))
    [left] = reader.expect("publish").props[MESSAGE_EXPIRY]
    assert LONG - 60 <= left <= LONG


def test_mqtt5_3_3_2_7(server, five, wire, topic):
    """A topic alias ends with its connection."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    first = five(name, properties=keep)
    first.publish(topic, b"x", 1, properties=wire.props((ALIAS, 1)))
    first.vanish()
    again = five(name, clean=False, properties=keep)
    assert again.send(again.publish_bytes("", b"x", 1, properties=wire.props((ALIAS, 1)))).refused(0x82)


def test_mqtt5_3_3_2_8(five, wire, topic):
    """A topic alias of 0 closes."""
    peer = five()
    assert peer.send(peer.publish_bytes(topic, properties=wire.props((ALIAS, 0)))).refused(0x94)


def test_mqtt5_3_3_2_9(five, wire, topic):
    """A topic alias higher than the broker's maximum closes."""
    peer = five()
    [most] = peer.connack.props.get(ALIASES, [0])
    assert peer.send(peer.publish_bytes(topic, properties=wire.props((ALIAS, most + 1)))).refused(0x94)


def test_mqtt5_3_3_2_12(five, wire, topic):
    """Every alias up to the broker's maximum is taken, stands for its topic, and can be given to another."""
    reader, writer = five(), five()
    reader.subscribe((topic + "/+", 0))
    [most] = writer.connack.props[ALIASES]
    alias = wire.props((ALIAS, most))
    for name in (topic + "/a", "", topic + "/b", ""):
        writer.publish(name, b"x", 1, properties=alias)
    assert [one.topic[-1] for one in reader.messages()] == list("aabb")


@pytest.mark.parametrize("bad", ["answer/#", "+"])
def test_mqtt5_3_3_2_14(five, wire, topic, bad):
    """A response topic has no wildcard."""
    peer = five()
    said = peer.send(peer.publish_bytes(topic, properties=wire.props((RESPONSE, bad)))).ends()
    assert [one.kind for one in said] == ["disconnect"]


def test_mqtt5_3_3_2_17(five, wire, topic):
    """User properties come as they were given, in their order, the same name twice [MQTT-3.3.2-18]."""
    pairs = [("b", "1"), ("a", "2"), ("b", "3"), ("", "")]
    reader = five()
    reader.subscribe((topic, 0))
    five().publish(topic, b"x", 1, properties=wire.props(*((USER, pair) for pair in pairs)))
    assert reader.expect("publish").props[USER] == pairs


def test_mqtt5_3_3_4_2(five, topic):
    """Overlapping filters: the message comes at the highest QoS among them."""
    reader = five()
    reader.subscribe((topic + "/#", 0), (topic + "/+", 2), (topic + "/a", 1))
    five().deliver(topic + "/a", b"x", 2)
    assert max(one.qos for one in reader.messages()) == 2


def test_mqtt5_3_3_4_3(five, wire, topic):
    """A message carries the identifier of the subscription it is for."""
    reader = five()
    reader.subscribe((topic, 0), properties=wire.props((IDENTIFIER, 268_435_455)))
    five().publish(topic)
    assert reader.expect("publish").props[IDENTIFIER] == [268_435_455]


def test_mqtt5_3_3_4_4(five, wire, topic):
    """One copy for several subscriptions carries the identifiers of all; several copies carry one each [MQTT-3.3.4-5]."""
    reader = five()
    reader.subscribe((topic + "/a", 0), properties=wire.props((IDENTIFIER, 7)))
    reader.subscribe((topic + "/+", 0), mid=2, properties=wire.props((IDENTIFIER, 8)))
    five().publish(topic + "/a")
    assert sorted(number for one in reader.messages() for number in one.props[IDENTIFIER]) == [7, 8]


def test_mqtt5_3_3_4_6(five, wire):
    """A client's PUBLISH has no subscription identifier."""
    peer = five()
    said = peer.send(peer.publish_bytes("a", properties=wire.props((IDENTIFIER, 1)))).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_3_4_7(five):
    """More QoS 2 messages in flight than the broker's Receive Maximum: 0x93."""
    peer = five()
    [most] = peer.connack.props.get(RECEIVE, [65535])
    peer.send(*(peer.publish_bytes("a", b"", 2, mid) for mid in range(1, most + 2)))
    said = peer.ends()
    assert (said[-1].kind, said[-1].code) == ("disconnect", 0x93)


def test_mqtt5_3_3_4_9(five, wire, topic):
    """No more QoS 1 and 2 messages are on their way to a client than its Receive Maximum [MQTT-4.9.0-1]."""
    reader = five(properties=wire.props((RECEIVE, 2)))
    reader.subscribe((topic, 1))
    writer = five()
    for mid in range(1, 6):
        writer.publish(topic, bytes((mid,)), 1, mid)
    seen = [one.mid for one in reader.messages()]
    assert len(seen) == 2
    reader.ack("puback", seen[0])
    assert len(reader.messages()) == 1


def test_mqtt5_4_9_0_3(five, wire, topic):
    """A client with a full window still gets QoS 0 and its other answers."""
    reader = five(properties=wire.props((RECEIVE, 1)))
    reader.subscribe((topic + "/1", 1), (topic + "/0", 0))
    writer = five()
    for mid in (1, 2):
        writer.publish(topic + "/1", b"x", 1, mid)
    writer.publish(topic + "/0")
    assert [one.topic[-1] for one in reader.messages()] == ["1", "0"]


def test_mqtt5_3_4_2_1(five, topic):
    """A message that nobody wants is acknowledged with 0 or 0x10, one that somebody wants with 0."""
    peer = five()
    assert peer.publish(topic, b"x", 1).code in (0, 0x10)
    peer.subscribe((topic, 0))
    peer.send(peer.publish_bytes(topic, b"x", 1))
    assert {one.code for one in peer.sync() if one.kind == "puback"} == {0}


def test_mqtt5_3_5_2_1(server):
    """A message that the access list forbids is refused with 0x87 in its PUBACK or PUBREC [MQTT-3.4.2-1]."""
    peer = server.peer(5, guarded=True)
    assert peer.connect(user="ann", password="secret").code == 0
    assert peer.publish("forbidden", b"x", 1).code == 0x87
    assert peer.publish("forbidden", b"x", 2).code == 0x87


def test_mqtt5_4_3_3_9(server):
    """After a PUBREC that refuses, the identifier is free for a new message."""
    peer = server.peer(5, guarded=True)
    assert peer.connect(user="ann", password="secret").code == 0
    assert peer.publish("forbidden", b"x", 2, 5).code == 0x87
    assert peer.publish("mine/a", b"x", 2, 5).code in (0, 0x10)


def test_mqtt5_3_6_1_1(five):
    """PUBREL with other flags than 0010 is malformed."""
    said = five().send(b"\x60\x02\x00\x01").ends()
    assert {one.code for one in said} <= {0x81}


def test_mqtt5_3_6_2_1(five):
    """PUBREL for an identifier that is not known is answered (with 0 or 0x92)."""
    assert five().ack("pubrel", 77).expect("pubcomp").code in (0, 0x92)


def test_mqtt5_3_8_1_1(five):
    """SUBSCRIBE with other flags than 0010 is malformed."""
    peer = five()
    assert peer.send(b"\x80" + peer.subscribe_bytes(("a", 0))[1:]).refused(0x81)


def test_mqtt5_3_8_3_1(five):
    """A filter that is not UTF-8 is malformed."""
    peer = five()
    assert peer.send(peer.subscribe_bytes((b"\xff", 0))).refused(0x81)


def test_mqtt5_3_8_3_2(five):
    """A SUBSCRIBE without a filter is a protocol error."""
    peer = five()
    said = peer.send(peer.subscribe_bytes()).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_8_3_3(five, topic):
    """No local: a client does not get what it published itself, others do."""
    both, other = five(), five()
    both.subscribe((topic, NO_LOCAL))
    other.subscribe((topic, NO_LOCAL))
    both.publish(topic)
    assert both.messages() == []
    assert len(other.messages()) == 1


def test_mqtt5_3_8_3_3_overlap(five, topic):
    """Another filter of the same client without the option still brings its own messages."""
    both = five()
    both.subscribe((topic + "/a", NO_LOCAL | 1), (topic + "/+", 0))
    both.send(both.publish_bytes(topic + "/a", b"x", 1))
    assert [one.qos for one in both.sync() if one.kind == "publish"] == [0]


def test_mqtt5_3_8_3_4(five):
    """No local on a shared subscription is a protocol error."""
    peer = five()
    assert peer.send(peer.subscribe_bytes(("$share/g/a", NO_LOCAL))).refused(0x82)


@pytest.mark.parametrize("options", [0x40, 0x80])
def test_mqtt5_3_8_3_5(five, options):
    """Reserved bits of the subscription options are malformed."""
    peer = five()
    assert peer.send(peer.subscribe_bytes(("a", options))).refused(0x81)


@pytest.mark.parametrize("options", [3, 0x30])
def test_mqtt5_3_8_3_1_options(five, options):
    """QoS 3 and retain handling 3 are protocol errors (§3.8.3.1)."""
    peer = five()
    said = peer.send(peer.subscribe_bytes(("a", options))).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_8_2_1_2(five, wire):
    """A subscription identifier of 0 is a protocol error (§3.8.2.1.2)."""
    peer = five()
    said = peer.send(peer.subscribe_bytes(("a", 0), properties=wire.props((IDENTIFIER, 0)))).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_8_4_3(five, wire, topic):
    """A filter that is there already is replaced with all its options, and nothing comes twice."""
    reader = five()
    reader.subscribe((topic, 0), properties=wire.props((IDENTIFIER, 7)))
    reader.subscribe((topic, 1 | AS_PUBLISHED), mid=2)
    five().publish(topic, b"x", 1, retain=True)
    assert [(one.qos, one.retain, one.props) for one in reader.messages()] == [(1, True, {})]


def test_mqtt5_3_8_4_5(five, topic):
    """Several filters in one packet are as if they had come in a sequence of packets."""
    reader, writer = five(), five()
    reader.subscribe((topic + "/a", 0), (topic + "/b", 1))
    for last in "ab":
        writer.publish(f"{topic}/{last}", b"x", 1)
    assert [(one.topic[-1], one.qos) for one in reader.messages()] == [("a", 0), ("b", 1)]


def test_mqtt5_3_8_4_6(five, topic):
    """SUBACK has a code for each filter in their order [MQTT-3.8.4-7, MQTT-3.9.3-1]."""
    assert five().subscribe((topic, 2), (topic + "/a", 0), (topic + "/b", 1)).codes == [2, 0, 1]


def test_mqtt5_3_9_3_2(server):
    """A filter that the access list forbids is refused with 0x87, the others are not."""
    peer = server.peer(5, guarded=True)
    assert peer.connect(user="ann", password="secret").code == 0
    assert peer.subscribe(("mine/#", 1), ("forbidden", 0)).codes == [1, 0x87]


@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_mqtt5_3_8_4_8(five, topic, published, granted):
    """A message comes at the lower of its own QoS and the granted one."""
    reader = five()
    reader.subscribe((topic, granted))
    five().deliver(topic, b"x", published)
    assert [one.qos for one in reader.messages()] == [min(published, granted)]


def test_mqtt5_3_10_1_1(five):
    """UNSUBSCRIBE with other flags than 0010 is malformed."""
    peer = five()
    assert peer.send(b"\xa0" + peer.unsubscribe_bytes("a")[1:]).refused(0x81)


def test_mqtt5_3_10_3_2(five):
    """An UNSUBSCRIBE without a filter is a protocol error."""
    peer = five()
    said = peer.send(peer.unsubscribe_bytes()).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_10_4_1(five, topic):
    """Filters are compared character by character."""
    reader = five()
    reader.subscribe((topic + "/+", 0))
    reader.unsubscribe(topic + "/#")
    five().publish(topic + "/a", b"x", 1)
    assert len(reader.messages()) == 1


def test_mqtt5_3_10_4_2(five, topic):
    """After UNSUBACK nothing new comes."""
    reader = five()
    reader.subscribe((topic, 0))
    reader.unsubscribe(topic, mid=2)
    five().publish(topic, b"x", 1)
    assert reader.messages() == []


def test_mqtt5_3_10_4_5(five, topic):
    """UNSUBACK says 0x11 where there was nothing to remove, in the order of the filters [MQTT-3.11.3-1]."""
    reader = five()
    reader.subscribe((topic, 0))
    assert reader.unsubscribe("nothing/there", topic, mid=2).codes == [0x11, 0]


def test_mqtt5_4_3_1_1(five, topic):
    """QoS 0: once, with DUP 0 and without an identifier."""
    reader = five()
    reader.subscribe((topic, 0))
    five().publish(topic, b"hello")
    assert [(one.payload, one.dup, one.mid) for one in reader.messages()] == [(b"hello", False, 0)]


def test_mqtt5_4_3_2_5(five, topic):
    """After the PUBACK its identifier is a new message, with DUP or without."""
    reader, writer = five(), five()
    reader.subscribe((topic, 0))
    for payload, dup in ((b"1", False), (b"2", True)):
        writer.publish(topic, payload, 1, 7, dup=dup)
    assert [one.payload for one in reader.messages()] == [b"1", b"2"]


def test_mqtt5_4_3_3_4(five, topic):
    """QoS 2 towards a client: PUBLISH, PUBREC, PUBREL, PUBCOMP with one identifier."""
    reader = five()
    reader.subscribe((topic, 2))
    five().deliver(topic, b"x", 2)
    mid = reader.expect("publish").mid
    assert reader.ack("pubrec", mid).expect("pubrel").mid == mid
    assert reader.ack("pubcomp", mid).sync() == []


def test_mqtt5_4_3_3_10(five, topic):
    """QoS 2 from a client: until its PUBREL a repeated identifier is acknowledged and not delivered again."""
    reader, writer = five(), five()
    reader.subscribe((topic, 0))
    writer.publish(topic, b"x", 2, 9)
    assert writer.publish(topic, b"x", 2, 9, dup=True).mid == 9
    assert writer.ack("pubrel", 9).expect("pubcomp").mid == 9
    assert len(reader.messages()) == 1


def test_mqtt5_4_3_3_12(five, topic):
    """After the PUBCOMP its identifier is a new message."""
    reader, writer = five(), five()
    reader.subscribe((topic, 0))
    for payload in (b"1", b"2"):
        writer.deliver(topic, payload, 2, 9)
    assert [one.payload for one in reader.messages()] == [b"1", b"2"]


def test_mqtt5_4_4_0_1(server, five, wire, topic):
    """On reconnect a PUBLISH and a PUBREL that were not answered come again with their identifiers."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    first = five(name, properties=keep)
    first.subscribe((topic, 2))
    writer = five()
    for mid in (1, 2):
        writer.deliver(topic, bytes((mid,)), 2, mid)
    one, two = first.expect("publish"), first.expect("publish")
    first.ack("pubrec", one.mid).expect("pubrel")
    first.vanish()
    again = five(name, clean=False, properties=keep).sync()
    assert {(packet.kind, packet.mid) for packet in again} == {("pubrel", one.mid), ("publish", two.mid)}


def test_mqtt5_4_4_0_2(server, five, wire, topic):
    """A PUBACK or PUBREC with an error ends the message: it does not come again."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    first = five(name, properties=keep)
    first.subscribe((topic, 2))
    writer = five()
    writer.deliver(topic, b"1", 1)
    writer.deliver(topic, b"2", 2)
    for kind in ("puback", "pubrec"):
        first.ack(kind, first.expect("publish").mid, 0x80)
    assert first.sync() == []
    first.vanish()
    assert five(name, clean=False, properties=keep).sync() == []


def test_mqtt5_4_5_0_1(five, topic):
    """A message reaches every client with a matching filter."""
    readers = [five(), five(), five()]
    for reader, pattern in zip(readers, (topic, topic + "/#", "+" + topic[1:]), strict=True):
        reader.subscribe((pattern, 0))
    five().publish(topic, b"x", 1)
    assert [len(reader.messages()) for reader in readers] == [1, 1, 1]


def test_mqtt5_4_6_0_2(five, topic):
    """PUBACKs come in the order of the PUBLISHes."""
    writer = five()
    writer.send(*(writer.publish_bytes(topic, b"", 1, n) for n in range(1, 15)))
    assert [one.mid for one in writer.sync()] == list(range(1, 15))


def test_mqtt5_4_6_0_3(five, topic):
    """PUBRECs come in the order of the PUBLISHes."""
    writer = five()
    writer.send(*(writer.publish_bytes(topic, b"", 2, n) for n in range(1, 15)))
    assert [one.mid for one in writer.sync()] == list(range(1, 15))


def test_mqtt5_4_6_0_5(five, topic):
    """Messages of one publisher to one topic come in their order."""
    reader, writer = five(), five()
    reader.subscribe((topic, 1))
    writer.send(*(writer.publish_bytes(topic, str(n).encode(), 1, n) for n in range(1, 15)))
    assert len(writer.sync()) == 14
    assert [int(one.payload) for one in reader.messages()] == list(range(1, 15))


@pytest.mark.parametrize("pattern", ["a/#/b", "a#", "#/a"])
def test_mqtt5_4_7_1_1(five, pattern):
    """# is the last level and a whole one."""
    peer = five()
    said = peer.send(peer.subscribe_bytes((pattern, 0))).ends()
    assert [one.kind for one in said] == ["disconnect"]


@pytest.mark.parametrize("pattern", ["a+", "a/+b", "++"])
def test_mqtt5_4_7_1_2(five, pattern):
    """+ is a whole level."""
    peer = five()
    said = peer.send(peer.subscribe_bytes((pattern, 0))).ends()
    assert [one.kind for one in said] == ["disconnect"]


def test_mqtt5_4_7_2_1(five):
    """A filter that begins with a wildcard does not match a topic that begins with $."""
    reader = five()
    reader.subscribe(("+/broker/version", 0))
    assert reader.messages() == []
    reader.subscribe(("$SYS/broker/version", 0), mid=2)
    assert len(reader.messages()) == 1


def test_mqtt5_4_7_3_1(five):
    """Topics and filters have at least one character."""
    for packet in (five().publish_bytes(""), five().subscribe_bytes(("", 0))):
        assert [one.kind for one in five().send(packet).ends()] == ["disconnect"]


def test_mqtt5_4_7_3_4(five, topic):
    """Nothing is normalised: case, slashes at the ends and blanks make another topic."""
    reader, writer = five(), five()
    reader.subscribe((topic, 0))
    for other in (topic.upper(), topic + "/", "/" + topic, topic + " "):
        writer.publish(other, b"x", 1)
    assert reader.messages() == []


@pytest.mark.parametrize("pattern", ["$share//a", "$share/g"])
def test_mqtt5_4_8_2_1(five, pattern):
    """A shared subscription has a name and a filter."""
    peer = five()
    assert [one.kind for one in peer.send(peer.subscribe_bytes((pattern, 0))).ends()] == ["disconnect"]


@pytest.mark.parametrize("pattern", ["$share/+/a", "$share/g#/a"])
def test_mqtt5_4_8_2_2(five, pattern):
    """The name of a shared subscription has no wildcard."""
    peer = five()
    assert [one.kind for one in peer.send(peer.subscribe_bytes((pattern, 0))).ends()] == ["disconnect"]


def test_mqtt5_4_8_2_shares(five, topic):
    """Each message goes to one member of a share, and all members get some; one outside gets all (§4.8.2)."""
    members, outside, writer = [five(), five()], five(), five()
    for member in members:
        member.subscribe((f"$share/g/{topic}", 1))
    outside.subscribe((topic, 0))
    for mid in range(1, 11):
        writer.publish(topic, bytes((mid,)), 1, mid)
    got = [[one.payload for one in member.messages()] for member in members]
    assert all(got)
    assert sorted(got[0] + got[1]) == [bytes((n,)) for n in range(1, 11)]
    assert len(outside.messages()) == 10


def test_mqtt5_4_8_2_retained(five, topic):
    """A shared subscription gets no retained messages (§4.8.2)."""
    five().publish(topic, b"kept", 1, retain=True)
    member = five()
    member.subscribe((f"$share/g/{topic}", 1))
    assert member.messages() == []


def test_mqtt5_4_8_2_3(five, topic):
    """A shared subscription keeps to its granted QoS."""
    member = five()
    member.subscribe((f"$share/g/{topic}", 0))
    five().publish(topic, b"x", 1)
    assert [one.qos for one in member.messages()] == [0]


def test_mqtt5_3_3_2_3_2(five, wire, topic):
    """A payload that calls itself UTF-8 and is not is refused with 0x99 (§3.3.2.3.2: may be)."""
    assert five().publish(topic, b"\xff", 1, properties=wire.props((FORMAT, 1))).code == 0x99


def test_mqtt5_4_10_0_1(five, wire, topic):
    """Request and response: the answer goes to the response topic with the correlation data (§4.10)."""
    asker, answerer = five(), five()
    asker.subscribe((topic + "/answer", 1))
    answerer.subscribe((topic + "/ask", 1))
    asked = wire.props((RESPONSE, topic + "/answer"), (CORRELATION, b"\x01\x02"))
    asker.publish(topic + "/ask", b"?", 1, properties=asked)
    question = answerer.expect("publish")
    back = wire.props((CORRELATION, question.props[CORRELATION][0]))
    answerer.publish(question.props[RESPONSE][0], b"!", 1, properties=back)
    answer = asker.expect("publish")
    assert (answer.payload, answer.props[CORRELATION]) == (b"!", [b"\x01\x02"])
