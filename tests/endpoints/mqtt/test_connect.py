"""CONNECT and CONNACK (§3.1, §3.2), on bytes."""

from __future__ import annotations

import pytest

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Access
from labsim.endpoints.mqtt.limits import Limits


def test_mqtt_3_1_0_1_the_first_packet_is_a_connect(bench, raw):
    """Any other first packet closes the connection, at its first byte."""
    for first in (raw.PING, raw.publish(), raw.subscribe(("a", 0)), b"GET / HTTP/1.1\r\n", b"\x16", b"\x11"):
        client = bench.open()
        assert client.send(first) == []
        assert client.closed
    assert bench.of("reject")[0].detail == {"reason": "the first packet is not a CONNECT"}


def test_mqtt_3_1_0_2_a_second_connect_closes(bench, raw):
    """A second CONNECT is a protocol violation, whatever its version."""
    for second in (raw.connect("a"), raw.connect("a", level=5)):
        client = bench.connect("a")
        assert client.send(second) == []
        assert client.closed


def test_mqtt_3_1_2_1_a_wrong_protocol_name_closes_without_an_answer(bench, raw):
    """Another protocol's name is not answered in MQTT."""
    client = bench.open()
    assert client.send(raw.connect(name=b"HTTP")) == []
    assert client.closed


@pytest.mark.parametrize(("name", "level"), [(b"MQIsdp", 3), (b"MQTT", 3), (b"MQTT", 6), (b"MQTT", 0)])
def test_mqtt_3_1_2_2_another_level_gets_code_1(bench, raw, name, level):
    """An unsupported protocol level is refused with code 1 and the connection is closed."""
    client = bench.open()
    assert client.send(raw.connect(name=name, level=level), raw.PING) == [("connack", 0, 1)]
    assert client.closed
    [event] = bench.of("connect")
    assert (event.status, event.detail["level"]) == (1, level)


def test_mqtt_3_1_2_3_the_reserved_connect_flag_closes(bench, raw):
    """Bit 0 of the connect flags must be 0."""
    client = bench.open()
    assert client.send(raw.connect(flags=0x03)) == []
    assert client.closed


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (0x02 | 0x08, b""),  # [MQTT-3.1.2-13] will QoS without a will
        (0x02 | 0x20, b""),  # [MQTT-3.1.2-15] will retain without a will
        (0x02 | 0x04 | 0x18, b"\0\1w\0\0"),  # [MQTT-3.1.2-14] will QoS 3
        (0x02 | 0x04, b""),  # [MQTT-3.1.2-9] a will flag without a will
        (0x02 | 0x04, b"\0\1w"),  # half a will
        (0x02, b"\0\1w\0\0"),  # [MQTT-3.1.2-11] a will without its flag
        (0x02 | 0x80, b""),  # [MQTT-3.1.2-19] a user flag without a user
        (0x02, b"\0\1u"),  # [MQTT-3.1.2-18] a user without its flag
        (0x02 | 0x80 | 0x40, b"\0\1u"),  # [MQTT-3.1.2-21] a password flag without a password
        (0x02 | 0x80, b"\0\1u\0\1p"),  # [MQTT-3.1.2-20] a password without its flag
        (0x02 | 0x40, b"\0\1p"),  # [MQTT-3.1.2-22] a password without a user
    ],
)
def test_mqtt_3_1_4_1_flags_that_do_not_fit_the_payload_close(bench, raw, flags, body):
    """A CONNECT whose flags and payload disagree is closed without a CONNACK."""
    client = bench.open()
    assert client.send(raw.connect("c", flags=flags, extra=body)) == []
    assert client.closed
    assert bench.kinds() == ["open", "reject", "close"]


@pytest.mark.parametrize("topic", ["a/+", "#", "", "a\0b", b"\xff"])
def test_mqtt_3_1_3_10_a_will_topic_is_a_topic(bench, raw, topic):
    """A will that could never be published is refused when it is made."""
    client = bench.open()
    assert client.send(raw.connect(will=(topic, b"", 0, False))) == []
    assert client.closed


def test_mqtt_3_1_3_3_the_client_id_must_be_there(bench, raw):
    """A CONNECT that ends before the client id is closed."""
    client = bench.open()
    assert client.send(raw.packet(0x10, raw.string("MQTT") + b"\x04\x02\x00\x00")) == []
    assert client.closed


