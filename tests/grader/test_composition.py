"""Checks made of checks, over stretches of time, apart, and what they earn."""

from __future__ import annotations

import json
import sys

import pytest
from grader_bench import Bench
from test_grade import READ, marked, scenario_of, states

from grader.cut import Cut
from grader.grade import grade
from grader.graded import graded_tags
from grader.outcome import State

VOLTAGE = {"modbus.read": {"tags": ["meter1.voltage"]}}
POWER = {"modbus.read": {"tags": ["meter1.power"]}}
COIL = {"modbus.read": {"device": "meter1", "table": "coil"}}


def test_one_way_of_several_is_enough(bench: Bench) -> None:
    """The best counts: power was read, voltage was not."""
    bench.read(1, {"meter1.power": 4.0})
    outcome = bench.judge("any", checks=[VOLTAGE, POWER])
    assert (outcome.state, outcome.actual, outcome.evidence) == (State.PASSED, "1/2", (1,))
    assert bench.judge("any", checks=[VOLTAGE, COIL]).state is State.FAILED


def test_some_of_several_share_the_marks(bench: Bench) -> None:
    """One of the two that are enough is half; a second makes it whole."""
    bench.read(1, {"meter1.power": 4.0})
    assert bench.judge("some", of=2, checks=[VOLTAGE, POWER, COIL]).score == 0.5
    other = Bench(bench.folder.with_name("other"))
    other.read(1, {"meter1.power": 4.0, "meter1.voltage": 230.0})
    assert other.judge("some", of=2, checks=[VOLTAGE, POWER, COIL]).state is State.PASSED
    assert other.judge("all", checks=[VOLTAGE, POWER, COIL]).score == pytest.approx(2 / 3)


def test_a_part_that_cannot_be_judged_costs_nothing(bench: Bench) -> None:
    """It leaves the mean of all; of several ways it is only missed where it might have been the one."""
    bench.read(1, {"meter1.power": 4.0})
    broken = {"other.thing": {}}
    assert bench.judge("all", checks=[broken, POWER]).state is State.PASSED
    assert bench.judge("any", checks=[broken, POWER]).state is State.PASSED
    assert bench.judge("any", checks=[broken, VOLTAGE]).state is State.CANNOT_CHECK


def test_parts_are_recorded_and_told_their_task(bench: Bench) -> None:
    """Tags inside a check are graded, and an answer inside one is that of its task."""
    tasks = """
  - id: say
    title: Say
    marks: 2
    answer: How many?
    checks: [{any: {checks: [{answer: {number: 50}}, {plant.held: {tag: oven1.temp, low: 1, for: 1 s}}], marks: 2}}]
"""
    bench.event(2, "lab", "answer", values=["50"], detail={"task": "say"})
    scenario = scenario_of(bench, tasks)
    assert graded_tags(scenario) == {"oven1.temp"}
    assert grade(bench.evidence, scenario).score == 2


def test_a_title_names_the_parts(bench: Bench) -> None:
    """The mark sheet says what the ways are."""
    bench.read(1)
    verdict = marked(bench, "\n  - {id: a, title: A, marks: 1, checks: [{any: {checks: "
                            "[{modbus.read: {device: meter1}}, {opcua.session: {}}], marks: 1}}]}\n")  # fmt: skip
    assert verdict.tasks[0].checks[0].title["en"].startswith("One of: ")


# ---- credit ----


def credited(bench: Bench, credit: str) -> float:
    """What 2 of 3 parts earn of 6 marks."""
    bench.read(1, {"meter1.power": 4.0, "meter1.voltage": 230.0})
    checks = json.dumps([VOLTAGE, POWER, COIL])
    return marked(
        bench,
        f"\n  - {{id: a, title: A, marks: 6, checks: [{{all: {{checks: {checks}, credit: {credit}, marks: 6}}}}]}}\n",
    ).score


@pytest.mark.parametrize(
    ("credit", "score"), [("share", 4), ("whole", 0), ("{50 %: 25 %, 90 %: 100 %}", 1.5), ("{70 %: 50 %}", 0)]
)
def test_credit_says_what_a_share_earns(bench: Bench, credit: str, score: float) -> None:
    """As the share, all or nothing, or in steps."""
    assert credited(bench, credit) == score


# ---- time ----

FILE = "file.values: {file: a.json, constants: {x: 1}, marks: 4"


def handed(bench: Bench, *versions: tuple[float, str]) -> None:
    """The same file in several versions, each taken in by a check."""
    for t, text in versions:
        data = text.encode()
        bench.event(t, "lab", "check")
        bench.keep_file(t, "a.json", data)


@pytest.mark.parametrize(
    ("more", "mode", "state"),
    [
        ("", "training", State.PASSED),
        ("", "exam", State.FAILED),
        (", when: ever", "exam", State.PASSED),
        (", when: at-end", "training", State.FAILED),
        (", when: {to: 3 s}", "exam", State.PASSED),
        (", when: {from: 4 s}", "training", State.FAILED),
    ],
)
def test_an_earlier_success_counts_as_the_mode_says(bench: Bench, more: str, mode: str, state: State) -> None:
    """Right at the second check, spoilt at the third."""
    handed(bench, (1, '{"x": 0}'), (2, '{"x": 1}'), (5, '{"x": 2}'))
    task = f"\n  - {{id: a, title: A, marks: 4, checks: [{{{FILE}{more}}}}}]}}\n"
    verdict = marked(bench, task, f"mode: {mode}\n")
    assert states(verdict) == [state]


