"""MQTT 5, chapters 1, 2, 3.1, 3.2 and 3.14: one claim of the standard each, on both brokers."""

from __future__ import annotations

import pytest

EXPIRY, ASSIGNED, KEEP_ALIVE, METHOD, PROBLEM, DELAY, REASON, RECEIVE, ALIASES, USER, LARGEST = (
    17, 18, 19, 21, 23, 24, 31, 33, 34, 38, 39,
)  # fmt: skip
LONG = 1000


def test_mqtt5_1_5_4_1(five):
    """Ill-formed UTF-8 is a malformed packet."""
    peer = five()
    assert peer.send(peer.publish_bytes(b"\xed\xa0\x80")).refused(0x81)


def test_mqtt5_1_5_4_2(five):
    """U+0000 in a string is a malformed packet."""
    peer = five()
    assert peer.send(peer.subscribe_bytes(("a\0b", 0))).refused(0x81)


def test_mqtt5_1_5_4_3(five, topic):
    """U+FEFF stays."""
    peer = five()
    peer.subscribe(("\ufeff" + topic, 0))
    five().publish("\ufeff" + topic)
    assert [one.topic for one in peer.messages()] == ["\ufeff" + topic]


def test_mqtt5_1_5_5_1(five):
    """A variable byte integer is in its shortest form."""
    peer = five()
    assert peer.send(peer.subscribe_bytes(("a", 0), properties=b"\x80\x00")).refused(0x81)


def test_mqtt5_1_5_7_1(five, wire):
    """The strings of a user property are UTF-8."""
    peer = five()
    assert peer.send(peer.publish_bytes("a", properties=wire.props((USER, (b"\xff", "v"))))).refused(0x81)


@pytest.mark.parametrize("header", [0x60, 0x80, 0xA0])
def test_mqtt5_2_1_3_1(five, header):
    """Reserved flags that are not as the table says make a malformed packet."""
    body = {0x60: b"\0\1", 0x80: b"\0\1\0\0\1a\0", 0xA0: b"\0\1\0\0\1a"}[header]
    assert five().send(bytes((header, len(body))) + body).refused(0x81)


@pytest.mark.parametrize("kind", ["publish", "subscribe", "unsubscribe"])
def test_mqtt5_2_2_1_3(five, kind):
    """A packet identifier of 0 closes."""
    peer = five()
    packet = {
        "publish": peer.publish_bytes("a", b"", 1, 0),
        "subscribe": peer.subscribe_bytes(("a", 0), mid=0),
        "unsubscribe": peer.unsubscribe_bytes("a", mid=0),
    }[kind]
    said = peer.send(packet).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_2_2_1_5(five, topic):
    """PUBACK, PUBREC and PUBCOMP have the identifier of the PUBLISH."""
    peer = five()
    assert peer.publish(topic, b"", 1, 513).mid == 513
    assert peer.publish(topic, b"", 2, 77).mid == 77
    assert peer.ack("pubrel", 77).expect("pubcomp").mid == 77


def test_mqtt5_2_2_1_6(five, topic):
    """SUBACK and UNSUBACK have the identifier of what they answer."""
    peer = five()
    assert peer.subscribe((topic, 0), mid=300).mid == 300
    assert peer.unsubscribe(topic, mid=301).mid == 301


def test_mqtt5_2_2_2_1(five, topic):
    """A packet without properties says so with length 0."""
    peer = five()
    peer.subscribe((topic, 0))
    five().publish(topic)
    assert peer.expect("publish").props == {}


@pytest.mark.parametrize("bad", [(1, 2), (99, 0), (LARGEST, 5)])
def test_mqtt5_2_2_2_2(five, wire, bad):
    """A property that does not exist, does not belong in a PUBLISH or has a value it may not have closes (§2.2.2.2)."""
    peer = five()
    said = peer.send(peer.publish_bytes("a", properties=wire.props(bad))).ends()
    assert [one.kind for one in said] == ["disconnect"]
    assert said[0].code in (0x81, 0x82)


def test_mqtt5_3_1_0_1(server):
    """The first packet is a CONNECT; after any other the broker closes."""
    assert server.peer(5).send(b"\xc0\x00").ends() == []


def test_mqtt5_3_1_0_2(five):
    """A second CONNECT is a protocol error."""
    peer = five()
    assert peer.send(peer.connect_bytes("again")).refused(0x82)


def test_mqtt5_3_1_2_1(server):
    """Another protocol name closes."""
    peer = server.peer(5)
    said = peer.send(peer.connect_bytes("c", name="HTTP")).ends()
    assert [one.kind for one in said] in ([], ["connack"])


def test_mqtt5_3_1_2_3(server):
    """The reserved bit of the connect flags must be 0; the CONNACK, if there is one, says malformed."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes("c", flags=3)).ends()} <= {0x81}


def test_mqtt5_3_1_2_4(server, five, wire):
    """Clean start 1 discards the session."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    five(name, clean=False, properties=keep).disconnect()
    assert five(name, properties=keep).connack.present == 0


