"""Claims about requests and responses, byte by byte, and the evidence of each (Modbus Application Protocol V1.1b3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.endpoints.modbus.application import Peer
from labsim.errors import EvidenceError


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        ("01 0000 0003", "01 01 04"),  # §6.1: valve off, pump off, running on
        ("02 0000 0002", "02 01 03"),  # §6.2
        ("03 0064 0004", "03 08 43 66 80 00 40 88 00 00"),  # §6.3
        ("04 0000 0002", "04 04 c1 45 70 a4"),  # §6.4
        ("05 0001 ff00", "05 00 01 ff 00"),  # §6.5
        ("06 00ca 0064", "06 00 ca 00 64"),  # §6.6
        ("0f 0000 0002 01 03", "0f 00 00 00 02"),  # §6.11
        ("10 00c8 0003 06 41c80000 0064", "10 00 c8 00 03"),  # §6.12
        ("16 00cc 00f2 0025", "16 00 cc 00 f2 00 25"),  # §6.16
        ("17 00ca 0001 00c8 0002 04 41c80000", "17 02 00 32"),  # §6.17
    ],
)
def test_each_function_answers_as_the_standard_says(bench: Any, request_: str, response: str) -> None:
    """A good request of every data function gets the response of its section."""
    assert bench.ask(request_) == response
    assert bench.last.status == 0


@pytest.mark.parametrize(
    "request_",
    [
        "01 0000 0000",
        "01 0000 07d1",
        "02 0000 07d1",
        "03 0064 0000",
        "03 0064 007e",
        "04 0000 007e",
        "03 0064",
        "03",
        "03 0064 0001 00",
        "05 0000 1234",
        "05 0000 ff01",
        "05 0000",
        "06 00ca",
        "06 00ca 0001 00",
        "0f 0000 0000 00",
        "0f 0000 07b1 f7" + "00" * 247,
        "0f 0000 0002 02 0300",
        "0f 0000 0002 01",
        "0f 0000 0002",
        "10 00c8 0000 00",
        "10 00c8 007c f8" + "00" * 248,
        "10 00c8 0002 02 41c8",
        "10 00c8 0002 04 41c8",
        "10 00c8 0002 04 41c8000000",
        "16 00cc 00f2",
        "17 0064 007e 00c8 0002 04 41c80000",
        "17 0064 0000 00c8 0002 04 41c80000",
        "17 0064 0002 00c8 007a f4" + "00" * 244,
        "17 0064 0002 00c8 0002 03 41c800",
        "17 0064 0002",
    ],
)
def test_counts_lengths_and_fixed_values_get_03(bench: Any, request_: str) -> None:
    """A count outside the standard's limits, a byte count that does not match, a coil value that is neither: 03."""
    function = int(request_[:2], 16)
    assert bench.ask(request_) == f"{function | 0x80:02x} 03"
    assert {e.status for e in bench.sink.events} == {3}
    assert bench.device["setpoint"] == 20


@pytest.mark.parametrize("function", [0, 9, 10, 13, 14, 18, 19, 20, 21, 24, 25, 42, 65, 90, 127, 0x83, 0xFF])
def test_other_functions_get_01(bench: Any, function: int) -> None:
    """A function the device does not have gets exception 01 under its own code, and is evidence as a request."""
    assert bench.ask(f"{function:02x} 0000 0001") == f"{function | 0x80:02x} 01"
    assert (bench.last.kind, bench.last.status, bench.last.detail) == ("request", 1, {"unit": 11, "fc": function})


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        ("01 0000 0004", "81 02"),
        ("02 0003 0001", "82 02"),
        ("03 0000 0001", "83 02"),
        ("04 0064 0001", "84 02"),
        ("05 0005 ff00", "85 02"),
        ("06 0000 0001", "86 02"),
        ("0f 0001 0003 01 07", "8f 02"),
        ("10 00d1 0002 04 00000000", "90 02"),
        ("16 0000 0000 0000", "96 02"),
        ("17 0000 0001 00c8 0002 04 41c80000", "97 02"),
        ("17 0064 0001 0000 0002 04 41c80000", "97 02"),
    ],
)
def test_addresses_that_are_not_there_get_02(bench: Any, request_: str, response: str) -> None:
    """A run with a hole in it gets 02, and nothing of it is read or written."""
    assert bench.ask(request_) == response
    assert bench.device["setpoint"] == 20
    assert not bench.last.tags


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_read_only_registers_answer_what_the_family_answers(make_bench: Any, code: int) -> None:
    """Families disagree on the exception for a write to a read-only register; a coil and a read-only view count too."""
    bench = make_bench(read_only=code)
    assert bench.ask("06 006c 0001") == f"86 {code:02x}"
    assert bench.ask("06 0078 0001") == f"86 {code:02x}"
    assert bench.ask("06 00d1 0001") == f"86 {code:02x}"
    assert bench.ask("05 0002 ff00") == f"85 {code:02x}"
    assert bench.ask("16 006c 0000 0000") == f"96 {code:02x}"


