"""The gate that scenarios pass before they are used: lint, every trainee with every seed, and checks that can fail.

Runs are spread over processes, two for each core, each with a few labs at a time, because a lab mostly waits: while one lab
starts or is marked, those of its process wait, and the system lets the other process go on.
Timing is judged in plant time, so too many labs on one machine disturb one another: the default is modest, and a run that
went wrong on a busy machine is made once more when the others have ended, in peace, and says so if it goes wrong again.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labsim.errors import LabsimError, Problem, ScenarioError
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.models import lint_models
from labsim.lab.options import Options
from labsim.lab.prove import SOLUTION, SOLUTION_FILE, UNTOUCHED, Proof, prove, trainees
from labsim.lab.replay import Difference
from labsim.lab.trainee import LIMIT_S, PYTHON, warm_python
from labsim.lab.twins import replay_twins
from labsim.scenario.load import lint_scenario, load_scenario
from labsim.scenario.model import Scenario

SPEED = 5.0
_PER_CORE, _MOST = 15, 60
_PROCESSES = 2
"""For each core."""
_AGAIN = 1
"""How many labs a process runs at once when those that were disturbed are made again."""
_DRAFT = frozenset({"missing-language", "unused-variant"})
"""Problems that lint tells and that keep nobody from trying a draft."""
_BEAT_S = 0.2


@dataclass(frozen=True, slots=True)
class Proven:
    """What the gate found out about one scenario.

    Attributes:
        scenario: Its id, or its folder's name when it cannot be read.
        proofs: Every run of it.
        problems: What is wrong with the scenario as a whole.
    """

    scenario: str
    proofs: tuple[Proof, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything came to what it had to."""
        return not self.problems and all(proof.ok for proof in self.proofs)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run to be made."""

    folder: Path
    who: str
    seed: str
    attempt: Path


def default_jobs() -> int:
    """How many labs run at once unless somebody says otherwise."""
    return min(_PER_CORE * (os.cpu_count() or 1), _MOST)


def prove_all(
    folders: Sequence[Path],
    seeds: Sequence[str],
    where: Path,
    *,
    speed: float = SPEED,
    jobs: int | None = None,
    limit_s: float = LIMIT_S,
    plan: Callable[[int], None] = lambda _: None,
    tell: Callable[[Proof], None] = lambda _: None,
) -> list[Proven]:
    """Prove scenarios with everybody and every seed; attempts lie below ``where``.

    In the end the plant of each attempt is computed anew and must come out the same.

    Args:
        folders: The scenarios.
        seeds: Each is run with everybody.
        where: An empty folder.
        speed: Plant seconds per wall second.
        jobs: How many labs run at once; `default_jobs` for None.
        limit_s: Wall seconds that a script may take.
        plan: Is told how many runs there will be.
        tell: Is given each proof when its run ends.
    """
    jobs = jobs or default_jobs()
    flaws = {folder: _flaws(folder) for folder in folders}
    runs = [
        _Run(folder, who, seed, where / f"{index}-{folder.name}-{who}-{seed}")
        for who, index, folder in _in_turn([() if flaws[folder] else trainees(folder) for folder in folders], folders)
        for seed in seeds
    ]
    plan(len(runs))
    proofs = dict(zip(runs, _in_processes(runs, speed, jobs, limit_s, tell), strict=True))
    return [
        _proven(folder, flaws[folder], [p for run, p in proofs.items() if run.folder == folder]) for folder in folders
    ]


def _in_turn(who: Sequence[Sequence[str]], folders: Sequence[Path]) -> list[tuple[str, int, Path]]:
    """The trainees of each scenario spread over the whole time, so that long and short labs run side by side to the end."""
    turns = sorted(
        ((turn + 0.5) / len(names), index, turn) for index, names in enumerate(who) for turn in range(len(names))
    )
    return [(who[index][turn], index, folders[index]) for _, index, turn in turns]


def _flaws(folder: Path) -> tuple[str, ...]:
    """What keeps a scenario from being run at all."""
    problems: Iterable[Problem] = [*lint_scenario(folder, LabCatalogue()), *lint_models(folder)]
    found = [str(problem) for problem in problems if problem.code not in _DRAFT]
    if not (folder / SOLUTION_FILE).is_file():
        found.append(f"{folder / SOLUTION_FILE}: there is no such file. A scenario proves itself with a solution.")
    return tuple(found)


def _proven(folder: Path, flaws: tuple[str, ...], proofs: Sequence[Proof]) -> Proven:
    if flaws or not proofs:
        return Proven(folder.name, (), flaws)
    scenario = load_scenario(folder, seed=proofs[0].seed, catalogue=None)
    return Proven(scenario.id, tuple(proofs), tuple(never_fails(scenario, proofs)))


def never_fails(scenario: Scenario, proofs: Iterable[Proof]) -> list[str]:
    """Checks that failed in no run but the solution's, and penalties that no run met: nobody knows whether they can."""
    failed: set[str] = set()
    for proof in proofs:
        if proof.who != SOLUTION:
            judged = [check for task in proof.verdict["tasks"] for check in task["checks"]]
            failed |= {check["id"] for check in judged if check["outcome"] == "failed"}
            failed |= {penalty["id"] for penalty in proof.verdict["penalties"] if penalty["marks"]}
    checks = (check for task in scenario.tasks for check in task.checks)
    found = [
        f"check {check.id} ({check.check}) never failed: neither {UNTOUCHED} nor with any wrong answer. "
        "Mend it, or add a wrong answer that it catches."
        for check in checks
        if check.id not in failed
    ]
    return found + [
        f"{penalty.id} ({penalty.check}) never took marks. Mend it, or add a wrong answer that it punishes."
        for penalty in scenario.penalties
        if penalty.id not in failed
    ]


