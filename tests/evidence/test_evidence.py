"""What the grader sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import AttemptError
from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event
from labsim.evidence.evidence import Evidence

from .conftest import STEP_NS, Clock, Make, fill, write_event


def test_a_running_and_a_sealed_attempt_read_the_same(attempt: Attempt, clock: Clock) -> None:
    """The same evidence before and after the seal, with the same head."""
    fill(attempt, clock)
    running = Evidence.load(attempt.folder)
    attempt.seal()
    sealed = Evidence.load(attempt.folder)
    assert running.records == sealed.records
    assert running.head == sealed.head == attempt.head
    assert sealed.manifest.scenario == "first-contact"
    assert sealed.tags["m.on"].labels == {1: {"en": "On", "zh-Hant": "開"}}
    assert sealed.tags["m.speed"].graded
    assert sealed.history.value_at("m.program", 2 * STEP_NS) == ("O0002", 0)
    assert sealed.history.value_at("m.speed", 3 * STEP_NS) == (9.0, 0x808C0000)


def test_records_by_protocol_kind_and_device(attempt: Attempt) -> None:
    """Each filter alone and all together give the records in order."""
    for n in range(3):
        attempt.keep(write_event(n))
        attempt.keep(Event(kind="write", protocol="opcua", device="n", values=[n]))
        attempt.keep(Event(kind="read", protocol="opcua", device="m"))
    evidence = Evidence.load(attempt.folder)
    assert evidence.of() == evidence.records
    assert [r.values for r in evidence.of("modbus", "write", "m")] == [[0], [1], [2]]
    assert [r.seq for r in evidence.of(device="m")] == [1, 3, 4, 6, 7, 9]
    assert [r.seq for r in evidence.of(kind="write")] == [1, 2, 4, 5, 7, 8]
    assert [r.seq for r in evidence.of("opcua", device="n")] == [2, 5, 8]
    assert evidence.of("mqtt") == []
    assert evidence.of("modbus", "write", "m") is evidence.of("modbus", "write", "m")


def test_hand_ins(attempt: Attempt, clock: Clock) -> None:
    """The last snapshot of a file, with when it was; nothing of one that is gone or never was."""
    (attempt.handin / "a.csv").write_bytes(b"1")
    (attempt.handin / "b.csv").write_bytes(b"2")
    attempt.snapshot_handin()
    clock.t = 5 * STEP_NS
    (attempt.handin / "a.csv").write_bytes(b"3")
    (attempt.handin / "b.csv").unlink()
    attempt.snapshot_handin()
    (attempt.handin / "a.csv").write_bytes(b"not kept yet")
    evidence = Evidence.load(attempt.folder)
    assert evidence.files() == ["a.csv"]
    handin = evidence.file("a.csv")
    assert handin is not None
    assert (handin.data, handin.seq, handin.t) == (b"3", 3, 5 * STEP_NS)
    assert evidence.file("b.csv") is None
    assert evidence.file("c.csv") is None
    (attempt.folder / "files" / handin.sha256).write_bytes(b"better")
    with pytest.raises(AttemptError, match="was changed"):
        evidence.file("a.csv")
    (attempt.folder / "files" / handin.sha256).unlink()
    with pytest.raises(AttemptError, match="cannot be read"):
        evidence.file("a.csv")


def test_answers_and_hints(attempt: Attempt) -> None:
    """The last answer counts; hints come in order; other tasks do not mix in."""
    for value in (1, 2):
        attempt.keep(Event(kind="answer", protocol="lab", values=[value], detail={"task": "read"}))
    for index in range(2):
        attempt.keep(Event(kind="hint", protocol="lab", detail={"task": "read", "index": index, "cost": 1}))
    evidence = Evidence.load(attempt.folder)
    answer = evidence.answer("read")
    assert answer is not None
    assert answer.values == [2]
    assert [r.detail["index"] for r in evidence.hints("read")] == [0, 1]
    assert evidence.answer("write") is None
    assert evidence.hints("write") == []


def test_times(attempt: Attempt, clock: Clock) -> None:
    """Plant time and device time are told apart by the attempt's origin; the end is the last record."""
    assert Evidence.load(attempt.folder).end_ns == 0
    clock.t = 1234
    attempt.keep(write_event(1))
    evidence = Evidence.load(attempt.folder)
    assert evidence.end_ns == 1234
    assert evidence.utc_ns(1234) == 1_700_000_000_000_001_234
    assert evidence.t_of_utc(evidence.utc_ns(1234)) == 1234


def test_an_attempt_without_events_has_the_head_of_its_manifest(attempt: Attempt, clock: Clock) -> None:
    """Before the first event, and with an epoch that never got one, reading and writing agree on the head."""
    assert Evidence.load(attempt.folder).head == attempt.head
    attempt.keep(write_event(1))
    head = attempt.head
    attempt.close()
    with Attempt.resume(attempt.folder, clock) as resumed:
        assert Evidence.load(attempt.folder).head == resumed.head == head


@pytest.mark.parametrize("missing", ["manifest.json", "tags.json", "journal/e0001.jsonl"])
def test_an_incomplete_folder_is_said(attempt: Attempt, missing: str) -> None:
    """What is missing is named."""
    attempt.close()
    (attempt.folder / missing).unlink()
    with pytest.raises(AttemptError, match=missing.split("/")[0].replace(".", r"\.")):
        Evidence.load(attempt.folder)


def test_no_folder(tmp_path: Path) -> None:
    """A path that is no folder is said to be none; a folder that is no attempt names the manifest."""
    with pytest.raises(AttemptError, match="is not a folder"):
        Evidence.load(tmp_path / "nowhere")
    with pytest.raises(AttemptError, match=r"manifest\.json"):
        Evidence.load(tmp_path)


def test_a_manifest_of_another_format_is_refused(attempt: Attempt) -> None:
    """A folder of a later labsim is not misread."""
    path = attempt.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"labsim-attempt/1", b"labsim-attempt/9"))
    with pytest.raises(AttemptError, match=r"manifest\.json: Invalid enum value"):
        Evidence.load(attempt.folder)


def test_a_hundred_thousand_events(tmp_path: Path, make: Make) -> None:
    """An attempt of a busy hour is kept, read and filtered whole."""
    attempt = make(tmp_path / "attempt")
    for n in range(100_000):
        attempt.keep(write_event(n))
    evidence = Evidence.load(attempt.folder)
    assert len(evidence.of("modbus", "write", "m")) == 100_000
    assert evidence.records[-1].seq == 100_000
    assert evidence.head == attempt.head


def test_what_is_worked_out_of_the_evidence_is_kept(attempt: Attempt) -> None:
    """A memo is made once for each key."""
    attempt.close()
    evidence = Evidence.load(attempt.folder)
    made = [evidence.memo("key", object) for _ in range(2)]
    assert made[0] is made[1]
    assert evidence.memo("other", object) is not made[0]
