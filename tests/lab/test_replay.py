"""An attempt replayed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from labsim.evidence.history_file import RECORD, read_records
from labsim.evidence.planes import pack
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.scenario.folder import find_scenario

STEPS = 60


async def attempt(folder: Path, speed: float = 50.0) -> Path:
    """A short attempt in which a client switches the load of a meter, and a setting changes."""
    options = Options(seed="replay", attempt=folder, speed=speed, port_base=0)
    async with Lab(find_scenario("modbus-mapping"), options) as lab:
        client = AsyncModbusTcpClient("127.0.0.1", port=int(lab.addresses()[0]["url"].rpartition(":")[2]))
        await client.connect()
        base = int(lab.scenario.drawn["base1"])
        shed = True
        while lab.clock.step < STEPS:
            await client.write_coil(base, shed, device_id=11)
            shed = not shed
            lab.settings.change("meter3", "rated_current", 100 + lab.clock.step)
            await asyncio.sleep(0)
        client.close()
        await lab.close("enough")
    return folder


async def test_history_comes_out_the_same(tmp_path: Path) -> None:
    """A run with writes and changed settings comes out the same, bit for bit, whatever its speed was."""
    for speed in (20.0, 200.0):
        result = replay_attempt(await attempt(tmp_path / f"at-{speed:g}", speed))
        assert result.difference is None
        assert result.steps >= STEPS
        assert result.values > STEPS
        assert result.versions == {}


async def test_resumed_run_comes_out_the_same(tmp_path: Path) -> None:
    """A run in two epochs is one history."""
    options = Options(seed="resumed", attempt=tmp_path / "a", speed=50.0, port_base=0)
    for until in (20, 60):
        async with Lab(find_scenario("modbus-mapping"), options) as lab:
            lab.settings.change("meter3", "rated_current", 90 + until)
            while lab.clock.step < until:
                await lab.examiner.check("exception")  # something that takes its time
    result = replay_attempt(tmp_path / "a")
    assert result.difference is None
    assert result.steps >= 60


async def test_first_difference_is_named(tmp_path: Path) -> None:
    """One changed number in the history is found, with its step and tag."""
    folder = await attempt(tmp_path / "a")
    file = folder / "history" / "e0001.gz"
    records = read_records(file).copy()
    at = int(np.flatnonzero(records["step"] == 30)[0])
    records["value"][at] = np.nextafter(records["value"][at], np.inf)
    file.write_bytes(pack(records.tobytes(), RECORD.itemsize))
    difference = replay_attempt(folder).difference
    assert difference is not None
    assert difference.step == 30
    assert difference.tag.startswith("meter")


async def test_a_moody_device_comes_out_the_same(tmp_path: Path) -> None:
    """Set-points with decimals, two refused as busy, one clamped, one lost: the history is that of the accepted ones alone."""
    folder = tmp_path / "moody"
    folder.mkdir()
    for language in ("en", "zh-Hant", "zh-Hans"):
        (folder / f"brief.{language}.md").write_text("# Moody\n", encoding="utf-8")
    (folder / "scenario.yaml").write_text(
        "labsim: 1\nid: moody\nlevel: junior\nminutes: 20\ncompetences: [NET-J2]\n"
        "title: {en: Moody, zh-Hant: 任性, zh-Hans: 任性}\n"
        "plant:\n  cool1: {type: coolant-unit, settings: {busy_answers: 2, lost_write: 6, clamps: true}}\n"
        "endpoints:\n  - modbus: {port: 5020, units: {1: cool1}}\n"
        "tasks:\n  - id: read\n    title: {en: Read, zh-Hant: 讀取, zh-Hans: 读取}\n    marks: 1\n"
        "    checks:\n      - modbus.read: {device: cool1, tags: [cool1.tank_level], marks: 1}\n",
        encoding="utf-8",
    )
    options = Options(seed="moody", attempt=tmp_path / "a", speed=50.0, port_base=0)
    codes = []
    async with Lab(folder, options) as lab:
        client = AsyncModbusTcpClient("127.0.0.1", port=int(lab.addresses()[0]["url"].rpartition(":")[2]))
        await client.connect()
        for first, values in ((100, [213, 447, 751, 657]),) * 3 + ((104, [701]), (104, [702]), (104, [703])):
            answer = await client.write_registers(first, values, device_id=1)
            codes.append(answer.exception_code if answer.isError() else 0)
        held = await client.read_holding_registers(100, count=5, device_id=1)
        while lab.clock.step < STEPS:
            await client.read_input_registers(0, count=4, device_id=1)
        client.close()
        await lab.close("enough")
    assert codes == [6, 6, 0, 0, 0, 0]
    assert held.registers == [213, 447, 700, 657, 703]
    assert replay_attempt(tmp_path / "a").difference is None
