"""Programs from elsewhere, as clients of a running lab; ``opcua_claim`` is a module beside this file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
DEMANDED = os.environ.get("LABSIM_FOREIGN") == "1"
"""In CI a missing program is a failure."""


def demand(*programs: str) -> None:
    """Skip the test where a program is missing, unless all are demanded."""
    missing = [name for name in programs if shutil.which(name) is None]
    if "node" in programs and not (HERE / "node_modules").is_dir():
        missing.append("tests/foreign/node_modules (npm --prefix tests/foreign ci)")
    if missing and DEMANDED:
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


@pytest.fixture
def need() -> Callable[..., None]:
    """Says which programs a test cannot do without."""
    return demand


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A running first-contact on free ports, in this process."""
    async with Lab(
        find_scenario("first-contact"), Options(seed="foreign", attempt=tmp_path / "attempt", port_base=0)
    ) as running:
        yield running


@pytest.fixture
def port(lab: Lab) -> Callable[[str], int]:
    """Port of the endpoint of a protocol."""

    def of(protocol: str) -> int:
        url = next(row["url"] for row in lab.addresses() if row["protocol"] == protocol)
        return int(url.rpartition(":")[2])

    return of


@pytest.fixture
def node() -> Callable[..., Any]:
    """Runs one of the scripts beside this file; its lines as JSON."""
    demand("node")

    def run(script: str, *arguments: str, **environment: str) -> list[Any]:
        command = ["node", str(HERE / script), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=os.environ | environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run
