"""The claims of ``opcua_claims/*.yaml``, each made by three foreign stacks: node-opcua, asyncua's client, open62541 through o6.

A claim is data: requests by the names of OPC 10000-4 in the JSON of OPC 10000-6 §5.4, and what is expected of each response.
The programs in ``opcua_claims/stacks`` make requests and judge nothing; `opcua_claims/README.md` says how a claim is written.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from opcua_claim import FOLDER, at, differences, load, plain, service_of, written

from labsim.endpoints.opcua.core.certificate import key_pem, make_pair
from labsim.lab.lab import Lab
from labsim.lab.options import Options

pytestmark = [pytest.mark.foreign, pytest.mark.asyncio(loop_scope="module")]
PROGRAMS = {
    "node-opcua": ["node", "node_opcua_client.js"],
    "asyncua": [sys.executable, "asyncua_client.py"],
    "open62541": [sys.executable, "open62541_client.py"],
}
AT_LEAST = 200
PATIENCE_S = 60
URI = "urn:test:claims"
USERS = {name: {"user": name, "password": f"{name}123"} for name in ("operator", "viewer", "admin")} | {"anonymous": {}}
CLAIMS = load()


class Stack:
    """A running client program of one stack, and the connections that it has."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, server: dict[str, Any]) -> None:
        self.name, self.process, self.server = name, process, server
        self.open: set[str] = set()
        self.subscriptions: list[tuple[str, int]] = []

    async def ask(self, do: str, connection: str, **fields: Any) -> dict[str, Any]:
        """Have the program do something; the response, or what the stack says instead of sending."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({"do": do, "connection": connection, **fields})
        self.process.stdin.write(line.encode() + b"\n")
        while True:
            told = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
            assert told, "the program ended"
            if told.startswith(b"{"):
                break
        answer = json.loads(told)
        if "response" not in answer:
            self.open.discard(connection)  # it may not be what it was
        assert "response" in answer, answer
        found: dict[str, Any] = plain(answer["response"])
        header = found.pop("ResponseHeader", {})
        return found | {"ServiceResult": header.get("ServiceResult") or "Good"}

    async def connect(self, connection: str, **fields: Any) -> dict[str, Any]:
        """Open a connection; its refusal when it does not come to be."""
        found = await self.ask("connect", connection, **self.server | {"policy": "None", "mode": 1} | fields)
        if found["ServiceResult"] == "Good":
            self.open.add(connection)
        return found

    async def send(self, connection: str, service: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request; users are let in when they first ask."""
        if connection not in self.open:
            assert (await self.connect(connection, **USERS[connection]))["ServiceResult"] == "Good"
        found = await self.ask("send", connection, service=service, request=request)
        if service == "CreateSubscription" and found["ServiceResult"] == "Good":
            self.subscriptions.append((connection, found["SubscriptionId"]))
        return found

    async def notifications(self, connection: str, number: int) -> list[Any]:
        """What subscriptions tell, until there are so many notifications."""
        found: list[Any] = []
        while len(found) < number:
            if self.name == "open62541":  # it publishes by itself
                found += (await self.ask("heard", connection))["Notifications"]
                continue
            answer = await self.send(connection, "Publish", {})
            assert answer["ServiceResult"] == "Good", answer
            for data in answer["NotificationMessage"]["NotificationData"] or []:
                found += data.get("MonitoredItems") or data.get("Events") or []
        return found

    async def clear(self) -> None:
        """End what a claim left: its subscriptions, and connections that it made itself."""
        for connection, number in self.subscriptions:
            if connection in self.open:
                await self.ask("send", connection, service="DeleteSubscriptions", request={"SubscriptionIds": [number]})
        self.subscriptions = []
        for connection in self.open - USERS.keys():
            await self.drop(connection)

    async def drop(self, connection: str) -> None:
        """Close a connection."""
        self.open.discard(connection)
        await self.ask("disconnect", connection)

    async def make(self, step: dict[str, Any], kept: dict[str, Any]) -> list[str]:
        """Make one step of a claim; what is not as expected."""
        service, connection = service_of(step), step.get("as", "anonymous")
        request, wanted = written(step[service], kept), written(step.get("expect", {}), kept)
        if service == "Notifications":
            wanted = wanted or {"count": int(request)}
            found: Any = plain(await self.notifications(connection, int(request)))
        elif service == "Connect":
            found = await self.connect(connection, **request)
        else:
            for name, number in step.get("times", {}).items():
                request[name] = request[name] * number
            found = await self.send(connection, service, request)
        if service != "Notifications":
            wanted = {"ServiceResult": wanted} if isinstance(wanted, str) else {"ServiceResult": "Good"} | wanted
        wrong = differences(wanted, found, service)
        if not wrong:
            kept.update({name: at(found, path) for name, path in step.get("keep", {}).items()})
        return wrong


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Paths of certificates and keys: the client's own, of a user who is known, and of a stranger."""
    folder = tmp_path_factory.mktemp("claims")
    found: dict[str, dict[str, str]] = {}
    for name in ("client", "known", "stranger"):
        made = make_pair(URI, name)
        pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(made.der) + b"-----END CERTIFICATE-----\n"
        found[name] = {"der": f"{name}.der", "pem": f"{name}.pem", "key": f"{name}-key.pem"}
        for kind, data in (("der", made.der), ("pem", pem), ("key", key_pem(made.key))):
            path = folder / found[name][kind]
            path.write_bytes(data)
            found[name][kind] = str(path)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, dict[str, str]]
) -> AsyncIterator[Stack]:
    """A lab of its own, and the program of the stack that is its client."""
    name = request.param
    program, script = PROGRAMS[name]
    missing = (
        importlib.util.find_spec("o6") is None if name == "open62541" else not (FOLDER.parent / "node_modules").is_dir()
    )
    if name != "asyncua" and missing:
        (pytest.fail if os.environ.get("LABSIM_FOREIGN") == "1" else pytest.skip)(f"missing: {name}")
    attempt = tmp_path_factory.mktemp("lab") / "attempt"
    async with Lab(FOLDER / "scenario", Options(seed="claims", attempt=attempt, port_base=0)) as lab:
        url = next(row["url"] for row in lab.addresses())
        (folder,) = attempt.glob("pki*/users/trusted/certs")
        shutil.copy(credentials["known"]["der"], folder)
        process = await asyncio.create_subprocess_exec(
            program, str(FOLDER / "stacks" / script), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=2**26,
        )  # fmt: skip
        yield Stack(name, process, {"url": url, "applicationUri": URI, **credentials})
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("stack", PROGRAMS, indirect=True, scope="module")
async def test_claim(stack: Stack, name: str) -> None:
    """The server answers a stack as the claim says."""
    if stack.name in CLAIMS[name].get("unsent_by", {}):
        pytest.skip(f"{stack.name}: {CLAIMS[name]['unsent_by'][stack.name]}")
    kept: dict[str, Any] = {"url": stack.server["url"]}
    try:
        for number, step in enumerate(CLAIMS[name]["steps"], 1):
            assert await stack.make(step, kept) == [], f"{CLAIMS[name]['says']} (step {number})"
    finally:
        await stack.clear()


@pytest.mark.parametrize("name", PROGRAMS)
async def test_enough(name: str) -> None:
    """Each stack makes so many claims, and what it does not make has its reason."""
    unsent = [claim["unsent_by"][name] for claim in CLAIMS.values() if name in claim.get("unsent_by", {})]
    assert all(unsent)
    assert len(CLAIMS) - len(unsent) >= AT_LEAST
