from __future__ import annotations

import pytest

from devices.filling_machine import CHANGEOVER_S, RECIPES
from devices.packml.reason import Reason
from devices.packml.state import State
from labsim.plant import status

CALM = {"mtbf": 0, "minor_stops_per_hour": 0, "scrap_rate": 0}


@pytest.fixture
def machine(bench):
    """A filling machine that runs by itself and in which nothing breaks."""
    return lambda **settings: bench("filling-machine", **{**CALM, **settings})


def test_the_mean_weight_is_that_of_the_recipe(machine):
    """Volume times density within the scatter of 25 bottles, and nothing is defective."""
    device = machine().run(300)
    assert device["fill_weight_mean"] == pytest.approx(500 * 0.998, rel=0.003)
    assert device["prod_defective_count"] == 0


def test_a_higher_volume_makes_heavy_bottles_then_defective_ones(machine):
    """The checkweigher compares with the recipe, not with the set-point that a client wrote."""
    made = machine()
    made.run(60)
    assert made.write("fill_volume", 504) == status.GOOD
    device = made.run(120)
    assert 0.3 < device["fill_deviation"] < 1.3
    assert device["overfilled_count"] == 0
    made.write("fill_volume", 520)
    made.run(120)
    assert device["overfilled_count"] > 30
    assert device["prod_defective_count"] == device["overfilled_count"]
    assert device["underfilled_count"] == 0


def test_the_tank_balances(machine):
    """What is filled has left the tank: level at the start + refill - level now = volume filled, and the level swings."""
    made = machine(refill_flow=0)
    before = made.device["tank_level"] / 100 * 200
    device = made.run(600)
    assert before - device["tank_level"] / 100 * 200 == pytest.approx(device["volume_total"], abs=0.6)
    levels = []
    machine().run(3600, lambda d: levels.append(d["tank_level"]))
    assert min(levels) > 35
    assert max(levels[6000:]) > 85


def test_without_refill_the_machine_suspends_for_want_of_material(machine):
    """The fault lets the tank run empty; once it is over the machine goes on by itself."""
    made = machine()
    made.run(10)
    made.device.begin_fault("low-material", {})
    device = made.run(1200)
    assert (device.state, device["stop_reason_id"]) == (State.SUSPENDED, Reason.NO_MATERIAL)
    assert not device["material_interlock"]
    assert device["tank_level"] < 5
    device.end_fault("low-material")
    made.run(60)
    assert device.state is State.EXECUTE


@pytest.mark.parametrize(("old", "new"), sorted(CHANGEOVER_S))
def test_a_changeover_takes_what_the_matrix_says(machine, old, new):
    """From Starting to Execute, and then the machine is set up for the recipe."""
    made = machine(auto_restart=False, changeover_time=0)
    device = made.device

    def start(recipe):
        assert device.call("select_recipe", (recipe,))[0] == status.GOOD
        device.call("reset", ())
        made.run(3)
        device.call("start", ())
        began = device.now_s
        while device.state is State.STARTING:
            made.run(0.1)
        return device.now_s - began

    start(old)
    assert device["recipe_current"] == old
    assert made.write("recipe", new) == status.BAD_INVALID_STATE
    device.call("stop", ())
    made.run(3)
    device.configure("changeover_time", 100)
    assert start(new) == pytest.approx(CHANGEOVER_S[old, new], abs=0.2)
    recipe = RECIPES[new]
    assert (device["fill_volume"], device["mach_speed"]) == (recipe.volume, recipe.speed)


def test_the_first_bottles_after_a_changeover_scatter_more(bench):
    """The scatter falls with the bottles."""

    def spread(first):
        weights = []
        for seed in range(30):
            made = bench("filling-machine", seed=seed, **CALM)
            if first:
                made.device._since_setup = 0.0
            made.run(14)
            weights.append(made.device["fill_weight"] / made.device["fill_weight_target"] - 1)
        return sum(w * w for w in weights) / len(weights)

    assert spread(first=True) > 2 * spread(first=False)
