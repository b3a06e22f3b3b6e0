"""A Python that has the client libraries loaded stands in for one that has not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from labsim.lab.trainee import PYTHON, warm_python

TELLS = """
import json, random, sys
from beside import NAME
print(json.dumps([NAME, __name__, __file__, sys.argv, sys.path[0], random.random(), sorted(sys.modules), sys.stdin.read()]))
print("and aside", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def warm() -> Sequence[str]:
    """The command that stands for ``python``."""
    return warm_python()


def run(python: Sequence[str], script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a script came to."""
    return subprocess.run([*python, str(script), *arguments], capture_output=True, text=True, input="in", check=False)


def script(folder: Path, text: str) -> Path:
    """A script with a module beside it."""
    (folder / "beside.py").write_text("NAME = 'beside'\n", encoding="utf-8")
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_finds_what_it_would_find(warm: Sequence[str], tmp_path: Path) -> None:
    """Its name, its arguments, the modules beside it, its input and its output are those of a fresh Python."""
    path = script(tmp_path, TELLS)
    fresh, forked = (run(python, path, "one", "two") for python in (PYTHON, warm))
    assert forked.stderr == fresh.stderr == "and aside\n"
    assert json.loads(forked.stdout)[:5] == json.loads(fresh.stdout)[:5]
    assert json.loads(forked.stdout)[-1] == json.loads(fresh.stdout)[-1] == "in"


def test_scripts_share_nothing_of_the_lab_or_of_one_another(warm: Sequence[str], tmp_path: Path) -> None:
    """Nothing of labsim is loaded, what one script loaded another does not see, and each draws its own random numbers."""
    one, two = (json.loads(run(warm, script(tmp_path, TELLS), "x").stdout) for _ in range(2))
    assert not [name for name in one[6] if name.partition(".")[0] in ("labsim", "grader", "devices", "numpy")]
    assert one[6] == two[6]
    assert one[5] != two[5]


@pytest.mark.parametrize(
    ("text", "code"), [("", 0), ("raise SystemExit(7)", 7), ("raise KeyError('x')", 1), ("exit('no')", 1)]
)
def test_a_script_ends_as_it_ends(warm: Sequence[str], tmp_path: Path, text: str, code: int) -> None:
    """Its exit code is passed on, and a traceback is printed."""
    result = run(warm, script(tmp_path, text))
    assert result.returncode == code
    assert ("KeyError: 'x'" in result.stderr) == ("KeyError" in text)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_script_ends_with_the_process_that_stands_for_it(warm: Sequence[str], tmp_path: Path) -> None:
    """Whoever kills that has killed the script: its output is closed."""
    path = script(tmp_path, "import time; print('here', flush=True); time.sleep(600)")
    with subprocess.Popen([*warm, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.kill()
        assert process.stdout.read() == ""
        assert process.wait() < 0
