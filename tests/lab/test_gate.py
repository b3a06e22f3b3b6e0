"""What the gate says about runs, without running one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from labsim.lab import gate, prove
from labsim.lab.options import Options
from labsim.lab.prove import Proof
from labsim.lab.trainee import Ran
from labsim.scenario.load import load_scenario

SCENARIO = """
labsim: 1
id: judged
title: Judged
level: junior
minutes: 10
plant: {meter1: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1}}}]
tasks:
  - id: read
    title: Read
    marks: 4
    checks: [{modbus.read: {device: meter1, marks: 3}}, {modbus.read: {device: meter1, marks: 1}}]
penalties:
  - modbus.never: {tags: [meter1.frequency], at_least: 0, marks: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario with one wrong answer."""
    (tmp_path / "wrong").mkdir()
    (tmp_path / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "solution.py").write_text("", encoding="utf-8")
    (tmp_path / "wrong" / "half.py").write_text('LOSES = {"read": 1, "penalty.1": 2}\n', encoding="utf-8")
    return tmp_path


def verdict(*outcomes: str, penalty: float | None = None) -> dict[str, Any]:
    """A verdict with two checks of 3 and 1 marks, and what the penalty took (None: it passed)."""
    checks = [
        {
            "id": f"read.{n}", "check": "modbus.read", "outcome": outcome, "score": top * (outcome == "passed"), "max": top,
            "reason": "Because.", "actual": "KeyError: 'x'",
        }
        for n, (outcome, top) in enumerate(zip(outcomes, (3, 1), strict=True), 1)
    ]  # fmt: skip
    counted = [check for check in checks if check["outcome"] != "cannot_check"]
    score, top = (sum(check[key] for check in counted) for key in ("score", "max"))
    penalties = [] if penalty is None else [{"id": "penalty.1", "marks": penalty, "reason": "It was written."}]
    return {
        "scenario": "judged", "score": score, "max": top, "penalties": penalties,
        "tasks": [{"id": "read", "score": score, "max": top, "checks": checks}],
    }  # fmt: skip


@pytest.fixture
def said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `prove` says about a trainee whose lab came to a verdict."""

    async def of(who: str, document: dict[str, Any], **ran: Any) -> list[str]:
        async def run(*_: Any, **__: Any) -> Ran:
            facts = {"code": 0, "timed_out": False, "said": (), "late": 0.0} | ran
            return Ran(verdict=document, **facts)

        monkeypatch.setattr(prove, "run_trainee", run)
        proof = await prove.prove(folder, who, Options(seed="1", attempt=folder / "attempt"))
        return list(proof.problems)

    return of


async def test_a_run_as_stated_has_no_problem(said: Any) -> None:
    """Nobody scores nothing, the solution all, the wrong answer loses its marks and meets its penalty."""
    assert await said("untouched", verdict("failed", "not_checked")) == []
    assert await said("solution", verdict("passed", "passed")) == []
    assert await said("half", verdict("passed", "failed", penalty=2.0)) == []


async def test_a_check_that_cannot_be_judged_is_told(said: Any) -> None:
    """Its marks leave both sides, so the sums alone would hide it; a penalty's likewise."""
    assert await said("solution", verdict("passed", "cannot_check")) == [
        "check read.2 (modbus.read) could not be judged: KeyError: 'x'"
    ]
    assert await said("solution", verdict("passed", "passed", penalty=0)) == ["penalty.1 could not be judged"]


async def test_penalties_take_what_is_stated(said: Any) -> None:
    """A solution that is punished, and a wrong answer that is not, are told."""
    assert await said("solution", verdict("passed", "passed", penalty=2.0)) == [
        "penalty.1 took 2, not 0 marks (It was written.)"
    ]
    assert await said("half", verdict("passed", "failed")) == ["penalty.1 took nothing, not 2 marks"]


async def test_a_script_that_fails_is_told_with_what_it_said(said: Any) -> None:
    """The last line of a script that ended badly, and the time limit of one that did not end."""
    assert await said("solution", verdict("passed", "passed"), code=1, said=("Traceback", "KeyError: 'x'")) == [
        "solution.py ended with exit code 1: KeyError: 'x'"
    ]
    assert await said("half", verdict("passed", "failed", penalty=2.0), timed_out=True, code=-9) == [
        "half.py did not end within 600 s and was stopped"
    ]


async def test_a_busy_machine_is_named_only_beside_a_problem(said: Any) -> None:
    """Late steps excuse nothing by themselves, but say where to look when a run went wrong."""
    assert await said("solution", verdict("passed", "passed"), late=0.5) == []
    problems = await said("solution", verdict("passed", "failed"), late=0.5)
    assert problems[1] == "50% of the plant's steps were late: the machine was busy; try fewer --jobs"


def test_what_never_failed_is_named(folder: Path) -> None:
    """Only failures count: not those of the solution, and not a check that waited for another."""
    scenario = load_scenario(folder, seed="1", catalogue=None)
    runs = {
        "untouched": verdict("failed", "not_checked"),
        "half": verdict("passed", "passed"),
        "solution": verdict("passed", "failed", penalty=2.0),
    }
    proofs = [Proof("judged", "1", who, document, {}) for who, document in runs.items()]
    assert [line.partition(" never")[0] for line in gate.never_fails(scenario, proofs)] == [
        "check read.2 (modbus.read)",
        "penalty.1 (modbus.never)",
    ]
    proofs.append(Proof("judged", "1", "other", verdict("passed", "failed", penalty=2.0), {}))
    assert gate.never_fails(scenario, proofs) == []


def test_a_folder_without_a_solution_is_red(folder: Path, tmp_path: Path) -> None:
    """It is told instead of run."""
    (folder / "solution.py").unlink()
    (result,) = gate.prove_all([folder], ["1"], tmp_path / "attempts")
    assert not result.ok
    assert result.proofs == ()
    assert "solution.py: there is no such file" in result.problems[0]


def test_a_disturbed_run_is_made_once_more(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong on a busy machine is made again by itself, and only the last try counts; what simply went wrong is not."""
    made: list[str] = []

    async def run(_folder: Path, who: str, options: Options, **_: Any) -> Proof:
        made.append(options.attempt.name.partition(folder.name)[2])
        problems = {"solution": ("too late",), "half": ("wrong",)}.get(who, ())
        if options.attempt.name.endswith("again"):
            problems = ()
        return Proof(
            "judged", options.seed, who, verdict("failed", "failed"), {}, problems, 0.5 if who == "solution" else 0.0
        )

    def threads(count: int, _context: Any, **how: Any) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(count, **how)

    monkeypatch.setattr(gate, "ProcessPoolExecutor", threads)
    monkeypatch.setattr(gate, "prove", run)
    monkeypatch.setattr(gate, "replay_twins", lambda attempts: dict.fromkeys(attempts))
    monkeypatch.setattr(gate, "warm_python", lambda: gate.PYTHON)
    told: list[Proof] = []
    (result,) = gate.prove_all([folder], ["1", "2"], tmp_path / "attempts", tell=told.append)
    assert sorted(made) == [
        "-half-1", "-half-2", "-solution-1", "-solution-1-again", "-solution-2", "-solution-2-again", "-untouched-1",
        "-untouched-2",
    ]  # fmt: skip
    assert {(proof.who, proof.problems, proof.again) for proof in result.proofs} == {
        ("untouched", (), False),
        ("solution", (), True),
        ("half", ("wrong",), False),
    }
    assert sorted((proof.who, proof.seed) for proof in told) == sorted(
        (proof.who, proof.seed) for proof in result.proofs
    )
