"""The learner's record."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from labsim.errors import InputError
from labsim.progress.record import Entry, add, entries
from labsim.progress.standing import by_competence, by_scenario
from labsim.progress.xapi import statements
from labsim.scenario.competence import competences, functions
from labsim.scenario.folder import builtin_scenarios, peek


def attempt(scenario: str, score: float, *, at: str = "2031-03-01T08:00:00+00:00", passed: bool = False) -> Entry:
    """A finished attempt worth 20 marks."""
    names = {"mapping": ("NET-J1",), "energy": ("DAT-J2", "NET-J1")}[scenario]
    return Entry(
        at=at, attempt=f"/a/{scenario}", head=f"{score:064}", scenario=scenario, title={"en": scenario}, level="junior",
        competences=names, seed="s", score=score, max=20, passed=passed, minutes=61.5,
    )  # fmt: skip


def test_best_marks_count_for_every_competence_of_the_scenario() -> None:
    """The better of two attempts stands, also for a competence that two scenarios name."""
    record = [attempt("mapping", 8), attempt("mapping", 16, passed=True), attempt("energy", 18, passed=True)]
    assert by_scenario(record)["mapping"].best == 0.8
    assert by_competence(record)["NET-J1"].best == 0.9
    assert by_competence(record)["NET-J1"].attempts == 3
    assert by_competence(record)["DAT-J2"].passed


def test_a_record_is_read_back_as_written(tmp_path: Path) -> None:
    """What was added comes back in order, and half a line of a crash is passed over."""
    file = tmp_path / "deep" / "record.jsonl"
    written = [attempt("mapping", 3), attempt("energy", 20)]
    for entry in written:
        add(entry, file)
    with file.open("ab") as out:
        out.write(b'{"at": "2031')
    assert entries(file) == written


def test_no_record_is_an_empty_record(tmp_path: Path) -> None:
    """Before the first lab there is no file, and that is no mistake."""
    assert entries(tmp_path / "record.jsonl") == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    """The file and the line are told, so that a person can mend it."""
    file = tmp_path / "record.jsonl"
    add(attempt("mapping", 3), file)
    with file.open("ab") as out:
        out.write(b"nonsense\n")
    with pytest.raises(InputError, match=r"record\.jsonl:2 is no entry"):
        entries(file)


def test_statements_are_those_of_xapi() -> None:
    """Verb, score, duration and time are as xAPI 1.0.3 wants them; ids do not change from export to export."""
    record = [attempt("energy", 18, passed=True), attempt("mapping", 2)]
    first, second = statements(record, "hx-0042", "https://example.org")
    assert first["verb"]["id"] == "http://adlnet.gov/expapi/verbs/passed"
    assert second["verb"]["id"] == "http://adlnet.gov/expapi/verbs/failed"
    assert first["result"]["score"] == {"scaled": 0.9, "raw": 18, "min": 0, "max": 20}
    assert first["result"]["duration"] == "PT3690S"
    assert datetime.datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert first["actor"]["account"] == {"name": "hx-0042", "homePage": "https://example.org"}
    assert [category["id"] for category in first["context"]["contextActivities"]["category"]] == [
        "urn:labsim:competence:DAT-J2",
        "urn:labsim:competence:NET-J1",
    ]
    assert first["id"] != second["id"]
    assert statements(record, "hx-0042", "https://example.org")[0]["id"] == first["id"]
    json.dumps(first)


def test_every_competence_is_said_in_three_languages() -> None:
    """The framework has thirty competences of seven functions, none of which lacks a language."""
    assert len(competences()) == 30
    for one in competences().values():
        assert not one.title.missing
        assert not functions()[one.function].missing


def test_scenarios_name_competences_of_the_framework() -> None:
    """What a scenario trains can be shown by its title."""
    named = {name for folder in builtin_scenarios().values() for name in peek(folder).competences}
    assert named
    assert named <= set(competences())
