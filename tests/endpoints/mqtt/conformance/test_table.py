"""The claims are as many as we say, and the documentation's table of differences is about claims that exist."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
CLAIM = re.compile(r"^def (test_mqtt5?_\d+_\d+_\d+_\d+)\w*\(", re.MULTILINE)


def test_at_least_120_statements_are_claimed():
    """Statements of the standards, both versions, each once."""
    found = {name for path in HERE.glob("test_*.py") for name in CLAIM.findall(path.read_text(encoding="utf-8"))}
    assert len(found) >= 120, len(found)


def test_every_difference_names_a_test():
    """A row of the table that names no test would be a claim nobody checks; other rows are checked by the tests themselves."""
    text = (HERE.parents[3] / "docs" / "mqtt.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(test_\w+)", text, re.MULTILINE))
    there = {
        name
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= there
