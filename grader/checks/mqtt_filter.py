"""The check of what MQTT clients subscribe to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.outcome import Outcome, failed, partly, passed
from grader.pattern import Regex, fits
from grader.topic import covers, is_bare
from grader.words import clock, fill, names
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


class SubscribedParams(Params):
    """Parameters of `Subscribed`."""

    topics: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Topics or topic filters that must each be taken in by a subscription, as a whole."
    )
    qos: Annotated[int, Field(ge=0, le=2)] | None = Field(None, description="The lowest QoS granted that counts.")
    bare: bool = Field(
        False, description="Whether filters without any name (`#`, `+/#`) count; without them, one of them spoils it."
    )
    client: Regex | None = Field(None, description="A regular expression that the whole client id must match.")


class Subscribed(Check[SubscribedParams]):
    """A client subscribes to topics, and to no more than it has to.

    Each topic carries an equal share of the marks; those of one client count, of several clients the best. A client that
    also subscribes to `#` gets nothing, unless `bare` is given: it makes the broker send it everything there is. Another
    client that looks around with `#`, an explorer, does not matter. Shared subscriptions count as the filter they share.

    Example::

        mqtt.subscribed: {topics: [site1/agv/+/state], qos: 1, client: fleet-.*, marks: 2}
    """

    name = "mqtt.subscribed"
    sentence = tr("Subscribed over MQTT: {topics}", "通過 MQTT 訂閱：{topics}", "通过 MQTT 订阅：{topics}")
    Params = SubscribedParams

    def title(self, params: SubscribedParams) -> Text:
        """Names the topics."""
        return self.sentence.format(topics=names(params.topics))

    def judge(self, evidence: Evidence, params: SubscribedParams) -> Outcome:
        """Judge the subscriptions of the client that comes nearest."""
        expected = names(params.topics) + (f", QoS ≥ {params.qos}" if params.qos is not None else "")
        asked = [r for r in evidence.of("mqtt", "subscribe") if r.app != PLANT and fits(params.client, r.app)]
        by_client: dict[str, list[Record]] = {}
        for record in asked:
            if record.status == 0:
                by_client.setdefault(record.app, []).append(record)
        if not by_client:
            return _nobody(evidence, params, expected)
        judged = [(mine, _taken(mine, params), _spoils(mine, params)) for mine in by_client.values()]
        mine, taken, spoils = max(judged, key=lambda each: (bool(each[1]), not each[2], len(each[1])))
        who, actual = mine[0].app, names(dict.fromkeys(r.subject for r in mine))
        if spoils:
            reason = tr(
                "{who} subscribed to {filter} at {time}, which is everything.",
                "{who} 於 {time} 訂閱了 {filter}，即全部主題。",
                "{who} 于 {time} 订阅了 {filter}，即全部主题。",
            ).format(who=who, filter=spoils[0].subject, time=clock(evidence, spoils[0].t))
            return failed(reason, expected=expected, actual=actual, evidence=spoils)
        if len(taken) == len(params.topics):
            reason = tr("{who} subscribed to all of them.", "{who} 訂閱了全部主題。", "{who} 订阅了全部主题。").format(
                who=who
            )
            return passed(reason, expected=expected, actual=actual, evidence=taken.values())
        missing = [topic for topic in params.topics if topic not in taken]
        low = [r for r in mine if any(covers(r.subject, topic) for topic in missing)]
        reason = fill(
            _LOW if low else _MISSING,
            who=who,
            n=len(taken),
            all=len(params.topics),
            missing=names(missing),
            qos=low[0].detail.get("granted", 0) if low else "",
        )
        share = len(taken) / len(params.topics)
        return partly(share, reason, expected=expected, actual=actual, evidence=[*taken.values(), *low] or mine)


_MISSING = tr(
    "{who} subscribed to {n} of {all}; not to: {missing}.",
    "{who} 訂閱了 {all} 個主題中的 {n} 個；未訂閱：{missing}。",
    "{who} 订阅了 {all} 个主题中的 {n} 个；未订阅：{missing}。",
)
_LOW = tr(
    "{who} subscribed to {n} of {all} as asked; {missing} with QoS {qos} only.",
    "{who} 按要求訂閱了 {all} 個主題中的 {n} 個；{missing} 的 QoS 僅為 {qos}。",
    "{who} 按要求订阅了 {all} 个主题中的 {n} 个；{missing} 的 QoS 仅为 {qos}。",
)


def _taken(mine: list[Record], params: SubscribedParams) -> dict[str, Record]:
    """The first subscription that takes in each topic."""
    counted = [r for r in mine if params.qos is None or int(r.detail.get("granted", 0)) >= params.qos]
    return {
        topic: found
        for topic in params.topics
        if (found := next((r for r in counted if covers(r.subject, topic)), None))
    }


def _spoils(mine: list[Record], params: SubscribedParams) -> list[Record]:
    return [] if params.bare else [r for r in mine if is_bare(r.subject)]


def _nobody(evidence: Evidence, params: SubscribedParams, expected: str) -> Outcome:
    """Nobody subscribed to anything: was it refused?"""
    denied = [
        r for r in evidence.of("mqtt", "deny") if r.detail.get("action") == "subscribe" and fits(params.client, r.app)
    ]
    if denied:
        reason = tr(
            "The broker refused the subscriptions ({n}), the last to {filter}.",
            "消息代理拒絕了 {n} 次訂閱，最後一次為 {filter}。",
            "消息代理拒绝了 {n} 次订阅，最后一次为 {filter}。",
        ).format(n=len(denied), filter=denied[-1].subject)
        return failed(reason, expected=expected, actual=names(r.subject for r in denied), evidence=denied)
    return failed(
        tr(
            "No such client subscribed to anything.", "沒有符合的客戶端訂閱任何主題。", "没有符合的客户端订阅任何主题。"
        ),
        expected=expected,
    )