def test_mqtt5_3_1_2_5(server, five, wire, topic):
    """Clean start 0 goes on with the session."""
    name, keep = server.unique(), wire.props((EXPIRY, LONG))
    first = five(name, properties=keep)
    first.subscribe((topic, 1))
    first.disconnect()
    five().publish(topic, b"kept", 1)
    second = five(name, clean=False, properties=keep)
    assert second.connack.present == 1
    assert [one.payload for one in second.messages()] == [b"kept"]


def test_mqtt5_3_1_2_6(five):
    """Clean start 0 without a session makes a new one."""
    assert five(clean=False).connack.present == 0


def test_mqtt5_3_1_2_8(five, topic):
    """The will is published when the connection ends without a DISCONNECT."""
    reader = five()
    reader.subscribe((topic, 0))
    five(will=(topic, b"gone", 0, False)).vanish()
    assert reader.expect("publish").payload == b"gone"


def test_mqtt5_3_1_2_10(five, topic):
    """DISCONNECT with code 0 removes the will [MQTT-3.14.4-3]."""
    reader = five()
    reader.subscribe((topic, 0))
    five(will=(topic, b"gone", 0, False)).disconnect(0)
    assert reader.messages() == []


@pytest.mark.parametrize("flags", [0x0A, 0x22])
def test_mqtt5_3_1_2_11(server, flags):
    """Without a will its QoS and RETAIN bits are 0 [MQTT-3.1.2-13]."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes("c", flags=flags)).ends()} <= {0x81, 0x82}


def test_mqtt5_3_1_2_12(server):
    """A will QoS of 3 is malformed."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes("c", will=("w", b"", 3, False))).ends()} <= {0x81}


def test_mqtt5_3_1_2_15(five, topic):
    """A will with RETAIN 1 is published retained."""
    five(will=(topic, b"gone", 0, True)).vanish()
    reader = five()
    reader.subscribe((topic, 0))
    assert [(one.payload, one.retain) for one in reader.messages()] == [(b"gone", True)]


def test_mqtt5_3_1_2_19(server):
    """A password may come without a user name (§3.1.2.9): no protocol error, where nobody asks for a user."""
    assert server.peer(5).connect("", password="p").code == 0


def test_mqtt5_3_1_2_22(five, topic):
    """Silence of one and a half keep-alive periods closes, and the will goes out."""
    reader = five()
    reader.subscribe((topic, 0))
    silent = five(keepalive=1, will=(topic, b"silent", 0, False))
    assert reader.expect("publish").payload == b"silent"
    assert silent.refused(0x8D)


def test_mqtt5_3_1_2_23(server, five, wire, topic):
    """A session whose expiry interval is over is gone; one without an interval ends with its connection."""
    name = server.unique()
    five(name).disconnect()
    assert five(name, clean=False).connack.present == 0
    five(name, properties=wire.props((EXPIRY, LONG))).disconnect()
    assert five(name, clean=False).connack.present == 1


def test_mqtt5_3_1_2_24(five, wire, topic):
    """A packet larger than the client takes is not sent to it, and the next one is."""
    reader = five(properties=wire.props((LARGEST, 60)))
    reader.subscribe((topic, 1))
    writer = five()
    writer.publish(topic, b"x" * 100, 1, 1)
    writer.publish(topic, b"small", 1, 2)
    assert [one.payload for one in reader.messages()] == [b"small"]


def test_mqtt5_3_1_2_25(five, wire, topic):
    """What was too large counts as delivered: it does not hold the window shut."""
    reader = five(properties=wire.props((LARGEST, 60), (RECEIVE, 1)))
    reader.subscribe((topic, 1))
    writer = five()
    for mid in (1, 2, 3):
        writer.publish(topic, b"x" * 100, 1, mid)
    writer.publish(topic, b"small", 1, 4)
    assert [one.payload for one in reader.messages()] == [b"small"]


def test_mqtt5_3_1_2_27(five, topic):
    """A client that does not ask for topic aliases gets none."""
    reader = five()
    reader.subscribe((topic, 0))
    for _ in range(2):
        five().publish(topic)
    assert [(one.topic, 35 in one.props) for one in reader.messages()] == [(topic, False)] * 2


def test_mqtt5_3_1_2_26(five, wire, topic):
    """No alias is higher than the client's maximum, and one that is used stands for its topic."""
    reader = five(properties=wire.props((ALIASES, 1)))
    reader.subscribe((topic + "/#", 0))
    writer, known, heard = five(), {}, []
    for last in "abab":
        writer.publish(f"{topic}/{last}")
    for one in reader.messages():
        for alias in one.props.get(35, []):
            assert alias == 1
            known[alias] = one.topic or known[alias]
            one.topic = known[alias]
        heard.append(one.topic[-1])
    assert heard == list("abab")


