"""Links in a scenario: their names, and what a state needs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from labsim.scenario.link import LinkFault, link_names


def test_a_lone_endpoint_has_its_protocols_name():
    """One endpoint of a protocol goes by the protocol, and by its port when that is fixed."""
    assert link_names([("modbus", 5020), ("opcua", 0)]) == {"modbus": 0, "modbus:5020": 0, "opcua": 1}


def test_several_endpoints_are_numbered():
    """Of several endpoints of one protocol none has the bare name."""
    names = link_names([("modbus", 5020), ("mqtt", 1883), ("modbus", 5021)])
    assert names == {"modbus.1": 0, "modbus:5020": 0, "mqtt": 1, "mqtt:1883": 1, "modbus.2": 2, "modbus:5021": 2}


@pytest.mark.parametrize(
    "given",
    [
        {"state": "slow", "delay": "300 ms", "jitter": "50 ms", "for": "20 s"},
        {"state": "throttle", "rate": 1200, "client": "10.0.0.0/24"},
        {"state": "flap", "period": "4 s", "duty": 0.25},
        {"state": "black-hole", "client": "::1", "hidden": True},
        {"state": "reset"},
        {"state": "refuse"},
    ],
)
def test_whole_states(given):
    """Each state with what belongs to it."""
    fault = LinkFault.model_validate(given)
    assert set(fault.values()) == set(given) - {"state", "for", "hidden"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"state": "slow"}, "needs 'delay'"),
        ({"state": "throttle"}, "needs 'rate'"),
        ({"state": "flap"}, "needs 'period'"),
        ({"state": "flap", "period": "50 ms"}, "100 ms at least"),
        ({"state": "flap", "period": "5 s", "duty": 1}, "duty"),
        ({"state": "reset", "delay": "1 s"}, "belongs to the state 'slow'"),
        ({"state": "refuse", "client": "meter1"}, "no IP address"),
        ({"state": "throttle", "rate": 0}, "rate"),
        ({}, "state"),
    ],
)
def test_states_that_are_none(given, why):
    """What is missing or does not belong is said."""
    with pytest.raises(ValidationError, match=why):
        LinkFault.model_validate(given)


def test_a_time_server_has_no_link() -> None:
    """Datagrams pass none, so nobody may believe that he has cut it; the numbers of the others stay."""
    assert link_names([("ntp", 10123), ("mqtt", 1883)]) == {"mqtt": 1, "mqtt:1883": 1}
