"""docs/instructor.md, done as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "instructor.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One command of the page; ``> file`` is done here, since shells differ."""
    words = shlex.split(line)
    assert words[0] == "labsim", line
    target = words[words.index(">") + 1] if ">" in words else ""
    arguments = words[1 : words.index(">")] if target else words[1:]
    done = subprocess.run(
        [sys.executable, "-m", "labsim", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "XDG_DATA_HOME": str(folder / "data")},
        timeout=120,
        check=False,
    )
    if target:
        (folder / target).write_text(done.stdout, encoding="utf-8")
    return done


def change(path: Path, diff: str) -> None:
    """Apply a diff block: what it shows as it was must stand in the file once."""
    lines = diff.splitlines()
    before = "\n".join(line[1:] for line in lines if line[:1] != "+")
    after = "\n".join(line[1:] for line in lines if line[:1] != "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(before + "\n") == 1, f"{path.name}: {before!r} stands {text.count(before)} times"
    path.write_text(text.replace(before + "\n", after + "\n"), encoding="utf-8")


@pytest.mark.timeout(300)
def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    """Each command ends as the page says and prints what it shows; each change fits the file as it then is."""
    printed, done = "", 0
    for kind, info, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh" and info != "by-hand":
            wanted = int(info.removeprefix("ends-with-") or 0)
            printed = ""
            for line in text.splitlines():
                result = run(line, tmp_path)
                assert result.returncode == wanted, f"{line}\n{result.stdout}{result.stderr}"
                printed += result.stdout
                done += 1
        elif kind == "text":
            assert text.strip() in printed.replace("\\", "/")
        elif kind == "diff":
            change(tmp_path / info, text)
        elif kind == "python":
            (tmp_path / info).write_text(text, encoding="utf-8")
    assert done >= 10
    page = (tmp_path / "nobody.html").read_text(encoding="utf-8")
    assert "link.modbus" in page
    assert '<html lang="zh-Hans">' in page
