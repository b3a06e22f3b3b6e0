"""A monitor of one work unit: times, quantities and OEE, from what the unit's signals tell."""

from __future__ import annotations

from collections.abc import Sequence

from devices.oee_monitor.indicators import Indicators
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.flow import TimeClass
from labsim.plant.tags import Tag, Value

_TIMES = {
    TimeClass.PRODUCING: "production_time", TimeClass.SETUP: "setup_time", TimeClass.STARVED: "starved_time",
    TimeClass.BLOCKED: "blocked_time", TimeClass.MINOR_STOP: "minor_stop_time", TimeClass.DOWN: "down_time",
    TimeClass.IDLE: "idle_time", TimeClass.PLANNED: "planned_stop_time",
}  # fmt: skip


class OeeMonitor(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """Nothing observed yet."""
        self._unit = self.signals("unit")[0]
        self._planned = bool(self.settings["planned_stop"])
        self._second = 0
        self["serial_number"] = int(self.serial)
        self["planned_time_per_item"] = self.settings["planned_time_per_item"]
        self._begin()

    def _begin(self) -> None:
        self._seen = self._unit.seconds()
        self._seconds = [0.0] * len(TimeClass)
        self._parts = (self._unit.made, self._unit.bad, self._unit.reworked)
        self._show()

    def _observe(self) -> None:
        """Book what the unit's time was since the last look."""
        now = self._unit.seconds()
        for kind in TimeClass:
            counts_as = TimeClass.PLANNED if self._planned else kind
            self._seconds[counts_as] += now[kind] - self._seen[kind]
        self._seen = now

    def configured(self, name: str) -> None:
        """A planned stop begins or ends now; another plan counts."""
        if name == "planned_time_per_item":
            self["planned_time_per_item"] = self.settings[name]
        if name == "planned_stop":
            self._observe()
            self._planned = bool(self.settings[name])

    def take(self, tag: Tag, value: Value) -> Value:
        """Begin anew at once."""
        if tag.name == "reset" and value:
            self._begin()
            return False
        return value

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Begin anew."""
        if name == "begin_anew":
            self._begin()
            return status.GOOD, ()
        return super().call(name, arguments)

    def step(self, dt: float) -> None:  # noqa: ARG002 - whole seconds of plant time count
        """Look once a second."""
        self["doing"] = int(TimeClass.PLANNED if self._planned else self._unit.doing)
        if int(self.now_s) != self._second:
            self._second = int(self.now_s)
            self._observe()
            self._show()

    def _show(self) -> None:
        made, bad, reworked = (
            now - then
            for now, then in zip((self._unit.made, self._unit.bad, self._unit.reworked), self._parts, strict=True)
        )
        found = Indicators(self._seconds, float(self["planned_time_per_item"]), made, made - bad)
        for kind, name in _TIMES.items():
            self[name] = self._seconds[kind]
        self["elapsed_time"], self["planned_busy_time"] = found.elapsed, found.planned_busy
        self["produced_quantity"], self["good_quantity"] = made, made - bad
        self["scrap_quantity"], self["rework_quantity"] = bad, reworked
        self["availability"], self["effectiveness"] = 100 * found.availability, 100 * found.effectiveness
        self["quality_rate"], self["oee"] = 100 * found.quality, 100 * found.oee
        self["biggest_loss"] = found.biggest_loss()


BEHAVIOUR = OeeMonitor
