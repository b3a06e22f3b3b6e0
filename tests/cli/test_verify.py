"""``labsim verify`` as an examiner uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labsim.cli.main import run_command
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event
from labsim.evidence.key import PUBLIC, SigningKey
from labsim.evidence.manifest import Manifest

sys.path.insert(0, str(Path(__file__).parents[1] / "grader"))

from grader_bench import Bench

Run = Callable[..., subprocess.CompletedProcess[str]]


def sealed(folder: Path, key: SigningKey | None, lang: str = "en") -> Path:
    """A small attempt."""
    manifest = Manifest.new(
        scenario="bench", title={"en": "Bench"}, seed="1", variants={}, speed=1.0, lang=lang, utc_origin_ns=0
    )
    attempt = Attempt.create(folder, manifest=manifest, tags=[], scenario_files={}, clock_t=lambda: 0, key=key)
    attempt.keep(Event(kind="write", protocol="modbus", values=[1]))
    attempt.seal()
    return folder


def test_it_says_whose_key_it_was(labsim: Run, tmp_path: Path) -> None:
    """One's own key, another's that the attempt carries, the one that was given, or nobody's."""
    own, other = SigningKey(), SigningKey(tmp_path / "other")
    mine, theirs, nobodys = sealed(tmp_path / "a", own), sealed(tmp_path / "b", other), sealed(tmp_path / "c", None)
    assert f"signed by the key {own.public.id} (yours)" in labsim("verify", mine).stdout
    assert "the attempt carries it" in labsim("verify", theirs).stdout
    assert "signed by nobody" in labsim("verify", nobodys).stdout
    pinned = labsim("verify", theirs, "--key", other.folder / PUBLIC, "--json")
    document = json.loads(pinned.stdout)
    assert pinned.returncode == 0
    assert {name: document[name] for name in ("ok", "problems", "signed_by", "verdicts")} == {
        "ok": True, "problems": [], "signed_by": [other.public.id], "verdicts": [],
    }  # fmt: skip


def test_it_says_how_much_there_is_and_when_it_was(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The number of records, and when the attempt was begun and sealed, as its manifest and its seal have it."""
    folder = sealed(tmp_path / "a", SigningKey(tmp_path / "key"))
    begun = json.loads((folder / "manifest.json").read_bytes())["created"]
    closed = json.loads((folder / "seal.json").read_bytes())["sealed"]
    assert run_command(["verify", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["records"], document["begun"], document["sealed"]) == (1, begun, closed)
    assert run_command(["verify", str(folder)]) == 0
    assert f"records: 1, begun {begun}, sealed {closed}" in capsys.readouterr().out
    (folder / "seal.json").unlink()
    (folder / "manifest.json").write_bytes(b"{}")
    assert run_command(["verify", str(folder), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["records"], document["begun"], document["sealed"]) == (0, None, None)


def test_it_speaks_the_language_of_the_lab(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Its sentences are in the attempt's own language, or in the one that is asked for; English when it has none to tell."""
    folder = sealed(tmp_path / "a", None, lang="zh-Hans")
    assert run_command(["verify", str(folder)]) == 0
    assert "没有签名" in (said := capsys.readouterr().out)
    assert "1 条记录，开始于" in said
    assert "证据完整" in said
    assert run_command(["verify", str(folder), "--lang", "zh-Hant"]) == 0
    assert "證據完整" in capsys.readouterr().out
    (folder / "manifest.json").write_bytes(b"{}")
    assert run_command(["verify", str(folder)]) == 1
    assert "the evidence is not as its host wrote it" in capsys.readouterr().out


def test_a_key_that_did_not_sign_is_refused(labsim: Run, tmp_path: Path) -> None:
    """With another key the attempt is not good, and the first line says where and why."""
    key = SigningKey(tmp_path / "centre")
    assert key.public.id
    done = labsim(
        "verify", sealed(tmp_path / "a", SigningKey(tmp_path / "other")), "--key", key.folder / PUBLIC, "--json"
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"], document["signed_by"]) == (1, False, [])
    first = document["problems"][0]
    assert (first["file"], first["line"]) == ("heads.jsonl", 1)
    nothing = labsim("verify", tmp_path / "a", "--key", tmp_path / "none.pem")
    assert nothing.returncode == 2
    assert "name a public key" in nothing.stderr


def test_a_verdict_of_another_machine_is_told_as_such(
    labsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An appeal board marks a copy with its own key: the copy stays good, and a verdict that was changed is named."""
    bench = Bench(tmp_path / "bench")
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    attempt = Attempt.resume(bench.evidence.folder, lambda: 10**10, SigningKey())
    attempt.keep(Event(kind="submit", protocol="lab"))
    attempt.seal()
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(attempt.folder, copy)
    monkeypatch.setenv("LABSIM_DATA", str(tmp_path / "board"))
    assert labsim("grade", copy, "--by", "A. Board", "--why", "appeal").returncode in (0, 1)
    board = SigningKey(tmp_path / "board").public.id

    shown = labsim("verify", copy)
    assert shown.returncode == 0
    assert (
        f"verdict 0001 (A. Board, appeal) is signed by the key {board}, which is not the one that ran the lab"
        in shown.stdout
    )
    (verdict,) = json.loads(labsim("verify", copy, "--json").stdout)["verdicts"]
    assert (verdict["verdict"], verdict["signed_by"], verdict["by"], verdict["why"]) == (
        "0001", board, "A. Board", "appeal",
    )  # fmt: skip

    path = copy / "verdicts" / "0001.json"
    path.write_bytes(path.read_bytes().replace(b"A. Board", b"B. Board"))
    shown = labsim("verify", copy)
    assert shown.returncode == 1
    assert "verdicts/0001.sig: does not hold: 0001.json was changed after it was signed" in shown.stdout
    path.with_suffix(".sig").unlink()
    shown = labsim("verify", copy)
    assert shown.returncode == 0
    assert "verdict 0001 is not signed" in shown.stdout
