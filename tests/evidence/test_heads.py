"""Signed heads: when they are written, what they say, and that they can be verified without labsim."""

from __future__ import annotations

import hashlib
import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from labsim.errors import EvidenceError
from labsim.evidence.attempt import Attempt
from labsim.evidence.heads import NAME
from labsim.evidence.key import PRIVATE, PublicKey, SigningKey
from labsim.evidence.verify import ok, verify

from .conftest import Clock, create_attempt, write_event


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """A key in a folder that is not there yet."""
    return SigningKey(tmp_path / "config" / "labsim")


def heads_of(folder: Path) -> list[dict[str, object]]:
    """The lines of ``heads.jsonl``."""
    return [json.loads(line) for line in (folder / NAME).read_bytes().splitlines()]


def test_a_head_a_minute_and_at_the_end(tmp_path: Path, clock: Clock, key: SigningKey) -> None:
    """A head is due a minute after the last one, and at the end of each epoch; nothing new needs no head."""
    attempt = create_attempt(tmp_path / "attempt", clock, key)
    attempt.keep(write_event(1))
    assert not (attempt.folder / NAME).exists()
    for _ in range(2):
        attempt._heads.due_ns = attempt._look_ns = 0  # type: ignore[union-attr]  # it has a key
        attempt.keep(write_event(2))
        attempt._heads.signer.join()  # type: ignore[union-attr]
    attempt.close()
    attempt = Attempt.resume(attempt.folder, clock, key)
    attempt.keep(write_event(3))
    attempt.seal()
    told = [(head["epoch"], head["seq"], head["why"]) for head in heads_of(attempt.folder)]
    assert told == [(1, 1, "minute"), (1, 2, "minute"), (1, 3, "close"), (2, 4, "seal")]


def test_anybody_can_verify_a_head(tmp_path: Path, clock: Clock, key: SigningKey) -> None:
    """With the public key of the attempt and the rule of the docs, without a line of ours."""
    attempt = create_attempt(tmp_path / "attempt", clock, key)
    attempt.keep(write_event(1))
    attempt.seal()
    line = (attempt.folder / NAME).read_bytes().rstrip(b"\n")
    head = json.loads(line)
    public = load_pem_public_key((attempt.folder / "keys" / f"{head['key_id']}.pem").read_bytes())
    public.verify(bytes.fromhex(head["sig"]), line[: -len(',"sig":"' + 128 * "0" + '"}')] + b"}")  # type: ignore[call-arg, union-attr]  # Ed25519
    assert hashlib.sha256(public.public_bytes_raw()).hexdigest() == head["key_id"]  # type: ignore[union-attr]
    assert (head["alg"], head["h"]) == ("Ed25519", attempt.head)


def test_half_a_head_after_a_crash_is_cut_away(tmp_path: Path, clock: Clock, key: SigningKey) -> None:
    """What a crash left of a line is neither an error nor in the way."""
    attempt = create_attempt(tmp_path / "attempt", clock, key)
    attempt.keep(write_event(1))
    attempt.close()
    with (attempt.folder / NAME).open("ab") as file:
        file.write(b'{"epoch":1,"se')
    assert ok(verify(attempt.folder))
    attempt = Attempt.resume(attempt.folder, clock, key)
    attempt.keep(write_event(2))
    attempt.seal()
    assert [head["seq"] for head in heads_of(attempt.folder)] == [1, 2]
    assert verify(attempt.folder) == []


def test_a_cut_tail_shows_against_the_head(tmp_path: Path, clock: Clock, key: SigningKey) -> None:
    """An attempt that was never sealed and lost its last records: the head names one that is not there."""
    attempt = create_attempt(tmp_path / "attempt", clock, key)
    for number in range(3):
        attempt.keep(write_event(number))
    attempt.close()
    path = attempt.folder / "journal" / "e0001.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    first = verify(attempt.folder)[0]
    assert (first.file, first.line) == (NAME, 1)
    assert "which the journal does not have" in first.message


def test_the_key_is_made_once_and_private(key: SigningKey) -> None:
    """The first use makes it, readable by its owner only; the next finds it."""
    made = key.public.id
    assert SigningKey(key.folder).public.id == made
    if sys.platform != "win32":
        assert stat.S_IMODE((key.folder / PRIVATE).stat().st_mode) == 0o600
    assert sorted(path.name for path in key.folder.iterdir()) == ["evidence-key.pem", "evidence-key.pub.pem"]


def test_a_lab_without_a_key_goes_on(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Where no key can be kept the attempt is sealed all the same, unsigned, and the log says so."""
    (tmp_path / "file").write_bytes(b"")
    attempt = create_attempt(tmp_path / "attempt", clock, SigningKey(tmp_path / "file" / "below"))
    attempt.keep(write_event(1))
    attempt.seal()
    assert "not signed" in caplog.text
    assert verify(attempt.folder) == []


def test_what_is_no_key_is_told(tmp_path: Path, key: SigningKey) -> None:
    """A file that is not there, holds something else, or another kind of key."""
    with pytest.raises(EvidenceError, match="cannot be read"):
        PublicKey.read(tmp_path / "none.pem")
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(EvidenceError, match="no public key"):
        PublicKey.read(tmp_path / "text.pem")
    assert key.public.id
    (key.folder / PRIVATE).write_text("hello")
    with pytest.raises(EvidenceError, match="no key without a password"):
        SigningKey(key.folder).sign(b"")
