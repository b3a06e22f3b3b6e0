"""Engineering units against UNECE Recommendation 20 and OPC UA."""

from __future__ import annotations

import pytest

from labsim.units import UNITS


@pytest.mark.parametrize(
    ("symbol", "unit_id"),
    # From UNECE_to_OPCUA.csv of the OPC Foundation.
    [
        ("°C", 4408652),
        ("%", 20529),
        ("mm", 5066068),
        ("V", 5655636),
        ("bar", 4342098),
        ("r/min", 5394509),
        ("A", 4279632),
    ],
)
def test_unit_ids_are_those_of_the_opc_foundation(symbol, unit_id):
    """The UnitId is the code's bytes as a big-endian number (OPC 10000-8 §5.6.3)."""
    assert UNITS[symbol].unit_id == unit_id


def test_symbols_and_codes_are_each_used_once():
    """No unit hides another."""
    assert all(symbol == unit.symbol for symbol, unit in UNITS.items())
    assert len({unit.code for unit in UNITS.values()}) == len(UNITS)
    assert len({unit.name for unit in UNITS.values()}) == len(UNITS)


def test_codes_are_common_codes():
    """Two or three capital letters and digits, as Recommendation 20 has them."""
    assert all(
        (2 <= len(unit.code) <= 3 and unit.code.isalnum() and unit.code.isupper()) or unit.code.isdigit()
        for unit in UNITS.values()
    )
