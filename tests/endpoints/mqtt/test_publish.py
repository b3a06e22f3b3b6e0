"""PUBLISH and its acknowledgements in both directions, and retained messages (§3.3 to §3.7, §4.3), on bytes."""

from __future__ import annotations

import pytest


def test_mqtt_4_3_1_1_qos_0_is_sent_once_without_identifier(bench, raw):
    """A QoS 0 message arrives as it was sent, with QoS 0 and DUP 0 [MQTT-2.3.1-5]."""
    reader = bench.subscribe("r", ("a/b", 0))
    bench.connect("w").send(raw.publish("a/b", b"hello"))
    assert reader.messages() == [("a/b", b"hello", 0, False, False, 0)]


def test_mqtt_4_3_2_2_qos_1_is_acknowledged_with_its_identifier(bench, raw):
    """PUBACK carries the identifier of the PUBLISH [MQTT-2.3.1-6]."""
    assert bench.connect().send(raw.publish("a", b"", 1, 513)) == [("puback", 513)]


def test_mqtt_4_3_2_2_an_identifier_can_be_used_again_after_its_puback(bench, raw):
    """After the PUBACK the same identifier is a new message, with DUP or without."""
    reader, writer = bench.subscribe("r", ("a", 0)), bench.connect("w")
    writer.send(raw.publish("a", b"1", 1, 7), raw.publish("a", b"2", 1, 7), raw.publish("a", b"3", 1, 7, dup=True))
    assert [message[1] for message in reader.messages()] == [b"1", b"2", b"3"]


def test_mqtt_4_3_3_2_qos_2_is_delivered_once(bench, raw):
    """Until its PUBREL a repeated identifier is answered with PUBREC and not delivered again."""
    reader, writer = bench.subscribe("r", ("a", 0)), bench.connect("w")
    assert writer.send(raw.publish("a", b"1", 2, 9)) == [("pubrec", 9)]
    assert writer.send(raw.publish("a", b"1", 2, 9, dup=True)) == [("pubrec", 9)]
    assert writer.send(raw.ack("pubrel", 9)) == [("pubcomp", 9)]
    assert len(reader.messages()) == 1
    assert writer.send(raw.publish("a", b"2", 2, 9)) == [("pubrec", 9)]
    assert [message[1] for message in reader.messages()] == [b"2"], "after PUBCOMP it is a new message"


def test_mqtt_4_3_3_2_an_unknown_pubrel_is_answered(bench, raw):
    """A client that lost our PUBCOMP can finish."""
    assert bench.connect().send(raw.ack("pubrel", 77)) == [("pubcomp", 77)]


def test_mqtt_4_3_3_1_qos_2_towards_a_client(bench, raw):
    """PUBLISH, PUBREC, PUBREL, PUBCOMP with one identifier; then it is forgotten."""
    reader = bench.subscribe("r", ("a", 2))
    bench.connect("w").send(raw.publish("a", b"x", 2, 3))
    [(_, _, qos, _, dup, mid)] = reader.messages()
    assert (qos, dup) == (2, False)
    assert mid != 0
    session = bench.broker.sessions["r"]
    assert reader.send(raw.ack("pubrec", mid)) == [("pubrel", mid)]
    assert session.unacknowledged == 1
    assert reader.send(raw.ack("pubcomp", mid)) == []
    assert session.unacknowledged == 0


def test_a_repeated_or_unknown_pubrec_is_answered_with_pubrel(bench, raw):
    """A client can always finish a QoS 2 message, and nothing is stored for an identifier that is not ours."""
    reader = bench.subscribe("r", ("a", 2))
    bench.connect("w").send(raw.publish("a", b"x", 2, 3))
    [(*_, mid)] = reader.messages()
    assert reader.send(raw.ack("pubrec", mid), raw.ack("pubrec", mid)) == [("pubrel", mid), ("pubrel", mid)]
    assert reader.send(raw.ack("pubrec", 999)) == [("pubrel", 999)]
    assert bench.broker.sessions["r"].unacknowledged == 1


