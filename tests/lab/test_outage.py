"""A lab whose disk takes nothing for a while: the plant stands, nobody is answered, and what had happened is not forgotten."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from labsim.errors import DiskError, EvidenceError
from labsim.evidence import disk
from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify
from labsim.lab import keeper
from labsim.lab.lab import PAUSED, RUNNING, Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt

CUT_OFF = (ModbusException, OSError)
"""What a client meets that is left without an answer."""
SCENARIO = """
labsim: 1
id: shed
title: Shed a load
level: junior
minutes: 10
plant: {meter1: {type: power-meter}, meter2: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1, 12: meter2}}}, {mqtt: {}}]
timeline:
  - {at: 1 s, device: meter2, tag: voltage_l1, fault: offset, by: 4}
  - {at: 1 s, device: meter2, setting: rated_current, value: 120}
tasks:
  - id: read
    title: Read
    marks: 2
    checks: [{modbus.read: {device: meter1, at_least: 1, marks: 2}}]
"""


class Disk:
    """What files of an attempt meet: while `full` they take nothing, from the ``after``-th write on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self.endings, self.refused = False, (".jsonl", ".bin", ".text", ".part"), 0
        append, whole = disk.AppendFile.append, disk.write_whole

        def appended(file: disk.AppendFile, data: bytes, at: int) -> int:
            self._take(file.path)
            return append(file, data, at)

        def written(path: Path, data: bytes) -> None:
            self._take(path)
            whole(path, data)

        monkeypatch.setattr(disk.AppendFile, "append", appended)
        monkeypatch.setattr("labsim.evidence.attempt.write_whole", written)
        monkeypatch.setattr("labsim.evidence.handin.write_whole", written)
        monkeypatch.setattr("labsim.evidence.seal.write_whole", written)

    def _take(self, path: Path) -> None:
        if self.full and path.suffix in self.endings:
            self.refused += 1
            raise DiskError(str(path), os.strerror(errno.ENOSPC))


