"""docs/trainee.md, done as it is written, in a lab on free ports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_instructor import BLOCK, run

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "trainee.md").read_text(encoding="utf-8")


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The lab that the page starts, without its terminal UI."""
    (line,) = re.findall(r"^labsim (run .*)$", PAGE, re.MULTILINE)
    command = [sys.executable, "-m", "labsim", *line.split(), "--headless", "--json", "--port-base", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, encoding="utf-8") as host:
        assert host.stdout is not None
        yield json.loads(host.stdout.readline())
        host.kill()


@pytest.mark.timeout(120)
def test_the_first_lab_works_as_it_is_written(ready: dict[str, Any], tmp_path: Path) -> None:
    """Every command ends as the page says; the two reads are worth the marks that it names."""
    modbus = next(row["url"] for row in ready["endpoints"] if row["protocol"] == "modbus").rpartition(":")[2]
    printed = ""
    for kind, info, text in BLOCK.findall(PAGE):
        if kind == "sh" and info != "by-hand":
            printed = ""
            for line in text.splitlines():
                done = run(line.replace("127.0.0.1:5020", f"127.0.0.1:{modbus}"), tmp_path)
                assert done.returncode == int(info.removeprefix("ends-with-") or 0), done.stdout + done.stderr
                printed += done.stdout
        elif kind == "text":
            assert text.strip() in printed
    (verdict,) = (tmp_path / "attempts" / "first" / "verdicts").glob("*.json")
    document = json.loads(verdict.read_bytes())
    assert (document["score"], document["max"]) == (4, 20)
    assert (tmp_path / "report.html").is_file()


def test_what_the_page_shows_is_there() -> None:
    """Its pictures and pages exist, and its pictures say in words what they show."""
    for words, target in re.findall(r"\[([^\]]*)\]\(([^)]+)\)", PAGE):
        assert words
        assert (DOCS / target).is_file(), target
