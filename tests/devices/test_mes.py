"""The order book, its REST routes and its job orders."""

from __future__ import annotations

import json
from typing import Any

import pytest

import devices
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant
from labsim.plant.rest_spec import Asked


def mes(seed: int = 1, **settings: Any) -> Device:
    """A system with two orders in its book and no more to come."""
    plant = Plant(seed, SimClock(utc_ns=0))
    device = plant.add("mes1", devices.load("mes"), {"releases": False, **settings})
    plant.start()
    return device


def ask(device: Device, name: str, order: str = "", **body: Any) -> tuple[int, Any]:
    """Ask for something about an order."""
    return device.ask(name, Asked({"order": order} if order else {}, {}, body or None, "ann"))


def orders(device: Device) -> list[dict[str, Any]]:
    """The whole book."""
    return ask(device, "list_orders")[1]


def test_an_order_goes_from_release_to_completion() -> None:
    """Accept, start, report, complete: the book, the counts and the tags follow."""
    device = mes()
    first = orders(device)[0]
    assert first["state"] == "released"
    for step in ("accept", "start"):
        assert ask(device, step, first["id"])[0] == 200
    assert ask(device, "report", first["id"], good=7, scrap=1)[1]["good"] == 7
    status, done = ask(device, "complete", first["id"], good=first["quantity"], scrap=2)
    assert (status, done["state"], done["scrap"]) == (200, "completed", 2)
    assert device["orders_completed"] == 1
    assert device["good_reported"] == first["quantity"]


@pytest.mark.parametrize("move", ["start", "hold", "report", "complete", "abort"])
def test_what_is_out_of_order_is_refused(move: str) -> None:
    """A released order cannot be started, held, reported on, completed or aborted; nothing changes then."""
    device = mes()
    body = {"reason": "x"} if move in ("hold", "abort") else {"good": 1, "scrap": 0}
    status, answer = ask(device, move, orders(device)[0]["id"], **({} if move == "start" else body))
    assert status == 409
    assert "released" in answer["error"]
    assert orders(device)[0]["state"] == "released"


def test_counts_only_grow() -> None:
    """A report below the last one is refused, also when only one of the two counts falls; the same one again is good."""
    device = mes()
    name = orders(device)[0]["id"]
    ask(device, "accept", name)
    ask(device, "start", name)
    assert ask(device, "report", name, good=5, scrap=2)[0] == 200
    assert ask(device, "report", name, good=5, scrap=2)[0] == 200
    assert ask(device, "report", name, good=9, scrap=1)[0] == 409
    assert ask(device, "report", name, good=4, scrap=9)[0] == 409


def test_a_recipe_stays_and_differs_from_seat_to_seat() -> None:
    """Its checksum is that of its parameters; another serial number gives other numbers."""
    here, there = mes(1), mes(2)
    asked = Asked({"product": "WATER-330"})
    _, recipe = here.ask("recipe", asked)
    assert here.ask("recipe", asked)[1] == recipe
    assert recipe["parameters"] != there.ask("recipe", asked)[1]["parameters"]
    assert recipe["id"] == ask(here, "products")[1][0]["recipe"]


def test_orders_arrive_while_it_releases() -> None:
    """An hour with an order every minute brings some sixty."""
    plant = Plant(3, SimClock(utc_ns=0))
    device = plant.add("mes1", devices.load("mes"), {"order_every": "60 s", "first_orders": 0})
    plant.start()
    for _ in range(36_000):
        plant.advance()
    assert 35 < len(orders(device)) < 90


def test_faults_put_odd_orders_into_the_book() -> None:
    """The same reference twice, a quantity of nothing, a product without recipe."""
    device = mes()
    before = orders(device)
    device.begin_fault("duplicate-order", {})
    twice = orders(device)[-1]
    assert (twice["reference"], twice["quantity"]) == (before[-1]["reference"], before[-1]["quantity"])
    assert twice["id"] != before[-1]["id"]
    device.begin_fault("zero-quantity", {})
    assert orders(device)[-1]["quantity"] == 0
    device.begin_fault("unknown-product", {})
    assert orders(device)[-1]["recipe"] == ""
    device.begin_fault("withdrawn-recipe", {})
    assert device.ask("recipe", Asked({"product": "WATER-330"}))[1]["state"] == "withdrawn"


def test_job_orders_are_the_same_book() -> None:
    """What is stored over OPC UA stands in the REST list, and the list of job orders has its state by number."""
    device = mes(first_orders=0)
    job = {
        "JobOrderID": "SO-77",
        "WorkMasterID": [{"ID": "TEA-500"}],
        "MaterialRequirements": [{"MaterialDefinitionID": "TEA-500", "Quantity": "40"}],
    }
    assert device.call("store_and_start", [job, []]) == (0, (0,))
    assert device.call("store", [job, []]) == (0, (4,))
    (order,) = orders(device)
    assert (order["reference"], order["quantity"], order["state"]) == ("SO-77", 40, "running")
    (listed,) = json.loads(str(device["job_order_list"]))
    assert listed["State"][0]["StateNumber"] == 3
    assert device.call("pause", [order["id"], [{"text": "no caps"}]]) == (0, (0,))
    assert orders(device)[0]["reason"] == "no caps"
    assert device.call("stop", ["MO-99999", []]) == (0, (1,))


@pytest.mark.parametrize("job", [{}, {"JobOrderID": "a"}, {"JobOrderID": "a", "WorkMasterID": [{"ID": "TEA-500"}]}])
def test_a_job_that_says_too_little_is_not_stored(job: dict[str, Any]) -> None:
    """Without product or quantity there is no order."""
    device = mes(first_orders=0)
    assert device.call("store", [job, []])[1] == (8,)
    assert orders(device) == []
