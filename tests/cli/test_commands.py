"""The commands as a user types them: output, exit codes, and errors of one sentence."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = ("asyncua", "pymodbus", "textual", "simpy")
BROKEN = """\
labsim: 1
id: broken
title: {en: Broken, zh-Hant: 壞的, zh-Hans: 坏的}
level: junor
minutes: 20
plant:
  meter1: {type: power-meter, settings: {word_order: ABDC}}
  press1: {type: hydraulic-press}
endpoints:
  - modbus: {port: 5020, units: {11: meter2}}
tasks:
  - id: read
    title: {en: Read, zh-Hant: 讀, zh-Hans: 读}
    marks: 2
    checks:
      - modbus.reed: {device: meter1, marks: 2}
"""


def test_help_loads_no_protocol_library() -> None:
    """``labsim --help`` and ``import grader`` load none of the heavy libraries."""
    code = (
        "import sys; from labsim.cli.main import run_command; run_command(['--help']); import grader.grade, labsim.client.client;"
        f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stderr.strip() == "[]"
    assert "demo" in done.stdout


def test_list_is_the_contract(labsim: Run) -> None:
    """``labsim list --json`` prints one array with id, title, level, minutes and competences."""
    done = labsim("list", "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert {"first-contact", "modbus-mapping"} <= {row["id"] for row in rows}
    assert all(set(row) == {"id", "title", "level", "minutes", "competences"} for row in rows)


def test_devices_is_the_contract(labsim: Run) -> None:
    """``labsim devices --json`` prints one array with type, title and protocols."""
    rows = json.loads(labsim("devices", "--json").stdout)
    assert {"power-meter", "cnc-mill"} <= {row["type"] for row in rows}
    assert all(set(row) == {"type", "title", "protocols"} for row in rows)


def test_schema_knows_the_checks(labsim: Run) -> None:
    """``labsim schema`` prints one JSON Schema in which every installed check stands."""
    done = labsim("schema")
    schema = json.loads(done.stdout)
    assert done.returncode == 0
    assert schema["properties"]["tasks"]
    assert all(f'"{name}"' in done.stdout for name in ("modbus.polled", "mqtt.matches-truth", "opcua.subscribed"))


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_show_and_manual_speak_three_languages(labsim: Run, lang: str) -> None:
    """A briefing and a datasheet are printed in each language."""
    for arguments in (("show", "first-contact"), ("manual", "power-meter")):
        done = labsim(*arguments, "--lang", lang)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout) > 500
        assert ("的" in done.stdout) == (lang != "en")


def test_five_mistakes_are_five_problems(labsim: Run, tmp_path: Path) -> None:
    """A file with five mistakes of different kinds gives five problems with line and column, and exit code 2."""
    (tmp_path / "broken").mkdir()
    file = tmp_path / "broken" / "scenario.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    for lang in ("en", "zh-Hant", "zh-Hans"):
        (file.parent / f"brief.{lang}.md").write_text("A story.", encoding="utf-8")
    done = labsim("lint", file.parent, "--json")
    problems = json.loads(done.stdout)["problems"]
    found = {(p["line"], p["column"], p["code"]) for p in problems}
    assert done.returncode == 2
    assert found == {
        (4, 8, "bad-value"),
        (7, 54, "bad-setting"),
        (8, 18, "unknown-device-type"),
        (10, 38, "unknown-device"),
        (16, 9, "unknown-check"),
    }
    text = labsim("run", file.parent, "--headless")
    assert text.returncode == 2
    assert text.stderr.count("scenario.yaml:") == 5
    assert "Did you mean 'junior'?" in text.stderr
    assert "Did you mean 'modbus.read'?" in text.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "No such command 'nosuch'. See 'labsim --help'."),
        (("mqtt", "nosuch"), "No such command 'nosuch'. See 'labsim mqtt --help'."),
        (("run",), "Missing argument 'scenario'. See 'labsim run --help'."),
        (("run", "first-contact", "--sped", "2"), "--sped"),
        (("run", "first-contact", "--speed", "fast"), "--speed 'fast' is no number and not 'max'."),
        (("run", "first-contact", "--speed", "max"), "--speed max needs --headless"),
    ],
)
def test_wrong_usage_is_one_sentence(labsim: Run, arguments: tuple[str, ...], said: str) -> None:
    """A command line that cannot be understood is wrong input: one sentence, exit code 2, no report of a bug."""
    done = labsim(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "bug" not in done.stderr
    assert done.stdout == ""


def test_unknown_scenario_names_the_nearest(labsim: Run) -> None:
    """A scenario that does not exist is one sentence with the nearest name."""
    done = labsim("run", "first-contac", "--headless")
    assert done.returncode == 2
    assert "Did you mean 'first-contact'?" in done.stderr
    assert done.stdout == ""


def test_unknown_device_type_names_the_nearest(labsim: Run) -> None:
    """A device type that does not exist is one sentence with the nearest name."""
    done = labsim("manual", "power-metre")
    assert done.returncode == 2
    assert "Did you mean 'power-meter'?" in done.stderr


def test_missing_attempt_is_one_sentence(labsim: Run, tmp_path: Path) -> None:
    """Commands on a folder that is no attempt say so, and exit with 2."""
    for command in (("grade",), ("verify",), ("check",), ("stop",)):
        done = labsim(*command, tmp_path / "nowhere")
        assert done.returncode == 2, command
        assert len(done.stderr.strip().splitlines()) <= 2
        assert "nowhere" in done.stderr


def test_busy_port_says_what_to_do(labsim: Run, tmp_path: Path) -> None:
    """A port in use is one sentence that names it and the option that helps."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = taken.getsockname()[1] - 1  # Modbus listens on base + 1
        done = labsim("run", "modbus-mapping", "--headless", "--attempt", tmp_path / "a", "--port-base", str(base))
    assert done.returncode == 2
    assert "--port-base" in done.stderr
    assert str(base + 1) in done.stderr
    assert not (tmp_path / "a").exists(), "an attempt that never began is left behind"


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot limit its file size on Windows")
def test_full_disk_says_what_to_do(tmp_path: Path) -> None:
    """A disk that takes no more ends the lab with one sentence and exit code 2; what was kept can be marked."""
    attempt = tmp_path / "a"
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "from labsim.cli.main import run_command; sys.exit(run_command(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "run", "modbus-mapping", "--headless", "--port-base", "0", "--speed", "50"]
    done = subprocess.run(
        [*command, "--attempt", str(attempt), "--for", "40 s"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "labsim:" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_prints_ready_then_verdict(host: Callable, tmp_path: Path) -> None:
    """A headless run prints a line ``ready``, and on SIGTERM a line ``verdict``; an untouched one is not passed."""
    running = host(
        "modbus-mapping", "--port-base", "0", "--seed", "s1", "--attempt", str(tmp_path / "a"), "--for", "1 ms"
    )
    out, _ = running.process.communicate(timeout=60)
    verdict = json.loads(out)
    assert running.ready["event"] == "ready"
    assert set(running.ready) == {"event", "attempt", "seed", "control", "endpoints"}
    assert verdict["event"] == "verdict"
    assert (verdict["score"], verdict["passed"], running.process.returncode) == (0, False, 1)
