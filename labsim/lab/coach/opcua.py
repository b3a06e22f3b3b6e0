"""What the coach says of OPC UA services, and of polling, wrong types and rejected certificates."""

from __future__ import annotations

from labsim.evidence.event import Record
from labsim.lab import words
from labsim.lab.coach.saying import Once, Said, few, join, pace
from labsim.plant import status
from labsim.text import Text

_POLLS, _POLL_S = 20, 10.0


class OpcuaCoach:
    """Counts how often a session reads a tag."""

    def __init__(self, once: Once) -> None:
        self._reads: dict[tuple[str, str], list[float]] = {}
        self._once = once

    def say(self, record: Record) -> Said | None:
        """What is said of a record; None for what nobody wants to read."""
        detail, kind = record.detail, record.kind
        who = record.user or record.app or record.client
        bad = f" {status.name(record.status)}" if record.status else ""
        match kind:
            case "open":
                return words.CONNECTED.format(protocol="OPC UA", client=record.client), None
            case "close" | "session-close":
                return words.LEFT.format(protocol="OPC UA", client=who), None
            case "reject":
                reason = str(detail.get("reason", "")) or bad.strip()
                return words.UA_REJECT.format(service=detail.get("service", ""), reason=reason), None
            case "certificate":
                return self._certificate(record)
            case "session":
                facts = {"who": who, "policy": detail.get("policy", "None"), "mode": detail.get("mode", "None")}
                return words.UA_SESSION.format(**facts), None
            case "browse":
                return words.UA_BROWSE.format(nodes=few(detail.get("nodes", []))), None
            case "read":
                names = record.tags or detail.get("nodes", [])
                return words.UA_READ.format(nodes=few(names)), self._polling(record)
            case "poll":
                names = record.tags or detail.get("nodes", [])
                return join(words.UA_POLLED.format(nodes=few(names)), pace(record)), self._polling(record)
            case "write":
                value = record.values[0] if record.values else ""
                head = words.UA_WROTE.format(
                    node=record.tags[0] if record.tags else detail.get("node", ""), value=value
                )
                return join(head, Text.of(bad.strip()) if bad else words.GOOD), self._write_advice(record)
            case "subscribe":
                node = record.tags[0] if record.tags else str(detail.get("node", ""))
                head = words.UA_SUBSCRIBE.format(
                    node=node,
                    sampling=f"{detail.get('sampling_ms', 0):g}",
                    publishing=f"{detail.get('publishing_ms', 0):g}",
                )
                return (join(head, Text.of(bad.strip())) if bad else head), None
            case "unsubscribe":
                return words.UA_UNSUBSCRIBE, None
            case "call":
                head = words.UA_CALL.format(method=detail.get("name") or detail.get("method", ""))
                return join(head, Text.of(bad.strip()) if bad else words.GOOD), None
            case "acknowledge" | "condition" | "history-read":
                return self._past_and_alarms(record)
        return None

    def _past_and_alarms(self, record: Record) -> Said:
        detail = record.detail
        if record.kind == "history-read":
            what = str(detail.get("aggregate") or detail.get("what", ""))
            nodes = few(record.tags or detail.get("nodes", []))
            return words.UA_HISTORY.format(nodes=nodes, what=what, count=sum(detail.get("counts", []))), None
        alarm = str(detail.get("condition", ""))
        if record.kind == "acknowledge":
            head = words.UA_ACKNOWLEDGED.format(alarm=alarm)
        else:
            head = words.UA_ALARM_ACT.format(alarm=alarm, action=detail.get("action", ""))
        unknown = record.status == status.BAD_EVENT_ID_UNKNOWN
        advice = self._once(record, "event-id", words.ADVICE_EVENT_ID) if unknown else None
        return join(head, Text.of(status.name(record.status)) if record.status else words.GOOD), advice

    def _certificate(self, record: Record) -> Said:
        detail, action = record.detail, str(record.detail.get("action", ""))
        facts = {"subject": record.subject, "thumb": detail.get("thumbprint", ""), "action": action}
        if action == "rejected":
            said = words.UA_CERTIFICATE_REFUSED.format(reason=detail.get("reason", ""), **facts)
            return said, self._once(record, "certificate", words.ADVICE_REJECTED)
        said = words.UA_CERTIFICATE_TRUSTED if action == "trusted" else words.UA_CERTIFICATE_CHANGED
        return said.format(**facts), None

    def _write_advice(self, record: Record) -> Text | None:
        if record.status == status.BAD_USER_ACCESS_DENIED:
            return self._once(record, "denied", words.ADVICE_ROLE)
        if record.status == status.BAD_TYPE_MISMATCH:
            return self._once(record, "type", words.ADVICE_TYPE)
        return None

    def _polling(self, record: Record) -> Text | None:
        """Advice to subscribe, once the same tag was read 20 times in 10 s of plant time."""
        for tag in record.tags:
            times = self._reads.setdefault((record.session, tag), [])
            times += _times(record)
            del times[:-_POLLS]
            if len(times) == _POLLS and times[-1] - times[0] <= _POLL_S:
                every = (times[-1] - times[0]) / (_POLLS - 1) * 1000
                return self._once(record, "polling", words.ADVICE_POLLING.format(every=f"{every:.0f}"))
        return None


def _times(record: Record) -> list[float]:
    """Plant seconds of the latest reads that a record stands for, those of a poll evenly spread."""
    if record.kind != "poll":
        return [record.t / 1e9]
    first, last, reads = (int(record.detail[key]) for key in ("first", "last", "reads"))
    few = min(reads, _POLLS)
    return [(last - (last - first) * back / max(reads - 1, 1)) / 1e9 for back in reversed(range(few))]
