"""A pick-and-place machine with six feeders."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from devices.smt.joint import OFFSET_SD_UM, extreme
from devices.smt.station import MATERIAL, Station
from labsim.plant import status
from labsim.plant.device import Process
from labsim.plant.flow import Lane, Part
from labsim.plant.tags import Value

NEEDS = (80, 60, 40, 20, 12, 8)
"""Components of one board by feeder."""
RETRY_S = 0.35
REST_S = 4.0
"""Board in, clamped, fiducials read, out."""
WARM_TAU_S, WARM_UM = 1800.0, 6.0
"""The gantry grows as it gets warm: its offset comes to this."""
MISSED = 0.004
"""Part of the boards from which a component falls unseen after a wrong pick."""


class PickAndPlace(Station):
    """See README.md of this folder for the model and its sources."""

    working_kw = 3.2

    def start(self) -> None:
        """Reels of which some are used already."""
        super().start()
        self._warm = 0.0
        reel = int(self.settings["reel"])
        for number in range(1, len(NEEDS) + 1):
            self[f"feeder{number}_parts"] = int(reel * self.random.uniform(0.4, 1.0))

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Put a new reel on a feeder, or begin and end production."""
        if name == "refill":
            number = int(arguments[0])
            if not 1 <= number <= len(NEEDS):
                return status.BAD_INVALID_ARGUMENT, ()
            left = self._refill(number)
            return status.GOOD, (left,)
        return super().call(name, arguments)

    def _refill(self, number: int) -> int:
        left = int(self[f"feeder{number}_parts"])
        self[f"feeder{number}_parts"] = int(self.settings["reel"])
        self["reels_changed"] = int(self["reels_changed"]) + 1
        return left

    def work(self, part: Part) -> Generator[simpy.Event, Any, Lane | None]:
        """Wait for material, pick and place, count what went wrong."""
        yield from self._material()
        picks, wrong = self._pick()
        seconds = REST_S + sum(NEEDS) * 3600 / float(self.settings["speed"]) + RETRY_S * wrong
        yield self.busy(seconds)
        self["placements"] = int(self["placements"]) + sum(NEEDS)
        self["picks"], self["mispicks"] = int(self["picks"]) + picks, int(self["mispicks"]) + wrong
        self["pick_rate"] = 100 * (1 - int(self["mispicks"]) / int(self["picks"]))
        self._place(part, wrong)
        return self.lane("boards_out")

    def _material(self) -> Process:
        """An empty feeder stops the machine until a reel is put on, by a call or by an operator."""
        for number, need in enumerate(NEEDS, 1):
            if int(self[f"feeder{number}_parts"]) >= 2 * need:
                continue
            self["empty_feeder"] = number
            changing = self.env.process(self._change(number, 2 * need))
            while int(self[f"feeder{number}_parts"]) < 2 * need:
                yield self.busy(1.0, MATERIAL)
            yield changing
        self["empty_feeder"] = 0

    def _change(self, number: int, enough: int) -> Process:
        """An operator comes with a reel, unless somebody has put one on meanwhile."""
        with self.crew.request() as operator:
            yield operator
            left = float(self.settings["operator_time"])
            while left > 0 and int(self[f"feeder{number}_parts"]) < enough:
                yield self.wait(1.0)
                left -= 1.0
            if int(self[f"feeder{number}_parts"]) < enough:
                self._refill(number)

    def _pick(self) -> tuple[int, int]:
        """Take a board's components off the reels; picks in all, and those that were wrong."""
        picks = wrong = 0
        bad = self.faults.get("nozzle-clogged")
        for number, need in enumerate(NEEDS, 1):
            rate = float(self.settings["mispick_rate"]) / 100
            if bad is not None and int(bad["feeder"]) == number:
                rate = bad["rate"] / 100
            missed = min(int(self.random.negative_binomial(need, 1 - rate)) if rate > 0 else 0, need)
            self[f"feeder{number}_parts"] = int(self[f"feeder{number}_parts"]) - need - missed
            picks, wrong = picks + need + missed, wrong + missed
        return picks, wrong

    def _place(self, part: Part, wrong: int) -> None:
        """Where the worst component came to lie, and whether one is missing."""
        self._warm += (WARM_UM - self._warm) * min(float(self["cycle_time"]) / WARM_TAU_S, 1.0)
        shifted = self.faults.get("camera-shifted")
        bias = self._warm + (shifted["shift"] if shifted is not None else 0.0)
        x = bias + 2.0 * float(self.random.standard_normal())
        y = 2.0 * float(self.random.standard_normal())
        worst = min(OFFSET_SD_UM * extreme(self.random) + max(abs(x) - WARM_UM, 0.0), 500.0)
        missing = sum(float(self.random.random()) < MISSED for _ in range(min(wrong, 20)))
        missing += float(self.random.random()) < float(self.settings["missing_rate"]) / 100
        self["offset_x"], self["offset_y"] = min(max(x, -300.0), 300.0), y
        self["placement_offset"], self["components_missing"] = worst, missing
        part.marks["placement_offset"], part.marks["components_missing"] = round(worst, 2), missing
        self.emit("BoardPlaced", Board=part.identity, Mispicks=wrong, Offset=round(worst, 2))


BEHAVIOUR = PickAndPlace