def test_mqtt5_3_1_2_28(five, wire):
    """Without a request for response information there is none."""
    assert 26 not in five(properties=wire.props((25, 0))).connack.props


def test_mqtt5_3_1_2_29(server, wire, topic):
    """With request problem information 0 there is no reason string but in CONNACK, PUBLISH and DISCONNECT."""
    peer = server.peer(5, guarded=True)
    assert peer.connect(user="ann", password="secret", properties=wire.props((PROBLEM, 0))).code == 0
    assert REASON not in peer.publish("forbidden", b"", 1).props
    assert REASON not in peer.subscribe(("forbidden", 0)).props


@pytest.mark.parametrize("key", [EXPIRY, RECEIVE, LARGEST])
def test_mqtt5_3_1_2_11_properties_once(server, wire, key):
    """A property of CONNECT that comes twice is a protocol error (§3.1.2.11)."""
    peer = server.peer(5)
    said = peer.send(peer.connect_bytes("c", properties=wire.props((key, 5), (key, 5)))).ends()
    assert {one.code for one in said} <= {0x82}


@pytest.mark.parametrize("key", [RECEIVE, LARGEST])
def test_mqtt5_3_1_2_11_properties_not_0(server, wire, key):
    """A receive maximum or a maximum packet size of 0 is a protocol error (§3.1.2.11.3, .4)."""
    peer = server.peer(5)
    said = peer.send(peer.connect_bytes("c", properties=wire.props((key, 0)))).ends()
    assert {one.code for one in said} <= {0x82}


def test_mqtt5_3_1_3_4(server):
    """A client id that is not UTF-8 closes."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes(b"\xc3\x28")).ends()} <= {0x81}


def test_mqtt5_3_1_3_5(server):
    """Client ids of 1 to 23 letters and digits are let in."""
    for name in ("a", "0123456789abcdefABCDEFG"):
        assert server.peer(5).connect(name).code == 0


def test_mqtt5_3_1_3_7(server, wire):
    """An empty client id is given one, also with clean start 0 [MQTT-3.2.2-16]."""
    first, second = server.peer(5).connect(""), server.peer(5).connect("", clean=False)
    assert first.code == second.code == 0
    assert first.props[ASSIGNED][0] != second.props[ASSIGNED][0]


def test_mqtt5_3_1_3_9(server, five, wire, topic):
    """A client that comes back before its will delay is over takes the will back."""
    reader, name = five(), server.unique()
    reader.subscribe((topic, 0))
    keep = wire.props((EXPIRY, LONG))
    five(name, properties=keep, will=(topic, b"gone", 0, False, wire.props((DELAY, LONG)))).vanish()
    five(name, clean=False, properties=keep)
    assert reader.messages() == []


def test_mqtt5_3_1_3_9_delay(server, five, wire, topic):
    """A will waits for its delay, and then goes out (§3.1.3.2.2)."""
    reader, name = five(), server.unique()
    reader.subscribe((topic, 0))
    keep = wire.props((EXPIRY, LONG))
    five(name, properties=keep, will=(topic, b"gone", 0, False, wire.props((DELAY, 1)))).vanish()
    assert reader.messages() == []
    assert reader.expect("publish").payload == b"gone"


def test_mqtt5_3_1_3_9_session_end(server, five, wire, topic):
    """The end of the session is the end of a will's delay (§3.1.3.2.2)."""
    reader, name = five(), server.unique()
    reader.subscribe((topic, 0))
    keep = wire.props((EXPIRY, LONG))
    five(name, properties=keep, will=(topic, b"gone", 0, False, wire.props((DELAY, LONG)))).vanish()
    five(name)
    assert reader.expect("publish").payload == b"gone"


def test_mqtt5_3_1_3_10(five, wire, topic):
    """User properties of a will are passed on in their order, with the others."""
    reader = five()
    reader.subscribe((topic, 0))
    given = wire.props((USER, ("b", "1")), (USER, ("a", "2")), (3, "text/plain"))
    five(will=(topic, b"gone", 0, False, given)).vanish()
    said = reader.expect("publish")
    assert (said.props[USER], said.props[3]) == ([("b", "1"), ("a", "2")], ["text/plain"])


