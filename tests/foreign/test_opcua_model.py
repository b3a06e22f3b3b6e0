"""Structures and the trust list with stacks that are not ours: npm node-opcua, and open62541 through o6."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import devices
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

pytestmark = pytest.mark.foreign
HERE = Path(__file__).parent
FILLER = "urn:labsim:filling-machine"
COUNT, EXECUTE = "fill1/Admin/ProdProcessedCount", "fill1/BaseStateMachine/MachineState/ExecuteState"


@pytest.fixture
def plant() -> Plant:
    """A filling machine and a mill."""
    plant = Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))
    plant.add("fill1", devices.load("filling-machine"))
    plant.add("mill1", devices.load("cnc-mill"))
    plant.start()
    plant.advance()
    return plant


async def test_node_opcua_decodes_structures(plant: Plant, node: Callable[..., Any]) -> None:
    """PackML's counts by their definition alone, in a variable and as the argument of a command."""
    plant.devices["fill1"]["prod_processed_count"] = 12
    async with OpcuaEndpoint(plant, ["fill1"], lambda _event: None, anonymous="Operator") as endpoint:
        url = endpoint.addresses()[0].url
        told = await asyncio.to_thread(node, "opcua_structures.js", url, FILLER, COUNT, EXECUTE, f"{EXECUTE}/Start")
    read, made, called = told
    assert read["status"] == "Good"
    (count,) = read["value"]
    assert (count["count"], count["unit"]["displayName"]["text"]) == (12, "pcs")
    assert made["made"]["name"] == "speed"
    assert called == {"kind": "call", "status": "BadInvalidState", "each": []}  # it stands: Start is not for Stopped


O6 = """
import asyncio, json, sys
import o6
async def main():
    client = o6.Client(sys.argv[1])
    await client.connect()
    found = {one["typeName"]: (str(one["binaryEncodingId"]), one["membersSize"]) for one in await client.getRemoteDataTypes()}
    print(json.dumps({name: found.get(name) for name in ("PackMLCountDataType", "PackMLDescriptorDataType", "EUInformation")}))
    await client.disconnect()
asyncio.run(main())
"""


async def test_open62541_finds_the_definitions(plant: Plant) -> None:
    """It knows fields and encoding of companion structures, and of those of the standard."""
    pytest.importorskip("o6")
    async with OpcuaEndpoint(plant, ["fill1"], lambda _event: None) as endpoint:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", O6, endpoint.addresses()[0].url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    found = json.loads(next(line for line in out.decode().splitlines() if line.startswith("{")))
    assert [size for _, size in found.values()] == [5, 4, 4]
    assert found["PackMLCountDataType"][0].endswith("i=69")
    assert found["EUInformation"][0] == "i=889"


async def test_node_opcua_and_the_trust_list(plant: Plant, tmp_path: Path, need: Callable[..., None]) -> None:
    """Refused until its certificate is moved, then in; cut off when it is moved back, and refused again; all is evidence."""
    need("node")
    events: list[Event] = []
    pki = tmp_path / "pki"
    protection = Protection(listed=True)
    async with (
        asyncio.timeout(120),
        OpcuaEndpoint(plant, ["mill1"], events.append, pki=pki, protection=protection) as endpoint,
    ):
        url = endpoint.addresses()[0].url
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / "opcua_trust.js"), url, str(tmp_path / "client"), "ns=2;s=mill1.spindle_speed",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        async def told() -> dict[str, Any]:
            async for raw in stdout:
                if raw.startswith(b"{"):
                    found: dict[str, Any] = json.loads(raw)
                    return found
            raise AssertionError("node ended")

        async def ask(how: str) -> dict[str, Any]:
            stdin.write(f"{how}\n".encode())
            return await told()

        thumbprint = (await told())["thumbprint"]
        assert "refused" in await ask("read")
        trusted = pki / "trusted/certs"
        (file,) = (pki / "rejected").iterdir()
        file.rename(trusted / file.name)
        assert await ask("read") == {"status": "Good"}
        assert await ask("watch") == {"status": "Good"}
        (trusted / file.name).rename(tmp_path / file.name)
        assert await told() == {"ended": True}
        assert "refused" in await ask("read")
        stdin.close()
        assert await process.wait() == 0
    actions = [(e.detail["action"], e.detail["thumbprint"]) for e in events if e.kind == "certificate"]
    kinds = [action for action, _ in actions]
    assert {one for _, one in actions} == {thumbprint}
    assert [kinds[0], kinds[-1]] == ["rejected", "rejected"]
    assert "trusted" in kinds
    assert [e.thumb for e in events if e.kind == "session"] == [thumbprint] * 2