def test_the_run_says_the_mode(bench: Bench) -> None:
    """A scenario for training that was run as an exam is marked as one, by whoever marks it."""
    bench.event(0, "lab", "host-start", detail={"mode": "exam"})
    bench.read(1)
    verdict = marked(bench, f"\n  - {{id: a, title: A, marks: 4, checks: [{{{READ}}}]}}\n")
    assert verdict.voice == "outcomes"


def test_what_was_done_outside_a_stretch_of_time_does_not_count(bench: Bench) -> None:
    """A read at 1 s is none of the stretch from 2 s on; one at 3 s is."""
    bench.read(1, {"meter1.power": 4.0})
    bench.event(2.5, "lab", "answer", values=["1"], detail={"task": "say"})
    bench.read(3, {"meter1.voltage": 230.0})
    bench.read(5, {"meter1.power": 4.0})
    tasks = "".join(
        f"\n  - id: {tag}\n    title: T\n    marks: 1\n    when: {{from: 2 s, to: 4 s}}\n"
        f"    checks: [{{modbus.read: {{tags: [meter1.{tag}], marks: 1}}}}]\n"
        for tag in ("power", "voltage")
    )
    assert states(marked(bench, tasks)) == [State.FAILED, State.PASSED]
    part = Cut(bench.evidence, start_ns=2 * 10**9, end_ns=4 * 10**9)
    assert [r.kind for r in part.records] == ["answer", "read"]
    assert part.end_ns == 4 * 10**9
    assert [r.t for r in part.of(kind="read")] == [3 * 10**9]


@pytest.mark.parametrize(
    ("fault", "state"), [(None, State.FAILED), (2.0, State.PASSED), (4.0, State.FAILED), (0.5, State.FAILED)]
)
def test_times_count_from_a_fault(bench: Bench, fault: float | None, state: State) -> None:
    """A read at 3 s is within two seconds after a fault at 2 s, before one at 4 s, too late after one at 0.5 s; none is none."""
    if fault is not None:
        detail = {"fault": "endpoint.restart", "phase": "begin", "number": 1}
        bench.event(fault, "lab", "fault", subject="endpoint.opcua", detail=detail)
    bench.read(3, {"meter1.voltage": 230.0})
    check = "{modbus.read: {tags: [meter1.voltage], when: {after: endpoint.opcua, to: 2 s}, marks: 1}}"
    assert states(marked(bench, f"\n  - {{id: a, title: A, marks: 1, checks: [{check}]}}\n")) == [state]


@pytest.mark.parametrize(("mode", "state"), [("training", State.PASSED), ("exam", State.FAILED)])
def test_a_store_that_was_right_at_a_check_counts_too(bench: Bench, mode: str, state: State) -> None:
    """Nothing was handed in between, and the message is cleared at the end."""
    bench.publish(1, "a", "on", retain=True)
    bench.event(2, "lab", "check")
    bench.publish(3, "a", "", retain=True)
    task = "\n  - {id: a, title: A, marks: 1, checks: [{mqtt.retained: {topics: [a], marks: 1}}]}\n"
    assert states(marked(bench, task, f"mode: {mode}\n")) == [state]


def test_absence_looks_at_the_end_whatever_was_true_before(bench: Bench) -> None:
    """Nothing had happened at the check; then the alarm came."""
    bench.event(1, "lab", "check")
    bench.true("meter1.alarm", (0, False), (2, True), (3, False), (4, True))
    bench.end = 5
    task = "\n  - {id: a, title: A, marks: 1, checks: [{plant.never: {tag: meter1.alarm, value: true, when: ever, marks: 1}}]}\n"
    verdict = marked(bench, task)
    assert states(verdict) == [State.FAILED]
    assert verdict.tasks[0].checks[0].outcome.times == 2


# ---- penalties and voices ----

ALARM = "plant.never: {tag: meter1.alarm, value: true, marks: 1"


@pytest.mark.parametrize(
    ("more", "score", "taken"),
    [("", 3, 1), (", take: each", 1, 3), (", take: each, most: 2", 2, 2), (", zero: a", 0, 1)],
)
def test_penalties(bench: Bench, more: str, score: float, taken: float) -> None:
    """Once, for each time, capped, or with the whole of a task."""
    bench.read(1)
    bench.true("meter1.alarm", (0, False), (1, True), (2, False), (3, True), (4, False), (5, True))
    bench.end = 6
    verdict = marked(
        bench, f"\n  - {{id: a, title: A, marks: 4, checks: [{{{READ}}}]}}\n", f"penalties:\n  - {ALARM}{more}}}\n"
    )
    assert (verdict.score, verdict.penalties[0].marks) == (score, taken)


