"""Conditions and their methods (OPC 10000-9 §5): acknowledge, confirm, comment, enable, disable, shelve, refresh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from labsim.endpoints.opcua.core.event import REFRESH_END, REFRESH_START, Event, server_event
from labsim.endpoints.opcua.core.eventitem import EventItem
from labsim.endpoints.opcua.core.method import Callee, Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.subscription_methods import own_subscription

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.request import Request

ACKNOWLEDGE, CONFIRM, ADD_COMMENT, ENABLE, DISABLE = 9111, 9113, 9029, 9027, 9028
TIMED_SHELVE, UNSHELVE, ONE_SHOT_SHELVE = 9213, 9211, 9212
CONDITION_TYPE, CONDITION_REFRESH, CONDITION_REFRESH_2 = 2782, 3875, 12912
HAS_CONDITION = 9006
Act: TypeAlias = Literal["acknowledge", "confirm", "comment", "enable", "disable", "shelve", "unshelve"]


class Condition(Protocol):
    """A condition as its owner keeps it."""

    @property
    def key(self) -> Key:
        """The node of the condition, its ConditionId."""
        ...

    @property
    def retain(self) -> bool:
        """Whether a client that comes now must hear of it (§5.5.2)."""
        ...

    def event(self) -> Event:
        """Its last event, or how it stands when there was none yet."""
        ...

    def act(self, act: Act, user: str, comment: str | None, event_id: bytes | None, seconds: float) -> int:
        """Do what a client asked: the StatusCode. ``comment`` None leaves the last one; ``seconds`` 0 is a one-shot."""
        ...


def _condition(request: Request, key: Key) -> Condition:
    found = request.server.conditions.get(key)
    if found is None:
        raise Bad(S.BadNodeIdInvalid)
    return found


def _acting(act: Act) -> Callee:
    """A method that does ``act``; its arguments are EventId and Comment, or nothing (§5.5.4 to §5.7.4)."""

    def callee(request: Request, key: Key, arguments: list[Any]) -> None:
        identity = request.session.identity
        user = identity.name if identity is not None else ""
        event_id, comment = (arguments[0] or b"", arguments[1].Text) if len(arguments) > 1 else (None, None)
        code = _condition(request, key).act(act, user, comment, event_id, 0.0)
        if code:
            raise Bad(code)

    return callee


def _timed_shelve(request: Request, key: Key, arguments: list[Any]) -> None:
    """TimedShelve (§5.8.17.4): milliseconds."""
    seconds = arguments[0] / 1000
    if not 0 < seconds < 1e12:  # NaN is neither
        raise Bad(S.BadShelvingTimeOutOfRange)
    identity = request.session.identity
    code = _condition(request, key).act("shelve", identity.name if identity is not None else "", None, None, seconds)
    if code:
        raise Bad(code)


def _refresh(request: Request, _key: Key, arguments: list[Any]) -> None:
    """ConditionRefresh (§5.5.7): all retained conditions again, for all event items of a subscription."""
    items = own_subscription(request, arguments[0]).items.values()
    _tell_again(request, [item for item in items if isinstance(item, EventItem)])


def _refresh_one(request: Request, _key: Key, arguments: list[Any]) -> None:
    """ConditionRefresh2 (§5.5.8): for one item."""
    item = own_subscription(request, arguments[0]).items.get(arguments[1])
    if not isinstance(item, EventItem):
        raise Bad(S.BadMonitoredItemIdInvalid)
    _tell_again(request, [item])


def _tell_again(request: Request, items: Iterable[EventItem]) -> None:
    """The conditions between a RefreshStart and a RefreshEnd event, which no where clause holds back."""
    server = request.server
    retained = [one for one in {one.key: one for one in server.conditions.values()}.values() if one.retain]
    for item in items:
        item.notice(server_event(server, REFRESH_START, "refresh begins"), always=True)
        for condition in retained:
            event = condition.event()
            heard = server.may_hear(item.subscription.identity, event)
            if heard and item.key in server.notifiers_of(event.source):
                item.notice(event)
        item.notice(server_event(server, REFRESH_END, "refresh ends"), always=True)


CONDITION_METHODS: dict[Key, Method] = {
    ACKNOWLEDGE: Method(_acting("acknowledge")),
    CONFIRM: Method(_acting("confirm")),
    ADD_COMMENT: Method(_acting("comment")),
    ENABLE: Method(_acting("enable")),
    DISABLE: Method(_acting("disable")),
    TIMED_SHELVE: Method(_timed_shelve),
    ONE_SHOT_SHELVE: Method(_acting("shelve")),
    UNSHELVE: Method(_acting("unshelve")),
    CONDITION_REFRESH: Method(_refresh, "subscribe"),
    CONDITION_REFRESH_2: Method(_refresh_one, "subscribe"),
}
