"""The journal: numbering, the chain, epochs, recovery, and what it does when the disk does not want."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import AttemptError, DiskError, EvidenceError
from labsim.evidence import disk
from labsim.evidence.encoding import encode
from labsim.evidence.event import Event, Record
from labsim.evidence.journal_writer import JournalWriter
from labsim.evidence.reader import read_journal

MANIFEST = b'{"format":"labsim-attempt/1"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An attempt folder as far as a journal needs it."""
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    return tmp_path


def event(n: int) -> Event:
    """An event, recognisable by its value."""
    return Event(kind="write", protocol="modbus", values=[n])


def lines_of(folder: Path, epoch: int = 1) -> list[bytes]:
    """The whole lines of an epoch's file."""
    return (folder / "journal" / f"e{epoch:04d}.jsonl").read_bytes().split(b"\n")[:-1]


def follow_by_hand(folder: Path) -> bytes:
    """The chain as the documentation tells it, with nothing of labsim's own code; gives the last hash."""
    head = hashlib.sha256((folder / "manifest.json").read_bytes()).digest()
    for path in sorted((folder / "journal").iterdir()):
        for line in path.read_bytes().splitlines():
            match = re.fullmatch(rb'(\{.*),"h":"([0-9a-f]{64})"\}', line)
            assert match is not None
            head = hashlib.sha256(head + match[1] + b"}").digest()
            assert head.hex() == match[2].decode() == json.loads(line)["h"]
    return head


def test_an_event_gets_number_times_and_hash(folder: Path) -> None:
    """Append gives the event as it stands in the journal, and reading gives the same."""
    journal = JournalWriter(folder, lambda: 250)
    record = journal.append(Event(kind="answer", protocol="lab", values=["四", 1.5, None], detail={"task": "a"}))
    journal.close()
    assert (record.seq, record.t, record.kind, record.values) == (1, 250, "answer", ["四", 1.5, None])
    assert record.w > 1_600_000_000_000_000_000
    assert read_journal(folder) == [record]


def test_any_language_can_follow_the_chain(folder: Path) -> None:
    """Twelve lines of plain hashing follow the chain over two epochs from the manifest to the head."""
    for _ in range(2):
        journal = JournalWriter(folder, lambda: 0)
        for n in range(5):
            journal.append(event(n))
        journal.close()
    assert follow_by_hand(folder).hex() == journal.head
    assert [r.seq for r in read_journal(folder)] == list(range(1, 11))


def test_one_write_per_event(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each event is exactly one os.write of one whole line."""
    written: list[bytes] = []
    real = os.write

    def spy(fd: int, data: bytes) -> int:
        written.append(bytes(data))
        return real(fd, data)

    journal = JournalWriter(folder, lambda: 0)
    monkeypatch.setattr(disk.os, "write", spy)
    for n in range(3):
        journal.append(event(n))
    monkeypatch.undo()
    journal.close()
    assert written == [line + b"\n" for line in lines_of(folder)]


def test_a_batch_is_what_single_events_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that came together are one os.write; but for the one time they share, their lines are those of single ones."""
    single, written = folder / "single", list[bytes]()
    single.mkdir()
    (single / "manifest.json").write_bytes(MANIFEST)
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 5)
    one, other = JournalWriter(folder, lambda: 7), JournalWriter(single, lambda: 7)
    real = os.write
    monkeypatch.setattr(disk.os, "write", lambda fd, data: written.append(data) or real(fd, data))
    lines = one.write_all([event(0), encode(event(1)), event(2)])
    assert written == [b"".join(lines)]
    for n in range(3):
        other.append(event(n))
    assert one.last == other.last
    one.close()
    other.close()
    assert lines_of(folder) == lines_of(single)
    assert follow_by_hand(folder) == follow_by_hand(single)


