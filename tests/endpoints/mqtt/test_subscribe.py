"""SUBSCRIBE, UNSUBSCRIBE and matching (§3.8 to §3.11, §4.7), on bytes."""

from __future__ import annotations

import pytest

from labsim.endpoints.mqtt.topic import matches


def test_mqtt_3_8_4_1_2_5_and_3_9_3_1_suback_answers_each_filter_in_order(bench, raw):
    """SUBACK has the identifier of the SUBSCRIBE and one code per filter, in their order."""
    client = bench.connect()
    assert client.send(raw.subscribe(("a", 2), ("b", 0), ("c/#", 1), mid=300)) == [("suback", 300, 2, 0, 1)]


def test_mqtt_3_8_3_3_a_subscribe_without_filters_closes(bench, raw):
    """SUBSCRIBE and UNSUBSCRIBE need at least one filter [MQTT-3.10.3-2]."""
    for packet in (raw.subscribe(), raw.unsubscribe()):
        client = bench.connect()
        client.send(packet)
        assert client.closed


@pytest.mark.parametrize("qos", [3, 4, 0x80, 0xFF])
def test_mqtt_3_8_3_4_a_bad_requested_qos_closes(bench, raw, qos):
    """Reserved bits, or QoS 3, in the requested QoS are malformed."""
    client = bench.connect()
    client.send(raw.subscribe(("a", 0), ("b", qos)))
    assert client.closed
    assert not bench.of("subscribe"), "nothing of a malformed packet is done"


@pytest.mark.parametrize("pattern", ["a/#/b", "#/a", "a#", "a/b#", "a+", "+a/b", "a/b+/c", "##", "++", "", "a/##"])
def test_mqtt_4_7_1_2_3_an_invalid_filter_closes(bench, raw, pattern):
    """A wildcard is a whole level, and # the last one; other filters close the connection."""
    for packet in (raw.subscribe(("ok", 0), (pattern, 0)), raw.unsubscribe("ok", pattern)):
        client = bench.connect()
        client.send(packet)
        assert client.closed
    assert not bench.of("subscribe", "unsubscribe")


def test_mqtt_3_8_4_3_the_same_filter_again_replaces_and_resends_retained(bench, raw):
    """A second subscription with the same filter changes the QoS, is greeted again, and gives no second copy."""
    writer = bench.connect("w")
    writer.send(raw.publish("a", b"kept", 1, 1, retain=True))
    reader = bench.connect("r")
    assert reader.send(raw.subscribe(("a", 1)))[1][3] == 1
    assert reader.send(raw.subscribe(("a", 0)))[1][3] == 0
    writer.send(raw.publish("a", b"x", 1, 2))
    assert [message[:3] for message in reader.messages()] == [("a", b"x", 0)]


def test_mqtt_3_8_4_4_several_filters_are_like_several_packets(bench, raw):
    """Each filter of one SUBSCRIBE is greeted by its retained messages, in one response."""
    bench.connect("w").send(raw.publish("a", b"1", retain=True), raw.publish("b", b"2", retain=True))
    answers = bench.connect("r").send(raw.subscribe(("a", 0), ("b", 0), ("+", 0)))
    assert [answer[0] for answer in answers].count("suback") == 1
    assert [answer[2] for answer in answers[1:]] == [b"1", b"2", b"1", b"2"]


def test_mqtt_3_10_4_1_2_an_unsubscribed_filter_is_silent(bench, raw):
    """Only a filter of exactly the same spelling is removed, and after UNSUBACK nothing more comes."""
    reader, writer = bench.subscribe("r", ("a/+", 0), ("a/b", 0)), bench.connect("w")
    reader.send(raw.unsubscribe("a/+"))
    writer.send(raw.publish("a/b", b"1"), raw.publish("a/c", b"2"))
    assert [message[1] for message in reader.messages()] == [b"1"]
    reader.send(raw.unsubscribe("A/b"))
    writer.send(raw.publish("a/b", b"3"))
    assert [message[1] for message in reader.messages()] == [b"3"]


def test_mqtt_3_10_4_3_what_was_sent_is_finished_after_unsubscribe(bench, raw):
    """A QoS 2 delivery that has begun goes on to its end."""
    reader = bench.subscribe("r", ("a", 2))
    bench.connect("w").send(raw.publish("a", b"x", 2, 1))
    [(*_, mid)] = reader.messages()
    reader.send(raw.unsubscribe("a"))
    assert reader.send(raw.ack("pubrec", mid)) == [("pubrel", mid)]
    assert reader.send(raw.ack("pubcomp", mid), raw.PING) == [("pong",)]


