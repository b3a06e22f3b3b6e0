from __future__ import annotations

import math
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.sparkplug.datatype import INTEGER_RANGE, DataType, carry, typed
from labsim.sparkplug.payload import (
    DataSet,
    DataSetValue,
    MetaData,
    Metric,
    Parameter,
    Payload,
    PropertySet,
    PropertySetList,
    PropertyValue,
    Row,
    Template,
    bd_seq,
    decode,
    encode,
)

SAMPLES = [
    (DataType.INT8, -1), (DataType.INT16, -300), (DataType.INT32, -(2**31)), (DataType.INT64, -(2**63)),
    (DataType.UINT8, 255), (DataType.UINT16, 65535), (DataType.UINT32, 2**32 - 1), (DataType.UINT64, 2**64 - 1),
    (DataType.FLOAT, 230.5), (DataType.DOUBLE, math.pi), (DataType.BOOLEAN, True), (DataType.STRING, "銑床"),
    (DataType.DATETIME, 1_767_225_600_000), (DataType.TEXT, ""), (DataType.UUID, "0b2ae43e"), (DataType.BYTES, b"\0\xff"),
    (DataType.FILE, b"x"), (DataType.INT8_ARRAY, [-23, 123]), (DataType.INT16_ARRAY, [-30000, 30000]),
    (DataType.INT32_ARRAY, [-1, 315338746]), (DataType.INT64_ARRAY, [-4270929666821191986]),
    (DataType.UINT8_ARRAY, [23, 250]), (DataType.UINT16_ARRAY, [30, 52360]), (DataType.UINT32_ARRAY, [52, 3293969225]),
    (DataType.UINT64_ARRAY, [52, 16444743074749521625]), (DataType.FLOAT_ARRAY, [1.5, -0.25]),
    (DataType.DOUBLE_ARRAY, [12.354213]), (DataType.BOOLEAN_ARRAY, [False, True] * 5), (DataType.BOOLEAN_ARRAY, []),
    (DataType.STRING_ARRAY, ["ABC", "hello", ""]), (DataType.DATETIME_ARRAY, [1256102875335]),
]  # fmt: skip


def everything() -> Payload:
    """One payload with every field of every message."""
    table = DataSet(
        num_of_columns=2, columns=["n", "name"], types=[3, 12],
        rows=[Row(elements=[DataSetValue(value=("int_value", 7)), DataSetValue(value=("string_value", "x"))]), Row()],
    )  # fmt: skip
    inner = PropertySet(keys=["low"], values=[PropertyValue.of(-5, DataType.INT32)])
    properties = PropertySet(
        keys=["engUnit", "none", "set", "list"],
        values=[
            PropertyValue.of("V", DataType.STRING),
            PropertyValue(type=9, is_null=True),
            PropertyValue(type=20, value=("propertyset_value", inner)),
            PropertyValue(type=21, value=("propertysets_value", PropertySetList(propertyset=[inner, inner]))),
        ],
    )
    metadata = MetaData(
        is_multi_part=False, content_type="a/b", size=9, seq=0, file_name="f", file_type="t", md5="m", description="d"
    )
    template = Template(
        version="1", template_ref="Motor", is_definition=False, metrics=[Metric.of(1.5, DataType.FLOAT, name="speed")],
        parameters=[Parameter(name="p", type=10, value=("double_value", 0.5)), Parameter(name="q", type=4)],
    )  # fmt: skip
    metrics = [
        Metric.of(value, kind, name=f"m{n}", alias=n, timestamp=1_767_225_600_000 + n)
        for n, (kind, value) in enumerate(SAMPLES)
    ]
    metrics += [
        bd_seq(3, 5),
        Metric.of(None, DataType.INT32, name="null", is_historical=True, is_transient=False),
        Metric(name="t", datatype=16, value=("dataset_value", table), properties=properties, metadata=metadata),
        Metric(name="i", datatype=19, value=("template_value", template)),
    ]
    return Payload(timestamp=2**63, metrics=metrics, seq=255, uuid="u", body=b"\1\2")


def test_bytes_are_those_of_protocol_buffers(oracle):
    """Every field of every message, each alone and all together, is what Google's own library writes and reads."""
    whole = everything()
    for payload in (whole, Payload(), *(Payload(metrics=[metric]) for metric in whole.metrics)):
        data = encode(payload)
        message = oracle.FromString(data)
        assert message.SerializeToString() == data
        assert decode(data) == payload
    assert message.metrics[0].template_value.parameters[0].double_value == 0.5
    assert oracle.FromString(encode(whole)).metrics[3].long_value == 2**63


def test_golden_bytes_of_a_death():
    """An NDEATH with bdSeq 1, as it stands on the wire."""
    data = encode(Payload(timestamp=1000, metrics=[bd_seq(1, 1000)]))
    assert data.hex() == "08e807" + "120e" + "0a056264536571" + "18e807" + "2004" + "5801"


