"""A host whose disk takes nothing for a while waits for it, tells everybody why, and goes on with nothing lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import ok, verify
from labsim.lab.replay import replay_attempt

from .conftest import Host

if sys.platform == "linux":
    import resource

    RLIMIT_FSIZE = resource.RLIMIT_FSIZE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes a running process its room for files")
CUT_OFF = (ModbusException, OSError)
"""What a client meets that is left without an answer."""
SCENARIO = """
labsim: 1
id: shed
title: Shed a load
level: junior
minutes: 10
plant: {meter1: {type: power-meter}}
endpoints: [{modbus: {units: {11: meter1}}}, {mqtt: {}}]
tasks:
  - id: read
    title: Read
    marks: 2
    checks: [{modbus.read: {device: meter1, at_least: 1, marks: 2}}]
"""


def fill(host: Host) -> None:
    """From now on no file of the host grows, not by a byte: as on a full disk, with another word of the system for it."""
    resource.prlimit(host.process.pid, RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def free(host: Host) -> None:
    """There is room again."""
    resource.prlimit(host.process.pid, RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def until(host: Host, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The lab as its control API shows it, once it is so."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        lab: dict[str, Any] = httpx.get(f"{host.ready['control']}/lab", timeout=30).json()
        if good(lab):
            return lab
    raise AssertionError(lab)


@pytest.fixture
def running(tmp_path: Path, host: Callable[..., Host]) -> Iterator[tuple[Host, Path, ModbusTcpClient]]:
    """A host, its attempt, and a client that has just read."""
    scenario, attempt = tmp_path / "shed", tmp_path / "attempt"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    one = host(str(scenario), "--attempt", str(attempt), "--port-base", "0", "--seed", "s")
    client = ModbusTcpClient("127.0.0.1", port=one.port("modbus"), timeout=30, retries=0)
    assert client.connect()
    assert not client.read_holding_registers(3019, count=10, device_id=11).isError()
    yield one, attempt, client
    client.close()


def test_a_full_disk_pauses_the_lab(
    running: tuple[Host, Path, ModbusTcpClient], labsim: Callable[..., CompletedProcess[str]]
) -> None:
    """No request is answered, the plant stands and says why; with room it goes on, and the evidence has no gap."""
    host, attempt, client = running
    fill(host)
    with pytest.raises(CUT_OFF):  # cut off instead of answered
        client.write_coil(0, True, device_id=11)
    lab = until(host, lambda lab: lab["trouble"] is not None)
    assert lab["state"] == "paused"
    assert str(attempt) in lab["trouble"]
    assert "Free space" in lab["trouble"]
    chinese = httpx.get(f"{host.ready['control']}/lab?lang=zh-Hans", timeout=30).json()
    assert "请在该磁盘上腾出空间" in chinese["trouble"]
    assert httpx.get(f"{host.ready['control']}/lab", timeout=30).json()["t"] == lab["t"]  # the plant stands
    for command in ("check", "stop", "resume"):  # each says why not, and what to do
        refused = labsim(command, attempt)
        assert refused.returncode != 0
        assert "free space on that disk" in refused.stderr
    other = ModbusTcpClient("127.0.0.1", port=host.port("modbus"), timeout=30, retries=0)
    with other, pytest.raises(CUT_OFF):  # nor is anybody else
        other.read_holding_registers(3019, count=10, device_id=11)

    free(host)
    lab = until(host, lambda lab: lab["trouble"] is None)
    assert lab["state"] == "running"
    client.close()
    assert client.connect()
    assert not client.read_holding_registers(3019, count=10, device_id=11).isError()
    until(host, lambda now: now["t"] > lab["t"] + 0.5)
    stopped = labsim("stop", attempt)
    assert stopped.returncode == 0, stopped.stderr
    out, err = host.process.communicate(timeout=60)
    assert '"verdict"' in out
    assert "the plant is paused" in err
    assert "the lab goes on" in err

    assert ok(verify(attempt))
    evidence = Evidence.load(attempt)
    (incident,) = evidence.of("lab", "incident")
    assert incident.detail["reason"] == "the disk took nothing for a while"
    assert incident.detail["count"] > 0
    assert incident.detail["from"] <= incident.detail["to"]
    assert [one.detail["phase"] for one in evidence.of("lab", "pause")] == ["begin", "end"]
    assert replay_attempt(attempt).difference is None


def test_a_host_that_ends_while_its_disk_is_full_can_be_resumed(
    running: tuple[Host, Path, ModbusTcpClient], host: Callable[..., Host], tmp_path: Path
) -> None:
    """It ends with a sentence and without a seal, what was kept is whole, and with room the attempt goes on."""
    first, attempt, client = running
    fill(first)
    with pytest.raises(CUT_OFF):
        client.write_coil(0, True, device_id=11)
    until(first, lambda lab: lab["trouble"] is not None)
    first.process.terminate()
    out, err = first.process.communicate(timeout=60)
    assert (out, first.process.returncode) == ("", 2)
    assert "free space on that disk" in err
    assert "Traceback" not in err
    assert ok(verify(attempt))
    second = host(str(tmp_path / "shed"), "--attempt", str(attempt), "--port-base", "0")
    verdict, _ = second.interrupt()
    assert verdict["score"] == 2
    assert ok(verify(attempt))
    assert replay_attempt(attempt).difference is None
