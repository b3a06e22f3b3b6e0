"""A device's watchdog: it wants to hear from its client, and goes to a safe state when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from labsim.evidence.event import Event, Sink
from labsim.plant.device import Device
from labsim.plant.tags import Tag, TagStore, Value
from labsim.scenario.modbus import WatchdogSpec

WRITES = frozenset((5, 6, 15, 16, 21, 22, 23))
State = Literal["off", "running", "expired"]


class Watchdog:
    """The watchdog of one device, in plant time.

    Args:
        spec: How it is set.
        device: Whom it watches over.
        store: Where the device's values are.
        sink: Told when it starts, expires and recovers.

    Attributes:
        state: ``off`` until the first trigger, then ``running``, ``expired`` until it recovers.

    Raises:
        UnknownNameError: the device has no such tag.
    """

    def __init__(self, spec: WatchdogSpec, device: Device, store: TagStore, sink: Sink) -> None:
        self.spec, self._device, self._store, self._sink = spec, device, store, sink
        self.state: State = "off"
        self._safe = [(store[f"{device.path}.{name}"], value) for name, value in spec.safe.items()]
        self._reset = store[f"{device.path}.{spec.reset}"] if spec.reset is not None else None
        self._before: list[Value] = []
        self._until_ns = 0

    def refuses(self, tags: Iterable[Tag]) -> bool:
        """Whether a write of ``tags`` is to be answered with a device failure; one of the reset alone never is."""
        return self._blocks and any(tag is not self._reset for tag in tags)

    @property
    def _blocks(self) -> bool:
        return self.state == "expired" and self.spec.writes == "refuse"

    def heard(self, function: int, *, done: bool) -> None:
        """A request has come; ``done`` when it was carried out.

        While writes are refused, a refused trigger is a sign of life all the same.

        Raises:
            EvidenceError: a change of state could not be kept.
        """
        trigger = self.spec.trigger
        matches = trigger == "any" or (function in WRITES if trigger == "write" else function in trigger)
        if not matches or not (done or self._blocks):
            return
        if self.state == "expired" and self.spec.recovery == "reset":
            return
        self._until_ns = self._store.now_ns + int(self.spec.time * 1e9)
        if self.state != "running":
            self._run()

    def tick(self) -> bool:
        """Called after every step of the plant; whether the watchdog has just expired.

        Raises:
            EvidenceError: a change of state could not be kept.
        """
        if self.state == "running" and self._store.now_ns >= self._until_ns:
            self._before = [self._store.read(tag.row) for tag, _ in self._safe]
            self._set("expired", [value for _, value in self._safe])
            return True
        if self.state == "expired" and self._reset is not None and self._store.read(self._reset.row) not in (0, ""):
            self._until_ns = self._store.now_ns + int(self.spec.time * 1e9)
            self._run()
        return False

    def _run(self) -> None:
        self._set("running", self._before if self.state == "expired" and self.spec.restore else [])

    def _set(self, state: State, values: list[Value]) -> None:
        tags = [tag for tag, _ in self._safe] if values else []
        self._sink(
            Event(
                kind="watchdog",
                protocol="modbus",
                device=self._device.path,
                tags=[tag.path for tag in tags],
                values=list(values),
                detail={"state": state},
            )
        )
        self.state = state
        for tag, value in zip(tags, values, strict=True):
            self._store.set(tag.row, value)
