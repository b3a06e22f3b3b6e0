"""What goes wrong with a machine of a packaging line: breakdowns, minor stops, jams, emergency stops, power and air that fail."""

from __future__ import annotations

import math

from devices.packml.machine import PackmlMachine
from devices.packml.reason import Reason
from devices.packml.state import Command, after
from labsim.plant.device import Process
from labsim.plant.flow import Supply

AIR_LOW_BAR, AIR_GOOD_BAR = 4.5, 5.0
MINOR_STOP_S = (5.0, 40.0)
JAM_S = (15.0, 45.0)
REPAIR_SIGMA = 0.8
HELD_BY = {Reason.JAM, Reason.LOW_AIR}
"""Faults that hold a machine; the others abort it."""


class TroubledMachine(PackmlMachine):
    """A machine that breaks by working time, and is mended by the plant's operators.

    Attributes:
        power, air: What it is supplied with; air is None where nothing is joined.
        minor: Whether it stands in a minor stop.
        to_failure, to_minor: Seconds of work until the next breakdown and the next minor stop.
    """

    def start(self) -> None:
        """Everything whole."""
        super().start()
        self.minor = False
        self.power = self.supplies("power")[0]
        joined = self.flows.get("air", [])
        self.air = joined[0] if joined and isinstance(joined[0], Supply) else None
        self.to_failure, self.to_minor = self.draw_failure(), self.draw_minor()

    def resume(self) -> None:
        """Nothing is wrong any more: work may go on."""

    def configured(self, name: str) -> None:
        """Another rate counts from now on."""
        super().configured(name)
        if name == "mtbf":
            self.to_failure = self.draw_failure()
        elif name == "minor_stops_per_hour":
            self.to_minor = self.draw_minor()

    def draw_failure(self) -> float:
        """Working seconds to the next breakdown."""
        mean = float(self.settings["mtbf"])
        return float(self.random.exponential(mean)) if mean else math.inf

    def draw_minor(self) -> float:
        """Working seconds to the next minor stop."""
        rate = float(self.settings["minor_stops_per_hour"])
        if "minor-stops" in self.faults:
            rate += float(self.faults["minor-stops"]["per_hour"])
        return float(self.random.exponential(3600 / rate)) if rate else math.inf

    def stop_shortly(self) -> Process:
        """A short stop that goes by itself: a dirty sensor, a part askew. The machine stays in Execute."""
        self.minor = True
        self.judge()
        yield self.wait(float(self.random.uniform(*MINOR_STOP_S)))
        self.minor = False
        self.to_minor = self.draw_minor()
        self.judge()

    def break_down(self) -> Process:
        """The machine aborts; an operator repairs it: lognormal, the setting is the median."""
        if self.fault:
            return
        self.fail(Reason.BREAKDOWN)
        with self.crew.request() as operator:
            yield operator
            scatter = REPAIR_SIGMA * min(max(float(self.random.standard_normal()), -2.0), 2.0)
            yield self.wait(float(self.settings["mttr"]) * math.exp(scatter))
        self._mend(Reason.BREAKDOWN)

    def _clear_jam(self) -> Process:
        with self.crew.request() as operator:
            yield operator
            yield self.wait(float(self.random.uniform(*JAM_S)))
        if "jam" not in self.faults:
            self._mend(Reason.JAM)

    def faulted(self, name: str) -> None:
        """A jam holds the machine, an emergency stop aborts it; short stops come more often."""
        on = name in self.faults
        if name == "jam" and on:
            self.fail(Reason.JAM)
        elif name == "jam" and self.fault is Reason.JAM:
            self.env.process(self._clear_jam())
        elif name == "emergency-stop" and on:
            self.fault = Reason.NONE  # it comes before everything else
            self.fail(Reason.EMERGENCY_STOP)
        elif name == "emergency-stop":
            self._mend(Reason.EMERGENCY_STOP)
        elif name == "minor-stops":
            self.to_minor = self.draw_minor()

    def fail(self, fault: Reason) -> None:
        """A fault begins: the machine holds or aborts by itself, now or as soon as it would work again."""
        if self.fault:
            return
        self.fault = fault
        state = after(self.state, Command.HOLD if fault in HELD_BY else Command.ABORT, self.mode)
        self.judge()
        if state is not None:
            self.enter(state)

    def _mend(self, fault: Reason) -> None:
        if self.fault is fault:
            self.fault = Reason.NONE
            self.judge()
            for name, still in (("emergency-stop", Reason.EMERGENCY_STOP), ("jam", Reason.JAM)):
                if name in self.faults:
                    self.fail(still)
            self.resume()
            self.press_later()

    def supplied(self) -> None:
        """Power and air as they come in."""
        if self.power.level < 0.5:
            self.fail(Reason.NO_POWER)
        elif self.fault is Reason.NO_POWER:
            self._mend(Reason.NO_POWER)
        if self.air is not None:
            if self.air.level < AIR_LOW_BAR:
                self.fail(Reason.LOW_AIR)
            elif self.air.level > AIR_GOOD_BAR and self.fault is Reason.LOW_AIR:
                self._mend(Reason.LOW_AIR)
