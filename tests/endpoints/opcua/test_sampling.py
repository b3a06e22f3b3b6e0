"""Notifications encoded as arrays are those encoded one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.sampling import encode_numbers
from labsim.endpoints.opcua.core.values import NUMPY, encode_plain
from labsim.plant import status
from labsim.plant.plant import Plant

RANGES = {2: (-(2**7), 2**7 - 1), 3: (0, 2**8 - 1), 4: (-(2**15), 2**15 - 1), 5: (0, 2**16 - 1), 6: (-(2**31), 2**31 - 1),
          7: (0, 2**32 - 1), 8: (-(2**53), 2**53), 9: (0, 2**53)}  # fmt: skip


@st.composite
def numbers(draw: Any) -> tuple[int, Any]:
    """A built-in type with a value of it."""
    kind = draw(st.sampled_from(sorted(NUMPY)))
    if kind == 1:
        return kind, draw(st.booleans())
    return kind, draw(st.integers(*RANGES[kind]) if kind in RANGES else st.floats(width=32 if kind == 10 else 64))


@given(st.lists(numbers(), max_size=20))
def test_arrays_equal_single_values(given_: list[tuple[int, Any]]) -> None:
    """For any types and values, byte for byte."""
    kinds = np.array([kind for kind, _ in given_], np.uint8)
    values = np.array([value for _, value in given_], np.float64)
    assert encode_numbers(kinds, values) == [encode_plain(kind, value) for kind, value in given_]


def published(server: Any, peer: Any, plant: Plant, wall: Any, wanted: list[Any], stamps: int) -> list[bytes]:
    """The bodies of NotificationMessages while tags change, become uncertain and bad."""
    create = ua.CreateSubscriptionRequest()
    create.Parameters.RequestedPublishingInterval, create.Parameters.PublishingEnabled = 100, True
    create.Parameters.RequestedLifetimeCount, create.Parameters.RequestedMaxKeepAliveCount = 300, 100
    asked = ua.CreateMonitoredItemsRequest()
    asked.Parameters.SubscriptionId = peer.ask(create).Parameters.SubscriptionId
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn(stamps)
    for handle, one in enumerate(wanted):
        item = ua.MonitoredItemCreateRequest(one, ua.MonitoringMode.Reporting)
        item.RequestedParameters.SamplingInterval, item.RequestedParameters.QueueSize = 50.0, 10
        item.RequestedParameters.ClientHandle = handle
        asked.Parameters.ItemsToCreate.append(item)
    peer.ask(asked)
    found = []
    store = plant.store
    for force, count, running, order, code in (
        (60.5, 9, False, "B", 0), (61.5, 10, True, "C", status.UNCERTAIN_UNITS_EXCEEDED), (1.0, 1, False, "D", 0x80890000),
    ):  # fmt: skip
        for name, value in (
            ("force", force),
            ("count", count),
            ("running", running),
            ("order", order),
            ("speed", force),
        ):
            store.set(store[f"press1.{name}"].row, value, code)
        peer.post(ua.PublishRequest())
        for _ in range(3):
            wall.seconds += 0.05
            server.timers.tick(wall.seconds + 0.001)
        found += [bytes(chunk[24 + 28 + 4 :]) for chunk in peer.chunks()]  # behind header and subscription id
    return found


@pytest.mark.parametrize("stamps", [0, 1, 2, 3])
def test_notifications_are_the_same_bytes(
    plants: Any, cores: Any, connect: Any, walls: Any, reading: Any, stamps: int
) -> None:
    """Two servers, one with the quick ways and one without, publish the same messages."""
    names = ["force", "setpoint", "speed", "count", "total", "small", "running", "state", "alarm", "order"]
    found = []
    for quick in (True, False):
        plant, wall = plants("press1"), walls()
        server = cores(plant, lambda _event: None, wall)
        server.quick = quick
        peer = connect(server).login()
        found.append(published(server, peer, plant, wall, [reading(name) for name in names], stamps))
    assert found[0] == found[1]
    assert len(found[0]) == 3
