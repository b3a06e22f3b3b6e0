"""What clients wrote to a device since its last step, one after the other; no device type itself.

A step is 100 ms and clients are quicker than that; and where several tags show the same thing (a word and its bits), the device
has to know which of them was written last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labsim.plant.device import Device
from labsim.plant.tags import Value


class Order(NamedTuple):
    """A tag's new value; ``by_client`` is false when something else put it there, such as the watchdog of an endpoint."""

    tag: str
    value: Value
    by_client: bool


class Orders:
    """The orders of one device: its guard gives every write to `take`, its step begins with `drain` and ends with `settle`."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._names = [tag.name for tag in device.tags.values() if tag.writable and tag.type != "text"]
        self._rows = np.array([device.tags[name].row for name in self._names])
        self._taken: list[tuple[str, Value]] = []
        self._settled = device.store.value[self._rows]

    def take(self, name: str, value: Value) -> None:
        """A client's write is judged good; its request may still be refused for another tag."""
        self._taken.append((name, value))

    def drain(self) -> list[Order]:
        """The orders since the last call, oldest first, without those whose request was refused after all."""
        taken, self._taken = self._taken, []
        now = self._device.store.value[self._rows]
        moved = [self._names[place] for place in np.flatnonzero(now != self._settled)]
        if not taken and not moved:
            return []
        stands = dict(zip(self._names, now.tolist(), strict=True))
        orders: list[Order] = []
        last: set[str] = set()
        for name, value in reversed(taken):
            if name in last or float(value) == stands[name]:
                orders.append(Order(name, value, by_client=True))
                last.add(name)
        orders.reverse()
        return orders + [Order(name, self._device[name], by_client=False) for name in moved if name not in last]

    def settle(self) -> None:
        """What the tags hold now is known to the device."""
        self._settled = self._device.store.value[self._rows]
