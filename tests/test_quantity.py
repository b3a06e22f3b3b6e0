"""Durations and tolerances as scenarios write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.quantity import Tolerance, parse_duration, parse_tolerance


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500 ms", 0.5), ("3 min", 180), ("1.5 h", 5400), ("2d", 172800), (" 7 s ", 7), (0, 0), (2.5, 2.5), ("0 s", 0)],
)
def test_durations_are_seconds(written, seconds):
    """A number with a unit, or a number of seconds."""
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "3",
        "3 minutes",
        "-1 s",
        "1e3 s",
        "٣ s",
        "",
        None,
        True,
        -1,
        math.nan,
        math.inf,
        10**400,
        [1],
        "9" * 400 + " d",
        "400 d",
    ],
)
def test_what_is_no_duration_shows_the_form(written):
    """Anything else is a ValueError that says how to write one; also numbers that no clock can hold."""
    with pytest.raises(ValueError, match="write a number and a unit, such as '500 ms'"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "tolerance"),
    [
        ("0.5 %", Tolerance(relative=0.005)),
        ("20%", Tolerance(relative=0.2)),
        (0.2, Tolerance(absolute=0.2)),
        ("0.2", Tolerance(absolute=0.2)),
        (0, Tolerance()),
        (Tolerance(1, 2), Tolerance(1, 2)),
    ],
)
def test_tolerances_are_absolute_or_relative(written, tolerance):
    """A percentage is relative to the true value, a number is in its unit."""
    assert parse_tolerance(written) == tolerance


@pytest.mark.parametrize(
    "written", ["-1 %", "nan", "inf %", "1_0", "", "%", None, True, -0.1, math.nan, math.inf, 10**400, {}, "9" * 400]
)
def test_what_is_no_tolerance_shows_the_forms(written):
    """Negative, endless and meaningless tolerances are refused with both forms."""
    with pytest.raises(ValueError, match="write a number in the value's unit or a percentage"):
        parse_tolerance(written)


def test_absolute_and_relative_add_up():
    """Both parts of a tolerance count, and the bound itself is allowed."""
    tolerance = Tolerance(absolute=1, relative=0.1)
    assert tolerance.allows(112, 101.5)
    assert tolerance.allows(-89, -100)
    assert not tolerance.allows(111.01, 100)


def test_nan_is_near_nan_and_infinity_is_near_itself():
    """A lost phase reads NaN: a trainee who delivers NaN is right, one who delivers a number is not."""
    exact = Tolerance(relative=1)
    assert exact.allows(math.nan, math.nan)
    assert not exact.allows(math.nan, 1)
    assert not exact.allows(1, math.nan)
    assert exact.allows(math.inf, math.inf)
    assert not exact.allows(-math.inf, math.inf)
    assert not exact.allows(1e308, math.inf)
    assert not exact.allows(math.inf, 1)


def test_a_tolerance_says_itself():
    """As it stands in a reason of the grader."""
    assert [str(t) for t in (Tolerance(0.2), Tolerance(relative=0.005), Tolerance(1, 0.1), Tolerance())] == [
        "±0.2", "±0.5 %", "±1 and ±10 %", "exact",
    ]  # fmt: skip


@given(st.text(max_size=12))
def test_no_text_raises_anything_but_value_errors(text):
    """Whatever an author writes is a quantity or a ValueError."""
    for parse in (parse_duration, parse_tolerance):
        try:
            parse(text)
        except ValueError as error:
            assert "write a number" in str(error)  # noqa: PT017 - most texts are no quantity, some are
