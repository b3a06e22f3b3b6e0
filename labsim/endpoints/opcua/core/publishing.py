"""The subscription services (OPC 10000-4 §5.14)."""

from __future__ import annotations

import math
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.happening import DropFact
from labsim.endpoints.opcua.core.items import fact_of
from labsim.endpoints.opcua.core.request import Request, check_count
from labsim.endpoints.opcua.core.session import Session
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.subscription import PublishRequest, Subscription

_REPUBLISH_RESPONSE = ua.ObjectIds.RepublishResponse_Encoding_DefaultBinary


def create(request: Request, message: Any) -> Any:
    """CreateSubscription (OPC 10000-4 §5.14.2)."""
    server, session, asked = request.server, request.session, message.Parameters
    limits = server.limits
    if len(session.subscriptions) >= limits.max_subscriptions_per_session:
        raise Bad(S.BadTooManySubscriptions)
    if len(server.subscriptions) >= limits.max_subscriptions:
        raise Bad(S.BadTooManySubscriptions)
    made = Subscription(server, session, server.new_id(), asked)
    made.enabled = bool(asked.PublishingEnabled)
    server.subscriptions[made.id] = session.subscriptions[made.id] = made
    response = ua.CreateSubscriptionResponse()
    response.Parameters = ua.CreateSubscriptionResult(made.id, made.interval, made.lifetime, made.keepalive)
    return response


def modify(request: Request, message: Any) -> Any:
    """ModifySubscription (OPC 10000-4 §5.14.3)."""
    subscription = request.subscription(message.Parameters.SubscriptionId)
    subscription.configure(message.Parameters)
    subscription.silent = 0
    request.facts = [fact_of(item) for item in subscription.items.values()]
    response = ua.ModifySubscriptionResponse()
    response.Parameters = ua.ModifySubscriptionResult(
        subscription.interval, subscription.lifetime, subscription.keepalive
    )  # fmt: skip
    return response


def set_publishing_mode(request: Request, message: Any) -> Any:
    """SetPublishingMode (OPC 10000-4 §5.14.4)."""
    asked = message.Parameters
    check_count(asked.SubscriptionIds, request.server.limits.max_subscriptions)
    response = ua.SetPublishingModeResponse()
    for number in asked.SubscriptionIds:
        subscription = request.session.subscriptions.get(number)
        if subscription is not None:
            subscription.enabled = bool(asked.PublishingEnabled)
            subscription.silent = 0
        response.Parameters.Results.append(ua.StatusCode(0 if subscription else S.BadSubscriptionIdInvalid))
    return response


def delete(request: Request, message: Any) -> Any:
    """DeleteSubscriptions (OPC 10000-4 §5.14.8)."""
    numbers = message.Parameters.SubscriptionIds
    check_count(numbers, request.server.limits.max_subscriptions)
    facts = request.facts = []
    response = ua.DeleteSubscriptionsResponse()
    for number in numbers:
        subscription = request.session.subscriptions.get(number)
        if subscription is not None:
            facts.append(DropFact(number, list(subscription.items)))
            request.server.drop_subscription(subscription)
        response.Results.append(ua.StatusCode(0 if subscription else S.BadSubscriptionIdInvalid))
    server, session = request.server, request.session
    # If the last one is gone, waiting Publishes have no use any more.
    request.after.append(lambda: server.publish_late(session, request.now))
    return response


def publish(request: Request, message: Any) -> None:
    """Publish (OPC 10000-4 §5.14.5): acknowledges now, is answered when there is something to say."""
    session, server = request.session, request.server
    if not session.subscriptions and not session.status_changes:
        raise Bad(S.BadNoSubscription)
    results = [_acknowledge(session, one) for one in message.Parameters.SubscriptionAcknowledgements or ()]
    queue = session.publish_queue
    if len(queue) >= server.limits.max_publish_requests:
        oldest = queue.popleft()
        oldest.connection.send_fault(oldest.request_id, oldest.handle, S.BadTooManyPublishRequests)
    hint = message.RequestHeader.TimeoutHint
    deadline = request.now + hint / 1000 if hint else math.inf
    queue.append(PublishRequest(request.connection, request.id, request.handle, results, deadline))
    for subscription in session.subscriptions.values():
        subscription.silent = 0
    request.after.append(lambda: server.publish_late(session, request.now))


def _acknowledge(session: Session, asked: Any) -> int:
    subscription = session.subscriptions.get(asked.SubscriptionId)
    if subscription is None:
        return int(S.BadSubscriptionIdInvalid)
    known = subscription.sent.pop(asked.SequenceNumber, None)
    return 0 if known is not None else int(S.BadSequenceNumberUnknown)


def republish(request: Request, message: Any) -> bytes:
    """Republish (OPC 10000-4 §5.14.6)."""
    subscription = request.subscription(message.Parameters.SubscriptionId)
    subscription.silent = 0
    found = subscription.sent.get(message.Parameters.RetransmitSequenceNumber)
    if found is None:
        raise Bad(S.BadMessageNotAvailable)
    return request.answer(_REPUBLISH_RESPONSE, found)


def transfer(request: Request, message: Any) -> Any:
    """TransferSubscriptions (OPC 10000-4 §5.14.7)."""
    asked = message.Parameters
    check_count(asked.SubscriptionIds, request.server.limits.max_subscriptions)
    response = ua.TransferSubscriptionsResponse()
    for number in asked.SubscriptionIds:
        result = ua.TransferResult()
        try:
            subscription = _transferable(request, number)
            result.AvailableSequenceNumbers = list(subscription.sent)
            _move(request, subscription)
            if asked.SendInitialValues:
                subscription.resend()
        except Bad as error:
            result.StatusCode = ua.StatusCode(error.code)
        response.Parameters.Results.append(result)
    return response


def _transferable(request: Request, number: int) -> Subscription:
    """A subscription of the same user; for anonymous ones of the same application."""
    server, session = request.server, request.session
    subscription = server.subscriptions.get(number)
    if subscription is None:
        raise Bad(S.BadSubscriptionIdInvalid)
    anonymous = session.identity is not None and session.identity.kind == "anonymous"
    same_application = (subscription.application, subscription.certificate) == (
        session.application,
        session.certificate,
    )
    if subscription.identity != session.identity or (anonymous and not same_application):
        raise Bad(S.BadUserAccessDenied)
    full = len(session.subscriptions) >= server.limits.max_subscriptions_per_session
    if full and subscription.session is not session:
        raise Bad(S.BadTooManySubscriptions)
    return subscription


def _move(request: Request, subscription: Subscription) -> None:
    old, session = subscription.session, request.session
    subscription.silent = 0
    if old is session:
        return
    if old is not None:
        del old.subscriptions[subscription.id]
        code = int(S.GoodSubscriptionTransferred)
        old.status_changes.append((subscription.id, subscription.status_change(code)))
        request.after.append(lambda: request.server.publish_late(old, request.now))
    subscription.session, subscription.locales = session, session.locales
    session.subscriptions[subscription.id] = subscription
