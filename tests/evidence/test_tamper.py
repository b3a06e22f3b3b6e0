"""Whatever is changed in a sealed attempt, verification says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.evidence.attempt import Attempt
from labsim.evidence.heads import NAME as HEADS
from labsim.evidence.key import PublicKey, SigningKey
from labsim.evidence.verdicts import save_verdict
from labsim.evidence.verify import examine, ok, verify

from .conftest import Clock, create_attempt, fill, write_event

OUTSIDE = ("handin", "lock", "control.json", "pki")
"""What the seal does not cover: the trainee's own, and a running host's."""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """A centre's key."""
    return SigningKey(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, key: SigningKey) -> Path:
    """An attempt of two epochs with everything in it, signed several times and sealed."""
    folder, clock = tmp_path_factory.mktemp("sealed") / "attempt", Clock()
    attempt = create_attempt(folder, clock, key)
    fill(attempt, clock)
    for number in range(3):
        keep_after_a_minute(attempt, number)
    attempt.close()
    attempt = Attempt.resume(folder, clock, key)
    attempt.keep(write_event(9))
    attempt.save_verdict({"score": 2, "head": attempt.head})
    attempt.seal()
    grading = {"by": "A. Board", "why": "appeal"}
    save_verdict(folder, {"score": 3, "head": attempt.head, "grading": grading}, SigningKey(folder.parent / "board"))
    return folder


def keep_after_a_minute(attempt: Attempt, number: int) -> None:
    """Keep an event that finds that a minute is over, and wait for the signature."""
    assert attempt._heads is not None
    attempt._heads.due_ns = attempt._look_ns = 0
    attempt.keep(write_event(number))
    assert attempt._heads.signer is not None
    attempt._heads.signer.join()


