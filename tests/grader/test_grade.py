from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grader_bench import Bench

import grader.checks
from grader.check import Check, Params
from grader.grade import grade, grade_attempt
from grader.graded import graded_tags
from grader.outcome import Outcome, State, partly
from grader.verdict import Verdict
from labsim.errors import UnknownNameError
from labsim.evidence.evidence import Evidence
from labsim.scenario.load import load_scenario
from labsim.scenario.model import Scenario
from labsim.text import tr


class _Crash(Check[Params]):
    """Raises."""

    name = "test.crash"
    sentence = tr("Crash", "崩潰", "崩溃")
    Params = Params

    def judge(self, evidence: Evidence, params: Params) -> Outcome:
        """Divide by nothing."""
        raise ZeroDivisionError("a fault of ours")


class _Exit(Check[Params]):
    """Ends the program."""

    name = "test.exit"
    sentence = tr("Exit", "退出", "退出")
    Params = Params

    def judge(self, evidence: Evidence, params: Params) -> Outcome:
        """Exit."""
        sys.exit(0)


class _Third(Check[Params]):
    """A third of the marks."""

    name = "test.third"
    sentence = tr("Third", "三分之一", "三分之一")
    Params = Params

    def judge(self, evidence: Evidence, params: Params) -> Outcome:
        """A third."""
        return partly(1 / 3, tr("A third.", "三分之一。", "三分之一。"), evidence=range(1, 100))


@pytest.fixture(autouse=True)
def _own_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("test.crash", "_Crash"), ("test.exit", "_Exit"), ("test.third", "_Third")):
        monkeypatch.setitem(grader.checks.REGISTRY, name, f"{__name__}:{kind}")


def scenario_of(bench: Bench, tasks: str, more: str = "") -> Scenario:
    """A scenario with these tasks, in YAML."""
    bench.scenario = bench.scenario.split("tasks:")[0] + "tasks:\n" + tasks + more
    return load_scenario(bench.evidence.folder / "scenario", seed="7", catalogue=None, drawn={})


def marked(bench: Bench, tasks: str, more: str = "", task: str | None = None) -> Verdict:
    """The verdict of a scenario with these tasks."""
    scenario = scenario_of(bench, tasks, more)
    return grade(bench.evidence, scenario, task=task)


def states(verdict: Verdict) -> list[State]:
    """The state of each check, in order."""
    return [check.outcome.state for task in verdict.tasks for check in task.checks]


READ = "modbus.read: {device: meter1, marks: 4}"


def test_the_folder_alone_is_marked(bench: Bench) -> None:
    """Tasks, marks, hints and the contract's keys, in the contract's order."""
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    bench.event(2, "lab", "answer", values=["50 Hz"], detail={"task": "say"})
    bench.event(3, "lab", "hint", detail={"task": "read", "index": 0, "cost": 1})
    bench.event(4, "lab", "hint", detail={"task": "read", "index": 0, "cost": 1})
    verdict = grade_attempt(bench.evidence.folder).to_json("zh-Hant")
    assert list(verdict) == [
        "scenario", "seed", "attempt", "score", "max", "passed", "tasks", "penalties", "versions", "head",
    ]  # fmt: skip
    assert (verdict["scenario"], verdict["seed"], verdict["score"], verdict["max"]) == ("bench", "7", 5, 6)
    assert verdict["passed"] is True
    assert verdict["head"] == bench.evidence.head
    assert verdict["versions"]["grader"]
    task = verdict["tasks"][0]
    assert list(task)[:6] == ["id", "title", "score", "max", "outcome", "checks"]
    assert (task["title"], task["score"], task["hints"], task["outcome"]) == ("讀取電表", 3, 1, "passed")
    assert list(task["checks"][0]) == [
        "id", "check", "outcome", "score", "max", "reason", "expected", "actual", "evidence", "title", "help",
    ]  # fmt: skip
    assert task["checks"][0]["evidence"] == [1]


def test_the_same_folder_gives_the_same_bytes(bench: Bench) -> None:
    """Marked twice, in two processes' worth of freshly read evidence."""
    bench.read(1, {"meter1.voltage": 230.0})
    folder = bench.evidence.folder
    once, again = (json.dumps(grade_attempt(folder).to_json("en")) for _ in range(2))
    assert once == again