@pytest.mark.parametrize(("kind", "value"), SAMPLES)
def test_a_value_comes_back_as_it_went(kind, value):
    """Signs, arrays and texts of each type."""
    metric = decode(encode(Payload(metrics=[Metric.of(value, kind, name="m")]))).metrics[0]
    assert metric.worth() == value


@pytest.mark.parametrize(
    ("values", "data"),
    [
        ([False, False, True, True, False, True, False, False, True, True, False, True], "0c00000034d0"),
        (["ABC", "hello"], "4142430068656c6c6f00"),
        ([1256102875335, 1656107875000], "c7d0907524010000b8bab89781010000"),
    ],
)
def test_arrays_are_those_of_the_specification(values, data):
    """The examples of §6.4.17 (which print date-times with six bytes of the eight)."""
    kind = {bool: DataType.BOOLEAN_ARRAY, str: DataType.STRING_ARRAY, int: DataType.DATETIME_ARRAY}[type(values[0])]
    assert carry(values, kind)[1].hex() == data


def test_a_negative_number_may_come_with_its_sign_extended_or_not():
    """Senders differ in the upper bits of a small signed integer; the value is the same."""
    assert typed(("int_value", 0xFFFFFFFF), DataType.INT8) == typed(("int_value", 0xFF), DataType.INT8) == -1
    assert typed(("int_value", 0x7F), DataType.INT8) == 127


@pytest.mark.parametrize(
    ("value", "kind"),
    [(128, 1), (-1, 5), (1.5, 3), ("5", 3), (math.nan, 3), (math.inf, 4), (1e39, 9), (None, 10), (1, 0), (1, 99), ([1.5], 22),
     (5, 32)],
)  # fmt: skip
def test_a_value_that_its_type_does_not_hold_is_refused(value, kind):
    """Nothing is wrapped, cut or rounded on the way out."""
    with pytest.raises(ValueError, match=r"."):
        carry(value, kind)


def test_a_value_in_the_wrong_member_is_refused():
    """A Double that stands in float_value is not what its type says."""
    with pytest.raises(ValueError, match="double_value, not in float_value"):
        Metric(datatype=10, value=("float_value", 1.0)).worth()
    with pytest.raises(ValueError, match="70000"):
        typed(("int_value", 70000), DataType.UINT16)


def test_packed_and_unknown_fields_are_read_as_protocol_buffers_read_them(oracle):
    """A packed list of types, a field of the future, a known number with another wire type."""
    packed = bytes.fromhex("1a020c03")
    unknown = bytes.fromhex("a20603616263")
    wrong = bytes.fromhex("0a0178")  # field 1 is a varint
    data = b"\x12\x07\x8a\x01\x04" + packed + unknown + wrong
    assert decode(data).metrics[0].value[1].types == [12, 3]
    assert list(oracle.FromString(data).metrics[0].dataset_value.types) == [12, 3]
    assert decode(data).timestamp is None


@pytest.mark.parametrize(
    "data", ["08", "0880", "12ff01", "08" + "ff" * 10 + "01", "00", "0b", "0d01", "2201ff", "12" * 3],
)  # fmt: skip
def test_what_is_no_payload_is_a_value_error(data):
    """Cut, overlong, field number 0, groups, text that is not UTF-8."""
    with pytest.raises(ValueError, match=r"."):
        decode(bytes.fromhex(data))


def test_nesting_has_a_floor():
    """A template in a template in a template … is refused before the stack ends."""
    metric = Metric(name="x")
    for _ in range(40):
        metric = Metric(value=("template_value", Template(metrics=[metric])))
    with pytest.raises(ValueError, match="deep"):
        decode(encode(Payload(metrics=[metric])))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_payload_or_a_value_error(data):
    """Nothing else escapes, and what was read can be written and read again."""
    _survives(data)


WHOLE = encode(everything())


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 9)
)
@settings(max_examples=300, deadline=None)
def test_a_spoilt_payload_is_a_payload_or_a_value_error(changes, cut):
    """Bytes changed and cut off at the end."""
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    _survives(bytes(data[: len(data) - cut]))


def _survives(data: bytes) -> None:
    try:
        payload = decode(data)
    except ValueError:
        return
    assert msgspec.structs.asdict(decode(encode(payload))).__repr__() == msgspec.structs.asdict(payload).__repr__()
    for metric in payload.metrics:
        try:
            metric.worth()
        except ValueError:
            continue


@given(st.sampled_from(sorted(INTEGER_RANGE)), st.data())
def test_every_integer_of_a_type_comes_back(kind, data):
    """The whole range, both ends."""
    value = data.draw(st.integers(*INTEGER_RANGE[kind]))
    assert typed(carry(value, kind), kind) == value


def test_a_float_is_the_nearest_of_32_bits():
    """As the bytes hold it."""
    back = decode(encode(Payload(metrics=[Metric.of(0.1, DataType.FLOAT)]))).metrics[0].worth()
    assert back == struct.unpack("<f", struct.pack("<f", 0.1))[0]
