from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import ScenarioError
from labsim.scenario.load import load_scenario

SCENARIO = """
labsim: 1
id: tried
title: Tried
level: senior
minutes: 10
plant: {meter1: {type: power-meter}}
endpoints: [{mqtt: {port: 1883}}, {mqtt: {port: 1884}}]
tasks:
  - {id: a, title: A, marks: 1, checks: [%s]}
"""


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("probe.mqtt: {marks: 1}", ""),
        ("probe.mqtt: {endpoint: mqtt.2, marks: 1}", ""),
        ("probe.mqtt: {endpoint: mqtt.3, marks: 1}", "there is no mqtt endpoint 'mqtt.3'."),
        ("probe.opcua: {marks: 1}", "there is no opcua endpoint that could be tried."),
        ("rogue.named: {rogue: mqtt.1, marks: 1}", ""),
        ("rogue.contained: {rogue: modbus, marks: 1}", "there is no endpoint 'modbus'."),
        (
            "all: {checks: [probe.mqtt: {}, probe.mqtt: {endpoint: mqtt}], marks: 1}",
            "there is no mqtt endpoint 'mqtt'.",
        ),
    ],
)
def test_a_probe_has_something_to_try(tmp_path: Path, check: str, said: str) -> None:
    """The endpoint it names, one of its protocol, also inside another check."""
    (tmp_path / "scenario.yaml").write_text(SCENARIO % f"{{{check}}}", encoding="utf-8")
    found: list[str] = []
    try:
        load_scenario(tmp_path, seed="1", catalogue=None)
    except ScenarioError as error:
        found = [problem.message for problem in error.problems]
    assert found == ([said] if said else [])
