"""Verification finds any change to a sealed attempt, says where it is, and lets an honest crash pass."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labsim.errors import AttemptError
from labsim.evidence import history_file
from labsim.evidence.attempt import Attempt
from labsim.evidence.finding import Finding
from labsim.evidence.verify import ok, verify

from .conftest import Clock, create_attempt, fill, write_event


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed attempt of two epochs."""
    clock = Clock()
    folder = tmp_path_factory.mktemp("verify") / "attempt"
    attempt = create_attempt(folder, clock)
    fill(attempt, clock)
    attempt.close()
    attempt = Attempt.resume(folder, clock)
    attempt.record(attempt.next_step, [2, 3], [0, 0], [0, 0], {2: "O9999"})
    attempt.keep(write_event(99))
    attempt.keep(write_event(100))
    attempt.seal()
    assert verify(folder) == []
    return folder


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    """A copy of the sealed attempt to be changed."""
    return Path(shutil.copytree(sealed, tmp_path / "copy"))


def covered(folder: Path) -> list[Path]:
    """Every file that the seal speaks for, and the seal."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in ("handin", "lock")
    )


@given(data=st.data())
def test_any_changed_byte_is_found(sealed: Path, data: st.DataObject) -> None:
    """One byte changed, put in or taken out, in any file: verify says so."""
    path = data.draw(st.sampled_from([path for path in covered(sealed) if path.stat().st_size]))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = bytes([data.draw(st.integers(0, 255))])
    after = data.draw(
        st.sampled_from(
            [before[:at] + byte + before[at + 1 :], before[:at] + before[at + 1 :], before[:at] + byte + before[at:]]
        )
    )
    assume(after != before)
    path.write_bytes(after)
    try:
        assert not ok(verify(sealed))
    finally:
        path.write_bytes(before)


@given(data=st.data())
def test_lines_removed_repeated_or_moved_are_found(sealed: Path, data: st.DataObject) -> None:
    """Lines of a journal in any other number or order are found, even with the seal taken away, save a cut tail."""
    path = data.draw(st.sampled_from(sorted((sealed / "journal").iterdir())))
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    after = data.draw(st.lists(st.sampled_from(lines), max_size=len(lines) + 1) | st.permutations(lines))
    assume(after != lines)
    seal = (sealed / "seal.json").read_bytes()
    path.write_bytes(b"".join(after))
    try:
        assert not ok(verify(sealed))
        (sealed / "seal.json").unlink()
        cut = path.name == "e0002.jsonl" and after == lines[: len(after)]
        assert ok(verify(sealed)) == cut
    finally:
        path.write_bytes(before)
        (sealed / "seal.json").write_bytes(seal)


def test_the_first_broken_line_is_named(copy: Path) -> None:
    """A changed value, a removed line and a lost hash are each named with line and reason."""
    path = copy / "journal" / "e0001.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for changed, line, reason in (
        (whole.replace(b'"values":[1]', b'"values":[3]'), 3, "does not match its hash"),
        (b"".join(lines[:1] + lines[2:]), 2, "has number 3, 2 is due"),
        (b"".join([*lines[:4], lines[4].replace(b',"h":"', b',"g":"'), *lines[5:]]), 5, "has no hash"),
        (b"".join([*lines[:3], b"{" + lines[3], *lines[4:]]), 4, "is not a record any more"),
    ):
        path.write_bytes(changed)
        first = next(finding for finding in verify(copy) if finding.file.startswith("journal"))
        assert (first.file, first.line) == ("journal/e0001.jsonl", line)
        assert reason in first.message
    assert str(first).startswith("journal/e0001.jsonl:4: ")
    assert first.to_json() == {"file": first.file, "line": 4, "message": first.message, "note": False}


def test_a_recomputed_chain_is_found_by_the_seal(copy: Path) -> None:
    """Who rewrites a line and all hashes after it fails at the seal, which hangs on the old head."""
    head = hashlib.sha256((copy / "manifest.json").read_bytes()).digest()
    for path in sorted((copy / "journal").iterdir()):
        forged = b""
        for line in path.read_bytes().splitlines():
            body = line[:-72] + b"}"
            body = body.replace(b'"values":[1]', b'"values":[3]')
            head = hashlib.sha256(head + body).digest()
            forged += body[:-1] + b',"h":"' + head.hex().encode() + b'"}\n'
        path.write_bytes(forged)
    said = {finding.file: finding.message for finding in verify(copy)}
    assert "does not follow on the journal's head" in said["seal.json"]
    assert "was changed after the seal" in said["journal/e0001.jsonl"]
    assert "which the journal does not have" in said["verdicts/0001.json"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("manifest.json", "was changed after the seal"),
        ("tags.json", "is not the file that the manifest names"),
        ("scenario/scenario.yaml", "is not the file that the manifest names"),
        ("history/e0001.gz", "was changed after the seal"),
        ("history/e0001.gz", "is not a compressed history"),
        ("verdicts/0001.json", "was changed after the seal"),
    ],
)
def test_a_changed_file_is_named(copy: Path, name: str, message: str) -> None:
    """The file that was changed is the one that is named."""
    path = copy / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2").replace(b"\x00\x00", b"\x00\x01"))
    assert any(finding.file == name and message in finding.message for finding in verify(copy))


def test_missing_and_added_files_are_named(copy: Path) -> None:
    """Files taken away and files put in are found; a later verdict and the trainee's folder are free."""
    (copy / "scenario" / "scenario.yaml").unlink()
    (copy / "scenario" / "extra.yaml").touch()
    (copy / "history" / "e0003.bin").touch()
    (copy / "verdicts" / "0002.json").write_text("{}")
    (copy / "handin" / "later.csv").touch()
    (kept,) = (copy / "files").iterdir()
    kept.unlink()
    findings = verify(copy)
    said = {(finding.file, finding.message) for finding in findings if not finding.note}
    assert ("scenario/scenario.yaml", "is named in the manifest but missing") in said
    assert ("scenario/scenario.yaml", "was sealed but is missing") in said
    assert ("scenario/extra.yaml", "is not in the manifest: it was added") in said
    assert ("history/e0003.bin", "was added after the seal") in said
    assert any(file == f"files/{kept.name}" and "is missing: record" in message for file, message in said)
    assert [finding.file for finding in findings if finding.note] == ["verdicts/0002.json"]


