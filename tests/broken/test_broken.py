"""Each deliberately broken lab beside this file is red, with the sentence that says what is wrong with it, and no other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labsim.lab.catalogue import LabCatalogue
from labsim.lab.gate import Proven, prove_all
from labsim.scenario.load import lint_scenario

HERE = Path(__file__).parent
LINTED = {
    "adds-up-wrong": ["marks: 3 is not the sum of the checks' marks, which is 2."],
    "dear-hint": ["cost: this hint costs 3, but the task is worth 2."],
    "drawn-in-vain": ["the variant 'load' is used nowhere."],
    "no-chinese": ["title: zh-Hant and zh-Hans are missing.", "there is no such file.", "there is no such file."],
    "no-question": ["the task 'say' asks for no answer, so none can be given."],
    "no-such-tag": ["meter1 is a energy-meter, which has no tag 'voltage_l9'."],
}
"""Messages of ``labsim lint``, in order."""
RUN = {
    "cannot-fail": ["check say.2 (modbus.never) never failed: neither untouched nor with any wrong answer."],
    "crashes": ["solution: solution.py ended with exit code 1: RuntimeError: no such meter"],
    "hangs": ["solution: solution.py did not end within 3 s and was stopped"],
    "idle-penalty": ["penalty.1 (modbus.never) never took marks."],
    "loses-nothing": ["fifty: task say came to 2, not 0 of 2 (nothing was lost)"],
    "scores-untouched": [
        "check say.2 (modbus.never) never failed: neither untouched nor with any wrong answer.",
        "untouched: task say scores 1 of 3 though nobody did anything (by say.2)",
    ],
    "unsolved": ["solution: task say came to 0, not 2 of 2 (say.1: The answer is not right.)"],
}
"""What ``labsim test`` says: of the lab as a whole, then by trainee."""


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Proven]:
    """The labs whose fault shows only when they run, all proven at once."""
    where = tmp_path_factory.mktemp("broken")
    results = prove_all([HERE / name for name in RUN], ["one"], where, speed=20.0, jobs=6, limit_s=3.0)
    return {result.scenario: result for result in results}


def test_every_broken_lab_has_its_sentence() -> None:
    """No folder here is forgotten, and there are ten at least."""
    folders = {path.parent.name for path in HERE.glob("*/scenario.yaml")}
    assert folders == {*LINTED, *RUN}
    assert len(folders) >= 10


@pytest.mark.parametrize("name", LINTED)
def test_lint_tells_it(name: str) -> None:
    """What can be seen in the file is told by lint."""
    assert [problem.message for problem in lint_scenario(HERE / name, LabCatalogue())] == LINTED[name]


@pytest.mark.parametrize("name", RUN)
def test_nothing_is_wrong_with_the_files_of_the_others(name: str) -> None:
    """The labs that fail when they run pass lint, so it is the run that finds the fault."""
    assert lint_scenario(HERE / name, LabCatalogue()) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", RUN)
def test_the_gate_tells_it(proven: dict[str, Proven], name: str) -> None:
    """What shows only when a lab runs is told by the gate, and nothing else is."""
    result = proven[name]
    said = [*result.problems, *(f"{p.who}: {problem}" for p in result.proofs for problem in p.problems)]
    told = [re.sub(r" of \d\d:\d\d:\d\d\.\d UTC", "", line) for line in said if "steps were late" not in line]
    assert not result.ok
    assert [line.partition(" Mend it")[0] for line in told] == RUN[name]


def test_the_gate_does_not_run_what_lint_refuses(tmp_path: Path) -> None:
    """A lab with problems in its file is red for them, without a run; one that can run is judged beside it."""
    (result,) = prove_all([HERE / "adds-up-wrong"], ["one"], tmp_path)
    assert result.proofs == ()
    assert LINTED["adds-up-wrong"][0] in result.problems[0]


def test_the_command_is_red(tmp_path: Path) -> None:
    """``labsim test --json`` prints one document with every lab and run, and ends with 1."""
    command = [sys.executable, "-m", "labsim", "test", str(HERE / "no-question"), str(HERE / "unsolved")]
    options = ["--seeds", "1", "--speed", "20", "--json"]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, encoding="utf-8", env=os.environ, check=False, timeout=100
    )
    document = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert document["ok"] is False
    assert {row["scenario"]: row["ok"] for row in document["scenarios"]} == {"no-question": False, "unsolved": False}
    assert {row["who"]: row["ok"] for row in document["proofs"]} == {
        "untouched": True,
        "solution": False,
        "sixty": True,
    }
