"""Checks of what no client does. Each wants to see some work first, so that an untouched lab earns nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import EVIDENCE_KEPT, Outcome, failed, passed
from grader.pattern import Regex, fits
from grader.payload import topic_matches
from grader.topic import overlap
from grader.words import clock, names
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import Rows, merged
from labsim.scenario.fields import DevicePath, TagPath
from labsim.text import Text, tr

Register = Annotated[int, Field(ge=0, le=65535)]
_ACTIONS = ("publish", "subscribe")
_seq = attrgetter("seq")
NOT_DONE = tr("It was not done.", "未曾發生。", "未曾发生。")


class AddressRange(Params):
    """A run of registers or bits of a device, by their addresses on the wire."""

    device: DevicePath = Field(description="The device.")
    table: Literal["holding", "input", "coil", "discrete"] = Field("holding", description="The table.")
    first: Register = Field(description="The first address.")
    last: Register = Field(description="The last address.")

    @model_validator(mode="after")
    def _ordered(self) -> AddressRange:
        if self.last < self.first:
            raise ValueError("'last' is not below 'first'")
        return self

    def touched(self, records: Iterable[Record]) -> Iterator[Record]:
        """The requests that reach into it."""
        device, table, first, last = self.device, self.table, self.first, self.last
        for record in records:
            where = record.detail
            address = where.get("address", -1)
            if not 0 <= address <= last or (address < first and address + where.get("count", 1) <= first):
                continue
            if record.device == device and where.get("table") == table:
                yield record


class ModbusNeverParams(Params):
    """Parameters of `ModbusNever`."""

    action: Literal["write", "read", "any"] = Field("write", description="What must not be done.")
    tags: tuple[TagPath, ...] = Field((), description="Tags it must not be done to.")
    ranges: tuple[AddressRange, ...] = Field(
        (), description="Address ranges it must not be done to: `device`, `table`, `first` and `last`."
    )
    refused: bool = Field(True, description="Whether a request that the device refused counts as done.")
    at_least: Annotated[int, Field(ge=0)] = Field(
        1, description="Good requests to the devices that must be there for it to count; 0 for penalties."
    )

    @model_validator(mode="after")
    def _something(self) -> ModbusNeverParams:
        if not self.tags and not self.ranges:
            raise ValueError("give 'tags' or 'ranges'")
        return self


class ModbusNever(Check[ModbusNeverParams]):
    """Something is never read or written over Modbus.

    It passes only once the devices have answered `at_least` good requests, so that an untouched lab scores nothing. One
    request is quickly made: as a check with marks put it behind `depends` on the work itself; as a penalty give
    `at_least: 0`. A tag counts when the request held all of its registers, a range when it reached any part of it. A request
    that was refused counts for a range always, for a tag where the device looked at its value before it refused.

    Example::

        modbus.never:
          action: write
          tags: [drive1.parameter_lock]
          ranges: [{device: drive1, first: 1000, last: 1099}]
          at_least: 20
          marks: 2
    """

    name = "modbus.never"
    judges = "absence"
    sentence = tr("Over Modbus nobody touches: {what}", "無人通過 Modbus 觸及：{what}", "无人通过 Modbus 触及：{what}")
    reads = "devices"
    Params = ModbusNeverParams

    def title(self, params: ModbusNeverParams) -> Text:
        """Names tags and ranges."""
        return self.sentence.format(what=_named(params))

    def judge(self, evidence: Evidence, params: ModbusNeverParams) -> Outcome:
        """Look for the first request that does it."""
        devices = {tag.partition(".")[0] for tag in params.tags} | {span.device for span in params.ranges}
        kinds = ("read", "write") if params.action == "any" else (params.action,)
        tags = set(params.tags)
        tried = [r for r in _requests(evidence, kinds, devices) if r.status == 0 or (params.refused and r.status > 0)]
        reached = {r.seq for span in params.ranges for r in span.touched(tried)}
        done = [r for r in tried if r.seq in reached or not tags.isdisjoint(r.tags)] if reached or tags else []
        if done:
            first = done[0]
            what = names(tag for tag in first.tags if tag in tags) or _place(first)
            form = (
                tr("{what} was written at {time}.", "{what} 於 {time} 被寫入。", "{what} 于 {time} 被写入。")
                if first.kind == "write"
                else tr("{what} was read at {time}.", "{what} 於 {time} 被讀取。", "{what} 于 {time} 被读取。")
            )
            reason = form.format(what=what, time=clock(evidence, first.t))
            return failed(reason, expected="0", actual=str(len(done)), evidence=done, times=len(done))
        good = _requests(evidence, ("read", "write"), devices).good
        if len(good) < params.at_least:
            return untouched(len(good), params.at_least, good)
        return passed(NOT_DONE, expected="0", actual="0", evidence=good)


def _requests(evidence: Evidence, kinds: tuple[str, ...], devices: Iterable[str]) -> Rows:
    return merged(evidence.of("modbus", kinds, device) for device in devices)


class MqttNeverParams(Params):
    """Parameters of `MqttNever`."""

    action: Literal["publish", "subscribe", "any"] = Field("any", description="What must not be done.")
    topics: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Topic filters; a subscription counts when it would take in any topic of one of them."
    )
    client: Regex | None = Field(None, description="Only clients whose whole client id fits this expression count.")
    refused: bool = Field(True, description="Whether what the broker refused counts as done.")
    at_least: Annotated[int, Field(ge=0)] = Field(
        1, description="Accepted messages and subscriptions that must be there for it to count; 0 for penalties."
    )


class MqttNever(Check[MqttNeverParams]):
    """Something is never published or subscribed to over MQTT.

    It passes only once clients have published or subscribed `at_least` times elsewhere, so that an untouched lab scores
    nothing. That is quickly done: as a check with marks put it behind `depends` on the work itself; as a penalty give
    `at_least: 0`. What the plant publishes itself never counts; a will that the broker published for a client does.

    Example::

        mqtt.never: {action: publish, topics: ["site1/+/cmd/#"], at_least: 20, marks: 2}
    """

    name = "mqtt.never"
    judges = "absence"
    sentence = tr("Over MQTT nobody touches: {what}", "無人通過 MQTT 觸及：{what}", "无人通过 MQTT 触及：{what}")
    Params = MqttNeverParams

    def title(self, params: MqttNeverParams) -> Text:
        """Names the topics."""
        return self.sentence.format(what=names(params.topics))

    def judge(self, evidence: Evidence, params: MqttNeverParams) -> Outcome:
        """Look for the first message or subscription that does it."""
        done = sorted(_done(evidence, params), key=_seq)
        if done:
            first = done[0]
            form = (
                tr(
                    "{who} published on {topic} at {time}.",
                    "{who} 於 {time} 在 {topic} 上發佈。",
                    "{who} 于 {time} 在 {topic} 上发布。",
                )
                if _action(first) == "publish"
                else tr(
                    "{who} subscribed to {topic} at {time}.",
                    "{who} 於 {time} 訂閱了 {topic}。",
                    "{who} 于 {time} 订阅了 {topic}。",
                )
            )
            reason = form.format(who=first.app or first.client, topic=first.subject, time=clock(evidence, first.t))
            return failed(reason, expected="0", actual=str(len(done)), evidence=done, times=len(done))
        accepted = merge(*(evidence.of("mqtt", kind) for kind in _ACTIONS), key=_seq)
        counted = (r for r in accepted if r.status == 0 and _is_meant(r, params))
        good = list(islice(counted, max(params.at_least, EVIDENCE_KEPT)))
        if len(good) < params.at_least:
            return untouched(len(good), params.at_least, good)
        return passed(NOT_DONE, expected="0", actual="0", evidence=good)


def untouched(had: int, needed: int, rows: list[Record]) -> Outcome:
    """Nothing forbidden was done, but too little else was either."""
    reason = tr(
        "It was not done, but too little was: {n} of {least}.",
        "未曾發生，但其他操作過少：{n}，需要 {least}。",
        "未曾发生，但其他操作过少：{n}，需要 {least}。",
    )
    return failed(reason.format(n=had, least=needed), expected=f"≥ {needed}", actual=str(had), evidence=rows)


def _place(record: Record) -> str:
    first, count = record.detail.get("address", 0), max(record.detail.get("count", 1), 1)
    table = record.detail.get("table", "")
    return f"{record.device} {table} {first}" + (f"–{first + count - 1}" if count > 1 else "")


def _named(params: ModbusNeverParams) -> str:
    return names([*params.tags, *(f"{r.device} {r.table} {r.first}–{r.last}" for r in params.ranges)])


def _action(record: Record) -> str:
    return str(record.detail.get("action", "")) if record.kind == "deny" else record.kind


def _is_meant(record: Record, params: MqttNeverParams) -> bool:
    return record.app != PLANT and fits(params.client, record.app)


def _done(evidence: Evidence, params: MqttNeverParams) -> Iterator[Record]:
    """The acts that are forbidden; each topic or filter is looked at once, however often something was done to it."""
    for kind in (*_ACTIONS, "deny"):
        for subject, rows in evidence.of("mqtt", kind).by_subject.items():
            for action in {_action(r) for r in rows} if kind == "deny" else (kind,):
                meets = topic_matches if action == "publish" else overlap
                if params.action not in ("any", action) or not any(meets(each, subject) for each in params.topics):
                    continue
                for record in rows:
                    refused = kind == "deny" or record.status != 0
                    if _action(record) == action and _is_meant(record, params) and (params.refused or not refused):
                        yield record
