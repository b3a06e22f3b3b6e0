"""A loading machine: bottles from pallets onto a line."""

from __future__ import annotations

from devices.packml.unit import PackmlUnit
from labsim.plant.device import Process
from labsim.plant.flow import Part

LOOKS_EVERY_S = 5.0
"""So often an operator looks for a full pallet when there was none."""


class LoadingMachine(PackmlUnit):
    """See README.md of this folder for the model and its sources."""

    idle_kw, busy_kw = 0.3, 1.6

    def start(self) -> None:
        """A full pallet."""
        self["pallet_level"] = int(self.settings["pallet_size"])
        super().start()

    def lacks_material(self) -> bool:
        """The pallet is empty: an operator changes it."""
        if self["pallet_level"]:
            return False
        if not self["pallet_change"]:
            self["pallet_change"] = True
            self.env.process(self._change_pallet())
        return True

    def _change_pallet(self) -> Process:
        self["pallets_used"] = int(self["pallets_used"]) + 1
        with self.crew.request() as operator:
            yield operator
            yield self.wait(float(self.settings["pallet_change_time"]))
        while "low-material" in self.faults:
            yield self.wait(LOOKS_EVERY_S)
        self["pallet_level"], self["pallet_change"] = int(self.settings["pallet_size"]), False

    def work(self, part: Part) -> Process:
        """Pick a bottle and look at it."""
        yield from self.spend(self.cycle_s())
        self["pallet_level"] = int(self["pallet_level"]) - 1
        if self.random.random() < float(self.settings["scrap_rate"]) / 100:
            part.good = False
            self["damaged_count"] = int(self["damaged_count"]) + 1

    def rejects(self, part: Part) -> bool:
        """Damaged bottles do not go onto the line."""
        return not part.good


BEHAVIOUR = LoadingMachine
