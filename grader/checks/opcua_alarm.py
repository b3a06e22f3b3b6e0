"""Check of alarms acknowledged over OPC UA."""

from __future__ import annotations

from pydantic import Field

from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.server import ServerCheck, ServerParams
from grader.window import nanoseconds
from grader.words import clock, duration, fill, listed
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import AlarmPath
from labsim.text import Text, tr


class AcknowledgedParams(ServerParams):
    """Parameters of `Acknowledged`."""

    alarm: AlarmPath = Field(description="The device's alarm, by the name its manual gives it.")
    within: Duration | None = Field(
        None, description="How soon after it became active, in plant time; whenever when left out."
    )
    comment: Regex | None = Field(None, description="What the comment has to say, as a regular expression.")
    confirmed: bool = Field(False, description="Whether it has to be confirmed too, after the acknowledgement.")
    user: str | None = Field(None, description="Only this user counts; an empty text means anonymous.")


class Acknowledged(ServerCheck[AcknowledgedParams]):
    """A client has acknowledged an alarm over OPC UA (and confirmed it, with `confirmed: true`).

    One acknowledgement that was accepted must have all of what is given. One that came for an event of an earlier alarm is
    refused by the server and does not count.

    Example::

        opcua.acknowledged: {alarm: mill1.spindle_temperature, within: 2 min, comment: '.+', marks: 3}
    """

    name = "opcua.acknowledged"
    sentence = tr(
        "The alarm {p.alarm} is acknowledged over OPC UA",
        "通過 OPC UA 確認報警 {p.alarm}",
        "通过 OPC UA 确认报警 {p.alarm}",
    )
    Params = AcknowledgedParams

    def judge_here(self, evidence: Evidence, params: AcknowledgedParams) -> Outcome:
        """Look for an acknowledgement that has everything; else say what the nearest lacked."""
        tried = [r for r in evidence.of("opcua", "acknowledge") if r.detail.get("condition") == params.alarm]
        good = [r for r in tried if r.status >> 30 == 0]
        if not good:
            reason = tr(
                "The alarm was not acknowledged (refused: {n}).",
                "該報警未被確認（被拒絕 {n} 次）。",
                "该报警未被确认（被拒绝 {n} 次）。",
            ).format(n=len(tried))
            advice = tr(
                "Acknowledge is called on the condition, with the EventId of its last event and a comment.",
                "在該條件上調用 Acknowledge，參數為其最近事件的 EventId 與註釋。",
                "在该条件上调用 Acknowledge，参数为其最近事件的 EventId 与注释。",
            )
            return failed(reason, evidence=tried, help=advice)
        confirms = [
            r
            for r in evidence.of("opcua", "condition")
            if r.detail.get("condition") == params.alarm and r.detail.get("action") == "confirm" and r.status >> 30 == 0
        ]
        lacking = {r.seq: _lacking(r, params, confirms) for r in good}
        whole = [r for r in good if not lacking[r.seq]]
        if whole:
            reason = tr("Acknowledged at {time}.", "於 {time} 確認。", "于 {time} 确认。")
            return passed(
                reason.format(time=clock(evidence, whole[0].t)), actual=_after(whole[0]), evidence=[*whole, *confirms]
            )
        nearest = min(good, key=lambda r: (len(lacking[r.seq]), r.seq))
        reason = fill(
            tr(
                "Acknowledged ({n}), but the nearest, at {time}, lacks: {lacks}.",
                "已確認（{n} 次），但最接近的一次（{time}）欠缺：{lacks}。",
                "已确认（{n} 次），但最接近的一次（{time}）欠缺：{lacks}。",
            ),
            n=len(good),
            time=clock(evidence, nearest.t),
            lacks=listed(lacking[nearest.seq]),
        )
        expected = duration(params.within) if params.within is not None else None
        return failed(reason, expected=expected, actual=_after(nearest), evidence=good)


def _lacking(record: Record, params: AcknowledgedParams, confirms: list[Record]) -> list[Text]:
    active = record.detail.get("active_ns")
    late = params.within is not None and (active is None or record.t - int(active) > nanoseconds(params.within))
    comment = str(record.detail.get("comment") or "")
    return [
        name
        for name, wrong in (
            (tr("time", "時間", "时间"), late),
            (tr("comment", "註釋", "注释"), params.comment is not None and not fits(params.comment, comment)),
            (tr("user", "用戶", "用户"), params.user is not None and record.user != params.user),
            (
                tr("confirmation", "核實", "核实"),
                params.confirmed and not any(_same_alarm(record, confirm) for confirm in confirms),
            ),
        )
        if wrong
    ]


def _same_alarm(acknowledged: Record, confirm: Record) -> bool:
    same = acknowledged.detail.get("active_ns") == confirm.detail.get("active_ns")
    return same and confirm.seq > acknowledged.seq


def _after(record: Record) -> str | None:
    active = record.detail.get("active_ns")
    return duration((record.t - int(active)) / 1e9) if active is not None else None
