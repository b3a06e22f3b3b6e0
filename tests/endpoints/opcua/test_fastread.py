"""The compiled read gives the bytes of the slow one."""

from __future__ import annotations

import struct
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.status import S
from labsim.plant import status

NUMBERS = ["force", "setpoint", "speed", "count", "total", "small", "running", "state", "alarm"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=12), st.integers(0, 3), st.integers(0, 4))
def test_fast_equals_slow(
    server: Any, peer: Any, plant: Any, reading: Any, names: Any, stamps: int, fault: int
) -> None:
    """For any tags, timestamps and values the answer is the same, byte for byte, but for the time of the header."""
    row = plant.store["press1.force"].row
    plant.store.set(row, float("nan") if fault == 1 else 12.5, status.UNCERTAIN_UNITS_EXCEEDED if fault == 2 else 0)
    message = ua.ReadRequest()
    message.Parameters.TimestampsToReturn, message.Parameters.MaxAge = ua.TimestampsToReturn(stamps), 0
    message.Parameters.NodesToRead = [reading(name) for name in names]
    message.RequestHeader.AuthenticationToken = peer.token
    body, found = struct_to_binary(message), []
    for quick in (peer.connection.quick, None):
        peer.connection.quick, kept = quick, peer.connection.quick
        peer.send(body)
        found.append(peer.chunks()[0][24 + 12 :])
        peer.connection.quick = kept
    assert found[0] == found[1]


def test_polling_compiles_once(server: Any, peer: Any) -> None:
    """The same request again is answered by the plan of the first; a text has none."""
    for _ in range(3):
        peer.read("force", "count")
    assert [plan is not None for plan in server.plans.values()] == [True]
    peer.read("order")
    assert list(server.plans.values())[-1] is None


def test_a_plan_is_of_one_session(server: Any, connect: Any, parse_answer: Any, reading: Any) -> None:
    """A compiled request with another session's token gets no answer from the plan."""
    one, other = connect(server).login(), connect(server).login()
    one.read("force")
    one.token = other.token
    assert one.read("force").ResponseHeader.ServiceResult.value == S.BadSecureChannelIdInvalid


def test_plans_are_bounded(server: Any, peer: Any) -> None:
    """A client that never repeats itself cannot fill the memory."""
    for age in range(300):
        peer.read("force", age=age)
    assert len(server.plans) <= 256
    assert struct.pack("<d", 0.0) not in [key[1][:8] for key in server.plans]


def test_the_quick_ways_can_be_switched_off(server: Any, peer: Any) -> None:
    """Without them there is no plan, and the answers are the same."""
    quick = peer.read("force", "order", "count").Results
    server.quick = False
    server.plans.clear()
    assert peer.read("force", "order", "count").Results == quick
    assert peer.read("force").Results[0].Value.Value == 50.0
    assert not server.plans