def test_an_untouched_lab_earns_nothing(bench: Bench) -> None:
    """No mark without work; what waits says for which task."""
    verdict = grade_attempt(bench.evidence.folder)
    assert (verdict.score, verdict.passed) == (0, False)
    assert states(verdict) == [State.FAILED, State.NOT_CHECKED]
    assert "read" in verdict.tasks[1].checks[0].outcome.reason["en"]


def test_a_check_waits_for_another_wherever_it_stands(bench: Bench) -> None:
    """Dependencies may point forward and chain; what waits names what it waits for."""
    tasks = f"""
  - {{id: a, title: A, marks: 1, checks: [{{test.third: {{id: a.x, depends: [b.x], marks: 1}}}}]}}
  - {{id: b, title: B, marks: 4, checks: [{{{READ[:-1]}, id: b.x}}}}]}}
"""
    assert states(marked(bench, tasks)) == [State.NOT_CHECKED, State.FAILED]
    other = Bench(bench.folder.with_name("other"))
    other.read(1)
    assert states(marked(other, tasks)) == [State.FAILED, State.PASSED]


def test_a_check_that_raises_hurts_nobody(bench: Bench) -> None:
    """It alone cannot be checked, its marks leave both sides, and what depends on it is judged."""
    bench.read(1)
    verdict = marked(
        bench,
        f"""
  - id: a
    title: A
    marks: 9
    checks:
      - test.crash: {{id: a.crash, marks: 5}}
      - {READ[:-1]}, depends: [a.crash]}}
""",
    )
    assert states(verdict) == [State.CANNOT_CHECK, State.PASSED]
    assert (verdict.score, verdict.max, verdict.tasks[0].excluded, verdict.passed) == (4, 4, 5, True)
    crash = verdict.tasks[0].checks[0].outcome
    assert "fault is ours" in crash.reason["en"]
    assert "ZeroDivisionError: a fault of ours (test_grade.py:" in str(crash.actual)
    assert verdict.tasks[0].state is State.CANNOT_CHECK


def test_a_check_that_exits_ends_nothing(bench: Bench) -> None:
    """It cannot be checked; the next one is."""
    bench.read(1)
    tasks = f"\n  - {{id: a, title: A, marks: 5, checks: [{{test.exit: {{marks: 1}}}}, {{{READ}}}]}}\n"
    assert states(marked(bench, tasks)) == [State.CANNOT_CHECK, State.PASSED]


def test_nothing_that_could_be_judged_is_not_a_pass(bench: Bench) -> None:
    """0 of 0 proves nothing."""
    verdict = marked(bench, "\n  - {id: a, title: A, marks: 5, checks: [{test.crash: {marks: 5}}]}\n")
    assert (verdict.score, verdict.max, verdict.passed) == (0, 0, False)


def test_unknown_checks_and_parameters_are_our_fault(bench: Bench) -> None:
    """A scenario of a later version costs nobody a mark."""
    verdict = marked(
        bench,
        """
  - {id: a, title: A, marks: 1, checks: [{other.thing: {marks: 1}}]}
  - {id: b, title: B, marks: 1, checks: [{modbus.read: {device: meter1, new: 1, marks: 1}}]}
""",
    )
    assert states(verdict) == [State.CANNOT_CHECK] * 2


def test_marks_are_rounded_to_hundredths(bench: Bench) -> None:
    """A third of one is 0.33, of two 0.67; evidence is capped."""
    verdict = marked(
        bench,
        """
  - {id: a, title: A, marks: 3, checks: [{test.third: {marks: 1}}, {test.third: {marks: 2}}]}
""",
    )
    assert [check.score for check in verdict.tasks[0].checks] == [0.33, 0.67]
    assert verdict.score == 1.0
    assert len(verdict.tasks[0].checks[0].outcome.evidence) == 50


