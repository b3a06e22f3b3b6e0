"""What a running lab keeps: polls in short, graded reads one by one, a signed and sealed folder that can be marked anywhere."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient

from grader.grade import grade_attempt
from labsim.evidence.evidence import Evidence
from labsim.evidence.key import SigningKey
from labsim.evidence.manifest import encode_document
from labsim.evidence.verify import examine
from labsim.lab.lab import Lab
from labsim.lab.options import Options

SCENARIO = """
labsim: 1
id: two-meters
title: Two meters
level: junior
minutes: 10
plant: {meter1: {type: power-meter}, meter2: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1, 12: meter2}}}]
tasks:
  - id: read
    title: Read the first meter
    marks: 2
    checks: [{modbus.read: {device: meter1, at_least: 20, marks: 2}}]
"""


async def test_reads_nobody_needs_are_counted(tmp_path: Path) -> None:
    """Of two meters polled alike, each read of the graded one is in the journal; the other's are counted, none is lost."""
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    options = Options(seed="s", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(tmp_path / "two", options) as lab:
        client = AsyncModbusTcpClient("127.0.0.1", port=int(lab.addresses()[0]["url"].rpartition(":")[2]))
        assert await client.connect()
        for _ in range(30):
            for unit in (11, 12):
                assert not (await client.read_holding_registers(3019, count=10, device_id=unit)).isError()
        live = await lab.examiner.check("read")
        told = [entry async for entry in _until_poll(lab)]
        client.close()
        verdict = await lab.close("enough")
    assert live["tasks"][0]["score"] == 2
    assert "30" in told[-1]["text"]["en"] or "29" in told[-1]["text"]["en"]

    evidence = Evidence.load(options.attempt)
    assert len(evidence.of("modbus", "read", "meter1")) == 30
    polls = evidence.of("modbus", "poll", "meter2")
    assert len(evidence.of("modbus", "read", "meter2")) + sum(r.detail["reads"] for r in polls) == 30
    assert len(polls) < 10
    assert not evidence.of("modbus", "poll", "meter1")
    check = evidence.of("lab", "check")[0]
    assert sum(r.detail["reads"] for r in polls if r.seq < check.seq) == 29  # all were told before the lab was marked

    # Anywhere and any time later: intact, signed by this machine, and the same verdict to the byte but for the folder's name.
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(options.attempt, copy)
    verified = examine(copy, SigningKey().public)
    assert (verified.findings, verified.signers) == ([], [SigningKey().public.id])
    again = encode_document(grade_attempt(copy).to_json("en"))
    kept = (copy / "verdicts" / "0001.json").read_bytes()
    assert again.replace(json.dumps(str(copy)).encode(), json.dumps(str(options.attempt)).encode()) == kept
    assert json.loads(kept)["head"] == verdict["head"] == evidence.head


async def _until_poll(lab: Lab):
    async with asyncio.timeout(60):
        async for entry in lab.feed.listen(0):
            yield entry
            if entry["kind"] == "poll":
                return
