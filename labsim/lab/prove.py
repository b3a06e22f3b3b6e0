"""Proving one run of a scenario: the solution, a wrong answer or nobody is the trainee, and the marks must be as stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labsim.lab.options import Options
from labsim.lab.trainee import LIMIT_S, PYTHON, Ran, run_trainee
from labsim.scenario.folder import wrong_answers

UNTOUCHED, SOLUTION = "untouched", "solution"
SOLUTION_FILE = "solution.py"
_LATE = 0.02
"""Share of late steps from which on a run that went wrong is suspected to have been disturbed by a busy machine."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One run and what it had to come to.

    Attributes:
        who: ``untouched``, ``solution`` or the name of a wrong answer.
        expected: Marks per task that the run must reach.
        problems: What was not as stated; empty for a good scenario.
        late: Share of the plant's steps that the machine was late for.
        again: It was made once more, because the first run was disturbed.
    """

    scenario: str
    seed: str
    who: str
    verdict: dict[str, Any]
    expected: dict[str, float]
    problems: tuple[str, ...] = field(default=())
    late: float = 0.0
    again: bool = False

    @property
    def ok(self) -> bool:
        """Whether the run came to what it had to."""
        return not self.problems

    @property
    def disturbed(self) -> bool:
        """Whether it went wrong on a machine that was too busy to tell whose fault it is."""
        return not self.ok and self.late >= _LATE


async def prove(
    folder: Path,
    who: str,
    options: Options,
    tell: Callable[[str], None] = lambda _: None,
    *,
    limit_s: float = LIMIT_S,
    python: Sequence[str] = PYTHON,
) -> Proof:
    """Run one trainee (``untouched``, ``solution``, or a wrong answer's name) and compare with what is stated.

    An untouched run must score 0, the solution everything, a wrong answer everything but exactly what it says it loses.
    Penalties take nothing but what a wrong answer says, and no check may be beyond judging.
    """
    loses: dict[str, float] = {}
    script: Path | None = None
    if who == SOLUTION:
        script = folder / SOLUTION_FILE
    elif who != UNTOUCHED:
        wrong = {answer.path.stem: answer for answer in wrong_answers(folder)}[who]
        script, loses = wrong.path, dict(wrong.loses)
    ran = await run_trainee(folder, script, options, tell, limit_s=limit_s, python=python)
    verdict = ran.verdict
    expected = {
        task["id"]: 0.0 if who == UNTOUCHED else round(task["max"] - loses.get(task["id"], 0.0), 2)
        for task in verdict["tasks"]
    }
    problems = [
        *(_script(script, ran, limit_s) if script is not None else ()),
        *(problem for task in verdict["tasks"] if (problem := _task(task, expected[task["id"]], who))),
        *_penalties(verdict, loses),
        *_unjudged(verdict),
    ]
    if problems and ran.late >= _LATE:
        problems.append(f"{ran.late:.0%} of the plant's steps were late: the machine was busy; try fewer --jobs")
    return Proof(verdict["scenario"], options.seed, who, verdict, expected, tuple(problems), ran.late)


def trainees(folder: Path) -> list[str]:
    """Everybody a scenario is proven with."""
    return [UNTOUCHED, SOLUTION, *sorted(answer.path.stem for answer in wrong_answers(folder))]


def _script(script: Path, ran: Ran, limit_s: float) -> list[str]:
    if ran.timed_out:
        return [f"{script.name} did not end within {limit_s:g} s and was stopped"]
    if ran.code:
        said = f": {ran.said[-1].strip()}" if ran.said else ""
        return [f"{script.name} ended with exit code {ran.code}{said}"]
    return []


def _task(task: dict[str, Any], expected: float, who: str) -> str:
    """What is wrong with the marks of a task; empty when they are as stated."""
    if abs(task["score"] - expected) <= 0.005:
        return ""
    if who == UNTOUCHED:
        given = [check["id"] for check in task["checks"] if check["score"] > 0]
        marks = f"{task['score']:g} of {task['max']:g}"
        return f"task {task['id']} scores {marks} though nobody did anything (by {', '.join(given)})"
    lost = [f"{check['id']}: {check['reason']}" for check in task["checks"] if check["score"] < check["max"]]
    why = "; ".join(lost) or "nothing was lost"
    return f"task {task['id']} came to {task['score']:g}, not {expected:g} of {task['max']:g} ({why})"


def _penalties(verdict: dict[str, Any], loses: dict[str, float]) -> list[str]:
    """Penalties that took other marks than stated."""
    taken = {penalty["id"]: penalty for penalty in verdict["penalties"] if penalty["marks"]}
    stated = set(loses) - {task["id"] for task in verdict["tasks"]}
    problems = [
        f"{name} took {penalty['marks']:g}, not {loses.get(name, 0):g} marks ({penalty['reason']})"
        for name, penalty in taken.items()
        if abs(penalty["marks"] - loses.get(name, 0)) > 0.005
    ]
    return problems + [f"{name} took nothing, not {loses[name]:g} marks" for name in sorted(stated - set(taken))]


def _unjudged(verdict: dict[str, Any]) -> list[str]:
    """Checks and penalties that could not be judged: their marks are out of the total, so the sums alone would hide them."""
    problems = [
        f"check {check['id']} ({check['check']}) could not be judged: {check['actual']}"
        for task in verdict["tasks"]
        for check in task["checks"]
        if check["outcome"] == "cannot_check"
    ]
    return problems + [
        f"{p['id']} could not be judged" for p in verdict["penalties"] if not p["marks"] and not p.get("zero")
    ]
