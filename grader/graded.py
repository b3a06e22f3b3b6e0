"""Which tags the checks of a scenario need, so that the recorder keeps those at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.checks import load
from grader.truth import TRUE
from labsim.scenario.fields import named_parts, nested_checks
from labsim.scenario.model import CheckSpec, Penalty, Scenario


def graded_tags(scenario: Scenario) -> set[str]:
    """Paths of all tags that a check or penalty names; for one that looks at what is physically true, those of that too.

    Checks of a whole device look at requests alone and need no truth.
    """
    specs: list[CheckSpec | Penalty] = [check for task in scenario.tasks for check in task.checks]
    specs += scenario.penalties
    return {tag for spec in specs for tag in _tags(spec.check, spec.params)}


def _tags(name: str, params: Mapping[str, Any]) -> Iterator[str]:
    model = load(name).Params
    tags = [value for _, kind, value in named_parts(model, params) if kind == "tag"]
    yield from tags
    real = model.model_fields.get("real")
    if real is not None and params.get("real", real.default):
        yield from (f"{tag}{TRUE}" for tag in tags)
    for _, inner, given in nested_checks(model, params):
        yield from _tags(inner, given)
