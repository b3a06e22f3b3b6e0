"""The verdict: every outcome, the marks, and what they rest on. Its JSON is a contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.outcome import Outcome, Said, State
from labsim.text import Text


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its outcome and its marks. ``score`` is rounded to hundredths."""

    id: str
    check: str
    title: Text
    outcome: Outcome
    max: float

    @property
    def score(self) -> float:
        """Marks earned."""
        return round(self.outcome.score * self.max, 2)

    @property
    def counts(self) -> bool:
        """Whether its marks are in the total: a check that could not be judged leaves both sides."""
        return self.outcome.state is not State.CANNOT_CHECK


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task: its checks, less the cost of hints, never below 0."""

    id: str
    title: Text
    checks: tuple[CheckResult, ...]
    hints: float = 0.0

    @property
    def max(self) -> float:
        """Marks that could be earned."""
        return round(sum(check.max for check in self.checks if check.counts), 2)

    @property
    def excluded(self) -> float:
        """Marks that left the total because their checks could not be judged."""
        return round(sum(check.max for check in self.checks if not check.counts), 2)

    @property
    def score(self) -> float:
        """Marks earned."""
        return round(max(sum(check.score for check in self.checks) - self.hints, 0.0), 2)

    @property
    def state(self) -> State:
        """Failed if a check failed, else not checked, else cannot check if one is so, else passed."""
        states = {check.outcome.state for check in self.checks}
        for state in (State.FAILED, State.NOT_CHECKED, State.CANNOT_CHECK):
            if state in states:
                return state
        return State.PASSED


@dataclass(frozen=True, slots=True)
class PenaltyResult:
    """Marks taken away, or 0 with the reason why that could not be judged."""

    id: str
    marks: float
    reason: Text
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The marks of an attempt.

    Attributes:
        scenario: Scenario id.
        seed: Of the attempt.
        attempt: Its folder.
        tasks: In the order of the scenario.
        penalties: Those that took marks, or could not be judged.
        pass_mark: Percentage of ``max`` that passes.
        versions: Those the attempt was made with, and the grader's under ``grader``.
        head: Hash of the last journal record that was judged.
    """

    scenario: str
    seed: str
    attempt: str
    tasks: tuple[TaskResult, ...]
    penalties: tuple[PenaltyResult, ...]
    pass_mark: float
    versions: dict[str, str]
    head: str

    @property
    def max(self) -> float:
        """Marks that could be earned."""
        return round(sum(task.max for task in self.tasks), 2)

    @property
    def score(self) -> float:
        """Marks of all tasks less penalties, never below 0."""
        return round(max(sum(task.score for task in self.tasks) - sum(p.marks for p in self.penalties), 0.0), 2)

    @property
    def passed(self) -> bool:
        """Whether the score reaches the pass mark. With nothing that could be judged there is nothing to pass."""
        return self.max > 0 and self.score * 100 >= self.pass_mark * self.max - 1e-9

    def to_json(self, lang: str = "en") -> dict[str, Any]:
        """The ``verdict`` document, sentences in ``lang``; keys always in this order."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "attempt": self.attempt,
            "score": _number(self.score),
            "max": _number(self.max),
            "passed": self.passed,
            "tasks": [_task(task, lang) for task in self.tasks],
            "penalties": [
                {"id": p.id, "marks": _number(p.marks), "reason": p.reason.say(lang), "evidence": list(p.evidence)}
                for p in self.penalties
            ],
            "versions": dict(sorted(self.versions.items())),
            "head": self.head,
        }


def _task(task: TaskResult, lang: str) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title.say(lang),
        "score": _number(task.score),
        "max": _number(task.max),
        "outcome": task.state.value,
        "checks": [_check(check, lang) for check in task.checks],
        "hints": _number(task.hints),
        "excluded": _number(task.excluded),
    }


def _check(check: CheckResult, lang: str) -> dict[str, Any]:
    outcome = check.outcome
    return {
        "id": check.id,
        "check": check.check,
        "outcome": outcome.state.value,
        "score": _number(check.score),
        "max": _number(check.max),
        "reason": outcome.reason.say(lang),
        "expected": _said(outcome.expected, lang),
        "actual": _said(outcome.actual, lang),
        "evidence": list(outcome.evidence),
        "title": check.title.say(lang),
        "help": outcome.help.say(lang),
    }


def _said(said: Said, lang: str) -> str | None:
    return said.say(lang) if isinstance(said, Text) else said


def _number(value: float) -> float | int:
    """A whole number of marks without its ``.0``."""
    return int(value) if value == int(value) else value
