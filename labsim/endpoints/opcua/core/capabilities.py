"""Values of the Server object: status and capabilities (OPC 10000-5 §6.3); typed and never Null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.diagnostics import diagnostic_values
from labsim.endpoints.opcua.core.event import SUBSCRIBE_TO_EVENTS
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.roleset import role_values

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

VT = ua.VariantType
UA_NAMESPACE = "http://opcfoundation.org/UA/"
OBJECTS, SERVER, NAMESPACE_ARRAY, SERVER_ARRAY = 85, 2253, 2255, 2254
_PROFILE = "http://opcfoundation.org/UA-Profile/Server/StandardUA2017"

# Optional children that nothing here serves: what a client is shown should work.
_HIDDEN: tuple[tuple[int, int], ...] = (
    *((SERVER, child) for child in (
        12749, 12886,  # SetSubscriptionDurable, RequestServerStateChange
        12885, 15004, 17634, 17594, 32530, 32637, 32754, 12637, 14443, 24226, 19372,  # EstimatedReturnTime … PublishSubscribe
    )),
    (2268, 24101),  # ConformanceUnits
    (2274, 2289), (2296, 11313),  # diagnostics of sampling intervals, redundancy
)  # fmt: skip


def hide_unserved(space: Space) -> None:
    """Take the children away that this core does not serve."""
    for parent, child in _HIDDEN:
        if space.get(child) is not None and space.get(parent) is not None:
            space.unlink(parent, child)
    space.edit(SERVER).attributes[nodes.EVENT_NOTIFIER] = SUBSCRIBE_TO_EVENTS


def server_values(server: Server, namespaces: Sequence[str]) -> dict[Key, Any | Callable[[], Any]]:
    """Variants of the Server object's variables by key, or functions that give the present one."""
    started = datetime_of(server.started)
    build = ua.BuildInfo("urn:labsim", "labsim", "labsim", server.version, "", started)
    found: dict[Key, Any] = {
        NAMESPACE_ARRAY: _strings([UA_NAMESPACE, server.uri, *namespaces]),
        SERVER_ARRAY: _strings([server.uri]),
        2267: ua.Variant(255, VT.Byte),  # ServiceLevel
        2994: ua.Variant(True, VT.Boolean),  # Auditing
        3709: ua.Variant(0, VT.Int32),  # RedundancySupport: none
        3704: ua.Variant([], VT.ExtensionObject, is_array=True),  # SoftwareCertificates
    }
    found |= _status(server, started, build)
    found |= _capabilities(server)
    found |= diagnostic_values(server)
    found |= role_values(server)
    return found


def _strings(values: list[str]) -> Any:
    return ua.Variant(values, VT.String, is_array=True)


def _status(server: Server, started: Any, build: Any) -> dict[Key, Any]:
    """ServerStatus (OPC 10000-5 §7.6, §12.10) with its parts."""

    def now() -> Any:
        return datetime_of(server.store.now())

    def state() -> Any:
        return ua.ServerState.Suspended if server.store.suspended else ua.ServerState.Running

    def whole() -> Any:
        status = ua.ServerStatusDataType(started, now(), state(), build, 0, ua.LocalizedText())
        return ua.Variant(status, VT.ExtensionObject)

    texts = {
        2262: build.ProductUri,
        2263: build.ManufacturerName,
        2261: build.ProductName,
        2264: build.SoftwareVersion,
        2265: build.BuildNumber,
    }
    return {
        2256: whole,
        2257: ua.Variant(started, VT.DateTime),
        2258: lambda: ua.Variant(now(), VT.DateTime),
        2259: lambda: ua.Variant(int(state()), VT.Int32),
        2260: ua.Variant(build, VT.ExtensionObject),
        **{key: ua.Variant(text, VT.String) for key, text in texts.items()},
        2266: ua.Variant(started, VT.DateTime),
        2992: ua.Variant(0, VT.UInt32),  # SecondsTillShutdown
        2993: ua.Variant(ua.LocalizedText(), VT.LocalizedText),
    }


def _capabilities(server: Server) -> dict[Key, Any]:
    """ServerCapabilities and OperationLimits (OPC 10000-5 §6.3.2, §6.3.11), HistoryServerCapabilities."""
    limits = server.limits
    counts = {
        11702: limits.max_array, 11703: limits.max_string, 12911: limits.max_string,
        11705: limits.max_nodes_per_read, 11707: limits.max_nodes_per_write, 11709: limits.max_calls_per_request,
        11710: limits.max_nodes_per_browse, 11711: limits.max_nodes_per_register,
        11712: limits.max_nodes_per_translate, 11713: 0, 11714: limits.max_items_per_call,
        12165: limits.max_nodes_per_history_read, 12166: limits.max_nodes_per_history_read, 12167: 0, 12168: 0,
        24095: limits.max_sessions, 24096: limits.max_subscriptions,
        24097: min(limits.max_items, limits.max_subscriptions * limits.max_items_per_subscription),
        24098: limits.max_subscriptions_per_session, 24104: limits.max_items_per_subscription,
        24099: 0, 24100: 0, 31916: limits.max_queue,
        11273: limits.max_history_values, 11274: limits.max_history_values,
    }  # fmt: skip
    no = (11196, 11197, 11198, 11199, 11200, 11281, 11282, 11283, 11502, 11275, 19091)  # changes of history
    return {
        2269: _strings([_PROFILE]),
        2271: _strings(list(server.locales)),
        2272: ua.Variant(limits.min_sampling_ms, VT.Double),
        2735: ua.Variant(limits.max_browse_points, VT.UInt16),
        2736: ua.Variant(0, VT.UInt16),
        2737: ua.Variant(limits.max_history_points, VT.UInt16),
        **{key: lambda: ua.Variant(server.history is not None, VT.Boolean) for key in (11193, 11242)},
        **{key: ua.Variant(count, VT.UInt32) for key, count in counts.items()},
        **{key: ua.Variant(False, VT.Boolean) for key in no},
    }
