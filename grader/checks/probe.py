"""Checks of what the host itself tried: whether a user, an address or nobody in particular can do something.

The host tries while the lab runs and journals what came of it; a check judges that record alone.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from grader.check import Check, Params
from grader.outcome import Outcome, failed, passed
from grader.payload import topic_matches
from grader.words import clock, names
from labsim.errors import LabsimError
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, parse_duration
from labsim.scenario.fields import DevicePath, TagPath
from labsim.text import Text, tr

DONE, REFUSED, UNREACHABLE, ERROR = "done", "refused", "unreachable", "error"
CHECK: Final = "check"
"""``at`` of a probe that is made at every check and at the end."""


def _when(value: Any) -> Any:
    return value if value == CHECK else parse_duration(value)


def _loopback(address: str) -> str:
    if address and not ipaddress.ip_address(address).is_loopback:
        raise ValueError(f"{address!r} is no loopback address, such as 127.0.0.2; the host tries nothing elsewhere")
    return address


Loopback = Annotated[str, AfterValidator(_loopback)]


class ProbeParams(Params):
    """What every probe has."""

    endpoint: str = Field(
        "", description="The endpoint: its protocol, or `mqtt.2` where there are several; the first by default."
    )
    user: str = Field("", description="The user it logs in as; nobody by default.")
    password: str = Field("", description="The user's password.")
    source: Loopback = Field(
        "", description="The loopback address it comes from, such as `127.0.0.2` (Linux and Windows)."
    )
    at: Annotated[float | Literal["check"], BeforeValidator(_when)] = Field(
        CHECK, description="When it is tried: at a plant time, or (`check`) at every check and at the end."
    )
    expect: Literal["done", "refused", "unreachable", "blocked"] = Field(
        "done", description="What must come of it; `blocked` is `refused` or `unreachable`."
    )
    timeout: Duration = Field(3.0, description="How long it waits for an answer, in wall time.")


class OpcuaProbeParams(ProbeParams):
    """Parameters of `OpcuaProbe`."""

    action: Literal["connect", "read", "write"] = Field("connect", description="What it tries.")
    tag: TagPath | None = Field(None, description="The tag it reads or writes.")
    node: str = Field("", description="Or the node: browse names below Objects, or a node id.")
    value: str | float | bool | None = Field(None, description="The value it writes; the present one by default.")
    security: Literal["None", "best", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] = Field(
        "None", description="The security policy of its channel; with another than `None` it signs and encrypts."
    )

    @model_validator(mode="after")
    def _target(self) -> OpcuaProbeParams:
        if self.action != "connect" and (self.tag is None) == (not self.node):
            raise ValueError(f"to {self.action}, give 'tag' or 'node'")
        return self


class ModbusProbeParams(ProbeParams):
    """Parameters of `ModbusProbe`."""

    action: Literal["connect", "read", "write"] = Field("read", description="What it tries.")
    device: DevicePath | None = Field(None, description="The device; its unit id is looked up.")
    table: Literal["holding", "input", "coil", "discrete"] = Field("holding", description="The table.")
    address: Annotated[int, Field(ge=0, le=65535)] = Field(0, description="The address on the wire.")
    value: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None, description="The register's new value; the present one by default."
    )

    @model_validator(mode="after")
    def _target(self) -> ModbusProbeParams:
        if self.action != "connect" and self.device is None:
            raise ValueError(f"to {self.action}, give 'device'")
        if self.action == "write" and self.table not in ("holding", "coil"):
            raise ValueError("only 'holding' and 'coil' can be written")
        return self


class MqttProbeParams(ProbeParams):
    """Parameters of `MqttProbe`."""

    action: Literal["connect", "publish", "subscribe", "receive"] = Field(
        "connect", description="What it tries; `receive` subscribes and takes what comes within `listen`."
    )
    topic: str = Field("", description="The topic it publishes to, or the filter it subscribes to.")
    payload: str = Field("labsim probe", description="What it publishes, with QoS 1 and not retained.")
    tls: bool = Field(False, description="Connect to the broker's TLS port.")
    certificate: str = Field(
        "", description="The client certificate of this account that it shows, as the lab made it."
    )
    listen: Duration = Field(2.0, description="How long `receive` listens, in wall time.")
    topics: tuple[str, ...] = Field((), description="Topics that must each come, with `receive`.")
    only: tuple[str, ...] = Field(
        (), description="Filters: nothing may come that is outside all of them, with `receive`."
    )
    retained: bool = Field(False, description="Only retained messages count, with `receive`.")

    @model_validator(mode="after")
    def _target(self) -> MqttProbeParams:
        if self.action != "connect" and not self.topic:
            raise ValueError(f"to {self.action}, give 'topic'")
        if (self.topics or self.only) and self.action != "receive":
            raise ValueError("'topics' and 'only' belong to 'action: receive'")
        return self


P = TypeVar("P", bound=ProbeParams)


def key_of(name: str, params: ProbeParams) -> str:
    """What the record of a probe is found by: the same for the same check with the same parameters."""
    written = json.dumps([name, params.model_dump(mode="json", exclude={"expect", "topics", "only"})], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


class Probe(Check[P]):
    """Base of the checks of probes."""

    judges = "handed"

    def judge(self, evidence: Evidence, params: P) -> Outcome:
        """Look at what came of the last try."""
        key = key_of(self.name, params)
        tries = [r for r in evidence.of("lab", "probe") if r.detail.get("probe") == key]
        if not tries:
            due = bool(evidence.of("lab", "submit")) if params.at == CHECK else params.at * 1e9 <= evidence.end_ns
            if due:
                raise LabsimError("the host was to try this and has not")
            return failed(tr("It was not tried yet.", "尚未嘗試。", "尚未尝试。"), expected=params.expect)
        last = tries[-1]
        result = str(last.detail.get("result", ERROR))
        if result == ERROR:
            raise LabsimError(f"the host could not try this: {last.detail.get('reason', '')}")
        wanted = (REFUSED, UNREACHABLE) if params.expect == "blocked" else (params.expect,)
        shown = " ".join(str(part) for part in (result, last.detail.get("code", "")) if part)
        if result in wanted:
            lack = self.lack(last, params)
            if not lack:
                reason = _RESULTS[result].format(time=clock(evidence, last.t))
                return passed(reason, expected=params.expect, actual=shown, evidence=[last])
            return failed(lack, expected=params.expect, actual=names(map(str, last.values)) or shown, evidence=[last])
        reason = _RESULTS[result].format(time=clock(evidence, last.t))
        return failed(reason, expected=params.expect, actual=shown, evidence=[last])

    def lack(self, record: Record, params: P) -> Text:  # noqa: ARG002 - what came of it is enough for most
        """What a try that came out as wanted still lacks; empty when nothing."""
        return Text()

    def title(self, params: P) -> Text:
        """Names user, action and target."""
        who = tr("nobody in particular", "匿名", "匿名") if not params.user else Text.of(params.user)
        what: Mapping[str, Any] = params.model_dump()
        target = next((what[name] for name in ("tag", "node", "topic", "device") if what.get(name)), params.endpoint)
        action = " ".join(str(part) for part in (what["action"], target) if part)
        return self.sentence.format(
            who=Text({lang: who.say(lang) for lang in ("en", "zh-Hant", "zh-Hans")}), what=action, expect=params.expect
        )


_SENTENCE = tr(
    "A probe as {who}: {what} is {expect}",
    "以 {who} 探測：{what} 結果為 {expect}",
    "以 {who} 探测：{what} 结果为 {expect}",
)
_RESULTS = {
    DONE: tr("It could be done at {time}.", "{time} 可以做到。", "{time} 可以做到。"),
    REFUSED: tr("It was refused at {time}.", "{time} 被拒絕。", "{time} 被拒绝。"),
    UNREACHABLE: tr("Nothing could be reached at {time}.", "{time} 無法到達。", "{time} 无法到达。"),
}


class OpcuaProbe(Probe[OpcuaProbeParams]):
    """The host tries to connect, read or write over OPC UA, as some user or nobody, and it is let or not.

    What it does changes the plant as any client's write would; without `value` it writes what it has read. Its own traffic
    counts for no other check. A server that keeps a trust list refuses its certificate like any other that it does not know.

    Example::

        probe.opcua: {user: guest, password: guest, action: write, tag: mill1.spindle_override, expect: refused, marks: 1}

    Example::

        probe.opcua: {security: None, at: 20 min, expect: refused, marks: 2}
    """

    name = "probe.opcua"
    sentence = _SENTENCE
    Params = OpcuaProbeParams


class ModbusProbe(Probe[ModbusProbeParams]):
    """The host tries to read or write over Modbus, from some address, and it is let or not.

    Without `value` it writes what it has read. Its own traffic counts for no other check.

    Example::

        probe.modbus: {device: drive1, action: write, address: 1000, source: 127.0.0.2, expect: blocked, marks: 1}
    """

    name = "probe.modbus"
    sentence = _SENTENCE
    Params = ModbusProbeParams


class MqttProbe(Probe[MqttProbeParams]):
    """The host tries to connect, publish or subscribe over MQTT, as some user or nobody, and it is let or not.

    With `receive` it subscribes like a consumer that comes late and takes what comes within `listen`. Its own traffic counts
    for no other check.

    Example::

        probe.mqtt: {user: press, password: press, action: publish, topic: site1/oven/cmd, expect: refused, marks: 1}

    Example::

        probe.mqtt:
          user: portal
          password: portal
          action: receive
          topic: "#"
          retained: true
          topics: [site1/dock1/state, site1/dock2/state]
          only: [site1/+/state]
          marks: 2
    """

    name = "probe.mqtt"
    sentence = _SENTENCE
    Params = MqttProbeParams

    def lack(self, record: Record, params: MqttProbeParams) -> Text:
        """Topics that did not come, or came and should not."""
        came = [str(topic) for topic in record.values]
        missing = [topic for topic in params.topics if topic not in came]
        if missing:
            return tr("Did not come: {topics}.", "未收到：{topics}。", "未收到：{topics}。").format(
                topics=names(missing)
            )
        more = [t for t in came if params.only and not any(topic_matches(pattern, t) for pattern in params.only)]
        if more:
            return tr("Came, but should not: {topics}.", "不應收到：{topics}。", "不应收到：{topics}。").format(
                topics=names(more)
            )
        return Text()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A probe that the host has to make: its key, the check's name, its parameters, the task (or "") it is for."""

    key: str
    name: str
    params: ProbeParams
    task: str


def wanted_of(checks: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Iterator[Wanted]:
    """The probes among some checks (task, name, parameters), each once, those inside other checks included."""
    from grader.checks import load
    from labsim.scenario.fields import nested_checks

    seen: set[tuple[str, str]] = set()
    waiting = list(checks)
    while waiting:
        task, name, params = waiting.pop(0)
        model = load(name).Params
        waiting += [(task, inner, given) for _, inner, given in nested_checks(model, params)]
        if issubclass(model, ProbeParams):
            parsed = model.model_validate(params)
            key = key_of(name, parsed)
            if (task, key) not in seen:
                seen.add((task, key))
                yield Wanted(key, name, parsed, task)