@pytest.mark.parametrize("request_", ["06 00c8 41c8", "06 00c9 0000", "10 00c9 0002 04 0000 0064", "16 00c8 0000 0000"])
def test_half_a_32_bit_value_cannot_be_written(bench: Any, request_: str) -> None:
    """A write that covers half of a float gets 03 and changes nothing."""
    assert bench.ask(request_)[3:] == "03"
    assert bench.device["setpoint"] == 20


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ("10 00c8 0002 04 43480000", "200 °C is over the range"),
        ("10 00c8 0002 04 7fc00000", "NaN is no setpoint"),
        ("06 00cb 0009", "9 is no mode"),
        ("06 00ca ffff", "6553.5 s is over the range"),
        ("10 00cd 0004 08 ff00000000000000", "no UTF-8"),
    ],
)
def test_values_out_of_range_get_03(bench: Any, request_: str, why: str) -> None:
    """A value the tag cannot take gets 03 and is not in effect."""
    assert bench.ask(request_)[3:] == "03", why
    assert (bench.device["setpoint"], bench.device["mode"], bench.device["batch"]) == (20, 1, "Q7")


@pytest.mark.parametrize(("command", "code"), [(7, 4), (8, 6), (9, 2), (10, 4)])
def test_what_the_device_says_becomes_an_exception(bench: Any, command: int, code: int) -> None:
    """Wrong state is 04, not yet ready is 06 busy, no right is the read-only code, anything else 04."""
    assert bench.ask(f"06 00cc {command:04x}") == f"86 {code:02x}"
    assert bench.device["command"] == 0


def test_a_write_is_all_or_nothing(bench: Any) -> None:
    """When one register of a request is refused, none of the request is in effect."""
    assert bench.ask("10 00c8 0004 08 41c80000 0064 0009") == "90 03"
    assert bench.ask("10 00c8 0005 0a 41c80000 0064 0002 0007") == "90 04"
    assert (bench.device["setpoint"], bench.device["ramp"], bench.device["mode"]) == (20, 5, 1)
    assert bench.ask("10 00c8 0005 0a 41c80000 0064 0002 0001") == "10 00 c8 00 05"
    assert (bench.device["setpoint"], bench.device["ramp"], bench.device["mode"]) == (25, 10, 2)


def test_a_mask_write_changes_only_its_bits(bench: Any) -> None:
    """FC22 gives (now AND and-mask) OR (or-mask AND NOT and-mask): the standard's example 12, F2, 25 gives 17."""
    bench.device["command"] = 0x12
    bench.ask("16 00cc 00f2 0025")
    assert bench.device["command"] == 0x17
    assert bench.last.detail["raw"] == "0017"


def test_read_write_writes_first(bench: Any) -> None:
    """FC23 reads back what it has just written, and leaves a write and a read as evidence."""
    assert bench.ask("17 00c8 0002 00c8 0002 04 42480000") == "17 04 42 48 00 00"
    write, read = bench.sink.events
    assert (write.kind, write.values, write.detail["count"]) == ("write", [50.0], 2)
    assert (read.kind, read.values, read.detail["fc"]) == ("read", [50.0], 23)


def test_read_write_is_all_or_nothing(make_bench: Any) -> None:
    """FC23 whose read would be refused does not write."""
    bench = make_bench(half_values="refuse")
    assert bench.ask("17 0065 0001 00c8 0002 04 42480000") == "97 02"
    assert bench.device["setpoint"] == 20
    assert [e.status for e in bench.sink.events] == [2, 2]


def test_text_is_written_whole(bench: Any) -> None:
    """A text register takes all of its words, NUL at the end is not part of the text."""
    assert bench.ask("10 00cd 0004 08 4c4f54390000 0000") == "10 00 cd 00 04"
    assert bench.device["batch"] == "LOT9"
    assert bench.last.values == ["LOT9"]


def test_coils_are_packed_from_the_least_significant_bit(bench: Any) -> None:
    """FC15 and FC01 put the first coil into bit 0, and unused bits are 0 (§6.1, §6.11)."""
    assert bench.ask("0f 0000 0002 01 fe") == "0f 00 00 00 02"
    assert (bench.device["valve"], bench.device["pump"]) == (False, True)
    assert bench.ask("01 0001 0002") == "01 01 03"
    assert bench.ask("05 0001 0000") == "05 00 01 00 00"
    assert bench.device["pump"] is False


def test_a_device_may_take_fewer_registers(make_bench: Any) -> None:
    """Above the device's own limit a count gets 03, for reads and writes."""
    bench = make_bench(max_registers=4)
    assert bench.ask("03 0064 0004")[:2] == "03"
    assert bench.ask("03 0064 0005") == "83 03"
    assert bench.ask("10 00c8 0005 0a 41c80000 0064 0002 0001") == "90 03"


