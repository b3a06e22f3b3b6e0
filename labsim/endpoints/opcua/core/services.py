"""The services this core has, by the encoding id of their request (OPC 10000-6 §5.2.2.15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from asyncua import ua

from labsim.endpoints.opcua.core import attribute, discovery, history, items, method, publishing, session, view
from labsim.endpoints.opcua.core.readlist import decode_read
from labsim.endpoints.opcua.core.request import Handler
from labsim.endpoints.opcua.core.writelist import decode_write


class Service(NamedTuple):
    """One service: its name, asyncua's class of its request, who does it, whether it needs an activated session.

    ``quick`` decodes its request to the same as the plain decoder does; None when only that one can.
    """

    name: str
    message: type
    handler: Handler
    in_session: bool
    quick: Callable[[bytes], Any] | None = None


_OUTSIDE: dict[str, Handler] = {
    "FindServers": discovery.find_servers,
    "GetEndpoints": discovery.get_endpoints,
    "CreateSession": session.create_session,
    "ActivateSession": session.activate_session,
    "CloseSession": session.close_session,
}
_INSIDE: dict[str, Handler] = {
    "Cancel": session.cancel,
    "Read": attribute.read,
    "Write": attribute.write,
    "Browse": view.browse,
    "BrowseNext": view.browse_next,
    "TranslateBrowsePathsToNodeIds": view.translate,
    "RegisterNodes": view.register,
    "UnregisterNodes": view.unregister,
    "Call": method.call,
    "HistoryRead": history.history_read,
    "CreateSubscription": publishing.create,
    "ModifySubscription": publishing.modify,
    "SetPublishingMode": publishing.set_publishing_mode,
    "DeleteSubscriptions": publishing.delete,
    "Publish": publishing.publish,
    "Republish": publishing.republish,
    "TransferSubscriptions": publishing.transfer,
    "CreateMonitoredItems": items.create_items,
    "ModifyMonitoredItems": items.modify_items,
    "SetMonitoringMode": items.set_monitoring_mode,
    "SetTriggering": items.set_triggering,
    "DeleteMonitoredItems": items.delete_items,
}


def _encoding_id(name: str) -> int:
    return int(getattr(ua.ObjectIds, f"{name}Request_Encoding_DefaultBinary"))


_QUICK = {"Read": decode_read, "Write": decode_write}

SERVICES: dict[int, Service] = {
    _encoding_id(name): Service(name, getattr(ua, f"{name}Request"), handler, table is _INSIDE, _QUICK.get(name))
    for table in (_OUTSIDE, _INSIDE)
    for name, handler in table.items()
}