def test_mqtt_3_1_3_4_the_client_id_is_utf8(bench, raw):
    """A client id that is not UTF-8, or holds U+0000, is closed."""
    for client_id in (b"\xc3", b"\xed\xa0\x80", b"a\0"):
        client = bench.open()
        assert client.send(raw.connect(client_id)) == []
        assert client.closed


def test_mqtt_3_1_3_5_ordinary_and_long_client_ids_are_allowed(bench, raw):
    """Client ids of 1 to 23 letters and digits come in, and so do longer ones and Chinese ones."""
    for client_id in ("a", "0123456789abcdefghijklm", "x" * 5000, "銑床", "\ufeffbom"):
        assert bench.open().send(raw.connect(client_id)) == [("connack", 0, 0)]
        assert bench.of("connect")[-1].app == client_id


def test_mqtt_3_1_3_6_an_empty_client_id_is_assigned_one(bench, raw):
    """Two clients without an id get two different ones, and neither is one that somebody chose."""
    bench.connect("auto-1")
    first, second = bench.connect(""), bench.connect("")
    assert not first.closed
    assert not second.closed
    assert len(bench.broker.connected) == 3


def test_mqtt_3_1_3_8_an_empty_client_id_needs_a_clean_session(bench, raw):
    """An empty id with clean session 0 is refused with code 2."""
    client = bench.open()
    assert client.send(raw.connect("", clean=False)) == [("connack", 0, 2)]
    assert client.closed


def test_mqtt_3_1_3_9_the_plants_own_name_is_refused(bench, raw):
    """The name under which the plant's own messages are journalled cannot be taken."""
    assert bench.open().send(raw.connect("plant")) == [("connack", 0, 2)]


def test_code_3_when_there_is_no_room(make_bench, raw):
    """A client too many is refused with code 3, but one that comes again is not a client more."""
    bench = make_bench(limits=Limits(connections=1))
    bench.connect("a")
    assert bench.open().send(raw.connect("b")) == [("connack", 0, 3)]
    assert bench.open().send(raw.connect("a")) == [("connack", 0, 0)]


def test_code_3_when_too_many_sessions_are_kept(make_bench, raw):
    """Persistent sessions cannot be piled up."""
    bench = make_bench(limits=Limits(sessions=2))
    for name in ("a", "b"):
        bench.connect(name, clean=False).send(raw.DISCONNECT)
    assert bench.open().send(raw.connect("c")) == [("connack", 0, 3)]
    assert bench.open().send(raw.connect("a", clean=False)) == [("connack", 1, 0)]


def test_code_4_for_bad_credentials(make_bench, raw):
    """A wrong password, a missing password and an unknown name are all refused with code 4."""
    bench = make_bench(Access([User("ann", "secret")], anonymous=False))
    for user, password in (("ann", "wrong"), ("ann", None), ("bob", "secret"), ("", "")):
        client = bench.open()
        assert client.send(raw.connect(user=user, password=password)) == [("connack", 0, 4)]
        assert client.closed
    assert bench.open().send(raw.connect(user="ann", password="secret")) == [("connack", 0, 0)]
    assert bench.of("connect")[-1].user == "ann"


def test_code_5_for_an_anonymous_client_that_may_not(make_bench, raw):
    """A client without a name is refused with code 5 where names are asked for."""
    bench = make_bench(Access([User("ann", "secret")], anonymous=False))
    assert bench.open().send(raw.connect()) == [("connack", 0, 5)]
    assert make_bench(Access([User("ann", "secret")])).open().send(raw.connect()) == [("connack", 0, 0)]
    assert make_bench(Access(anonymous=False)).open().send(raw.connect(user="x")) == [("connack", 0, 5)]


def test_a_name_proves_nothing_where_there_are_no_accounts(bench, raw):
    """Without accounts a name is let in, and evidence does not call it authenticated."""
    assert bench.open().send(raw.connect(user="ann", password="x")) == [("connack", 0, 0)]
    [event] = bench.of("connect")
    assert (event.user, event.detail["name"]) == ("", "ann")


def test_mqtt_3_1_4_2_the_same_client_id_again_ends_the_older(bench, raw):
    """Take-over: the older connection is closed, the newer one lives."""
    older = bench.connect("a")
    newer = bench.connect("a")
    assert older.closed
    assert newer.send(raw.PING) == [("pong",)]
    assert bench.kinds()[2:] == ["open", "connect", "takeover", "close"]


def test_a_refused_client_takes_nothing_over(make_bench, raw):
    """A stranger who knows a client id cannot throw its owner out."""
    bench = make_bench(Access([User("ann", "secret")], anonymous=False))
    owner = bench.connect("a", user="ann", password="secret")
    assert bench.open().send(raw.connect("a", user="ann", password="guess")) == [("connack", 0, 4)]
    assert not owner.closed


