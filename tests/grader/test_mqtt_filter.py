from __future__ import annotations

import pytest
from grader_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from grader.outcome import State
from grader.payload import topic_matches
from grader.topic import covers, is_bare, overlap

TOPICS = ["site/agv/1/state", "site/agv/+/order"]


def subscribe(bench: Bench, t: float, pattern: str, app: str = "fleet", qos: int = 1) -> None:
    """One accepted subscription."""
    bench.event(t, "mqtt", "subscribe", app=app, subject=pattern, detail={"qos": qos, "granted": qos})


def test_a_filter_that_takes_in_the_topic_is_enough(bench: Bench) -> None:
    """A topic, or a filter as a whole, may be inside a wider filter; a shared one counts as what it shares."""
    subscribe(bench, 1, "site/agv/+/+")
    assert bench.judge("mqtt.subscribed", topics=TOPICS, qos=1).state is State.PASSED
    shared = Bench(bench.folder.with_name("shared"))
    subscribe(shared, 1, "$share/g/site/agv/#")
    assert shared.judge("mqtt.subscribed", topics=TOPICS).state is State.PASSED


def test_each_topic_carries_its_share(bench: Bench) -> None:
    """One of two is half; the missing one is named, as is a QoS that is too low."""
    subscribe(bench, 1, "site/agv/1/state", qos=0)
    outcome = bench.judge("mqtt.subscribed", topics=TOPICS)
    assert (outcome.state, outcome.score) == (State.FAILED, 0.5)
    assert "not to: site/agv/+/order" in outcome.reason["en"]
    assert "with QoS 0 only" in bench.judge("mqtt.subscribed", topics=TOPICS[:1], qos=1).reason["en"]


def test_a_filter_for_one_is_not_one_for_all(bench: Bench) -> None:
    """The orders of vehicle 1 are not the orders of every vehicle."""
    subscribe(bench, 1, "site/agv/1/order")
    assert bench.judge("mqtt.subscribed", topics=TOPICS[1:]).score == 0


@pytest.mark.parametrize("pattern", ["#", "+/#", "+/+/+/+"])
def test_everything_is_too_much(bench: Bench, pattern: str) -> None:
    """A filter without a name spoils it, unless it is allowed."""
    subscribe(bench, 1, "site/agv/#")
    subscribe(bench, 2, pattern)
    assert "which is everything" in bench.judge("mqtt.subscribed", topics=TOPICS).reason["en"]
    assert bench.judge("mqtt.subscribed", topics=TOPICS, bare=True).state is State.PASSED


def test_an_explorer_beside_it_does_not_matter(bench: Bench) -> None:
    """Of several clients the best counts; halves of two clients do not add up."""
    subscribe(bench, 1, "#", app="mqtt-explorer")
    subscribe(bench, 2, "site/agv/#")
    assert bench.judge("mqtt.subscribed", topics=TOPICS).state is State.PASSED
    halves = Bench(bench.folder.with_name("halves"))
    subscribe(halves, 1, TOPICS[0], app="a")
    subscribe(halves, 2, TOPICS[1], app="b")
    assert halves.judge("mqtt.subscribed", topics=TOPICS).score == 0.5


def test_refusals_and_silence_are_told(bench: Bench) -> None:
    """The access list's no is another reason than nobody's asking."""
    assert "No such client" in bench.judge("mqtt.subscribed", topics=TOPICS).reason["en"]
    other = Bench(bench.folder.with_name("other"))
    other.event(1, "mqtt", "deny", app="fleet", subject="site/#", status=128, detail={"action": "subscribe"})
    assert (
        "refused the subscriptions (1), the last to site/#"
        in (other.judge("mqtt.subscribed", topics=TOPICS).reason["en"])
    )


levels = st.lists(st.sampled_from(["a", "b", "$x", ""]), min_size=1, max_size=4)
filters = st.lists(st.sampled_from(["a", "b", "+", "$x", ""]), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from(["/".join(parts), "/".join([*parts, "#"]), "/".join([*parts[:-1], "#"])])
)


@given(filters, filters, levels)
def test_filters_agree_with_topics(one: str, two: str, parts: list[str]) -> None:
    """What covers takes in what is covered, what both take in overlaps, and a topic is a filter of itself."""
    topic = "/".join(parts)
    assert covers(one, topic) == topic_matches(one, topic)
    if covers(one, two) and topic_matches(two, topic):
        assert topic_matches(one, topic)
    if topic_matches(one, topic) and topic_matches(two, topic):
        assert overlap(one, two)
        assert overlap(two, one)
    assert covers(one, one)
    assert is_bare(one) == (not set(one.split("/")) - {"+", "#"})
