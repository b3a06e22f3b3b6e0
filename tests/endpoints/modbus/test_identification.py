"""Claims about Read Device Identification (Modbus Application Protocol V1.1b3 §6.21)."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.endpoints.modbus.identification import identification, read_identification


def objects(response: bytes) -> dict[int, bytes]:
    """The objects of a response PDU."""
    found, rest = {}, response[7:]
    while rest:
        found[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    assert len(found) == response[6]
    return found


def test_basic_is_vendor_product_revision(bench: Any) -> None:
    """Code 1 gives objects 0 to 2 from the nameplate."""
    response = bytes.fromhex(bench.ask("2b 0e 01 00"))
    assert response[:6] == bytes.fromhex("2b0e01830000")
    assert objects(response) == {0: b"Fictional", 1: b"AN-1", 2: b"2.4"}
    assert (bench.last.kind, bench.last.status, bench.last.detail) == ("request", 0, {"unit": 11, "fc": 43})


def test_regular_and_extended_add_what_the_type_says(bench: Any) -> None:
    """Code 2 adds objects 3 to 6, code 3 those from 80; ``{serial}`` is the device's."""
    regular = objects(bytes.fromhex(bench.ask("2b 0e 02 00")))
    assert regular == {0: b"Fictional", 1: b"AN-1", 2: b"2.4", 3: b"https://example.org", 4: b"Analyser", 5: b"AN-1"}
    extended = objects(bytes.fromhex(bench.ask("2b 0e 03 00")))
    assert extended[0x80] == f"serial {bench.device.serial}".encode()


def test_one_object_by_its_id(bench: Any) -> None:
    """Code 4 gives one object, and 02 for one that is not there."""
    assert objects(bytes.fromhex(bench.ask("2b 0e 04 01"))) == {1: b"AN-1"}
    assert bench.ask("2b 0e 04 77") == "ab 02"


@pytest.mark.parametrize(
    ("request_", "code"),
    [("2b", 3), ("2b 0e", 3), ("2b 0e 01", 3), ("2b0e010000", 3), ("2b0e0000", 3), ("2b0e0500", 3), ("2b0d0100", 1)],
)
def test_wrong_requests(bench: Any, request_: str, code: int) -> None:
    """A wrong length or code gets 03; another MEI type gets 01."""
    assert bench.ask(request_) == f"ab {code:02x}"


def test_a_stream_begins_where_asked_or_at_the_beginning(bench: Any) -> None:
    """A known first object is where the stream begins; an unknown one restarts it (§6.21)."""
    assert min(objects(bytes.fromhex(bench.ask("2b 0e 01 01")))) == 1
    assert min(objects(bytes.fromhex(bench.ask("2b 0e 01 55")))) == 0


def test_a_long_stream_goes_on(make_interface: Any) -> None:
    """What does not fit one response is announced by more-follows and fetched from the next object id."""
    found = identification(make_interface(identification={i: f"{i}" * 40 for i in range(0x80, 0x90)}), "S")
    seen: dict[int, bytes] = {}
    first, more = 0, 0xFF
    while more:
        response = read_identification(found, bytes((0x2B, 0x0E, 3, first)))
        assert len(response) <= 253
        more, first = response[4], response[5]
        assert not seen.keys() & objects(response).keys()
        seen |= objects(response)
    assert first == 0
    assert seen == found


def test_conformity_is_what_the_device_has(make_interface: Any) -> None:
    """The level is 82 with regular objects only and 83 with extended ones, both with individual access."""
    request = bytes((0x2B, 0x0E, 3, 0))
    assert read_identification(identification(make_interface(identification={}), "S"), request)[3] == 0x82
    assert read_identification({0: b"a", 1: b"b", 2: b"c"}, request)[3] == 0x81
    assert read_identification({0: b"a", 0x81: b"b"}, request)[3] == 0x83
