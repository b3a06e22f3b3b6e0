"""``labsim verify`` as an examiner uses it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event
from labsim.evidence.key import PUBLIC, SigningKey
from labsim.evidence.manifest import Manifest

Run = Callable[..., subprocess.CompletedProcess[str]]


def sealed(folder: Path, key: SigningKey | None) -> Path:
    """A small attempt."""
    manifest = Manifest.new(
        scenario="bench", title={"en": "Bench"}, seed="1", variants={}, speed=1.0, lang="en", utc_origin_ns=0
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
    assert (pinned.returncode, json.loads(pinned.stdout)) == (
        0,
        {"ok": True, "problems": [], "signed_by": [other.public.id]},
    )


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
