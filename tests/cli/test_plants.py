"""``labsim plants``: what comes with labsim, and an author's own file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_ready_plants_are_listed_and_shown(labsim: Run) -> None:
    """All of them with their devices; one with its flows, in the language asked for."""
    rows = json.loads(labsim("plants", "--json").stdout)
    assert {"pack", "cnc", "smt", "logi", "util"} <= {row["name"] for row in rows}
    pack = json.loads(labsim("plants", "pack", "--json", "--lang", "zh-Hant").stdout)
    assert (pack["title"], pack["crew"]) == ("包裝線", 2)
    assert {"from": "load1.parts_out", "to": "fill1.parts_in", "buffer": 12} in pack["flows"]
    assert pack["devices"][1]["type"] == "filling-machine"
    assert "fill1.signals" in labsim("plants", "pack").stdout


def test_an_authors_own_file_is_judged(labsim: Run, tmp_path: Path) -> None:
    """A port that does not exist is told with line and column; a name that does not, with the nearest."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "labsim: 1\ntitle: Mine\nplant:\n  a: {type: filling-machine}\n  b: {type: sealing-machine}\n"
        "flows:\n  - {from: a.parts_out, to: b.part_in}\n",
        encoding="utf-8",
    )
    done = labsim("plants", file)
    assert done.returncode == 2
    assert f"{file}:7:29" in done.stderr
    assert "Did you mean 'parts_in'?" in done.stderr
    done = labsim("plants", "pakc")
    assert done.returncode == 2
    assert done.stderr.strip() == "labsim: there is no ready plant 'pakc'. Did you mean 'pack'?"
