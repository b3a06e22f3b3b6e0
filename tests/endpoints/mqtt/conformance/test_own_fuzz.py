"""Mutated packets of both versions against the whole core: nothing is raised, nothing leaks, all answers are well formed.

``LABSIM_FUZZ=1`` runs 100,000 inputs instead of a few.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.access import Access, Rights, TopicRights
from labsim.endpoints.mqtt.limits import Limits

LONG = os.environ.get("LABSIM_FUZZ") == "1"
COUNT = [0]
"""Packets that were sent."""
TOPIC = st.sampled_from(["a", "a/b", "b", "銑/床", "$x", "", "a/+", "no/entry"])
FILTER = st.sampled_from(["a", "a/#", "#", "+/b", "$share/g/a", "$share/h/#", "$SYS/#", "a/#/b", "$share//a", "no/#"])
BY_FORM = {1: st.integers(0, 2), 2: st.integers(0, 65535), 4: st.integers(0, 2**32 - 1), "v": st.integers(0, 2**28 - 1),
           "s": TOPIC, "b": st.binary(max_size=4), "p": st.tuples(TOPIC, TOPIC)}  # fmt: skip
FORMS = {1: 1, 2: 4, 3: "s", 8: "s", 9: "b", 11: "v", 17: 4, 21: "s", 23: 1, 24: 4, 31: "s", 33: 2, 34: 2, 35: 2, 38: "p",
         39: 4, 99: 1}  # fmt: skip
PROPERTIES = st.lists(
    st.sampled_from(list(FORMS)).flatmap(lambda key: st.tuples(st.just(key), BY_FORM[FORMS[key]])), max_size=2
)
MID = st.integers(0, 3)


@pytest.fixture(scope="session")
def packets(speak, wire):
    """Packets of a version, with few names and identifiers, so that they meet each other's effects."""

    def of(level: int):
        peer, given_ = speak[level], PROPERTIES.map(lambda pairs: wire.props(*pairs))
        few = st.just(b"\0")
        some = st.one_of(few, given_)
        will = st.none() | st.tuples(TOPIC, st.binary(max_size=3), st.integers(0, 3), st.booleans(), some)
        return st.one_of(
            st.builds(
                peer.connect_bytes, st.sampled_from(["", "x", "y"]), clean=st.booleans(), keepalive=st.integers(0, 3),
                properties=some, will=will, user=st.sampled_from([None, "ann", "bob"]), password=st.just("p"),
            ),
            st.builds(
                peer.publish_bytes, TOPIC, st.binary(max_size=6), st.integers(0, 3), MID, retain=st.booleans(),
                dup=st.booleans(), properties=some,
            ),
            st.lists(st.tuples(FILTER, st.integers(0, 63)), max_size=3).flatmap(
                lambda filters: st.builds(lambda mid, p: peer.subscribe_bytes(*filters, mid=mid, properties=p), MID, some)
            ),
            st.lists(FILTER, max_size=2).map(lambda filters: peer.unsubscribe_bytes(*filters)),
            st.tuples(st.sampled_from([0x40, 0x50, 0x62, 0x70]), MID, st.sampled_from([b"", b"\0", b"\x80", b"\x92\0"])).map(
                lambda ack: wire.packet(ack[0], ack[1].to_bytes(2, "big") + ack[2])
            ),
            st.sampled_from([b"\xc0\0", b"\xe0\0", b"\xe0\1\4", b"\xe0\7\0\5\x11\0\0\0\5", b"\xf0\0"]),
        )  # fmt: skip

    return {4: of(4), 5: of(5)}


def mutated(whole):
    """Packets with a byte changed, cut out, put in, or the end missing; as often as not untouched."""

    def change(case):
        data, place, byte, how = case
        at = place % len(data)
        return {
            "set": data[:at] + bytes((byte,)) + data[at + 1 :],
            "cut": data[:at] + data[at + 1 :],
            "put": data[:at] + bytes((byte,)) + data[at:],
            "end": data[:at],
        }.get(how, data)

    how = st.sampled_from(["keep", "keep", "keep", "set", "cut", "put", "end"])
    return st.tuples(whole, st.integers(0, 60), st.integers(0, 255), how).map(change)


