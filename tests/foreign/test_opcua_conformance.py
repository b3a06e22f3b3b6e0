"""The claims of ``opcua_claims.json``, each made by three foreign stacks: node-opcua, asyncua's client, open62541 through o6."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies as policies

from labsim.endpoints.opcua.core.certificate import key_pem, make_pair
from labsim.lab.lab import Lab

pytestmark = pytest.mark.foreign
FILE = Path(__file__).parent / "opcua_claims.json"
CLAIMS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
NAMESPACE = 2
ALL_FIELDS = 63
SCRIPT = Path(__file__).parent / "opcua_o6.py"
AT_LEAST = 60


def name_of(code: int) -> str:
    """The name of a status code."""
    return str(ua.status_codes.get_name_and_doc(code)[0])


def node_text(name: str) -> str:
    """A node id as text: ``i=…`` of the standard, or a name of the mill."""
    return name if name.startswith("i=") else f"ns={NAMESPACE};s={name}"


def wrong(claims: list[dict[str, Any]], got: dict[str, list[Any]]) -> list[str]:
    """What did not come out as claimed."""
    return [
        f"{one['claim']}: {got.get(one['claim'])}, not {one['expect']}"
        for one in claims
        if got.get(one["claim"]) != one["expect"]
    ]


def shown(claim: dict[str, Any], names: list[str]) -> list[str]:
    """Results as they are compared: of a node that was asked for many times the different ones."""
    return sorted(set(names)) if "times" in claim else names


@pytest.fixture
def demand_module() -> Callable[[str], None]:
    """Skip the test where a module is missing, unless all are demanded."""

    def demand(name: str) -> None:
        if importlib.util.find_spec(name) is None:
            (pytest.fail if os.environ.get("LABSIM_FOREIGN") == "1" else pytest.skip)(f"missing: pip install {name}")

    return demand


@pytest.fixture
def url(lab: Lab, port: Callable[[str], int]) -> str:
    """Where the mill is."""
    return f"opc.tcp://127.0.0.1:{port('opcua')}"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """Paths of a client's certificate and key."""
    made = make_pair("urn:test:foreign", "foreign")
    certificate, key = tmp_path / "foreign.der", tmp_path / "foreign.pem"
    certificate.write_bytes(made.der)
    key.write_bytes(key_pem(made.key))
    return str(certificate), str(key)


async def test_node_opcua(url: str, node: Callable[..., Any]) -> None:
    """Every claim that node-opcua can make holds."""
    told = await asyncio.to_thread(node, "opcua_conformance.js", url, str(NAMESPACE), str(FILE))
    made = [one for one in CLAIMS if "node" not in one.get("unsent_by", ())]
    assert wrong(made, {row["claim"]: row["got"] for row in told}) == []


