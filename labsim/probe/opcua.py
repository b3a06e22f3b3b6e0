"""An OPC UA client for one question after another: asyncua inside, one sentence when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import os
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from asyncua import Client, Node, ua
from asyncua.common.subscription import DataChangeEvent, OpcEvent, Subscription

from labsim.errors import InputError
from labsim.probe.access import Access, connect
from labsim.probe.error import ProbeError, reason
from labsim.probe.event_fields import event_filter, event_of
from labsim.probe.identity import own_uri
from labsim.probe.target import Target
from labsim.probe.variant import VT, parse_variant, type_named

T = TypeVar("T")
AGGREGATES = {
    name: ua.NodeId(getattr(ua.ObjectIds, f"AggregateFunction_{name}"))
    for name in ("Average", "TimeAverage", "Minimum", "Maximum", "Count", "Interpolative", "Total", "Start", "End")
}
"""Aggregates by name (OPC 10000-13)."""
_TURN_S = 0.2
_HIERARCHICAL, _HAS_PROPERTY = 33, 46
_OBJECTS, _ROOT = ua.NodeId(85), ua.NodeId(84)
_BUILTIN_TYPES = 25
_MOST_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A node that browsing found, and what is below it."""

    node: str
    name: str
    cls: str
    type_: str
    below: list[Found] = field(default_factory=list)


