"""``opcua_o6.py URL NAMESPACE CLAIMS.json CERTIFICATE KEY``: open62541's client, through o6, makes the request of each claim.

One JSON line of results for each claim. A process of its own, since o6's free mode ends its program after ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import o6
from asyncua import ua
from o6.ns import ns0

types = ns0.datatypes
URL, NAMESPACE, CERTIFICATE, KEY = sys.argv[1], int(sys.argv[2]), *sys.argv[4:6]
CLAIMS = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"
BOTH, ALL_FIELDS, VALUE = 2, 63, 13


def name_of(code: Any) -> str:
    """The name of a status code."""
    return str(ua.status_codes.get_name_and_doc(int(code))[0])


def fill(made: Any, **fields: Any) -> Any:
    """A structure with these fields."""
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def node_id(name: str) -> Any:
    """``i=…`` of the standard, or a name of the mill."""
    return o6.NodeId(name if name.startswith("i=") else f"ns={NAMESPACE};s={name}")


def codes(claim: dict[str, Any], response: Any) -> list[str]:
    """The service result when it is bad, else the results."""
    service = name_of(response.responseHeader.serviceResult)
    if service != "Good":
        return [service]
    found = []
    for one in response.results:
        code = getattr(one, "statusCode", getattr(one, "status", one))
        found.append(name_of(code))
    return sorted(set(found)) if "times" in claim else found


def watched(one: dict[str, Any]) -> Any:
    """A ReadValueId."""
    made = fill(types.ReadValueId(), nodeId=node_id(one["node"]), attributeId=one["attribute"])
    if "range" in one:
        made.indexRange = one["range"]
    if "encoding" in one:
        made.dataEncoding = o6.QualifiedName(0, one["encoding"])
    return made


def description(claim: dict[str, Any]) -> Any:
    """A BrowseDescription."""
    return fill(
        types.BrowseDescription(), nodeId=node_id(claim["node"]), browseDirection=claim.get("direction", 0),
        referenceTypeId=o6.NodeId(claim.get("reference", "i=33")), includeSubtypes=claim.get("subtypes", True),
        nodeClassMask=claim.get("mask", 0), resultMask=ALL_FIELDS,
    )  # fmt: skip


class Maker:
    """Makes the requests over one session."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def read(self, claim: dict[str, Any]) -> list[Any]:
        """Read."""
        wanted = [watched(one) for one in claim["nodes"]] * claim.get("times", 1)
        age = float(claim.get("age", 0))
        asked = fill(types.ReadRequest(), nodesToRead=wanted, maxAge=age, timestampsToReturn=BOTH)
        return codes(claim, await self.client.serviceRead(asked))

    async def write(self, claim: dict[str, Any]) -> list[Any]:
        """Write."""
        value = o6.DataValue(getattr(o6, claim["type"])(claim["value"]))
        one = fill(types.WriteValue(), nodeId=node_id(claim["node"]), attributeId=VALUE, value=value)
        return codes(claim, await self.client.serviceWrite(fill(types.WriteRequest(), nodesToWrite=[one])))

    async def browse(self, claim: dict[str, Any]) -> list[Any]:
        """Browse."""
        asked = fill(types.BrowseRequest(), nodesToBrowse=[description(claim)])
        return codes(claim, await self.client.serviceBrowse(asked))

    async def browse_next(self, claim: dict[str, Any]) -> list[Any]:
        """BrowseNext of a point."""
        asked = fill(types.BrowseNextRequest(), continuationPoints=[claim["point"].encode()])
        return codes(claim, await self.client.serviceBrowseNext(asked))

    async def pages(self, claim: dict[str, Any]) -> list[Any]:
        """Browse in pages: whether they are the whole."""

        async def first(most: int) -> Any:
            asked = types.BrowseRequest()
            fill(asked, nodesToBrowse=[description(claim)], requestedMaxReferencesPerNode=most)
            return (await self.client.serviceBrowse(asked)).results[0]

        whole, page = len((await first(0)).references), await first(claim["most"])
        found = len(page.references)
        while page.continuationPoint:
            asked = fill(types.BrowseNextRequest(), continuationPoints=[page.continuationPoint])
            page = (await self.client.serviceBrowseNext(asked)).results[0]
            found += len(page.references)
        return [found == whole > claim["most"]]

    async def translate(self, claim: dict[str, Any]) -> list[Any]:
        """TranslateBrowsePathsToNodeIds."""
        elements = [
            fill(
                types.RelativePathElement(), referenceTypeId=o6.NodeId("i=33"), includeSubtypes=True,
                targetName=o6.QualifiedName(NAMESPACE, name),
            )
            for name in claim["path"]
        ]  # fmt: skip
        path = fill(types.BrowsePath(), startingNode=node_id(claim["node"]))
        path.relativePath = fill(types.RelativePath(), elements=elements)
        asked = fill(types.TranslateBrowsePathsToNodeIdsRequest(), browsePaths=[path])
        return codes(claim, await self.client.serviceTranslateBrowsePathsToNodeIds(asked))

    async def call(self, claim: dict[str, Any]) -> list[Any]:
        """Call."""
        one = fill(types.CallMethodRequest(), objectId=node_id(claim["object"]), methodId=node_id(claim["method"]))
        one.inputArguments = [o6.UInt32(argument) for argument in claim["arguments"]]
        return codes(claim, await self.client.serviceCall(fill(types.CallRequest(), methodsToCall=[one])))

    async def subscribe(self, claim: dict[str, Any]) -> list[Any]:
        """CreateSubscription: the revised interval."""
        told: list[float] = []
        subscription = await self.client.createSubscription(
            claim["interval"], onCreated=lambda _made, response: told.append(response.revisedPublishingInterval)
        )
        await subscription.delete()
        return told

    async def item(self, claim: dict[str, Any]) -> list[Any]:
        """CreateMonitoredItems of one."""
        given = {}
        if claim["band"]:
            kind, value = claim["band"]
            given["filter"] = fill(types.DataChangeFilter(), trigger=1, deadbandType=kind, deadbandValue=value)
        try:
            made = await self.client.monitor(watched(claim), lambda *_heard: None, **given)
        except o6.StatusCodeError as error:
            return [name_of(error.code)]
        await made.delete()
        return ["Good"]

    async def reports(self, claim: dict[str, Any]) -> list[Any]:
        """Whether a subscription reports a value."""
        heard: asyncio.Queue[bool] = asyncio.Queue()
        made = await self.client.monitor(node_id(claim["node"]), lambda *_heard: heard.put_nowait(True))
        found = await heard.get()
        await made.delete()
        return [found]

    async def secure(self, claim: dict[str, Any]) -> list[Any]:
        """Connect encrypted and read."""
        client = o6.Client(
            URL, certificate=CERTIFICATE, privateKey=KEY, securityMode=3, securityPolicy=POLICY + claim["policy"],
            applicationUri="urn:test:foreign",
        )  # fmt: skip
        await client.connect()
        wanted = [watched({"node": "i=2258", "attribute": VALUE})]
        found = codes(claim, await client.serviceRead(fill(types.ReadRequest(), nodesToRead=wanted)))
        await client.disconnect()
        return found


async def main() -> None:
    """Make the claims."""
    client = o6.Client(URL)
    await client.connect()
    maker = Maker(client)
    for claim in CLAIMS:
        made = getattr(maker, claim["do"], None)
        if made is not None and "o6" not in claim.get("unsent_by", ()):
            try:
                got = await asyncio.wait_for(made(claim), 10)
            except Exception as error:  # noqa: BLE001 - what o6 raises is the result to compare
                got = [repr(error)]
            print(json.dumps({"claim": claim["claim"], "got": got}), flush=True)  # noqa: T201 - its answer
    await client.disconnect()


asyncio.run(main())
