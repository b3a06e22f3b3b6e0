"""The monitored item services (OPC 10000-4 §5.13)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.attribute import read_one
from labsim.endpoints.opcua.core.event import SUBSCRIBE_TO_EVENTS
from labsim.endpoints.opcua.core.eventitem import EventItem
from labsim.endpoints.opcua.core.happening import DropFact, ItemFact
from labsim.endpoints.opcua.core.item import DISABLED, ON_TIME, Item, Settings
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.core.nodes import Node
from labsim.endpoints.opcua.core.ranges import parse_range
from labsim.endpoints.opcua.core.request import Request, check_count, check_timestamps
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.values import NUMERIC

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.subscription import Subscription

NO_DEADBAND, ABSOLUTE, PERCENT = 0, 1, 2
_NEVER_GOOD = {
    S.BadAttributeIdInvalid, S.BadNotReadable, S.BadUserAccessDenied, S.BadDataEncodingInvalid,
    S.BadDataEncodingUnsupported,
}  # fmt: skip


def fact_of(item: Item, status: int = 0) -> ItemFact:
    """An item as the observer is told of it."""
    settings, subscription = item.settings, item.subscription
    return ItemFact(
        item.key, subscription.id, item.id, subscription.interval, settings.sampling, settings.requested_sampling,
        settings.queue, settings.deadband_type, settings.deadband_value, item.mode, status,
        item.filter.told() if isinstance(item, EventItem) and item.filter is not None else None,
    )  # fmt: skip


def create_items(request: Request, message: Any) -> Any:
    """CreateMonitoredItems (OPC 10000-4 §5.13.2)."""
    asked = message.Parameters
    subscription = request.subscription(asked.SubscriptionId)
    timestamps = check_timestamps(asked.TimestampsToReturn)
    check_count(asked.ItemsToCreate, request.server.limits.max_items_per_call)
    facts = request.facts = []
    response = ua.CreateMonitoredItemsResponse()
    for one in asked.ItemsToCreate:
        result = ua.MonitoredItemCreateResult()
        kind = EventItem if one.ItemToMonitor.AttributeId == nodes.EVENT_NOTIFIER else Item
        item = kind(request.server.new_id(), subscription, one.ItemToMonitor, int(one.MonitoringMode), timestamps)
        status = 0
        try:
            node = _check_watched(request, subscription, one.ItemToMonitor)
            result.FilterResult = _apply(request.server, node, item, one.RequestedParameters)
            _start(request.server, node, item)
            result.MonitoredItemId, result.RevisedSamplingInterval = item.id, item.settings.sampling
            result.RevisedQueueSize = item.settings.queue
        except Bad as error:
            status = error.code
            result.StatusCode, result.FilterResult = ua.StatusCode(status), getattr(error, "result", None)
            item.settings.requested_sampling = float(one.RequestedParameters.SamplingInterval)
        facts.append(fact_of(item, status))
        response.Results.append(result)
    return response


def _check_watched(request: Request, subscription: Subscription, watched: Any) -> Node:
    """The node of a ReadValueId that may be watched. A value that is Bad now may be, since it can get good."""
    server, identity = request.server, request.session.identity
    node = server.visible(key_of(watched.NodeId), identity)
    server.demand(identity, "subscribe", node)
    if len(subscription.items) >= server.limits.max_items_per_subscription:
        raise Bad(S.BadTooManyMonitoredItems)
    if sum(len(one.items) for one in server.subscriptions.values()) >= server.limits.max_items:
        raise Bad(S.BadTooManyMonitoredItems)
    if watched.AttributeId == nodes.EVENT_NOTIFIER:
        notifier = node.attributes.get(nodes.EVENT_NOTIFIER)
        if notifier is not None and not notifier & SUBSCRIBE_TO_EVENTS:
            raise Bad(S.BadNotSupported, "this object tells no events")
    if watched.IndexRange:
        parse_range(watched.IndexRange)
    status = read_one(server, identity, watched, server.store.now()).status
    if status in _NEVER_GOOD:
        raise Bad(status)
    return node


def _start(server: Server, node: Node, item: Item) -> None:
    if isinstance(item, EventItem):
        item.subscription.items[item.id] = server.event_items[item.id] = item
        return
    if item.watched.AttributeId == nodes.VALUE and not item.watched.IndexRange:
        item.row = node.row
    item.subscription.items[item.id] = item
    server.sample_with_group(item)
    if item.mode != DISABLED:
        item.sample()


def _apply(server: Server, node: Node, item: Item, asked: Any) -> Any:
    """Revise MonitoringParameters and give them to the item (OPC 10000-4 §7.21); the result of its filter, if it has one."""
    if isinstance(item, EventItem):
        return item.revise(server, asked)
    limits, wanted = server.limits, float(asked.SamplingInterval)
    requested = wanted
    if not wanted >= 0:  # -1, or NaN: as fast as it is published
        wanted = item.subscription.interval
    least = max(limits.min_sampling_ms, node.attributes.get(nodes.MIN_SAMPLING) or 0.0)
    settings = Settings(
        client_handle=int(asked.ClientHandle),
        sampling=min(max(wanted, least), limits.max_sampling_ms),
        requested_sampling=requested if math.isfinite(requested) else -1.0,
        queue=min(max(int(asked.QueueSize), 1), limits.max_queue),
        discard_oldest=bool(asked.DiscardOldest),
    )
    _apply_filter(server, node, item, asked.Filter, settings)
    item.apply(settings)
    return None


def _apply_filter(server: Server, node: Node, item: Item, given: Any, settings: Settings) -> None:
    """Take a DataChangeFilter (OPC 10000-4 §7.22.2)."""
    if given is None or (isinstance(given, ua.ExtensionObject) and given.Body is None and given.TypeId.is_null()):
        return
    if not hasattr(given, "DeadbandType"):  # by its fields, since asyncua has two classes of the name
        raise Bad(S.BadFilterNotAllowed if hasattr(given, "SelectClauses") else S.BadMonitoredItemFilterUnsupported)
    settings.trigger = int(given.Trigger)
    if not 0 <= settings.trigger <= ON_TIME:
        raise Bad(S.BadMonitoredItemFilterInvalid)
    settings.deadband_type, settings.deadband_value = int(given.DeadbandType), float(given.DeadbandValue)
    settings.deadband = _deadband(server, node, item, settings)


def _deadband(server: Server, node: Node, item: Item, settings: Settings) -> float:
    """A deadband in the value's unit (OPC 10000-8 §7.2)."""
    kind, value = settings.deadband_type, settings.deadband_value
    if kind == NO_DEADBAND:
        return 0.0
    if kind not in (ABSOLUTE, PERCENT):
        raise Bad(S.BadDeadbandFilterInvalid)
    if item.watched.AttributeId != nodes.VALUE or node.cls != nodes.VARIABLE:
        raise Bad(S.BadFilterNotAllowed)
    data_type = key_of(node.attributes[nodes.DATA_TYPE_ID])
    if server.space.builtin(data_type) not in NUMERIC and data_type not in nodes.NUMBERS:
        raise Bad(S.BadFilterNotAllowed)
    if not 0 <= value < math.inf:
        raise Bad(S.BadDeadbandFilterInvalid)
    if kind == ABSOLUTE:
        return value
    span = server.range_of(node.key)
    if span is None:
        raise Bad(S.BadFilterNotAllowed)
    if value > 100:
        raise Bad(S.BadDeadbandFilterInvalid)
    return value / 100 * (span[1] - span[0])


