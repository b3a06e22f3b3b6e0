"""A sealing machine: caps on bottles, torque checked, what is defective thrown out."""

from __future__ import annotations

from devices.packml.unit import PackmlUnit
from labsim.plant.device import Process
from labsim.plant.flow import Part

NONE, INCOMING, NO_CAP, TORQUE_LOW, TORQUE_HIGH = range(5)
AGAIN = 0.6
"""A second tightening takes this part of a cycle."""
REFILLED_AT = 0.1
LOOKS_EVERY_S = 5.0
_COUNTERS = {
    INCOMING: "rejected_incoming_count",
    NO_CAP: "rejected_cap_count",
    TORQUE_LOW: "rejected_torque_count",
    TORQUE_HIGH: "rejected_torque_count",
}


class SealingMachine(PackmlUnit):
    """See README.md of this folder for the model and its sources."""

    idle_kw, busy_kw, air_m3h = 0.3, 1.8, 4.0

    def start(self) -> None:
        """A full hopper."""
        self["cap_level"] = int(self.settings["hopper_size"])
        self._refilling = False
        super().start()

    def lacks_material(self) -> bool:
        """No cap is left. An operator refills the hopper before that."""
        if not self._refilling and float(self["cap_level"]) <= REFILLED_AT * float(self.settings["hopper_size"]):
            self._refilling = True
            self.env.process(self._refill())
        return not self["cap_level"]

    def _refill(self) -> Process:
        with self.crew.request() as operator:
            yield operator
            yield self.wait(float(self.settings["hopper_refill_time"]))
        while "low-material" in self.faults:
            yield self.wait(LOOKS_EVERY_S)
        self["cap_level"], self._refilling = int(self.settings["hopper_size"]), False

    def work(self, part: Part) -> Process:
        """Cap, tighten, check; a cap that is loose is tightened once more."""
        cycle = self.cycle_s()
        yield from self.spend(cycle)
        self["cap_present"] = False
        if not part.good:
            self._judge(part, INCOMING)
            return
        if self.random.random() < float(self.settings["scrap_rate"]) / 100:
            self._judge(part, NO_CAP)
            return
        self["cap_level"], self["cap_present"] = max(int(self["cap_level"]) - 1, 0), True
        if self._tighten() < float(self.settings["torque_low"]):
            self.count("rework_count")
            for signals in self.watchers:
                signals.reworked += 1
            yield from self.spend(AGAIN * cycle)
            self._tighten()
        part.marks["torque"] = torque = float(self["torque"])
        low, high = float(self.settings["torque_low"]), float(self.settings["torque_high"])
        self._judge(part, TORQUE_LOW if torque < low else TORQUE_HIGH if torque > high else NONE)

    def _tighten(self) -> float:
        scatter = float(self.settings["torque_scatter"]) / 100 * float(self.random.standard_normal())
        self["torque"] = torque = min(max(float(self["torque_setpoint"]) * (1 + scatter), 0.0), 10.0)
        return torque

    def _judge(self, part: Part, reason: int) -> None:
        self["reject_reason"] = reason
        if reason:
            part.good = False
            self.count(_COUNTERS[reason])

    def rejects(self, part: Part) -> bool:
        """What is defective leaves the line here."""
        return not part.good


BEHAVIOUR = SealingMachine