def covered(folder: Path) -> list[Path]:
    """Files of an attempt that nobody may change, in order."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in OUTSIDE
    ]


def signature_alone(path: Path) -> bool:
    """Whether a file is a signature that came after the seal: without it the verdict is one that nobody signed."""
    return path.as_posix().endswith("verdicts/0003.sig")


def test_it_is_good_before(sealed: Path, key: SigningKey) -> None:
    """The attempt itself is intact, wherever it lies, and signed by the centre's key alone."""
    verified = examine(sealed, key.public)
    findings, signers = verified.findings, verified.signers
    assert [(finding.file, finding.note) for finding in findings] == [("verdicts/0003.json", True)]
    assert signers == [key.public.id]
    assert len((sealed / HEADS).read_bytes().splitlines()) == 5


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where copies are spoiled."""
    return tmp_path_factory.mktemp("work")


def spoiled(sealed: Path, work: Path) -> Path:
    """A fresh copy."""
    copy = work / "attempt"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(sealed, copy)
    return copy


many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(data=st.data())
def test_one_byte(sealed: Path, work: Path, data: st.DataObject) -> None:
    """A byte that is another one, more or less, in any file."""
    copy = spoiled(sealed, work)
    path = data.draw(st.sampled_from([path for path in covered(copy) if path.stat().st_size]))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(("changed", "added", "removed"))):
        case "changed":
            content[at] ^= data.draw(st.integers(1, 255))
        case "added":
            content[at:at] = bytes((data.draw(st.integers(0, 255)),))
        case "removed":
            del content[at]
    path.write_bytes(content)
    assert not ok(verify(copy)), path


@many
@given(data=st.data())
def test_one_line(sealed: Path, work: Path, data: st.DataObject) -> None:
    """A line that is gone, comes twice, changed places with another, or was put in."""
    copy = spoiled(sealed, work)
    endings = (".jsonl", ".json", ".text", ".sig")
    written = [path for path in covered(copy) if path.suffix in endings and path.stat().st_size]
    path = data.draw(st.sampled_from(written))
    lines = path.read_bytes().splitlines(keepends=True)
    before = list(lines)
    at = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(("gone", "twice", "swapped", "new"))):
        case "gone":
            del lines[at]
        case "twice":
            lines.insert(at, lines[at])
        case "swapped":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        case "new":
            lines.insert(at, b'{"kind":"answer"}\n')
    path.write_bytes(b"".join(lines))
    assert ok(verify(copy)) == (lines == before), path


def test_every_file(sealed: Path, work: Path) -> None:
    """Any file that is gone, empty or holds what another one held."""
    names = [path.relative_to(sealed) for path in covered(sealed)]
    assert len(names) > 12
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        copy = spoiled(sealed, work)
        (copy / name).unlink()
        assert ok(verify(copy)) == signature_alone(name), f"{name} is gone"
        copy = spoiled(sealed, work)
        if (copy / name).stat().st_size:
            (copy / name).write_bytes(b"")
            assert not ok(verify(copy)), f"{name} is empty"
        copy = spoiled(sealed, work)
        first, second = (copy / name).read_bytes(), (copy / other).read_bytes()
        (copy / name).write_bytes(second)
        (copy / other).write_bytes(first)
        assert ok(verify(copy)) == (first == second), f"{name} and {other} changed places"


def test_an_added_file(sealed: Path, work: Path) -> None:
    """A file that nobody wrote is told wherever it lies; a verdict that came later is a note."""
    for place in (
        "history/e0001.bin",
        "scenario/more.yaml",
        "journal/e0003.jsonl",
        "history/e0003.bin",
        "files/abc",
        "keys/other.pem",
        "x",
    ):
        copy = spoiled(sealed, work)
        (copy / place).write_bytes(b"1")
        assert not ok(verify(copy)), place
    copy = spoiled(sealed, work)
    (copy / "verdicts" / "0004.json").write_bytes(b"{}\n")
    assert ok(verify(copy))
    (copy / "verdicts" / "0004.txt").write_bytes(b"{}\n")
    assert not ok(verify(copy))


def test_another_centre_cannot_write_it_anew(sealed: Path, work: Path, key: SigningKey, tmp_path: Path) -> None:
    """A whole attempt written by somebody with another key is intact, but not when the key is pinned."""
    clock, stranger = Clock(), SigningKey(tmp_path / "stranger")
    forged = tmp_path / "forged"
    attempt = create_attempt(forged, clock, stranger)
    fill(attempt, clock)
    attempt.seal()
    assert ok(verify(forged))
    first = verify(forged, key.public)[0]
    assert (first.file, first.line) == (HEADS, 1)
    assert "not by the one that was given" in first.message
    # nor does the centre's public key in its place help
    place = forged / "keys"
    (place / f"{stranger.public.id}.pem").write_bytes(key.public.pem)
    assert "not the key that its name says" in str(verify(forged)[0])


def test_signatures_taken_away_show_with_the_key(sealed: Path, tmp_path: Path, key: SigningKey) -> None:
    """An attempt that nobody signed is intact by itself, but not the work of the centre whose key is given."""
    clock = Clock()
    attempt = create_attempt(tmp_path / "attempt", clock)
    fill(attempt, clock)
    attempt.seal()
    verified = examine(attempt.folder)
    assert (verified.findings, verified.signers) == ([], [])
    said = [str(finding) for finding in verify(attempt.folder, key.public)]
    assert said == ["heads.jsonl: is missing: nobody signed this attempt while it ran", "seal.json: is not signed"]


def test_the_first_break_is_named(sealed: Path, work: Path) -> None:
    """File, line and reason of the first thing that is wrong."""
    copy = spoiled(sealed, work)
    path = copy / "journal" / "e0001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b'"write"', b'"wrote"'), *lines[4:]]))
    first = verify(copy)[0]
    assert (first.file, first.line) == ("journal/e0001.jsonl", 4)
    assert "does not match its hash" in first.message


def test_a_public_key_is_read_from_its_file(key: SigningKey) -> None:
    """The file beside the private key is the key that verifies."""
    assert PublicKey.read(key.folder / "evidence-key.pub.pem").id == key.public.id
