"""The check that a metric of a trainee's edge node is true and fresh."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from grader.check import Check, Params, Share
from grader.outcome import Outcome, failed, passed
from grader.sparkplug.story import Message, Story, read_story
from grader.suspicion import suspect
from grader.truth import Truth, Value, as_value, matches
from grader.window import Span, best_window, nanoseconds
from grader.words import clock, duration, margin, names, percent, worth
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.sparkplug.payload import GOOD, QUALITY, Metric
from labsim.sparkplug.topic import check_id
from labsim.text import Text, tr

Id = Annotated[str, AfterValidator(check_id)]


class MetricParams(Params):
    """Parameters of `MetricTruth`."""

    group: Id = Field(description="The group id.")
    edge: Id = Field(description="The edge node id.")
    device: Annotated[str, AfterValidator(lambda device: check_id(device) if device else device)] = Field(
        "", description="The device id; empty for a metric of the node itself."
    )
    metric: Annotated[str, Field(min_length=1)] = Field(description="The name of the metric, as its BIRTH has it.")
    tag: TagPath = Field(description="The tag whose value it has to be.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far the value may be off.")
    age: Duration = Field(2.0, description="How long ago the value may have been true, at any moment, for a host.")
    lasting: Duration = Field(60.0, alias="for", description="The length of the window that is judged.")
    coverage: Share = Field(0.95, description="The share of the window in which the value a host knows must be right.")


@dataclass(frozen=True, slots=True)
class Known:
    """What a host knows of the metric from a moment on: its value; None when it is stale, null of a text, or unreadable."""

    start: int
    value: Value | None
    seq: int
    said: bool


class MetricTruth(Check[MetricParams]):
    """A Sparkplug metric is true for whoever follows the edge node as a host does.

    A host knows the value that the last BIRTH or DATA message gave, until the next one, a death, or a quality that is not
    good. At a moment that value is right when it was true within the tolerance no more than `age` ago; so a value that does
    not change need not be sent again, as report by exception has it. In the best window of length `for` the value must be
    right for `coverage` of the time. Aliases and data types are those of the BIRTH in force. All times are plant time; what
    the plant publishes itself never counts.

    Example::

        sparkplug.metric:
          group: Plant1
          edge: Line1
          device: meter1
          metric: voltage
          tag: meter1.voltage_l1
          tolerance: 0.5 %
          age: 3 s
          for: 2 min
          marks: 6
    """

    name = "sparkplug.metric"
    sentence = tr(
        "The metric {p.metric} of {who} is true for {lasting}",
        "{who} 的度量 {p.metric} 在 {lasting} 內為真",
        "{who} 的度量 {p.metric} 在 {lasting} 内为真",
    )
    Params = MetricParams

    def title(self, params: MetricParams) -> Text:
        """Names the metric and the length."""
        return self.sentence.format(p=params, who=_who(params), lasting=duration(params.lasting))

    def judge(self, evidence: Evidence, params: MetricParams) -> Outcome:
        """Measure how much of the best window the value that a host knows is right."""
        tag = evidence.tags[params.tag]
        expected = tr(
            "true within {margin}, at most {age} ago, for {coverage} of {lasting}",
            "誤差在 {margin} 內，至多 {age} 前的值，在 {lasting} 中佔 {coverage}",
            "误差在 {margin} 内，至多 {age} 前的值，在 {lasting} 中占 {coverage}",
        ).format(
            margin=margin(params.tolerance, tag.unit),
            age=duration(params.age),
            coverage=percent(params.coverage),
            lasting=duration(params.lasting),
        )
        story = read_story(evidence, params.group, params.edge)
        known = list(_known(story, params, tag))
        said = [item for item in known if item.said]
        if not said:
            return _never_said(story, params, expected)
        truth = Truth(evidence, params.tag)
        length = nanoseconds(params.lasting)
        best = best_window(list(_right(known, truth, params, evidence.end_ns)), length)
        share = min(best.good_ns / length, 1.0)
        actual = tr(
            "right for {share} of {lasting}, {n} messages",
            "在 {lasting} 中正確的佔 {share}，{n} 條消息",
            "在 {lasting} 中正确的占 {share}，{n} 条消息",
        ).format(share=percent(share), lasting=duration(params.lasting), n=len(said))
        if best.good_ns >= params.coverage * length:
            reason = tr(
                "The metric was true from {time} on.", "自 {time} 起，該度量為真。", "自 {time} 起，该度量为真。"
            ).format(time=clock(evidence, best.start))
            inside = [item.seq for item in said if best.start <= item.start <= best.start + length]
            return passed(reason, expected=expected, actual=actual, evidence=inside or [said[-1].seq])
        reason, advice, seqs = _about(evidence, said, truth, params, tag)
        return failed(reason, expected=expected, actual=actual, evidence=seqs, help=advice)


def _who(params: MetricParams) -> str:
    return "/".join(filter(None, (params.group, params.edge, params.device)))


def _known(story: Story, params: MetricParams, tag: TagInfo) -> Iterator[Known]:
    for message in story.messages:
        kind, device = message.topic.kind, message.topic.device
        start, seq = message.record.t, message.record.seq
        if kind == "NDEATH" or (kind == "DDEATH" and device == params.device):
            yield Known(start, None, seq, False)
            continue
        if kind == "NBIRTH" and params.device:
            yield Known(start, None, seq, False)  # devices are stale until they are born again
        if device != params.device:
            continue
        found = [
            metric for metric in message.metrics if _is(metric, message, params.metric) and not metric.is_historical
        ]
        if found:
            yield Known(start, _value(found[-1], message, tag), seq, True)
        elif message.is_birth:
            yield Known(start, None, seq, False)


def _is(metric: Metric, message: Message, name: str) -> bool:
    known = message.birth.find(metric) if message.birth is not None else None
    return known is not None and known.name == name


def _value(metric: Metric, message: Message, tag: TagInfo) -> Value | None:
    """The value as a host understands it; None when it has none, or knows it to be bad."""
    quality = metric.properties.get(QUALITY) if metric.properties is not None else None
    if quality is not None and quality.value is not None and quality.value[1] != GOOD:
        return None
    known = message.birth.find(metric) if message.birth is not None else None
    datatype = metric.datatype if metric.datatype is not None else known.datatype if known is not None else None
    try:
        return as_value(metric.worth(datatype), tag)
    except ValueError:
        return None


def _right(known: Sequence[Known], truth: Truth, params: MetricParams, end_ns: int) -> Iterator[Span]:
    """The stretches in which the value that is known was true no more than ``age`` ago, in order and apart."""
    age = nanoseconds(params.age)
    for item, following in zip(known, [*(later.start for later in known[1:]), end_ns], strict=True):
        if item.value is None or following <= item.start:
            continue
        reached = item.start
        for step in reversed(list(truth.steps(item.start - age, following))):
            if matches(item.value, step.value, params.tolerance):
                low, high = max(step.start, reached), min(step.end + age, following)
                if high > low:
                    yield low, high
                    reached = high


def _never_said(story: Story, params: MetricParams, expected: Text) -> Outcome:
    mine = [m for m in story.of("NBIRTH", "DBIRTH") if m.topic.device == params.device]
    facts = {"who": _who(params), "metric": params.metric}
    if mine:
        there = names(dict.fromkeys(metric.name for metric in mine[-1].metrics if metric.name))
        reason = tr(
            "No BIRTH of {who} has a metric {metric}.",
            "{who} 的 BIRTH 中沒有度量 {metric}。",
            "{who} 的 BIRTH 中没有度量 {metric}。",
        )
        seqs = [m.record.seq for m in mine]
        return failed(reason.format(**facts), expected=expected, actual=there or None, evidence=seqs)
    reason = tr("There was no BIRTH of {who}.", "沒有 {who} 的 BIRTH。", "没有 {who} 的 BIRTH。")
    seqs = [m.record.seq for m in story.messages]
    return failed(reason.format(**facts), expected=expected, evidence=seqs)


def _about(
    evidence: Evidence, said: Sequence[Known], truth: Truth, params: MetricParams, tag: TagInfo
) -> tuple[Text, Text | None, list[int]]:
    """One sentence about what a host would have known wrongly, and what it looks like."""
    unusable = [item for item in said if item.value is None]
    wrong = [
        item for item in said
        if item.value is not None
        and truth.latest_match(item.value, item.start, nanoseconds(params.age), params.tolerance) is None
    ]  # fmt: skip
    if len(unusable) * 2 > len(said):
        reason = tr(
            "Messages with no usable value of {metric}: {n} of {all}.",
            "{all} 條消息中 {n} 條沒有 {metric} 的可用值。",
            "{all} 条消息中 {n} 条没有 {metric} 的可用值。",
        ).format(metric=params.metric, n=len(unusable), all=len(said))
        look = tr(
            "Look at datatype, is_null and Quality.",
            "請查看 datatype、is_null 與 Quality。",
            "请查看 datatype、is_null 与 Quality。",
        )
        return reason, look, [item.seq for item in unusable]
    if len(wrong) * 20 > len(said):
        last = wrong[-1]
        true = truth.at(last.start)
        assert last.value is not None, "what is wrong has a value"
        reason = tr(
            "Values that were not true: {n}; the one at {time} said {got}, the tag was worth {true}.",
            "{n} 個值不真實；{time} 的一個為 {got}，而測點的值為 {true}。",
            "{n} 个值不真实；{time} 的一个为 {got}，而测点的值为 {true}。",
        ).format(
            n=len(wrong),
            time=clock(evidence, last.start),
            got=worth(last.value, tag),
            true="?" if true is None else worth(true, tag),
        )
        found: Text | None = None
        if isinstance(last.value, float) and not math.isnan(last.value) and tag.type != "bool":
            near = truth.steps(last.start - nanoseconds(params.age), last.start)
            recent = [step.value for step in near if isinstance(step.value, float)]
            found = suspect(last.value, recent, params.tolerance, tag.unit)
        return reason, found, [item.seq for item in wrong]
    reason = tr(
        "The values were true when they were sent, but the tag went on and they did not.",
        "值在發送時為真，但測點已變化而未再發送。",
        "值在发送时为真，但测点已变化而未再发送。",
    )
    advice = tr(
        "Look at how soon a change is sent, and how long the node stays alive.",
        "請查看變化多快被發送，以及節點在線多久。",
        "请查看变化多快被发送，以及节点在线多久。",
    )
    return reason, advice, [item.seq for item in said]
