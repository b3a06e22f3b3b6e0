"""The check of commands over MQTT: each is answered, does what it says once, or is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import Outcome, failed, partly, passed
from grader.pattern import Regex, fits
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, topic_matches
from grader.truth import Value, as_value, matches
from grader.window import nanoseconds
from grader.words import clock, duration, number
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_PROPERTY = "correlation_data"


class RepliedParams(Params):
    """Parameters of `Replied`."""

    request: Annotated[str, Field(min_length=1)] = Field(description="The topic (or filter) of the commands.")
    reply: str | None = Field(
        None, description="The topic (or filter) of the replies; the response topic that the command names by default."
    )
    correlation: str = Field(
        "", description="Where the id stands in the JSON of both; empty: it is the correlation data of MQTT 5."
    )
    within: Duration = Field(2.0, description="How soon the reply must come.")
    at_least: Annotated[int, Field(ge=1)] = Field(
        1, description="Commands that must have come (of each kind, with limits)."
    )
    tag: TagPath | None = Field(
        None, description="The tag that a command writes: exactly one good write before its reply."
    )
    value: str = Field("value", description="Where the value stands in the command, with `tag`.")
    low: float | None = Field(None, description="The lowest value that may be written; a lower one is refused.")
    high: float | None = Field(None, description="The highest value that may be written; a higher one is refused.")
    tolerance: ToleranceField = Field(Tolerance(relative=1e-3), description="How far the written value may be off.")
    status: str = Field("", description="Where a reply says how it went; not looked at when empty.")
    accepted: Regex = Field("ok|good|done|true|accepted", description="What it says there when the command was done.")

    @model_validator(mode="after")
    def _limits(self) -> RepliedParams:
        if self.tag is None and (self.low is not None or self.high is not None):
            raise ValueError("'low' and 'high' need 'tag'")
        return self


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its value; ``legal`` whether it may be done."""

    record: Record
    key: str
    value: Value | None
    legal: bool


class Replied(Check[RepliedParams]):
    """Commands over MQTT are answered in time, with their id, and done exactly once, or refused.

    A command is any message on `request`, whoever sent it; its reply is the first message with the same id that another
    client than the one who asked publishes within `within`. With `tag`, the command's value must have been written once, by
    Modbus or OPC UA, between command and reply; with `low` and `high` a value outside them must not have been written at all.
    Each command carries an equal share of the marks, and commands of both kinds must have come.

    Example::

        mqtt.replied:
          request: site1/drive1/cmd
          reply: site1/drive1/reply
          correlation: id
          tag: drive1.speed_setpoint
          value: value
          low: 0
          high: 1500
          at_least: 2
          marks: 4
    """

    name = "mqtt.replied"
    sentence = tr(
        "Commands on {p.request} are answered and done once",
        "{p.request} 上的命令得到答覆並只執行一次",
        "{p.request} 上的命令得到答复并只执行一次",
    )
    Params = RepliedParams

    def judge(self, evidence: Evidence, params: RepliedParams) -> Outcome:
        """Look at each command."""
        sent = [
            r
            for r in evidence.of("mqtt", "publish")
            if r.status == 0 and not r.detail.get("repeat") and not r.detail.get("will") and r.app != PLANT
        ]
        commands = [_command(evidence, r, params) for r in sent if topic_matches(params.request, r.subject)]
        # One that came at the very end could not be answered any more.
        commands = [c for c in commands if c.record.t + nanoseconds(params.within) <= evidence.end_ns]
        expected = tr("a reply within {within}", "{within} 內答覆", "{within} 内答复").format(
            within=duration(params.within)
        )
        limited = params.low is not None or params.high is not None
        kinds = (True, False) if limited else (True,)
        for legal in kinds:
            had = [c for c in commands if c.legal is legal]
            if len(had) < params.at_least:
                reason = (
                    tr(
                        "Commands that may be done: {n} of {least}.",
                        "可執行的命令：{n}，需要 {least}。",
                        "可执行的命令：{n}，需要 {least}。",
                    )
                    if legal
                    else tr(
                        "Commands that must be refused: {n} of {least}.",
                        "須拒絕的命令：{n}，需要 {least}。",
                        "须拒绝的命令：{n}，需要 {least}。",
                    )
                ).format(n=len(had), least=params.at_least)
                return failed(reason, expected=expected, evidence=[c.record for c in commands])
        lacks = [(command, _lack(evidence, command, sent, params)) for command in commands]
        wrong = [(command, lack) for command, lack in lacks if lack]
        actual = f"{len(lacks) - len(wrong)}/{len(lacks)}"
        rows = [command.record for command, _ in wrong] or [command.record for command in commands]
        if not wrong:
            reason = tr("Commands that were answered: {n}.", "已答覆 {n} 條命令。", "已答复 {n} 条命令。").format(
                n=len(lacks)
            )
            return passed(reason, expected=expected, actual=actual, evidence=rows)
        command, lack = wrong[0]
        reason = tr("The command of {time}: {lack}.", "{time} 的命令：{lack}。", "{time} 的命令：{lack}。")
        said = reason.format(time=clock(evidence, command.record.t), lack=lack)
        return partly(1 - len(wrong) / len(lacks), said, expected=expected, actual=actual, evidence=rows)