def test_an_exam_tells_what_the_instructor_allows(bench: Bench) -> None:
    """Marks; outcomes too; reasons too; the whole is still there for the folder."""
    bench.event(1, "lab", "check")
    verdict = marked(
        bench, f"\n  - {{id: a, title: A, marks: 4, checks: [{{{READ}}}]}}\n", "mode: exam\nfeedback: reasons\n"
    )
    assert verdict.voice == "reasons"
    whole = verdict.to_json("en")["tasks"][0]["checks"][0]
    assert whole["reason"]
    told = {voice: verdict.to_json("en", voice)["tasks"][0]["checks"] for voice in ("marks", "outcomes", "reasons")}  # type: ignore[arg-type] # a test's word
    assert told["marks"] == []
    assert (told["outcomes"][0]["outcome"], told["outcomes"][0]["reason"]) == ("failed", "")
    assert told["reasons"][0]["reason"] == whole["reason"]
    assert (told["reasons"][0]["expected"], told["reasons"][0]["evidence"], told["reasons"][0]["help"]) == (
        None,
        [],
        "",
    )
    assert verdict.to_json("en", "marks")["voice"] == "marks"


# ---- apart ----

SCRIPTS = """
import os, socket, sys, time, pathlib
from grader.outcome import passed
from labsim.text import tr

def reads(evidence, least=1):
    n = len(evidence.of("modbus", "read"))
    reason = {"en": f"Reads: {n}.", "zh-Hant": f"讀取：{n}", "zh-Hans": f"读取：{n}"}
    seen = [r.seq for r in evidence.of("modbus", "read")]
    return {"score": min(n / least, 1), "reason": reason, "actual": str(n), "evidence": seen}

def yes(evidence): return True
def outcome(evidence): return passed(tr("a", "b", "c"), evidence=[1])
def crash(evidence): return 1 / 0
def leaves(evidence): sys.exit(0)
def drops(evidence): os._exit(3)
def hangs(evidence): time.sleep(60)
def garbage(evidence): return "five"
def spoils(evidence): (evidence.folder / "manifest.json").write_text("{}")
def removes(evidence): os.remove(evidence.folder / "manifest.json")
def calls(evidence): socket.create_connection(("127.0.0.1", 9))
def eats(evidence): return len(bytearray(8 * 2**30)) > 0
def prints(evidence):
    print("{}" * 1000)
    return 0.5
"""


@pytest.fixture
def scripted(bench: Bench) -> Bench:
    """An attempt with two reads, of a scenario with scripts."""
    bench.scenario_files["checks.py"] = SCRIPTS.encode()
    bench.read(1)
    bench.read(2)
    return bench


def test_a_script_judges_by_the_same_contract(scripted: Bench) -> None:
    """A mapping with score and reason, true, an outcome, a share; what it prints is nobody's."""
    outcome = scripted.judge("python", run="checks.py:reads", **{"with": {"least": 4}})
    assert (outcome.score, outcome.reason["en"], outcome.actual, outcome.evidence) == (0.5, "Reads: 2.", "2", (1, 2))
    assert scripted.judge("python", run="checks.py:yes").state is State.PASSED
    assert scripted.judge("python", run="checks.py:outcome").evidence == (1,)
    assert scripted.judge("python", run="checks.py:prints").score == 0.5


@pytest.mark.parametrize("name", ["crash", "leaves", "drops", "garbage", "nowhere", "spoils", "removes", "calls"])
def test_a_script_that_fails_is_our_fault_alone(scripted: Bench, name: str) -> None:
    """It raises, exits, returns nonsense, is not there, writes into the attempt, or asks the world."""
    before = (scripted.evidence.folder / "manifest.json").read_bytes()
    assert scripted.judge("python", run=f"checks.py:{name}").state is State.CANNOT_CHECK
    assert (scripted.evidence.folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("name", ["checks.py", "more.py"])
def test_code_that_came_later_is_not_run(scripted: Bench, name: str) -> None:
    """Neither a script that was changed since the attempt was made, nor a module that was put beside it."""
    with (scripted.evidence.folder / "scenario" / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert name in str(scripted.judge("python", run="checks.py:yes").actual)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_script_that_eats_memory_is_stopped(scripted: Bench) -> None:
    """Eight gigabytes are not given."""
    assert "MemoryError" in str(scripted.judge("python", run="checks.py:eats").actual)


def test_a_script_that_hangs_is_ended(scripted: Bench) -> None:
    """After its limit the others go on."""
    outcome = scripted.judge("python", run="checks.py:hangs", limit="500 ms")
    assert outcome.state is State.CANNOT_CHECK
    assert "0.5 s" in str(outcome.actual)


def test_a_script_sees_its_stretch_of_time(scripted: Bench) -> None:
    """From 1.5 s on there was one read."""
    part = Cut(scripted.evidence, start_ns=1_500_000_000)
    from grader.checks import load

    check = load("python")
    outcome = check().judge(part, check.Params.model_validate({"run": "checks.py:reads"}))
    assert outcome.reason["en"] == "Reads: 1."