def test_mqtt_3_1_4_5_nothing_is_processed_after_a_refusal(make_bench, raw):
    """What a refused client sent behind its CONNECT has no effect."""
    bench = make_bench(Access(anonymous=False))
    bench.open().send(raw.connect(), raw.publish("t", b"x", retain=True))
    assert not bench.of("publish")
    assert len(bench.broker.retained) == 0


def test_mqtt_3_2_0_1_the_first_answer_is_the_connack(bench, raw):
    """Packets sent together with the CONNECT are answered after the CONNACK."""
    client = bench.open()
    answers = client.send(raw.connect(), raw.PING, raw.subscribe(("a", 0)))
    assert [answer[0] for answer in answers] == ["connack", "pong", "suback"]
    assert client.writes == 1


def test_mqtt_3_2_2_1_to_3_session_present(bench, raw):
    """Session present is 1 only for clean session 0 with a stored session."""
    assert bench.connect("a", clean=False).present == 0  # [MQTT-3.2.2-3]
    assert bench.connect("a", clean=False).present == 1  # [MQTT-3.2.2-2]
    assert bench.connect("a", clean=True).present == 0  # [MQTT-3.2.2-1]
    assert bench.connect("a", clean=False).present == 0, "a clean session is not kept"


def test_mqtt_3_2_2_4_a_refusal_has_no_session_present(make_bench, raw):
    """A stored session is not betrayed to a client that is refused."""
    bench = make_bench(Access([User("ann", "secret")], anonymous=False))
    bench.connect("a", clean=False, user="ann", password="secret").vanish()
    assert bench.open().send(raw.connect("a", clean=False)) == [("connack", 0, 5)]


def test_a_client_that_never_connects_is_closed_after_ten_seconds(bench):
    """A socket that says nothing, or half a CONNECT, is closed."""
    silent, half = bench.open(), bench.open()
    bench.advance(9)
    half.send(b"\x10\x20\x00\x04MQ")
    bench.advance(0.9)
    assert not silent.closed
    assert not half.closed
    bench.advance(0.2)
    assert silent.closed
    assert half.closed
    assert bench.of("timeout")[0].detail == {"reason": "no CONNECT"}


def test_mqtt_3_1_2_24_keep_alive_ends_after_one_and_a_half_times(bench, raw):
    """Silence of 1.5 keep-alive periods closes the connection; any packet begins the time anew."""
    client = bench.connect("a", keepalive=10)
    bench.advance(14)
    assert client.send(raw.PING) == [("pong",)]
    bench.advance(14.9)
    assert not client.closed
    bench.advance(0.2)
    assert client.closed
    assert bench.of("timeout")[0].detail == {"reason": "keep-alive"}


def test_half_a_packet_does_not_keep_a_client_alive(bench, raw):
    """Keep-alive counts control packets, not bytes."""
    client = bench.connect("a", keepalive=10)
    bench.advance(14)
    client.send(raw.publish("t", b"x" * 100)[:50])
    bench.advance(1.1)
    assert client.closed


def test_keep_alive_0_never_ends(bench):
    """Without keep-alive there is no deadline (§3.1.2.10)."""
    client = bench.connect("a", keepalive=0)
    bench.advance(10**6)
    assert client.connection.deadline is None
    assert not client.closed


def test_mqtt_3_12_4_1_a_ping_is_answered(bench, raw):
    """PINGREQ gets PINGRESP."""
    assert bench.connect().send(raw.PING, raw.PING) == [("pong",), ("pong",)]


def test_mqtt_3_14_4_disconnect_closes_and_the_rest_is_ignored(bench, raw):
    """DISCONNECT ends the connection cleanly; what follows it is not looked at."""
    client = bench.connect()
    assert client.send(raw.DISCONNECT, raw.PING, raw.publish("t")) == []
    assert client.closed
    assert bench.kinds()[2:] == ["disconnect", "close"]
    assert bench.of("close")[0].detail == {"clean": True}


def test_mqtt_3_14_1_1_disconnect_with_flags_is_malformed(bench):
    """Reserved bits in DISCONNECT close the connection as if it had failed."""
    client = bench.connect()
    client.send(b"\xe1\x00")
    assert bench.kinds()[2:] == ["reject", "close"]
    assert bench.of("close")[0].detail == {"clean": False}
