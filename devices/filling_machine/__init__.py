"""A filling machine: bottle after bottle by recipe, weighed, from a tank that is refilled."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from devices.packml.machine import NO_ORDER
from devices.packml.state import State
from devices.packml.unit import PackmlUnit
from labsim.plant import status
from labsim.plant.device import Process
from labsim.plant.flow import Part
from labsim.plant.tags import Tag, Value

FILL_AT_PERCENT, FULL_AT_PERCENT, EMPTY_AT_PERCENT = 40.0, 90.0, 4.0
SETTLING = 5.0
"""After a changeover the scatter is three times as large, and falls by 1/e in so many bottles."""
SCATTER = 0.0025
"""Standard deviation of a fill at full speed, as a part of it; half of it at standstill."""
WINDOW = 25


class Recipe(NamedTuple):
    """What is filled: name, ml, g/ml and bottles per minute."""

    name: str
    volume: float
    density: float
    speed: float


RECIPES = {
    1: Recipe("water-500", 500.0, 0.998, 24.0),
    2: Recipe("juice-330", 330.0, 1.045, 27.0),
    3: Recipe("syrup-250", 250.0, 1.310, 18.0),
}
CHANGEOVER_S = {(1, 2): 90.0, (2, 1): 150.0, (1, 3): 120.0, (3, 1): 240.0, (2, 3): 60.0, (3, 2): 180.0}
"""Rinsing and setting by what was filled and what comes: from syrup back to water takes longest."""


class FillingMachine(PackmlUnit):
    """See README.md of this folder for the model and its sources."""

    idle_kw, busy_kw, air_m3h = 0.4, 2.4, 6.0

    def start(self) -> None:
        """A tank two thirds full, set up for water."""
        self._litres = 0.66 * float(self.settings["tank_volume"])
        self._litres_at = 0.0  # when that was
        self._since_setup = 1000.0  # bottles
        self._weights: deque[float] = deque(maxlen=WINDOW)
        self._apply(RECIPES[1])
        super().start()
        self["tank_level"] = self._percent

    def _apply(self, recipe: Recipe) -> None:
        self["fill_volume"], self["mach_speed"] = recipe.volume, recipe.speed
        self["fill_weight_target"] = recipe.volume * recipe.density

    @property
    def _recipe(self) -> Recipe:
        return RECIPES[int(self["recipe_current"])]

    # The tank.

    @property
    def _percent(self) -> float:
        return min(100.0 * self._litres / float(self.settings["tank_volume"]), 100.0)

    def _refill(self) -> None:
        """What has come into the tank since it was looked at last; the valve opens low and closes high."""
        size, now = float(self.settings["tank_volume"]), self.now_s
        dt, self._litres_at = now - self._litres_at, now
        if self["tank_valve"] and "low-material" not in self.faults:
            full = FULL_AT_PERCENT / 100 * size
            more = float(self.settings["refill_flow"]) / 60 * dt
            self._litres = max(min(self._litres + more, full), min(self._litres, size))
        if self._percent >= FULL_AT_PERCENT - 1e-9:
            self["tank_valve"] = False
        elif self._percent <= FILL_AT_PERCENT:
            self["tank_valve"] = True

    def lacks_material(self) -> bool:
        """The tank is nearly empty."""
        self._refill()
        return self._percent < EMPTY_AT_PERCENT or self._litres < float(self["fill_volume"]) / 1000

    # A bottle.

    def work(self, part: Part) -> Process:
        """Fill and weigh; the scatter grows with the speed and is large after a changeover."""
        yield from self.spend(self.cycle_s())
        recipe, volume = self._recipe, float(self["fill_volume"])
        part_of_full = float(self["mach_speed"]) / float(self.tags["mach_speed"].high or 1)
        sigma = SCATTER * (0.5 + 0.5 * part_of_full**2) * (1 + 2 * math.exp(-self._since_setup / SETTLING))
        self._since_setup += 1
        filled = max(volume * (1 + sigma * float(self.random.standard_normal())), 0.0)
        weight = filled * recipe.density
        self._refill()
        self._litres = max(self._litres - filled / 1000, 0.0)
        self["volume_total"] = float(self["volume_total"]) + filled / 1000
        self._weigh(part, weight, recipe)

    def _weigh(self, part: Part, weight: float, recipe: Recipe) -> None:
        self._weights.append(weight)
        mean, target = sum(self._weights) / len(self._weights), recipe.volume * recipe.density
        self["fill_weight"], self["fill_weight_mean"] = weight, mean
        self["fill_deviation"] = 100 * (mean / target - 1)
        off = weight / target - 1
        fault = ""
        if self.random.random() < float(self.settings["scrap_rate"]) / 100:
            fault = "leaking"
        elif abs(off) > float(self.settings["tolerance"]) / 100:
            fault = "overfilled" if off > 0 else "underfilled"
        if fault:
            part.good = False
            self.count(f"{fault}_count")
        part.product = recipe.name
        part.marks["fill_weight"] = weight

    # Recipes.

    def guard(self, tag: Tag, value: Value) -> int:
        """A recipe is chosen while the machine does not run."""
        if tag.name == "recipe" and self.state not in NO_ORDER:
            return status.BAD_INVALID_STATE
        return super().guard(tag, value)

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """A recipe is selected as by writing it."""
        if name == "select_recipe":
            return self.store.write(self.tags["recipe"].row, int(arguments[0])), ()
        return super().call(name, arguments)

    def changeover_s(self) -> float:
        """By the matrix."""
        change = (int(self["recipe_current"]), int(self["recipe"]))
        return CHANGEOVER_S.get(change, 0.0) * float(self.settings["changeover_time"]) / 100

    def entered(self, state: State) -> None:
        """A change that takes no time is done with Starting."""
        if state is State.EXECUTE and self["recipe"] != self["recipe_current"]:
            self.changed_over()
        super().entered(state)

    def changed_over(self) -> None:
        """Set up for the recipe that was chosen; the first bottles scatter more."""
        self["recipe_current"] = self["recipe"]
        self._apply(self._recipe)
        self._since_setup = 0.0
        self._weights.clear()
        self.count("changeover_count")

    def show(self) -> None:
        """The level of the tank."""
        super().show()
        self._refill()
        self["tank_level"] = self._percent


BEHAVIOUR = FillingMachine
