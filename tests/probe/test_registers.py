from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import InputError
from labsim.probe.registers import ORDERS, TYPES, bit, decode, encode, is_seemly, readings, shown, typed_words, words_of

words = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("order", "raw"),
    [
        ("ABCD", [0x4366, 0x8000]),
        ("CDAB", [0x8000, 0x4366]),
        ("BADC", [0x6643, 0x0080]),
        ("DCBA", [0x0080, 0x6643]),
    ],
)
def test_230_5_volt_in_every_order(order: str, raw: list[int]) -> None:
    """The four layouts of one float, as manuals print them."""
    assert encode("230.5", "f32", order) == raw
    assert decode(raw, "f32", order) == 230.5


@pytest.mark.parametrize(
    ("order", "raw"),
    [
        ("ABCD", [0x0123, 0x4567, 0x89AB, 0xCDEF]),
        ("CDAB", [0xCDEF, 0x89AB, 0x4567, 0x0123]),
        ("BADC", [0x2301, 0x6745, 0xAB89, 0xEFCD]),
        ("DCBA", [0xEFCD, 0xAB89, 0x6745, 0x2301]),
    ],
)
def test_64_bits_in_every_order(order: str, raw: list[int]) -> None:
    """Four registers turn round as two do."""
    assert encode("0x0123456789ABCDEF", "u64", order) == raw
    assert decode(raw, "u64", order) == 0x0123456789ABCDEF


@given(st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64"]), st.sampled_from(ORDERS), st.data())
def test_whole_numbers_come_back(kind: str, order: str, data: st.DataObject) -> None:
    """Every number of a type survives its registers; the next one is refused with the range."""
    bits = 16 * words_of(kind)
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    number = data.draw(st.integers(low, high))
    assert decode(encode(str(number), kind, order), kind, order) == number
    for beyond in (low - 1, high + 1):
        with pytest.raises(InputError, match=f"{low} to {high}"):
            encode(str(beyond), kind, order)


@given(st.floats(), st.sampled_from(ORDERS))
def test_floats_come_back(number: float, order: str) -> None:
    """Every double survives, NaN and infinities included."""
    again = decode(encode(repr(number), "f64", order), "f64", order)
    assert again == number or (math.isnan(number) and math.isnan(float(again)))


@given(words, st.sampled_from(ORDERS))
def test_readings_agree_with_decode(raw: list[int], order: str) -> None:
    """Side by side is what each type alone says, for whatever registers; nothing raises."""
    for kind, row in readings(raw).items():
        size = len(raw) if kind == "text" else words_of(kind)
        assert size <= len(raw)
        value, alone = row.get(order, row["ABCD"]), decode(raw[:size], kind, order if order in row else "ABCD")
        assert value == alone or value != value
        assert isinstance(is_seemly(value), bool)


def test_text_ends_at_its_first_zero() -> None:
    """Padding is no part of a name, and bytes that are no text do no harm."""
    assert decode(encode("LM5300", "text"), "text") == "LM5300"
    assert decode([0x4C4D, 0x0041], "text") == "LM"
    assert "\ufffd" in str(decode([0xFFFE], "text"))


@given(st.floats(width=32))
def test_a_short_float_is_shown_short(number: float) -> None:
    """What is shown reads back as the same 32-bit float; 231.4 is not 231.39999389648438."""
    assert decode(encode(shown(number), "f32"), "f32") == number or math.isnan(number)
    assert shown(float(decode(encode("231.4", "f32"), "f32"))) == "231.4"
    assert (shown(0.1), shown(1e300), shown(7), shown("x")) == ("0.1", "1e+300", "7", "x")
    assert shown(3.4028234663852886e38) == "3.4028235e+38"


def test_what_is_seemly() -> None:
    """A measured value is of a common size; wild exponents are a sign of the wrong order."""
    assert all(map(is_seemly, (0.0, 230.5, -1e-5, 7, "LM5300")))
    assert not any(map(is_seemly, (1e-39, 1e30, math.nan, math.inf, "\x01", "\ufffd")))


@pytest.mark.parametrize("text", ["4366 8000", "4366,8000", "0x4366 0x8000", "43668000", "0x43668000"])
def test_registers_can_be_typed(text: str) -> None:
    """As people copy them from a log."""
    assert typed_words(text) == [0x4366, 0x8000]


@given(st.text())
def test_any_text_is_registers_or_refused(text: str) -> None:
    """What is typed is registers, a bit, a value, or one sentence."""
    for read in (typed_words, bit, lambda t: encode(t, "i16"), lambda t: encode(t, "f32"), lambda t: encode("1", t)):
        try:
            found = read(text)
        except InputError:
            continue
        assert all(0 <= word <= 0xFFFF for word in (found if isinstance(found, list) else [found]))


def test_unknown_names_are_refused() -> None:
    """Type and order are told with what there is."""
    with pytest.raises(InputError, match="u16"):
        words_of("f16")
    with pytest.raises(InputError, match="CDAB"):
        decode([1, 2], "u32", "ABDC")
    assert struct.calcsize(">d") == 2 * words_of("f64")
    assert set(TYPES) >= {"u16", "f32", "text"}
