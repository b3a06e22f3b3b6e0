"""An attempt folder from creation to the seal."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import handin, seal
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Sink
from labsim.evidence.lock import FolderLock
from labsim.evidence.manifest import read_manifest, read_tags
from labsim.evidence.reader import read_journal
from labsim.evidence.verdicts import save_verdict
from labsim.evidence.verify import ok, verify

from .conftest import SCENARIO, STEP_NS, TAGS, Clock, Make, create_attempt, fill, write_event


def test_the_folder_is_as_documented(tmp_path: Path, make: Make, clock: Clock) -> None:
    """Every file of the documentation is there, and nothing else."""
    attempt = make(tmp_path / "attempt")
    fill(attempt, clock)
    attempt.seal()
    names = {path.relative_to(attempt.folder).as_posix() for path in attempt.folder.rglob("*") if path.is_file()}
    sha256 = hashlib.sha256(b"tag,value\nspeed,1\n").hexdigest()
    assert names == {
        "manifest.json", "tags.json", "scenario/scenario.yaml", "scenario/brief/brief.en.md", "journal/e0001.jsonl",
        "history/e0001.gz", "history/e0001.text", f"files/{sha256}", "verdicts/0001.json", "seal.json",
        "handin/map.csv", "lock",
    }  # fmt: skip
    assert ok(verify(attempt.folder))
    assert verify(attempt.folder) == []


def test_the_manifest_holds_the_hashes(attempt: Attempt) -> None:
    """The manifest names each scenario file and the tags by SHA-256, and the versions of what ran."""
    manifest = read_manifest(attempt.folder)
    assert manifest == attempt.manifest
    assert manifest.files == {name: hashlib.sha256(data).hexdigest() for name, data in SCENARIO.items()}
    assert manifest.tags == hashlib.sha256((attempt.folder / "tags.json").read_bytes()).hexdigest()
    assert {"python", "labsim", "numpy", "simpy", "asyncua", "pymodbus"} <= manifest.versions.keys()
    assert read_tags(attempt.folder) == TAGS
    plain = json.loads((attempt.folder / "manifest.json").read_text("utf-8"))
    assert (plain["format"], plain["seed"], plain["variants"]) == (
        "labsim-attempt/1",
        "7",
        {"base": 40, "order": "CDAB"},
    )


def test_keep_is_a_sink(attempt: Attempt) -> None:
    """Endpoints can be handed `keep` as it is."""
    sink: Sink = attempt.keep
    sink(write_event(1))
    assert read_journal(attempt.folder)[0].values == [1]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    """A folder of somebody's files gets no attempt, not even a lock; one with only a hand-in folder does."""
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(AttemptError, match="is not empty"):
        create_attempt(tmp_path, clock)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]
    (tmp_path / "new" / "handin").mkdir(parents=True)
    create_attempt(tmp_path / "new", clock).close()
    with pytest.raises(AttemptError, match="is not empty"):
        create_attempt(tmp_path / "new", clock)


@pytest.mark.parametrize("name", ["../evil.yaml", "/evil.yaml", "a/../../evil.yaml", "..\\evil.yaml", "C:evil.yaml"])
def test_scenario_files_stay_inside(tmp_path: Path, clock: Clock, name: str) -> None:
    """A scenario cannot write outside its folder, and the refused attempt can be tried again elsewhere."""
    with pytest.raises(AttemptError, match="not a path inside"):
        Attempt.create(
            tmp_path / "attempt",
            manifest=create_attempt(tmp_path / "other", clock).manifest,
            tags=TAGS,
            scenario_files={name: b""},
            clock_t=clock,
        )
    assert not list(tmp_path.glob("evil*"))


def test_a_new_attempt_starts_at_step_0(attempt: Attempt) -> None:
    """The first step of a new lab is 0."""
    assert attempt.next_step == 0
    assert attempt.epoch == 1


def test_a_resumed_attempt_goes_on_after_all_that_is_known(tmp_path: Path, make: Make, clock: Clock) -> None:
    """Steps go on after the last record, and after the last event when nothing changed since."""
    attempt = make(tmp_path / "attempt")
    attempt.record(4, [0], [1.0], [0])
    attempt.close()
    with Attempt.resume(attempt.folder, clock) as resumed:
        assert (resumed.epoch, resumed.next_step) == (2, 5)
        resumed.record(5, [0], [2.0], [0])
        clock.t = 90 * STEP_NS + 17
        resumed.keep(write_event(1))
    clock.t = 0
    with Attempt.resume(attempt.folder, clock) as resumed:
        assert (resumed.epoch, resumed.next_step) == (3, 91)
        assert resumed.manifest == attempt.manifest
        assert resumed.append(write_event(2)).t == 90 * STEP_NS + 17
    assert ok(verify(attempt.folder))


def test_one_holder(attempt: Attempt, clock: Clock) -> None:
    """The same process cannot hold an attempt twice either; closing it lets the next one in."""
    with pytest.raises(AttemptError, match="held by a lab"):
        Attempt.resume(attempt.folder, clock)
    attempt.close()
    attempt.close()
    Attempt.resume(attempt.folder, clock).close()


