from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from grader_bench import Bench

from grader.grade import grade_attempt
from labsim.evidence.attempt import Attempt
from labsim.evidence.verdicts import save_verdict
from labsim.report.lanes import lanes
from labsim.report.page import report
from labsim.report.words import KINDS, WORDS
from labsim.text import LANGUAGES

XHTML = "{http://www.w3.org/2000/svg}"


def tree(page: str) -> ElementTree.Element:
    """The page as a tree; fails when the markup is not well formed."""
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def seal(folder: Path) -> None:
    """Close an attempt for good."""
    attempt = Attempt.resume(folder, lambda: 40 * 10**9)
    attempt.seal()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_report_is_well_formed_and_needs_nothing_else(bench: Bench, lang: str) -> None:
    """Every element is closed, nothing is fetched, no script runs; headings, tables and pictures can be read aloud."""
    page = report(bench.evidence.folder, lang, full=True)
    root = tree(page)
    assert root.get("lang") == lang
    assert not [e for e in root.iter() if e.tag in ("script", "link", "img", "iframe", "object")]
    assert re.findall(r"""(?:src|href)=|url\(|@import""", page) == []
    assert "default-src 'none'" in page
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for picture in root.iter(f"{XHTML}svg"):
        assert picture.get("role") == "img"
        named = (picture.get("aria-labelledby") or "").split()
        assert named
        assert set(named) <= set(ids)
    for label in root.iter("section"):
        assert label.get("aria-labelledby") in ids
    assert all(cell.get("scope") for cell in root.iter("th"))


def test_what_clients_call_themselves_is_never_markup(bench: Bench) -> None:
    """A client id, a topic or an answer that is HTML stands on the page as text."""
    page = report(bench.evidence.folder, "en", full=True)
    assert "<gw>" not in page
    assert "&lt;gw&gt;&amp;" in page


def test_marks_reasons_and_facts_are_those_of_the_verdict(bench: Bench) -> None:
    """Each check stands with outcome, reason, expected, actual and next step, as the grader says them in that language."""
    for lang in LANGUAGES:
        verdict = grade_attempt(bench.evidence.folder).to_json(lang)
        text = " ".join(tree(report(bench.evidence.folder, lang, full=True)).itertext())
        for task in verdict["tasks"]:
            assert task["title"] in text
            for check in task["checks"]:
                for name in ("id", "title", "reason", "expected", "actual", "help"):
                    assert not check[name] or check[name] in text
        assert verdict["penalties"][0]["reason"] in text
        assert "the disk was full" in text
        assert verdict["head"][:8] in text


def test_hidden_faults_and_truth_wait_for_the_seal(bench: Bench) -> None:
    """While the lab can go on, its report shows neither hidden faults nor the truth behind a file; a sealed one does."""
    folder = bench.evidence.folder
    before = report(folder, "en")
    assert "link.modbus" not in before
    assert "chart-file-1-1" not in before
    assert "chart-file-3-1" in before
    assert "chart-file-3-2" not in before
    assert "Hidden faults are shown when the lab is sealed." in before
    assert "link.modbus" in report(folder, "en", full=True)
    seal(folder)
    after = report(folder, "en")
    assert "link.modbus" in after
    assert "chart-file-1-1" in after
    assert "chart-file-3-2" in after


@pytest.mark.parametrize("feedback", ["marks", "outcomes", "reasons"])
def test_an_exam_tells_what_its_scenario_allows(bench: Bench, feedback: str) -> None:
    """A candidate's report has reasons only where they are allowed, and neither charts nor evidence; the full one has all."""
    bench.scenario = bench.scenario.replace("level:", f"mode: exam\nfeedback: {feedback}\nlevel:")
    folder = bench.evidence.folder
    seal(folder)
    told = grade_attempt(folder).to_json()["tasks"][0]["checks"][1]
    page, full = report(folder, "en"), report(folder, "en", full=True)
    tree(page)
    assert ("say.2" in page) == (feedback != "marks")
    assert (told["reason"] in page) == (feedback == "reasons")
    for hidden in (told["actual"], "link.modbus", "chart-say-1-1", "Evidence rows"):
        assert hidden not in page
        assert hidden in full


def test_the_chart_shows_right_and_wrong_values(bench: Bench) -> None:
    """Right values are dots, wrong ones crosses, beside the true value as a line."""
    root = tree(report(bench.evidence.folder, "en", full=True))
    charts = {(p.get("aria-labelledby") or "").split("-title")[0]: p for p in root.iter(f"{XHTML}svg")}

    def count(name: str, css: str) -> int:
        return sum(e.get("class") == css for e in charts[name].iter())

    assert (count("chart-say-1-1", "dot"), count("chart-say-1-1", "cross")) == (36, 0)
    assert (count("chart-say-2-1", "dot"), count("chart-say-2-1", "cross")) == (0, 36)
    assert (count("chart-file-1-1", "dot"), count("chart-file-1-1", "truth")) == (3, 1)
    assert (count("chart-file-2-1", "dot"), count("chart-file-2-1", "cross")) == (15, 5)


def test_lanes_are_of_clients_and_count_what_was_only_counted(bench: Bench) -> None:
    """A client is one lane over all its connections; reads in a poll record are requests at their times."""
    mqtt, modbus = sorted(lanes(bench.evidence), key=lambda lane: lane.protocol != "mqtt")
    assert (mqtt.client, len(mqtt.writes), mqtt.spans) == ("<gw>&'\"", 72, [(10**9, 40 * 10**9)])
    assert (modbus.client, len(modbus.errors), len(modbus.writes)) == ("127.0.0.1", 1, 1)
    assert modbus.requests == [5 * 10**9, *(t * 10**9 for t in range(24, 32))]


def test_the_same_folder_gives_the_same_report(bench: Bench, tmp_path: Path) -> None:
    """A report depends on the folder alone: a copy elsewhere gives the same bytes."""
    folder = bench.evidence.folder
    other = tmp_path / "elsewhere" / folder.name
    shutil.copytree(folder, other)
    assert report(folder, "en") == report(other, "en")


def test_a_changed_attempt_is_told_on_its_report(bench: Bench) -> None:
    """The report verifies the evidence and names what is broken; an intact one says so."""
    folder = bench.evidence.folder
    assert "it is intact" in report(folder, "en")
    journal = folder / "journal" / "e0001.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"qos":0', b'"qos":1', 1))
    assert "is not as its host wrote it" in report(folder, "en")


def test_a_verdict_with_other_marks_is_told(bench: Bench) -> None:
    """When the last kept verdict has other marks, the report says that it was graded anew."""
    folder = bench.evidence.folder
    document = grade_attempt(folder).to_json()
    save_verdict(folder, document)
    assert "was graded anew" not in report(folder, "en")
    save_verdict(folder, document | {"score": document["score"] + 1})
    assert "was graded anew" in report(folder, "en")


def test_an_attempt_in_which_nothing_happened_has_a_report(tmp_path: Path) -> None:
    """Nobody connected: the page says so instead of an empty picture."""
    empty = Bench(tmp_path / "empty")
    page = report(empty.evidence.folder, "en")
    assert "No client ever connected." in page
    tree(page)


def test_words_are_in_three_languages() -> None:
    """Every word of the report is said in all of them, with the same facts."""
    for text in (*WORDS.values(), *KINDS.values()):
        assert text.missing == ()
        assert len({tuple(sorted(re.findall(r"{(\w+)}", said))) for said in text.values()}) == 1