@pytest.mark.parametrize("fault", ["short", "full"])
def test_a_batch_that_does_not_fit_is_refused_whole(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A disk that is full in the middle of a batch keeps nothing of it, and the incident counts all of it."""
    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(0))
    before, real = lines_of(folder), os.write

    def bad(fd: int, data: bytes) -> int:
        if fault == "short":
            return real(fd, data[: data.index(b"\n") + 9])  # a whole line and the beginning of the next
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk.os, "write", bad)
    with pytest.raises(EvidenceError):
        journal.write_all([event(1), event(2), event(3)])
    assert lines_of(folder) == before
    monkeypatch.undo()
    journal.write_all([event(4), event(5)])
    journal.close()
    records = read_journal(folder)
    assert [(r.seq, r.kind, r.values) for r in records[2:]] == [(3, "write", [4]), (4, "write", [5])]
    assert records[1].detail["count"] == 3
    follow_by_hand(folder)


def test_time_never_runs_back(folder: Path) -> None:
    """A clock that restarts at 0 after a crash is lifted to the journal's last time."""
    first = JournalWriter(folder, lambda: 700)
    first.append(event(0))
    first.close()
    second = JournalWriter(folder, lambda: 0)
    assert second.append(event(1)).t == 700
    second.close()


def test_half_a_line_is_dropped_and_said(folder: Path) -> None:
    """What stands after the last newline is cut away, and an incident in the new epoch tells what it was."""
    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(0))
    journal.close()
    path = folder / "journal" / "e0001.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"wri')
    assert [r.seq for r in read_journal(folder)] == [1]

    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(1))
    journal.close()
    incident = read_journal(folder)[1]
    assert (incident.kind, incident.seq, incident.subject) == ("incident", 2, "journal/e0001.jsonl")
    assert incident.detail["bytes"] == 12
    assert incident.detail["torn"] == '{"kind":"wri'
    assert path.read_bytes() == whole
    follow_by_hand(folder)


def test_a_crash_while_recovering_is_recovered(folder: Path) -> None:
    """Half a line that is still there beside a newer, empty epoch is dropped by the epoch after that."""
    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(0))
    journal.close()
    with (folder / "journal" / "e0001.jsonl").open("ab") as file:
        file.write(b"\x00\x00")
    (folder / "journal" / "e0002.jsonl").touch()
    journal = JournalWriter(folder, lambda: 0)
    journal.close()
    assert journal.epoch == 3
    assert [r.kind for r in read_journal(folder)] == ["write", "incident"]
    follow_by_hand(folder)


def test_a_changed_journal_is_not_gone_on_with(folder: Path) -> None:
    """Recovery computes the chain anew and names the line that does not fit."""
    journal = JournalWriter(folder, lambda: 0)
    for n in range(3):
        journal.append(event(n))
    journal.close()
    path = folder / "journal" / "e0001.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"values":[1]', b'"values":[7]'))
    with pytest.raises(AttemptError, match=r"e0001\.jsonl:2 does not follow"):
        JournalWriter(folder, lambda: 0)
    assert not (folder / "journal" / "e0002.jsonl").exists()


def test_a_line_that_is_no_record_is_named(folder: Path) -> None:
    """Reading a damaged journal says which line."""
    (folder / "journal").mkdir()
    (folder / "journal" / "e0001.jsonl").write_bytes(
        b'{"kind":"a","protocol":"lab","seq":1,"t":0,"w":0,"m":0}\n{"kind":"a"}\n'
    )
    with pytest.raises(AttemptError, match=r"e0001\.jsonl:2 is not a record"):
        read_journal(folder)


