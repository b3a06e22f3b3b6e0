"""Bytes nobody meant to send: the parser and the whole broker stand them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.mqtt.decode import frame, parse
from labsim.endpoints.mqtt.encode import encode_publish
from labsim.endpoints.mqtt.field import encode_length, encode_string
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import ProtocolViolation, Publish, UnsupportedLevel
from labsim.endpoints.mqtt.topic import check_filter, check_topic, matches

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TOPIC = st.lists(st.sampled_from(["a", "b", "", "銑", "$x"]), min_size=1, max_size=4).map("/".join).filter(bool)
FILTER = (
    st.lists(st.sampled_from(["a", "b", "", "+", "銑", "$x"]), min_size=1, max_size=4)
    .flatmap(lambda levels: st.sampled_from([levels, [*levels, "#"], ["#"]]))
    .map("/".join)
    .filter(bool)
)
QOS = st.integers(0, 2)
MID = st.integers(1, 65535)


@pytest.fixture(scope="session")
def raw_packets(raw):
    """Packets as a client would send them, with few names, so that they meet each other's effects."""
    some = st.sampled_from(["", "a", "b", "c"])
    will = st.none() | st.tuples(TOPIC, st.binary(max_size=5), QOS, st.booleans())
    user = st.none() | TEXT
    return st.one_of(
        st.builds(raw.connect, some, clean=st.booleans(), keepalive=st.integers(0, 3), will=will, user=user),
        st.builds(raw.publish, TOPIC, st.binary(max_size=20), QOS, st.integers(1, 4), retain=st.booleans()),
        st.lists(st.tuples(FILTER, QOS), min_size=1, max_size=3).map(lambda filters: raw.subscribe(*filters)),
        st.lists(FILTER, min_size=1, max_size=3).map(lambda filters: raw.unsubscribe(*filters)),
        st.builds(raw.ack, st.sampled_from(["puback", "pubrec", "pubrel", "pubcomp"]), st.integers(1, 4)),
        st.sampled_from([raw.PING, raw.DISCONNECT]),
    )


def mutated(whole):
    """A packet with a byte changed, cut out or put in; now and then untouched."""

    def change(case):
        data, place, byte, how = case
        at = place % len(data)
        return {
            "keep": data,
            "set": data[:at] + bytes((byte,)) + data[at + 1 :],
            "cut": data[:at] + data[at + 1 :],
            "put": data[:at] + bytes((byte,)) + data[at:],
            "end": data[:at],
        }[how]

    how = st.sampled_from(["keep", "set", "cut", "put", "end"])
    return st.tuples(whole, st.integers(0, 200), st.integers(0, 255), how).map(change)


@given(st.integers(0, 255), st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_the_parser_raises_nothing_but_its_own(header, body):
    """Any header over any body is a packet, a violation or another version."""
    try:
        parse(header, body, 0, len(body))
    except (ProtocolViolation, UnsupportedLevel):
        return


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_packets_parse_or_are_refused(raw_packets, data):
    """Packets with one byte wrong never raise anything else, and a frame never claims bytes before its own."""
    stream = data.draw(mutated(raw_packets).filter(bool))
    try:
        found = frame(stream, 0, 1 << 20)
        if found is not None and found[1] <= len(stream):
            assert 2 <= found[0] <= found[1]
            parse(stream[0], stream, *found)
    except (ProtocolViolation, UnsupportedLevel):
        return


@given(TOPIC, st.binary(max_size=300), QOS, MID, st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_publish_survives_the_way_through_the_codec(topic, payload, qos, mid, retain):
    """What is encoded parses to the same message."""
    data = encode_publish(encode_string(topic), payload, qos, mid, retain=retain, dup=qos > 0)
    found = frame(data, 0, 1 << 20)
    assert found is not None
    assert found[1] == len(data)
    parsed = parse(data[0], data, *found)
    assert parsed == Publish(topic, payload, qos, retain, qos > 0, mid if qos else 0)


@given(st.integers(0, 268_435_455))
def test_a_remaining_length_survives_the_codec(length):
    """Every length of §2.2.3 up to four bytes is read back."""
    encoded = encode_length(length)
    assert frame(b"\x30" + encoded, 0, 1 << 30) == (1 + len(encoded), 1 + len(encoded) + length)


@given(TEXT, TEXT)
def test_judged_topics_and_filters_match_without_raising(pattern, topic):
    """What passes the judges can be matched, and a topic that is a filter matches itself."""
    try:
        check_filter(pattern)
        check_topic(topic)
    except ProtocolViolation:
        return
    matches(pattern, topic)
    assert matches(topic, topic)


@given(FILTER, TOPIC)
@settings(max_examples=200)
def test_routing_agrees_with_a_plain_reading_of_the_rules(pattern, topic):
    """Matching equals a regular expression written from §4.7."""
    import re

    body = re.escape(pattern).replace(r"\+", "[^/]*")
    body = body.replace("/\\#", "(/.*)?") if body.endswith("/\\#") else body.replace("\\#", ".*")
    expected = re.fullmatch(body, topic, re.DOTALL) is not None and not (topic[0] == "$" and pattern[0] in "+#")
    assert matches(pattern, topic) is expected


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_broker_or_harm_a_bystander(make_bench, raw, raw_packets, judge_sound, data):
    """Whatever clients send and however they end, nothing is raised, an orderly pair is served, and each end is told once."""
    bench = make_bench(limits=Limits(packet=4096, window=3, queue=5, retained=5, sessions=50))
    reader, writer = bench.subscribe("reader", ("orderly/#", 1)), bench.connect("writer")
    rogues = [bench.connect("a", clean=False), bench.connect("b"), bench.open()]
    for number in range(data.draw(st.integers(1, 12))):
        rogue = data.draw(st.sampled_from(rogues))
        act = data.draw(st.sampled_from(["connect", "send", "send", "send", "noise", "vanish", "wait"]))
        if rogue.closed:
            rogues[rogues.index(rogue)] = rogue = data.draw(st.sampled_from([bench.open, bench.connect]))()
        if act == "connect":
            rogue.send(raw.connect(data.draw(st.sampled_from("abc")), clean=data.draw(st.booleans()), keepalive=2))
        elif act == "send":
            rogue.send(b"".join(data.draw(st.lists(mutated(raw_packets), min_size=1, max_size=4))))
        elif act == "noise":
            rogue.send(data.draw(st.binary(max_size=40)))
        elif act == "vanish":
            rogue.vanish()
        else:
            bench.advance(1.5)
        answers = writer.send(raw.publish("orderly/t", str(number).encode(), 1, number + 1))
        assert ("puback", number + 1) in answers
        [(_, payload, qos, _, _, mid)] = [m for m in reader.messages() if m[0] == "orderly/t"]
        assert (payload, qos) == (str(number).encode(), 1)
        reader.send(raw.ack("puback", mid))
    assert not reader.closed
    assert not writer.closed
    judge_sound(bench)
    closed = [event.session for event in bench.of("close")]
    assert len(closed) == len(set(closed)) == sum(client.closed for client in bench.clients.values())
