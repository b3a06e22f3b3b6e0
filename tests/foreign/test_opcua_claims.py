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
import math
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from asyncua import ua

from labsim.endpoints.opcua.core.certificate import key_pem, make_pair
from labsim.lab.lab import Lab
from labsim.lab.options import Options

pytestmark = [pytest.mark.foreign, pytest.mark.asyncio(loop_scope="module")]
FOLDER = Path(__file__).parent / "opcua_claims"
PROGRAMS = {
    "node-opcua": ["node", "node_opcua_client.js"],
    "asyncua": [sys.executable, "asyncua_client.py"],
    "open62541": [sys.executable, "open62541_client.py"],
}
AT_LEAST = 200
PATIENCE_S = 60
URI = "urn:test:claims"
USERS = {name: {"user": name, "password": f"{name}123"} for name in ("operator", "viewer", "admin")} | {"anonymous": {}}
BESIDE = {"as", "expect", "keep", "times", "says", "steps", "unsent_by"}
ENUMERATIONS: dict[str, Any] = {
    "AttributeId": ua.AttributeIds, "TimestampsToReturn": ua.TimestampsToReturn, "MonitoringMode": ua.MonitoringMode,
    "BrowseDirection": ua.BrowseDirection, "NodeClass": ua.NodeClass, "Trigger": ua.DataChangeTrigger,
    "DeadbandType": ua.DeadbandType, "mode": ua.MessageSecurityMode, "SecurityMode": ua.MessageSecurityMode,
    "FilterOperator": ua.FilterOperator, "UaType": ua.VariantType, "TokenType": ua.UserTokenType,
    "ApplicationType": ua.ApplicationType,
}  # fmt: skip
DEVICES = {"mill1": 2, "fill1": 3}
NO_NODES = {"Value", "Text", "BrowseName", "BrowsePath", "TargetName"}


def load() -> dict[str, dict[str, Any]]:
    """Every claim by its name; what its file does before each claim stands in it."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, claim in document["claims"].items():
            assert name not in found, name
            steps = claim.get("steps") or [claim]
            found[name] = claim | {"steps": [*document.get("before", []), *steps]}
    return found


CLAIMS = load()


def service_of(step: dict[str, Any]) -> str:
    """What a step asks for."""
    (name,) = step.keys() - BESIDE
    return str(name)


def at(found: Any, path: str) -> Any:
    """What stands at ``Results.0.MonitoredItemId``."""
    for part in path.split("."):
        found = found[int(part) if part.isdigit() else part]
    return found


def written(value: Any, kept: dict[str, Any], key: str = "") -> Any:
    """A part of a claim with kept values, numbers of enumerations and whole node ids in place of names."""
    if isinstance(value, dict):
        return {name: written(one, kept, name) for name, one in value.items()}
    if isinstance(value, list):
        return [written(one, kept, key) for one in value]
    if not isinstance(value, str):
        finite = not isinstance(value, float) or math.isfinite(value)
        return value if finite else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if value.startswith("$"):
        return kept[value[1:]]
    if key == "Code":
        return int(getattr(ua.StatusCodes, value))
    if key in ENUMERATIONS:
        return int(ENUMERATIONS[key][value if value != "None" else "None_"])
    index = DEVICES.get(re.split(r"[./]", value)[0])
    return f"ns={index};s={value}" if index and key not in NO_NODES else value


def status_name(status: Any) -> str:
    """The name of a StatusCode; an overflow of a queue stands behind it."""
    code = int((status or {}).get("Code", 0))
    name = str(ua.status_codes.get_name_and_doc(code & 0xFFFF0000)[0])
    return name + ("+Overflow" if code & 0x480 == 0x480 else "")


def plain(found: Any) -> Any:
    """A found value in the form of a claim: names of status codes, numbers of enumerations."""
    if isinstance(found, dict):
        if found.keys() <= {"Code", "Symbol"} and found:
            return status_name(found)
        return {name: plain(one) for name, one in found.items()}
    if isinstance(found, list):
        return [plain(one) for one in found]
    if isinstance(found, str) and (number := re.fullmatch(r"[A-Z]\w*_(\d+)", found)):
        return int(number[1])  # o6 writes enumerations with their names
    return found


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is_set": lambda found, wanted: (found not in (None, "", [], {})) is wanted,
    "at_least": lambda found, wanted: found is not None and found >= wanted,
    "at_most": lambda found, wanted: found is not None and found <= wanted,
    "count": lambda found, wanted: len(found or []) == wanted,
    "differs": lambda found, wanted: found != wanted,
    "among": lambda found, wanted: found in wanted,
    "has": lambda found, wanted: all(any(not differences(one, part) for part in found or []) for one in wanted),
    "each": lambda found, wanted: bool(found) and all(not differences(wanted, part) for part in found),
    "matches": lambda found, wanted: re.search(wanted, str(found)) is not None,
}


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where a response is not as claimed; what a claim does not name may be anything."""
    if isinstance(wanted, dict) and wanted and wanted.keys() <= OPERATORS.keys():
        return [
            f"{path}: {found!r:.300}, not {name} {one!r}"
            for name, one in wanted.items()
            if not OPERATORS[name](found, one)
        ]
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [line for name, one in wanted.items() for line in differences(one, found.get(name), f"{path}.{name}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [line for i, one in enumerate(wanted) for line in differences(one, found[i], f"{path}.{i}")]
    if isinstance(wanted, float) and isinstance(found, int | float):
        return [] if math.isclose(wanted, found, rel_tol=1e-6) else [f"{path}: {found!r}, not {wanted!r}"]
    absent: tuple[Any, ...] = (None, "", [], {}, "Good") if wanted in ("Good", None, "", []) else ()
    return [] if wanted == found or found in absent else [f"{path}: {found!r:.300}, not {wanted!r}"]


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
