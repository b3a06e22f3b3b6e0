"""The check that a rogue client was shut out while the others went on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.checks.rogue import PREFIX
from grader.cut import whole_of
from grader.faults import Injected, injected
from grader.jitter import longer
from grader.outcome import Outcome, failed, passed
from grader.window import nanoseconds
from grader.words import clock, duration
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.text import Text, tr

_ACTS = {"write", "request", "publish", "subscribe", "call", "acknowledge", "condition", "history-read"}
_READS = {"read", "poll"}
_LOGINS = {"session", "connect"}
_TRIES = {"refuse", "reject", "deny"}


class ContainedParams(Params):
    """Parameters of `Contained`."""

    rogue: str | None = Field(
        None, description="The endpoint that the rogue client comes to, as `modbus`; any by default."
    )
    within: Duration | None = Field(
        None, description="How soon after its attack began the last thing that it got done may be; any time by default."
    )
    quiet: Duration = Field(
        30.0,
        alias="for",
        description="How long it must have got nothing done, before its attack (or the attempt) ends.",
    )
    served: Annotated[int, Field(ge=0)] = Field(
        3,
        description="Good requests of other clients over the same protocol that must follow; 0 when nobody else is there.",
    )
    prevented: bool = Field(False, description="Whether it counts when it never got anything done in the first place.")


class Contained(Check[ContainedParams]):
    """A rogue client is shut out, and the other clients go on.

    What counts is what the endpoint let it do, whatever shut it out (a password, rights, a trust list, an access list, a setting
    of the device): values that it read, writes, publishes, calls, and logins as a user, with a good result. It must have got
    something done, then have tried again, been refused or not come through, and got nothing done for the time `for`. An attack
    that ends by itself before that was not contained; of several attacks each must be. Let the attack come again (`every`) for
    longer than a trainee needs. The others are clients of the trainee; whether a certain user is still let in is what `probe.*`
    asks. All times are plant time.

    Example::

        rogue.contained: {rogue: opcua, within: 10 min, for: 1 min, served: 10, marks: 4}
    """

    name = "rogue.contained"
    sentence = tr(
        "The rogue client is shut out, the others go on",
        "惡意客戶端被拒之門外，其他客戶端照常工作",
        "恶意客户端被拒之门外，其他客户端照常工作",
    )
    Params = ContainedParams

    def judge(self, evidence: Evidence, params: ContainedParams) -> Outcome:
        """Look at what each attack got done last, and at what came after it."""
        expected = _asked(params)
        attacks = [
            _Attack(one)
            for one in injected(evidence)
            if one.target.startswith(PREFIX) and params.rogue in (None, one.target.removeprefix(PREFIX))
        ]
        if not attacks:
            return failed(
                tr("No rogue client has come yet.", "尚未有惡意客戶端出現。", "尚未有恶意客户端出现。"),
                expected=expected,
            )
        _sort_out(evidence, attacks)
        rows: list[Record] = []
        for attack in attacks:
            reason = _open(evidence, attack, params)
            if reason is not None:
                return failed(reason, expected=expected, evidence=[*attack.deeds[-5:], *attack.tries[:5]])
            since = attack.deeds[-1].seq if attack.deeds else attack.fault.record.seq
            others = [r for r in evidence.of(attack.protocol) if r.seq > since and r.app != PLANT and _is_deed(r)]
            if len(others) < params.served:
                reason = tr(
                    "After {time} the rogue client got nothing done, nor did the others: {n} good requests of {least}.",
                    "惡意客戶端在 {time} 之後一無所成，但其他客戶端亦然：成功請求 {n} 次，需要 {least} 次。",
                    "恶意客户端在 {time} 之后一无所成，但其他客户端亦然：成功请求 {n} 次，需要 {least} 次。",
                ).format(time=clock(evidence, attack.last), n=len(others), least=params.served)
                return failed(reason, expected=expected, evidence=[*attack.deeds[-1:], *attack.tries[:5], *others])
            rows += [*attack.deeds[-1:], *attack.tries[:5], *others[:5]]
        reason = tr(
            "The rogue client got nothing done after {time}.",
            "惡意客戶端在 {time} 之後一無所成。",
            "恶意客户端在 {time} 之后一无所成。",
        ).format(time=clock(evidence, max(attack.last for attack in attacks)))
        return passed(reason, expected=expected, evidence=rows)


@dataclass
class _Attack:
    """One attack: what it got done, and what it tried in vain after that."""

    fault: Injected
    deeds: list[Record] = field(default_factory=list)
    tries: list[Record] = field(default_factory=list)

    @property
    def last(self) -> int:
        """When it got something done last; its beginning, if never."""
        return self.deeds[-1].t if self.deeds else self.fault.start

    @property
    def protocol(self) -> str:
        """Of the endpoint it comes to."""
        return self.fault.target.removeprefix(PREFIX).partition(".")[0].partition(":")[0]

    def take(self, record: Record) -> None:
        """One record that is its own: a deed makes earlier tries nothing."""
        if record.kind == "rogue":
            if record.detail.get("phase") == "act" and record.detail.get("result") != "done":
                self.tries.append(record)
        elif _is_deed(record):
            self.deeds.append(record)
            self.tries.clear()
        elif record.kind in _TRIES or record.status:
            self.tries.append(record)


def _is_deed(record: Record) -> bool:
    """Whether a client was let do something: to come anonymously, or to look at the server itself, is nothing yet."""
    if record.status >> 30 if record.protocol == "opcua" else record.status:
        return False
    if record.kind in _LOGINS:
        return bool(record.user)
    return record.kind in _ACTS or (record.kind in _READS and bool(record.tags or record.protocol == "modbus"))


def _sort_out(evidence: Evidence, attacks: list[_Attack]) -> None:
    """Give each attack its records; its number says which connections are its own, and from when to when."""
    by_number = {attack.fault.record.detail.get("number"): attack for attack in attacks}
    until = evidence.records[-1].seq if evidence.records else 0
    for number, record in _rogues(whole_of(evidence).records):
        if number in by_number and record.seq <= until:
            by_number[number].take(record)


def _rogues(records: list[Record]) -> Iterator[tuple[object, Record]]:
    """What rogue clients did and what the lab tells of them, each with the number of the attack."""
    here: dict[str, object] = {}
    sessions: dict[tuple[str, str], object] = {}
    for record in records:
        if record.protocol != "lab":
            number = here.get(
                record.client, sessions.get((record.protocol, record.session)) if record.session else None
            )
            if number is not None:
                if record.session:
                    sessions[record.protocol, record.session] = number
                yield number, record
        elif record.kind == "host-start":
            here.clear()
            sessions.clear()
        elif record.kind == "rogue":
            number, client = record.detail.get("number"), str(record.detail.get("client", ""))
            if record.detail.get("phase") == "open":
                here[client] = number
            elif record.detail.get("phase") == "close":
                here.pop(client, None)
            yield number, record


def _open(evidence: Evidence, attack: _Attack, params: ContainedParams) -> Text | None:
    """Why an attack is not contained, if it is not."""
    start, end = clock(evidence, attack.fault.start), attack.fault.end
    if not attack.deeds and not params.prevented:
        return tr(
            "The rogue client that came at {start} never got anything done.",
            "在 {start} 出現的惡意客戶端從未得逞。",
            "在 {start} 出现的恶意客户端从未得逞。",
        ).format(start=start)
    last = clock(evidence, attack.last)
    if not attack.tries:
        return tr(
            "The rogue client that came at {start} was still let in at {last}, and not refused after that.",
            "在 {start} 出現的惡意客戶端於 {last} 仍獲准進入，此後未被拒絕。",
            "在 {start} 出现的恶意客户端于 {last} 仍获准进入，此后未被拒绝。",
        ).format(start=start, last=last)
    if end - attack.last < nanoseconds(params.quiet):
        return tr(
            "The rogue client that came at {start} was still let in at {last}; after that it was refused for {quiet} only.",
            "在 {start} 出現的惡意客戶端於 {last} 仍獲准進入；此後僅被拒絕 {quiet}。",
            "在 {start} 出现的恶意客户端于 {last} 仍获准进入；此后仅被拒绝 {quiet}。",
        ).format(start=start, last=last, quiet=duration((end - attack.last) / 1e9))
    took = attack.last - attack.fault.start
    if params.within is not None and took > longer(evidence, nanoseconds(params.within)):
        return tr(
            "The rogue client that came at {start} was shut out after {took}; it had to be within {within}.",
            "在 {start} 出現的惡意客戶端在 {took} 後才被拒之門外；須在 {within} 內。",
            "在 {start} 出现的恶意客户端在 {took} 后才被拒之门外；须在 {within} 内。",
        ).format(start=start, took=duration(took / 1e9), within=duration(params.within))
    return None


def _asked(params: ContainedParams) -> Text:
    soon = "" if params.within is None else f"≤ {duration(params.within)}, "
    return tr(
        "{soon}refused for {quiet}; other clients: ≥ {n} good requests",
        "{soon}被拒絕 {quiet}；其他客戶端：成功請求 ≥ {n} 次",
        "{soon}被拒绝 {quiet}；其他客户端：成功请求 ≥ {n} 次",
    ).format(soon=soon, quiet=duration(params.quiet), n=params.served)
