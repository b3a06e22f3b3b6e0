"""A thousand clients that come, subscribe and drop leave nothing behind."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

from asyncua import ua

CYCLES, WARM = 1000, 20


def come_and_go(server: Any, connect: Any, reading: Any) -> None:
    """Connect, subscribe to two tags, wait for a Publish, drop the connection."""
    peer = connect(server).login()
    asked = ua.CreateSubscriptionRequest()
    asked.Parameters.RequestedPublishingInterval, asked.Parameters.PublishingEnabled = 100, True
    asked.Parameters.RequestedLifetimeCount, asked.Parameters.RequestedMaxKeepAliveCount = 30, 10
    number = peer.ask(asked).Parameters.SubscriptionId
    items = ua.CreateMonitoredItemsRequest()
    items.Parameters.SubscriptionId, items.Parameters.TimestampsToReturn = number, ua.TimestampsToReturn.Both
    for name in ("force", "order"):
        one = ua.MonitoredItemCreateRequest(reading(name), ua.MonitoringMode.Reporting)
        one.RequestedParameters.SamplingInterval, one.RequestedParameters.QueueSize = 100.0, 5
        items.Parameters.ItemsToCreate.append(one)
    assert [one.StatusCode.value for one in peer.ask(items).Results] == [0, 0]
    peer.post(ua.PublishRequest())
    peer.connection.close("gone")


def objects() -> Counter[str]:
    """Living objects of the server's own, and of asyncua's, by type."""
    gc.collect()
    return Counter(
        type(one).__qualname__
        for one in gc.get_objects()
        if str(type(one).__module__).startswith(("labsim.endpoints", "asyncua"))
    )


def test_a_thousand_clients_that_drop_leave_nothing(make_server: Any, connect: Any, reading: Any, wall: Any) -> None:
    """After the timeouts there are no more sessions, subscriptions, items, groups, timers or objects than before."""
    server = make_server(lambda _event: None)
    limits = server.limits
    limits.max_sessions = limits.max_subscriptions = limits.max_connections = CYCLES * 2

    def sleep(seconds: float) -> None:
        end = wall.seconds + seconds
        while wall.seconds < end:
            wall.seconds += 1
            server.timers.tick(wall.seconds)

    def wave(count: int) -> None:
        for _ in range(count):
            come_and_go(server, connect, reading)
        assert len(server.sessions) == count  # a dropped session waits for its client
        sleep(3700)

    wave(WARM)
    before, timers = objects(), len(server.timers._heap)
    wave(CYCLES)
    held = (server.sessions, server.subscriptions, server.connections, server._groups, server.event_items)
    assert [len(one) for one in held] == [0] * len(held)
    assert len(server.timers._heap) <= timers
    grown = {name: count for name, count in (objects() - before).items() if count > 5}
    assert grown == {}
