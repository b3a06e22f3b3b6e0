from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.payload import MISSING, NOT_JSON, decode, find, topic_matches, utc_ns_of


@pytest.mark.parametrize(
    ("pattern", "topic", "taken"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/b", "/a/b", False),
        ("+/+", "/b", True),
    ],
)
def test_filters_take_topics_as_the_standard_says(pattern: str, topic: str, taken: bool) -> None:
    """MQTT-4.7."""
    assert topic_matches(pattern, topic) is taken


def test_paths_find_parts() -> None:
    """Dotted paths and JSON pointers reach into objects and lists; nothing is found without an error."""
    data = {"a": [{"b": None}], "x/y": 1, "d.e": 2}
    assert find(data, "a.0.b") is None
    assert find(data, "/x~1y") == 1
    assert find(data, "/d.e") == 2
    assert find(data, "a.1.b") is MISSING
    assert find(data, "a.-1") is MISSING
    assert find(data, "a.²") is MISSING
    assert find(data, "a.0.b.c") is MISSING
    assert find(7, "") == 7


def test_times_are_read_in_their_usual_forms() -> None:
    """ISO 8601 with and without offset, Unix seconds and milliseconds, which a CSV has as digits."""
    assert utc_ns_of("1970-01-01T00:00:01Z") == 10**9
    assert utc_ns_of("1970-01-01T08:00:01.5+08:00") == 1_500_000_000
    assert utc_ns_of("1970-01-01 00:00:01") == 10**9
    assert utc_ns_of(1_700_000_000) == 1_700_000_000 * 10**9
    assert utc_ns_of(1_700_000_000_123) == 1_700_000_000_123 * 10**6
    assert utc_ns_of(" 1700000000.5") == 1_700_000_000_500_000_000
    assert utc_ns_of("1700000000123") == 1_700_000_000_123 * 10**6
    assert utc_ns_of("20260101") == utc_ns_of("2026-01-01")
    assert utc_ns_of(True) is utc_ns_of(None) is utc_ns_of("soon") is utc_ns_of(float("nan")) is None


def test_deep_nesting_is_not_json() -> None:
    """A hundred thousand brackets end as no JSON, not as a fault of ours."""
    assert decode("[" * 100_000) is NOT_JSON
    assert decode("1" * 10_000) is NOT_JSON


@given(st.text(max_size=200), st.text(max_size=40))
def test_garbage_never_raises(text: str, path: str) -> None:
    """Whatever a client sends is decoded, looked into and dated without an error."""
    data = decode(text)
    find(data, path)
    assert topic_matches(path, text) in (True, False)
    assert all(found is None or isinstance(found, int) for found in (utc_ns_of(text), utc_ns_of(data)))


json_data = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_data, st.text(alphabet="a/.0~", max_size=12))
def test_any_path_into_any_data_never_raises(data: object, path: str) -> None:
    """A path that leads nowhere is missing."""
    found = find(data, path)
    assert path or found is data
    assert utc_ns_of(data) is None or isinstance(utc_ns_of(data), int)