@pytest.mark.parametrize("kind", ["puback", "pubcomp"])
def test_an_unknown_acknowledgement_is_ignored(bench, raw, kind):
    """PUBACK and PUBCOMP of a session before this one do no harm."""
    client = bench.connect()
    assert client.send(raw.ack(kind, 5), raw.PING) == [("pong",)]


@pytest.mark.parametrize(("qos", "kind"), [(1, "pubrec"), (2, "puback"), (2, "pubcomp")])
def test_mqtt_4_8_0_1_the_wrong_acknowledgement_closes(bench, raw, qos, kind):
    """An acknowledgement of the other quality of service, or out of order, is a protocol violation."""
    reader = bench.subscribe("r", ("a", 2))
    bench.connect("w").send(raw.publish("a", b"x", qos, 3))
    [(*_, mid)] = reader.messages()
    reader.send(raw.ack(kind, mid))
    assert reader.closed


@pytest.mark.parametrize("published", [0, 1, 2])
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_mqtt_3_8_4_6_delivered_at_the_lower_qos(bench, raw, published, granted):
    """The QoS of a delivery is the minimum of the message's and the subscription's."""
    reader = bench.subscribe("r", ("a", granted))
    bench.connect("w").send(raw.publish("a", b"x", published, 1))
    assert reader.messages()[0][2] == min(published, granted)


def test_mqtt_3_3_1_2_dup_on_qos_0_closes(bench, raw):
    """DUP must be 0 for QoS 0."""
    client = bench.connect()
    client.send(raw.publish(dup=True))
    assert client.closed


def test_mqtt_3_3_1_3_dup_is_not_passed_on(bench, raw):
    """A message that came with DUP leaves without it."""
    reader = bench.subscribe("r", ("a", 2))
    bench.connect("w").send(raw.publish("a", b"x", 1, 1, dup=True), raw.publish("a", b"x", 2, 2, dup=True))
    assert [message[4] for message in reader.messages()] == [False, False]


def test_mqtt_3_3_1_4_qos_3_closes(bench, raw):
    """Both QoS bits set is malformed."""
    client = bench.connect()
    client.send(raw.publish(qos=3))
    assert client.closed


def test_mqtt_2_3_1_1_identifier_0_closes(bench, raw):
    """Packets that need an identifier need one that is not 0."""
    for packet in (
        raw.publish(qos=1, mid=0), raw.publish(qos=2, mid=0), raw.subscribe(("a", 0), mid=0),
        raw.unsubscribe("a", mid=0), raw.ack("pubrel", 0), raw.ack("puback", 0),
    ):  # fmt: skip
        client = bench.connect()
        client.send(packet)
        assert client.closed


@pytest.mark.parametrize("topic", ["a/+", "+", "#", "a/#", "a/b+c"])
def test_mqtt_3_3_2_2_a_wildcard_in_a_topic_closes(bench, raw, topic):
    """Nobody publishes to a wildcard; the reason is evidence."""
    client = bench.connect()
    client.send(raw.publish(topic))
    assert client.closed
    assert "wildcard" in bench.of("reject")[0].detail["reason"]


