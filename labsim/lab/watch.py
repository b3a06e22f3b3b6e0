"""Watching a scenario's folder while its author writes: what changed, whether it is good, whether a lab has to begin anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from labsim.errors import InputError, LabsimError, Problem, ScenarioError
from labsim.lab.build import build_plant
from labsim.lab.catalogue import LabCatalogue
from labsim.plant.clock import SimClock
from labsim.scenario.folder import scenario_files
from labsim.scenario.load import lint_scenario, load_scenario
from labsim.scenario.problems import CARE

LOOK_S = 0.3
"""How often the folder is looked at, and how long it must have been quiet: editors write a file in several steps."""


@dataclass(frozen=True, slots=True)
class Change:
    """A folder after a change.

    Attributes:
        problems: Everything that lint tells, and what keeps the plant from being built.
        good: A lab can be run with it: there are no problems, or only such as do not keep it from running.
        anew: What the lab is made of has changed, not only the solution or the wrong answers.
    """

    problems: tuple[Problem, ...]
    good: bool
    anew: bool


class Watch:
    """One scenario's folder, and what was in it when a lab began."""

    def __init__(self, folder: Path, seed: str) -> None:
        self._folder, self._seed = folder, seed
        self._seen = self._stamps()
        self._run = self._content()

    async def change(self) -> Change:
        """Wait until something has changed and then been quiet for a moment."""
        now, quiet = self._stamps(), False
        while now == self._seen or not quiet:
            await asyncio.sleep(LOOK_S)
            before, now = now, self._stamps()
            quiet = now == before
        self._seen = now
        return await asyncio.to_thread(self._judge)

    def _judge(self) -> Change:
        problems = tuple(self._problems())
        content = self._content()
        good = all(problem.code in CARE for problem in problems)
        anew = good and content != self._run
        if anew:
            self._run = content
        return Change(problems, good, anew)

    def _problems(self) -> list[Problem]:
        try:
            problems = lint_scenario(self._folder, LabCatalogue())
            if all(problem.code in CARE for problem in problems):
                scenario = load_scenario(self._folder, seed=self._seed, catalogue=LabCatalogue())
                build_plant(scenario, self._seed, SimClock(1.0))
        except ScenarioError as error:
            return list(error.problems)
        except LabsimError as error:
            return [Problem(str(self._folder), 0, 0, "cannot-run", str(error))]
        return problems

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """When each file was changed and how large it is; one that goes away meanwhile is left out."""
        found = {}
        for path in self._folder.rglob("*"):
            parts = path.relative_to(self._folder).parts
            if any(part.startswith(".") or part in ("__pycache__", "attempts") for part in parts):
                continue
            try:
                state = path.stat()
            except OSError:
                continue
            if path.is_file():
                found[path] = (state.st_mtime_ns, state.st_size)
        return found

    def _content(self) -> dict[str, bytes]:
        """What an attempt would keep: everything but the answers."""
        try:
            return scenario_files(self._folder)
        except (InputError, OSError):
            return {}
