"""Each scenario proves itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.lab.prove import prove_all
from labsim.scenario.folder import builtin_scenarios, wrong_answers

SCENARIOS = builtin_scenarios()
SEEDS = ("one", "two", "three")


@pytest.mark.scenario
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_scenario_comes_to_what_it_states(scenario: str, tmp_path: Path) -> None:
    """Nobody scores 0, the solution scores all, each wrong answer loses exactly what it says, for three seeds."""
    proofs = await prove_all([SCENARIOS[scenario]], SEEDS, tmp_path, speed=2.0, parallel=24)
    problems = [f"{proof.who}, seed {proof.seed}: {problem}" for proof in proofs for problem in proof.problems]
    assert problems == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_three_wrong_answers(scenario: str) -> None:
    """A scenario comes with a solution and at least three wrong answers that lose something."""
    folder = SCENARIOS[scenario]
    assert (folder / "solution.py").exists()
    assert sum(sum(answer.loses.values()) > 0 for answer in wrong_answers(folder)) >= 3