@pytest.fixture
def disk_of(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that a test fills, tried again without a wait."""
    monkeypatch.setattr(keeper, "RETRY_S", 0.01)
    return Disk(monkeypatch)


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """How `SCENARIO` is run; it lies beside the attempt."""
    (tmp_path / "shed").mkdir()
    (tmp_path / "shed" / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    return Options(seed="s", attempt=tmp_path / "attempt", speed=5.0, port_base=0)


async def until(good: Any) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not good():  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)


async def connected(lab: Lab) -> AsyncModbusTcpClient:
    """A client of the meters that has just read."""
    port = next(int(one["url"].rpartition(":")[2]) for one in lab.addresses() if one["protocol"] == "modbus")
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0, timeout=30, reconnect_delay=0)
    assert await client.connect()
    assert not (await client.read_holding_registers(3019, count=10, device_id=11)).isError()
    return client


def proven(attempt: Path) -> Evidence:
    """The evidence, once it is intact and its plant comes out the same again."""
    assert ok(verify(attempt))
    assert replay_attempt(attempt).difference is None
    return Evidence.load(attempt)


async def test_a_write_that_nobody_was_told_of_is_kept_late(options: Options, disk_of: Disk) -> None:
    """It changed the plant before the disk refused it: it gets no answer, and is in the journal where it happened."""
    async with Lab(options.attempt.parent / "shed", options) as lab:
        client = await connected(lab)
        await until(lambda: lab.clock.step > 15)
        disk_of.full = True
        with pytest.raises(CUT_OFF):
            await client.write_coil(0, True, device_id=11)
        await until(lambda: lab.keeper.outage is not None and disk_of.refused > 3)
        assert lab.state == PAUSED
        stood = lab.clock.now_ns()
        with pytest.raises(DiskError, match="free space"):
            lab.keeper.note("hint", detail={"task": "read"})
        with pytest.raises(DiskError):
            lab.instructor.resume()
        with pytest.raises(DiskError):
            await lab.close("not now")
        assert lab.clock.now_ns() == stood
        disk_of.full = False
        await until(lambda: lab.state == RUNNING)
        await until(lambda: lab.clock.now_ns() > stood + 500_000_000)
        client.close()
        await lab.close("enough")
    evidence = proven(options.attempt)
    (incident,), (write,) = evidence.of("lab", "incident"), evidence.of("modbus", "write")
    assert (incident.detail["reason"], incident.detail["late"]) == (
        "the disk took nothing for a while",
        2,
    )  # the write, the hang-up
    assert incident.detail["count"] == 1  # the hint
    assert incident.seq < write.seq
    assert write.t == stood
    assert evidence.history.value_at("meter1.shed_load", evidence.end_ns) == (True, 0)
    assert [one.detail["phase"] for one in evidence.of("lab", "pause")] == ["begin", "end"]


@pytest.mark.parametrize("endings", [(".jsonl",), (".bin", ".text"), (".jsonl", ".bin", ".text", ".part")])
async def test_a_step_is_whole(options: Options, disk_of: Disk, endings: tuple[str, ...]) -> None:
    """Whatever of a step the disk refuses, its faults, settings, messages and values are kept where they belong."""
    disk_of.endings = endings
    async with Lab(options.attempt.parent / "shed", options) as lab:
        await until(lambda: lab.clock.step >= 8)
        disk_of.full = True
        await until(lambda: lab.keeper.outage is not None and disk_of.refused > 2)
        step = lab.clock.step
        for _ in range(20):
            await asyncio.sleep(0)
        assert lab.clock.step == step
        disk_of.full = False
        await until(lambda: lab.state == RUNNING and lab.clock.step > step + 15)
        await lab.close("enough")
    evidence = proven(options.attempt)
    assert [(one.kind, one.t // 100_000_000) for one in evidence.of("lab") if one.kind in ("fault", "setting")] == [
        ("fault", 10),
        ("setting", 10),
    ]
    if ".jsonl" in endings:
        return
    times = evidence.history.series("meter1.voltage_l1", 0, evidence.end_ns).times_ns
    assert step * 100_000_000 in times


async def test_a_lab_that_was_paused_by_hand_stays_so(options: Options, disk_of: Disk) -> None:
    """When the disk takes evidence again, the plant does not go on by itself."""
    async with Lab(options.attempt.parent / "shed", options) as lab:
        await until(lambda: lab.clock.step >= 5)
        lab.instructor.pause()
        disk_of.full = True
        with pytest.raises(DiskError):
            await lab.examiner.check(None)
        disk_of.full = False
        await until(lambda: lab.keeper.outage is None)
        assert lab.state == PAUSED
        lab.instructor.resume()
        await lab.close("enough")
    assert len(proven(options.attempt).of("lab", "pause")) == 2


async def test_a_hand_in_that_cannot_be_copied_waits(options: Options, disk_of: Disk) -> None:
    """A folder that takes no new file pauses the lab at a check, and the next check finds the hand-in."""
    disk_of.endings = ("", ".part")
    async with Lab(options.attempt.parent / "shed", options) as lab:
        (options.attempt / "handin" / "map.csv").write_bytes(b"a,b\n")
        disk_of.full = True
        with pytest.raises(DiskError, match="make the folder writable"):
            await lab.examiner.check(None)
        assert lab.state == PAUSED
        disk_of.full = False
        await until(lambda: lab.state == RUNNING)
        await lab.examiner.check(None)
        await lab.close("enough")
    assert proven(options.attempt).files() == ["map.csv"]


async def test_a_disk_that_takes_no_seal(options: Options, disk_of: Disk) -> None:
    """A lab that cannot be closed says so and ends; the attempt is whole, and closed by the next host."""
    disk_of.endings = (".json",)
    async with Lab(options.attempt.parent / "shed", options) as lab:
        await until(lambda: lab.clock.step >= 5)
        disk_of.full = True
        with pytest.raises(DiskError, match=r"seal\.json could not be written"):
            await lab.close("enough")
        assert lab.stopping.is_set()
        assert lab.keeper.failure is not None
    disk_of.full = False
    assert ok([finding for finding in verify(options.attempt) if finding.file != "seal.json"])
    async with Lab(options.attempt.parent / "shed", options) as lab:
        await lab.close("enough")
    proven(options.attempt)


async def test_an_attempt_lost_while_the_disk_was_full(
    options: Options, disk_of: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another host has taken the attempt over meanwhile, a lab that is closed says just that."""
    monkeypatch.setattr(keeper, "RETRY_S", 60.0)
    async with Lab(options.attempt.parent / "shed", options) as lab:
        await until(lambda: lab.clock.step >= 5)
        disk_of.full = True
        await until(lambda: lab.keeper.outage is not None)
        disk_of.full = False
        (options.attempt / "journal" / "e0002.jsonl").touch()
        lab.attempt._look_ns = 0  # more than a second later
        with pytest.raises(EvidenceError, match="taken this attempt over"):
            await lab.close("enough")
        assert lab.stopping.is_set()