def modify_items(request: Request, message: Any) -> Any:
    """ModifyMonitoredItems (OPC 10000-4 §5.13.3)."""
    asked, server = message.Parameters, request.server
    subscription = request.subscription(asked.SubscriptionId)
    timestamps = check_timestamps(asked.TimestampsToReturn)
    check_count(asked.ItemsToModify, server.limits.max_items_per_call)
    facts = request.facts = []
    response = ua.ModifyMonitoredItemsResponse()
    for one in asked.ItemsToModify:
        result = ua.MonitoredItemModifyResult()
        item, status = subscription.items.get(one.MonitoredItemId), 0
        try:
            if item is None:
                raise Bad(S.BadMonitoredItemIdInvalid)
            result.FilterResult = _apply(server, server.space[item.key], item, one.RequestedParameters)
            item.timestamps = timestamps
            if not item.tells_events:
                server.sample_with_group(item)
            result.RevisedSamplingInterval, result.RevisedQueueSize = item.settings.sampling, item.settings.queue
        except Bad as error:
            status = error.code
            result.StatusCode, result.FilterResult = ua.StatusCode(status), getattr(error, "result", None)
        if item is not None:
            facts.append(fact_of(item, status))
        response.Results.append(result)
    return response


def set_monitoring_mode(request: Request, message: Any) -> Any:
    """SetMonitoringMode (OPC 10000-4 §5.13.4)."""
    asked = message.Parameters
    subscription = request.subscription(asked.SubscriptionId)
    check_count(asked.MonitoredItemIds, request.server.limits.max_items_per_call)
    facts = request.facts = []
    response = ua.SetMonitoringModeResponse()
    for number in asked.MonitoredItemIds:
        item = subscription.items.get(number)
        if item is not None:
            item.switch(int(asked.MonitoringMode))
            facts.append(fact_of(item))
        response.Parameters.Results.append(ua.StatusCode(0 if item else S.BadMonitoredItemIdInvalid))
    return response


def set_triggering(request: Request, message: Any) -> Any:
    """SetTriggering (OPC 10000-4 §5.13.5): links are taken away before others are added."""
    asked = message.Parameters
    subscription = request.subscription(asked.SubscriptionId)
    add, remove = asked.LinksToAdd or (), asked.LinksToRemove or ()
    check_count([*add, *remove], request.server.limits.max_items_per_call)
    item = subscription.items.get(asked.TriggeringItemId)
    if item is None:
        raise Bad(S.BadMonitoredItemIdInvalid)
    results = ua.SetTriggeringResponse()
    for number in remove:
        known = number in item.links
        item.links.pop(number, None)
        results.Parameters.RemoveResults.append(ua.StatusCode(0 if known else S.BadMonitoredItemIdInvalid))
    for number in add:
        known = number in subscription.items
        if known:
            item.links[number] = None
        results.Parameters.AddResults.append(ua.StatusCode(0 if known else S.BadMonitoredItemIdInvalid))
    return results


def delete_items(request: Request, message: Any) -> Any:
    """DeleteMonitoredItems (OPC 10000-4 §5.13.6)."""
    asked = message.Parameters
    subscription = request.subscription(asked.SubscriptionId)
    check_count(asked.MonitoredItemIds, request.server.limits.max_items_per_call)
    gone: list[int] = []
    response = ua.DeleteMonitoredItemsResponse()
    for number in asked.MonitoredItemIds:
        known = subscription.drop(number)
        if known:
            gone.append(number)
        response.Results.append(ua.StatusCode(0 if known else S.BadMonitoredItemIdInvalid))
    request.facts = [DropFact(subscription.id, gone)]
    return response
