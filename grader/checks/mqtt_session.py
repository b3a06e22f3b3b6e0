"""The check that a client's session outlived its connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.payload import topic_matches
from grader.topic import TopicFilter, unshared
from grader.window import nanoseconds
from grader.words import clock, duration
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.text import Text, tr


class SessionParams(Params):
    """Parameters of `PersistentSession`."""

    topic: TopicFilter = Field("#", description="Only messages on this topic (or filter) count.")
    client: Regex | None = Field(None, description="A regular expression that the whole client id must match.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="Messages that must have been sent while it was away.")
    away: Duration = Field(0.0, description="How long it must have been away.")


class PersistentSession(Check[SessionParams]):
    """A subscriber goes away, comes back to its session, and gets what was sent meanwhile.

    The client has subscribed with QoS 1 or 2, its connection ends, others publish with QoS 1 or 2 on a topic that it
    subscribed to, and it connects again with the same client id, so that the broker goes on with the session (session
    present); then the broker delivers what it kept. Messages that the broker had to drop do not count.

    Example::

        mqtt.session: {topic: site1/+/door, client: "portal-.*", at_least: 3, marks: 3}
    """

    name = "mqtt.session"
    sentence = tr(
        "A session is resumed and gets what was sent on {p.topic} meanwhile",
        "會話恢復後收到期間在 {p.topic} 上發送的消息",
        "会话恢复后收到期间在 {p.topic} 上发送的消息",
    )
    Params = SessionParams

    def judge(self, evidence: Evidence, params: SessionParams) -> Outcome:
        """Look for the absence with the most messages."""
        expected = f"≥ {params.at_least}"
        filters: dict[str, dict[str, int]] = {}
        left: dict[str, Record] = {}
        best: tuple[int, list[Record]] = (-1, [])
        fresh, resumed = 0, 0
        publishes = [r for r in evidence.of("mqtt", "publish") if r.status == 0 and r.detail.get("qos", 0) > 0]
        for record in evidence.of("mqtt"):
            who = record.app
            if record.kind == "subscribe" and record.status == 0:
                filters.setdefault(who, {})[record.subject] = int(
                    record.detail.get("granted", record.detail.get("qos", 0))
                )
            elif record.kind == "unsubscribe":
                filters.get(who, {}).pop(record.subject, None)
            elif record.kind in ("close", "takeover", "disconnect", "timeout") and who:
                left.setdefault(who, record)
            elif record.kind == "connect" and record.status == 0:
                gone = left.pop(who, None)
                if not record.detail.get("resumed"):
                    filters.pop(who, None)
                    fresh += gone is not None and fits(params.client, who)
                    continue
                if gone is None or not fits(params.client, who) or record.t - gone.t < nanoseconds(params.away):
                    continue
                resumed += 1
                mine = [pattern for pattern, qos in filters.get(who, {}).items() if qos > 0]
                sent = [
                    r
                    for r in publishes
                    if gone.seq < r.seq < record.seq
                    and topic_matches(params.topic, r.subject)
                    and any(topic_matches(unshared(pattern), r.subject) for pattern in mine)
                ]
                lost = sum(
                    int(r.detail.get("lost", 1))
                    for r in evidence.of("mqtt", "drop")
                    if r.app == who and gone.seq < r.seq < record.seq
                )
                best = max(best, (len(sent) - lost, [gone, *sent, record]), key=lambda found: found[0])
        count, rows = best
        if count >= params.at_least:
            reason = tr(
                "The session of {who} was resumed at {time} after {away}; messages sent meanwhile: {n}.",
                "{who} 的會話在離開 {away} 後於 {time} 恢復；期間發送的消息：{n} 條。",
                "{who} 的会话在离开 {away} 后于 {time} 恢复；期间发送的消息：{n} 条。",
            ).format(
                who=rows[-1].app,
                time=clock(evidence, rows[-1].t),
                away=duration((rows[-1].t - rows[0].t) / 1e9),
                n=count,
            )
            return passed(reason, expected=expected, actual=str(count), evidence=rows)
        return failed(
            _why(resumed, fresh, count).format(n=max(count, 0), least=params.at_least),
            expected=expected,
            actual=str(max(count, 0)),
            evidence=rows,
            help=tr(
                "Keep the client id, do not ask for a clean session, and subscribe with QoS 1.",
                "保持客戶端標識不變，不要求清除會話，並以 QoS 1 訂閱。",
                "保持客户端标识不变，不要求清除会话，并以 QoS 1 订阅。",
            ),
        )


def _why(resumed: int, fresh: int, count: int) -> Text:
    if resumed:
        if count < 0:
            count = 0
        return tr(
            "A session was resumed, but messages for it meanwhile: {n} of {least}.",
            "會話已恢復，但期間發給它的消息為 {n} 條，需要 {least} 條。",
            "会话已恢复，但期间发给它的消息为 {n} 条，需要 {least} 条。",
        )
    if fresh:
        return tr(
            "A client came back, but with a new session.",
            "客戶端已返回，但使用了新會話。",
            "客户端已返回，但使用了新会话。",
        )
    return tr("No client came back.", "沒有客戶端返回。", "没有客户端返回。")
