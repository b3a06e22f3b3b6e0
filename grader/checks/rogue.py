"""The check of an answer that says where a rogue client came from."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from grader.check import Check, Params
from grader.outcome import Outcome, failed, passed
from grader.truth import plain
from labsim.evidence.evidence import Evidence
from labsim.text import tr

PREFIX = "rogue."


class NamedParams(Params):
    """Parameters of `Named`."""

    task: str = Field("", description="The task whose answer it is; the task the check stands in by default.")
    rogue: str | None = Field(
        None, description="The endpoint that the rogue client came to, as `modbus`; any by default."
    )


class Named(Check[NamedParams]):
    """The last answer to a task names the rogue client: its address (with or without port), or what it calls itself.

    What it calls itself is its client id over MQTT and its application name or URI over OPC UA. The address is what the
    evidence has, so the check is the same on a computer where a rogue client has to come from 127.0.0.1.

    Example::

        rogue.named: {rogue: modbus, marks: 2}
    """

    name = "rogue.named"
    judges = "handed"
    sentence = tr("The rogue client is named", "指出惡意客戶端", "指出恶意客户端")
    Params = NamedParams

    def judge(self, evidence: Evidence, params: NamedParams) -> Outcome:
        """Compare the last answer with the connections that were opened before it."""
        record = evidence.answer(params.task)
        expected = tr("its address or its name", "其地址或名稱", "其地址或名称")
        if record is None:
            return failed(tr("There is no answer yet.", "尚未作答。", "尚未作答。"), expected=expected)
        said = plain(str(record.values[0] if record.values else ""))
        right = next((seq for seq, name in _names(evidence, params.rogue, record.seq) if plain(name) == said), None)
        if right is None:
            reason = tr(
                "The answer names no rogue client.", "答案沒有指出任何惡意客戶端。", "答案没有指出任何恶意客户端。"
            )
            return failed(reason, expected=expected, actual=said, evidence=[record.seq])
        reason = tr("The answer names the rogue client.", "答案指出了惡意客戶端。", "答案指出了恶意客户端。")
        return passed(reason, actual=said, evidence=[right, record.seq])


def _names(evidence: Evidence, endpoint: str | None, before: int) -> Iterator[tuple[int, str]]:
    """What the rogue clients of an endpoint may be called, each with the record that says so."""
    for record in evidence.of("lab", "rogue"):
        if record.seq > before or record.detail.get("phase") != "open":
            continue
        if endpoint is not None and record.subject != PREFIX + endpoint:
            continue
        client, name = str(record.detail.get("client", "")), str(record.detail.get("name", ""))
        yield from ((record.seq, one) for one in (client, client.rpartition(":")[0].strip("[]")))
        if name:
            yield from ((record.seq, one) for one in (name, f"urn:{name}:client"))
