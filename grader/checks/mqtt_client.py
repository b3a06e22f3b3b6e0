"""The check of how MQTT clients connect."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from grader.check import Check, Params
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.payload import topic_matches
from grader.topic import TopicFilter
from grader.window import nanoseconds
from grader.words import clock, duration, fill, listed, number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.text import Text, tr

_ID = tr("client id", "客戶端標識", "客户端标识")
_USER = tr("user", "用戶", "用户")
_CLEAN = tr("clean start", "清除會話", "清除会话")
_LEVEL = tr("protocol version", "協議版本", "协议版本")
_TLS = tr("TLS", "TLS", "TLS")
_CERTIFICATE = tr("client certificate", "客戶端證書", "客户端证书")
_KEEP_ALIVE = tr("keep-alive", "保活時間", "保活时间")
_KEPT = tr("session expiry", "會話過期時間", "会话过期时间")
_NO_WILL = tr("no will", "沒有遺囑", "没有遗嘱")
_WILL = tr("will: {part}", "遺囑的 {part}", "遗嘱的 {part}")
_TOO_SHORT = tr("it lasted {time}", "僅持續 {time}", "仅持续 {time}")
_ENCRYPTED = ("mqtts", "wss")
_FOR_EVER = 0xFFFFFFFF
"""A session expiry interval that never ends (MQTT 5.0 §3.1.2.11.2)."""
VERSIONS = {"3.1": 3, "3.1.1": 4, "5": 5}


class WillParams(Params):
    """What a will has to be."""

    topic: TopicFilter | None = Field(None, description="Its topic, or a filter for it.")
    qos: Annotated[int, Field(ge=0, le=2)] | None = Field(None, description="Its quality of service.")
    retain: bool | None = Field(None, description="Whether it is retained.")
    payload: str | None = Field(None, description="Its payload as text, exactly.")


class ConnectedParams(Params):
    """Parameters of `Connected`."""

    client: Regex | None = Field(None, description="A regular expression that the whole client id must match.")
    user: str | None = Field(None, description="The user it has proven to be; empty for nobody.")
    will: WillParams | None = Field(
        None, description="The will it must leave: `topic`, `qos`, `retain`, `payload`, each if given."
    )
    clean: bool | None = Field(None, description="Whether it begins without an old session (clean session or start).")
    kept: Duration | None = Field(
        None,
        description="How long the broker must keep the session after the connection, at least, in seconds of the wire; a 3.1.1 "
        "session that is not clean is kept for ever.",
    )
    version: Literal["3.1", "3.1.1", "5"] | None = Field(None, description="The version of MQTT.")
    tls: bool | None = Field(None, description="Whether the connection is encrypted.")
    certificate: bool | None = Field(None, description="Whether it has proven a client certificate.")
    keepalive: Duration | None = Field(
        None, description="The longest keep-alive, in seconds of the wire; none at all is longer than any."
    )
    lasting: Duration | None = Field(None, alias="for", description="How long the connection must have lasted.")


class Connected(Check[ConnectedParams]):
    """A client connects to the broker as it is asked to.

    One accepted connection must be so in everything, whenever it was; the one that comes nearest is told. The client id is
    the one in force, also when the broker gave it. `for` is plant time, from the acknowledged CONNECT to the end of the
    connection, of the lab's run or of the attempt.

    Example::

        mqtt.connected:
          client: gateway-[0-9]+
          user: gateway
          will: {topic: site1/gateway/status, qos: 1, retain: true, payload: offline}
          clean: false
          version: "3.1.1"
          tls: true
          marks: 3
    """

    name = "mqtt.connected"
    sentence = tr("{who} connects to the broker as asked", "{who} 按要求連接消息代理", "{who} 按要求连接消息代理")
    Params = ConnectedParams

    def title(self, params: ConnectedParams) -> Text:
        """Names the client."""
        who = params.client or tr("A client", "客戶端", "客户端")
        return fill(self.sentence, who=who)

    def judge(self, evidence: Evidence, params: ConnectedParams) -> Outcome:
        """Judge the connection that comes nearest."""
        asked = evidence.of("mqtt", "connect")
        accepted = [r for r in asked if r.status == 0]
        expected = _asked(params)
        if not asked:
            return failed(
                tr("No client connected to the broker.", "沒有客戶端連接消息代理。", "没有客户端连接消息代理。"),
                expected=expected,
            )
        if not accepted:
            last = asked[-1]
            reason = tr(
                "The broker refused all connections ({n}), the last at {time} with code {code}.",
                "消息代理拒絕了全部 {n} 次連接，最後一次在 {time}，返回碼 {code}。",
                "消息代理拒绝了全部 {n} 次连接，最后一次在 {time}，返回码 {code}。",
            ).format(n=len(asked), time=clock(evidence, last.t), code=last.status)
            return failed(reason, expected=expected, actual=str(last.status), evidence=asked)
        encrypted = {r.session for r in evidence.of("mqtt", "open") if r.detail.get("transport") in _ENCRYPTED}
        judged = [(r, _faults(evidence, r, params, r.session in encrypted)) for r in accepted]
        best, faults = min(judged, key=lambda pair: (len(pair[1]), _ID in pair[1], -pair[0].seq))
        actual = _settings(best, best.session in encrypted)
        if not faults:
            reason = tr(
                "{who} connected as asked at {time}.", "{who} 於 {time} 按要求連接。", "{who} 于 {time} 按要求连接。"
            ).format(who=best.app, time=clock(evidence, best.t))
            return passed(reason, expected=expected, actual=actual, evidence=[best])
        reason = fill(
            tr(
                "No connection is as asked; that of {who} at {time} differs in: {faults}.",
                "沒有符合要求的連接；{who} 在 {time} 的連接不符之處：{faults}。",
                "没有符合要求的连接；{who} 在 {time} 的连接不符之处：{faults}。",
            ),
            who=best.app,
            time=clock(evidence, best.t),
            faults=listed(faults),
        )
        return failed(reason, expected=expected, actual=actual, evidence=[best, *accepted])


def _faults(evidence: Evidence, record: Record, params: ConnectedParams, encrypted: bool) -> list[Text | str]:
    detail = record.detail
    facts: list[tuple[Text | str, bool]] = [
        (_ID, fits(params.client, record.app)),
        (_USER, params.user in (None, record.user)),
        (_LEVEL, params.version is None or detail.get("level") == VERSIONS[params.version]),
        (_CLEAN, params.clean in (None, bool(detail.get("clean")))),
        (_KEPT, params.kept is None or _kept(detail) >= params.kept),
        (_TLS, params.tls in (None, encrypted or bool(record.thumb))),
        (_CERTIFICATE, params.certificate in (None, bool(record.thumb))),
        (_KEEP_ALIVE, params.keepalive is None or 0 < _whole(detail.get("keepalive")) <= params.keepalive),
    ]
    faults = [name for name, good in facts if not good]
    if params.will is not None:
        faults += will_faults(detail.get("will"), params.will)
    if params.lasting is not None:
        lasted = _end(evidence, record) - record.t
        if lasted < nanoseconds(params.lasting):
            faults.append(_TOO_SHORT.format(time=duration(lasted / 1e9)))
    return faults


def will_faults(will: object, params: WillParams) -> list[Text | str]:
    """What a will lacks; ``will`` is the object a ``connect`` event holds, if any."""
    if not isinstance(will, dict):
        return [_NO_WILL]
    parts = (
        ("topic", params.topic is None or topic_matches(params.topic, str(will.get("topic", "")))),
        ("QoS", params.qos in (None, will.get("qos"))),
        ("retain", params.retain in (None, bool(will.get("retain")))),
        ("payload", params.payload in (None, will.get("payload"))),
    )
    return [_WILL.format(part=part) for part, good in parts if not good]


def _whole(value: object) -> float:
    return value if isinstance(value, (int, float)) else 0


def _kept(detail: dict[str, Any]) -> float:
    """Seconds that the session outlives its connection."""
    if detail.get("level") != VERSIONS["5"]:
        return 0 if detail.get("clean") else math.inf
    properties = detail.get("properties")
    seconds = _whole(properties.get("session_expiry")) if isinstance(properties, dict) else 0
    return math.inf if seconds == _FOR_EVER else seconds


def _end(evidence: Evidence, connect: Record) -> int:
    """When a connection ended: its close, a new start of the host, or the end of the attempt."""
    ends = [r for r in evidence.of("mqtt", "close") if r.session == connect.session]
    ends += evidence.of("lab", "host-start")
    return min((r.t for r in ends if r.seq > connect.seq), default=evidence.end_ns)


def _settings(record: Record, encrypted: bool) -> str:
    detail = record.detail
    level = {code: name for name, code in VERSIONS.items()}.get(detail.get("level", 0), "?")
    parts = [
        record.app,
        record.user,
        f"MQTT {level}",
        f"clean {number(bool(detail.get('clean')))}",
        f"keep-alive {detail.get('keepalive', 0)} s",
        "TLS" if encrypted or record.thumb else "",
    ]
    will = detail.get("will")
    if isinstance(will, dict):
        parts.append(f"will {will.get('topic')} QoS {will.get('qos')}{', retain' if will.get('retain') else ''}")
    return ", ".join(number(part) for part in parts if part)


def _asked(params: ConnectedParams) -> str | None:
    will = params.will
    parts = [
        params.client or "",
        params.user or "",
        f"MQTT {params.version}" if params.version else "",
        f"clean {number(params.clean)}" if params.clean is not None else "",
        f"session ≥ {duration(params.kept)}" if params.kept is not None else "",
        f"keep-alive ≤ {duration(params.keepalive)}" if params.keepalive is not None else "",
        "" if params.tls is None else "TLS" if params.tls else "no TLS",
    ]
    if will is not None:
        parts.append(
            f"will {will.topic or ''}"
            + (f" QoS {will.qos}" if will.qos is not None else "")
            + (f", retain {number(will.retain)}" if will.retain is not None else "")
        )
    if params.lasting is not None:
        parts.append(f"≥ {duration(params.lasting)}")
    return ", ".join(part for part in parts if part) or None
