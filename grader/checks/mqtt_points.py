"""The check that a whole list of points is published truly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from grader.check import Check, Params, Share
from grader.checks.truthful import MatchesTruth, MatchesTruthParams
from grader.outcome import Outcome, State, partly, passed
from grader.words import duration, names
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


class PointsParams(Params):
    """Parameters of `Points`."""

    points: Annotated[Mapping[str, TagPath], Field(min_length=1)] = Field(description="The tag of each topic.")
    value: str = Field("", description="Where the value stands in a JSON payload; empty: the payload is it.")
    time: str | None = Field(None, description="Where the payload's time stands; the value must be true at that time.")
    time_margin: Duration = Field(0.2, description="How far that time may be off.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far a value may be off.")
    age: Duration = Field(2.0, description="How old a value may be, at any moment, for whoever listens.")
    real: bool = Field(False, description="Hold it against what was physically true, not what a faulty sensor showed.")
    lasting: Duration = Field(60.0, alias="for", description="The length of the window that is judged.")
    coverage: Share = Field(0.95, description="The share of it in which a right and fresh value must be present.")


class Points(Check[PointsParams]):
    """Many points are published truly and freshly: `mqtt.matches-truth` for each of them.

    Each point carries an equal share of the marks.

    Example::

        mqtt.points:
          points:
            site1/meter1/voltage: meter1.voltage_l1
            site1/meter1/power: meter1.active_power_total
          value: value
          age: 3 s
          for: 2 min
          marks: 8
    """

    name = "mqtt.points"
    sentence = tr(
        "{n} points carry true values for {lasting}",
        "{n} 個測點在 {lasting} 內承載真實值",
        "{n} 个测点在 {lasting} 内承载真实值",
    )
    Params = PointsParams

    def title(self, params: PointsParams) -> Text:
        """Says how many."""
        return self.sentence.format(n=len(params.points), lasting=duration(params.lasting))

    def judge(self, evidence: Evidence, params: PointsParams) -> Outcome:
        """Judge each point by itself."""
        common = {
            info.alias or name: getattr(params, name)
            for name, info in PointsParams.model_fields.items()
            if name != "points"
        }
        outcomes = {
            topic: MatchesTruth().judge(evidence, MatchesTruthParams(topic=topic, tag=tag, **common))
            for topic, tag in params.points.items()
        }
        wrong = {topic: outcome for topic, outcome in outcomes.items() if outcome.state is not State.PASSED}
        right = len(outcomes) - len(wrong)
        actual = f"{right}/{len(outcomes)}"
        evidence_of = [seq for outcome in outcomes.values() for seq in outcome.evidence[:3]]
        if not wrong:
            reason = tr("All points are true.", "所有測點均為真。", "所有测点均为真。")
            return passed(reason, expected=actual, actual=actual, evidence=evidence_of)
        topic, first = next(iter(wrong.items()))
        reason = tr(
            "Points that are not right: {topics}. {topic}: {why}",
            "不正確的測點：{topics}。{topic}：{why}",
            "不正确的测点：{topics}。{topic}：{why}",
        ).format(topics=names(wrong), topic=topic, why=first.reason)
        rows = [seq for outcome in wrong.values() for seq in outcome.evidence[:5]]
        return partly(
            right / len(outcomes), reason, expected=first.expected, actual=actual, evidence=rows, help=first.help
        )
