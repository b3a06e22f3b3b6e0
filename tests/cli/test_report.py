"""``labsim report`` and the exports, as a user types them."""

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


def test_a_report_in_each_language(labsim: Run, tmp_path: Path) -> None:
    """``labsim report`` writes the page it is told to; without a language, in the attempt's own."""
    attempt = Bench(tmp_path / "attempt").evidence.folder
    for lang in ("", "en", "zh-Hant", "zh-Hans"):
        done = labsim("report", attempt, "-o", tmp_path / "r.html", *(["--lang", lang] if lang else []))
        assert (done.returncode, done.stdout) == (0, "")
        assert f'<html lang="{lang or "en"}">' in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_made_says_why(labsim: Run, tmp_path: Path) -> None:
    """No attempt and no place to write are wrong input."""
    attempt = Bench(tmp_path / "attempt").evidence.folder
    for arguments, said in (
        ((tmp_path / "none", "-o", tmp_path / "r.html"), "none"),
        ((attempt, "-o", tmp_path / "no" / "r.html"), "cannot be written"),
        ((attempt, "-o", tmp_path / "r.html", "--lang", "xx"), "not a language"),
    ):
        done = labsim("report", *arguments)
        assert done.returncode == 2
        assert said in done.stderr


def test_grade_exports(labsim: Run, tmp_path: Path) -> None:
    """``labsim grade`` prints the verdict as the schema says, and writes JUnit XML and CSV beside it when asked."""
    attempt = Bench(tmp_path / "attempt").evidence.folder
    done = labsim("grade", attempt, "--json", "--junit", tmp_path / "v.xml", "--csv", tmp_path / "v.csv")
    schema = json.loads(labsim("schema", "verdict").stdout)
    jsonschema.Draft202012Validator(schema).validate(json.loads(done.stdout))
    assert done.returncode == 1
    assert "<testsuites" in (tmp_path / "v.xml").read_text(encoding="utf-8")
    assert (tmp_path / "v.csv").read_bytes().startswith(b"\xef\xbb\xbfrow,scenario")
