"""Checks of how OPC UA sessions end, and of those that must not be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from grader.check import Check, Params
from grader.checks.never import untouched
from grader.checks.opcua import listed_policy, policy_name
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.server import ServerCheck, ServerParams
from grader.words import clock, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


class ClosedParams(ServerParams):
    """Parameters of `Closed`."""

    subscriptions: bool = Field(
        False, description="Every subscription must have been deleted by its client before its session was closed."
    )
    app: Regex | None = Field(None, description="Only clients whose whole application URI fits this expression count.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="Sessions that must have been closed so.")


class Closed(ServerCheck[ClosedParams]):
    """Clients end their OPC UA sessions themselves, and leave nothing behind.

    The last session of each client must have ended with CloseSession; one that was cut, timed out or is still open has not.
    Earlier sessions may have been cut, as by a fault. With `subscriptions` each subscription with a monitored item in a
    session that was closed must have been deleted before (DeleteSubscriptions, or all of its items).

    Example::

        opcua.closed: {subscriptions: true, marks: 1}
    """

    name = "opcua.closed"
    judges = "standing"
    sentence = tr("OPC UA sessions are closed cleanly", "OPC UA 會話正常關閉", "OPC UA 会话正常关闭")
    Params = ClosedParams

    def judge_here(self, evidence: Evidence, params: ClosedParams) -> Outcome:
        """Look at the last session of each client."""
        last: dict[str, Record] = {}
        for record in evidence.of("opcua", "session"):
            if record.status == 0 and fits(params.app, record.app):
                last[record.app or record.client.rpartition(":")[0]] = record
        if not last:
            return failed(tr("There was no session.", "沒有會話。", "没有会话。"))
        closes = {
            (r.session, _epoch(evidence, r)): r
            for r in evidence.of("opcua", "session-close")
            if not r.detail.get("reason")
        }
        good: list[tuple[str, Record, Record]] = []
        bad: list[tuple[str, Record]] = []
        for who, record in last.items():
            close = closes.get((record.session, _epoch(evidence, record)))
            if close is not None and close.seq > record.seq:
                good.append((who, record, close))
            else:
                bad.append((who, record))
        if bad:
            who, record = bad[0]
            reason = tr(
                "The session of {who} from {time} was not closed.",
                "{who} 自 {time} 起的會話未關閉。",
                "{who} 自 {time} 起的会话未关闭。",
            ).format(who=who, time=clock(evidence, record.t))
            return failed(reason, actual=names(who for who, _ in bad), evidence=[r for _, r in bad])
        rows = [r for _, record, close in good for r in (record, close)]
        if params.subscriptions:
            left = [each for _, record, close in good for each in _left(evidence, record, close)]
            if left:
                reason = tr(
                    "Subscriptions that were not deleted before the session was closed: {n}.",
                    "會話關閉前未刪除的訂閱：{n} 個。",
                    "会话关闭前未删除的订阅：{n} 个。",
                ).format(n=len(left))
                advice = tr(
                    "Delete the subscription before the session is closed.",
                    "請在關閉會話之前刪除訂閱。",
                    "请在关闭会话之前删除订阅。",
                )
                return failed(reason, actual=names(map(str, left)), evidence=rows, help=advice)
        if len(good) < params.at_least:
            return untouched(len(good), params.at_least, rows)
        reason = tr("Sessions that were closed: {n}.", "已關閉 {n} 個會話。", "已关闭 {n} 个会话。").format(n=len(good))
        return passed(reason, actual=str(len(good)), evidence=rows)


def _epoch(evidence: Evidence, record: Record) -> int:
    """The run of the host: session ids are unique in one."""
    return sum(start.seq <= record.seq for start in evidence.of("lab", "host-start"))


def _left(evidence: Evidence, opened: Record, closed: Record) -> list[object]:
    """Subscriptions of a session whose items were not all deleted before it was closed."""
    items: dict[object, set[object]] = {}
    for record in evidence.of("opcua"):
        if record.session != opened.session or not opened.seq < record.seq < closed.seq:
            continue
        subscription = record.detail.get("subscription")
        if record.kind == "subscribe" and record.status >> 30 == 0:
            items.setdefault(subscription, set()).add(record.detail.get("item"))
        elif record.kind == "unsubscribe":
            gone = record.detail.get("items")
            items.setdefault(subscription, set()).difference_update(gone if isinstance(gone, list) else ())
            if not gone:
                items[subscription] = set()
    return [subscription for subscription, left in items.items() if left]


class NoSessionParams(Params):
    """Parameters of `NoSession`."""

    identity: Literal["anonymous", "username", "x509"] | None = Field(None, description="How the user proved itself.")
    user: str | None = Field(None, description="The user name.")
    policy: Annotated[tuple[str, ...], BeforeValidator(listed_policy)] = Field(
        (), description="Security policies, such as `None` or `Basic256`."
    )
    mode: Literal["None", "Sign", "SignAndEncrypt"] | None = Field(None, description="The message security mode.")
    server: str | None = Field(None, description="The server, by the `name` of its endpoint in the scenario.")
    at_least: Annotated[int, Field(ge=0)] = Field(
        1, description="Sessions of another kind that must be there for it to count; 0 for penalties."
    )

    @model_validator(mode="after")
    def _something(self) -> NoSessionParams:
        if not (self.identity or self.user is not None or self.policy or self.mode or self.server):
            raise ValueError("give at least one of 'identity', 'user', 'policy', 'mode' and 'server'")
        return self


class NoSession(Check[NoSessionParams]):
    """No client has an OPC UA session of a kind that must not be: anonymous, unencrypted, at an impostor.

    A session counts when it has all of what is given. It passes only once there were `at_least` other sessions. With
    `when: {from: …}` only sessions that begin from then on count.

    Example::

        opcua.no-session: {policy: None, when: {from: 20 min}, marks: 2}
    """

    name = "opcua.no-session"
    judges = "absence"
    sentence = tr("No such OPC UA session: {what}", "沒有此類 OPC UA 會話：{what}", "没有此类 OPC UA 会话：{what}")
    Params = NoSessionParams

    def title(self, params: NoSessionParams) -> Text:
        """Names the kind."""
        kind = (params.identity, params.user, *params.policy, params.mode, params.server)
        return self.sentence.format(what=", ".join(part for part in kind if part))

    def judge(self, evidence: Evidence, params: NoSessionParams) -> Outcome:
        """Look for the first session of the kind."""
        sessions = [r for r in evidence.of("opcua", "session") if r.status == 0]
        done = [r for r in sessions if _is_kind(r, params)]
        if done:
            first = done[0]
            reason = tr(
                "{who} had such a session at {time}: {what}.",
                "{who} 於 {time} 有此類會話：{what}。",
                "{who} 于 {time} 有此类会话：{what}。",
            ).format(who=first.app or first.client, time=clock(evidence, first.t), what=_had(first))
            return failed(reason, expected="0", actual=str(len(done)), evidence=done, times=len(done))
        if len(sessions) < params.at_least:
            return untouched(len(sessions), params.at_least, sessions)
        reason = tr("There was none.", "沒有。", "没有。")
        return passed(reason, expected="0", actual="0", evidence=sessions)


def _had(record: Record) -> str:
    had = record.detail
    kind = (
        had.get("server"),
        policy_name(had.get("policy", "None")),
        had.get("mode"),
        had.get("identity"),
        record.user,
    )
    return ", ".join(str(part) for part in kind if part)


def _is_kind(record: Record, params: NoSessionParams) -> bool:
    had = record.detail
    return (
        (params.identity is None or had.get("identity", "anonymous") == params.identity)
        and (params.user is None or record.user == params.user)
        and (not params.policy or policy_name(had.get("policy", "None")) in params.policy)
        and (params.mode is None or had.get("mode", "None") == params.mode)
        and (params.server is None or had.get("server") == params.server)
    )
