"""Methods of the Server object about subscriptions (OPC 10000-5 §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.status import Bad, S

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.request import Request
    from labsim.endpoints.opcua.core.subscription import Subscription


def own_subscription(request: Request, number: int) -> Subscription:
    """The subscription, if it belongs to the caller's session.

    Raises:
        Bad: BadSubscriptionIdInvalid, or BadUserAccessDenied when it is another session's.
    """
    found = request.server.subscriptions.get(number)
    if found is None:
        raise Bad(S.BadSubscriptionIdInvalid)
    if found.session is not request.session:
        raise Bad(S.BadUserAccessDenied)
    return found


def _get_monitored_items(request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
    """GetMonitoredItems (OPC 10000-5 §9.1): server handles and client handles."""
    items = own_subscription(request, arguments[0]).items
    handles = ([*items], [item.settings.client_handle for item in items.values()])
    return [ua.Variant(numbers, ua.VariantType.UInt32, is_array=True) for numbers in handles]


def _resend_data(request: Request, _object: Key, arguments: list[Any]) -> None:
    """ResendData (OPC 10000-5 §9.2): the next publish tells the values of all reporting data items."""
    own_subscription(request, arguments[0]).resend()


SUBSCRIPTION_METHODS: dict[Key, Method] = {
    11492: Method(_get_monitored_items, "subscribe"),
    12873: Method(_resend_data, "subscribe"),
}
