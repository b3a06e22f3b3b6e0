"""Each scenario proves itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.lab.gate import prove_all
from labsim.scenario.folder import builtin_scenarios, wrong_answers

SCENARIOS = builtin_scenarios()
SEEDS = ("one", "two", "three")


@pytest.mark.scenario
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_comes_to_what_it_states(scenario: str, tmp_path: Path) -> None:
    """Nobody scores 0, the solution all, a wrong answer loses what it says, every check can fail, for three seeds."""
    (proven,) = prove_all([SCENARIOS[scenario]], SEEDS, tmp_path, speed=2.0, jobs=24)
    problems = [f"{proof.who}, seed {proof.seed}: {problem}" for proof in proven.proofs for problem in proof.problems]
    assert [*proven.problems, *problems] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_three_wrong_answers(scenario: str) -> None:
    """A scenario comes with a solution and at least three wrong answers that lose something."""
    folder = SCENARIOS[scenario]
    assert (folder / "solution.py").exists()
    assert sum(sum(answer.loses.values()) > 0 for answer in wrong_answers(folder)) >= 3
