"""``labsim run --watch``: a lab that follows its author."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labsim.lab.draft import Draft, write_draft
from labsim.text import Text


class Author:
    """Edits a scenario and reads what the watching lab says, line by line."""

    def __init__(self, folder: Path, host: Any) -> None:
        self.file, self.host = folder / "scenario.yaml", host
        self.ready: dict[str, Any] = host.ready

    def change(self, old: str, new: str) -> None:
        """Replace a text that stands once in the scenario."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def hear(self) -> dict[str, Any]:
        """The next line."""
        line = self.host.process.stdout.readline()
        assert line, self.host.process.communicate(timeout=60)[1]
        document: dict[str, Any] = json.loads(line)
        return document


@pytest.fixture
def author(host: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    """A new lab, running and watched."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    write_draft(Draft("mine", Text(en="Mine")), folder)
    return Author(
        folder, host(str(folder), "--watch", "--port-base", "0", "--seed", "7", "--attempt", str(tmp_path / "first"))
    )


def test_a_good_change_begins_the_lab_anew_at_the_same_place(author: Author) -> None:
    """Seed and addresses stay; the attempt is another, and the first is sealed."""
    author.change("minutes: 30", "minutes: 31")
    assert author.hear() == {"event": "problems", "problems": []}
    again = author.hear()
    assert again["event"] == "ready"
    assert again["seed"] == author.ready["seed"] == "7"
    assert [row["url"] for row in again["endpoints"]] == [row["url"] for row in author.ready["endpoints"]]
    assert again["attempt"] != author.ready["attempt"]
    assert (Path(author.ready["attempt"]) / "seal.json").exists()
    assert "minutes: 31" in (Path(again["attempt"]) / "scenario" / "scenario.yaml").read_text(encoding="utf-8")
    author.host.process.send_signal(signal.SIGTERM)
    assert author.hear()["event"] == "verdict"


def test_a_bad_change_is_told_and_the_lab_goes_on(author: Author) -> None:
    """What is wrong stands there with line and column; the lab that runs is the one before, until the text is good."""
    author.change("marks: 4\n", "marks: 5\n")
    (problem,) = author.hear()["problems"]
    assert (problem["code"], problem["file"]) == ("marks-sum", str(author.file))
    assert problem["line"] > 0
    assert not (Path(author.ready["attempt"]) / "seal.json").exists()
    author.change("marks: 5\n", "marks: 4\n")
    assert author.hear()["problems"] == []
    # the text is again what the lab was made of, so there is nothing to begin anew
    (author.file.parent / "solution.py").write_text("print('nothing')\n", encoding="utf-8")
    assert author.hear()["problems"] == []
    assert not (Path(author.ready["attempt"]) / "seal.json").exists()