def test_hints_never_cost_more_than_the_task_earned(bench: Bench) -> None:
    """A task stops at 0 and takes nothing from another."""
    bench.event(1, "lab", "hint", detail={"task": "a", "index": 0, "cost": 1})
    bench.read(2)
    verdict = marked(
        bench,
        f"""
  - {{id: a, title: A, marks: 1, checks: [{{test.third: {{marks: 1}}}}], hints: [{{text: Look, cost: 1}}]}}
  - {{id: b, title: B, marks: 4, checks: [{{{READ}}}]}}
""",
    )
    assert [task.score for task in verdict.tasks] == [0, 4]


PENALTIES = """
penalties:
  - plant.never: {tag: meter1.alarm, value: true, marks: 10}
  - test.crash: {marks: 10}
"""


def test_a_penalty_takes_its_marks_but_not_more_than_there_are(bench: Bench) -> None:
    """The alarm came: 4 less 10 is 0. A penalty that cannot be judged takes nothing and says so."""
    bench.read(1)
    bench.true("meter1.alarm", (0, False), (1, True))
    task = f"\n  - {{id: b, title: B, marks: 4, checks: [{{{READ}}}]}}\n"
    verdict = marked(bench, task, PENALTIES)
    assert (verdict.score, [p.marks for p in verdict.penalties]) == (0, [10, 0])
    assert "meter1.alarm was true" in verdict.to_json("en")["penalties"][0]["reason"]


def test_one_task_is_marked_alone(bench: Bench) -> None:
    """Only its marks, without penalties; an unknown task is told with the nearest."""
    scenario = load_scenario(bench.evidence.folder / "scenario", seed="7", catalogue=None, drawn={})
    verdict = grade(bench.evidence, scenario, task="say")
    assert ([t.id for t in verdict.tasks], verdict.max) == (["say"], 2)
    with pytest.raises(UnknownNameError, match="'read'"):
        grade(bench.evidence, scenario, task="raed")


def test_checks_that_wait_for_each_other_end(bench: Bench) -> None:
    """A circle that slipped through the linter is no endless loop."""
    spec: dict[str, Any] = {"check": "modbus.read", "marks": 1, "params": {"device": "meter1"}}
    scenario = load_scenario(bench.evidence.folder / "scenario", seed="7", catalogue=None, drawn={})
    first = scenario.tasks[0].checks[0]
    circle = [first.model_copy(update={**spec, "id": f"c.{n}", "depends": (f"c.{1 - n}",)}) for n in range(2)]
    task = scenario.tasks[0].model_copy(update={"checks": tuple(circle)})
    verdict = grade(bench.evidence, scenario.model_copy(update={"tasks": (task,)}))
    assert (len(states(verdict)), verdict.score) == (2, 0)


def test_graded_tags_are_those_that_checks_name(bench: Bench) -> None:
    """In lists, in mappings and alone, in tasks and penalties."""
    tasks = """
  - id: a
    title: A
    marks: 3
    checks:
      - modbus.read: {tags: [meter1.voltage], marks: 1}
      - file.values: {file: a.csv, expect: {p: meter1.power}, constants: {x: oven1.temp}, marks: 1}
      - plant.held: {tag: oven1.temp, low: 1, for: 1 s, writes: [oven1.setpoint], marks: 1}
"""
    penalties = "penalties:\n  - plant.never: {tag: meter1.alarm, value: true, marks: 1}\n"
    found = graded_tags(scenario_of(bench, tasks, penalties))
    assert found == {"meter1.voltage", "meter1.power", "oven1.temp", "oven1.setpoint", "meter1.alarm"}


def test_grading_needs_no_protocol_and_no_plant() -> None:
    """The grader with all of its checks loads none of the libraries behind plant, protocols and faces."""
    code = (
        "import sys, grader, grader.grade, grader.graded, grader.checks\n"
        "for name in grader.checks.names(): grader.checks.load(name)\n"
        "print([m for m in ('asyncua','pymodbus','textual','simpy','paho','labsim.plant','labsim.lab') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_folder_is_only_read(bench: Bench) -> None:
    """Marking changes, adds and removes nothing."""
    folder = bench.evidence.folder

    def listing() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = listing()
    grade_attempt(folder)
    assert listing() == before
