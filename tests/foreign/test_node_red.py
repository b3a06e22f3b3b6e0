"""An unmodified Node-RED with the nodes of the field as the trainee."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from labsim.evidence.evidence import Evidence
from labsim.lab.options import Options
from labsim.lab.trainee import attempt_with
from labsim.scenario.folder import find_scenario

HERE = Path(__file__).parent / "node_red"
APP = "node-red"


@pytest.mark.foreign
@pytest.mark.scenario
@pytest.mark.timeout(180)
async def test_a_node_red_flow_reaches_full_marks(tmp_path: Path, need: Callable[..., None]) -> None:
    """node-red-contrib-modbus, -opcua and the mqtt nodes carry first-contact's values to the broker, marked as true."""
    need("node")
    if not (HERE / "node_modules" / "node-red").is_dir():
        missing = "missing: Node-RED (npm --prefix tests/foreign/node_red ci)"
        pytest.fail(missing) if os.environ.get("LABSIM_FOREIGN") == "1" else pytest.skip(missing)
    said: list[str] = []
    options = Options(seed="foreign", attempt=tmp_path / "attempt", port_base=0)
    verdict, code = await attempt_with(find_scenario("first-contact"), HERE / "trainee.py", options, said.append)
    assert code == 0, "\n".join(said)
    checks = [check for task in verdict["tasks"] for check in task["checks"]]
    assert [check for check in checks if check["score"] < check["max"]] == [], "\n".join(said)
    assert verdict["score"] == verdict["max"] == 20
    evidence = Evidence.load(options.attempt)
    clients = {r.app for r in evidence.of("mqtt", "publish") if r.subject.startswith("factory/")}
    will = evidence.of("mqtt", "connect")[-1].detail["will"]
    items = [r for r in evidence.of("opcua", "subscribe") if "mill1.spindle_speed" in r.tags]
    assert clients == {APP}
    assert (will["qos"], will["retain"], will["payload"]) == (1, True, "offline")
    assert items, "the speed came by a subscription of Node-RED's, since the trainee's script makes none"
