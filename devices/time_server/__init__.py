"""A time server of the site: right by default, and wrong in the ways time servers are."""

from __future__ import annotations

from labsim.plant.device import Device

_UNSYNCHRONISED = 16
_WANDER_S = 2e-6


class TimeServer(Device):
    """Its offset wanders by microseconds; drift and false time are its faults."""

    def start(self) -> None:
        """Set right when the plant starts."""
        self._drifted = 0.0
        self._wander = 0.0
        self.step(0.0)

    def step(self, dt: float) -> None:
        """What it is off by, in seconds."""
        self._wander = 0.99 * self._wander + _WANDER_S * float(self.random.standard_normal())
        drift = self.faults.get("drift")
        self._drifted = self._drifted + drift["ppm"] * 1e-6 * dt if drift is not None else 0.0
        false = self.faults.get("false-time")
        offset = float(self.settings["offset"]) + self._wander + self._drifted + (false["offset"] if false else 0.0)
        synchronised = "no-reference" not in self.faults
        self["offset"] = offset
        self["stratum"] = int(self.settings["stratum"]) if synchronised else _UNSYNCHRONISED
        self["synchronised"] = synchronised


BEHAVIOUR = TimeServer
