from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.suspicion import FAHRENHEIT, SIGN, WORD_ORDER, suspect
from labsim.quantity import Tolerance

NEAR = Tolerance(relative=0.005)


@pytest.mark.parametrize("order", [(2, 3, 0, 1), (1, 0, 3, 2), (3, 2, 1, 0)])
def test_another_word_order_is_recognised(order: tuple[int, ...]) -> None:
    """A float read in each of the three other orders is named."""
    image = struct.pack(">f", 231.2)
    wrong = struct.unpack(">f", bytes(image[i] for i in order))[0]
    assert suspect(wrong, [231.0], NEAR) == WORD_ORDER


def test_usual_slips_are_named() -> None:
    """Factor, sign, signedness and the other temperature scale, each in its own words."""
    assert "of 10:" in (suspect(2312.0, [231.0], NEAR) or {})["en"]
    assert "1000:" in (suspect(0.231, [231.0], NEAR) or {})["en"]
    assert suspect(-18.2, [18.2], NEAR) == SIGN
    assert "2^16" in (suspect(65536 / 10 - 4.2, [-4.2], NEAR) or {})["en"]
    assert suspect(68.0, [20.0], NEAR, "°C") == FAHRENHEIT


def test_what_is_merely_wrong_is_not_explained() -> None:
    """A number a little off, an unknown truth and NaN get no guess."""
    assert suspect(240.0, [231.0], NEAR) is None
    assert suspect(240.0, [], NEAR) is None
    assert suspect(math.nan, [231.0], NEAR) is None
    assert suspect(240.0, [math.nan], NEAR) is None


@given(st.floats(), st.lists(st.floats(), max_size=3))
def test_any_number_is_looked_at_without_an_error(got: float, truths: list[float]) -> None:
    """Infinities, subnormals and NaN never raise."""
    suspect(got, truths, NEAR, "°C")
    suspect(got, truths, Tolerance())
