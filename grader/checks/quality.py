"""The check of quality labels: bad where the value was bad, and good where it was good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.checks.file import absent, unusable
from grader.checks.mqtt import by_clients, nothing_published
from grader.faults import common, disturbed, length, merged, without
from grader.outcome import Outcome, Said, failed, partly, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, utc_ns_of
from grader.suspicion import misclocked
from grader.table import FileName, TableError, read_columns
from grader.truth import Truth, is_good, plain
from grader.window import Span, nanoseconds
from grader.words import duration, number, percent
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import TagPath
from labsim.text import tr

_GOOD = ("good", "ok", "true", "valid", "0", "192", "gut", "良好", "正常", "有效")
"""What a label of a good value is usually called; 0 is the OPC UA StatusCode Good, 192 (0xC0) that of OPC Classic."""


class LabelledParams(Params):
    """Parameters of `Labelled`."""

    points: Annotated[Mapping[str, TagPath], Field(min_length=1)] = Field(
        description="The tag of each topic, or of each column of labels with `file`."
    )
    label: str = Field("quality", description="Where the label stands in a JSON payload.")
    file: FileName | None = Field(
        None, description="A hand-in file with the labels, one row per time, instead of topics."
    )
    time: str | None = Field(
        None, description="Where the time stands (a column with `file`); without it a label holds from when it comes."
    )
    good: tuple[str, ...] = Field(_GOOD, description="Labels of a good value; any other is a bad one.")
    faults: tuple[str, ...] = Field((), description="Only faults of these names make a value bad; all by default.")
    targets: tuple[str, ...] = Field(
        (), description="Further targets whose faults make every value bad, such as `link.modbus` or `endpoint.opcua`."
    )
    status: bool = Field(True, description="A value whose status in the plant is not Good is bad too.")
    grace: Duration = Field(5.0, description="How long after a fault begins or ends a label may still be the old one.")
    precision: Share = Field(0.9, description="The share of the time with a bad label in which the value was bad.")
    recall: Share = Field(0.9, description="The share of the time with a bad value in which the label was bad.")

    @model_validator(mode="after")
    def _timed(self) -> LabelledParams:
        if self.file is not None and self.time is None:
            raise ValueError("'file' needs 'time', the column of the time")
        return self


class Labelled(Check[LabelledParams]):
    """Quality labels say bad where the value was bad, and nowhere else.

    A value is bad while a fault is in force that makes it so (of its tag, a dead device, or one of `targets`), or while the
    plant itself says that it is not Good. A label holds until the next one. Over all points together, counted in time from the
    first label on, precision and recall must both be reached; the stretches of length `grace` after a fault begins and ends
    are not judged. A good part of both is a part of the marks. If nothing was ever bad, it cannot pass.

    Clocks: a time ahead of its message counts as when the message came; one that is off by no more than `grace` falls into
    what is not judged. When the times of all messages are further behind, or most of a file's lie outside the lab, that is
    what the outcome says.

    Example::

        quality.labelled:
          points: {oven/zone1: oven1.zone1_temperature, oven/zone2: oven1.zone2_temperature}
          label: quality
          grace: 10 s
          precision: 90 %
          recall: 90 %
          marks: 4
    """

    name = "quality.labelled"
    sentence = tr("Bad values are marked, good ones are not", "壞值已標註，好值未誤標", "坏值已标注，好值未误标")
    judges = "handed"
    Params = LabelledParams

    def judge(self, evidence: Evidence, params: LabelledParams) -> Outcome:
        """Add up the time of each kind."""
        expected = _shares(params.precision, params.recall)
        found = _labels(evidence, params, expected)
        if isinstance(found, Outcome):
            return found
        labels, seqs, behind = found
        grace = nanoseconds(params.grace)
        marked = true = both = judged = 0
        for name, path in params.points.items():
            mine = labels.get(name, [])
            if not mine:
                reason = tr("{name} has no label.", "{name} 沒有標註。", "{name} 没有标注。").format(name=name)
                return failed(reason, expected=expected, evidence=seqs)
            bad = merged(
                [
                    *disturbed(evidence, path, params.faults, params.targets),
                    *(_not_good(evidence, path) if params.status else ()),
                ]
            )
            unclear = merged(span for low, high in bad for span in ((low, low + grace), (high, high + grace)))
            seen = without([(mine[0][0], evidence.end_ns)], unclear)
            judged += length(seen)
            said = merged((t, after) for t, after, good in _held(mine, evidence.end_ns) if not good)
            said, wrong = common(said, seen), common(bad, seen)
            marked, true, both = marked + length(said), true + length(wrong), both + length(common(said, wrong))
        precision, recall = both / marked if marked else 0.0, both / true if true else 0.0
        if abs(behind) > grace and not (precision >= params.precision - 1e-9 and recall >= params.recall - 1e-9):
            return _off(behind, expected, _shares(precision, recall), seqs)
        if not true:
            reason = tr("Nothing was bad while there were labels.", "有標註期間沒有壞值。", "有标注期间没有坏值。")
            return failed(reason, expected=expected, evidence=seqs)
        actual = _shares(precision, recall)
        share = (min(precision / params.precision, 1) + min(recall / params.recall, 1)) / 2
        if precision >= params.precision - 1e-9 and recall >= params.recall - 1e-9:
            reason = tr("The labels fit over {time}.", "標註在 {time} 內相符。", "标注在 {time} 内相符。")
            return passed(reason.format(time=duration(judged / 1e9)), expected=expected, actual=actual, evidence=seqs)
        if not marked:
            reason = tr("Nothing was ever labelled bad.", "從未標註為壞值。", "从未标注为坏值。")
            return failed(reason, expected=expected, actual=actual, evidence=seqs)
        reason = (
            tr("Bad values were labelled good for {time}.", "壞值有 {time} 被標為好值。", "坏值有 {time} 被标为好值。")
            if recall < params.recall
            else tr(
                "Good values were labelled bad for {time}.", "好值有 {time} 被標為壞值。", "好值有 {time} 被标为坏值。"
            )
        ).format(time=duration((true - both if recall < params.recall else marked - both) / 1e9))
        return partly(min(share, 0.99), reason, expected=expected, actual=actual, evidence=seqs)


def _off(behind: int, expected: Said, actual: Said, seqs: list[int]) -> Outcome:
    """That the labels' own times are of another clock."""
    by = duration(abs(behind) / 1e9)
    reason = (
        tr(
            "The times that the labels name are at least {by} behind.",
            "標註所寫的時間至少慢了 {by}。",
            "标注所写的时间至少慢了 {by}。",
        )
        if behind > 0
        else tr(
            "The times that the labels name are at least {by} ahead.",
            "標註所寫的時間至少快了 {by}。",
            "标注所写的时间至少快了 {by}。",
        )
    )
    return failed(reason.format(by=by), expected=expected, actual=actual, evidence=seqs, help=misclocked(behind))


