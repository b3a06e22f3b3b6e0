"""Verdicts and the signatures beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from labsim.evidence.attempt import Attempt
from labsim.evidence.key import SigningKey
from labsim.evidence.verdicts import read_marked, save_verdict
from labsim.evidence.verify import examine, ok, verify

from .conftest import Clock, create_attempt, fill


@pytest.fixture
def lab_key(tmp_path: Path) -> SigningKey:
    """The key of the machine that ran the lab."""
    return SigningKey(tmp_path / "lab")


@pytest.fixture
def board_key(tmp_path: Path) -> SigningKey:
    """The key of an appeal board, on another machine."""
    return SigningKey(tmp_path / "board")


@pytest.fixture
def sealed(tmp_path: Path, lab_key: SigningKey) -> Attempt:
    """A sealed attempt with one verdict."""
    clock = Clock()
    attempt = create_attempt(tmp_path / "attempt", clock, lab_key)
    fill(attempt, clock)
    attempt.seal()
    return attempt


def again(attempt: Attempt, key: SigningKey | None) -> Path:
    """An appeal board marks anew."""
    document = {
        "score": 2, "head": attempt.head, "versions": {"grader": "9"}, "grading": {"by": "A. Board", "why": "appeal"},
    }  # fmt: skip
    return save_verdict(attempt.folder, document, key)


def test_a_verdict_is_signed_with_what_it_stands_on(
    sealed: Attempt, lab_key: SigningKey, board_key: SigningKey
) -> None:
    """Head, seal, versions, who, why and whose key; the attempt is as good as before, and signed by its own key alone."""
    path = again(sealed, board_key)
    first, second = read_marked(sealed.folder)
    assert first.signature is not None
    assert (first.number, first.wrong, first.signature.key_id, first.signature.seal) == (
        "0001", "", lab_key.public.id, "",
    )  # fmt: skip
    said = second.signature
    assert said is not None
    assert (second.number, second.wrong) == ("0002", "")
    assert (said.by, said.why, said.head, said.key_id) == ("A. Board", "appeal", sealed.head, board_key.public.id)
    assert said.versions["grader"] == "9"
    assert "labsim" in said.versions
    assert said.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said.seal == hashlib.sha256((sealed.folder / "seal.json").read_bytes()).hexdigest()
    verified = examine(sealed.folder, lab_key.public)
    findings, signers = verified.findings, verified.signers
    assert [str(finding) for finding in findings] == ["verdicts/0002.json: was given after the seal"]
    assert ok(findings)
    assert signers == [lab_key.public.id]


def test_a_verdict_without_a_signature_is_told(sealed: Attempt) -> None:
    """As every verdict of an older labsim: the attempt stays good, and the verdict is nobody's."""
    again(sealed, None)
    findings = verify(sealed.folder)
    assert ok(findings)
    assert [str(f) for f in findings] == ["verdicts/0002.json: was given after the seal, and nobody signed it"]
    assert read_marked(sealed.folder)[1].to_json()["signed_by"] is None


def test_a_key_that_cannot_be_had_costs_the_signature_alone(
    sealed: Attempt, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The verdict is kept unsigned, and the log says why."""
    (tmp_path / "nothing").write_bytes(b"")
    assert again(sealed, SigningKey(tmp_path / "nothing")).is_file()
    assert "verdict 0002 is not signed" in caplog.text
    assert read_marked(sealed.folder)[1].signature is None


@pytest.mark.parametrize(
    ("spoil", "file", "message"),
    [
        ("verdict", "verdicts/0002.sig", "0002.json was changed after it was signed"),
        ("why", "verdicts/0002.sig", "was changed after it was signed"),
        ("key", "verdicts/0002.sig", "was changed after it was signed"),
        ("moved", "verdicts/0003.sig", "belongs to verdict 0002"),
        ("removed", "verdicts/0002.sig", "is of a verdict that is missing"),
        ("nothing", "verdicts/0002.sig", "is not the signature of a verdict"),
        ("seal", "verdicts/0002.sig", "was given on another seal"),
    ],
)
def test_a_changed_verdict_is_named(
    sealed: Attempt, board_key: SigningKey, lab_key: SigningKey, spoil: str, file: str, message: str
) -> None:
    """Whatever is changed of a verdict that came after the seal, or of its signature, is told with its file."""
    path = again(sealed, board_key)
    signature = path.with_suffix(".sig")
    line = signature.read_bytes()
    match spoil:
        case "verdict":
            path.write_bytes(path.read_bytes().replace(b"2", b"3", 1))
        case "why":
            signature.write_bytes(line.replace(b"appeal", b"bribed"))
        case "key":
            other = lab_key.public
            said = json.loads(line)
            signature.write_bytes(
                line.replace(said["key"].encode(), other.raw.hex().encode()).replace(
                    said["key_id"].encode(), other.id.encode()
                )
            )
        case "moved":
            path.rename(path.with_name("0003.json"))
            signature.rename(signature.with_name("0003.sig"))
        case "removed":
            path.unlink()
        case "nothing":
            signature.write_bytes(b"{}\n")
        case "seal":
            (sealed.folder / "seal.json").write_bytes((sealed.folder / "seal.json").read_bytes() + b"\n")
    said_of = [finding for finding in verify(sealed.folder) if finding.file == file]
    assert any(message in finding.message and not finding.note for finding in said_of), verify(sealed.folder)


def test_a_number_is_not_given_twice(sealed: Attempt, board_key: SigningKey) -> None:
    """A verdict that was removed leaves its number to nobody as long as its signature stands."""
    again(sealed, board_key).unlink()
    assert again(sealed, board_key).name == "0003.json"
