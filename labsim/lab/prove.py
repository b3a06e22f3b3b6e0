"""Proving a scenario: the solution, each wrong answer and nobody at all are run as a trainee would be, and marked."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.scenario.folder import wrong_answers

_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Proof:
    """One run and what it had to come to.

    Attributes:
        who: ``untouched``, ``solution`` or the name of a wrong answer.
        expected: Marks per task that the run must reach.
        problems: What was not as stated; empty for a good scenario.
    """

    scenario: str
    seed: str
    who: str
    verdict: dict[str, Any]
    expected: dict[str, float]
    problems: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether the run came to what it had to."""
        return not self.problems


async def attempt_with(
    folder: Path, script: Path | None, options: Options, tell: Callable[[str], None]
) -> tuple[dict[str, Any], int]:
    """Run a scenario with a script as its trainee (None: nobody touches it); the verdict and the script's exit code.

    Args:
        folder: The scenario's folder.
        script: A program that is given the path of a ``READY.json`` (see ``docs/architecture.md``).
        options: How the lab is run.
        tell: Is given each line that the script prints.
    """
    code = 0
    async with Lab(folder, options) as lab, Control(lab, "127.0.0.1", 0) as control:
        if script is not None:
            ready = lab.ready(control.url) | {
                "variants": dict(lab.scenario.drawn),
                "handin": str(options.attempt.absolute() / "handin"),
                "speed": options.speed,
                "devices": {path: device.type for path, device in lab.scenario.plant.items()},
            }
            path = options.attempt.absolute() / "READY.json"
            path.write_text(json.dumps(ready), encoding="utf-8")
            try:
                code = await _run(_command(script, path), lab, tell)
            finally:
                path.unlink(missing_ok=True)
        verdict = await lab.close("the script ended" if script else "nobody was there")
    return verdict, code


def _command(script: Path, ready: Path) -> list[str]:
    return [sys.executable, "-u", str(script.absolute()), str(ready)]


async def _run(command: list[str], lab: Lab, tell: Callable[[str], None]) -> int:
    """Run a script until it ends or the lab stops by itself."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None
    stdout = process.stdout

    async def follow() -> int:
        async for line in stdout:
            tell(line.decode("utf-8", "replace").rstrip())
        return await process.wait()

    following = asyncio.create_task(follow())
    stopped = asyncio.create_task(lab.stopping.wait())
    try:
        await asyncio.wait([following, stopped], timeout=_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            tell(f"{command[-2]} did not end in time and was stopped.")
            process.kill()
        return await following
    finally:
        stopped.cancel()
        if process.returncode is None:
            process.kill()


async def prove(folder: Path, who: str, options: Options, tell: Callable[[str], None] = lambda _: None) -> Proof:
    """Run one trainee (``untouched``, ``solution``, or a wrong answer's name) and compare with what is stated.

    An untouched run must score 0, the solution everything, a wrong answer everything but exactly what it says it loses.
    """
    loses: dict[str, float] = {}
    if who == "untouched":
        script = None
    elif who == "solution":
        script = folder / "solution.py"
    else:
        wrong = {answer.path.stem: answer for answer in wrong_answers(folder)}[who]
        script, loses = wrong.path, dict(wrong.loses)
    verdict, code = await attempt_with(folder, script, options, tell)
    expected = {
        task["id"]: 0.0 if who == "untouched" else round(task["max"] - loses.get(task["id"], 0.0), 2)
        for task in verdict["tasks"]
    }
    problems = [f"{script.name} ended with exit code {code}"] if script is not None and code else []
    for task in verdict["tasks"]:
        if abs(task["score"] - expected[task["id"]]) > 0.005:
            why = (
                "; ".join(f"{c['id']}: {c['reason']}" for c in task["checks"] if c["score"] < c["max"])
                or "nothing was lost"
            )
            problems.append(
                f"task {task['id']} came to {task['score']:g}, not {expected[task['id']]:g} of {task['max']:g} ({why})"
            )
    if loses and not any(loses.values()):
        problems.append("the wrong answer says that it loses nothing")
    return Proof(verdict["scenario"], options.seed, who, verdict, expected, tuple(problems))


def trainees(folder: Path) -> list[str]:
    """Everybody a scenario is proven with."""
    return ["untouched", "solution", *sorted(answer.path.stem for answer in wrong_answers(folder))]


async def prove_all(
    folders: Sequence[Path],
    seeds: Sequence[str],
    where: Path,
    *,
    speed: float = 5.0,
    parallel: int = 6,
    tell: Callable[[Proof], None] = lambda _: None,
) -> list[Proof]:
    """Prove scenarios with everybody and every seed, ``parallel`` labs at once; attempts lie below ``where``.

    In the end the plant of each attempt is computed anew and must come out the same. ``tell`` is given each proof when its
    run ends.
    """
    gate = asyncio.Semaphore(parallel)

    async def one(folder: Path, who: str, seed: str) -> Proof:
        async with gate:
            options = Options(seed=seed, attempt=where / f"{folder.name}-{who}-{seed}", speed=speed, port_base=0)
            proof = await prove(folder, who, options)
            tell(proof)
            return proof

    runs = [(folder, who, seed) for folder in folders for who in trainees(folder) for seed in seeds]
    proofs = await asyncio.gather(*(one(*run) for run in runs))
    # Only now: computing plants anew keeps this process busy, and the labs above want to be on time.
    return [
        _replayed(proof, where / f"{folder.name}-{who}-{seed}")
        for proof, (folder, who, seed) in zip(proofs, runs, strict=True)
    ]


def _replayed(proof: Proof, attempt: Path) -> Proof:
    """The proof, with a problem more when the attempt's plant does not come out the same again."""
    difference = replay_attempt(attempt).difference
    if difference is None:
        return proof
    return replace(proof, problems=(*proof.problems, f"a replay does not give the same plant: {difference}"))
