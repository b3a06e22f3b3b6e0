"""What happens at each limit, and the access list."""

from __future__ import annotations

from labsim.endpoints.mqtt.access import Access
from labsim.endpoints.mqtt.limits import Limits


def test_a_packet_over_the_limit_closes_at_its_header(make_bench, raw):
    """A packet too large is refused before its bytes are taken in; one of just the limit is fine."""
    bench = make_bench(limits=Limits(packet=1000))
    client = bench.connect()
    assert client.send(raw.publish("t", b"x" * (1000 - 6), 0)) == []
    assert not client.closed
    client.send(raw.publish("t", b"x" * 1000)[:10])
    assert client.closed
    assert "limit is 1000" in bench.of("reject")[0].detail["reason"]


def test_a_full_queue_drops_and_says_so(make_bench, raw):
    """Messages beyond the queue are lost, and evidence tells at the 1st, 2nd, 4th, 8th lost one."""
    bench = make_bench(limits=Limits(queue=3))
    bench.subscribe("r", ("a", 1), clean=False).vanish()
    writer = bench.connect("w")
    answers = writer.send(*(raw.publish("a", str(n).encode(), 1, n) for n in range(1, 14)))
    assert len(answers) == 13, "the publisher is served all the same"
    events = bench.of("drop", app="r")
    assert [event.detail["lost"] for event in events] == [1, 2, 4, 8]
    assert events[0].subject == "a"
    assert [packet[2] for packet in bench.connect("r", clean=False).resumed] == [b"1", b"2", b"3"]


def test_a_queue_is_limited_in_bytes_too(make_bench, raw):
    """Few large messages fill a queue as well, and room that is freed is used again."""
    bench = make_bench(limits=Limits(queue_bytes=250))
    bench.subscribe("r", ("a", 1), clean=False).vanish()
    writer = bench.connect("w")
    for _ in range(2):
        writer.send(*(raw.publish("a", b"x" * 100, 1, n) for n in range(1, 4)))
        reader = bench.connect("r", clean=False)
        assert len(reader.resumed) == 2
        reader.send(*(raw.ack("puback", packet[6]) for packet in reader.resumed))
        reader.vanish()


def test_too_many_subscriptions_are_answered_0x80(make_bench, raw):
    """A filter too many fails alone; replacing one is no filter more."""
    bench = make_bench(limits=Limits(subscriptions=2))
    client = bench.connect()
    assert client.send(raw.subscribe(("a", 0), ("b", 0), ("c", 0))) == [("suback", 1, 0, 0, 0x80)]
    assert client.send(raw.subscribe(("b", 1))) == [("suback", 1, 1)]
    assert bench.of("deny")[0].subject == "c"


def test_retained_messages_are_limited(make_bench, raw):
    """A retained message too many is delivered but not kept, and evidence tells."""
    bench = make_bench(limits=Limits(retained=1))
    bench.connect("w").send(raw.publish("a", b"1", retain=True), raw.publish("b", b"2", retain=True))
    assert len(bench.connect("r").send(raw.subscribe(("+", 0)))) == 2
    assert bench.of("drop")[0].subject == "b"
    bench.connect("w").send(raw.publish("a", b"", retain=True), raw.publish("b", b"3", retain=True))
    assert len(bench.connect("q").send(raw.subscribe(("b", 0)))) == 2


def test_retained_messages_are_limited_in_bytes(make_bench, raw):
    """Payloads together have a limit, and what is replaced or cleared makes room."""
    bench = make_bench(limits=Limits(retained_bytes=100))
    writer = bench.connect("w")
    for _ in range(3):
        writer.send(raw.publish("a", b"x" * 60, retain=True), raw.publish("b", b"y" * 60, retain=True))
        assert len(bench.connect("r").send(raw.subscribe(("+", 0)))) == 2
        writer.send(raw.publish("a", b"", retain=True))
    assert {event.subject for event in bench.of("drop")} == {"b"}


def test_the_access_list_judges_publishing_and_subscribing(make_bench, raw):
    """Denied: a publish is acknowledged and not delivered, a subscription is answered 0x80; both are evidence."""
    asked = []

    def acl(user: str, app: str, action: str, topic: str) -> bool:
        asked.append((user, app, action, topic))
        return topic.startswith("mine/")

    bench = make_bench(Access(acl=acl))
    client = bench.connect("c")
    assert client.send(raw.subscribe(("mine/#", 1), ("#", 1))) == [("suback", 1, 1, 0x80)]
    answers = client.send(raw.publish("mine/a", b"1", 1, 1), raw.publish("other/a", b"2", 2, 2))
    assert [answer[0] for answer in answers] == ["publish", "puback", "pubrec"]
    assert asked[0] == ("", "c", "subscribe", "mine/#")
    assert [(event.subject, event.detail["action"]) for event in bench.of("deny")] == [
        ("#", "subscribe"),
        ("other/a", "publish"),
    ]
    assert bench.of("deny")[1].values == ["2"]