# ---- processes ----

_told: Any = None
"""In a worker: where proofs are told as soon as their runs end."""
_python: Sequence[str] = PYTHON
"""In a worker: what runs scripts."""


def _in_processes(
    runs: Sequence[_Run], speed: float, jobs: int, limit_s: float, tell: Callable[[Proof], None]
) -> list[Proof]:
    """The proofs of runs, in their order."""
    if not runs:
        return []
    context = multiprocessing.get_context("spawn")  # a fork would copy threads and sockets of the caller
    count = min(_PROCESSES * (os.cpu_count() or 1), jobs, len(runs))
    heard = context.Queue()
    with ProcessPoolExecutor(count, context, initializer=_begin, initargs=(heard,)) as pool:
        slots = -(-jobs // count)
        batches = [
            pool.submit(_batch, list(enumerate(runs))[start::count], speed, slots, limit_s) for start in range(count)
        ]
        try:
            _listen(batches, heard, tell)
            proofs = dict(pair for batch in batches for pair in batch.result())
            again = [
                (n, replace(runs[n], attempt=_beside(runs[n].attempt))) for n in sorted(proofs) if proofs[n].disturbed
            ]
            batches = [
                pool.submit(_batch, again[start::count], speed, _AGAIN, limit_s, last=True) for start in range(count)
            ]
            _listen(batches, heard, tell)
            proofs |= {n: replace(proof, again=True) for batch in batches for n, proof in batch.result()}
            runs = [dict(again).get(n, run) for n, run in enumerate(runs)]
            # Only now: computing plants anew keeps the cores busy, and the labs above want to be on time.
            twins: dict[tuple[Path, str], list[Path]] = {}
            for n, run in enumerate(runs):
                if proofs[n].verdict["tasks"]:
                    twins.setdefault((run.folder, run.seed), []).append(run.attempt)
            differences = {path: found for one in pool.map(replay_twins, twins.values()) for path, found in one.items()}
            return [_replayed(proofs[n], differences.get(run.attempt)) for n, run in enumerate(runs)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _listen(batches: Sequence[Future[Any]], heard: Any, tell: Callable[[Proof], None]) -> None:
    """Pass proofs on until all batches are done."""
    while True:
        done = all(batch.done() for batch in batches)
        try:
            while True:
                tell(heard.get(timeout=0 if done else _BEAT_S))
        except queue.Empty:
            if done:
                return


def _begin(heard: Any) -> None:
    global _told, _python  # what a worker process has from its start
    _told, _python = heard, warm_python()


def _beside(attempt: Path) -> Path:
    """Where a run that was disturbed is made again; what it was the first time stays for who wants to know."""
    return attempt.with_name(f"{attempt.name}-again")


def _batch(
    runs: Sequence[tuple[int, _Run]], speed: float, slots: int, limit_s: float, *, last: bool = False
) -> list[tuple[int, Proof]]:
    """In a worker: make some runs, a few at a time; one that was disturbed is told only when it is the ``last`` try."""

    async def every() -> list[tuple[int, Proof]]:
        gate = asyncio.Semaphore(slots)

        async def one(number: int, run: _Run) -> tuple[int, Proof]:
            async with gate:
                options = Options(seed=run.seed, attempt=run.attempt, speed=speed, port_base=0)
                try:
                    proof = await prove(run.folder, run.who, options, limit_s=limit_s, python=_python)
                except LabsimError as error:
                    proof = _unproven(run, error)
                if last or not proof.disturbed:
                    _told.put(proof)
                return number, proof

        return list(await asyncio.gather(*(one(number, run) for number, run in runs)))

    return asyncio.run(every())


def _unproven(run: _Run, error: LabsimError) -> Proof:
    """A run that did not come about."""
    nothing = {"scenario": run.folder.name, "seed": run.seed, "score": 0, "max": 0, "tasks": [], "penalties": []}
    said = "; ".join(map(str, error.problems)) if isinstance(error, ScenarioError) else str(error)
    return Proof(run.folder.name, run.seed, run.who, nothing, {}, (f"the lab could not be run: {said}",))


def _replayed(proof: Proof, difference: Difference | None) -> Proof:
    """The proof, with a problem more when the attempt's plant did not come out the same again."""
    if difference is None:
        return proof
    return replace(proof, problems=(*proof.problems, f"a replay does not give the same plant: {difference}"))
