"""A client with a subscription whose time goes by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary

from labsim.plant.plant import Plant


class Watch:
    """One subscription; publishes every second, unless told otherwise."""

    def __init__(self, peer: Any, plant: Plant, wall: Any, **fields: Any) -> None:
        self.peer, self.plant, self.wall, self.server = peer, plant, wall, peer.server
        self.granted = self.subscribe(**fields)
        self.id = self.granted.SubscriptionId

    def subscribe(self, **fields: Any) -> Any:
        """CreateSubscription; its result."""
        asked = ua.CreateSubscriptionRequest()
        given = {
            "RequestedPublishingInterval": 1000, "RequestedLifetimeCount": 300, "RequestedMaxKeepAliveCount": 100,
            "MaxNotificationsPerPublish": 0, "PublishingEnabled": True, "Priority": 0,
        } | fields  # fmt: skip
        for name, value in given.items():
            setattr(asked.Parameters, name, value)
        return self.peer.ask(asked).Parameters

    def ask_items(self, *wanted: Any, stamps: int = 0, subscription: int | None = None, **fields: Any) -> Any:
        """CreateMonitoredItems; its response. ``mode`` and ``filter`` beside the parameters' own names."""
        mode, filter_ = fields.pop("mode", 2), fields.pop("filter", None)
        asked = ua.CreateMonitoredItemsRequest()
        asked.Parameters.SubscriptionId = self.id if subscription is None else subscription
        asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn(stamps)
        for handle, one in enumerate(wanted, 1):
            item = ua.MonitoredItemCreateRequest()
            item.ItemToMonitor, item.MonitoringMode = one, ua.MonitoringMode(mode)
            given = {"SamplingInterval": 100.0, "QueueSize": 10, "DiscardOldest": True, "ClientHandle": handle} | fields
            for name, value in given.items():
                setattr(item.RequestedParameters, name, value)
            item.RequestedParameters.Filter = filter_
            asked.Parameters.ItemsToCreate.append(item)
        return self.peer.ask(asked)

    def item(self, wanted: Any, **fields: Any) -> Any:
        """Create one item; its result."""
        return self.ask_items(wanted, **fields).Results[0]

    def codes(self, message: Any, **fields: Any) -> list[int]:
        """Send a request with these parameters; its results, or the one service result when it has none."""
        for name, value in fields.items():
            setattr(message.Parameters, name, value)
        response = self.peer.ask(message)
        holder = response if hasattr(response, "Results") else getattr(response, "Parameters", None)
        results = getattr(holder, "Results", None)
        if response.ResponseHeader.ServiceResult.value or results is None:
            return [int(response.ResponseHeader.ServiceResult.value)]
        return [int(getattr(one, "StatusCode", one).value) for one in results]

    def publish(self, count: int = 1) -> None:
        """Send Publish requests."""
        for _ in range(count):
            self.peer.post(ua.PublishRequest())

    def set(self, name: str, value: Any, code: int = 0) -> None:
        """Give a tag a value."""
        self.plant.store.set(self.plant.store[f"press1.{name}"].row, value, code)

    def wait(self, seconds: float = 0.1) -> None:
        """Let time go by."""
        for _ in range(round(seconds * 10)):
            self.wall.seconds += 0.1
            self.server.timers.tick(self.wall.seconds + 0.001)

    def run(self, name: str, *values: Any) -> None:
        """Give a tag one value after another, each for 100 ms."""
        for value in values:
            self.set(name, value)
            self.wait()

    def responses(self) -> list[Any]:
        """PublishResponses that came."""
        chunks = [chunk for chunk in self.peer.chunks() if int.from_bytes(chunk[26:28], "little") == 829]
        return [struct_from_binary(ua.PublishResponse, Buffer(chunk[24:])).Parameters for chunk in chunks]

    def notices(self) -> list[Any]:
        """MonitoredItemNotifications that came."""
        found = []
        for response in self.responses():
            for data in response.NotificationMessage.NotificationData:
                found += getattr(data, "MonitoredItems", [])
        return found

    def values(self) -> list[Any]:
        """Plain values that came."""
        return [one.Value.Value.Value for one in self.notices()]

    def heard(self, seconds: float = 1.1) -> list[Any]:
        """Publish once and wait; plain values that came."""
        self.publish()
        self.wait(seconds)
        return self.values()


@pytest.fixture
def watching(peer: Any, plant: Plant, wall: Any) -> Callable[..., Watch]:
    """Make a subscription: ``watching(RequestedPublishingInterval=...)``."""
    return lambda who=peer, **fields: Watch(who, plant, wall, **fields)


@pytest.fixture
def watch(watching: Callable[..., Watch]) -> Watch:
    """A subscription of 1 s."""
    return watching()
