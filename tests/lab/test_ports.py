"""Ports of a lab's endpoints."""

from __future__ import annotations

from labsim.lab.ports import control_port, endpoint_ports

WANTED = [("mqtt", 1883), ("opcua", 4840), ("modbus", 5020), ("modbus", 5021)]


def test_without_a_base_the_scenario_decides() -> None:
    """Without a base each endpoint listens where its scenario says, and the control API where it can."""
    assert endpoint_ports(WANTED, None) == [1883, 4840, 5020, 5021]
    assert control_port(None) == 0


def test_base_zero_takes_free_ports() -> None:
    """A base of 0 leaves every port to the system."""
    assert endpoint_ports(WANTED, 0) == [0, 0, 0, 0]
    assert control_port(0) == 0


def test_a_base_gives_each_protocol_its_place() -> None:
    """With a base the first endpoint of a protocol has its fixed place and further ones follow from N+4."""
    assert endpoint_ports(WANTED, 6000) == [6002, 6000, 6001, 6004]
    assert control_port(6000) == 6003
