from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import ScenarioError
from labsim.scenario.load import load_scenario

SCENARIO = """
labsim: 1
id: own
title: Own
level: junior
minutes: 10
plant: {meter1: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1}}}]
tasks:
  - id: a
    title: A
    marks: 1
    checks:
      - %s
"""


def problems(folder: Path, check: str, script: str = "def good(evidence):\n    return True\n") -> list[str]:
    """What is wrong with a scenario of one check."""
    (folder / "scenario.yaml").write_text(SCENARIO % check, encoding="utf-8")
    (folder / "checks.py").write_text(script, encoding="utf-8")
    try:
        load_scenario(folder, seed="1", catalogue=None)
    except ScenarioError as error:
        return [problem.message for problem in error.problems]
    return []


def test_a_function_that_is_there_is_right(tmp_path: Path) -> None:
    """Alone and inside another check."""
    assert problems(tmp_path, 'python: {run: "checks.py:good", marks: 1}') == []
    assert problems(tmp_path, 'all: {checks: [{python: {run: "checks.py:good"}}, {opcua.session: {}}], marks: 1}') == []


@pytest.mark.parametrize(
    ("run", "script", "said"),
    [
        ("checks.py:god", "def good(evidence): ...", "has no function 'god'"),
        ("other.py:good", "", "no readable other.py"),
        ("checks.py:good", "def good(:", "is no Python (line 1)"),
    ],
)
def test_a_function_that_is_not_there_is_told(tmp_path: Path, run: str, script: str, said: str) -> None:
    """Before the lab runs."""
    (found,) = problems(tmp_path, f'python: {{run: "{run}", marks: 1}}', script)
    assert said in found
    (found,) = problems(
        tmp_path, f'all: {{checks: [{{python: {{run: "{run}"}}}}, {{opcua.session: {{}}}}], marks: 1}}', script
    )
    assert said in found