@pytest.mark.parametrize("fault", ["short", "full", "read-only"])
def test_an_event_that_does_not_fit_is_refused_whole(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A short or failed write raises, leaves no trace of the event, and is counted in an incident before the next one."""
    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(0))
    before = lines_of(folder)
    real = os.write

    def bad(fd: int, data: bytes) -> int:
        if fault == "short":
            return real(fd, data[: len(data) // 2])
        code = errno.ENOSPC if fault == "full" else errno.EROFS
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(disk.os, "write", bad)
    for n in (1, 2):
        with pytest.raises(EvidenceError, match=r"e0001\.jsonl could not be written .*: free space"):
            journal.append(event(n))
        assert lines_of(folder) == before
    monkeypatch.undo()
    journal.append(event(3))
    journal.close()
    records = read_journal(folder)
    assert [(r.seq, r.kind) for r in records] == [(1, "write"), (2, "incident"), (3, "write")]
    assert records[1].detail["count"] == 2
    assert records[2].values == [3]
    follow_by_hand(folder)


def write_halves(patch: pytest.MonkeyPatch) -> None:
    """From now on only the beginning of a line is written, and it cannot be cut away."""
    real = os.write

    def no_cut(fd: int, length: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    patch.setattr(disk.os, "write", lambda fd, data: real(fd, data[:10]))
    patch.setattr(disk.os, "ftruncate", no_cut)


def test_nothing_follows_on_half_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as half a line cannot be cut away every event is refused; once it can, it is gone and the journal goes on."""
    journal = JournalWriter(folder, lambda: 0)
    real = os.write
    with monkeypatch.context() as patch:
        write_halves(patch)
        for n in (0, 1):
            with pytest.raises(DiskError, match="free space"):
                journal.append(event(n))
        patch.setattr(disk.os, "write", real)
        with pytest.raises(DiskError, match="free space"):
            journal.append(event(2))
    journal.append(event(3))
    journal.close()
    records = read_journal(folder)
    assert [(r.kind, r.detail.get("count")) for r in records] == [("incident", 3), ("write", None)]
    assert records[0].detail["from"] <= records[0].detail["to"]
    follow_by_hand(folder)


def test_half_a_line_that_stays_is_dropped_by_the_next_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that ends while half a line cannot be cut away leaves it to the next one, which says so."""
    journal = JournalWriter(folder, lambda: 0)
    with monkeypatch.context() as patch:
        write_halves(patch)
        with pytest.raises(DiskError, match="free space"):
            journal.append(event(0))
        journal.close()
    JournalWriter(folder, lambda: 0).close()
    assert [r.detail["reason"] for r in read_journal(folder)] == ["half a line after a crash"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupt_leaves_no_half_event(folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """A Ctrl-C in the middle of a write neither tears a line nor counts an event that nobody was told of."""
    journal = JournalWriter(folder, lambda: 0)
    real = os.write

    def interrupted(fd: int, data: bytes) -> int:
        real(fd, data[:20] if moment == "before" else data)
        raise KeyboardInterrupt

    monkeypatch.setattr(disk.os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.append(event(0))
    monkeypatch.undo()
    journal.append(event(1))
    journal.close()
    assert [(r.seq, r.values) for r in read_journal(folder)] == [(1, [1])]
    follow_by_hand(folder)


def test_what_was_appended_is_synced_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync thread brings an event beyond the reach of a power cut without anybody asking."""
    synced = threading.Event()
    monkeypatch.setattr(disk, "_data_sync", lambda fd: synced.set())
    journal = JournalWriter(folder, lambda: 0)
    journal.append(event(0))
    assert synced.wait(30)
    journal.close()


def test_a_failed_sync_stops_the_journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk loses what was written, the next event is refused instead of standing on a hole."""
    failed = threading.Event()

    def broken(fd: int) -> None:
        failed.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = JournalWriter(folder, lambda: 0)
    monkeypatch.setattr(disk, "_data_sync", broken)
    journal.append(event(0))
    assert failed.wait(30)
    with pytest.raises(EvidenceError, match="could not be written"):
        journal.close()
    with pytest.raises(EvidenceError, match="closed"):
        journal.append(event(1))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_disk_that_is_really_full(folder: Path) -> None:
    """Under the system's own file size limit every acknowledged event is in the journal and none is half there."""
    script = """
import resource, sys
from pathlib import Path
from labsim.errors import EvidenceError
from labsim.evidence.event import Event
from labsim.evidence.journal_writer import JournalWriter
journal = JournalWriter(Path(sys.argv[1]), lambda: 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
kept = 0
try:
    while True:
        journal.append(Event(kind="write", protocol="modbus", values=[kept]))
        kept += 1
except EvidenceError as error:
    print(kept, error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    kept = int(done.stdout.split()[0])
    assert kept > 10
    assert "could not be written" in done.stdout
    data = (folder / "journal" / "e0001.jsonl").read_bytes()
    assert data.endswith(b"\n")
    assert [r.values for r in read_journal(folder)] == [[n] for n in range(kept)]


def test_nothing_after_close(folder: Path) -> None:
    """A closed journal refuses events; closing twice is harmless."""
    journal = JournalWriter(folder, lambda: 0)
    journal.close()
    journal.close()
    with pytest.raises(EvidenceError, match="closed"):
        journal.append(event(0))


def test_many_threads_keep_one_chain(folder: Path) -> None:
    """Events from several threads are numbered without gaps and chained."""
    journal = JournalWriter(folder, lambda: 0)
    threads = [threading.Thread(target=lambda: [journal.append(event(n)) for n in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert [r.seq for r in read_journal(folder)] == list(range(1, 801))
    assert follow_by_hand(folder).hex() == journal.head


def test_what_json_cannot_hold_is_kept_as_text(folder: Path) -> None:
    """A client's strange values neither stop the lab nor spoil the journal."""
    nest: Any = 1
    for _ in range(3000):
        nest = [nest]
    journal = JournalWriter(folder, lambda: 0)
    strange = [np.float32(1.5), np.arange(2), "\udc80", {"\udcff": 2**70}, object, float("nan"), nest, b"ab"]
    for value in strange:
        journal.append(Event(kind="write", protocol="opcua", app="\ud800", values=[value]))
    journal.close()
    kept = [r.values[0] for r in read_journal(folder)]
    assert kept[:4] == [1.5, [0, 1], "\\udc80", {"\\udcff": 2**70}]
    assert len(kept) == len(strange)
    follow_by_hand(folder)


def test_numpy_numbers_are_numbers(folder: Path) -> None:
    """A value straight from the tag store's columns is a JSON number."""
    journal = JournalWriter(folder, lambda: 0)
    journal.append(Event(kind="write", protocol="opcua", values=[np.float64(1.5), np.uint16(3), np.bool_(True)]))
    journal.close()
    assert read_journal(folder)[0].values == [1.5, 3, True]


def test_a_malformed_event_does_not_spoil_the_journal(folder: Path) -> None:
    """An event with a field of the wrong type is refused, because no reader could decode the journal again."""
    journal = JournalWriter(folder, lambda: 0)
    with pytest.raises(EvidenceError, match="malformed"):
        journal.append(Event(kind="open", protocol="modbus", app=None))  # type: ignore[arg-type] # the point of the test
    journal.append(event(1))
    journal.close()
    assert [r.kind for r in read_journal(folder)] == ["incident", "write"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    values=st.lists(json_values, max_size=4), detail=st.dictionaries(st.text(), json_values, max_size=3), app=st.text()
)
def test_what_is_kept_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], detail: dict[str, Any], app: str
) -> None:
    """Any values and details, whatever is in their strings, come back as they were, in one line, in the chain."""
    folder = tmp_path_factory.mktemp("journal")
    (folder / "manifest.json").write_bytes(MANIFEST)
    journal = JournalWriter(folder, lambda: 0)
    record = journal.append(Event(kind="call", protocol="opcua", app=app, values=values, detail=detail))
    journal.close()
    assert (record.values, record.detail, record.app) == (values, detail, app)
    assert read_journal(folder) == [record]
    assert isinstance(record, Record)
    follow_by_hand(folder)


def test_no_attempt_no_journal(tmp_path: Path) -> None:
    """A folder without a manifest is not an attempt."""
    with pytest.raises(AttemptError, match=r"manifest\.json"):
        JournalWriter(tmp_path, lambda: 0)
    with pytest.raises(AttemptError, match="no journal"):
        read_journal(tmp_path)
