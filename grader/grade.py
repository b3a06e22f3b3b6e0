"""Marking: every check of a scenario against the evidence of an attempt, in the order they depend on each other.

Same folder, same verdict: no clock, no random number, no network, and nothing outside the folder is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import labsim
from grader.judging import Judging, bind
from grader.outcome import Outcome, State, broken, waits_for
from grader.probing import without_probes, without_rogues
from grader.verdict import CheckResult, PenaltyResult, TaskResult, Verdict
from labsim.errors import LabsimError, UnknownNameError
from labsim.evidence.evidence import Evidence
from labsim.evidence.reader import uncollected
from labsim.scenario.load import load_scenario
from labsim.scenario.marking import Mode, earned
from labsim.scenario.model import CheckSpec, Penalty, Scenario, Task
from labsim.text import Text, tr

_MET = (State.PASSED, State.CANNOT_CHECK)
"""What a dependency must be: a check that we could not judge holds nothing up."""


def grade_attempt(folder: Path, task: str | None = None) -> Verdict:
    """Mark an attempt from its folder alone, with the scenario and the variants that lie in it.

    Raises:
        AttemptError: the folder cannot be read.
        ScenarioError: the scenario in it cannot.
        UnknownNameError: no such task.
    """
    evidence = Evidence.load(folder)
    manifest = evidence.manifest
    scenario = load_scenario(folder / "scenario", seed=manifest.seed, catalogue=None, drawn=manifest.variants)
    return grade(evidence, scenario, task=task)


def grade(evidence: Evidence, scenario: Scenario, *, task: str | None = None) -> Verdict:
    """Mark an attempt.

    Args:
        evidence: What happened.
        scenario: What was asked for, with the attempt's variants.
        task: Only this task; penalties are then left out, since they are taken from the whole.

    Raises:
        UnknownNameError: no such task.
    """
    known = [each.id for each in scenario.tasks]
    if task is not None and task not in known:
        raise UnknownNameError("task", task, known)
    mode, evidence = mode_of(evidence, scenario), without_rogues(without_probes(evidence))
    marking = _Marking(evidence, scenario, Judging(evidence, mode))
    with uncollected():
        penalties = () if task is not None else tuple(p for each in scenario.penalties if (p := marking.penalty(each)))
        marking.zeroed = {penalty.zero for penalty in penalties}
        tasks = tuple(marking.task(each) for each in scenario.tasks if task in (None, each.id))
    return Verdict(
        scenario=scenario.id,
        seed=evidence.manifest.seed,
        attempt=str(evidence.folder),
        tasks=tasks,
        penalties=penalties,
        pass_mark=scenario.pass_mark,
        versions={**evidence.manifest.versions, "grader": labsim.__version__},
        head=evidence.head,
        voice="training" if mode == "training" else scenario.feedback,
    )


def mode_of(evidence: Evidence, scenario: Scenario) -> Mode:
    """How the attempt was run: what its first host said, else what the scenario says."""
    said = next((r.detail["mode"] for r in evidence.of("lab", "host-start") if "mode" in r.detail), scenario.mode)
    return "exam" if said == "exam" else "training"


@dataclass
class _Marking:
    """One run over a scenario: outcomes as they become known."""

    evidence: Evidence
    scenario: Scenario
    judging: Judging
    outcomes: dict[str, Outcome | None] = field(default_factory=dict)  # None while a check waits for its dependencies
    zeroed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.home = {spec.id: (task, spec) for task in self.scenario.tasks for spec in task.checks}
        self.tasks = {task.id: task for task in self.scenario.tasks}

    def task(self, task: Task) -> TaskResult:
        """All checks of a task, and what its hints cost; nothing of it when a penalty says so."""
        checks = tuple(
            CheckResult(
                spec.id,
                spec.check,
                self._title(task, spec),
                outcome := self._outcome(spec.id),
                spec.marks,
                earned(spec.credit, outcome.score),
            )
            for spec in task.checks
        )
        costs = {r.detail.get("index"): float(r.detail.get("cost", 0)) for r in self.evidence.hints(task.id)}
        return TaskResult(task.id, task.title, checks, round(sum(costs.values()), 2), task.id in self.zeroed)

    def penalty(self, penalty: Penalty) -> PenaltyResult | None:
        """What a penalty takes; None when its check passes."""
        outcome = self.judging.judge(penalty.check, penalty.params, when=penalty.when or "at-end")
        if outcome.state is State.PASSED:
            return None
        marks, times = penalty.marks, 1
        if outcome.state is State.CANNOT_CHECK:
            marks = 0.0
        elif penalty.take == "each":
            times = max(outcome.times, 1)
            marks = min(marks * times, marks * times if penalty.most is None else penalty.most)
        zero = "" if outcome.state is State.CANNOT_CHECK or penalty.zero is None else penalty.zero
        return PenaltyResult(penalty.id, round(marks, 2), outcome.reason, outcome.evidence, times, zero)

    def _outcome(self, check_id: str) -> Outcome:
        if check_id in self.outcomes:
            known = self.outcomes[check_id]
            return known if known is not None else broken(LabsimError(f"check {check_id} waits for itself"))
        self.outcomes[check_id] = None
        task, spec = self.home[check_id]
        outcome = self._waiting(task, spec) or self.judging.judge(
            spec.check, spec.params, task.id, spec.when or task.when
        )
        self.outcomes[check_id] = outcome
        return outcome

    def _waiting(self, task: Task, spec: CheckSpec) -> Outcome | None:
        """Not checked, when a check or task that this one depends on has not passed."""
        for name in task.depends:
            other = self.tasks.get(name)
            if other is None:
                return broken(UnknownNameError("task", name, self.tasks))
            if any(self._outcome(each.id).state not in _MET for each in other.checks):
                return waits_for(name)
        for name in spec.depends:
            if name not in self.home:
                return broken(UnknownNameError("check", name, self.home))
            if self._outcome(name).state not in _MET:
                return waits_for(name)
        return None

    def _title(self, task: Task, spec: CheckSpec) -> Text:
        if spec.title is not None:
            return spec.title
        try:
            check, model = bind(spec.check, spec.params, task.id)
            return check.title(model)
        except Exception:  # noqa: BLE001 - the outcome of the check says what is wrong with it
            return tr("{name}", "{name}", "{name}").format(name=spec.check)
