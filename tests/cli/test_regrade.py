"""Marking an attempt anew, as an appeal asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema

sys.path.insert(0, str(Path(__file__).parents[1] / "grader"))

from grader_bench import Bench

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_new_verdict_stands_beside_the_old(labsim: Run, tmp_path: Path) -> None:
    """With who, why and what differs; the old one stays byte for byte, and nothing differs the third time."""
    bench = Bench(tmp_path / "attempt")
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    attempt = bench.evidence.folder
    assert labsim("grade", attempt, "--json").returncode == 0
    first = attempt / "verdicts" / "0001.json"
    spoilt = json.loads(first.read_text(encoding="utf-8"))
    assert "grading" not in spoilt
    spoilt["tasks"][0]["checks"][0] |= {"outcome": "failed", "score": 0}
    first.write_text(json.dumps(spoilt), encoding="utf-8")
    before = first.read_bytes()

    done = labsim("grade", attempt, "--by", "Li Na", "--why", "appeal 7", "--json")
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(labsim("schema", "verdict").stdout)).validate(document)
    about = document["grading"]
    assert (about["by"], about["why"], about["follows"]) == ("Li Na", "appeal 7", "0001")
    assert [(change["what"], change["id"]) for change in about["changes"]] == [("check", "read.1")]
    assert first.read_bytes() == before
    assert json.loads((attempt / "verdicts" / "0002.json").read_text(encoding="utf-8")) == document

    shown = labsim("grade", attempt, "--by", "Li Na").stdout
    assert "no mark differs from verdict 0002" in shown