class OpcuaProbe:
    """One session at a server. Use it as a context manager.

    Args:
        target: Where, and as which user.
        access: How it proves itself.
        timeout: Seconds to wait for a connection and for each answer.
        locales: Languages of texts, the most wanted first.
        name: What it calls itself.
        uri: Its application URI; ours by default. A secure channel has that of the certificate.
    """

    def __init__(
        self, target: Target, access: Access | None = None, timeout: float = 5.0, locales: Sequence[str] = ("en",),
        *, name: str = "labsim client", uri: str = "",
    ) -> None:  # fmt: skip
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what goes wrong is one sentence of ours
        self.target, self.access, self.timeout = target, access or Access(), timeout
        self._runner, self._learned = asyncio.Runner(), False
        self._client = Client(str(target) + target.path, timeout)
        self._client.name = self._client.description = name
        self._client.application_uri, self._client.product_uri = uri or own_uri(), "urn:labsim:client"
        self._client.set_locale(list(locales))

    def __enter__(self) -> Self:
        try:
            self._run(connect(self._client, self.target, self.access))
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._client.disconnect())
        except ProbeError:
            if error is None:
                raise
        finally:
            self._runner.close()

    # what it asks

    def endpoints(self) -> list[ua.EndpointDescription]:
        """What the server offers (OPC 10000-4 §5.5.4), in order of security. Needs no session."""
        try:
            found = self._run(self._client.connect_and_get_server_endpoints())
        finally:
            self._runner.close()
        return sorted(found, key=lambda one: (one.SecurityLevel, one.SecurityPolicyUri, one.SecurityMode))

    def browse(self, node: str, depth: int) -> Found:
        """A node and what is below it, each node once."""
        return self._run(self._browse(node, depth))

    def read(self, nodes: Sequence[str], attribute: str = "Value") -> list[ua.DataValue]:
        """An attribute of some nodes, in one request; a bad status is in its value."""
        return self._run(self._read(nodes, attribute))

    def write(self, node: str, text: str, kind: str = "") -> ua.Variant:
        """Write a value as it was typed; what was written.

        Args:
            node: The variable.
            text: Its new value; an array as JSON.
            kind: Built-in type; the variable's own by default.
        """
        return self._run(self._write(node, text, kind))

    def call(self, method: str, arguments: Sequence[str], owner: str = "") -> list[tuple[str, ua.Variant]]:
        """Call a method with arguments as they were typed; its output arguments by name.

        Args:
            method: The method.
            arguments: In the order of its InputArguments.
            owner: The object it is called on; the one it was found below by default.
        """
        return self._run(self._call(method, arguments, owner))

    def watch(
        self, nodes: Sequence[str], interval_ms: float, deadband: float = 0.0, until: float | None = None
    ) -> Iterator[tuple[str, ua.DataValue]]:
        """Values as the server reports them, until a moment of the monotonic clock."""
        subscription, names = self._run(self._watch(nodes, interval_ms, deadband))
        for event in self._stream(subscription, until):
            if isinstance(event, DataChangeEvent):
                yield names[event.node.nodeid], event.data.monitored_item.Value

    def events(self, node: str, until: float | None = None, *, refresh: bool = False) -> Iterator[dict[str, Any]]:
        """Events of a notifier as the server reports them; with ``refresh`` first those of alarms that are on."""
        subscription = self._run(self._watch_events(node, refresh))
        for event in self._stream(subscription, until):
            if isinstance(event, OpcEvent):
                yield event_of(event.event.event_fields or [])

    def history(
        self, node: str, start: datetime.datetime, end: datetime.datetime, aggregate: str = "", every_ms: float = 0.0
    ) -> list[ua.DataValue]:
        """Recorded values of a variable, or an aggregate of them per interval (OPC 10000-11 §6.5)."""
        return self._run(self._history(node, start, end, aggregate, every_ms))

    def event_history(self, node: str, start: datetime.datetime, end: datetime.datetime) -> list[dict[str, Any]]:
        """Recorded events of a notifier."""
        return self._run(self._event_history(node, start, end))

    def node_id(self, text: str) -> str:
        """The node id of what was typed: a node id, or a path of browse names below Objects."""
        found: str = self._run(self._find(text)).nodeid.to_string()
        return found

    # how it asks

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(work)
        except ua.UaStatusCodeError as error:
            name, meaning = ua.status_codes.get_name_and_doc(error.code)
            raise ProbeError(f"{self.target} answered {name}: {meaning[:1].lower()}{meaning[1:]}") from error
        except TimeoutError as error:
            raise ProbeError(f"{self.target} did not answer within {self.timeout:g} s.") from error
        except OSError as error:
            # asyncio puts a sentence of its own with the address in the place of the system's
            why = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else reason(error)
            raise ProbeError(f"{self.target} cannot be reached: {why}.") from error
        except (ua.UaError, asyncio.CancelledError) as error:
            why = str(error) or "the connection was lost"
            raise ProbeError(f"{self.target}: {why}.") from error

    def _stream(self, subscription: Subscription, until: float | None) -> Iterator[Any]:
        while until is None or time.monotonic() < until:
            event = self._run(subscription.next_event(_TURN_S))
            if event is not None:
                yield event
            elif self._client.uaclient.state.name != "CONNECTED":
                raise ProbeError(f"{self.target} closed the connection.")

    async def _find(self, text: str) -> Node:
        """A node by id (``ns=2;s=mill1.speed``, ``nsu=URI;s=…``) or by browse names below Objects."""
        try:
            if text.startswith("nsu="):
                uri, _, rest = text[4:].partition(";")
                index = await self._client.get_namespace_index(uri)
                return self._client.get_node(f"ns={index};{rest}")
            if text.startswith(("ns=", "i=", "s=", "g=", "b=")):
                return self._client.get_node(text)
        except ValueError:
            raise ProbeError(f"{self.target} has no namespace {text[4:].partition(';')[0]!r}.") from None
        except ua.UaError:
            raise InputError(f"{text!r} is no node id. Write it as ns=2;s=mill1.speed or i=2253.") from None
        node = self._client.get_node(_ROOT if text.startswith("/") else _OBJECTS)
        for part in [part for part in text.split("/") if part]:
            below = await node.get_references(_HIERARCHICAL, ua.BrowseDirection.Forward)
            near = [one for one in below if part in (one.BrowseName.Name, one.BrowseName.to_string())]
            if not near:
                names = ", ".join(sorted(one.BrowseName.Name for one in below)) or "nothing"
                raise ProbeError(f"{self.target}: there is no {part!r} in {text!r}; below it are: {names}.")
            node = self._client.get_node(near[0].NodeId)
        return node

    async def _browse(self, text: str, depth: int) -> Found:
        node = await self._find(text)
        name, cls = await node.read_browse_name(), await node.read_node_class()
        seen = {node.nodeid}
        below = await self._below(node, depth, seen)
        return Found(node.nodeid.to_string(), name.to_string(), ua.NodeClass(cls).name, "", below)

    async def _below(self, node: Node, depth: int, seen: set[ua.NodeId]) -> list[Found]:
        if depth <= 0:
            return []
        found = []
        for one in await node.get_references(_HIERARCHICAL, ua.BrowseDirection.Forward):
            again = one.NodeId in seen
            seen.add(one.NodeId)
            named = _type_name(one.TypeDefinition)
            below = [] if again else await self._below(self._client.get_node(one.NodeId), depth - 1, seen)
            name = one.BrowseName.to_string()
            found.append(Found(one.NodeId.to_string(), name, ua.NodeClass(one.NodeClass).name, named, below))
        return found

    async def _read(self, texts: Sequence[str], attribute: str) -> list[ua.DataValue]:
        nodes = [await self._find(text) for text in texts]
        wanted = getattr(ua.AttributeIds, attribute)
        keys = [node.nodeid for node in nodes]
        values: list[ua.DataValue] = await self._client.uaclient.session.read_attributes(keys, wanted)
        await self._learn([one.Value for one in values])
        return values

    async def _learn(self, values: Sequence[ua.Variant | None]) -> None:
        """Ask the server how its structures are built, once and only when one of them came (OPC 10000-3 §5.8.3)."""
        contents = [one.Value for one in values if one is not None]
        items = [item for one in contents for item in (one if isinstance(one, list) else [one])]
        if self._learned or not any(type(item) is ua.ExtensionObject and item.Body for item in items):
            return
        self._learned = True
        with contextlib.suppress(ua.UaError):  # a server need not say it: then structures stay bytes
            await self._client.load_data_type_definitions()

    async def _write(self, text: str, value: str, kind: str) -> ua.Variant:
        node = await self._find(text)
        if kind:
            variant = parse_variant(value, type_named(kind.removesuffix("[]")), array=kind.endswith("[]"))
        else:
            told, rank = await node.read_attributes([ua.AttributeIds.DataType, ua.AttributeIds.ValueRank])
            told.StatusCode.check()
            is_array = rank.Value is not None and rank.Value.Value is not None and rank.Value.Value >= 0
            variant = parse_variant(value, await self._builtin(told.Value.Value), array=is_array)
        # only the value: most servers refuse a status or a time from a client
        sent = ua.DataValue(variant, None)
        wanted = ua.WriteValue(node.nodeid, ua.AttributeIds.Value, None, sent)
        (result,) = await self._client.uaclient.session.write(ua.WriteParameters([wanted]))
        result.check()
        return variant

    async def _builtin(self, data_type: ua.NodeId) -> VT:
        """The built-in type that a data type is made of (OPC 10000-3 §5.8.3)."""
        while not (data_type.NamespaceIndex == 0 and data_type.Identifier <= _BUILTIN_TYPES):
            if data_type == ua.NodeId(ua.ObjectIds.Enumeration):
                return VT.Int32
            node = self._client.get_node(data_type)
            above = await node.get_references(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
            if not above:
                break
            data_type = above[0].NodeId
        try:
            kind = VT(data_type.Identifier)
        except ValueError:
            kind = VT.Variant
        if kind in (VT.Variant, VT.ExtensionObject):
            raise InputError("the server does not say which simple type this takes. Give one with --type.")
        return kind

    async def _call(self, text: str, typed: Sequence[str], owner: str) -> list[tuple[str, ua.Variant]]:
        method = await self._find(text)
        on = await self._find(owner) if owner else await self._owner(text, method)
        wanted = await self._arguments(method, "InputArguments")
        if len(wanted) != len(typed):
            names = ", ".join([f"{one.Name} ({await self._kind_name(one)})" for one in wanted]) or "none"
            raise InputError(f"{text} takes {len(wanted)} arguments, {len(typed)} were given. They are: {names}.")
        given = []
        for argument, value in zip(wanted, typed, strict=True):
            given.append(parse_variant(value, await self._builtin(argument.DataType), array=argument.ValueRank >= 0))
        request = ua.CallMethodRequest(ObjectId=on.nodeid, MethodId=method.nodeid, InputArguments=given)
        (result,) = await self._client.uaclient.session.call([request])
        for argument, status in zip(wanted, result.InputArgumentResults or [], strict=False):
            if status.is_bad():
                raise ProbeError(f"{self.target} refused the argument {argument.Name}: {status.name}.")
        result.StatusCode.check()
        await self._learn(result.OutputArguments or [])
        outputs = await self._arguments(method, "OutputArguments") if result.OutputArguments else []
        told = [one.Name for one in outputs] + [str(n) for n in range(len(outputs), len(result.OutputArguments or []))]
        return list(zip(told, result.OutputArguments or [], strict=False))

    async def _owner(self, text: str, method: Node) -> Node:
        """What a method was found below; of a node id the first that has it as a component."""
        if "/" in text and "=" not in text:
            return await self._find(text.rstrip("/").rpartition("/")[0])
        above = await method.get_references(_HIERARCHICAL, ua.BrowseDirection.Inverse)
        if not above:
            raise InputError(f"the server does not say which object {text} belongs to. Give it with --object.")
        return self._client.get_node(above[0].NodeId)

    async def _arguments(self, method: Node, name: str) -> list[ua.Argument]:
        for one in await method.get_references(_HAS_PROPERTY, ua.BrowseDirection.Forward):
            if one.BrowseName.Name == name:
                return await self._client.get_node(one.NodeId).read_value() or []
        return []

    async def _kind_name(self, argument: ua.Argument) -> str:
        kind = await self._builtin(argument.DataType)
        return f"{kind.name}{'[]' * (argument.ValueRank >= 0)}"

    async def _watch(
        self, texts: Sequence[str], interval_ms: float, deadband: float
    ) -> tuple[Subscription, dict[ua.NodeId, str]]:
        nodes = {(await self._find(text)).nodeid: text for text in texts}
        session = self._client.uaclient.session
        types = await session.read_attributes(list(nodes), ua.AttributeIds.DataType)
        if any(one.Value is not None and one.Value.Value.NamespaceIndex for one in types if one.StatusCode.is_good()):
            await self._learn([one.Value for one in await session.read_attributes(list(nodes), ua.AttributeIds.Value)])
        subscription = await self._subscription(interval_ms)
        chosen = None
        if deadband:
            chosen = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, ua.UInt32(1), deadband)
        requests = [self._item(key, ua.AttributeIds.Value, n, interval_ms, chosen) for n, key in enumerate(nodes, 1)]
        for result, text in zip(await subscription.create_monitored_items(requests), nodes.values(), strict=True):
            if isinstance(result, ua.StatusCode):
                raise ProbeError(f"{self.target} refused to watch {text}: {result.name}.")
        return subscription, nodes

    async def _watch_events(self, text: str, refresh: bool) -> Subscription:
        node = await self._find(text)
        subscription = await self._subscription(500)
        (result,) = await subscription.create_monitored_items(
            [self._item(node.nodeid, ua.AttributeIds.EventNotifier, 1, 0, event_filter())]
        )
        if isinstance(result, ua.StatusCode):
            raise ProbeError(f"{self.target} refused to watch the events of {text}: {result.name}.")
        if refresh:
            request = ua.CallMethodRequest(
                ObjectId=ua.NodeId(ua.ObjectIds.ConditionType),
                MethodId=ua.NodeId(ua.ObjectIds.ConditionType_ConditionRefresh),
                InputArguments=[ua.Variant(subscription.subscription_id, VT.UInt32)],
            )
            (answer,) = await self._client.uaclient.session.call([request])
            answer.StatusCode.check()
        return subscription

    async def _subscription(self, interval_ms: float) -> Subscription:
        wanted = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval_ms,
            RequestedLifetimeCount=600,
            RequestedMaxKeepAliveCount=20,
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
        )
        return await self._client.create_subscription(wanted)

    @staticmethod
    def _item(key: ua.NodeId, attribute: Any, handle: int, interval_ms: float, chosen: Any) -> Any:
        asked = ua.MonitoringParameters(
            ClientHandle=handle, SamplingInterval=interval_ms, Filter=chosen, QueueSize=100, DiscardOldest=True
        )
        return ua.MonitoredItemCreateRequest(
            ua.ReadValueId(NodeId=key, AttributeId=attribute), ua.MonitoringMode.Reporting, asked
        )

    async def _history(
        self, text: str, start: datetime.datetime, end: datetime.datetime, aggregate: str, every_ms: float
    ) -> list[ua.DataValue]:
        if aggregate:
            details: Any = ua.ReadProcessedDetails(start, end, every_ms, [AGGREGATES[aggregate]])
        else:
            details = ua.ReadRawModifiedDetails(False, start, end, _MOST_VALUES, False)
        found: list[ua.DataValue] = []
        async for data in self._history_pages(text, details):
            found += data.DataValues or []
        return found

    async def _event_history(self, text: str, start: datetime.datetime, end: datetime.datetime) -> list[dict[str, Any]]:
        details = ua.ReadEventDetails(_MOST_VALUES, start, end, event_filter())
        found = []
        async for data in self._history_pages(text, details):
            found += [event_of(event.EventFields) for event in data.Events or []]
        return found

    async def _history_pages(self, text: str, details: Any) -> Any:
        node, point = await self._find(text), None
        while True:
            wanted = ua.HistoryReadValueId(NodeId=node.nodeid, ContinuationPoint=point)
            params = ua.HistoryReadParameters(details, ua.TimestampsToReturn.Both, False, [wanted])
            (result,) = await self._client.uaclient.session.history_read(params)
            result.StatusCode.check()
            yield result.HistoryData
            if not result.ContinuationPoint or result.ContinuationPoint == point:
                return
            point = result.ContinuationPoint


def _type_name(kind: ua.NodeId) -> str:
    """A type definition by its standard name, else by its node id; nothing for a node that has none."""
    if kind.is_null():
        return ""
    name: str = ua.ObjectIdNames.get(kind.Identifier, "") if kind.NamespaceIndex == 0 else kind.to_string()
    return name
