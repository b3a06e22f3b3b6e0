"""The check about a client's certificate: refused, then trusted, then in use."""

from __future__ import annotations

from pydantic import Field

from grader.outcome import Outcome, failed, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.text import tr


class CertificateParams(ServerParams):
    """Parameters of `Certificate`."""

    refused_first: bool = Field(True, description="The server must have refused the certificate before.")
    user: str | None = Field(None, description="Only a session of this user counts; an empty text means anonymous.")


class Certificate(ServerCheck[CertificateParams]):
    """A client's own certificate is on the server's trust list and in use.

    The server refused it (unless `refused_first: false`), somebody put it or its authority on the list, and a session was
    then activated over a channel that is signed or encrypted with it. A certificate that was refused again afterwards is
    not in force. It needs a server with `security: {trust: list}`.

    Example::

        opcua.certificate: {marks: 4}
    """

    name = "opcua.certificate"
    sentence = tr(
        "The client's certificate is trusted and in use",
        "客戶端證書已受信任並在使用",
        "客户端证书已受信任并在使用",
    )
    Params = CertificateParams

    def judge_here(self, evidence: Evidence, params: CertificateParams) -> Outcome:
        """Look for a session with a certificate that went the whole way."""
        told = [r for r in evidence.of("opcua", "certificate") if r.detail.get("of") == "client"]
        sessions = [
            r
            for r in evidence.of("opcua", "session")
            if r.status == 0 and r.thumb and r.detail.get("mode", "None") != "None"
        ]
        way = {thumb: _Way(thumb, told, sessions, params) for thumb in dict.fromkeys(_thumb(r) for r in told)}
        whole = [one for one in way.values() if one.session is not None and one.lost is None]
        if whole:
            best = whole[0]
            assert best.session is not None
            reason = tr(
                "The certificate {thumb} was let in, and a session used it at {time}.",
                "證書 {thumb} 已獲准進入，並在 {time} 用於會話。",
                "证书 {thumb} 已获准进入，并在 {time} 用于会话。",
            ).format(thumb=best.thumb, time=clock(evidence, best.session.t))
            return passed(reason, actual=best.thumb, evidence=best.records)
        if not way:
            reason = tr(
                "No client has shown a certificate to the trust list.",
                "沒有客戶端向信任列表出示過證書。",
                "没有客户端向信任列表出示过证书。",
            )
            advice = tr(
                "Connect with a security mode other than None: the client then shows its certificate.",
                "請以 None 以外的安全模式連接：客戶端隨即出示其證書。",
                "请以 None 以外的安全模式连接：客户端随即出示其证书。",
            )
            return failed(reason, evidence=sessions, help=advice)
        nearest = max(way.values(), key=lambda one: one.reached)
        return nearest.failure()


def _thumb(record: Record) -> str:
    return str(record.detail.get("thumbprint", ""))


class _Way:
    """How far one certificate came: refused, trusted, in use, and not lost since."""

    def __init__(self, thumb: str, told: list[Record], sessions: list[Record], params: CertificateParams) -> None:
        own = [r for r in told if _thumb(r) == thumb]
        self.thumb = thumb
        self.refused = next((r for r in own if r.detail.get("action") == "rejected"), None)
        start = self.refused.seq if self.refused is not None else 0 if not params.refused_first else None
        self.trusted = next(
            (r for r in own if start is not None and r.detail.get("action") == "trusted" and r.seq > start), None
        )
        self.let_in = any(r.detail.get("action") == "trusted" for r in own)
        used = [
            r
            for r in sessions
            if self.trusted is not None
            and r.thumb == thumb
            and r.seq > self.trusted.seq
            and (params.user is None or r.user == params.user)
        ]
        self.session = used[-1] if used else None
        self.lost = next(
            (r for r in own if self.session and r.seq > self.session.seq and r.detail.get("action") == "rejected"), None
        )
        self.records = [r for r in (self.refused, self.trusted, self.session, self.lost) if r is not None]

    @property
    def reached(self) -> int:
        """How many steps were made."""
        return len(self.records)

    def failure(self) -> Outcome:
        """What is missing."""
        help_ = None
        if self.lost is not None:
            reason = tr(
                "The certificate {thumb} was in use, then refused again: {why}.",
                "證書 {thumb} 曾在使用，其後又被拒絕：{why}。",
                "证书 {thumb} 曾在使用，其后又被拒绝：{why}。",
            ).format(thumb=self.thumb, why=self.lost.detail.get("reason", ""))
        elif self.trusted is not None:
            reason = tr(
                "The certificate {thumb} was let in, but no session as asked used it.",
                "證書 {thumb} 已獲准進入，但沒有符合要求的會話使用它。",
                "证书 {thumb} 已获准进入，但没有符合要求的会话使用它。",
            ).format(thumb=self.thumb)
        elif self.refused is not None:
            reason = tr(
                "The certificate {thumb} was refused ({why}) and not let in since.",
                "證書 {thumb} 被拒絕（{why}），此後未獲准進入。",
                "证书 {thumb} 被拒绝（{why}），此后未获准进入。",
            ).format(thumb=self.thumb, why=self.refused.detail.get("reason", ""))
            help_ = tr(
                "The server keeps refused certificates in pki/rejected; what lies in pki/trusted/certs is let in.",
                "服務器把被拒絕的證書存於 pki/rejected；放在 pki/trusted/certs 中的證書獲准進入。",
                "服务器把被拒绝的证书存于 pki/rejected；放在 pki/trusted/certs 中的证书获准进入。",
            )
        else:
            reason = tr(
                "The certificate {thumb} was let in without having been refused before.",
                "證書 {thumb} 獲准進入，但此前未曾被拒絕。",
                "证书 {thumb} 获准进入，但此前未曾被拒绝。",
            ).format(thumb=self.thumb)
        return failed(reason, actual=self.thumb, evidence=self.records, help=help_)