def test_a_read_is_evidence_with_true_values(bench: Any) -> None:
    """The event names who, where and what: tags wholly inside, their own values before scaling, and the raw registers."""
    bench.ask("03 0065 0009")
    event = bench.last
    assert (event.kind, event.protocol, event.client) == ("read", "modbus", "10.0.0.9:40000")
    assert (event.session, event.device, event.status) == ("modbus-1", "an1", 0)
    assert event.tags == ["an1.current", "an1.energy", "an1.temperature", "an1.current"]
    assert event.values == [4.25, 1234567890123, -12.34, 4.25]
    assert event.detail == {
        "unit": 11,
        "fc": 3,
        "table": "holding",
        "address": 101,
        "count": 9,
        "raw": "8000408800000000011f71fb04cbfb2e109a",
    }


def test_a_tag_cut_at_the_end_is_not_read(bench: Any) -> None:
    """Half of a value is no reading of its tag; its half is in the raw registers only."""
    bench.ask("03 0064 0003")
    assert bench.last.tags == ["an1.voltage"]
    assert bench.last.values == [230.5]
    bench.ask("03 006a 0001")
    assert (bench.last.tags, bench.last.values) == ([], [])


def test_a_write_is_evidence_with_the_values_written(bench: Any) -> None:
    """Values are in the tag's unit and type; a refused one is there too, with the exception as status."""
    bench.ask("06 00ca 0069")
    assert (bench.last.kind, bench.last.tags, bench.last.values) == ("write", ["an1.ramp"], [10.5])
    assert bench.last.detail["raw"] == "0069"
    bench.ask("05 0001 ff00")
    assert bench.last.values == [True]
    bench.ask("06 00cb 0009")
    assert (bench.last.tags, bench.last.values, bench.last.status) == (["an1.mode"], [9], 3)


def test_an_exception_is_evidence_with_its_place(bench: Any) -> None:
    """A refused read leaves unit, function, table, address, count and the exception code."""
    bench.ask("04 0064 0002")
    assert bench.last.status == 2
    assert bench.last.detail == {"unit": 11, "fc": 4, "table": "input", "address": 100, "count": 2}


def test_an_unknown_unit_is_silent_or_a_gateway(make_bench: Any) -> None:
    """Nobody's unit id gets no answer, or 0B as from a gateway; both are evidence, without a device."""
    silent, gateway = make_bench(), make_bench(unknown_unit="gateway")
    assert silent.ask("03 0064 0002", unit=5) is None
    assert (silent.last.kind, silent.last.status, silent.last.device) == ("read", -1, "")
    assert silent.last.detail == {"unit": 5, "fc": 3, "table": "holding", "address": 100, "count": 2}
    assert gateway.ask("03 0064 0002", unit=5) == "83 0b"
    assert (gateway.last.status, gateway.last.device) == (11, "")
    assert gateway.ask("41", unit=5) == "c1 0b"


def test_evidence_comes_before_the_answer(bench: Any) -> None:
    """When the event cannot be kept there is no response at all."""
    bench.sink.full = True
    with pytest.raises(EvidenceError):
        bench.ask("03 0064 0002")


@given(st.binary(min_size=1, max_size=253))
def test_any_pdu_gets_its_own_function_back(make_bench: Any, pdu: bytes) -> None:
    """Whatever a client sends, the response carries its function code, fits a frame, and is in evidence."""
    bench = make_bench()
    response = bench.core.respond(Peer("c:1", "s"), 11, pdu)
    assert response is not None
    assert len(response) <= 253
    assert response[0] in (pdu[0], pdu[0] | 0x80)
    assert bench.sink.events


GOOD = [
    bytes.fromhex(text)
    for text in (
        "0100000003",
        "0200000003",
        "030064000a",
        "0400000002",
        "050001ff00",
        "0600ca0064",
        "0f0000000201ff",
        "1000c800030641c800000064",
        "1600cc00f20025",
        "1700c8000200c800020441c80000",
        "2b0e0100",
        "2b0e0482",
    )
]


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4), st.data())
def test_mutated_requests_never_raise(make_bench: Any, pdu: bytes, changes: Any, data: Any) -> None:
    """A good request with bytes changed, cut or added gets a response or an exception, never a crash."""
    bench = make_bench()
    changed = bytearray(pdu)
    for place, byte in changes:
        changed[1 + place % (len(changed) - 1)] = byte
    cut = data.draw(st.integers(1, len(changed)))
    tail = data.draw(st.binary(max_size=4))
    response = bench.core.respond(Peer("c:1", "s"), 11, bytes(changed[:cut]) + tail)
    assert response is not None
    assert response[0] & 0x7F == pdu[0]
    if response[0] & 0x80:
        assert response[1] in (1, 2, 3, 4, 6)