def test_mqtt5_3_1_3_11(server):
    """A will topic that is not UTF-8 closes."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes("c", will=(b"\xff", b"", 0, False))).ends()} <= {0x81}


def test_mqtt5_3_1_3_12(server):
    """A user name that is not UTF-8 closes."""
    peer = server.peer(5)
    assert {one.code for one in peer.send(peer.connect_bytes("c", user=b"\xff")).ends()} <= {0x81}


def test_mqtt5_3_1_4_2(server):
    """Credentials that are not right are refused with 0x86 or 0x87, then the broker closes [MQTT-3.2.2-7]."""
    peer = server.peer(5, guarded=True)
    assert peer.connect(user="ann", password="wrong").code in (0x86, 0x87)
    assert peer.ends() == []


def test_mqtt5_3_1_4_3(server, five):
    """The client that had the id is told 0x8E and closed."""
    name = server.unique()
    older = five(name)
    newer = five(name)
    assert older.refused(0x8E)
    assert newer.sync() == []


def test_mqtt5_3_1_4_6(server, topic):
    """What follows a CONNECT that is refused has no effect."""
    peer = server.peer(5, guarded=True)
    peer.send(peer.connect_bytes("c"), peer.publish_bytes("mine/" + topic, b"x", retain=True)).ends()
    good = server.peer(5, guarded=True)
    assert good.connect(user="ann", password="secret").code == 0
    good.subscribe(("mine/" + topic, 0))
    assert good.messages() == []


def test_mqtt5_3_2_0_1(server):
    """The first packet of the broker is the CONNACK."""
    peer = server.peer(5)
    peer.send(peer.connect_bytes(server.unique()), b"\xc0\x00")
    assert [peer.get().kind, peer.get().kind] == ["connack", "pong"]


def test_mqtt5_3_2_0_2(five):
    """There is one CONNACK and no more."""
    assert five().sync() == []


def test_mqtt5_3_2_2_1(five):
    """The reserved bits of the acknowledge flags are 0."""
    assert five().connack.present & 0xFE == 0


def test_mqtt5_3_2_2_2(server, five, wire):
    """Clean start 1 has session present 0."""
    name = server.unique()
    five(name, properties=wire.props((EXPIRY, LONG))).disconnect()
    assert five(name).connack.present == 0


def test_mqtt5_3_2_2_6(server):
    """A refusal has session present 0."""
    assert server.peer(5, guarded=True).connect().present == 0


def test_mqtt5_4_12_0_1(server, wire):
    """An authentication method that the broker does not know is refused with 0x8C."""
    peer = server.peer(5)
    assert peer.connect("c", properties=wire.props((METHOD, "SCRAM-SHA-1"))).code == 0x8C
    assert peer.ends() == []


def test_mqtt5_4_12_0_6(five):
    """AUTH without an authentication method is a protocol error (§4.12.1)."""
    assert five().send(b"\xf0\x02\x19\x00").refused(0x82)


def test_mqtt5_3_14_0_1(server):
    """No DISCONNECT comes before the CONNACK."""
    assert all(one.kind == "connack" for one in server.peer(5).send(b"\xff\xff\xff\xff\xff\x01").ends())


def test_mqtt5_3_14_1_1(five):
    """DISCONNECT with reserved bits set is malformed."""
    assert five().send(b"\xe1\x00").refused(0x81)


def test_mqtt5_3_14_2_1(five):
    """DISCONNECT with a reason code that a client may not give closes with an error."""
    said = five().send(b"\xe0\x01\x8e").ends()
    assert {one.code for one in said} <= {0x81, 0x82}
    assert said


def test_mqtt5_3_14_2_2_2(five, wire):
    """A session expiry in DISCONNECT after 0 in CONNECT is a protocol error (§3.14.2.2.2)."""
    peer = five()
    assert peer.send(wire.packet(0xE0, b"\0" + wire.props((EXPIRY, 5)))).refused(0x82)


def test_mqtt5_3_14_2_2_2_changes(server, five, wire):
    """A session expiry in DISCONNECT takes the place of the one in CONNECT (§3.14.2.2.2)."""
    name = server.unique()
    five(name, properties=wire.props((EXPIRY, LONG))).disconnect(0, wire.props((EXPIRY, 0)))
    assert five(name, clean=False).connack.present == 0


def test_mqtt5_3_14_4_3_with_will(five, topic):
    """DISCONNECT with code 4 lets the will go out (§3.14.2.1)."""
    reader = five()
    reader.subscribe((topic, 0))
    five(will=(topic, b"gone", 0, False)).disconnect(4)
    assert reader.expect("publish").payload == b"gone"


def test_mqtt5_4_1_0_2(server, five, wire, topic):
    """A session is discarded when its expiry interval is over."""
    reader, name = five(), server.unique()
    reader.subscribe((topic, 0))
    gone = five(name, properties=wire.props((EXPIRY, 1)), will=(topic, b"", 0, False, wire.props((DELAY, LONG))))
    gone.vanish()
    reader.expect("publish")  # the will, whose delay ends with the session
    assert five(name, clean=False).connack.present == 0


def test_mqtt5_4_13_1_1(five):
    """A malformed packet is told with its reason before the broker closes."""
    assert five().send(b"\x36\x02\x00\x00").refused(0x81)
