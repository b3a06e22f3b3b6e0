"""The check that delivered values were measured and not made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.checks.mqtt import by_clients
from grader.genuine import Finding, examine
from grader.outcome import Outcome, failed, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, utc_ns_of
from grader.truth import Truth, as_value
from grader.words import duration, names, percent
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


class GenuineParams(Params):
    """Parameters of `Genuine`."""

    points: Annotated[Mapping[str, TagPath], Field(min_length=1)] = Field(description="The tag of each topic.")
    value: str = Field("", description="Where the value stands in a JSON payload; empty: the payload is it.")
    time: str | None = Field(None, description="Where the payload's time stands; the time it came by default.")
    age: Duration = Field(10.0, description="How old an honest value may be.")
    late: Duration = Field(60.0, description="A series that is true throughout, but so much later, is a replayed one.")


class Genuine(Check[GenuineParams]):
    """Published values carry the noise of their own plant, as measured ones do. Use it for a penalty, after a person has looked.

    The last digits of a measured value cannot be guessed. A series is genuine when its values were true to the last digit a
    little before they came, far more often than by chance, or when it moves from value to value as the truth does (raw,
    averaged or delayed). It fails where it is near the truth, long enough (120 values), and the truth had noise that its
    digits could have shown, yet it does neither: it is too smooth, its noise is its own (random, or another seat's), a piece
    comes again and again, or the whole comes with a long constant lag. Everything else passes: rounding, filtering, deadbands
    and slips of scale are no fraud. The figures stand in the outcome.

    Example::

        data.genuine: {points: {site1/meter1/voltage: meter1.voltage_l1}, value: value, marks: 5}
    """

    name = "data.genuine"
    judges = "absence"
    sentence = tr(
        "Values are measured, not made up: {topics}", "數值為實測而非編造：{topics}", "数值为实测而非编造：{topics}"
    )
    Params = GenuineParams

    def title(self, params: GenuineParams) -> Text:
        """Names the topics."""
        return self.sentence.format(topics=names(params.points))

    def judge(self, evidence: Evidence, params: GenuineParams) -> Outcome:
        """Look at each series."""
        found: dict[str, Finding] = {}
        sent: dict[str, list[Record]] = {}
        for topic, path in params.points.items():
            sent[topic] = by_clients(evidence, topic)
            found[topic] = _examined(evidence, sent[topic], path, params)
        bad = {topic: finding for topic, finding in found.items() if finding.suspect}
        if bad:
            topic, finding = next(iter(bad.items()))
            reason = _REASONS[finding.kind].format(topic=topic, lag=duration(finding.lag_s))
            return failed(reason, actual=_figures(finding), evidence=sent[topic], times=len(bad))
        judged = [topic for topic, finding in found.items() if finding.kind == "genuine"]
        if not judged:
            reason = tr("There is nothing to tell it from.", "沒有可供判斷的數據。", "没有可供判断的数据。")
            return passed(reason, actual=names(f"{t}: {f.count}" for t, f in found.items()))
        reason = tr(
            "Series that carry the plant's noise: {n}.", "{n} 個序列帶有工廠的噪聲。", "{n} 个序列带有工厂的噪声。"
        )
        return passed(reason.format(n=len(judged)), actual=_figures(found[judged[0]]), evidence=sent[judged[0]])


def _examined(evidence: Evidence, sent: list[Record], path: str, params: GenuineParams) -> Finding:
    tag = evidence.tags[path]
    points: list[tuple[int, float]] = []
    for record in sent:
        text = text_of(record)
        data = NOT_JSON if text is None else decode(text)
        raw = find(data, params.value) if params.value else text if data is NOT_JSON else data
        value = None if raw is MISSING else as_value(raw, tag)
        utc = None if params.time is None else utc_ns_of(find(data, params.time))
        if isinstance(value, float):
            points.append((record.t if utc is None else evidence.t_of_utc(utc), value))
    points = sorted(point for point in points if 0 <= point[0] <= evidence.end_ns)
    truth = Truth(evidence, path)
    numbers = [(t, v) for t, v in zip(truth.times, truth.values, strict=True) if isinstance(v, float)]
    return examine(
        [t for t, _ in points],
        [v for _, v in points],
        ([t for t, _ in numbers], [v for _, v in numbers]),
        params.age,
        params.late,
    )


_REASONS = {
    "smooth": tr(
        "{topic} is near the truth, but far too smooth for a measured value.",
        "{topic} 接近真值，但對實測值而言過於平滑。",
        "{topic} 接近真值，但对实测值而言过于平滑。",
    ),
    "unrelated": tr(
        "{topic} is near the truth, but its noise is not that of this plant.",
        "{topic} 接近真值，但其噪聲並非來自本工廠。",
        "{topic} 接近真值，但其噪声并非来自本工厂。",
    ),
    "replayed": tr(
        "{topic} is what was true {lag} before, throughout.",
        "{topic} 始終是 {lag} 之前的真值。",
        "{topic} 始终是 {lag} 之前的真值。",
    ),
    "repeated": tr(
        "{topic} repeats itself to the last digit.", "{topic} 重複自身直至末位數字。", "{topic} 重复自身直至末位数字。"
    ),
}


def _figures(finding: Finding) -> str:
    """The statistics, the same in every language."""
    return (
        f"n = {finding.count}, exact {percent(finding.hits)} (chance {percent(finding.chance)}), "
        f"r = {finding.correlation:.2f} (needed {finding.needed:.2f}), lag {finding.lag_s:g} s, noise × {finding.noise:.2f}"
    )
