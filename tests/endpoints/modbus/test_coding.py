"""Claims about values as register bytes."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.endpoints.modbus.coding import Coding, layout
from labsim.endpoints.modbus.exception import ModbusError
from labsim.plant.register_spec import WORDS

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "43 66 80 00"), ("CDAB", "80 00 43 66"), ("BADC", "66 43 00 80"), ("DCBA", "00 80 66 43")],
)
def test_230_5_volts_in_four_orders(order: Any, wire: str) -> None:
    """230.5 as f32 lies on the wire as the four families of devices put it."""
    coding = Coding("f32", 2, order=order)
    assert coding.encode(230.5) == bytes.fromhex(wire)
    assert coding.decode(bytes.fromhex(wire)) == 230.5


@pytest.mark.parametrize(
    ("order", "wire"),
    [
        ("ABCD", "0102030405060708"),
        ("CDAB", "0708050603040102"),
        ("BADC", "0201040306050807"),
        ("DCBA", "0807060504030201"),
    ],
)
def test_64_bits_in_four_orders(order: Any, wire: str) -> None:
    """A value of four registers is turned round by the same rule."""
    assert Coding("u64", 4, order=order).encode(0x0102030405060708).hex() == wire


@pytest.mark.parametrize("order", ORDERS)
def test_a_single_register_is_big_endian_in_every_order(order: Any) -> None:
    """Byte order inside a register is the standard's, so a 16-bit value does not know a word order."""
    assert Coding("u16", 1, order=order).encode(0x1234) == b"\x12\x34"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("words", [1, 2, 4])
def test_a_layout_is_its_own_inverse(order: Any, words: int) -> None:
    """Turning twice gives the value back, which writing relies on."""
    places = layout(order, words)
    assert [places[places[i]] for i in range(2 * words)] == list(range(2 * words))


@pytest.mark.parametrize(
    ("value", "raw"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (1.4999, 1), (-12.34, -12)]
)
def test_integers_are_rounded_half_to_even(value: float, raw: int) -> None:
    """A scaled value between two integers goes to the nearest, a tie to the even one."""
    assert Coding("i16").present(value) == raw


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        ("i16", 4000.0, 32767),
        ("i16", -4000.0, -32768),
        ("u16", -0.1, 0),
        ("u16", 6553.6, 65535),
        ("u16", math.inf, 65535),
        ("i32", -math.inf, -(2**31)),
        ("u32", 1e12, 2**32 - 1),
        ("i64", 1e30, 2**63 - 1),
        ("u64", 1e30, 2**64 - 1),
    ],
)
def test_integers_saturate(kind: Any, value: float, raw: int) -> None:
    """A value outside the register's range stands at its end instead of rolling over."""
    coding = Coding(kind, WORDS[kind], scale=10)
    assert coding.present(value) == raw
    assert len(coding.encode(value)) == 2 * WORDS[kind]


def test_nan_and_infinity_pass_as_floats() -> None:
    """NaN stays NaN and a double beyond f32 becomes infinity, as IEEE 754 conversion does."""
    assert Coding("f32", 2).encode(math.nan) == bytes.fromhex("7fc00000")
    assert Coding("f32", 2).encode(1e39) == struct.pack(">f", math.inf)
    assert Coding("f32", 2).encode(-1e39) == struct.pack(">f", -math.inf)
    assert Coding("f64", 4).encode(1e39) == struct.pack(">d", 1e39)


def test_nan_in_an_integer_register_is_the_reserved_number() -> None:
    """An integer has no NaN: signed types show their lowest number, unsigned ones their highest."""
    assert Coding("i16").encode(math.nan) == b"\x80\x00"
    assert Coding("u32", 2).encode(math.nan) == b"\xff\xff\xff\xff"


def test_text_is_padded_and_cut_between_characters() -> None:
    """A text fills its registers with NUL, and one too long loses whole characters, in no word order."""
    assert Coding("text", 3, order="DCBA").encode("Mill") == b"Mill\0\0"
    assert Coding("text", 2).encode("銑床") == "銑".encode() + b"\0"
    assert Coding("text", 2).decode(b"Q7\0\0", "text") == "Q7"


@pytest.mark.parametrize("data", [b"\x7f\xc0\0\0", b"\x7f\x80\0\0", b"\xff\x80\0\0"])
def test_a_client_cannot_write_nan_or_infinity(data: bytes) -> None:
    """NaN and infinity are values a sensor may have, not ones to set."""
    with pytest.raises(ModbusError) as caught:
        Coding("f32", 2).decode(data)
    assert caught.value.code == 3


def test_a_scaled_write_means_what_a_read_would_show() -> None:
    """Raw 2305 at scale 10 is 230.5; an integer tag behind a scale takes only whole numbers."""
    assert Coding("i16", scale=10).decode(b"\x09\x01", "f32") == 230.5
    assert Coding("i16", scale=0.1).decode(b"\x00\x03", "i32") == 30
    assert isinstance(Coding("u16").decode(b"\0\1", "bool"), bool)
    assert Coding("i16", scale=10).decode(b"\x00\x0f", "i32") == 1.5


@given(st.sampled_from(ORDERS), st.sampled_from(["i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"]), st.data())
def test_what_is_written_is_what_is_read(order: Any, kind: Any, data: st.DataObject) -> None:
    """For every type and order, decoding undoes encoding."""
    coding = Coding(kind, WORDS[kind], order=order)
    if kind[0] == "f":
        value: Any = data.draw(st.floats(allow_nan=False, allow_infinity=False, width=32 if kind == "f32" else 64))
    else:
        bits = int(kind[1:])
        low = -(2 ** (bits - 1)) if kind[0] == "i" else 0
        value = data.draw(st.integers(low, low + 2**bits - 1))
    assert coding.decode(coding.encode(value), "f64" if kind[0] == "f" else "i64") == value


@given(
    st.sampled_from(["i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"]),
    st.floats() | st.integers(-(2**70), 2**70) | st.booleans(),
    st.sampled_from([1.0, 10.0, 0.1, 1000.0, -1.0, 1e-300]),
)
def test_every_number_can_be_shown(kind: Any, value: Any, scale: float) -> None:
    """Whatever a device comes to, its register has a reading of the right length."""
    assert len(Coding(kind, WORDS[kind], scale).encode(value)) == 2 * WORDS[kind]
