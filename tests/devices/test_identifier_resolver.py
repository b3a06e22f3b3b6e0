"""Four tiers of resolution, registration, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest

import devices
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant
from labsim.plant.rest_spec import Asked

PREFIX = "88.118.6"


@pytest.fixture
def resolver() -> Device:
    """A server of one enterprise."""
    plant = Plant(1, SimClock(utc_ns=0))
    device = plant.add("idr1", devices.load("identifier-resolver"), {"prefix": PREFIX})
    plant.start()
    return device


def ask(
    device: Device, name: str, local: str = "", user: str = "", prefix: str = PREFIX, **body: Any
) -> tuple[int, Any]:
    """Ask about an identifier."""
    path = {"prefix": prefix} | ({"local": local} if local else {})
    return device.ask(name, Asked(path, {}, body or None, user))


def test_each_tier_refers_to_the_next(resolver: Device) -> None:
    """From the root over three referrals to the enterprise; each names what it knows."""
    ways = []
    tier = "root"
    while tier != "enterprise":
        status, answer = ask(resolver, tier)
        assert status == 200
        ways.append(answer["authority"])
        tier = answer["next"].split("/")[2]
    assert ways == ["88", "88.118", PREFIX]


@pytest.mark.parametrize(
    ("prefix", "last"), [("86.118.6", None), ("88.119.6", "root"), ("88.118.7", "national"), ("nonsense", None)]
)
def test_a_strange_prefix_ends_where_nobody_knows_it(resolver: Device, prefix: str, last: str | None) -> None:
    """Another country is unknown at the root, another second level at the national node, another enterprise below that."""
    known = [tier for tier in ("root", "national", "second") if ask(resolver, tier, prefix=prefix)[0] == 200]
    assert (known[-1] if known else None) == last


def test_without_an_account_only_public_attributes_show(resolver: Device) -> None:
    """The batch is public, the customer is not."""
    attributes = {"batch": "B7", "customer": "ACME"}
    assert ask(resolver, "register", "P-1", "ann", attributes=attributes, public=["batch"])[0] == 201
    assert ask(resolver, "enterprise", "P-1")[1]["attributes"] == {"batch": "B7"}
    assert ask(resolver, "enterprise", "P-1", "bob")[1]["attributes"] == attributes


def test_an_identifier_is_registered_once(resolver: Device) -> None:
    """The second registration is a conflict; a change makes a new version."""
    ask(resolver, "register", "P-1", "ann", attributes={"a": 1})
    assert ask(resolver, "register", "P-1", "bob", attributes={"a": 2})[0] == 409
    assert ask(resolver, "update", "P-1", "bob", attributes={"a": 2})[1]["version"] == 2
    assert ask(resolver, "enterprise", "P-1", "bob")[1]["attributes"] == {"a": 2}
    assert ask(resolver, "listed", user="bob")[1]["identifiers"] == ["P-1"]


def test_a_stale_tier_shows_what_was(resolver: Device) -> None:
    """While the fault is in force an update does not show; afterwards it does."""
    ask(resolver, "register", "P-1", "ann", attributes={"a": 1})
    resolver.begin_fault("stale-cache", {})
    ask(resolver, "update", "P-1", "ann", attributes={"a": 2})
    assert ask(resolver, "enterprise", "P-1", "ann")[1]["attributes"] == {"a": 1}
    resolver.end_fault("stale-cache")
    assert ask(resolver, "enterprise", "P-1", "ann")[1]["attributes"] == {"a": 2}


def test_each_seat_has_a_prefix_of_its_own() -> None:
    """Two seeds, two prefixes of the right form."""
    found = set()
    for seed in (1, 2):
        plant = Plant(seed, SimClock(utc_ns=0))
        device = plant.add("idr1", devices.load("identifier-resolver"))
        plant.start()
        found.add(device["prefix"])
        assert ask(device, "root", prefix=str(device["prefix"]))[0] == 200
    assert len(found) == 2
