"""The check of what clients ask REST services for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from grader.acts import judge_acts
from grader.check import Check, Params
from grader.outcome import Outcome, failed
from grader.payload import find
from grader.truth import plain
from grader.words import names, number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import DevicePath
from labsim.text import Text, tr

_REQUESTS = tr("requests", "請求", "请求")


class RequestedParams(Params):
    """Parameters of `Requested`."""

    device: DevicePath = Field(description="The device whose service is asked.")
    request: str | None = Field(
        None, description="What it is asked, by the name of the route in its manual; any when left out."
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = Field(None, description="The HTTP method.")
    asked: Mapping[str, float | bool | str] = Field(
        {},
        description="Values that the request has to carry, as dotted paths: `path.order`, `query.state`, `body.good`.",
    )
    user: str | None = Field(None, description="Only requests of this user count; an empty text means anonymous.")
    result: Literal["good", "refused"] = Field(
        "good", description="Whether it has to be answered below 400, or must be seen to be refused."
    )
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How many such requests there must be.")


class Requested(Check[RequestedParams]):
    """A client has asked a device's REST service for something, and was answered (or, with `result: refused`, was not).

    One request must have all of what is given. Text is compared without regard to case and width.

    Example::

        http.requested: {device: mes1, request: report, asked: {path.order: WO-17, body.good: 40}, user: line, marks: 2}
    """

    name = "http.requested"
    sentence = tr(
        "The REST service of {p.device} is asked", "調用 {p.device} 的 REST 服務", "调用 {p.device} 的 REST 服务"
    )
    Params = RequestedParams

    def title(self, params: RequestedParams) -> Text:
        """Names what is asked."""
        if params.request is None:
            return self.sentence.format(p=params)
        return tr(
            "The REST service of {p.device} is asked: {p.request}",
            "調用 {p.device} 的 REST 服務：{p.request}",
            "调用 {p.device} 的 REST 服务：{p.request}",
        ).format(p=params)

    def judge(self, evidence: Evidence, params: RequestedParams) -> Outcome:
        """Count requests that have everything; else say what the nearest lacked."""
        every = [r for r in evidence.of("http", "request") if r.device == params.device]
        mine = [
            r
            for r in every
            if params.request in (None, r.detail.get("name")) and params.method in (None, r.detail.get("method"))
        ]
        expected = _expected(params)
        if not mine:
            reason = tr(
                "{device} was not asked for that (requests in all: {n}).",
                "{device} 未被如此請求（請求共 {n} 次）。",
                "{device} 未被如此请求（请求共 {n} 次）。",
            ).format(device=params.device, n=len(every))
            seen = names(dict.fromkeys(_shown(r) for r in every))
            return failed(reason, expected=expected, actual=seen or None, evidence=every)
        return judge_acts(
            evidence,
            mine,
            lambda r: _lacking(r, params),
            named=_REQUESTS,
            least=params.at_least,
            expected=expected,
            shown=_shown,
        )


def _lacking(record: Record, params: RequestedParams) -> list[Text | str]:
    given = record.detail.get("asked") or {}
    lacks: list[Text | str] = [path for path, want in params.asked.items() if not _same(find(given, path), want)]
    if params.user is not None and record.user != params.user:
        lacks.append(tr("user", "用戶", "用户"))
    if (record.status == 0) != (params.result == "good"):
        lacks.append(tr("result ({code})", "結果（{code}）", "结果（{code}）").format(code=record.detail.get("code")))
    return lacks


def _same(got: object, want: float | bool | str) -> bool:
    if isinstance(got, bool) or isinstance(want, bool):
        return got is want
    if isinstance(got, (int, float)) and isinstance(want, (int, float)):
        return got == want
    return isinstance(got, (str, int, float)) and plain(str(got)) == plain(number(want))


def _expected(params: RequestedParams) -> str | None:
    parts = (params.method, params.request, *params.asked, params.user, params.result)
    return ", ".join(part for part in parts if part)


def _shown(record: Record) -> str:
    return number(f"{record.detail.get('method', '')} {record.subject} {record.detail.get('code', '')}".strip())