class Asyncua:
    """The client of asyncua, with requests made by hand."""

    def __init__(self, url: str, pair: tuple[str, str]) -> None:
        self.url, self.pair, self.client = url, pair, Client(url, timeout=60)

    async def ask(self, message: Any, **fields: Any) -> Any:
        """Send a request; the decoded response, or its service result."""
        for key, value in fields.items():
            setattr(message.Parameters, key, value)
        answer = getattr(ua, type(message).__name__.replace("Request", "Response"))
        try:
            data = await self.client.uaclient.protocol.send_request(message)
        except ua.UaStatusCodeError as error:
            return int(error.code)
        return ua.ua_binary.struct_from_binary(answer, data)

    def codes(self, claim: dict[str, Any], answer: Any) -> list[str]:
        """Names of the results."""
        if isinstance(answer, int):
            return [name_of(answer)]
        results = answer.Results if hasattr(answer, "Results") else answer.Parameters.Results
        return shown(claim, [name_of(getattr(one, "StatusCode", one).value) for one in results])

    def watched(self, one: dict[str, Any]) -> Any:
        """A ReadValueId."""
        made = ua.ReadValueId(ua.NodeId.from_string(node_text(one["node"])), one["attribute"], one.get("range"))
        made.DataEncoding = ua.QualifiedName(one.get("encoding"), 0)
        return made

    async def read(self, claim: dict[str, Any]) -> list[Any]:
        """Read."""
        wanted = [self.watched(one) for one in claim["nodes"]] * claim.get("times", 1)
        message = ua.ReadRequest()
        message.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        return self.codes(claim, await self.ask(message, NodesToRead=wanted, MaxAge=float(claim.get("age", 0))))

    async def write(self, claim: dict[str, Any]) -> list[Any]:
        """Write."""
        variant = ua.Variant(claim["value"], ua.VariantType[claim["type"]])
        target = ua.NodeId.from_string(node_text(claim["node"]))
        one = ua.WriteValue(target, 13, None, ua.DataValue(variant))
        return self.codes(claim, await self.ask(ua.WriteRequest(), NodesToWrite=[one]))

    def description(self, claim: dict[str, Any]) -> Any:
        """A BrowseDescription."""
        one = ua.BrowseDescription()
        one.NodeId = ua.NodeId.from_string(node_text(claim["node"]))
        one.BrowseDirection = ua.BrowseDirection(claim.get("direction", 0))
        one.ReferenceTypeId = ua.NodeId.from_string(claim.get("reference", "i=33"))
        one.IncludeSubtypes, one.NodeClassMask = claim.get("subtypes", True), claim.get("mask", 0)
        one.ResultMask = ALL_FIELDS
        return one

    async def browse(self, claim: dict[str, Any]) -> list[Any]:
        """Browse."""
        return self.codes(claim, await self.ask(ua.BrowseRequest(), NodesToBrowse=[self.description(claim)]))

    async def browse_next(self, claim: dict[str, Any]) -> list[Any]:
        """BrowseNext of a point."""
        points = [claim["point"].encode()]
        message = ua.BrowseNextRequest()
        return self.codes(claim, await self.ask(message, ContinuationPoints=points, ReleaseContinuationPoints=False))

    async def pages(self, claim: dict[str, Any]) -> list[Any]:
        """Browse in pages: whether they are the whole."""

        async def first(most: int) -> Any:
            described = [self.description(claim)]
            message = ua.BrowseRequest()
            answer = await self.ask(message, NodesToBrowse=described, RequestedMaxReferencesPerNode=most)
            return answer.Results[0]

        whole, page = len((await first(0)).References), await first(claim["most"])
        found = len(page.References)
        while page.ContinuationPoint:
            message = ua.BrowseNextRequest()
            answer = await self.ask(
                message, ContinuationPoints=[page.ContinuationPoint], ReleaseContinuationPoints=False
            )
            page = answer.Parameters.Results[0]
            found += len(page.References)
        return [found == whole > claim["most"]]

    async def translate(self, claim: dict[str, Any]) -> list[Any]:
        """TranslateBrowsePathsToNodeIds."""
        elements = [
            ua.RelativePathElement(ua.NodeId(33), False, True, ua.QualifiedName(name, NAMESPACE))
            for name in claim["path"]
        ]
        path = ua.BrowsePath(ua.NodeId.from_string(node_text(claim["node"])), ua.RelativePath(elements))
        return self.codes(claim, await self.ask(ua.TranslateBrowsePathsToNodeIdsRequest(), BrowsePaths=[path]))

    async def call(self, claim: dict[str, Any]) -> list[Any]:
        """Call."""
        ids = [ua.NodeId.from_string(node_text(claim[key])) for key in ("object", "method")]
        arguments = [ua.Variant(one, ua.VariantType.UInt32) for one in claim["arguments"]]
        return self.codes(
            claim, await self.ask(ua.CallRequest(), MethodsToCall=[ua.CallMethodRequest(*ids, arguments)])
        )

    async def _subscription(self, interval: float) -> Any:
        answer = await self.ask(
            ua.CreateSubscriptionRequest(), RequestedPublishingInterval=interval, RequestedLifetimeCount=100,
            RequestedMaxKeepAliveCount=10, PublishingEnabled=True, MaxNotificationsPerPublish=0, Priority=0,
        )  # fmt: skip
        return answer.Parameters

    async def subscribe(self, claim: dict[str, Any]) -> list[Any]:
        """CreateSubscription: the revised interval."""
        made = await self._subscription(claim["interval"])
        await self.ask(ua.DeleteSubscriptionsRequest(), SubscriptionIds=[made.SubscriptionId])
        return [made.RevisedPublishingInterval]

    async def delete(self, claim: dict[str, Any]) -> list[Any]:
        """DeleteSubscriptions."""
        return self.codes(
            claim, await self.ask(ua.DeleteSubscriptionsRequest(), SubscriptionIds=[claim["subscription"]])
        )

    async def item(self, claim: dict[str, Any]) -> list[Any]:
        """CreateMonitoredItems of one."""
        number = (await self._subscription(1000)).SubscriptionId
        one = ua.MonitoredItemCreateRequest(self.watched(claim), ua.MonitoringMode.Reporting)
        one.RequestedParameters.SamplingInterval, one.RequestedParameters.QueueSize = 100.0, 10
        if claim["band"]:
            trigger = ua.DataChangeTrigger.StatusValue
            one.RequestedParameters.Filter = ua.DataChangeFilter(trigger, claim["band"][0], claim["band"][1])
        message = ua.CreateMonitoredItemsRequest()
        message.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        answer = await self.ask(message, SubscriptionId=number, ItemsToCreate=[one])
        await self.ask(ua.DeleteSubscriptionsRequest(), SubscriptionIds=[number])
        return self.codes(claim, answer)

    async def reports(self, claim: dict[str, Any]) -> list[Any]:
        """Whether a subscription reports a good value."""
        heard: asyncio.Queue[bool] = asyncio.Queue()

        class Handler:
            def datachange_notification(self, _node: Any, _value: Any, data: Any) -> None:
                heard.put_nowait(data.monitored_item.Value.StatusCode.is_good())

        subscription = await self.client.create_subscription(100, Handler())
        await subscription.subscribe_data_change(self.client.get_node(node_text(claim["node"])))
        found = await asyncio.wait_for(heard.get(), 10)
        await subscription.delete()
        return [found]

    async def secure(self, claim: dict[str, Any]) -> list[Any]:
        """Connect encrypted and read."""
        client = Client(self.url, timeout=60)
        client.application_uri = "urn:test:foreign"
        policy = getattr(policies, "SecurityPolicy" + claim["policy"].replace("_", ""))
        await client.set_security(policy, *self.pair, mode=ua.MessageSecurityMode.SignAndEncrypt)
        async with client:
            data = await client.get_node("i=2258").read_data_value()
            return [name_of(data.StatusCode.value)]


@pytest.fixture
async def asyncua_client(url: str, pair: tuple[str, str]) -> AsyncIterator[Asyncua]:
    """The client of asyncua, connected."""
    made = Asyncua(url, pair)
    async with made.client:
        yield made


async def test_asyncua(asyncua_client: Asyncua) -> None:
    """Every claim holds with asyncua's client."""
    got = {one["claim"]: await getattr(asyncua_client, one["do"])(one) for one in CLAIMS}
    assert wrong(CLAIMS, got) == []


async def test_open62541(url: str, pair: tuple[str, str], demand_module: Callable[[str], None]) -> None:
    """Every claim that open62541 can make through o6 holds."""
    demand_module("o6")
    command = [sys.executable, str(SCRIPT), url, str(NAMESPACE), str(FILE), *pair]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=90, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(told) > AT_LEAST, done.stderr
    got = {row["claim"]: row["got"] for row in told}
    assert wrong([one for one in CLAIMS if one["claim"] in got], got) == []