def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that cannot be had is not the same as one that is held."""

    def no_lock(fd: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("labsim.evidence.lock._take", no_lock)
    with pytest.raises(AttemptError, match="local disk"):
        FolderLock(tmp_path)


def test_after_the_seal_nothing_is_kept(attempt: Attempt, clock: Clock) -> None:
    """A sealed attempt refuses events, values, snapshots and a second host; sealing again changes nothing."""
    fill(attempt, clock)
    seal = attempt.seal().read_bytes()
    for late in (lambda: attempt.keep(write_event(1)), lambda: attempt.record(9, [0], [1.0], [0])):
        with pytest.raises(EvidenceError, match="closed"):
            late()
    (attempt.handin / "late.csv").touch()
    with pytest.raises(EvidenceError, match="closed"):
        attempt.snapshot_handin()
    with pytest.raises(AttemptError, match="is sealed"):
        Attempt.resume(attempt.folder, clock)
    assert attempt.seal().read_bytes() == seal


def test_a_closed_attempt_is_not_sealed_behind_the_back_of_the_next(attempt: Attempt) -> None:
    """Who closed the attempt does not hold it and cannot seal it."""
    attempt.close()
    with pytest.raises(EvidenceError, match="resume"):
        attempt.seal()


def test_a_seal_that_does_not_fit_can_be_tried_again(
    attempt: Attempt, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk has no room for the seal there is none, and a resumed attempt can be sealed."""

    def full(path: Path, data: bytes) -> None:
        raise EvidenceError(f"{path} could not be written")

    monkeypatch.setattr(seal, "write_whole", full)
    with pytest.raises(EvidenceError, match=r"seal\.json"):
        attempt.seal()
    monkeypatch.undo()
    assert not (attempt.folder / "seal.json").exists()
    with Attempt.resume(attempt.folder, clock) as resumed:
        resumed.seal()
    assert verify(attempt.folder) == []


def test_verdicts_are_never_overwritten(attempt: Attempt) -> None:
    """Each grading gets the next number, before and after the seal."""
    assert attempt.save_verdict({"score": 1}).name == "0001.json"
    attempt.seal()
    first = (attempt.folder / "verdicts" / "0001.json").read_bytes()
    assert save_verdict(attempt.folder, {"score": 2}).name == "0002.json"
    assert attempt.save_verdict({"score": 3}).name == "0003.json"
    assert (attempt.folder / "verdicts" / "0001.json").read_bytes() == first
    assert json.loads((attempt.folder / "verdicts" / "0003.json").read_bytes()) == {"score": 3}
    findings = verify(attempt.folder)
    assert ok(findings)
    assert {f.file for f in findings} == {"verdicts/0002.json", "verdicts/0003.json"}


def test_a_snapshot_keeps_what_changed(attempt: Attempt) -> None:
    """New and changed files are kept by content and told, unchanged ones are not, gone ones are told as gone."""
    (attempt.handin / "sub").mkdir()
    (attempt.handin / "a.csv").write_bytes(b"1")
    (attempt.handin / "sub" / "b.csv").write_bytes(b"2")
    assert [r.subject for r in attempt.snapshot_handin()] == ["a.csv", "sub/b.csv"]
    assert attempt.snapshot_handin() == []
    (attempt.handin / "a.csv").write_bytes(b"3")
    (attempt.handin / "sub" / "b.csv").unlink()
    changed, gone = attempt.snapshot_handin()
    assert (changed.subject, changed.detail) == ("a.csv", {"sha256": hashlib.sha256(b"3").hexdigest(), "size": 1})
    assert (gone.subject, gone.detail) == ("sub/b.csv", {"gone": True})
    kept = {path.read_bytes() for path in (attempt.folder / "files").iterdir()}
    assert kept == {b"1", b"2", b"3"}
    assert attempt.snapshot_handin() == []


def test_a_resumed_attempt_knows_what_was_handed_in(attempt: Attempt, clock: Clock) -> None:
    """A restart neither keeps the same files again nor forgets one that is gone."""
    for name in ("a.csv", "b.csv", "c.csv"):
        (attempt.handin / name).write_text(name)
    attempt.snapshot_handin()
    (attempt.handin / "c.csv").unlink()
    attempt.snapshot_handin()
    attempt.close()
    (attempt.handin / "b.csv").unlink()
    with Attempt.resume(attempt.folder, clock) as resumed:
        assert [(r.subject, r.detail) for r in resumed.snapshot_handin()] == [("b.csv", {"gone": True})]


