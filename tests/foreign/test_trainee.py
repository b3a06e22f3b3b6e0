"""A trainee with foreign tools only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labsim.lab.options import Options
from labsim.lab.trainee import attempt_with
from labsim.scenario.folder import find_scenario


@pytest.mark.foreign
@pytest.mark.scenario
async def test_foreign_tools_reach_full_marks(tmp_path: Path, need: Callable[..., None]) -> None:
    """With mbpoll, node-opcua and mosquitto_pub alone, first-contact ends in full marks."""
    need("mbpoll", "node", "mosquitto_pub")
    said: list[str] = []
    options = Options(seed="foreign", attempt=tmp_path / "attempt", port_base=0)
    verdict, code = await attempt_with(
        find_scenario("first-contact"), Path(__file__).parent / "trainee.py", options, said.append
    )
    reasons = [check["reason"] for task in verdict["tasks"] for check in task["checks"]]
    assert code == 0, said
    assert verdict["score"] == verdict["max"] == 20, "\n".join(reasons)
