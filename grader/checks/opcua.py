"""Checks of sessions, reads and writes over OPC UA."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from grader.outcome import Outcome, failed, partly, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock, fill, listed, names
from grader.writes import judge_writes
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


def listed_policy(value: Any) -> Any:
    """One policy stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class SessionParams(ServerParams):
    """Parameters of `Session`."""

    user: str | None = Field(None, description="The user name of the session.")
    policy: Annotated[tuple[str, ...], BeforeValidator(listed_policy)] = Field(
        (),
        description="The security policy, or several that are all right, as in `Basic256Sha256`.",
    )
    mode: Literal["None", "Sign", "SignAndEncrypt"] | None = Field(None, description="The message security mode.")
    identity: Literal["anonymous", "username", "x509"] | None = Field(None, description="How the user proved itself.")
    role: Literal["Anonymous", "Observer", "Operator", "Engineer", "SecurityAdmin"] | None = Field(
        None, description="The role the user has."
    )
    app: str | None = Field(None, description="The application URI that the client calls itself.")


class Session(ServerCheck[SessionParams]):
    """A client has activated an OPC UA session of the kind that is asked for.

    One session must have all of what is given; whenever it was. A session that was refused does not count.

    Example::

        opcua.session: {user: operator, policy: [Basic256Sha256], mode: SignAndEncrypt, marks: 3}
    """

    name = "opcua.session"
    sentence = tr("An OPC UA session is active as asked", "按要求建立 OPC UA 會話", "按要求建立 OPC UA 会话")
    Params = SessionParams

    def judge_here(self, evidence: Evidence, params: SessionParams) -> Outcome:
        """Look for a session that has everything; else say what the nearest lacked."""
        sessions = [r for r in evidence.of("opcua", "session") if r.status == 0]
        expected = _asked(params)
        if not sessions:
            tried = [r for r in evidence.of("opcua") if r.kind in ("open", "reject", "session")]
            connected = sum(r.kind == "open" for r in tried)
            refused = [str(r.detail.get("reason", "")) for r in tried if r.kind == "reject"]
            reason = tr(
                "No OPC UA session was activated (connections: {n}).",
                "沒有激活的 OPC UA 會話（連接 {n} 次）。",
                "没有激活的 OPC UA 会话（连接 {n} 次）。",
            ).format(n=connected)
            return failed(reason, expected=expected, actual=refused[-1] if refused else None, evidence=tried)
        lacking = {r.seq: _lacking(r, params) for r in sessions}
        nearest = min(sessions, key=lambda r: (len(lacking[r.seq]), r.seq))
        if not lacking[nearest.seq]:
            whole = [r for r in sessions if not lacking[r.seq]]
            reason = tr("A session was active from {time}.", "會話自 {time} 起有效。", "会话自 {time} 起有效。")
            return passed(
                reason.format(time=clock(evidence, nearest.t)), expected=expected, actual=_had(nearest), evidence=whole
            )
        reason = fill(
            tr(
                "None of the sessions ({n}) fits; the nearest, at {time}, differs in: {lacks}.",
                "{n} 個會話均不符合；最接近的一個（{time}）不符之處：{lacks}。",
                "{n} 个会话均不符合；最接近的一个（{time}）不符之处：{lacks}。",
            ),
            n=len(sessions),
            time=clock(evidence, nearest.t),
            lacks=listed(lacking[nearest.seq]),
        )
        return failed(reason, expected=expected, actual=_had(nearest), evidence=sessions)


def policy_name(uri: object) -> str:
    """The last part of a security policy URI."""
    return str(uri).rpartition("#")[2]


def _lacking(record: Record, params: SessionParams) -> list[Text]:
    had = record.detail
    return [
        name
        for name, wrong in (
            (tr("user", "用戶", "用户"), params.user is not None and record.user != params.user),
            (
                tr("security policy", "安全策略", "安全策略"),
                bool(params.policy) and policy_name(had.get("policy", "None")) not in params.policy,
            ),
            (
                tr("security mode", "安全模式", "安全模式"),
                params.mode is not None and had.get("mode", "None") != params.mode,
            ),
            (
                tr("identity", "身份方式", "身份方式"),
                params.identity is not None and had.get("identity", "anonymous") != params.identity,
            ),
            (tr("role", "角色", "角色"), params.role is not None and had.get("role", "") != params.role),
            (
                tr("application URI", "應用程序 URI", "应用程序 URI"),
                params.app is not None and record.app != params.app,
            ),
        )
        if wrong
    ]


def _asked(params: SessionParams) -> str | None:
    security = " / ".join(params.policy)
    parts = (security, params.mode, params.identity, params.user, params.role, params.app)
    return ", ".join(part for part in parts if part) or None


def _had(record: Record) -> str:
    had = record.detail
    parts = (policy_name(had.get("policy", "None")), had.get("mode", "None"), had.get("identity", ""), record.user)
    return ", ".join(str(part) for part in parts if part)


class ReadParams(ServerParams):
    """Parameters of `Read`."""

    tags: Annotated[tuple[TagPath, ...], Field(min_length=1)] = Field(description="Tags that must be read.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How often each of them must be read.")
    together: bool = Field(False, description="All of them must come from one Read request.")


