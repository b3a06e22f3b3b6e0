"""A reflow oven with eight zones, a conveyor and recipes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import simpy
from numpy.typing import NDArray

from devices.reflow_oven.belt import GAP_M, LENGTH_M, Air, Board, cooling_tau
from devices.reflow_oven.recipe import PARAMETERS, SETPOINTS, STAGED, TOLERANCES, checksum, possible
from devices.reflow_oven.zones import RATING_KW, ZONES, Row, Zones
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.flow import TimeClass
from labsim.plant.tags import Tag, Value

COLD, HEATING, READY, PRODUCTION, FAULT = range(5)
NO_FAULT, TOO_HOT = range(2)
OUT_OF_SERVICE, NOT_EXECUTING, EXECUTING = 1, 2, 3
NOT_LOADED, LOADED, IN_PRODUCTION, BAD_CHECKSUM, IMPOSSIBLE = range(5)
TRIP_C, RESET_C = 320.0, 290.0
"""An independent thermostat on the true air temperature."""
READY_S = 5.0
LOAD_K = 0.24
"""K that a zone loses, in the end, for each K by which a board in it is colder."""
REFERENCE_NOISE_K = 0.02
AIR_PPM, NITROGEN_PPM, PURGE_S = 209_500.0, 450.0, 90.0
BELT_TAU_S = 2.0
FANS_KW, BELT_KW = 1.6, 0.3
TEMPERATURES = tuple(f"zone{n}_temperature" for n in range(1, ZONES + 1))
OUTPUTS = tuple(f"zone{n}_output" for n in range(1, ZONES + 1))
ALARMS = tuple(f"zone{n}_alarm" for n in range(1, ZONES + 1))


class ReflowOven(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """An oven at its set-points, or a cold one, with the recipe of the interface."""
        self._veiled = -1
        self._places: dict[tuple[str, int], NDArray[np.intp]] = {}  # rows by first name and number of names
        ambient = float(self.settings["ambient_temperature"])
        goal = self._values(SETPOINTS)
        self._zones = Zones(goal if self.settings["starts_hot"] else np.full(ZONES, ambient), ambient)
        self._boards: list[Board] = []
        self._speed = float(self["conveyor_setpoint"]) if self.settings["starts_hot"] else 0.0
        self._oxygen = NITROGEN_PPM if self.settings["nitrogen"] else AIR_PPM
        self._cooling = ambient + 35.0
        self._reference = float(self._zones.celsius[int(self["reference_zone"]) - 1])
        self._steady = READY_S if self.settings["starts_hot"] else 0.0
        self._leaving: list[simpy.Event] = []
        self._entered_s = -1e9
        self._seen: tuple[bytes, bytes, str] | None = None
        self.store.set_span(self.tags[next(iter(STAGED))].row, self._active())
        self["production"] = bool(self.settings["autostart"])
        self["recipe_name"], self["recipe_version"] = "LF-STD", 3
        self["recipe_checksum"] = self._loaded = checksum(self._active())
        self._show_recipe()
        self._show(0.0, 0.0)

    def _values(self, names: Sequence[str]) -> Row:
        """True values of tags that stand one after the other."""
        if len(self.store.true) != self._veiled:  # a sensor chain or a fault lies over one more tag of the plant
            self._veiled, self._places = len(self.store.true), {}
        key = names[0], len(names)  # the 24 parameters begin with the set-points
        places = self._places.get(key)
        if places is None:
            rows = [self.tags[name].row for name in names]
            places = self._places[key] = np.array([self.store.true.get(row, row) for row in rows])
        return self.store.value[places]

    def _active(self) -> Row:
        return self._values(PARAMETERS)

    def _staged(self) -> Row:
        return self._values(tuple(STAGED))

    @property
    def _producing(self) -> bool:
        return bool(self["production"]) or bool(self._boards)

    # What clients do.

    def guard(self, tag: Tag, value: Value) -> int:
        """No set-point in work moves in production, and there is no production with a fault."""
        if (tag.name in SETPOINTS or tag.name == "conveyor_setpoint") and self._producing:
            return status.BAD_INVALID_STATE
        if tag.name == "production" and value and self["fault"]:
            return status.BAD_INVALID_STATE
        return status.GOOD

    def take(self, tag: Tag, value: Value) -> Value:
        """A staged set-point is clamped where the setting says so."""
        if STAGED.get(tag.name) in SETPOINTS:
            return min(float(value), float(self.settings["recipe_clamp"]))
        return value

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Load the staged recipe, reset a fault, begin or end production."""
        if name == "load_recipe":
            code, result = self._load(str(arguments[0]), int(arguments[1]), str(arguments[2]))
            self["recipe_result"] = result
            return code, (result,) if code == status.GOOD else ()
        if name == "reset":
            return self._reset(), ()
        if name == "start_production" and self["fault"]:
            return status.BAD_INVALID_STATE, ()
        self["production"] = name == "start_production"
        return status.GOOD, ()

    def _load(self, name: str, version: int, expected: str) -> tuple[int, int]:
        """All of the staged parameters become active, or none of them."""
        staged = self._staged()
        if self._producing:
            return status.BAD_INVALID_STATE, IN_PRODUCTION
        if expected.strip().upper() != checksum(staged):
            return status.BAD_INVALID_ARGUMENT, BAD_CHECKSUM
        if not name or not possible(staged):
            return status.BAD_OUT_OF_RANGE, IMPOSSIBLE
        self.store.set_span(self.tags[PARAMETERS[0]].row, staged)
        self["recipe_name"], self["recipe_version"] = name[:64], version
        self["recipe_checksum"] = self._loaded = checksum(self._active())
        self._steady = 0.0
        self.emit("RecipeLoaded", Name=name[:64], Version=version, Checksum=self._loaded)
        return status.GOOD, LOADED

    def _reset(self) -> int:
        if self["fault"] and float(self._zones.celsius.max()) > RESET_C:
            return status.BAD_INVALID_STATE
        self["fault"] = NO_FAULT
        return status.GOOD

    def faulted(self, name: str) -> None:
        """Somebody at the panel moves a set-point, also in production."""
        edit = self.faults.get(name)
        if name == "operator-edit" and edit is not None:
            tag = self.tags[f"zone{int(edit['zone'])}_setpoint"]
            assert tag.low is not None
            assert tag.high is not None
            self[tag.name] = min(max(float(self[tag.name]) + edit["change"], tag.low), tag.high)

    # What happens in order.

    def run(self) -> Process:
        """Board after board onto the conveyor, while the oven is ready and there is room."""
        lane = self.lane("boards_in")
        alone = not lane.empty and not len(lane)  # an open end: boards come as fast as they are taken
        while True:
            while not self._open:
                yield self.wait(0.5)
            part = yield lane.get()
            while not (self._open and self._room(alone)):
                yield self.wait(0.2)
            self._entered_s = self.now_s
            part.trail.append((self.path, self.now_s))
            self._boards.append(Board(part, self.now_s, float(self.settings["ambient_temperature"])))

    @property
    def _open(self) -> bool:
        """Whether boards may enter: production is on, the zones are steady and the outlet is not blocked."""
        return self["state"] == PRODUCTION and bool(self["production"]) and not self._leaving

    def _room(self, alone: bool) -> bool:
        if alone and self.now_s - self._entered_s < float(self.settings["board_interval"]):
            return False
        return not self._boards or self._boards[-1].metres >= GAP_M

    # What flows.

    def step(self, dt: float) -> None:
        """Control and heat the zones, carry the boards along, judge."""
        (power,) = self.supplies("power")
        live = power.level > 0
        if self["fault_reset"]:
            self["fault_reset"] = False
            self._reset()
        ambient = float(self.settings["ambient_temperature"])
        heating = live and bool(self["heating"]) and not self["fault"]
        measured, usable = self._measured()
        self._zones.control(dt, self._values(SETPOINTS), measured, usable, heating)
        strength = np.ones(ZONES)
        weak = self.faults.get("heater-half-power")
        if weak is not None:
            strength[int(weak["zone"]) - 1] = weak["left"] / 100
        load = self._carry(dt, live, ambient)
        self._zones.advance(dt, ambient, strength, load)
        if float(self._zones.celsius.max()) > TRIP_C:
            self["fault"], self["production"] = TOO_HOT, False
        self._gas(dt, live)
        heaters = float((self._zones.output * strength).sum()) / 100 * RATING_KW
        drawn = heaters + FANS_KW * heating + BELT_KW * (self._speed > 0.01)
        power.demand = drawn if live else 0.0
        self._judge(dt, live, heating, measured, usable)
        self._show_recipe()
        self._show(power.demand, dt)

    def _measured(self) -> tuple[Row, NDArray[np.bool_]]:
        """What the controllers go by: elements of their own, or what the zones' thermocouples show."""
        if self.settings["control_sensor"] == "own":
            return self._zones.celsius, np.ones(ZONES, np.bool_)
        first = self.tags[TEMPERATURES[0]].row
        values = self.store.value[first : first + ZONES]
        usable = np.isfinite(values) & (self.store.status[first : first + ZONES] >> 30 == 0)
        return np.where(usable, values, 0.0), usable

    def _carry(self, dt: float, live: bool, ambient: float) -> Row:
        """Move and heat the boards; what they take from each zone, in K."""
        wanted = float(self["conveyor_setpoint"]) if live else 0.0
        self._speed += (wanted - self._speed) * dt / BELT_TAU_S
        slip = self.faults.get("conveyor-slip")
        way = self._speed / 60 * dt * (1 - slip["slip"] / 100 if slip is not None else 1.0)
        fan = float(self["cooling_fan"]) if live else 0.0
        self._cooling += (ambient + 60 - 0.4 * fan - self._cooling) * dt / 30
        load = np.zeros(ZONES)
        if not self._boards:
            return load
        air, tau = Air(self._zones.celsius.tolist(), self._cooling, ambient), cooling_tau(fan)
        for board in self._boards:
            here, zone = air.at(board.metres), board.zone
            if zone >= 0:
                load[zone] += LOAD_K * (here - board.celsius)
            board.advance(dt, way, here, tau)
        while self._boards and self._boards[0].metres >= LENGTH_M:
            self._finish(self._boards.pop(0))
        return load

    def _finish(self, board: Board) -> None:
        """A board leaves: its profile becomes marks of the part, the last board's tags and an event."""
        good = (
            float(self["peak_low"]) <= board.peak <= float(self["peak_high"])
            and float(self["liquidus_low"]) <= board.liquid_s <= float(self["liquidus_high"])
            and board.ramp <= float(self["ramp_limit"])
        )
        figures = {
            "peak_temperature": min(board.peak, 400.0),
            "soak_time": min(board.soak_s, 6000.0),
            "time_above_liquidus": min(board.liquid_s, 6000.0),
            "ramp": min(board.ramp, 20.0),
        }
        for name, value in figures.items():
            self[f"board_{name}"] = board.part.marks[name] = round(value, 2)
        board.part.marks["oven_recipe"] = f"{self['recipe_name']} {self['recipe_version']}"
        board.part.marks["profile_ok"] = good
        self["board_identity"], self["board_profile_ok"] = board.part.identity, good
        self["board_transit_time"] = min(self.now_s - board.entered_s, 6000.0)
        self["boards_completed"] = int(self["boards_completed"]) + 1
        for signals in self.signals("signals"):
            signals.made += 1
            signals.bad += not good
        self["boards_out_of_profile"] = int(self["boards_out_of_profile"]) + (not good)
        self.emit(
            "BoardFinished", Board=board.part.identity, Peak=figures["peak_temperature"],
            TimeAboveLiquidus=figures["time_above_liquidus"], Good=good,
        )  # fmt: skip
        self._leaving.append(self.lane("boards_out").put(board.part))

    def _gas(self, dt: float, live: bool) -> None:
        purge = live and bool(self.settings["nitrogen"])
        self._oxygen += ((NITROGEN_PPM if purge else AIR_PPM) - self._oxygen) * dt / PURGE_S
        self["nitrogen_flow"] = 18.0 if purge else 0.0
        self["oxygen_ppm"] = self._oxygen

    def _judge(self, dt: float, live: bool, heating: bool, measured: Row, usable: NDArray[np.bool_]) -> None:
        """Ready after some seconds within the tolerances; from then on a zone beyond its own has an alarm."""
        self._leaving = [event for event in self._leaving if not event.triggered]
        off = np.abs(measured - self._values(SETPOINTS)) > self._values(TOLERANCES)
        off |= ~usable
        if not heating or (off.any() and self._steady < READY_S):
            self._steady = 0.0
        else:
            self._steady = min(self._steady + dt, READY_S)
        ready = heating and self._steady >= READY_S
        for name, beyond in zip(ALARMS, off.tolist(), strict=True):
            self[name] = ready and beyond
        oxygen = bool(self.settings["nitrogen"]) and self._oxygen > float(self["oxygen_limit"])
        self["oxygen_high"] = oxygen
        self["ready"] = ready
        self["state"] = (
            FAULT if self["fault"] else COLD if not heating else HEATING if not ready
            else PRODUCTION if self._producing else READY
        )  # fmt: skip
        self["machinery_item_state"] = OUT_OF_SERVICE if self["fault"] else EXECUTING if self._boards else NOT_EXECUTING

        for signals in self.signals("signals"):
            signals.enter(self._doing(live))

    def _doing(self, live: bool) -> TimeClass:
        """What the time counts as."""
        if not live or self["fault"]:
            return TimeClass.DOWN
        if self["state"] in (COLD, READY):
            return TimeClass.IDLE
        if self["state"] == HEATING:
            return TimeClass.SETUP
        if self._leaving:
            return TimeClass.BLOCKED
        return TimeClass.PRODUCING if self._boards else TimeClass.STARVED

    def _show_recipe(self) -> None:
        """Checksums of what is staged and of what is active, which anybody can compare."""
        seen = (self._staged().tobytes(), self._active().tobytes(), self._loaded)
        if seen != self._seen:
            self._seen = seen
            self["staged_checksum"] = checksum(self._staged())
            self["recipe_modified"] = checksum(self._active()) != self._loaded

    def _show(self, power: float, dt: float) -> None:
        """What there is to measure and to count; the thermocouples of the zones are sensor chains of the interface."""
        shown = self._zones.celsius.clip(-20.0, 400.0)
        self.store.set_span(self.tags[TEMPERATURES[0]].row, shown)
        self.store.set_span(self.tags[OUTPUTS[0]].row, self._zones.output)
        true = float(self._zones.celsius[int(self["reference_zone"]) - 1])
        self._reference += (true - self._reference) * min(dt / 4.0, 1.0)
        noise = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        self["reference_temperature"] = self._reference + REFERENCE_NOISE_K * noise
        self["cooling_temperature"] = self._cooling
        self["conveyor_speed"] = self._speed
        self["boards_in_oven"] = len(self._boards)
        self["power"] = power
        self["energy"] = float(self["energy"]) + power * dt / 3600


BEHAVIOUR = ReflowOven
