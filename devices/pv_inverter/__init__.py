"""A three-phase PV inverter on an array and the grid."""

from __future__ import annotations

import math

from devices.pv_inverter.array import Array, clear_sky
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

NOMINAL_V = 230.0
OFF, SLEEPING, STARTING, BEST_POINT, THROTTLED, FAULT, STANDBY = 1, 2, 3, 4, 5, 7, 8
GRID_LOST, BY_HAND, HOT = 1 << 4, 1 << 6, 1 << 7
OWN_LOSS, LOSS, SQUARE_LOSS = 0.003, 0.006, 0.010
"""Losses: a part of the rated power, of the power, and of its square over the rated power."""
NIGHT_W = 25.0
WAKE, SLEEP = 0.01, 0.005
"""Parts of the rated power that the array must be able to give to wake up, and to stay awake."""
RAMP_PER_S = 0.1
DERATE_C, DERATE_PER_K = 70.0, 0.05
LEAST_PF = 0.8
_LIMIT = ("limit_percent", "limit_enabled")


def losses(power: float, rated: float) -> float:
    """What the inverter keeps while it gives ``power`` (W)."""
    return OWN_LOSS * rated + LOSS * power + SQUARE_LOSS * power * power / rated


def output(dc: float, rated: float) -> float:
    """The power that an inverter of ``rated`` W makes of ``dc`` W: what is left after its losses."""
    a, b, c = SQUARE_LOSS / rated, 1 + LOSS, OWN_LOSS * rated - dc
    return max((-b + math.sqrt(b * b - 4 * a * c)) / (2 * a), 0.0) if c < 0 else 0.0


