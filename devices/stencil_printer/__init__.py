"""A stencil printer with paste inspection."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from devices.smt.joint import PAD_SD, extreme
from devices.smt.station import SERVICE, Station
from labsim.plant import status
from labsim.plant.flow import Lane, Part
from labsim.plant.tags import Value

BOARD_SD = 2.5
"""Standard deviation of a board's mean volume about what it should be, %."""
SMEAR = 0.5
"""Paste below the stencil makes the largest deposits larger, % per board since it was cleaned."""
OFFSET_UM = 12.0
PRESSURE_N, SPEED_MM_S = 80.0, 50.0
PER_PRESSURE, PER_SPEED = -0.08, -0.12
"""% of volume per N and per mm/s away from the usual: more pressure scoops, more speed fills less."""
STROKE_MM = 300.0
USED_G = 0.9
"""Paste on a board, g."""


class StencilPrinter(Station):
    """See README.md of this folder for the model and its sources."""

    working_kw = 1.8

    def start(self) -> None:
        """A clean stencil and a fresh cartridge."""
        super().start()
        self._lost = 0.0  # volume that cleaning does not bring back, %
        self["paste_left"] = float(self.settings["cartridge"])

    def faulted(self, name: str) -> None:
        """A drift begins from nothing, and is gone when the squeegee and the paste are new."""
        if name == "paste-drift" and name not in self.faults:
            self._lost = 0.0

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Clean the stencil before the next board, or begin and end production."""
        if name == "clean":
            self["clean_request"] = True
            return status.GOOD, ()
        return super().call(name, arguments)

    def work(self, part: Part) -> Generator[simpy.Event, Any, Lane | None]:
        """Clean or feed paste when it is time, then print and measure."""
        since = int(self["boards_since_clean"])
        if self["clean_request"] or since >= int(self["clean_interval"]):
            yield self.busy(float(self.settings["cleaning_time"]), SERVICE)
            self["clean_request"], self["boards_since_clean"] = False, 0
            self["cleanings"] = int(self["cleanings"]) + 1
        if float(self["paste_left"]) < USED_G:
            yield from self.service(float(self.settings["paste_time"]))
            self["paste_left"] = float(self.settings["cartridge"])
        stroke = STROKE_MM / SPEED_MM_S - STROKE_MM / float(self["squeegee_speed"])
        yield self.busy(max(float(self.settings["cycle"]) - stroke, 1.0))
        self._print(part)
        if float(self["paste_volume_min"]) < float(self["inspection_limit"]):
            part.good = False
            self["boards_washed"] = int(self["boards_washed"]) + 1
            return None
        return self.lane("boards_out")

    def _print(self, part: Part) -> None:
        """The volumes of this board: the mean falls with every board since cleaning, the worst pads lie apart."""
        since = int(self["boards_since_clean"])
        drift = self.faults.get("paste-drift")
        if drift is not None:
            self._lost = min(self._lost + drift["rate"], 90.0)
        mean = 100 - float(self.settings["clogging"]) * since - self._lost
        mean += PER_PRESSURE * (float(self["squeegee_pressure"]) - PRESSURE_N)
        mean += PER_SPEED * (float(self["squeegee_speed"]) - SPEED_MM_S)
        mean = max(mean + BOARD_SD * float(self.random.standard_normal()), 2.0)
        spread = PAD_SD * mean / 100
        low = max(mean - spread * extreme(self.random), 0.0)
        high = min(mean + spread * extreme(self.random) + SMEAR * since, 400.0)
        x, y = (OFFSET_UM * self.random.standard_normal(2)).clip(-150, 150).tolist()
        figures: dict[str, float] = {
            "paste_volume": mean, "paste_volume_min": low, "paste_volume_max": high, "print_offset_x": x, "print_offset_y": y,
        }  # fmt: skip
        for name, value in figures.items():
            self[name] = part.marks[name] = round(value, 2)
        self["boards_since_clean"] = since + 1
        self["paste_left"] = max(float(self["paste_left"]) - USED_G * mean / 100, 0.0)
        self.emit(
            "BoardPrinted", Board=part.identity, Volume=part.marks["paste_volume"], Least=part.marks["paste_volume_min"]
        )


BEHAVIOUR = StencilPrinter
