"""The check of what no client does over OPC UA."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.checks.never import NOT_DONE, untouched
from grader.outcome import Outcome, failed, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import MethodPath, TagPath
from labsim.text import Text, tr

_KINDS = ("write", "read", "subscribe", "history-read")
_WORK = (*_KINDS, "call", "browse")


class OpcuaNeverParams(ServerParams):
    """Parameters of `OpcuaNever`."""

    action: Literal["write", "read", "subscribe", "history-read", "any"] = Field(
        "write", description="What must not be done to the tags."
    )
    tags: tuple[TagPath, ...] = Field((), description="Tags it must not be done to.")
    methods: tuple[MethodPath, ...] = Field((), description="Methods that must not be called, whatever `action` says.")
    refused: bool = Field(True, description="Whether what the server refused counts as done.")
    at_least: Annotated[int, Field(ge=0)] = Field(
        1, description="Good requests to the devices that must be there for it to count; 0 for penalties."
    )

    @model_validator(mode="after")
    def _something(self) -> OpcuaNeverParams:
        if not self.tags and not self.methods:
            raise ValueError("give 'tags' or 'methods'")
        return self


class OpcuaNever(ServerCheck[OpcuaNeverParams]):
    """Something is never read, written, subscribed to or called over OPC UA.

    It passes only once the devices have answered `at_least` good requests (read, write, subscribe, call, browse), so that an
    untouched lab scores nothing. One request is quickly made: as a check with marks put it behind `depends` on the work
    itself; as a penalty give `at_least: 0`. A refused write, subscription or call counts as done unless `refused` is false; a
    read that gave no good value holds no tag and never counts.

    Example::

        opcua.never: {action: write, tags: [mill1.spindle_override], methods: [mill1.replace_tool], at_least: 20, marks: 2}
    """

    name = "opcua.never"
    judges = "absence"
    sentence = tr("Over OPC UA nobody touches: {what}", "無人通過 OPC UA 觸及：{what}", "无人通过 OPC UA 触及：{what}")
    reads = "devices"
    Params = OpcuaNeverParams

    def title(self, params: OpcuaNeverParams) -> Text:
        """Names tags and methods."""
        return self.at(params, self.sentence.format(what=names([*params.tags, *params.methods])))

    def judge_here(self, evidence: Evidence, params: OpcuaNeverParams) -> Outcome:
        """Look for the first request that does it."""
        devices = {name.partition(".")[0] for name in (*params.tags, *params.methods)}
        requests = [r for r in evidence.of("opcua") if r.kind in _WORK and _is_about(r, devices)]
        done = [r for r in requests if (params.refused or _is_good(r)) and _forbidden(r, params)]
        if done:
            first = done[0]
            reason = _DONE[first.kind].format(what=_what(first, params), time=clock(evidence, first.t))
            return failed(reason, expected="0", actual=str(len(done)), evidence=done, times=len(done))
        good = [r for r in requests if _is_good(r)]
        if len(good) < params.at_least:
            return untouched(len(good), params.at_least, good)
        return passed(NOT_DONE, expected="0", actual="0", evidence=good)


_DONE = {
    "write": tr("{what} was written at {time}.", "{what} 於 {time} 被寫入。", "{what} 于 {time} 被写入。"),
    "read": tr("{what} was read at {time}.", "{what} 於 {time} 被讀取。", "{what} 于 {time} 被读取。"),
    "subscribe": tr("{what} was subscribed to at {time}.", "{what} 於 {time} 被訂閱。", "{what} 于 {time} 被订阅。"),
    "history-read": tr(
        "The history of {what} was read at {time}.",
        "{what} 的歷史數據於 {time} 被讀取。",
        "{what} 的历史数据于 {time} 被读取。",
    ),
    "call": tr("{what} was called at {time}.", "{what} 於 {time} 被調用。", "{what} 于 {time} 被调用。"),
}


def _is_good(record: Record) -> bool:
    return record.status >> 30 == 0


def _is_about(record: Record, devices: set[str]) -> bool:
    """Whether a request touched one of the devices; one request may touch several."""
    return record.device in devices or any(tag.partition(".")[0] in devices for tag in record.tags)


def _method(record: Record) -> str:
    return f"{record.device}.{record.detail.get('name')}"


def _forbidden(record: Record, params: OpcuaNeverParams) -> bool:
    if record.kind == "call":
        return _method(record) in params.methods
    kinds = _KINDS if params.action == "any" else (params.action,)
    return record.kind in kinds and not set(params.tags).isdisjoint(record.tags)


def _what(record: Record, params: OpcuaNeverParams) -> str:
    return _method(record) if record.kind == "call" else names(tag for tag in record.tags if tag in params.tags)
