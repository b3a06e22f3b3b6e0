"""Judging one check, wherever it stands: bound to its parameters, over its stretch of time, apart when it is not ours."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

from grader import apart
from grader.check import Check, Params
from grader.checks import REGISTRY, load
from grader.checks.compound import Compound
from grader.cut import Cut, checkpoints
from grader.outcome import Outcome, State, broken
from grader.stretch import not_yet, stretch
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import nested_checks
from labsim.scenario.marking import Mode, When, Window

_STANDS = ("handed", "standing")
_GIVEN = ("file", "answer", "probe")
_CHECKPOINTS = 200
"""Moments that are looked back to for an earlier success; always the first, so that one that was found stays found."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One check with its parameters, as a model and as they were written."""

    name: str
    check: Check[Any]
    model: Any
    params: dict[str, Any]

    def run(self, evidence: Evidence) -> Outcome:
        """Ours run here; those of other packages in a process of their own, where they may hang or exit."""
        if self.name in REGISTRY:
            return self.check.judge(evidence, self.model)
        return apart.judge(evidence, {"check": self.name, "params": self.params})


@dataclass
class Judging:
    """How the checks of one attempt are judged.

    Attributes:
        evidence: The attempt.
        mode: In training an earlier success stays one; in an exam the end counts.
    """

    evidence: Evidence
    mode: Mode = "training"

    def judge(self, name: str, params: Mapping[str, Any], task: str = "", when: When | None = None) -> Outcome:
        """The outcome of one check; whatever it raises is our fault, and costs nobody a mark."""
        try:
            check, model = bind(name, params, task)
            if isinstance(check, Compound):
                inside = [
                    self.judge(inner, given, task, when) for _, inner, given in nested_checks(type(model), params)
                ]
                return check.combine(model, inside)
            asked = _Asked(name, check, model, told(params, type(model), task))
            return self._judge(asked, when or ("ever" if self.mode == "training" else "at-end"))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one check must not end the marking of the others
            return broken(error)

    def _judge(self, asked: _Asked, when: When) -> Outcome:
        kind = asked.check.judges
        if isinstance(when, Window):
            span = stretch(when, self.evidence)
            if span is None:
                return not_yet()
            past = kind in _STANDS  # how things stand rests on all that was before
            end = None if when.to is None else span[1]
            return asked.run(Cut(self.evidence, start_ns=0 if past else span[0], end_ns=end))
        best = asked.run(self.evidence)
        if when != "ever" or kind not in _STANDS or best.state is not State.FAILED:
            return best
        for seq in self._handed if kind == "handed" else self._checkpoints:
            outcome = asked.run(Cut(self.evidence, seq=seq))
            if outcome.state is State.PASSED or (outcome.state is State.FAILED and outcome.score > best.score):
                best = outcome
            if best.state is State.PASSED:
                break
        return best

    @cached_property
    def _checkpoints(self) -> list[int]:
        last = self.evidence.records[-1].seq if self.evidence.records else 0
        return [seq for seq in islice(checkpoints(self.evidence), _CHECKPOINTS) if seq < last]

    @cached_property
    def _handed(self) -> list[int]:
        """The checkpoints at which something had been handed over since the one before."""
        given = sorted(r.seq for kind in _GIVEN for r in self.evidence.of("lab", kind))
        counts = [(bisect_right(given, seq), seq) for seq in checkpoints(self.evidence)]
        fresh = [seq for (had, _), (has, seq) in pairwise([(0, 0), *counts]) if has > had]
        return fresh[:_CHECKPOINTS]


def bind(name: str, params: Mapping[str, Any], task: str) -> tuple[Check[Any], Any]:
    """A check with its parameters as its model."""
    kind = load(name)
    return kind(), kind.Params.model_validate(told(params, kind.Params, task))


def told(params: Mapping[str, Any], model: type[Params], task: str) -> dict[str, Any]:
    """Parameters as they were written; a check that has a parameter ``task`` is told the task it stands in."""
    has_task = "task" in model.model_fields and not params.get("task")
    return {**params, "task": task} if has_task else dict(params)