def test_a_missing_epoch_is_named(copy: Path) -> None:
    """An epoch's file cannot simply be taken out."""
    (copy / "journal" / "e0001.jsonl").unlink()
    assert Finding("journal/e0001.jsonl", 0, "is missing") in verify(copy)


def test_a_history_that_cannot_be_is_named(copy: Path) -> None:
    """Unknown tags, steps that go back and texts that are not there are found without a seal too."""
    (copy / "seal.json").unlink()
    packed = copy / "history" / "e0001.gz"
    path, whole = packed.with_suffix(".bin"), history_file.read_bytes(packed)
    packed.unlink()
    for at, byte, message in (
        (4, b"\x09", "names tag 9 at record 1, but there are only 4 tags"),
        (0, b"\x05", "goes back in time at record 2"),
        (2 * 18 + 17, b"\x41", "names a text that is not among the 3 lines"),
    ):
        path.write_bytes(whole[:at] + byte + whole[at + 1 :])
        assert [f.message for f in verify(copy) if message in f.message]
    path.write_bytes(whole)
    (copy / "history" / "e0001.text").write_bytes(b"O0000\n")
    assert [f for f in verify(copy) if f.file == "history/e0001.text"]


def test_an_honest_crash_is_a_note(attempt: Attempt, clock: Clock) -> None:
    """Half a line, half a record and half a copy in an unsealed attempt are told, and the attempt stays good."""
    fill(attempt, clock)
    attempt.close()
    for name in ("journal/e0001.jsonl", "history/e0001.bin", "files/0000.part"):
        with (attempt.folder / name).open("ab") as file:
            file.write(b"{")
    findings = verify(attempt.folder)
    assert ok(findings)
    assert {f.file for f in findings} == {"journal/e0001.jsonl", "history/e0001.bin", "files/0000.part", "seal.json"}
    with Attempt.resume(attempt.folder, clock) as resumed:
        resumed.seal()
    assert ok(verify(attempt.folder))


def test_a_journal_cut_behind_a_verdict_is_found(attempt: Attempt, clock: Clock) -> None:
    """In an unsealed attempt a cut tail shows against the head that a verdict names."""
    fill(attempt, clock)
    attempt.close()
    path = attempt.folder / "journal" / "e0001.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert [f.file for f in verify(attempt.folder) if not f.note] == ["verdicts/0001.json"]


def test_the_seal_is_one_more_line_of_the_chain(sealed: Path) -> None:
    """The seal's hash follows on the journal's last by the same rule."""
    last = json.loads((sealed / "journal" / "e0002.jsonl").read_bytes().splitlines()[-1])["h"]
    seal = (sealed / "seal.json").read_bytes()
    expected = hashlib.sha256(bytes.fromhex(last) + seal[:-73] + b"}").hexdigest()
    assert json.loads(seal)["h"] == expected
    assert json.loads(seal)["files"]["tags.json"] == hashlib.sha256((sealed / "tags.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["manifest.json", "tags.json", "seal.json", "verdicts/0001.json"])
@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"null", b"{}", b"[1]"])
def test_nonsense_is_a_finding_not_a_crash(copy: Path, name: str, content: bytes) -> None:
    """Any file may hold anything."""
    (copy / name).write_bytes(content)
    assert not ok(verify(copy))


def test_no_folder(tmp_path: Path) -> None:
    """What is no folder cannot be verified; an empty one is not an attempt."""
    with pytest.raises(AttemptError, match="is not a folder"):
        verify(tmp_path / "nowhere")
    assert [f.file for f in verify(tmp_path) if not f.note] == ["manifest.json"]
