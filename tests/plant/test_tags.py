from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import UnknownNameError
from labsim.plant import status
from labsim.plant.tags import EXACT, INTEGER_RANGE, Access, Tag, TagStore, TagType, Value, judge


def store_of(*kinds: TagType, access: Access = "rw") -> TagStore:
    """A store of one device with tags t0, t1... of those types."""
    store = TagStore()
    tags = [Tag(row, f"d.t{row}", "d", f"t{row}", kind, access=access) for row, kind in enumerate(kinds)]
    store.add(tags, ["" if kind == "text" else 0 for kind in kinds])
    return store


def test_a_value_is_read_in_the_type_of_its_tag():
    """Bool, integer, float and text come back as Python's bool, int, float and str."""
    store = store_of("bool", "i64", "f64", "text")
    for row, value in enumerate((True, EXACT, 0.1, "冷卻")):
        store.set(row, value)
        assert store.read(row) == value
        assert type(store.read(row)) is type(value)


def test_a_f32_tag_reads_what_a_register_can_show():
    """A f32 tag reads rounded to single precision, so that every protocol shows the same number."""
    store = store_of("f32")
    store.set(0, 0.1)
    assert store.read(0) == float(np.float32(0.1)) != 0.1


def test_the_source_time_moves_only_when_value_or_status_change():
    """Setting the same value again keeps its source time; another value or quality moves it."""
    store = store_of("f64", "text")
    for row, first, second in ((0, 1.0, 2.0), (1, "a", "b")):
        store.now_ns = 100
        store.set(row, first)
        store.now_ns = 200
        store.set(row, first)
        assert store.source_time[row] == 100
        store.set(row, first, status.BAD_SENSOR_FAILURE)
        assert store.source_time[row] == 200
        store.now_ns = 300
        store.set(row, second, status.BAD_SENSOR_FAILURE)
        assert store.source_time[row] == 300


def test_a_value_that_stays_nan_has_not_changed():
    """NaN equals NaN for the source time, one by one and as a span."""
    store = store_of("f64", "f64")
    store.now_ns = 100
    store.set(0, math.nan)
    store.set_span(1, np.array([math.nan]))
    store.now_ns = 200
    store.set(0, math.nan)
    store.set_span(1, np.array([math.nan]))
    assert store.source_time.tolist() == [100, 100]


@given(
    before=st.lists(st.sampled_from([0.0, 1.0, -2.5, math.nan]), min_size=4, max_size=4),
    after=st.lists(st.sampled_from([0.0, 1.0, -2.5, math.nan]), min_size=4, max_size=4),
    codes=st.lists(st.sampled_from([status.GOOD, status.BAD_NOT_CONNECTED]), min_size=4, max_size=4),
)
def test_a_span_is_as_setting_one_by_one(before: list[float], after: list[float], codes: list[int]):
    """`set_span` leaves values, qualities and source times as `set` for each row would."""
    span, single = store_of(*["f64"] * 6), store_of(*["f64"] * 6)
    for now, values, status_codes in ((100, before, [status.GOOD] * 4), (200, after, codes)):
        span.now_ns = single.now_ns = now
        span.set_span(1, np.array(values), np.array(status_codes, np.uint32))
        for row, (value, code) in enumerate(zip(values, status_codes, strict=True), 1):
            single.set(row, value, code)
    np.testing.assert_array_equal(span.value, single.value)
    np.testing.assert_array_equal(span.status, single.status)
    np.testing.assert_array_equal(span.source_time, single.source_time)