@pytest.mark.parametrize("topic", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc3"])
def test_mqtt_1_5_3_1_ill_formed_utf8_closes(bench, raw, topic):
    """A topic that is not well-formed UTF-8 (stray, overlong, surrogate, five bytes, half) closes the connection."""
    for packet in (raw.publish(topic), raw.subscribe((topic, 0)), raw.unsubscribe(topic)):
        client = bench.connect()
        client.send(packet)
        assert client.closed


def test_mqtt_1_5_3_2_the_null_character_closes(bench, raw):
    """U+0000 in a topic or a filter closes the connection [MQTT-4.7.3-2]."""
    for packet in (raw.publish("a\0b"), raw.subscribe(("a\0b", 0)), raw.unsubscribe("a\0b")):
        client = bench.connect()
        client.send(packet)
        assert client.closed


def test_mqtt_1_5_3_3_a_byte_order_mark_is_kept(bench, raw):
    """U+FEFF is a character like another."""
    reader = bench.subscribe("r", ("\ufeffa", 0), ("a", 0))
    bench.connect("w").send(raw.publish("\ufeffa"))
    assert [message[0] for message in reader.messages()] == ["\ufeffa"]


def test_mqtt_4_7_3_1_an_empty_topic_closes(bench, raw):
    """Topic names are at least one character long."""
    client = bench.connect()
    client.send(raw.publish(""))
    assert client.closed


def test_an_empty_payload_is_a_message(bench, raw):
    """A payload of no bytes is valid (§3.3.3)."""
    reader = bench.subscribe("r", ("a", 0))
    bench.connect("w").send(raw.publish("a", b""))
    assert reader.messages() == [("a", b"", 0, False, False, 0)]


def test_a_segment_may_hold_parts_of_packets(bench, raw):
    """Bytes that arrive one by one are the same packets."""
    reader, writer = bench.subscribe("r", ("a", 0)), bench.connect("w")
    stream = raw.publish("a", b"x" * 200) + raw.publish("a", b"y", 1, 5) + raw.PING
    answers = [answer for byte in stream for answer in writer.send(bytes((byte,)))]
    assert answers == [("puback", 5), ("pong",)]
    assert [message[1] for message in reader.messages()] == [b"x" * 200, b"y"]


def test_one_write_per_connection_and_segment(bench, raw):
    """A segment of many packets is answered, and its messages are passed on, in one write each."""
    reader, writer = bench.subscribe("r", ("#", 0)), bench.connect("w")
    before = reader.writes, writer.writes
    writer.send(*(raw.publish(f"t/{n}", b"x", 1, n) for n in range(1, 50)))
    assert (reader.writes, writer.writes) == (before[0] + 1, before[1] + 1)


def test_mqtt_4_6_0_6_order_is_kept_per_publisher(bench, raw):
    """Messages of one publisher arrive in its order."""
    reader, writer = bench.subscribe("r", ("#", 1)), bench.connect("w")
    writer.send(*(raw.publish(f"t/{n % 3}", str(n).encode(), 1, n) for n in range(1, 100)))
    assert [int(message[1]) for message in reader.messages()] == list(range(1, 100))


def test_mqtt_3_3_1_5_6_8_a_retained_message_greets_new_subscribers(bench, raw):
    """The last retained message reaches a later subscriber, with RETAIN 1 and the lower QoS, after the SUBACK."""
    writer = bench.connect("w")
    writer.send(raw.publish("a/b", b"old", 1, 1, retain=True), raw.publish("a/b", b"new", 1, 2, retain=True))
    reader = bench.connect("r")
    suback, message = reader.send(raw.subscribe(("a/+", 2)))
    assert suback[0] == "suback"
    assert message[:5] == ("publish", "a/b", b"new", 1, True)
    assert bench.connect("q").send(raw.subscribe(("a/#", 0)))[1] == ("publish", "a/b", b"new", 0, True, False, 0)


def test_mqtt_3_3_1_7_a_retained_qos_0_message_replaces(bench, raw):
    """A QoS 0 message with RETAIN takes the place of what was retained."""
    bench.connect("w").send(raw.publish("a", b"1", 1, 1, retain=True), raw.publish("a", b"2", retain=True))
    assert bench.connect("r").send(raw.subscribe(("a", 1)))[1:] == [("publish", "a", b"2", 0, True, False, 0)]


def test_mqtt_3_3_1_9_a_live_message_has_retain_0(bench, raw):
    """An established subscription sees RETAIN 0."""
    reader = bench.subscribe("r", ("a", 0))
    bench.connect("w").send(raw.publish("a", b"x", retain=True))
    assert reader.messages()[0][3] is False


def test_mqtt_3_3_1_10_11_an_empty_retained_message_clears(bench, raw):
    """It is passed on as a message, removes what was retained and is not kept itself."""
    reader, writer = bench.subscribe("r", ("a", 0)), bench.connect("w")
    writer.send(raw.publish("a", b"x", retain=True), raw.publish("a", b"", retain=True))
    assert [message[1] for message in reader.messages()] == [b"x", b""]
    assert len(bench.connect("late").send(raw.subscribe(("a", 0)))) == 1
    assert len(bench.broker.retained) == 0


def test_mqtt_3_3_1_12_a_message_without_retain_leaves_the_retained_one(bench, raw):
    """RETAIN 0 neither stores nor removes, not even with an empty payload."""
    bench.connect("w").send(raw.publish("a", b"kept", retain=True), raw.publish("a", b"y"), raw.publish("a", b""))
    assert bench.connect("r").send(raw.subscribe(("a", 0)))[1][2] == b"kept"


def test_mqtt_3_1_2_7_retained_messages_outlive_the_session(bench, raw):
    """The end of the publisher's clean session does not remove them."""
    bench.connect("w").send(raw.publish("a", b"kept", retain=True), raw.DISCONNECT)
    assert bench.connect("r").send(raw.subscribe(("a", 0)))[1][2] == b"kept"


@pytest.mark.parametrize("header", [0x20, 0x90, 0xB0, 0xD0, 0x00, 0xF0])
def test_packets_that_only_a_server_sends_close(bench, raw, header):
    """CONNACK, SUBACK, UNSUBACK, PINGRESP and the reserved types do not come from a client."""
    client = bench.connect()
    client.send(raw.packet(header, b"\0\1"))
    assert client.closed


@pytest.mark.parametrize("header", [0x41, 0x51, 0x60, 0x63, 0x71, 0x80, 0x83, 0xA0, 0xC1, 0xE2])
def test_mqtt_2_2_2_2_reserved_header_flags_close(bench, raw, header):
    """Flag bits other than the table's close the connection [MQTT-3.6.1-1, MQTT-3.8.1-1, MQTT-3.10.1-1]."""
    client = bench.connect()
    body = {0x80: b"\0\1\0\1a\0", 0xA0: b"\0\1\0\1a", 0xC0: b"", 0xE0: b""}.get(header & 0xF0, b"\0\1")
    client.send(raw.packet(header, body))
    assert client.closed


@pytest.mark.parametrize(
    "packet",
    [
        b"\x40\x01\x00", b"\x40\x03\x00\x01\x00", b"\xc0\x01\x00", b"\xe0\x01\x00", b"\x30\x00", b"\x30\x01\x00",
        b"\x30\x03\x00\x05a", b"\x32\x04\x00\x01a\x00", b"\x82\x01\x00", b"\x82\x05\x00\x01\x00\x09a",
        b"\xff\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\xff\x7f",
    ],
)  # fmt: skip
def test_malformed_packets_close_with_a_reason(bench, packet):
    """A packet whose lengths do not fit closes the connection, and evidence says why."""
    client = bench.connect()
    client.send(packet)
    assert client.closed
    [event] = bench.of("reject")
    assert event.detail["reason"]


def test_mqtt_3_3_5_1_overlapping_subscriptions_give_one_copy_at_the_highest_qos(bench, raw):
    """A client with several matching filters gets a message once, respecting the highest granted QoS."""
    rising = bench.subscribe("r", ("a/b", 0), ("a/+", 1), ("#", 2))
    falling = bench.subscribe("f", ("#", 0), ("a/+", 1), ("a/b", 2), ("+/b", 0))
    bench.connect("w").send(raw.publish("a/b", b"x", 2, 1))
    for reader in (rising, falling):
        [message] = reader.messages()
        assert message[2] == 2


def test_a_client_may_hear_itself(bench, raw):
    """3.1.1 has no exception for one's own messages."""
    client = bench.subscribe("c", ("a", 0))
    assert client.send(raw.publish("a", b"x")) == [("publish", "a", b"x", 0, False, False, 0)]
