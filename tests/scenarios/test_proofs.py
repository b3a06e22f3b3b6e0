"""Each scenario proves itself."""

from __future__ import annotations

import os

import pytest

from labsim.lab.gate import Proven, prove_all
from labsim.scenario.folder import builtin_scenarios, wrong_answers

SCENARIOS = builtin_scenarios()
SEEDS = ("one", "two", "three")
WRONG_SEEDS = 1
"""Wrong answers are many: here each is run once. ``make prove`` runs all of them with all seeds."""
JOBS = 6 * (os.cpu_count() or 1)
"""A lab takes some 5 % of a core at this speed; a run that is disturbed all the same is made again."""


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Proven]:
    """All scenarios, proven at once: one pool keeps the machine busy and never crowded, which labs that judge timing need."""
    where = tmp_path_factory.mktemp("proofs")
    results = prove_all(list(SCENARIOS.values()), SEEDS, where, jobs=JOBS, wrong_seeds=WRONG_SEEDS)
    return dict(zip(SCENARIOS, results, strict=True))


@pytest.mark.scenario
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_comes_to_what_it_states(scenario: str, proven: dict[str, Proven]) -> None:
    """Nobody scores 0 and the solution all, for three seeds; a wrong answer loses what it says; every check can fail."""
    result = proven[scenario]
    problems = [f"{proof.who}, seed {proof.seed}: {problem}" for proof in result.proofs for problem in proof.problems]
    assert [*result.problems, *problems] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_three_wrong_answers(scenario: str) -> None:
    """A scenario comes with a solution and at least three wrong answers that lose something."""
    folder = SCENARIOS[scenario]
    assert (folder / "solution.py").exists()
    assert sum(sum(answer.loses.values()) > 0 for answer in wrong_answers(folder)) >= 3
