"""The check that a will did its work."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.check import Check
from grader.checks.mqtt_client import WillParams, will_faults
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.payload import topic_matches
from grader.topic import TopicFilter
from grader.words import clock, fill, listed, names
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


class PublishedWillParams(WillParams):
    """Parameters of `PublishedWill`."""

    topic: TopicFilter = Field(description="The will's topic, or a filter for it.")
    client: Regex | None = Field(None, description="A regular expression that the whole client id must match.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How often it must have been published.")


class PublishedWill(Check[PublishedWillParams]):
    """The broker published a client's will, because its connection ended without a DISCONNECT.

    A lost network, a killed process and a keep-alive that ran out are all such ends. A message that the client publishes on
    the topic itself is not a will and does not count.

    Example::

        mqtt.will: {topic: site1/gateway/status, qos: 1, retain: true, payload: offline, marks: 2}
    """

    name = "mqtt.will"
    sentence = tr(
        "The broker speaks on {p.topic} when the client is lost",
        "客戶端失聯時，消息代理在 {p.topic} 上發佈遺囑",
        "客户端失联时，消息代理在 {p.topic} 上发布遗嘱",
    )
    Params = PublishedWillParams

    def judge(self, evidence: Evidence, params: PublishedWillParams) -> Outcome:
        """Look for wills that were published."""
        wills = [
            r
            for r in evidence.of("mqtt", "publish")
            if r.detail.get("will") and r.app != PLANT and fits(params.client, r.app)
        ]
        here = [r for r in wills if topic_matches(params.topic, r.subject)]
        right = [r for r in here if not _lacks(r, params)]
        expected, actual = _asked(params), str(len(right))
        if len(right) >= params.at_least:
            reason = tr(
                "The will of {who} was published at {time}.",
                "{who} 的遺囑於 {time} 發佈。",
                "{who} 的遗嘱于 {time} 发布。",
            ).format(who=right[0].app, time=clock(evidence, right[0].t))
            return passed(reason, expected=expected, actual=actual, evidence=right)
        if right:
            reason = tr(
                "Wills published: {n} of {least}.",
                "遺囑發佈 {n} 次；需要 {least} 次。",
                "遗嘱发布 {n} 次；需要 {least} 次。",
            )
            return failed(
                reason.format(n=len(right), least=params.at_least), expected=expected, actual=actual, evidence=right
            )
        if here:
            last = here[-1]
            reason = fill(
                tr(
                    "The will published at {time} differs in: {faults}.",
                    "{time} 發佈的遺囑不符之處：{faults}。",
                    "{time} 发布的遗嘱不符之处：{faults}。",
                ),
                time=clock(evidence, last.t),
                faults=listed(_lacks(last, params)),
            )
            return failed(reason, expected=expected, actual=_shown(last), evidence=here)
        if wills:
            topics = names(dict.fromkeys(r.subject for r in wills))
            reason = tr(
                "No will was published on {topic}; wills on other topics: {n}.",
                "{topic} 上沒有遺囑發佈；其他主題上有 {n} 條。",
                "{topic} 上没有遗嘱发布；其他主题上有 {n} 条。",
            ).format(topic=params.topic, n=len(wills))
            return failed(reason, expected=expected, actual=topics, evidence=wills)
        return _never(evidence, params, expected)


def _never(evidence: Evidence, params: PublishedWillParams, expected: str) -> Outcome:
    """No will was published at all: was one left with the broker, and how did its connections end?"""
    connects = [r for r in evidence.of("mqtt", "connect") if r.status == 0 and fits(params.client, r.app)]
    left = [r for r in connects if isinstance(r.detail.get("will"), dict)]
    if not left:
        reason = tr("No client left a will with the broker.", "沒有客戶端設置遺囑。", "没有客户端设置遗嘱。")
        return failed(reason, expected=expected, evidence=connects)
    reason = tr(
        "A will was left ({n}), but every such client took its leave or is still there.",
        "已設置遺囑（{n} 次），但這些客戶端均正常斷開或仍然在線。",
        "已设置遗嘱（{n} 次），但这些客户端均正常断开或仍然在线。",
    )
    advice = tr(
        "A will is published when the connection ends without a DISCONNECT: kill the client, or cut its network.",
        "連接在沒有 DISCONNECT 的情況下結束時才發佈遺囑：請終止客戶端進程，或切斷其網絡。",
        "连接在没有 DISCONNECT 的情况下结束时才发布遗嘱：请终止客户端进程，或切断其网络。",
    )
    return failed(reason.format(n=len(left)), expected=expected, evidence=left, help=advice)


def _lacks(record: Record, params: PublishedWillParams) -> list[Text | str]:
    payload = record.values[0] if record.values else ""
    will = {**record.detail, "topic": record.subject, "payload": payload}
    return will_faults(will, params)


def _shown(record: Record) -> str:
    payload = str(record.values[0])[:60] if record.values else ""
    return f"{record.subject}: {payload}, QoS {record.detail.get('qos', 0)}" + (
        ", retain" if record.detail.get("retain") else ""
    )


def _asked(params: PublishedWillParams) -> str:
    parts = [
        params.topic,
        f"QoS {params.qos}" if params.qos is not None else "",
        "" if params.retain is None else f"retain {'true' if params.retain else 'false'}",
        params.payload or "",
    ]
    return ", ".join(part for part in parts if part)
