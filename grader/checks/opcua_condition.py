"""Check of acts on alarms over OPC UA other than acknowledging them: shelving, comments, disabling."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.server import ServerCheck, ServerParams
from grader.words import clock, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import AlarmPath
from labsim.text import tr


class ConditionParams(ServerParams):
    """Parameters of `Condition`."""

    alarm: AlarmPath = Field(description="The device's alarm, by the name its manual gives it.")
    action: Literal["shelve", "unshelve", "confirm", "comment", "enable", "disable"] = Field(
        description="What is done to it."
    )
    lasting: Duration | None = Field(
        None,
        alias="for",
        description="How long it must be shelved at least, in seconds of the wire; a one-shot shelf is no time.",
    )
    comment: Regex | None = Field(None, description="What the comment has to say, as a regular expression.")
    user: str | None = Field(None, description="Only this user counts; an empty text means anonymous.")


class Condition(ServerCheck[ConditionParams]):
    """A client has shelved an alarm over OPC UA, or done something else to it that the server took.

    Acknowledging is what `opcua.acknowledged` judges.

    Example::

        opcua.condition: {alarm: mill1.coolant_temperature, action: shelve, for: 10 min, user: operator, marks: 2}
    """

    name = "opcua.condition"
    sentence = tr(
        "The alarm {p.alarm} over OPC UA: {p.action}",
        "通過 OPC UA 處理報警 {p.alarm}：{p.action}",
        "通过 OPC UA 处理报警 {p.alarm}：{p.action}",
    )
    Params = ConditionParams

    def judge_here(self, evidence: Evidence, params: ConditionParams) -> Outcome:
        """Look for the act."""
        acts = [r for r in evidence.of("opcua", "condition") if r.detail.get("condition") == params.alarm]
        asked = [r for r in acts if r.detail.get("action") == params.action]
        whole = [r for r in asked if r.status >> 30 == 0 and _fits(r, params)]
        if whole:
            reason = tr("Done at {time}.", "於 {time} 完成。", "于 {time} 完成。")
            return passed(reason.format(time=clock(evidence, whole[0].t)), expected=params.action, evidence=whole)
        refused = sum(r.status >> 30 != 0 for r in asked)
        reason = tr(
            "{alarm}: none of {n} such acts is as asked (refused by the server: {refused}).",
            "{alarm}：{n} 次此類操作均不符合要求（被服務器拒絕 {refused} 次）。",
            "{alarm}：{n} 次此类操作均不符合要求（被服务器拒绝 {refused} 次）。",
        ).format(alarm=params.alarm, n=len(asked), refused=refused)
        seen = names(dict.fromkeys(str(r.detail.get("action")) for r in acts))
        return failed(reason, expected=params.action, actual=seen or None, evidence=asked or acts)


def _fits(record: Record, params: ConditionParams) -> bool:
    seconds = record.detail.get("seconds", 0.0)
    return (
        (params.lasting is None or seconds >= params.lasting)
        and (params.comment is None or fits(params.comment, str(record.detail.get("comment") or "")))
        and (params.user is None or record.user == params.user)
    )
