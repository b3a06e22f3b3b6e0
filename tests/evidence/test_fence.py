"""Two hosts, a clock that is set, a disk that fills: what an attempt does when the machine under it misbehaves."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from labsim.errors import AttemptError, EvidenceError
from labsim.evidence import attempt as attempt_module
from labsim.evidence import disk, journal_writer
from labsim.evidence.attempt import Attempt
from labsim.evidence.evidence import Evidence
from labsim.evidence.key import SigningKey
from labsim.evidence.reader import read_journal
from labsim.evidence.verify import ok, verify

from .conftest import Clock, create_attempt, write_event

SECOND = 1_000_000_000


class FreeLock:
    """A lock that does not lock, as on a network disk whose server lost it."""

    def __init__(self, folder: Path) -> None: ...

    def release(self) -> None:
        """Nothing is held."""


@pytest.fixture
def frozen(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """A host that has written and then stood still; its lock is gone, and another host has gone on."""
    monkeypatch.setattr(attempt_module, "FolderLock", FreeLock)
    attempt = create_attempt(tmp_path / "attempt", clock, SigningKey(tmp_path / "key"))
    attempt.keep(write_event(1))
    attempt.record(0, [0], [1.0], [0])
    other = Attempt.resume(attempt.folder, clock, SigningKey(tmp_path / "key"))
    other.keep(write_event(2))
    other.close()
    attempt._look_ns = 0  # more than a second later
    return attempt


def test_two_hosts_cannot_write_one_attempt(tmp_path: Path, clock: Clock) -> None:
    """While a host holds the folder, a second one is told so and changes nothing."""
    with create_attempt(tmp_path / "attempt", clock) as attempt:
        attempt.keep(write_event(1))
        with pytest.raises(AttemptError, match="held by a lab that is still running"):
            Attempt.resume(attempt.folder, clock)
        attempt.keep(write_event(2))
    assert [record.values for record in read_journal(attempt.folder)] == [[1], [2]]


def test_a_frozen_host_that_comes_back_stops(frozen: Attempt) -> None:
    """It sees a later epoch than its own before it writes anything: no event, no history, no head, no seal."""
    for act in (
        lambda: frozen.keep(write_event(3)),
        lambda: frozen.record(1, [0], [2.0], [0]),
        lambda: frozen.append(write_event(3)),
        frozen.seal,
    ):
        with pytest.raises(EvidenceError, match=r"e0002\.jsonl was opened by another host"):
            act()
    before = {path: path.read_bytes() for path in frozen.folder.rglob("*") if path.is_file()}
    frozen.close()
    assert {path: path.read_bytes() for path in frozen.folder.rglob("*") if path.is_file()} == before
    assert ok(verify(frozen.folder))
    assert [record.values for record in read_journal(frozen.folder)] == [[1], [2]]


@pytest.mark.parametrize("seconds", [-3600, -2.5, 2.5, 86400])
def test_a_jump_of_the_wall_clock_is_an_incident(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """When the wall clock moves by over two seconds against the monotonic one, the next event says so first."""
    attempt = create_attempt(tmp_path / "attempt", clock)
    attempt.keep(write_event(1))
    real = time.time_ns
    monkeypatch.setattr(journal_writer.time, "time_ns", lambda: real() + round(seconds * SECOND))
    attempt.keep(write_event(2))
    attempt.keep(write_event(3))
    attempt.close()
    records = read_journal(attempt.folder)
    assert [record.kind for record in records] == ["write", "incident", "write", "write"]
    assert records[1].detail["reason"] == "the wall clock jumped"
    assert abs(records[1].detail["seconds"] - seconds) < 1
    assert ok(verify(attempt.folder))


def test_a_clock_that_is_nudged_is_none(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time servers move a clock a little at a time: however far in the end, that is no incident."""
    attempt = create_attempt(tmp_path / "attempt", clock)
    real, moved = time.time_ns, [0]
    monkeypatch.setattr(journal_writer.time, "time_ns", lambda: real() + moved[0])
    for number in range(10):
        moved[0] += SECOND
        attempt.keep(write_event(number))
    attempt.close()
    assert {record.kind for record in read_journal(attempt.folder)} == {"write"}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_nothing_for_a_while(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Full, read-only or broken: what is refused is refused to its client, and told as soon as there is room."""
    attempt = create_attempt(tmp_path / "attempt", clock)
    attempt.keep(write_event(1))

    def refuse(fd: int, data: bytes) -> int:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "write", refuse)
        for _ in range(3):
            with pytest.raises(EvidenceError, match="could not be written"):
                attempt.keep(write_event(2))
    attempt.close()
    records = read_journal(attempt.folder)
    assert [record.kind for record in records] == ["write", "incident"]
    assert (records[1].detail["reason"], records[1].detail["count"]) == ("events refused", 3)
    assert ok(verify(attempt.folder))
    assert Evidence.load(attempt.folder).head == attempt.head
