"""A packaging line in a running lab: its machines driven by real clients, its attempt enough for itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.scenario.load import load_scenario

SCENARIO = """\
labsim: 1
id: line
title: Line
level: junior
minutes: 5
include: [pack]
plant:
  load1: {settings: {auto_restart: false}}
  fill1: {settings: {auto_restart: false}}
endpoints:
  - modbus: {port: 0, units: {1: load1, 2: fill1, 3: seal1}}
  - opcua: {port: 0, anonymous: Operator, devices: [load1, fill1]}
tasks:
  - id: a
    title: A
    marks: 1
    checks:
      - plant.never: {tag: fill1.tank_level, low: 1, marks: 1}
"""
PACKML = "http://opcfoundation.org/UA/PackML/"
CLEARED, RUNNING, EXECUTE = "Cleared", "Running", "Execute"


def scenario(tmp_path: Path) -> Path:
    """A folder with the scenario above."""
    folder = tmp_path / "line"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    return folder


async def until(lab: Lab, device: str, state: int) -> None:
    """Wait for a state of a machine; each turn the plant moves on."""
    async with asyncio.timeout(60):
        while lab.plant.devices[device]["state_current"] != state:  # noqa: ASYNC110 - the plant's steps are no events
            await asyncio.sleep(0)


def url(lab: Lab, protocol: str) -> str:
    """Where an endpoint listens."""
    return next(str(one["url"]) for one in lab.addresses() if one["protocol"] == protocol)


async def drive(lab: Lab) -> None:
    """The filling machine by OPC UA methods, the loading machine by Modbus registers, both into Execute."""
    async with Client(url(lab, "opcua"), timeout=60) as client:
        packml = await client.get_namespace_index(PACKML)
        machine = await found(client, "Machines", "fill1")
        base = await machine.get_child(f"{packml}:BaseStateMachine")
        inner = await base.get_child(f"{packml}:MachineState")
        innermost = await inner.get_child(f"{packml}:ExecuteState")
        await inner.call_method(f"{packml}:Reset")
        await until(lab, "fill1", 4)
        with pytest.raises(ua.uaerrors.BadInvalidState):
            await inner.call_method(f"{packml}:Reset")
        parameters = ua.Variant([], ua.VariantType.ExtensionObject, is_array=True)
        await innermost.call_method(f"{packml}:Start", parameters)
        await until(lab, "fill1", 6)
        states = [await (await one.get_child("0:CurrentState")).read_value() for one in (base, inner, innermost)]
        assert [state.Text for state in states] == [CLEARED, RUNNING, EXECUTE]
        status = await machine.get_child(f"{packml}:Status")
        assert await (await status.get_child(f"{packml}:MachSpeed")).read_value() == 24

    modbus = AsyncModbusTcpClient("127.0.0.1", port=int(url(lab, "modbus").rpartition(":")[2]))
    await modbus.connect()
    assert (await modbus.read_holding_registers(0, count=1, device_id=1)).registers == [0]  # Stopped, after OPC 30060
    for command, state in ((1, 4), (2, 6)):
        await modbus.write_register(200, command, device_id=1)
        assert not (await modbus.write_coil(0, True, device_id=1)).isError()
        await until(lab, "load1", state)
    assert (await modbus.read_holding_registers(0, count=1, device_id=1)).registers == [4]  # Execute
    assert (await modbus.write_coil(0, True, device_id=1)).isError()  # Start again
    modbus.close()


async def found(client: Client, *names: str):
    """The node at a browse path by names alone."""
    node = client.nodes.objects
    for name in names:
        below = [(one, await one.read_browse_name()) for one in await node.get_children()]
        node = next(one for one, browse in below if browse.Name == name)
    return node


async def test_clients_start_the_line_and_the_attempt_needs_nothing_else(tmp_path: Path) -> None:
    """PackML over OPC UA and Modbus; then the attempt, with its copy of the ready plant, loads and replays by itself."""
    attempt = tmp_path / "attempt"
    async with Lab(scenario(tmp_path), Options(seed="line", attempt=attempt, speed=100.0, port_base=0)) as lab:
        await drive(lab)
        while not lab.plant.devices["fill1"]["prod_processed_count"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        await lab.close("enough")
    assert "plants/pack.yaml" in json.loads((attempt / "manifest.json").read_bytes())["files"]
    kept = attempt / "scenario/plants/pack.yaml"
    text = kept.read_text(encoding="utf-8")
    assert replay_attempt(attempt).difference is None
    kept.write_text(text.replace("Loading machine 1", "Loader of then"), encoding="utf-8")
    again = load_scenario(attempt / "scenario", seed="line", catalogue=None, drawn={})
    assert list(again.plant)[:2] == ["load1", "fill1"]
    assert again.plant["load1"].title["en"] == "Loader of then"  # the copy counts, not what labsim has today
