"""What the host tries by itself in a running lab, as users and as nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from grader.probing import without_probes
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.probes import Relay
from labsim.probe.mqtt import MqttProbe
from labsim.probe.target import Target

SCENARIO = """
labsim: 1
id: probed
title: Probed
level: senior
minutes: 10
plant:
  meter1: {type: power-meter}
  mill1: {type: cnc-mill}
endpoints:
  - modbus: {units: {11: meter1}}
  - opcua:
      devices: [mill1]
      anonymous: Observer
      users: [{name: op, password: secret, role: Operator}]
  - mqtt:
      anonymous: false
      users:
        - {name: gw, password: pw, publish: ["site/#"], subscribe: ["site/#"]}
        - {name: guest, password: pw, publish: [], subscribe: ["site/public/#"]}
tasks:
  - id: a
    title: A
    marks: %s
    checks:
%s
"""


def scenario(folder: Path, *checks: str) -> Path:
    """A folder with a scenario of these checks, a mark each."""
    folder.mkdir()
    lines = "\n".join(f"      - {check[:-1]}, marks: 1}}" for check in checks)
    (folder / "scenario.yaml").write_text(SCENARIO % (len(checks), lines), encoding="utf-8")
    return folder


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Any]:
    """Starts labs on free ports, and ends them."""
    labs: list[Lab] = []

    async def start(*checks: str) -> Lab:
        options = Options(seed="7", attempt=tmp_path / "attempt", speed=10.0, port_base=0)
        lab = Lab(scenario(tmp_path / "scenario", *checks), options)
        await lab.__aenter__()
        labs.append(lab)
        return lab

    yield start
    for lab in labs:
        await lab.__aexit__(None, None, None)


def outcomes(verdict: dict[str, Any]) -> list[str]:
    """The outcome of each check, in order."""
    return [check["outcome"] for task in verdict["tasks"] for check in task["checks"]]


async def test_users_may_do_what_they_may(running: Any) -> None:
    """Reads and writes over OPC UA, as nobody, as the operator and with a wrong password; each is judged by its record."""
    write = "action: write, tag: mill1.feed_override, value: 80"
    lab = await running(
        "probe.opcua: {action: read, tag: mill1.spindle_speed}",
        f"probe.opcua: {{{write}, expect: refused}}",
        f"probe.opcua: {{{write}, user: op, password: secret}}",
        "probe.opcua: {user: op, password: wrong, expect: refused}",
        "probe.opcua: {security: best}",
        "probe.opcua: {action: read, tag: mill1.spindle_speed, expect: refused}",
    )
    verdict = await lab.close("test")
    assert outcomes(verdict) == ["passed"] * 5 + ["failed"]
    evidence = Evidence.load(lab.options.attempt)
    tried = evidence.of("lab", "probe")
    assert {r.detail.get("code") for r in tried if r.detail["action"] == "write"} == {None, "BadUserAccessDenied"}
    assert evidence.of("opcua", "session"), "what a probe does is journalled like a client's"
    assert without_probes(evidence).of("opcua") == []


async def test_the_broker_lets_each_user_do_its_own(running: Any) -> None:
    """Publish, subscribe, connect, and what a late consumer gets."""
    lab = await running(
        "probe.mqtt: {expect: refused}",
        "probe.mqtt: {user: gw, password: pw, action: publish, topic: site/a}",
        "probe.mqtt: {user: guest, password: pw, action: publish, topic: site/a, expect: refused}",
        "probe.mqtt: {user: guest, password: pw, action: subscribe, topic: site/#, expect: refused}",
        "probe.mqtt: {user: gw, password: pw, action: receive, topic: site/#, retained: true, listen: 500 ms, "
        "topics: [site/state], only: [site/+]}",
        "probe.mqtt: {user: gw, password: pw, action: receive, topic: site/#, listen: 500 ms, topics: [site/other]}",
    )
    url = next(a["url"] for a in lab.addresses() if a["url"].startswith("mqtt:"))

    def retain() -> None:
        with MqttProbe(Target("mqtt", "127.0.0.1", int(url.rpartition(":")[2]), "gw", "pw"), client_id="gw") as client:
            client.deliver(client.publish("site/state", b"on", 1, retain=True))

    await asyncio.to_thread(retain)
    verdict = await lab.close("test")
    assert outcomes(verdict) == ["passed"] * 5 + ["failed"]
    assert "site/other" in verdict["tasks"][0]["checks"][5]["reason"]
    left = without_probes(Evidence.load(lab.options.attempt)).of("mqtt", "publish")
    assert [r.subject for r in left if r.app == "gw"] == ["site/state"]


async def test_a_device_is_read_and_written_from_an_address(running: Any) -> None:
    """A register that is there, one that is not, and a device that nobody has asked yet at 1 s of the plant."""
    lab = await running(
        "probe.modbus: {device: meter1, table: holding, address: 3027, source: 127.0.0.2}",
        "probe.modbus: {device: meter1, table: input, address: 65535, expect: refused}",
        "probe.modbus: {device: meter1, action: connect, at: 1 s}",
        "modbus.read: {device: meter1}",
    )
    while not Evidence.load(lab.options.attempt).of("lab", "probe"):  # noqa: ASYNC110 - the plant has no event for it
        await asyncio.sleep(0.02)
    verdict = await lab.examiner.check(None)
    assert outcomes(verdict)[1:] == ["passed", "passed", "failed"], "the probe's own reads are nobody's work"
    reads = Evidence.load(lab.options.attempt).of("modbus", "read")
    assert any(r.client.startswith("127.0.0.2:") for r in reads) or outcomes(verdict)[0] == "cannot_check"


async def test_what_cannot_be_tried_is_our_fault(running: Any) -> None:
    """A node that is not there costs nobody a mark."""
    lab = await running("probe.opcua: {action: read, node: Nowhere}", "probe.mqtt: {user: gw, password: pw}")
    verdict = await lab.close("test")
    assert outcomes(verdict) == ["cannot_check", "passed"]


async def test_nothing_behind_a_port_is_unreachable() -> None:
    """The relay says why, and of its own address it knows before anything is sent."""
    nobody = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = nobody.sockets[0].getsockname()[1]
    nobody.close()
    await nobody.wait_closed()
    async with Relay(("127.0.0.1", port), "") as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.read() == b""
        writer.close()
    assert relay.failure is not None
    assert relay.clients[0].startswith("127.0.0.1:")
