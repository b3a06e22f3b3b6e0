"""``labsim new`` makes a lab that is whole at once."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import devices
from labsim.cli import new
from labsim.errors import InputError
from labsim.lab.catalogue import LabCatalogue
from labsim.lab.draft import PROTOCOLS, Draft, write_draft
from labsim.lab.gate import prove_all
from labsim.scenario.load import lint_scenario, load_scenario
from labsim.text import LANGUAGES, Text

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("device", devices.names())
def test_every_device_makes_a_lab_without_a_problem(tmp_path: Path, device: str) -> None:
    """For each protocol that a type speaks, the lab passes lint; where nothing can be measured, that is said and nothing made."""
    speaks = [protocol for protocol in PROTOCOLS if protocol in devices.interface(device).protocols]
    made = []
    for protocol in speaks:
        folder = tmp_path / protocol
        with contextlib.suppress(InputError):
            write_draft(Draft("x", Text(), device, protocol), folder)
            made.append(folder)
        assert folder.exists() == (folder in made)
    assert made or not speaks
    for folder in made:
        assert lint_scenario(folder, LabCatalogue()) == []
        for script in ("solution.py", "wrong/reports_nonsense.py"):
            compile((folder / script).read_text(encoding="utf-8"), script, "exec")


@pytest.mark.timeout(120)
def test_a_new_lab_proves_itself(tmp_path: Path) -> None:
    """Over each protocol the solution of a new lab gets all marks, its wrong answer loses what it says, every check can fail."""
    folders = [tmp_path / protocol for protocol in PROTOCOLS]
    for protocol, folder in zip(PROTOCOLS, folders, strict=True):
        write_draft(Draft(f"new-{protocol}", Text(en="New"), protocol=protocol), folder)
    (tmp_path / "attempts").mkdir()
    results = prove_all(folders, ["one"], tmp_path / "attempts", speed=5.0)
    said = [problem for result in results for proof in result.proofs for problem in proof.problems]
    assert [problem for result in results for problem in result.problems] + said == []
    assert sum(len(result.proofs) for result in results) == 9


def test_flags_say_what_it_is(labsim: Run, tmp_path: Path) -> None:
    """Nothing is asked where nobody can answer; the flags stand in the scenario, the title in its language."""
    folder = tmp_path / "lab"
    flags = (
        "--device",
        "cnc-mill",
        "--protocol",
        "opcua",
        "--level",
        "senior",
        "--minutes",
        "45",
        "--title",
        '五 "軸": ${x}',
    )
    done = labsim("new", "five-axes", "--folder", folder, *flags, "--lang", "zh-Hant")
    assert done.returncode == 0, done.stderr
    scenario = load_scenario(folder, seed="1", catalogue=LabCatalogue())
    assert (scenario.id, scenario.level, scenario.minutes) == ("five-axes", "senior", 45)
    assert scenario.title["zh-Hant"] == '五 "軸": ${x}'
    assert set(scenario.title) == set(LANGUAGES)
    assert scenario.plant["machine1"].type == "cnc-mill"
    assert yaml.safe_load((folder / "scenario.yaml").read_text(encoding="utf-8"))["endpoints"][0]["opcua"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Bad Id",), "cannot be an id"),
        (("x", "--device", "power-metre"), "Did you mean 'power-meter'?"),
        (("x", "--protocol", "opcau"), "Did you mean 'opcua'?"),
        (("x", "--device", "cnc-mill", "--protocol", "modbus"), "does not speak modbus"),
        (("x", "--folder", "."), "is there already"),
    ],
)
def test_what_cannot_be_made_is_told(labsim: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Wrong input makes nothing and says what would be right."""
    done = labsim("new", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no flag says is asked for; an empty answer takes what is proposed."""
    answers = {"Title": "Asked", "Protocol (modbus, opcua, mqtt)": "mqtt"}
    asked: list[str] = []

    def prompt(question: str, default: str = "", **_: object) -> str:
        asked.append(question)
        return answers.get(question, default)

    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(new.typer, "prompt", prompt)
    new.new("asked", "", "", "", "", 30, tmp_path / "asked", "en")
    scenario = load_scenario(tmp_path / "asked", seed="1", catalogue=LabCatalogue())
    assert len(asked) == 4
    assert scenario.title["en"] == "Asked"
    assert scenario.endpoints[0].protocol == "mqtt"
    assert scenario.level == "junior"