def test_a_large_file_is_not_kept(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is an incident, one at the limit is kept."""
    assert handin.FILE_BYTES_MAX == 16 * 2**20
    monkeypatch.setattr(handin, "FILE_BYTES_MAX", 1 << 20)
    (attempt.handin / "a.bin").write_bytes(b"x" * (1 << 20))
    (attempt.handin / "b.bin").write_bytes(b"x" * ((1 << 20) + 1))
    kept, refused = attempt.snapshot_handin()
    assert (kept.kind, kept.subject) == ("file", "a.bin")
    assert (refused.kind, refused.subject, refused.detail["reason"]) == ("incident", "b.bin", "larger than 1 MiB")


def test_a_folder_of_libraries_does_not_fill_the_disk(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit on files those deepest are left out, said once, and not called gone."""
    monkeypatch.setattr(handin, "FILES_MAX", 3)
    (attempt.handin / "a" / "b").mkdir(parents=True)
    for name in ("z.csv", "a/1.py", "a/2.py"):
        (attempt.handin / name).write_text(name)
    attempt.snapshot_handin()
    for name in ("a/0.py", "a/b/3.py"):
        (attempt.handin / name).write_text(name)
    records = attempt.snapshot_handin()
    assert [(r.kind, r.subject) for r in records] == [("file", "a/0.py"), ("incident", "")]
    assert "more than 3 files" in records[1].detail["reason"]


def link(path: Path, target: Path) -> None:
    """A symbolic link, where the system lets us make one."""
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this account may not make symbolic links")


def test_links_out_are_not_followed(attempt: Attempt, tmp_path: Path) -> None:
    """A link out of the folder, to a file or a folder, a dangling one and a ring are incidents; one inside is followed."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_bytes(b"secret")
    (attempt.handin / "real.csv").write_bytes(b"mine")
    link(attempt.handin / "file", tmp_path / "secret" / "key.pem")
    link(attempt.handin / "folder", tmp_path / "secret")
    link(attempt.handin / "inside.csv", attempt.handin / "real.csv")
    link(attempt.handin / "nothing", attempt.handin / "nowhere")
    link(attempt.handin / "ring", attempt.handin / "ring")
    records = {r.subject: r for r in attempt.snapshot_handin()}
    assert {name: r.kind for name, r in records.items()} == {
        "real.csv": "file", "inside.csv": "file", "file": "incident", "folder": "incident", "nothing": "incident",
        "ring": "incident",
    }  # fmt: skip
    assert "link out" in records["file"].detail["reason"]
    assert b"secret" not in {path.read_bytes() for path in (attempt.folder / "files").iterdir()}


def test_a_hand_in_folder_that_is_itself_a_link_out_is_refused(attempt: Attempt, tmp_path: Path) -> None:
    """Putting a link in place of the folder hands in nothing."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_bytes(b"a")
    attempt.handin.rmdir()
    link(attempt.handin, tmp_path / "elsewhere")
    assert [r.kind for r in attempt.snapshot_handin()] == ["incident"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang_the_check(attempt: Attempt) -> None:
    """Something that is not a file is an incident and never opened."""
    os.mkfifo(attempt.handin / "pipe")
    assert [(r.kind, r.detail["reason"]) for r in attempt.snapshot_handin()] == [("incident", "not a file")]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode here")
def test_a_name_that_is_no_unicode(attempt: Attempt) -> None:
    """A file whose name is not Unicode is an incident, with its bytes escaped."""
    (attempt.handin / os.fsdecode(b"\xff.csv")).touch()
    (record,) = attempt.snapshot_handin()
    assert (record.kind, record.subject) == ("incident", "\\udcff.csv")


def test_an_unreadable_file_is_not_gone(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program locks stays as it was last kept, and the reason is told."""
    (attempt.handin / "a.csv").write_bytes(b"1")
    attempt.snapshot_handin()
    real = Path.open

    def locked(path: Path, mode: str = "r") -> object:
        if path.name == "a.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, mode)

    monkeypatch.setattr(Path, "open", locked)
    (record,) = attempt.snapshot_handin()
    assert record.kind == "incident"
    assert "Permission denied" in record.detail["reason"]


def test_a_missing_hand_in_folder_is_an_empty_one(attempt: Attempt) -> None:
    """A trainee who deletes the folder has handed in nothing."""
    attempt.handin.rmdir()
    assert attempt.snapshot_handin() == []


def test_history_only_runs_forward(attempt: Attempt) -> None:
    """A step before the last one is a mistake of the caller."""
    attempt.record(3, [0], [1.0], [0])
    with pytest.raises(AssertionError):
        attempt.record(2, [0], [1.0], [0])


def test_evidence_needs_no_protocol() -> None:
    """Reading an attempt loads no protocol library, no simulation and no terminal UI."""
    code = (
        "import sys; import labsim.evidence.attempt, labsim.evidence.evidence, labsim.evidence.verify; "
        "print(sorted({'asyncua', 'pymodbus', 'simpy', 'textual', 'paho', 'pydantic'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_attempt_in_which_nothing_happened_is_discarded(attempt: Attempt) -> None:
    """A lab that could not start leaves no empty folder behind."""
    attempt.discard()
    assert not attempt.folder.exists()


@pytest.mark.parametrize("what", ["event", "file"])
def test_an_attempt_in_which_something_happened_is_kept(attempt: Attempt, what: str) -> None:
    """Whoever has an event or a hand-in file in an attempt never loses it."""
    if what == "event":
        attempt.keep(write_event(1))
    else:
        (attempt.handin / "mine.csv").write_text("work")
    attempt.discard()
    assert (attempt.folder / "manifest.json").exists()