class Read(ServerCheck[ReadParams]):
    """A client has read tags over OPC UA, with a good result.

    Each tag carries an equal share of the marks, unless they must be read `together`.

    Example::

        opcua.read: {tags: [mill1.spindle_speed, mill1.state], together: true, marks: 2}
    """

    name = "opcua.read"
    sentence = tr("Read over OPC UA: {tags}", "通過 OPC UA 讀取：{tags}", "通过 OPC UA 读取：{tags}")
    Params = ReadParams

    def title(self, params: ReadParams) -> Text:
        """Names the tags."""
        return self.at(params, self.sentence.format(tags=names(params.tags)))

    def judge_here(self, evidence: Evidence, params: ReadParams) -> Outcome:
        """Count good reads of each tag, or of all in one request."""
        wanted = set(params.tags)
        reads = [r for r in evidence.of("opcua", "read") if wanted & set(r.tags)]
        if params.together:
            whole = [r for r in reads if wanted <= set(r.tags)]
            if len(whole) >= params.at_least:
                reason = tr("One request read them all.", "一次請求讀取了全部。", "一次请求读取了全部。")
                return passed(reason, evidence=whole)
            if not reads:
                return _read_others(evidence, params)
            most = max(len(wanted & set(r.tags)) for r in reads)
            reason = tr(
                "The largest request read {most} of {all} tags.",
                "最大的請求讀取了 {all} 個測點中的 {most} 個。",
                "最大的请求读取了 {all} 个测点中的 {most} 个。",
            ).format(most=most, all=len(params.tags))
            advice = tr(
                "One Read request takes a list of nodes.",
                "一個 Read 請求可包含多個節點。",
                "一个 Read 请求可包含多个节点。",
            )
            return failed(reason, expected=str(len(params.tags)), actual=str(most), evidence=reads, help=advice)
        counts = {tag: sum(tag in r.tags for r in reads) for tag in params.tags}
        missing = [tag for tag, count in counts.items() if count < params.at_least]
        share = 1 - len(missing) / len(params.tags)
        if not missing:
            reason = tr("Tags read: {n} of {n}.", "已讀取 {n}/{n} 個測點。", "已读取 {n}/{n} 个测点。")
            return passed(reason.format(n=len(params.tags)), evidence=reads)
        if not reads:
            return _read_others(evidence, params)
        reason = tr(
            "Tags read with a good result at least {least} times: {n} of {all}; not: {missing}.",
            "{all} 個測點中有 {n} 個以良好結果讀取了 {least} 次；未達到：{missing}。",
            "{all} 个测点中有 {n} 个以良好结果读取了 {least} 次；未达到：{missing}。",
        ).format(n=len(params.tags) - len(missing), all=len(params.tags), least=params.at_least, missing=names(missing))
        return partly(share, reason, evidence=reads)


def _read_others(evidence: Evidence, params: ReadParams) -> Outcome:
    """None of the tags was read: say which were, since the wrong device is a usual reason."""
    every = evidence.of("opcua", "read")
    others = list(dict.fromkeys(tag for r in every for tag in r.tags))
    reason = tr(
        "None of {tags} was read with a good result (Read requests in all: {n}).",
        "{tags} 均未以良好結果讀取（Read 請求共 {n} 次）。",
        "{tags} 均未以良好结果读取（Read 请求共 {n} 次）。",
    ).format(tags=names(params.tags), n=len(every))
    return failed(reason, expected=names(params.tags), actual=names(others) or None, evidence=every)


class WroteParams(ServerParams):
    """Parameters of `Wrote`."""

    tag: TagPath = Field(description="The tag that must be written.")
    value: float | bool | str | None = Field(None, description="The value, in the tag's unit; any when left out.")
    tolerance: ToleranceField = Field(Tolerance(relative=1e-6), description="How far the value may be off.")
    user: str | None = Field(None, description="Only writes of this user count; an empty text means anonymous.")
    result: Literal["good", "refused"] = Field(
        "good", description="Whether the server has to take the value, or must be seen to refuse it."
    )


class Wrote(ServerCheck[WroteParams]):
    """A client has written a tag over OPC UA, and the server took the value (or, with `result: refused`, would not).

    Example::

        opcua.wrote: {tag: mill1.feed_override, value: 80, user: operator, marks: 2}
    """

    name = "opcua.wrote"
    sentence = tr("{p.tag} is written over OPC UA", "通過 OPC UA 寫入 {p.tag}", "通过 OPC UA 写入 {p.tag}")
    Params = WroteParams

    def title(self, params: WroteParams) -> Text:
        """Names the tag, and whether it has to be refused."""
        if params.result == "good":
            return super().title(params)
        refused = tr(
            "A write to {p.tag} is refused over OPC UA",
            "OPC UA 拒絕對 {p.tag} 的寫入",
            "OPC UA 拒绝对 {p.tag} 的写入",
        )
        return self.at(params, refused.format(p=params))

    def judge_here(self, evidence: Evidence, params: WroteParams) -> Outcome:
        """Look for a write with the value and the result."""
        writes = [
            r
            for r in evidence.of("opcua", "write")
            if params.tag in r.tags and (params.user is None or r.user == params.user)
        ]
        if params.result == "good":
            return judge_writes(evidence, params.tag, params.value, params.tolerance, writes)
        refused = [r for r in writes if r.status >> 30 & 3 == 2]
        if refused:
            reason = tr("The write at {time} was refused.", "{time} 的寫入被拒絕。", "{time} 的写入被拒绝。")
            return passed(
                reason.format(time=clock(evidence, refused[0].t)),
                actual=f"0x{refused[0].status:08X}",
                evidence=refused,
            )
        reason = tr(
            "No write to {tag} was refused (accepted: {n}).",
            "對 {tag} 的寫入無一被拒絕（{n} 次被接受）。",
            "对 {tag} 的写入无一被拒绝（{n} 次被接受）。",
        ).format(tag=params.tag, n=len(writes))
        return failed(reason, evidence=writes)
