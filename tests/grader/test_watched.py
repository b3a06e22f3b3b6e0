"""Which reads are kept one by one, from the checks of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.watched import Watched, watched_reads
from labsim.evidence.event import Event
from labsim.scenario.load import load_scenario


def watched(tmp_path: Path, *checks: dict[str, Any]) -> Watched:
    """What a scenario with these checks needs."""
    scenario = {
        "labsim": 1,
        "id": "bench",
        "title": "Bench",
        "level": "junior",
        "minutes": 10,
        "plant": {"meter1": {"type": "power-meter"}, "oven1": {"type": "oven"}},
        "endpoints": [{"modbus": {"units": {11: "meter1"}}}],
        "tasks": [
            {
                "id": "t",
                "title": "T",
                "marks": len(checks),
                "checks": [{name: {**given, "marks": 1}} for check in checks for name, given in check.items()],
            }
        ],
    }
    (tmp_path / "scenario.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    return watched_reads(load_scenario(tmp_path, seed="1", catalogue=None))


def read(*tags: str, protocol: Any = "modbus", device: str | None = None) -> Event:
    """A good read."""
    return Event(
        kind="read", protocol=protocol, device=tags[0].partition(".")[0] if device is None else device, tags=[*tags]
    )


def test_reads_of_a_graded_tag_are_needed_over_any_protocol(tmp_path: Path) -> None:
    """A check that names a tag needs each read that holds it, and no other."""
    found = watched(tmp_path, {"plant.held": {"tag": "oven1.temp", "value": 5, "for": "1 min"}})
    assert found.needs(read("oven1.other", "oven1.temp", protocol="opcua"))
    assert found.needs(read("oven1.temp"))
    assert not found.needs(read("oven1.other"))
    assert not found.needs(read("meter1.power"))


@pytest.mark.parametrize(
    "check",
    [
        {"modbus.polled": {"device": "meter1", "every": "1 s", "for": "1 min"}},
        {"modbus.exceptions": {"device": "meter1", "at_most": "1 %"}},
        {"modbus.read": {"device": "meter1"}},
        {"modbus.read": {"tags": ["meter1.power"]}},
        {"modbus.never": {"action": "read", "ranges": [{"device": "meter1", "first": 1, "last": 2}]}},
    ],
    ids=lambda check: next(iter(check)),
)
def test_a_check_that_counts_requests_needs_every_read_of_its_device(tmp_path: Path, check: dict[str, Any]) -> None:
    """Every Modbus read of the device is needed, whatever it holds; those of others and over OPC UA are not."""
    found = watched(tmp_path, check)
    assert found.needs(read("meter1.other"))
    assert found.needs(read(device="meter1"))
    assert not found.needs(read("oven1.temp"))
    assert not found.needs(read("meter1.other", protocol="opcua"))


def test_a_check_of_all_devices_needs_every_read(tmp_path: Path) -> None:
    """Exceptions without a device are counted over all requests."""
    found = watched(tmp_path, {"modbus.exceptions": {"at_most": "1 %"}})
    assert found.needs(read("oven1.temp"))
    assert not found.needs(read("oven1.temp", protocol="opcua"))


def test_subscribed_tags_are_watched_for_polling(tmp_path: Path) -> None:
    """opcua.not-polled needs each read of its tags."""
    found = watched(tmp_path, {"opcua.not-polled": {"tags": ["oven1.temp"]}})
    assert found.needs(read("oven1.temp", protocol="opcua"))
    assert not found.needs(read("oven1.other", protocol="opcua"))
