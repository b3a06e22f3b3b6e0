from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from grader_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from grader.difference import differences
from grader.grade import grade_attempt
from grader.verdict import Voice
from labsim.report.junit import junit
from labsim.report.table import COLUMNS, table
from labsim.text import LANGUAGES

SCHEMA: dict[str, Any] = json.loads(files("labsim.report").joinpath("verdict.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_verdicts_are_as_the_published_schema_says(bench: Bench, lang: str) -> None:
    """A real verdict is valid in every language, and has no key that the schema does not describe."""
    document = grade_attempt(bench.evidence.folder).to_json(lang)
    jsonschema.Draft202012Validator(closed(SCHEMA)).validate(document)
    jsonschema.Draft202012Validator(SCHEMA).validate({"event": "verdict", **document})


@pytest.mark.parametrize("voice", ["marks", "outcomes", "reasons"])
def test_what_a_candidate_is_told_is_a_verdict_too(bench: Bench, voice: Voice) -> None:
    """The schema holds for less than everything, and for a verdict that follows on another."""
    document = grade_attempt(bench.evidence.folder).to_json("en", voice)
    before = document | {"score": document["score"] + 1}
    about = {"by": "ann", "why": "appeal", "follows": "0001", "changes": differences(before, document)}
    jsonschema.Draft202012Validator(closed(SCHEMA)).validate(document | {"grading": about})


def test_the_schema_refuses_what_is_no_verdict(bench: Bench) -> None:
    """A missing key, negative marks and an outcome of another name are told."""
    document = grade_attempt(bench.evidence.folder).to_json()
    check = jsonschema.Draft202012Validator(SCHEMA)
    assert not check.is_valid({name: value for name, value in document.items() if name != "head"})
    assert not check.is_valid(document | {"score": -1})
    document["tasks"][0]["checks"][0]["outcome"] = "perhaps"
    assert not check.is_valid(document)


def test_every_key_of_the_schema_is_described() -> None:
    """Who reads the schema needs no other page."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for path, part in properties(SCHEMA, ()):
        target = SCHEMA["$defs"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else {}
        assert part.get("description") or target.get("description"), path


def closed(schema: Any) -> Any:
    """The schema with nothing allowed beside what it describes."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(part) for name, part in schema.items()}
    return {**made, "additionalProperties": False} if "properties" in made and "type" in made else made


def properties(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every property anywhere in a schema."""
    for name, part in schema.get("properties", {}).items():
        yield (*path, name), part
        yield from properties(part, (*path, name))
    for name, part in schema.get("$defs", {}).items():
        yield from properties(part, (*path, name))


def test_junit_counts_what_it_holds(bench: Bench) -> None:
    """One case per check and penalty; failures, skipped and errors are counted; the evidence stands in system-out."""
    document = grade_attempt(bench.evidence.folder).to_json()
    root = ElementTree.fromstring(junit(document, bench.evidence, "en"))
    checks = {check["id"]: check for task in document["tasks"] for check in task["checks"]}
    cases = {(case.get("name") or "").split(" ")[0]: case for case in root.iter("testcase")}
    assert set(cases) == {*checks, "penalty.1"}
    assert root.get("tests") == str(len(cases))
    for tag, outcome in (("failure", "failed"), ("skipped", "not_checked"), ("error", "cannot_check")):
        with_it = {name for name, case in cases.items() if case.find(tag) is not None and name in checks}
        assert with_it == {name for name, check in checks.items() if check["outcome"] == outcome}
    assert root.get("failures") == str(len(root.findall(".//failure")))
    assert root.get("skipped") == "1"
    failure = cases["say.2"].find("failure")
    assert failure is not None
    assert failure.get("message") == checks["say.2"]["reason"]
    assert "site/bad" in (cases["say.2"].findtext("system-out") or "")


def test_csv_adds_up_and_opens_in_a_spreadsheet(bench: Bench) -> None:
    """It begins with a byte order mark; checks, hints and penalties add up to the total."""
    document = grade_attempt(bench.evidence.folder).to_json("zh-Hans")
    data = table(document)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["row"] for row in rows] == [*["check"] * 4, "hints", *["check"] * 3, "penalty", "total"]
    assert sum(float(row["score"]) for row in rows[:-1]) == float(rows[-1]["score"]) == document["score"]


@given(st.text(max_size=40))
def test_no_text_becomes_a_formula_or_breaks_the_formats(said: str) -> None:
    """Whatever a client writes, no cell begins as a formula, and both formats can be read again."""
    check = {
        "id": "a.1",
        "check": "answer",
        "outcome": "failed",
        "score": 0,
        "max": 1,
        "reason": said,
        "expected": said,
    }
    check |= {"actual": None, "evidence": [], "title": said, "help": ""}
    task = {"id": "a", "title": said, "score": 0, "max": 1, "outcome": "failed", "checks": [check], "hints": 0}
    verdict: dict[str, Any] = {"scenario": "s", "attempt": "a", "seed": said, "head": "0" * 64, "score": 0, "max": 1}
    verdict |= {"passed": False, "tasks": [task], "penalties": [], "versions": {}}

    class Nothing:
        records: tuple[()] = ()

    root = ElementTree.fromstring(junit(verdict, Nothing(), "en"))  # type: ignore[arg-type] # no record is asked for
    assert root.get("failures") == "1"
    row = next(csv.DictReader(io.StringIO(table(verdict).decode("utf-8-sig"), newline="")))
    assert not row["title"].startswith(("=", "+", "-", "@"))
    assert said.rstrip("\r\n") in row["title"] or said == row["title"].removeprefix("'")
