"""Each scenario has what it is proven with; ``labsim test scenarios`` runs it."""

from __future__ import annotations

import pytest

from labsim.scenario.folder import builtin_scenarios, wrong_answers

SCENARIOS = builtin_scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_three_wrong_answers(scenario: str) -> None:
    """A scenario comes with a solution and at least three wrong answers that lose something."""
    folder = SCENARIOS[scenario]
    assert (folder / "solution.py").exists()
    assert sum(sum(answer.loses.values()) > 0 for answer in wrong_answers(folder)) >= 3