class PvInverter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """Asleep, or about to start when there is sun."""
        self._cover = 0.0  # how far the clouds are from their mean
        self._waited = 0.0  # since sun and grid are there
        self._ramp = 0.0  # part of the rated power that is let through
        self._limited_at = 0.0
        self._hour = float(self.settings["hour"])
        self._temperature = float(self.settings["ambient_temperature"])
        self._grid = [0.0, 0.0, 0.0, 0.0]
        self["serial_number"] = self.serial
        self.configured("energy_start")
        self["cabinet_temperature"], self["frequency"] = self._temperature, 50.0
        self["state"] = SLEEPING

    def configured(self, name: str) -> None:
        """A new hour moves the sun; a new start value sets the energy."""
        if name == "energy_start":
            self["energy"] = float(self.settings["energy_start"])
        if name == "hour":
            self._hour = float(self.settings["hour"])

    def guard(self, tag: Tag, value: Value) -> int:
        """No power factor below 0.8; every write of the limit, also of the same value, renews it."""
        if tag.name == "pf_setpoint" and abs(float(value)) < LEAST_PF:
            return status.BAD_OUT_OF_RANGE
        if tag.name in _LIMIT:
            self._limited_at = self.now_s
        return status.GOOD

    def step(self, dt: float) -> None:
        """Sun, state, then power from the array to the grid."""
        array = self._sun(dt)
        rated = 1000 * float(self.settings["rated_power"])
        present = self.settings["grid"] == "present"
        available = output(array.best[1], rated)
        revert = int(self["limit_revert"])
        if self["limit_enabled"] and revert and self.now_s - self._limited_at >= revert:
            self["limit_enabled"] = False
        allowed = self._allowed(rated)
        self._choose(available / rated, allowed < available, present=present, dt=dt)
        feeding = self["state"] in (BEST_POINT, THROTTLED)
        wanted = min(allowed / rated, available / rated)
        self._ramp = min(self._ramp + RAMP_PER_S * dt, max(wanted, self._ramp - RAMP_PER_S * dt)) if feeding else 0.0
        power = min(self._ramp * rated, available) if feeding else 0.0
        if feeding:
            self["state"] = BEST_POINT if power >= available * (1 - 1e-9) else THROTTLED
        self._direct(array, power, rated, available, feeding=feeding)
        self._alternate(power if feeding or not present else -NIGHT_W, present=present, feeding=feeding)
        self["energy"] = float(self["energy"]) + power * dt / 3600
        ambient = float(self.settings["ambient_temperature"])
        target = ambient + 34 * power / rated + 4 * feeding
        self._temperature += (target - self._temperature) * (1 - math.exp(-dt / 600))
        self["cabinet_temperature"] = self._temperature
        hot = HOT * (self._temperature > DERATE_C)
        self["events"] = GRID_LOST * (not present) | BY_HAND * (not self["connect"]) | hot

    def _sun(self, dt: float) -> Array:
        push, *grid = self.random.standard_normal(5).tolist()
        self._hour = (self._hour + float(self.settings["sun_speed"]) * dt / 3600) % 24
        self._cover += -self._cover * dt / 45 + math.sqrt(2 * dt / 45) * push
        for index, (noise, seconds) in enumerate(zip(grid, (60, 25, 25, 25), strict=True)):
            self._grid[index] += -self._grid[index] * dt / seconds + math.sqrt(2 * dt / seconds) * noise
        mean = float(self.settings["clouds"]) / 100
        cover = min(max(mean + 0.35 * self._cover * min(4 * mean, 1.0), 0.0), 1.0)
        irradiance = clear_sky(self._hour) * (1 - 0.75 * cover)
        self["irradiance"] = irradiance
        peak = 1000 * float(self.settings["array_power"])
        return Array.lit(peak, irradiance, float(self.settings["ambient_temperature"]))

    def _allowed(self, rated: float) -> float:
        """The most active power that limit, power factor and heat let through, W."""
        factor = abs(float(self["pf_setpoint"])) if self["pf_enabled"] else 1.0
        limit = float(self["limit_percent"]) / 100 if self["limit_enabled"] else 1.0
        heat = max(1 - DERATE_PER_K * max(self._temperature - DERATE_C, 0.0), 0.0)
        return rated * min(factor, limit, heat)

    def _choose(self, available: float, held: bool, *, present: bool, dt: float) -> None:
        """The state, by sun, grid and hand; it connects after a wait in which both were there."""
        state = self["state"]
        feeding = state in (BEST_POINT, THROTTLED)
        sunny = available > (SLEEP if feeding or state == STARTING else WAKE)
        if not present:
            state = FAULT
        elif not self["connect"]:
            state = STANDBY
        elif not sunny:
            state = SLEEPING
        elif not feeding:
            state = STARTING
        self._waited = self._waited + dt if state == STARTING else 0.0
        if state == STARTING and self._waited >= float(self.settings["start_delay"]):
            state = THROTTLED if held else BEST_POINT
        self["state"] = state

    def _direct(self, array: Array, power: float, rated: float, available: float, *, feeding: bool) -> None:
        """The point on the array's curve: the best one, or nearer to the open array when power is held back."""
        if not feeding:
            voltage, dc = (array.open if array.short > 0 else 0.0), 0.0
        elif power >= available:
            voltage, dc = array.best
        else:
            dc = min(power + losses(power, rated), array.best[1])
            voltage = array.voltage_for(dc)
        self["dc_voltage"] = voltage = max(voltage, 0.0)
        self["dc_power"] = dc
        self["dc_current"] = dc / voltage if voltage else 0.0

    def _alternate(self, power: float, *, present: bool, feeding: bool) -> None:
        """Voltages of the grid, and currents that carry P and Q in three equal parts of the power."""
        common, *own = self._grid
        volts = [NOMINAL_V * (1 + 0.005 * common + 0.002 * each) if present else 0.0 for each in own]
        factor = float(self["pf_setpoint"]) if self["pf_enabled"] and feeding else 1.0
        reactive = math.copysign(abs(power) * math.tan(math.acos(abs(factor))), factor) if power else 0.0
        apparent = math.hypot(power, reactive)
        currents = [apparent / 3 / volt if volt else 0.0 for volt in volts]
        for phase, (volt, current) in enumerate(zip(volts, currents, strict=True), 1):
            after = volts[phase % 3]
            self[f"voltage_l{phase}"], self[f"current_l{phase}"] = volt, current
            self[f"voltage_l{phase}{phase % 3 + 1}"] = math.sqrt(volt * volt + after * after + volt * after)
        self["current"] = sum(currents)
        self["active_power"], self["reactive_power"], self["apparent_power"] = power, reactive, apparent
        self["power_factor"] = power / apparent if apparent else 1.0
        self["frequency"] = 50 + 0.01 * common if present else 0.0


BEHAVIOUR = PvInverter
