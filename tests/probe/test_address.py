from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import InputError
from labsim.probe.address import TABLES, parse_address
from labsim.probe.modbus import unit_ids
from labsim.probe.target import MODBUS, MQTT, parse_target


@pytest.mark.parametrize(
    ("text", "table", "numbered", "expected"),
    [
        ("3027", None, False, "holding 3027"),
        ("0xBD3", "input", False, "input 3027"),
        ("40001", None, False, "holding 40001"),
        ("3028", None, True, "holding 3027"),
        ("3028", "input", True, "input 3027"),
        ("40001", None, True, "holding 0"),
        ("40001", "holding", True, "holding 0"),
        ("43028", None, True, "holding 3027"),
        ("30001", None, True, "input 0"),
        ("10001", None, True, "discrete 0"),
        ("00001", None, True, "coil 0"),
        ("400001", None, True, "holding 0"),
        ("465536", None, True, "holding 65535"),
        ("40001", "coil", True, "coil 40000"),
        ("12345", "holding", True, "holding 12344"),
    ],
)
def test_addresses_and_numbers(text: str, table: str | None, numbered: bool, expected: str) -> None:
    """An address is what goes on the wire; a number is what a manual prints, with or without its table in front."""
    assert str(parse_address(text, table, numbered=numbered)) == expected


@pytest.mark.parametrize(
    ("text", "table", "numbered"),
    [("65536", None, False), ("-1", None, False), ("0", None, True), ("1.5", None, False), ("1", "holdings", False)],
)
def test_what_is_no_address_is_refused(text: str, table: str | None, numbered: bool) -> None:
    """Outside the table, no number, no such table."""
    with pytest.raises(InputError):
        parse_address(text, table, numbered=numbered)


@given(st.text(), st.none() | st.sampled_from(TABLES) | st.text(), st.booleans())
def test_any_text_is_an_address_or_refused(text: str, table: str | None, numbered: bool) -> None:
    """Nothing but InputError leaves the reader."""
    try:
        found = parse_address(text, table, numbered=numbered)
    except InputError:
        return
    assert 0 <= found.number <= 65535
    assert found.table in TABLES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("meter", "modbus-tcp://meter:502"),
        ("10.0.0.5:5020", "modbus-tcp://10.0.0.5:5020"),
        ("modbus-tls://plc", "modbus-tls://plc:802"),
        ("modbus-rtu:///dev/ttyUSB0?parity=N", "modbus-rtu:///dev/ttyUSB0"),
        ("modbus-rtu://COM3", "modbus-rtu://COM3"),
        ("modbus-rtu-tcp://[::1]:4001", "modbus-rtu-tcp://[::1]:4001"),
    ],
)
def test_targets_of_modbus(text: str, expected: str) -> None:
    """Scheme and port have their usual values when they are left out."""
    assert str(parse_target(text, MODBUS)) == expected


def test_a_target_of_mqtt_may_name_its_user() -> None:
    """User and password stand before the host, and never in what is printed."""
    found = parse_target("mqtts://gw:p%40ss@broker/ws", MQTT)
    assert (found.user, found.password, found.port, found.path) == ("gw", "p@ss", 8883, "/ws")
    assert str(found) == "mqtts://broker:8883"


@given(st.text())
def test_any_text_is_a_target_or_refused(text: str) -> None:
    """Nothing but InputError leaves the reader."""
    try:
        found = parse_target(text, MQTT)
    except InputError:
        return
    assert found.host
    assert 1 <= found.port <= 65535


@given(st.text())
def test_any_text_is_a_list_of_units_or_refused(text: str) -> None:
    """Nothing but InputError leaves the reader."""
    try:
        found = unit_ids(text)
    except InputError:
        return
    assert found
    assert set(found) <= set(range(256))


def test_units_are_asked_once_and_in_order() -> None:
    """Ranges and single ids mix."""
    assert unit_ids("1-3, 255,2") == [1, 2, 3, 255]
    for wrong in ("", "1-", "3-1", "256", "a", "1,,2"):
        with pytest.raises(InputError):
            unit_ids(wrong)
