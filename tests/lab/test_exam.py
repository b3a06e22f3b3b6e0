"""A lab that is run as an exam."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from labsim.client.client import LabClient
from labsim.errors import AttemptError, ControlError
from labsim.evidence.evidence import Evidence
from labsim.lab.control import Control
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.view import lab_document
from labsim.scenario.folder import find_scenario


async def test_an_exam_tells_what_it_may_and_keeps_everything(tmp_path: Path) -> None:
    """No hints; outcomes without reasons; the folder has the reasons; and a resumed attempt stays an exam."""
    options = Options(seed="7", attempt=tmp_path / "attempt", speed=10.0, port_base=0, exam=True)
    async with Lab(find_scenario("first-contact"), options) as lab:
        with pytest.raises(AttemptError, match="exam"):
            lab.tasks.hint("meter", "en")
        shown = lab_document(lab, "en")
        assert {task["hints"]["total"] for task in shown["tasks"]} == {0}
        told = await lab.examiner.check("meter")
        assert told["voice"] == "outcomes"
        check = told["tasks"][0]["checks"][0]
        assert (check["outcome"], check["reason"], check["expected"], check["evidence"]) == ("failed", "", None, [])
    resumed = Options(seed="7", attempt=tmp_path / "attempt", speed=10.0, port_base=0)
    async with Lab(find_scenario("first-contact"), resumed) as lab:
        step = lab.clock.step
        async with asyncio.timeout(60):
            while lab.clock.step < step + 2:  # noqa: ASYNC110 - the plant has no event for it
                await asyncio.sleep(0.01)
        told = await lab.close("test")
    assert told["voice"] == "outcomes"
    kept = json.loads(next((tmp_path / "attempt" / "verdicts").glob("*.json")).read_text(encoding="utf-8"))
    assert "voice" not in kept
    assert kept["tasks"][0]["checks"][0]["reason"]
    starts = Evidence.load(tmp_path / "attempt").of("lab", "host-start")
    assert [record.detail["mode"] for record in starts] == ["exam", "exam"]
    assert Evidence.load(tmp_path / "attempt").of("lab", "jitter")


async def test_an_exam_leaves_nobody_an_instructors_acts(tmp_path: Path) -> None:
    """With the candidate's own token nothing fails, nothing is listed that could, and the plant's time goes on."""
    options = Options(seed="7", attempt=tmp_path / "attempt", port_base=0, exam=True)
    async with Lab(find_scenario("first-contact"), options) as lab, Control(lab, "127.0.0.1", 0) as control:
        async with LabClient(control.url) as client:
            for act in (
                client.begin_fault("link.modbus", "down", {}),
                client.targets(),
                client.pause(),
                client.resume(),
            ):
                with pytest.raises(ControlError, match="in an exam"):
                    await act
        assert lab.state == "running"
