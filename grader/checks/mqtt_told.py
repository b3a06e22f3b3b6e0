"""The check that something that happens in the plant is told over MQTT: an alarm, an alert."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check
from grader.checks.mqtt import by_clients, nothing_published
from grader.checks.plant import Condition, fitting
from grader.faults import onsets
from grader.jitter import longer
from grader.outcome import Outcome, failed, partly, passed
from grader.pattern import Regex, fits
from grader.payload import MISSING, NOT_JSON, decode, find, text_of
from grader.topic import TopicFilter
from grader.truth import Truth, real
from grader.window import Span, nanoseconds
from grader.words import clock, duration, number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


class ToldParams(Condition):
    """Parameters of `Told`."""

    topic: TopicFilter = Field(description="The topic (or filter) on which it must be told.")
    tag: TagPath | None = Field(None, description="The tag whose condition is the event; or `fault`.")  # type: ignore[assignment] # a fault will do
    fault: str | None = Field(
        None, description="Instead: the fault whose beginning is the event, as `device`, `device.tag` or `link.mqtt`."
    )
    real: bool = Field(
        False, description="The condition is of what was physically true, not of what a faulty sensor showed."
    )
    after: Duration = Field(0.0, description="How long the condition must have held before it is an event.")
    within: Duration = Field(description="How soon after the event the message must come.")
    payload: Regex | None = Field(
        None, description="A regular expression that the whole payload (or `part`) must match."
    )
    part: str = Field("", description="The part of a JSON payload that `payload` is about.")
    false_most: Annotated[int, Field(ge=0)] = Field(0, description="Messages that may come without an event.")
    once: bool = Field(False, description="Exactly one message for each event.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="Events that must have happened for it to count.")

    @model_validator(mode="after")
    def _one(self) -> ToldParams:
        bare = self.value is None and self.low is None and self.high is None
        if (self.tag is None) == (self.fault is None) or (self.tag is None) != bare:
            raise ValueError("give a 'tag' with 'low', 'high' or 'value', or a 'fault'")
        return self


class Told(Check[ToldParams]):
    """What happens in the plant is told over MQTT in time, and nothing else is.

    An event is the moment at which the condition has held for `after`, or at which a fault begins. Each event wants a message
    that fits, no later than `within` after it; a message that comes neither then nor while the condition still holds is a
    false one. The share of events that were told is the share of the marks; too many false ones, or with `once` a second
    message for an event, spoil it. All times are plant time.

    Example::

        mqtt.told:
          topic: site1/alarms/imbalance
          tag: meter1.current_unbalance
          high: 100
          low: 20
          after: 5 s
          within: 30 s
          payload: "active|on|true"
          part: state
          marks: 3

    Example::

        mqtt.told: {topic: site1/alarms/clock, fault: meter1, within: 10 s, marks: 2}
    """

    name = "mqtt.told"
    sentence = tr(
        "It is told on {p.topic} within {within}",
        "在 {within} 內於 {p.topic} 上報告",
        "在 {within} 内于 {p.topic} 上报告",
    )
    Params = ToldParams

    def title(self, params: ToldParams) -> Text:
        """Names topic and time."""
        return self.sentence.format(p=params, within=duration(params.within))

    def judge(self, evidence: Evidence, params: ToldParams) -> Outcome:
        """Hold the messages against the events."""
        events = _events(evidence, params)
        within = longer(evidence, nanoseconds(params.within))
        # An event at the very end is not judged: nobody could tell it any more.
        due = [span for span in events if span[0] + within <= evidence.end_ns]
        expected = tr(
            "{n} events, each within {within}", "{n} 次事件，各在 {within} 內", "{n} 次事件，各在 {within} 内"
        )
        expected = expected.format(n=len(due), within=duration(params.within))
        if len(due) < params.at_least:
            reason = tr("It happened {n} times only.", "僅發生 {n} 次。", "仅发生 {n} 次。").format(n=len(due))
            return failed(reason, actual=str(len(due)))
        sent = [r for r in by_clients(evidence, params.topic) if _is_it(r, params)]
        if not sent:
            other = by_clients(evidence, params.topic)
            if not other:
                return nothing_published(evidence, params.topic, expected)
            reason = tr("Messages that say it: 0 of {n}.", "{n} 條消息中無一符合。", "{n} 条消息中无一符合。")
            return failed(reason.format(n=len(other)), expected=expected, evidence=other)
        told = {span: [r for r in sent if span[0] <= r.t <= span[0] + within] for span in due}
        missed = [span for span, rows in told.items() if not rows]
        false = [r for r in sent if not any(low <= r.t <= max(high, low + within) for low, high in events)]
        twice = [r for low, high in due for r in [x for x in sent if low <= x.t <= max(high, low + within)][1:]]
        share = 1 - len(missed) / len(due)
        actual = tr("{told} told, {false} false", "報告 {told} 次，誤報 {false} 次", "报告 {told} 次，误报 {false} 次")
        actual = actual.format(told=len(due) - len(missed), false=len(false))
        if len(false) > params.false_most:
            reason = tr(
                "Messages without an event: {n}, the first at {time}.",
                "沒有事件的消息：{n} 條，第一條在 {time}。",
                "没有事件的消息：{n} 条，第一条在 {time}。",
            ).format(n=len(false), time=clock(evidence, false[0].t))
            return failed(reason, expected=expected, actual=actual, evidence=false)
        if params.once and twice:
            reason = tr(
                "An event was told again at {time}.", "同一事件於 {time} 再次報告。", "同一事件于 {time} 再次报告。"
            )
            return failed(
                reason.format(time=clock(evidence, twice[0].t)), expected=expected, actual=actual, evidence=twice
            )
        if missed:
            reason = tr(
                "Not told in time: {n}, the first of {time}.",
                "未及時報告：{n} 次，第一次為 {time}。",
                "未及时报告：{n} 次，第一次为 {time}。",
            ).format(n=len(missed), time=clock(evidence, missed[0][0]))
            return partly(share, reason, expected=expected, actual=actual, evidence=sent)
        reason = tr("Events told in time: {n}.", "及時報告 {n} 次事件。", "及时报告 {n} 次事件。").format(n=len(due))
        return passed(reason, expected=expected, actual=actual, evidence=[r for rows in told.values() for r in rows])


def _events(evidence: Evidence, params: ToldParams) -> list[Span]:
    """Each event from the moment it is one until it is over."""
    if params.tag is None:
        return [(one.start, one.end) for one in onsets(evidence, params.fault or "")]
    tag = evidence.tags[params.tag]
    truth = Truth(evidence, real(evidence, params.tag) if params.real else params.tag, evidence.start_ns)
    after = nanoseconds(params.after)
    return [(low + after, high) for low, high in fitting(truth, params, tag) if high - low >= after]


def _is_it(record: Record, params: ToldParams) -> bool:
    text = text_of(record)
    if params.payload is None or text is None:
        return params.payload is None
    if params.part:
        data = decode(text)
        found = MISSING if data is NOT_JSON else find(data, params.part)
        return found is not MISSING and fits(params.payload, number(found))
    return fits(params.payload, text)
