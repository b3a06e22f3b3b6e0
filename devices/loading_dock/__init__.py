"""A loading dock: trucks come, the door opens, pallets go in or out, and the air of the yard comes in."""

from __future__ import annotations

import math

from labsim.plant.device import Device, Process
from labsim.plant.flow import Part

FREE, OCCUPIED, LOADING, CLOSED = range(4)
DOOR_S = 8.0
"""Time that the door takes to open or close."""
PREPARE_S = 30.0
"""Chocks, leveller, papers: before the door opens and after it has closed."""
OPEN_TAU_S, CLOSED_TAU_S = 180.0, 2400.0
"""The air at the dock follows the yard with the door open, and the hall with it closed."""
SENSOR_TAU_S = 20.0
NOISE_K = 0.05
PATIENCE_S = 300.0
"""For so long a truck waits for the next pallet before it leaves with what it has."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class LoadingDock(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A free dock with its door closed, as warm as the hall."""
        self._air = self._sensor = float(self.settings["hall_temperature"])
        self._position, self._wanted = 0.0, False  # of the door: 0 closed, 1 open
        self._open_s, self._made = 0.0, 0
        self["temperature"] = round(self._air, 1)

    def step(self, dt: float) -> None:
        """Door, air, sensor."""
        self._move_door(dt)
        position = self._position
        hall, yard = float(self.settings["hall_temperature"]), float(self.settings["yard_temperature"])
        self._air += (yard - self._air) * position * dt / OPEN_TAU_S + (hall - self._air) * dt / CLOSED_TAU_S
        self._sensor += (self._air - self._sensor) * (1 - math.exp(-dt / SENSOR_TAU_S))
        self["temperature"] = round(self._sensor + NOISE_K * float(self.random.standard_normal()), 1)
        if self["state"] in (FREE, CLOSED):
            self["state"] = FREE if self["in_service"] else CLOSED

    def _move_door(self, dt: float) -> None:
        wanted = self._wanted or "door-stuck" in self.faults
        way = dt / DOOR_S
        self._position = min(max(self._position + (way if wanted else -way), 0.0), 1.0)
        is_open, was_open = self._position > 0, bool(self["door_open"])
        self._open_s = self._open_s + dt if is_open else 0.0
        if is_open and not was_open:
            self["door_openings"] = count = int(self["door_openings"]) + 1
            self.emit("DoorOpened", Openings=count)
        elif was_open and not is_open:
            self.emit("DoorClosed", Seconds=round(float(self["door_open_time"]), 1))
        self["door_open"], self["door_open_time"] = is_open, self._open_s if is_open else self["door_open_time"]

    def run(self) -> Process:
        """One truck after the other, while the dock is in service."""
        while True:
            yield self.wait(float(self.random.exponential(float(self.settings["truck_interval"]))) + 5.0)
            if not self["in_service"]:
                continue
            outbound = self.settings["traffic"] == "outbound" or (
                self.settings["traffic"] == "both" and bool(self.random.random() < 0.5)
            )
            letters = "".join(LETTERS[int(self.random.integers(len(LETTERS)))] for _ in range(2))
            self["truck"] = f"{letters} {int(self.random.integers(1000, 10_000))}"
            self["state"], self["outbound"] = OCCUPIED, outbound
            self["pallets_planned"] = int(self.random.integers(4, int(self.settings["truck_capacity"]) + 1))
            self["pallets_done"] = 0
            self.emit("TruckArrived", Truck=self["truck"], Pallets=self["pallets_planned"], Outbound=outbound)
            yield self.wait(PREPARE_S)
            self._wanted = True
            yield self.wait(DOOR_S)
            self["state"] = LOADING
            yield from self._move_pallets(outbound=outbound)
            self._wanted = False
            yield self.wait(DOOR_S + PREPARE_S)
            self.emit("TruckLeft", Truck=self["truck"], Pallets=self["pallets_done"])
            self["trucks"] = int(self["trucks"]) + 1
            self["truck"], self["state"] = "", FREE

    def _move_pallets(self, *, outbound: bool) -> Process:
        """Pallet by pallet; when none comes, or there is no room, for too long, the truck has had enough."""
        lane = self.lane("parts_in" if outbound else "parts_out")
        while int(self["pallets_done"]) < int(self["pallets_planned"]):
            yield self.wait(float(self.settings["pallet_time"]) * float(self.random.uniform(0.8, 1.2)))
            if outbound:
                turn = lane.get()
            else:
                self._made += 1
                turn = lane.put(
                    Part(f"{self.path}-{self._made:05d}", born_s=self.now_s, trail=[(self.path, self.now_s)])
                )
            yield turn | self.wait(PATIENCE_S)
            if not turn.triggered:
                lane.cancel(turn)
                return
            if outbound:
                turn.value.trail.append((self.path, self.now_s))
                self["last_pallet"] = turn.value.identity
            else:
                self["last_pallet"] = f"{self.path}-{self._made:05d}"
            self["pallets_done"] = int(self["pallets_done"]) + 1
            self["pallets"] = int(self["pallets"]) + 1


BEHAVIOUR = LoadingDock