@pytest.mark.timeout(7200)
@given(data=st.data())
@settings(
    max_examples=8_000 if LONG else 100, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
def test_mutated_input_of_both_versions(make_bench, speak, understand, packets, data):
    """Rogues of both versions send mutated packets and come and go; an orderly pair is served after each."""
    rights = TopicRights({"ann": Rights(("a/#",), ("a/#",))})
    users = [User("ann", "p"), User("good", "p")]
    limits = Limits(packet=300, window=3, queue=4, retained=4, receive=2, aliases=3, subscriptions=6, strangers=3)
    bench = make_bench(Access(users, acl=rights), limits)
    five = speak[5]

    def put(client, *sent: bytes) -> None:
        client.connection.receive(b"".join(sent), bench.now)
        bench.pump()

    def heard(client, level: int) -> list:
        said, client.inbox = client.inbox, b""
        return understand(said, level)

    reader, writer = bench.open(), bench.open()
    put(reader, five.connect_bytes("reader", user="good", password="p"), five.subscribe_bytes(("orderly", 1)))
    put(writer, five.connect_bytes("writer", user="good", password="p"))
    heard(reader, 5), heard(writer, 5)
    rogues = []
    for number in range(1, data.draw(st.integers(6, 12) if LONG else st.integers(2, 6))):
        level = data.draw(st.sampled_from([4, 5]))
        if len(rogues) < 3:
            rogue = bench.open()
            rogues.append([rogue, level])
            if data.draw(st.booleans()):
                name = data.draw(st.sampled_from(["x", "y"]))
                put(rogue, speak[level].connect_bytes(name, clean=data.draw(st.booleans())))
        else:
            rogue, level = data.draw(st.sampled_from(rogues))
        sent = data.draw(st.lists(mutated(packets[level]), min_size=1, max_size=3))
        put(rogue, *sent)
        COUNT[0] += len(sent)
        if data.draw(st.integers(0, 9)) == 0:
            rogue.vanish()
        if data.draw(st.integers(0, 9)) == 0:
            bench.advance(data.draw(st.sampled_from([0.5, 4.0])))
            bench.broker.check(bench.now)
            bench.pump()
        put(writer, five.publish_bytes("orderly", bytes((number,)), 1, number))
        assert any((one.kind, one.mid) == ("puback", number) for one in heard(writer, 5) if one.kind == "puback")
        got = [one for one in heard(reader, 5) if one.kind == "publish" and one.topic == "orderly"]
        assert [one.payload for one in got][-1:] == [bytes((number,))]
        for one in got:
            put(reader, five_ack(one.mid))
    for rogue, _ in rogues:
        heard(rogue, rogue.connection.level)
    assert not reader.closed
    assert not writer.closed
    check_sound(bench)


@pytest.mark.skipif(not LONG, reason="LABSIM_FUZZ=1 runs 100,000 inputs")
def test_there_were_100_000_inputs():
    """The long run is as long as it says."""
    assert COUNT[0] >= 100_000


def five_ack(mid: int) -> bytes:
    """PUBACK."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


def check_sound(bench) -> None:
    """The broker's bookkeeping agrees with itself."""
    broker = bench.broker
    for client_id, connection in broker.connected.items():
        assert not connection.ended
        assert broker.sessions[client_id].outlet is connection
    for client_id, session in broker.sessions.items():
        assert session.client_id == client_id
        assert session.expiry != 0 or client_id in broker.connected
        assert (session.outlet is None) is (client_id not in broker.connected)
        assert len(session._repeat) <= len(session._inflight)
        assert session._inflight_bytes == sum(len(one.payload) for one in session._inflight.values() if one is not None)
        assert session._queued_bytes == sum(len(one.payload) for one in session._queue)
    router = broker.router
    wanted = {(name, pattern) for name, session in broker.sessions.items() for pattern in session.subscriptions}
    plain = {(one.client_id, p) for p, table in (*router._plain.items(), *router._wild.items()) for one in table}
    shares = {(one.client_id, p) for p, share in router._shares.items() for one in share.members}
    assert wanted == plain | shares
    assert set(broker._ends) <= {name for name in broker.sessions if name not in broker.connected}
    assert set(broker._wills) <= set(broker.sessions)
    assert all(not connection.ended for connection in broker.strangers)
