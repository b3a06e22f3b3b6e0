"""The check of what the broker keeps."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import Outcome, failed, partly, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, topic_matches
from grader.words import names, number
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


class RetainedParams(Params):
    """Parameters of `Retained`."""

    topics: tuple[str, ...] = Field((), description="Topics that must each have a retained message.")
    says: Mapping[str, str | float | bool] = Field(
        {}, description="Topics whose retained message must be this text, or carry this value at `value`."
    )
    cleared: tuple[str, ...] = Field(
        (), description="Topics (or filters) that had a retained message and have none any more."
    )
    none: tuple[str, ...] = Field(
        (), description="Topic filters below which nothing else may be retained; earns nothing by itself."
    )
    value: str = Field("", description="Where the value of `says` stands in a JSON payload; empty: the payload is it.")
    keys: tuple[str, ...] = Field((), description="Parts that each retained message of `topics` must have, as JSON.")

    @model_validator(mode="after")
    def _something(self) -> RetainedParams:
        if not self.topics and not self.says and not self.cleared:
            raise ValueError("give 'topics', 'says' or 'cleared'")
        return self


class Retained(Check[RetainedParams]):
    """The broker keeps a retained message where one is wanted, and none where one was cleared.

    What counts is the store as it stands: the last message with the retain flag on each topic, whoever sent it, unless it was
    empty, which clears the topic. What clients of the plant itself publish counts for `none` only. Each topic carries an equal
    share of the marks; something retained below `none` spoils the whole.

    Example::

        mqtt.retained:
          topics: [site1/dock1/state, site1/dock2/state]
          cleared: [site1/dock3/state]
          none: [site1/dock3/#]
          keys: [value, time]
          marks: 3

    Example::

        mqtt.retained: {says: {site1/gateway/status: online}, marks: 1}
    """

    name = "mqtt.retained"
    judges = "standing"
    sentence = tr("Retained as asked: {topics}", "保留消息符合要求：{topics}", "保留消息符合要求：{topics}")
    Params = RetainedParams

    def title(self, params: RetainedParams) -> Text:
        """Names the topics."""
        return self.sentence.format(topics=names([*params.topics, *params.says, *params.cleared]))

    def judge(self, evidence: Evidence, params: RetainedParams) -> Outcome:
        """Rebuild the store, then look at each topic."""
        store: dict[str, Record] = {}
        once: set[str] = set()
        for record in evidence.of("mqtt", "publish"):
            if not record.detail.get("retain") or record.status:
                continue
            if record.values and record.values[0] != "":
                store[record.subject] = record
                once.add(record.subject)
            else:
                store.pop(record.subject, None)
        lacks = {
            topic: _lack(store.get(topic), topic, params) for topic in dict.fromkeys([*params.topics, *params.says])
        }
        for pattern in params.cleared:
            had = [topic for topic in once if topic_matches(pattern, topic)]
            left = [topic for topic in had if topic in store]
            lacks[pattern] = tr("never retained", "從未保留", "从未保留") if not had else KEPT if left else Text()
        wrong = {topic: lack for topic, lack in lacks.items() if lack}
        wanted = {*params.topics, *params.says}
        more = [t for t in store if t not in wanted and any(topic_matches(each, t) for each in params.none)]
        rows = [store[topic] for topic in store if topic in wanted or topic in more]
        actual = f"{len(lacks) - len(wrong)}/{len(lacks)}"
        if more:
            reason = tr("Still retained: {topics}.", "仍然保留：{topics}。", "仍然保留：{topics}。")
            return failed(reason.format(topics=names(more)), actual=names(more), evidence=rows)
        if not wrong:
            reason = tr("The retained messages are as asked.", "保留消息符合要求。", "保留消息符合要求。")
            return passed(reason, actual=actual, evidence=rows)
        topic = next(iter(wrong))
        reason = tr("{topic}: {lack}.", "{topic}：{lack}。", "{topic}：{lack}。").format(topic=topic, lack=wrong[topic])
        advice = tr(
            "A message is kept when it is sent with the retain flag; an empty one with the flag clears its topic.",
            "帶保留標誌發送的消息會被保留；帶該標誌的空消息則清除其主題。",
            "带保留标志发送的消息会被保留；带该标志的空消息则清除其主题。",
        )
        return partly(1 - len(wrong) / len(lacks), reason, actual=actual, evidence=rows, help=advice)


KEPT = tr("still retained", "仍然保留", "仍然保留")


def _lack(record: Record | None, topic: str, params: RetainedParams) -> Text:
    """What the retained message of a topic lacks; empty when nothing."""
    if record is None or record.app == PLANT:
        return tr("nothing is retained", "沒有保留消息", "没有保留消息")
    text = text_of(record)
    data = NOT_JSON if text is None else decode(text)
    missing = [key for key in params.keys if find(data, key) is MISSING]
    if topic in params.topics and missing:
        return tr("it lacks {keys}", "缺少 {keys}", "缺少 {keys}").format(keys=names(missing))
    if topic in params.says:
        got = find(data, params.value) if params.value else data if data is not NOT_JSON else text
        if got != params.says[topic] and number(got) != number(params.says[topic]):
            return tr("it says {got}", "內容為 {got}", "内容为 {got}").format(
                got="?" if got is MISSING else number(got)
            )
    return Text()