def test_mqtt_3_10_4_4_5_6_unsuback_answers_everything_once(bench, raw):
    """UNSUBACK has the packet's identifier, comes once for several filters, and also when there was nothing to remove."""
    client = bench.connect()
    assert client.send(raw.unsubscribe("a", "b", "c/#", mid=400)) == [("unsuback", 400)]


MATCHES = [
    ("sport/tennis/player1/#", "sport/tennis/player1"),
    ("sport/tennis/player1/#", "sport/tennis/player1/ranking"),
    ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
    ("sport/#", "sport"), ("#", "a"), ("#", "/"), ("#", "a/b/c"),
    ("sport/tennis/+", "sport/tennis/player1"), ("sport/+", "sport/"), ("+", "a"), ("+/+", "/finance"), ("/+", "/finance"),
    ("+/tennis/#", "sport/tennis"), ("a//b", "a//b"), ("a/+/b", "a//b"), ("/", "/"), ("+/+", "/"), ("$SYS/#", "$SYS/a"),
    ("$SYS/monitor/+", "$SYS/monitor/clients"), ("銑床/+", "銑床/溫度"), ("a/$b", "a/$b"), ("+/$b", "a/$b"), (" ", " "),
]  # fmt: skip
DIFFERS = [
    ("sport/tennis/+", "sport/tennis/player1/ranking"), ("sport/+", "sport"), ("+", "/finance"), ("#", "$SYS/a"),
    ("+/monitor/clients", "$SYS/monitor/clients"), ("+", "$a"), ("a", "A"), ("a", "a/"), ("a/", "a"), ("a//b", "a/b"),
    ("e\u0301", "\u00e9"), ("a/b/#", "a"), ("a/+/c", "a/b/c/d"), ("a/b", "a"), ("/a", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "topic"), MATCHES)
def test_mqtt_4_7_1_filters_that_match(bench, raw, pattern, topic):
    """Examples of the standard and their edges match: by rule, through routing, and for a retained message."""
    assert matches(pattern, topic)
    reader = bench.subscribe("r", (pattern, 0))
    bench.broker.publish(topic, b"x", retain=True)
    bench.pump()
    assert len(reader.messages()) == 1
    assert len(bench.connect("late").send(raw.subscribe((pattern, 0)))) == 2


@pytest.mark.parametrize(("pattern", "topic"), DIFFERS)
def test_mqtt_4_7_filters_that_do_not_match(bench, raw, pattern, topic):
    """Levels, case, $ [MQTT-4.7.2-1] and unnormalised characters [MQTT-4.7.3-4] keep topics apart."""
    assert not matches(pattern, topic)
    reader = bench.subscribe("r", (pattern, 0))
    bench.broker.publish(topic, b"x", retain=True)
    bench.pump()
    assert reader.messages() == []
    assert len(bench.connect("late").send(raw.subscribe((pattern, 0)))) == 1


def test_a_client_cannot_publish_below_a_dollar(bench, raw):
    """$-topics are the broker's: a client's message there is acknowledged, denied and delivered to nobody (§4.7.2)."""
    reader = bench.subscribe("r", ("$SYS/#", 0))
    writer = bench.connect("w")
    assert writer.send(raw.publish("$SYS/x", b"1", 1, 4, retain=True)) == [("puback", 4)]
    assert reader.messages() == []
    assert len(bench.broker.retained) == 0
    [event] = bench.of("deny")
    assert (event.subject, event.app, event.detail["action"]) == ("$SYS/x", "w", "publish")


def test_routes_follow_every_change_of_subscriptions(bench, raw):
    """A remembered route is forgotten when somebody subscribes, unsubscribes or ends."""
    writer = bench.connect("w")
    first = bench.subscribe("r1", ("a", 0))
    writer.send(raw.publish("a", b"1"))
    second = bench.subscribe("r2", ("+", 0))
    writer.send(raw.publish("a", b"2"))
    first.vanish()
    writer.send(raw.publish("a", b"3"))
    second.send(raw.unsubscribe("+"))
    writer.send(raw.publish("a", b"4"))
    assert [message[1] for message in first.messages()] == [b"1", b"2"]
    assert [m[1] for m in second.messages()] == [], "taken with the UNSUBACK"
    assert bench.broker.router.route("a").targets == ()
