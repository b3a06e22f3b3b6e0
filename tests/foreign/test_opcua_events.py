"""npm node-opcua hears alarms, acknowledges, calls and reads history of a running lab."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.cnc_mill import CncMill
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

pytestmark = pytest.mark.foreign
URI = "urn:labsim:cnc-mill"


async def test_node_opcua_and_an_alarm(tmp_path: Path, node: Callable[..., Any]) -> None:
    """The whole way of an alarm with a foreign client: refresh, event, acknowledgement, its evidence; then the past."""
    folder = Path(shutil.copytree(find_scenario("first-contact"), tmp_path / "scenario"))
    text = (folder / "scenario.yaml").read_text("utf-8")
    opened = text.replace("      devices: [mill1]\n", "      devices: [mill1]\n      anonymous: Operator\n", 1)
    assert opened != text
    (folder / "scenario.yaml").write_text(opened, "utf-8")
    options = Options(seed="foreign", attempt=tmp_path / "attempt", port_base=0)
    async with Lab(folder, options) as lab:
        mill = lab.plant.devices["mill1"]
        assert isinstance(mill, CncMill)
        mill._magazine[1].used = 0.95  # a tool near its end
        url = next(row["url"] for row in lab.addresses() if row["protocol"] == "opcua")
        job = "mill1/Production/ProductionPlan/Job1"
        told = await asyncio.to_thread(
            node, "opcua_events.js", url, URI, "mill1", "mill1.spindle_speed", "Tool1Life", job
        )
        by_kind = {row.pop("kind"): row for row in told if row["kind"] != "event"}
        first, second = [row for row in told if "source" in row]
        assert first == {
            "source": "mill1.tool1_wear", "message": "Tool 1 worn (high)", "severity": 500, "active": True, "acked": False,
            "retain": True, "condition": first["condition"], "kind": "event",
        }  # fmt: skip
        assert (second["acked"], second["retain"]) == (True, True)
        assert by_kind["framed"]["types"] >= 1
        assert by_kind["acknowledge"]["status"] == "Good"
        assert by_kind["again"]["status"] == "BadConditionBranchAlreadyAcked"
        assert by_kind["call"] == {"status": "BadInvalidArgument", "each": ["Good", "BadTypeMismatch"]}
        assert (by_kind["raw"]["status"], by_kind["raw"]["count"], by_kind["raw"]["more"]) == ("Good", 2, True)
        assert by_kind["count"]["value"] >= 2
        assert by_kind["events"] == {"status": "Good", "seen": True}
    evidence = Evidence.load(options.attempt)
    done, again = evidence.of("opcua", "acknowledge")
    assert (done.status, done.detail["condition"], done.detail["comment"]) == (0, "mill1.tool1_life", "seen by node")
    assert again.status != 0
    assert {record.detail["what"] for record in evidence.of("opcua", "history-read")} == {"raw", "processed", "events"}