def _command(evidence: Evidence, record: Record, params: RepliedParams) -> Command:
    data = _data(record)
    value = None
    if params.tag is not None:
        raw = data if not params.value else find(data, params.value)
        value = None if raw is MISSING or raw is NOT_JSON else as_value(raw, evidence.tags[params.tag])
    legal = params.tag is None or (
        value is not None
        and (
            isinstance(value, str)
            or ((params.low is None or value >= params.low) and (params.high is None or value <= params.high))
        )
    )
    return Command(record, _key(record, data, params), value, legal)


def _data(record: Record) -> object:
    text = text_of(record)
    return NOT_JSON if text is None else decode(text)


def _key(record: Record, data: object, params: RepliedParams) -> str:
    if params.correlation:
        found = find(data, params.correlation)
        return "" if found is MISSING else number(found)
    return str(record.detail.get("properties", {}).get(_PROPERTY, ""))


def _lack(evidence: Evidence, command: Command, sent: list[Record], params: RepliedParams) -> Text:
    """What went wrong with a command; empty when nothing."""
    if not command.key:
        return tr("it carries no id", "沒有標識", "没有标识")
    asked = command.record
    wanted = params.reply or str(asked.detail.get("properties", {}).get("response_topic", ""))
    if not wanted:
        return tr("it names no response topic", "未指明響應主題", "未指明响应主题")
    until = asked.t + nanoseconds(params.within)
    reply = next(
        (
            r
            for r in sent
            if r.seq > asked.seq
            and r.t <= until
            and topic_matches(wanted, r.subject)
            and r.session != asked.session
            and _key(r, _data(r), params) == command.key
        ),
        None,
    )
    if reply is None:
        return tr("no reply with its id in time", "沒有帶其標識的及時答覆", "没有带其标识的及时答复")
    if params.status:
        done = find(_data(reply), params.status)
        if (done is not MISSING and fits(f"(?i:{params.accepted})", number(done))) is not command.legal:
            return tr("the reply says otherwise", "答覆內容不符", "答复内容不符")
    if params.tag is None:
        return Text()
    tag = evidence.tags[params.tag]
    end = until if not command.legal else reply.t
    writes = [
        r
        for r in evidence.of(kind="write", device=tag.device)
        if r.protocol in ("modbus", "opcua") and r.status == 0 and tag.path in r.tags and asked.t <= r.t <= end
    ]
    mine = [r for r in writes if _wrote(r, tag.path, command, evidence, params)]
    if not command.legal:
        return tr("it was written all the same", "仍被寫入", "仍被写入") if mine else Text()
    if len(mine) == 1:
        return Text()
    return tr("it was written {n} times", "被寫入 {n} 次", "被写入 {n} 次").format(n=len(mine))


def _wrote(record: Record, path: str, command: Command, evidence: Evidence, params: RepliedParams) -> bool:
    index = record.tags.index(path)
    value = as_value(record.values[index], evidence.tags[path]) if index < len(record.values) else None
    return value is not None and command.value is not None and matches(value, command.value, params.tolerance)