def test_a_device_cannot_mix_up_text_and_number():
    """A number for a text tag and a text for a number tag are bugs that show at once."""
    store = store_of("text", "f64")
    with pytest.raises(AssertionError, match="holds text"):
        store.set(0, 1.0)
    with pytest.raises(KeyError):
        store.set(1, "one")


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("bool", 1, status.GOOD),
        ("bool", 2, status.BAD_TYPE_MISMATCH),
        ("u8", 255, status.GOOD),
        ("u8", 256, status.BAD_OUT_OF_RANGE),
        ("u8", -1, status.BAD_OUT_OF_RANGE),
        ("i16", 1.5, status.BAD_TYPE_MISMATCH),
        ("i16", math.nan, status.BAD_OUT_OF_RANGE),
        ("i64", math.inf, status.BAD_OUT_OF_RANGE),
        ("i64", EXACT, status.GOOD),
        ("i64", EXACT + 1, status.BAD_OUT_OF_RANGE),
        ("u64", 2**64 - 1, status.BAD_OUT_OF_RANGE),
        ("f64", math.nan, status.BAD_OUT_OF_RANGE),
        ("f64", -math.inf, status.BAD_OUT_OF_RANGE),
        ("f64", 10**400, status.BAD_OUT_OF_RANGE),
        ("f32", 1e39, status.BAD_OUT_OF_RANGE),
        ("f32", 3e38, status.GOOD),
        ("f32", "1", status.BAD_TYPE_MISMATCH),
        ("text", 1, status.BAD_TYPE_MISMATCH),
        ("text", "x" * 1025, status.BAD_OUT_OF_RANGE),
    ],
)
def test_a_clients_value_is_judged_by_its_type(kind: TagType, value: Value, code: int):
    """What a type cannot hold exactly is refused with the code that says why, and nothing raises."""
    assert judge(Tag(0, "d.t", "d", "t", kind, access="rw"), value) == code


def test_a_clients_value_is_judged_by_access_range_and_labels():
    """Read only, outside the engineering range, and an enumeration value without a name are refused."""
    assert judge(Tag(0, "d.t", "d", "t", "f64"), 1.0) == status.BAD_NOT_WRITABLE
    ranged = Tag(0, "d.t", "d", "t", "f64", low=0, high=150, access="rw")
    assert [judge(ranged, v) for v in (0, 150, 150.1)] == [status.GOOD, status.GOOD, status.BAD_OUT_OF_RANGE]
    named = Tag(0, "d.t", "d", "t", "u8", access="rw", labels={0: {}, 2: {}})  # type: ignore[dict-item]  # names do not matter
    assert [judge(named, v) for v in (0, 1, 2)] == [status.GOOD, status.BAD_OUT_OF_RANGE, status.GOOD]


@given(kind=st.sampled_from(sorted(INTEGER_RANGE)), value=st.one_of(st.integers(), st.floats()))
def test_an_accepted_integer_is_read_back_exactly(kind: TagType, value: float):
    """Whatever a client writes to an integer tag, an accepted value is the value that is read."""
    store = store_of(kind)
    if store.write(0, value) == status.GOOD:
        assert store.read(0) == value
        low, high = INTEGER_RANGE[kind]
        assert low <= int(store.read(0)) <= high


def test_a_refused_write_changes_nothing():
    """The guard's word is the code the client gets, and value and source time stay."""
    store = TagStore()
    store.add(
        [Tag(0, "d.t", "d", "t", "i16", access="rw")], [5], lambda _tag, value: status.BAD_INVALID_STATE * (value == 13)
    )
    store.now_ns = 100
    assert store.write(0, 13) == status.BAD_INVALID_STATE
    assert (store.read(0), store.source_time[0]) == (5, 0)
    assert store.write(0, 14) == status.GOOD
    assert (store.read(0), store.source_time[0]) == (14, 100)


def test_several_writes_of_one_request_are_all_or_none():
    """One refused value keeps the whole request out."""
    store = store_of("u8", "u8")
    assert store.write_all([(0, 1), (1, 256)]) == status.BAD_OUT_OF_RANGE
    assert [store.read(0), store.read(1)] == [0, 0]
    assert store.write_all([(0, 1), (1, 2)]) == status.GOOD
    assert [store.read(0), store.read(1)] == [1, 2]


def test_a_tag_is_found_by_its_path_or_the_nearest_is_named():
    """An unknown path raises with the spelling that is near."""
    store = store_of("f64", "f64")
    assert store["d.t1"].row == 1
    assert "d.t0" in store
    with pytest.raises(UnknownNameError, match=r"Did you mean 'd\.t1'"):
        store["d.t11"]