def _shares(precision: float, recall: float) -> Said:
    """The two shares as a person reads them."""
    return tr(
        "precision {precision}, recall {recall}",
        "精確率 {precision}，召回率 {recall}",
        "精确率 {precision}，召回率 {recall}",
    ).format(precision=percent(precision), recall=percent(recall))


Label = tuple[int, bool]
"""From when, and whether it says good."""


def _labels(
    evidence: Evidence, params: LabelledParams, expected: Said
) -> tuple[dict[str, list[Label]], list[int], int] | Outcome:
    """The labels of each point in order of time, their evidence and how far their clock is behind, or that there are none."""
    good = {plain(text) for text in params.good}
    found: dict[str, list[Label]] = {}
    if params.file is not None:
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, expected)
        try:
            rows = read_columns(handed.data, params.file, [params.time or "", *params.points])
        except TableError as error:
            return unusable(handed, error, expected)
        for _, cells in rows:
            utc = utc_ns_of(cells[0])
            for name, cell in zip(params.points, cells[1:], strict=True):
                if utc is not None and cell not in (None, ""):
                    found.setdefault(name, []).append((evidence.t_of_utc(utc), plain(number(cell)) in good))
        times = sorted(t for labels in found.values() for t, _ in labels)
        middle = times[len(times) // 2] if times else 0
        behind = -middle if middle < 0 else min(handed.t - middle, 0)  # outside the lab, if not 0
        return {name: sorted(labels) for name, labels in found.items()}, [handed.seq], behind
    least: int | None = None
    seqs: list[int] = []
    for topic in params.points:
        for record in by_clients(evidence, topic):
            text = text_of(record)
            data = NOT_JSON if text is None else decode(text)
            label = find(data, params.label)
            if data is NOT_JSON or label is MISSING:
                continue
            utc = utc_ns_of(find(data, params.time)) if params.time is not None else None
            t = record.t if utc is None else min(evidence.t_of_utc(utc), record.t)
            least = record.t - t if least is None else min(least, record.t - t)
            found.setdefault(topic, []).append((t, plain(number(label)) in good))
            seqs.append(record.seq)
    if not found:
        sent = [r for topic in params.points for r in by_clients(evidence, topic)]
        if not sent:
            return nothing_published(evidence, next(iter(params.points)), expected)
        reason = tr(
            "No message has a label at {label}.", "沒有消息在 {label} 處帶有標註。", "没有消息在 {label} 处带有标注。"
        )
        return failed(reason.format(label=params.label), expected=expected, evidence=sent)
    return {topic: sorted(labels) for topic, labels in found.items()}, seqs, least or 0


def _held(labels: list[Label], end: int) -> Iterator[tuple[int, int, bool]]:
    for place, (t, good) in enumerate(labels):
        after = labels[place + 1][0] if place + 1 < len(labels) else end
        yield t, min(after, end), good


def _not_good(evidence: Evidence, path: str) -> Iterator[Span]:
    for step in Truth(evidence, path).steps():
        if not is_good(step.status):
            yield step.start, step.end
