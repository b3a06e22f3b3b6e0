"""Whatever was acknowledged survives kill -9."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labsim.errors import AttemptError
from labsim.evidence.attempt import Attempt
from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify

from .conftest import STEP_NS, Make

WRITER = Path(__file__).with_name("kill_writer.py")


def start(folder: Path) -> subprocess.Popen[bytes]:
    """A host that writes into the attempt until it is killed."""
    return subprocess.Popen([sys.executable, str(WRITER), str(folder)], stdout=subprocess.PIPE)


def acknowledgements(host: subprocess.Popen[bytes]) -> list[tuple[int, int]]:
    """What the host still said before it died: sequence number and step."""
    assert host.stdout is not None
    said = host.stdout.read()
    host.stdout.close()
    whole = said[: said.rfind(b"\n") + 1]
    return [(int(seq), int(step)) for seq, step in (line.split() for line in whole.splitlines())]


def test_ten_kills_lose_no_acknowledged_event(tmp_path: Path, make: Make) -> None:
    """Ten hosts, each killed in the middle of writing: every acknowledged event and value is there, in one chain."""
    folder = tmp_path / "attempt"
    make(folder).close()
    acknowledged: list[tuple[int, int]] = []
    for turn in range(10):
        host = start(folder)
        assert host.stdout is not None
        for _ in range(20 + 37 * turn):
            seq, step = host.stdout.readline().split()
            acknowledged.append((int(seq), int(step)))
        host.kill()
        acknowledged += acknowledgements(host)
        host.wait()
        if turn % 3 == 1:  # a kill seldom tears a line by itself
            with (folder / "journal" / f"e{turn + 2:04d}.jsonl").open("ab") as journal:
                journal.write(b'{"kind":"write","proto')
            with (folder / "history" / f"e{turn + 2:04d}.bin").open("ab") as history:
                history.write(b"\x01\x02\x03")
    with Attempt.resume(folder, lambda: 0) as attempt:
        assert attempt.epoch == 12
    evidence = Evidence.load(folder)
    assert [r.seq for r in evidence.records] == list(range(1, len(evidence.records) + 1))
    assert len(evidence.of("lab", "incident")) == 3
    for seq, step in acknowledged:
        assert evidence.records[seq - 1].values == [step]
        assert evidence.history.value_at("m.speed", step * STEP_NS) == (float(step), 0)
        assert evidence.history.value_at("m.program", step * STEP_NS) == (f"step {step}", 0)
    assert len(acknowledged) > 1000
    findings = verify(folder)
    assert ok(findings), findings


def test_one_host_at_a_time(tmp_path: Path, make: Make) -> None:
    """While a process holds an attempt nobody else can resume it; when it is killed the next one can."""
    folder = tmp_path / "attempt"
    make(folder).close()
    host = start(folder)
    assert host.stdout is not None
    host.stdout.readline()
    with pytest.raises(AttemptError, match="held by a lab that is still running"):
        Attempt.resume(folder, lambda: 0)
    second = subprocess.run([sys.executable, str(WRITER), str(folder)], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "held by a lab that is still running" in second.stderr
    host.kill()
    acknowledgements(host)
    host.wait()
    with Attempt.resume(folder, lambda: 0) as attempt:
        assert attempt.epoch == 3
