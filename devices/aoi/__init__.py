"""Automatic optical inspection at the end of an SMT line."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import simpy

from devices.smt.joint import BRIDGE, INSUFFICIENT, MISPLACED, MISSING, NONE, REFLOW, chances, typical
from devices.smt.station import Station
from labsim.plant.flow import Lane, Part

COUNTERS = {
    INSUFFICIENT: "defects_insufficient", BRIDGE: "defects_bridge", MISPLACED: "defects_misplaced",
    MISSING: "defects_missing", REFLOW: "defects_reflow",
}  # fmt: skip
WINDOW = 50
"""Boards over which the yield is shown."""


class Aoi(Station):
    """See README.md of this folder for the model and its sources."""

    working_kw = 0.7

    def start(self) -> None:
        """Nothing inspected yet."""
        super().start()
        self._last: deque[bool] = deque(maxlen=WINDOW)

    def work(self, part: Part) -> Generator[simpy.Event, Any, Lane | None]:
        """Inspect; a called board is reviewed by a person, who finds false calls."""
        yield self.busy(float(self.settings["cycle"]))
        true, called = self._look(part)
        if called:
            self["boards_called"] = int(self["boards_called"]) + 1
            yield from self.service(float(self.settings["review_time"]))
        failed = called != NONE and true != NONE
        if called and not failed:
            self["false_calls"] = int(self["false_calls"]) + 1
        part.marks["defect"] = true  # what nobody at the endpoints is told
        self._count(part, called, failed)
        return self.lane("rejects_out") if failed else self.lane("boards_out")

    def _look(self, part: Part) -> tuple[int, int]:
        """What the board truly has, and what the machine calls; 0 is nothing."""
        marks = (
            part.marks if "paste_volume_min" in part.marks or "peak_temperature" in part.marks else typical(self.random)
        )
        draws = self.random.random(len(COUNTERS) + 2).tolist()
        true = next(
            (cause for (cause, chance), draw in zip(chances(marks).items(), draws, strict=False) if draw < chance), NONE
        )
        strict = self.faults.get("threshold-moved")
        false = strict["rate"] if strict is not None else float(self.settings["false_call_rate"])
        if true != NONE:
            return true, true if draws[-2] >= float(self.settings["escape_rate"]) / 100 else NONE
        wrong = 1 + int(self.random.integers(len(COUNTERS)))
        return NONE, wrong if draws[-1] < false / 100 else NONE

    def _count(self, part: Part, called: int, failed: bool) -> None:
        part.good = part.good and not failed
        part.marks["aoi_call"], part.marks["aoi_failed"] = called, failed
        self["board_call"], self["board_failed"] = called, failed
        for name in ("boards_inspected", *(("boards_failed", COUNTERS[called]) if failed else ())):
            self[name] = int(self[name]) + 1
        self._last.append(not failed)
        self["yield_recent"] = 100 * sum(self._last) / len(self._last)
        self["yield_total"] = 100 * (1 - int(self["boards_failed"]) / int(self["boards_inspected"]))
        self.emit("BoardInspected", Board=part.identity, Call=called, Failed=failed)


BEHAVIOUR = Aoi
