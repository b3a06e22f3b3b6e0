"""What clients wrote to a device since its last step, one after the other; no device type itself.

A step is 100 ms and clients are quicker than that; and where several tags show the same thing (a word and its bits), the device
has to know which of them was written last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labsim.plant.device import Device
from labsim.plant.tags import Value


class Order(NamedTuple):
    """A tag's new value; ``by_client`` is false when something else put it there, such as the watchdog of an endpoint."""

    tag: str
    value: Value
    by_client: bool


class Orders:
    """The orders of one device: what it takes it gives to `take` too; its step begins with `drain` and ends with `settle`."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._names = [tag.name for tag in device.tags.values() if tag.writable and tag.type != "text"]
        self._rows = [device.tags[name].row for name in self._names]
        self._taken: list[tuple[str, Value]] = []
        self._settled = device.store.value[self._rows]

    def take(self, name: str, value: Value) -> None:
        """A client's write was accepted; a text is no order."""
        if not isinstance(value, str):
            self._taken.append((name, value))

    def drain(self) -> list[Order]:
        """The orders since the last call, oldest first; what something else put into a tag comes last."""
        taken, self._taken = self._taken, []
        now = self._now()
        moved = [self._names[place] for place in np.flatnonzero(now != self._settled)]
        if not taken and not moved:
            return []
        stands = dict(zip(self._names, now.tolist(), strict=True))
        last = {name: float(value) for name, value in taken}
        others = [name for name in dict.fromkeys((*last, *moved)) if last.get(name) != stands[name]]
        orders = [Order(name, value, by_client=True) for name, value in taken]
        return orders + [Order(name, self._device[name], by_client=False) for name in others]

    def settle(self) -> None:
        """What the tags hold now is known to the device."""
        self._settled = self._now()

    def _now(self) -> NDArray[np.float64]:
        store = self._device.store
        rows = [store.true.get(row, row) for row in self._rows] if store.true else self._rows
        return store.value[rows]
