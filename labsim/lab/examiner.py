"""Marks the attempt of a running lab: so far, when a check is asked for, and for good, when the lab is closed."""

from __future__ import annotations

import asyncio
from typing import Any

from grader.grade import grade
from grader.verdict import Verdict
from labsim.evidence.attempt import Attempt
from labsim.evidence.evidence import Evidence
from labsim.lab.keeper import Keeper
from labsim.lab.probes import Probes
from labsim.lab.tasks import Tasks
from labsim.scenario.model import Scenario


class Examiner:
    """Marks one attempt, from its folder as any later grading does.

    Args:
        attempt: The attempt.
        scenario: What it is marked by.
        tasks: Its tasks.
        keeper: Keeps that it was marked, and the hand-in it was marked on.
        probes: What checks want tried before they judge.
        lang: Language of the verdict that is kept.
    """

    def __init__(
        self, attempt: Attempt, scenario: Scenario, tasks: Tasks, keeper: Keeper, probes: Probes, lang: str
    ) -> None:
        self._attempt, self._scenario, self._tasks, self._keeper = attempt, scenario, tasks, keeper
        self._probes, self._lang = probes, lang

    async def check(self, task: str | None, lang: str | None = None) -> dict[str, Any]:
        """Mark the attempt so far, all tasks or one. The hand-in folder is kept as it is now.

        Raises:
            UnknownNameError: there is no such task.
            EvidenceError: the check or the hand-in could not be kept.
        """
        if task is not None:
            task = self._tasks[task].id
        await self._probes.at_check(task)
        self._keeper.note("check", detail={"task": task} if task else {})
        self._keeper.snapshot_handin()
        return await self.told(task, lang or self._lang)

    async def told(self, task: str | None, lang: str) -> dict[str, Any]:
        """The verdict on what was kept so far, as far as whoever works here may know it."""
        return await asyncio.to_thread(self._told, task, lang)

    def _told(self, task: str | None, lang: str) -> dict[str, Any]:
        verdict = self._mark(task)
        return verdict.to_json(lang, verdict.voice)

    async def conclude(self, reason: str) -> Verdict:
        """Keep what is kept last: the hand-in, why the lab ended, the verdict, the seal.

        Raises:
            EvidenceError: it could not be kept; what was kept is intact and can be graded.
        """
        self._keeper.note("submit")
        self._attempt.snapshot_handin()
        self._keeper.note("host-stop", detail={"reason": reason})
        verdict = await asyncio.to_thread(self._mark, None)
        self._attempt.save_verdict(verdict.to_json(self._lang))
        self._attempt.seal()
        return verdict

    def _mark(self, task: str | None) -> Verdict:
        return grade(Evidence.load(self._attempt.folder), self._scenario, task=task)
