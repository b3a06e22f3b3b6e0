"""Check of methods called over OPC UA."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.acts import judge_acts
from grader.outcome import Outcome, failed
from grader.server import ServerCheck, ServerParams
from grader.words import number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance
from labsim.scenario.fields import MethodPath
from labsim.text import Text, tr

_STANDARD = {
    "ConditionRefresh": ("i=3875", "i=12912"),
    "CreateSigningRequest": ("i=12737", "i=12731"),
    "UpdateCertificate": ("i=13737", "i=12616"),
    "ApplyChanges": ("i=12740", "i=12734"),
    "GetRejectedList": ("i=12777", "i=12775"),
}
"""Node ids of methods of the server (OPC 10000-6 annex A): ConditionRefresh and its second form, others of object and type."""
_CALLS = tr("calls", "調用", "调用")
_EXACTLY = Tolerance(relative=1e-6)


class CalledParams(ServerParams):
    """Parameters of `Called`."""

    method: MethodPath | None = Field(None, description="The device's method, by the name its manual gives the call.")
    standard: (
        Literal["ConditionRefresh", "CreateSigningRequest", "UpdateCertificate", "ApplyChanges", "GetRejectedList"]
        | None
    ) = Field(None, description="Or a method of the server itself, by the name that OPC UA gives it.")
    arguments: tuple[float | bool | str | None, ...] | None = Field(
        None, description="The arguments in order, `null` for any; all may be any when left out."
    )
    user: str | None = Field(None, description="Only calls of this user count; an empty text means anonymous.")
    result: Literal["good", "refused"] = Field(
        "good", description="Whether the device has to do it, or must be seen to refuse it."
    )
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How many such calls there must be.")

    @model_validator(mode="after")
    def _one(self) -> CalledParams:
        if (self.method is None) == (self.standard is None):
            raise ValueError("give 'method' or 'standard'")
        return self

    @property
    def called(self) -> str:
        """What is called, as a person reads it."""
        return self.method or self.standard or ""


class Called(ServerCheck[CalledParams]):
    """A client has called a method of a device over OPC UA, and the device did it (or, with `result: refused`, would not).

    Example::

        opcua.called: {method: mill1.start_job, arguments: [FLANGE-20, null], user: operator, marks: 2}

    Example::

        opcua.called: {standard: UpdateCertificate, user: admin, marks: 2}
    """

    name = "opcua.called"
    sentence = tr(
        "{p.called} is called over OPC UA",
        "通過 OPC UA 調用 {p.called}",
        "通过 OPC UA 调用 {p.called}",
    )
    Params = CalledParams

    def title(self, params: CalledParams) -> Text:
        """Names the method, and whether it has to be refused."""
        if params.result == "good":
            return super().title(params)
        refused = tr(
            "A call of {p.called} is refused over OPC UA",
            "OPC UA 拒絕調用 {p.called}",
            "OPC UA 拒绝调用 {p.called}",
        )
        return self.at(params, refused.format(p=params))

    def judge_here(self, evidence: Evidence, params: CalledParams) -> Outcome:
        """Count calls that have everything; else say what the nearest lacked."""
        calls = [r for r in evidence.of("opcua", "call") if _is_it(r, params)]
        expected = (
            None if params.arguments is None else ", ".join("*" if a is None else number(a) for a in params.arguments)
        )
        if not calls:
            reason = tr("{what} was never called.", "{what} 從未被調用。", "{what} 从未被调用。")
            return failed(reason.format(what=params.called), expected=expected)
        return judge_acts(
            evidence,
            calls,
            lambda r: _lacking(r, params),
            named=_CALLS,
            least=params.at_least,
            expected=expected,
            shown=_given,
        )


def _is_it(record: Record, params: CalledParams) -> bool:
    if params.standard is not None:
        return record.detail.get("method") in _STANDARD[params.standard]
    return f"{record.device}.{record.detail.get('name')}" == params.method


def _lacking(record: Record, params: CalledParams) -> list[Text]:
    good = record.status >> 30 == 0
    return [
        name
        for name, wrong in (
            (tr("user", "用戶", "用户"), params.user is not None and record.user != params.user),
            (tr("arguments", "參數", "参数"), not _fits(record.detail.get("arguments") or [], params.arguments)),
            (
                tr("result (0x{code:08X})", "結果（0x{code:08X}）", "结果（0x{code:08X}）").format(code=record.status),
                good != (params.result == "good"),
            ),
        )
        if wrong
    ]


def _fits(given: list[object], wanted: tuple[float | bool | str | None, ...] | None) -> bool:
    if wanted is None:
        return True
    return len(given) == len(wanted) and all(
        want is None or _same(got, want) for got, want in zip(given, wanted, strict=True)
    )


def _same(got: object, want: float | bool | str) -> bool:
    if isinstance(got, (int, float)) and isinstance(want, (int, float)):
        return _EXACTLY.allows(float(got), float(want))
    return got == want


def _given(record: Record) -> str:
    return ", ".join(number(one) for one in record.detail.get("arguments") or ())
