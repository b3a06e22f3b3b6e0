"""The verdict: every outcome, the marks, and what they rest on. Its JSON is a contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from grader.outcome import Outcome, Said, State
from labsim.scenario.marking import Feedback
from labsim.text import Text

Voice = Literal["training"] | Feedback
"""``training`` tells everything; the others are what a candidate is told in an exam."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its outcome and its marks; ``earned`` is the part of them that the outcome is worth."""

    id: str
    check: str
    title: Text
    outcome: Outcome
    max: float
    earned: float

    @property
    def score(self) -> float:
        """Marks earned, rounded to hundredths."""
        return round(self.earned * self.max, 2)

    @property
    def counts(self) -> bool:
        """Whether its marks are in the total: a check that could not be judged leaves both sides."""
        return self.outcome.state is not State.CANNOT_CHECK


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task: its checks, less the cost of hints, never below 0; ``zero`` when a penalty took all of it."""

    id: str
    title: Text
    checks: tuple[CheckResult, ...]
    hints: float = 0.0
    zero: bool = False

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
        return 0.0 if self.zero else round(max(sum(check.score for check in self.checks) - self.hints, 0.0), 2)

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
    """Marks taken away, or 0 with the reason why that could not be judged; ``zero`` is a task that lost all of its own."""

    id: str
    marks: float
    reason: Text
    evidence: tuple[int, ...]
    times: int = 1
    zero: str = ""


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
        voice: How much of it the one who is marked is told: all in training, what the instructor allows in an exam.
    """

    scenario: str
    seed: str
    attempt: str
    tasks: tuple[TaskResult, ...]
    penalties: tuple[PenaltyResult, ...]
    pass_mark: float
    versions: dict[str, str]
    head: str
    voice: Voice = "training"

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

    def to_json(self, lang: str = "en", voice: Voice = "training") -> dict[str, Any]:
        """The ``verdict`` document, sentences in ``lang``; keys always in this order.

        Args:
            lang: The language.
            voice: With another than ``training`` a key ``voice`` is added, and what it does not tell is empty.
        """
        document = {
            "scenario": self.scenario,
            "seed": self.seed,
            "attempt": self.attempt,
            "score": _number(self.score),
            "max": _number(self.max),
            "passed": self.passed,
            "tasks": [_task(task, lang, voice) for task in self.tasks],
            "penalties": [_penalty(penalty, lang, voice) for penalty in self.penalties],
            "versions": dict(sorted(self.versions.items())),
            "head": self.head,
        }
        return document if voice == "training" else {**document, "voice": voice}


def _penalty(penalty: PenaltyResult, lang: str, voice: Voice) -> dict[str, Any]:
    told = voice in ("training", "reasons")
    document: dict[str, Any] = {
        "id": penalty.id,
        "marks": _number(penalty.marks),
        "reason": penalty.reason.say(lang) if told else "",
        "evidence": list(penalty.evidence) if voice == "training" else [],
    }
    if penalty.times != 1:
        document["times"] = penalty.times
    if penalty.zero:
        document["zero"] = penalty.zero
    return document


def _task(task: TaskResult, lang: str, voice: Voice) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title.say(lang),
        "score": _number(task.score),
        "max": _number(task.max),
        "outcome": task.state.value,
        "checks": [] if voice == "marks" else [_check(check, lang, voice) for check in task.checks],
        "hints": _number(task.hints),
        "excluded": _number(task.excluded),
    }


def _check(check: CheckResult, lang: str, voice: Voice) -> dict[str, Any]:
    outcome, every = check.outcome, voice == "training"
    return {
        "id": check.id,
        "check": check.check,
        "outcome": outcome.state.value,
        "score": _number(check.score),
        "max": _number(check.max),
        "reason": outcome.reason.say(lang) if every or voice == "reasons" else "",
        "expected": _said(outcome.expected, lang) if every else None,
        "actual": _said(outcome.actual, lang) if every else None,
        "evidence": list(outcome.evidence) if every else [],
        "title": check.title.say(lang),
        "help": outcome.help.say(lang) if every else "",
    }


def _said(said: Said, lang: str) -> str | None:
    return said.say(lang) if isinstance(said, Text) else said


def _number(value: float) -> float | int:
    """A whole number of marks without its ``.0``."""
    return int(value) if value == int(value) else value
