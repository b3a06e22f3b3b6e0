"""Which tags the checks of a scenario need, so that the recorder keeps those at every step."""

from __future__ import annotations

from grader.checks import load
from labsim.scenario.fields import named_parts
from labsim.scenario.model import CheckSpec, Penalty, Scenario


def graded_tags(scenario: Scenario) -> set[str]:
    """Paths of all tags that a check or penalty names. Checks of a whole device look at requests alone and need no truth."""
    specs: list[CheckSpec | Penalty] = [check for task in scenario.tasks for check in task.checks]
    specs += scenario.penalties
    return {
        value for spec in specs for _, kind, value in named_parts(load(spec.check).Params, spec.params) if kind == "tag"
    }
