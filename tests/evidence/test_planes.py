"""Records compressed by byte planes."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import AttemptError
from labsim.evidence.attempt import Attempt
from labsim.evidence.history import History
from labsim.evidence.history_file import RECORD, last_step, read_bytes, record_files
from labsim.evidence.live import LiveHistory
from labsim.evidence.planes import pack, unpack
from labsim.evidence.verify import ok, verify

from .conftest import TAGS, Clock, create_attempt, fill


@given(st.binary(max_size=500), st.integers(1, 20))
def test_whatever_was_packed_comes_out(data: bytes, size: int) -> None:
    """Records of any size, with or without half a record at the end, come out as they went in."""
    assert unpack(pack(data, size), size) == data


def test_any_gzip_reads_it() -> None:
    """Python's gzip gives the planes; byte b of record r is at b·n + r, as the documentation says."""
    records = bytes(range(36))
    planes = gzip.decompress(pack(records, 18))
    assert all(planes[b * 2 + r] == records[r * 18 + b] for r in range(2) for b in range(18))
    assert pack(records, 18)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no time, no operating system


def test_what_was_changed_is_refused() -> None:
    """A file with a byte changed, cut, or of another kind is none."""
    packed = pack(bytes(range(180)), 18)
    for changed in (packed[:-1], packed[:20] + bytes((packed[20] ^ 1,)) + packed[21:], b"", b"{}"):
        with pytest.raises(ValueError, match=r".*"):
            unpack(changed, 18)


def test_a_plant_takes_a_third(tmp_path: Path) -> None:
    """Values that move a little at every step take less than half of their room; counters and states much less."""
    steps, chance = 5000, np.random.default_rng(1)
    records = np.zeros(steps * 4, RECORD)
    records["step"], records["tag"] = np.repeat(np.arange(steps), 4), np.tile(np.arange(4), steps)
    records["value"] = 230 + chance.normal(0, 0.1, steps * 4)
    assert len(pack(records.tobytes(), RECORD.itemsize)) < 0.5 * records.nbytes
    records["value"] = records["step"] // 7
    assert len(pack(records.tobytes(), RECORD.itemsize)) < 0.05 * records.nbytes


def sealed(folder: Path) -> Path:
    """An attempt with two epochs of history."""
    clock = Clock()
    fill(attempt := create_attempt(folder, clock), clock)
    attempt.close()
    with Attempt.resume(folder, clock) as attempt:
        attempt.record(attempt.next_step, [0, 2], [7.0, 0], [0, 0], {2: "O0009"})
        attempt.seal()
    return folder


def test_a_seal_compresses(tmp_path: Path) -> None:
    """An open attempt has ``.bin`` files, a sealed one ``.gz`` files that read the same."""
    clock = Clock()
    attempt = create_attempt(tmp_path / "a", clock)
    fill(attempt, clock)
    plain = read_bytes(tmp_path / "a" / "history" / "e0001.bin")
    tags = {tag.path: tag for tag in TAGS}
    before = History(attempt.folder, tags).series("m.program", 0, 10**12)
    attempt.seal()
    assert [path.name for path in sorted((attempt.folder / "history").iterdir())] == ["e0001.gz", "e0001.text"]
    assert read_bytes(attempt.folder / "history" / "e0001.gz") == plain
    for after in (
        History(attempt.folder, tags).series("m.program", 0, 10**12),
        LiveHistory(attempt.folder, tags).whole("m.program"),
    ):
        assert list(after.values) == list(before.values)
        assert list(after.times_ns) == list(before.times_ns)
    assert ok(verify(attempt.folder))
    packed = (attempt.folder / "history" / "e0001.gz").read_bytes()
    assert hashlib.sha256(packed).hexdigest() in (attempt.folder / "seal.json").read_text()


@pytest.mark.parametrize("died", ["before it took the old one away", "after"])
def test_a_host_that_dies_while_it_compresses(tmp_path: Path, died: str) -> None:
    """Every record is read once, the attempt goes on, and its seal is good."""
    folder, clock = tmp_path / "a", Clock()
    attempt = create_attempt(folder, clock)
    fill(attempt, clock)
    tags = {tag.path: tag for tag in TAGS}
    before = History(folder, tags).series("m.speed", 0, 10**12)
    attempt.close()
    plain = folder / "history" / "e0001.bin"
    plain.with_suffix(".gz").write_bytes(pack(plain.read_bytes(), RECORD.itemsize))
    if died == "after":
        plain.unlink()
    assert [path.name for path in record_files(folder)] == ["e0001.gz"]
    assert list(History(folder, tags).series("m.speed", 0, 10**12).times_ns) == list(before.times_ns)
    assert len(LiveHistory(folder, tags).whole("m.speed")) == len(before)
    assert last_step(folder) == 3
    assert ok(verify(folder))
    with Attempt.resume(folder, clock) as attempt:
        assert attempt.next_step == 4
        attempt.record(4, [0], [1.0], [0])
        attempt.seal()
    assert [path.name for path in record_files(folder)] == ["e0001.gz", "e0002.gz"]
    assert ok(verify(folder))


def test_two_forms_that_differ_are_told(tmp_path: Path) -> None:
    """A plain file beside a compressed one that holds something else was put there by somebody, and is not read."""
    folder = sealed(tmp_path / "a")
    records = read_bytes(folder / "history" / "e0001.gz")
    (folder / "history" / "e0001.bin").write_bytes(records[:-18])
    said = [str(finding) for finding in verify(folder)]
    assert "history/e0001.bin: does not hold what e0001.gz does: one of the two was changed" in said
    assert "history/e0001.bin: was added after the seal" in said
    (folder / "history" / "e0001.bin").unlink()
    (folder / "history" / "e0001.gz").write_bytes(b"no history")
    with pytest.raises(AttemptError, match=r"e0001\.gz is not a compressed history"):
        read_bytes(folder / "history" / "e0001.gz")
    assert not ok(verify(folder))
