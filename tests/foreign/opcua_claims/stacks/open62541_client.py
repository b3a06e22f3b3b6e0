"""open62541's client, through o6, as a program that makes requests: one JSON line in, one out.

Values are in the JSON of OPC 10000-6 §5.4, which o6 reads and writes itself. It publishes by itself too, so what a
subscription tells is asked for with ``heard``. A process of its own, since o6's free mode ends its program after ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import o6
from o6.ns import ns0

POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"
EVENT_FILTER, EVENT_NOTIFIER = "i=725", 12


def plain(value: Any) -> Any:
    """A structure of o6 as plain JSON."""
    return json.loads(o6.encodeJson(value))


def content(path: str) -> bytes:
    """What a file holds."""
    return Path(path).read_bytes()


class Clients:
    """The connections by their names, and what their subscriptions told."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.told: dict[str, asyncio.Queue[Any]] = {}

    async def connect(self, asked: dict[str, Any]) -> Any:
        """Open a channel, and a session unless told otherwise."""
        given: dict[str, Any] = {"applicationUri": asked["applicationUri"], "securityMode": asked["mode"]}
        given["securityPolicy"] = POLICY + asked["policy"]
        if (
            asked["policy"] != "None" or asked.get("user") or asked.get("x509")
        ):  # a password is encrypted, though the channel is not
            given |= {"certificate": asked["client"]["der"], "privateKey": asked["client"]["key"]}
        if asked.get("user"):
            given |= {"username": asked["user"], "password": asked["password"]}
        client = o6.Client(asked["url"], **given)
        if asked.get("x509"):
            client.config.setAuthenticationCert(
                *map(content, (asked[asked["x509"]]["der"], asked[asked["x509"]]["key"]))
            )
        try:
            if asked.get("session", True):
                await client._connect()  # connect() would give namespaces numbers of its own
            else:
                await client.connect(noSession=True)
        except o6.StatusCodeError as error:
            return {"ResponseHeader": {"ServiceResult": {"Code": int(error.code)}}}
        self.clients[asked["connection"]], self.told[asked["connection"]] = client, asyncio.Queue()
        return {}

    async def disconnect(self, asked: dict[str, Any]) -> Any:
        """Close."""
        await self.clients.pop(asked["connection"]).disconnect()
        return {}

    async def send(self, asked: dict[str, Any]) -> Any:
        """Send a request; its response."""
        service, client = asked["service"], self.clients[asked["connection"]]
        request = o6.decodeJson(json.dumps(asked["request"]).encode(), getattr(ns0.datatypes, service + "Request"))
        if service == "CreateMonitoredItems":
            return plain(await self._watch(client, request, asked))
        if service == "CreateSubscription":
            self.told[asked["connection"]] = asyncio.Queue()  # what earlier ones told is nobody's any more
            return plain(await client._service_createSubscription(request, None, lambda *_: None, lambda *_: None))
        names = {
            "FindServers": "find_servers",
            "GetEndpoints": "get_endpoints",
            "FindServersOnNetwork": "find_servers_on_network",
        }
        send = getattr(client, "_service_" + names.get(service, service[0].lower() + service[1:]))
        return plain(await send(request))

    async def _watch(self, client: Any, request: Any, asked: dict[str, Any]) -> Any:
        queue, items = self.told[asked["connection"]], asked["request"]["ItemsToCreate"]
        known = {"ClientHandle": items[0]["RequestedParameters"].get("ClientHandle", 0)} if len(items) == 1 else {}

        def heard(value: Any) -> None:
            if isinstance(value, dict):
                queue.put_nowait(known | {"EventFields": [field(one) for one in value.values()]})
            else:
                queue.put_nowait(known | {"Value": plain(value)})

        events = any(one["ItemToMonitor"].get("AttributeId") == EVENT_NOTIFIER for one in items)
        kind = "event" if events else "datachange"
        create = getattr(client, f"_service_createMonitoredItems_{kind}")
        return await create(request, heard, lambda *_: None, lambda *_: None)

    async def heard(self, asked: dict[str, Any]) -> Any:
        """What subscriptions told since it was asked for; waits for at least one notification."""
        queue = self.told[asked["connection"]]
        found = [await queue.get()]
        while not queue.empty():
            found.append(queue.get_nowait())
        return {"Notifications": found}


def field(value: Any) -> Any:
    """A field of an event; o6 gives it without its type."""
    try:
        return {"Value": plain(value)}
    except Exception:  # noqa: BLE001 - a plain value of Python
        return {"Value": value if isinstance(value, bool | int | float | str) or value is None else str(value)}


async def main() -> None:
    """Do what each line asks for."""
    clients = Clients()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            told = {"response": await getattr(clients, asked["do"])(asked)}
        except Exception as error:  # noqa: BLE001 - what the stack does not send is told
            told = {"error": repr(error)}
        print(json.dumps(told), flush=True)  # noqa: T201 - its answer


asyncio.run(main())
