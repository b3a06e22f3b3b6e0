"""Sessions that outlive their connection (§3.1.2.4, §4.1, §4.4), on bytes."""

from __future__ import annotations

from labsim.endpoints.mqtt.limits import Limits


def test_mqtt_3_1_2_5_messages_wait_for_an_absent_client(bench, raw):
    """QoS 1 and 2 messages are stored for a persistent session and delivered in order when it comes back."""
    bench.subscribe("r", ("a", 2), clean=False).vanish()
    bench.connect("w").send(raw.publish("a", b"1", 1, 1), raw.publish("a", b"2", 2, 2), raw.publish("a", b"0"))
    reader = bench.connect("r", clean=False)
    assert reader.present == 1
    got = [packet[1:6] for packet in reader.resumed]
    assert got == [("a", b"1", 1, False, False), ("a", b"2", 2, False, False)], "QoS 0 does not wait"


def test_mqtt_3_1_2_4_subscriptions_survive(bench, raw):
    """A persistent session still has its subscriptions."""
    bench.subscribe("r", ("a", 0), clean=False).send(raw.DISCONNECT)
    reader = bench.connect("r", clean=False)
    bench.connect("w").send(raw.publish("a", b"x"))
    assert len(reader.messages()) == 1


def test_mqtt_3_1_2_6_a_clean_session_starts_from_nothing(bench, raw):
    """Clean session 1 discards what was stored, and its own state ends with its connection."""
    bench.subscribe("r", ("a", 1), clean=False).vanish()
    writer = bench.connect("w")
    writer.send(raw.publish("a", b"1", 1, 1))
    clean = bench.connect("r", clean=True)
    writer.send(raw.publish("a", b"2", 1, 2))
    assert bench.broker.router.route("a").targets == (), "the discarded session subscribes to nothing"
    assert clean.resumed == []
    assert clean.messages() == []
    clean.send(raw.subscribe(("a", 1)))
    clean.vanish()
    assert "r" not in bench.broker.sessions
    later = bench.connect("r", clean=False)
    assert (later.present, later.resumed) == (0, [])


def test_mqtt_4_4_0_1_unacknowledged_messages_are_sent_again(bench, raw):
    """What was not acknowledged comes again with DUP 1, the same identifier, in the same order [MQTT-4.6.0-1]."""
    reader = bench.subscribe("r", ("a", 2), clean=False)
    bench.connect("w").send(*(raw.publish("a", str(n).encode(), 1 + n % 2, n) for n in range(1, 6)))
    first = reader.messages()
    reader.vanish()
    reader = bench.connect("r", clean=False)
    again = [packet[1:] for packet in reader.resumed]
    assert again == [(*message[:4], True, message[5]) for message in first]


def test_mqtt_4_3_3_1_the_pubrel_stage_is_resumed(bench, raw):
    """After PUBREC the PUBREL is repeated, never the PUBLISH."""
    reader = bench.subscribe("r", ("a", 2), clean=False)
    bench.connect("w").send(raw.publish("a", b"1", 2, 1), raw.publish("a", b"2", 2, 2))
    one, two = (message[5] for message in reader.messages())
    reader.send(raw.ack("pubrec", two))
    reader.send(raw.ack("pubrec", one))
    reader.vanish()
    reader = bench.connect("r", clean=False)
    assert reader.resumed == [("pubrel", two), ("pubrel", one)], "in the order of their PUBRECs"
    reader.send(raw.ack("pubcomp", two), raw.ack("pubcomp", one))
    reader.vanish()
    assert bench.connect("r", clean=False).resumed == []


def test_mqtt_4_3_3_2_a_received_qos_2_identifier_survives(bench, raw):
    """A QoS 2 message sent again after a reconnect is still delivered once."""
    reader = bench.subscribe("r", ("a", 0))
    writer = bench.connect("w", clean=False)
    writer.send(raw.publish("a", b"x", 2, 8))
    writer.vanish()
    writer = bench.connect("w", clean=False)
    assert writer.send(raw.publish("a", b"x", 2, 8, dup=True)) == [("pubrec", 8)]
    assert writer.send(raw.ack("pubrel", 8)) == [("pubcomp", 8)]
    assert len(reader.messages()) == 1


def test_acknowledged_messages_do_not_come_again(bench, raw):
    """A finished delivery is forgotten."""
    reader = bench.subscribe("r", ("a", 1), clean=False)
    bench.connect("w").send(raw.publish("a", b"x", 1, 1))
    [(*_, mid)] = reader.messages()
    reader.send(raw.ack("puback", mid))
    reader.vanish()
    assert bench.connect("r", clean=False).resumed == []


def test_mqtt_2_3_1_4_identifiers_in_flight_are_not_given_twice(bench, raw):
    """The server's identifiers pass over those still unacknowledged, also after 65535 messages."""
    reader, writer = bench.subscribe("r", ("a", 1)), bench.connect("w")
    writer.send(raw.publish("a", b"stuck", 1, 1))
    [(*_, stuck)] = reader.messages()
    session = bench.broker.sessions["r"]
    session._mid = 65534
    writer.send(*(raw.publish("a", b"x", 1, n) for n in range(1, 4)))
    mids = [message[5] for message in reader.messages()]
    assert mids == [65535, 2, 3]
    assert stuck == 1


def test_a_take_over_keeps_the_persistent_session(bench, raw):
    """The newer connection goes on where the older one stood."""
    older = bench.subscribe("r", ("a", 1), clean=False)
    bench.connect("w").send(raw.publish("a", b"x", 1, 1))
    [message] = older.messages()
    newer = bench.connect("r", clean=False)
    assert older.closed
    assert newer.present == 1
    assert newer.resumed == [("publish", *message[:4], True, message[5])]


def test_the_window_limits_what_is_on_its_way(make_bench, raw):
    """Beyond the window messages wait in order; each acknowledgement lets the next one go."""
    bench = make_bench(limits=Limits(window=2))
    reader = bench.subscribe("r", ("a", 1))
    bench.connect("w").send(*(raw.publish("a", str(n).encode(), 1, n) for n in range(1, 6)))
    got = reader.messages()
    assert [message[1] for message in got] == [b"1", b"2"]
    answers = reader.send(raw.ack("puback", got[0][5]))
    assert [answer[2] for answer in answers] == [b"3"]
    assert bench.broker.sessions["r"].waiting == 2


def test_the_window_is_limited_in_bytes_and_keeps_order(make_bench, raw):
    """A large message waits for room, small ones behind it do not overtake it, and one larger than the window goes alone."""
    bench = make_bench(limits=Limits(window_bytes=100))
    reader, writer = bench.subscribe("r", ("a", 2)), bench.connect("w")
    sizes = [60, 60, 10, 500, 10]
    writer.send(*(raw.publish("a", b"x" * size, 1 + n % 2, n + 1) for n, size in enumerate(sizes)))
    rounds = []
    while got := reader.messages():
        rounds.append([len(message[1]) for message in got])
        for message in got:
            if message[2] == 1:
                reader.connection.receive(raw.ack("puback", message[5]), bench.now)
            else:
                reader.connection.receive(raw.ack("pubrec", message[5]) + raw.ack("pubcomp", message[5]), bench.now)
        bench.pump()
    assert rounds == [[60], [60, 10], [500], [10]]
    assert bench.broker.sessions["r"]._inflight_bytes == 0
