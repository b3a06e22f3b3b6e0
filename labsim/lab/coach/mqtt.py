"""What the coach says of MQTT clients."""

from __future__ import annotations

from labsim.evidence.event import Record
from labsim.lab import words
from labsim.lab.coach.saying import Once, Said, join
from labsim.plant import status
from labsim.sparkplug.summary import summary
from labsim.sparkplug.topic import NAMESPACE
from labsim.text import Text


class MqttCoach:
    """Reads payloads of Sparkplug as one line."""

    def __init__(self, once: Once) -> None:
        self._once = once

    def say(self, record: Record) -> Said | None:
        """What is said of a record; None for what nobody wants to read."""
        detail, kind, who = record.detail, record.kind, record.app or record.client
        match kind:
            case "connect":
                if record.status:
                    return words.MQ_REFUSED.format(who=who, code=record.status), self._once(
                        record, "mqtt-login", words.ADVICE_LOGIN
                    )
                return words.CONNECTED.format(protocol="MQTT", client=who), None
            case "publish":
                payload = str(record.values[0]) if record.values else ""
                shown = _sparkplug(record) or (payload if len(payload) <= 80 else payload[:79] + "…")
                text = words.MQ_PUBLISH.format(who=who, topic=record.subject, qos=detail.get("qos", 0), payload=shown)
                advice = words.ADVICE_RETAIN if detail.get("retain") and not payload else None
                return text, self._once(record, "cleared", advice) if advice else None
            case "subscribe":
                head = words.MQ_SUBSCRIBE.format(who=who, topic=record.subject, qos=detail.get("qos", 0))
                return head, self._once(record, "hash", words.ADVICE_HASH) if record.subject == "#" else None
            case "write":
                value = record.values[0] if record.values else None
                said = words.MQ_WROTE.format(
                    who=who, tag=record.tags[0] if record.tags else record.subject, value=value
                )
                return join(
                    said, words.GOOD if status.is_good(record.status) else Text.of(status.name(record.status))
                ), None
            case "call":
                result = ", ".join(str(one) for one in detail.get("results", ()))
                topic = record.subject.rsplit("/", 1)[-1]
                return words.MQ_CALLED.format(who=who, device=record.device, topic=topic, result=result), None
            case "takeover":
                return words.MQ_TAKEOVER.format(who=who), self._once(
                    record, "takeover", words.ADVICE_TAKEOVER.format(who=who)
                )
            case "timeout":
                return words.MQ_TIMEOUT.format(who=who), None
            case "deny":
                return words.MQ_DENY.format(who=who, topic=record.subject), None
            case "drop":
                return words.MQ_DROP.format(who=who, lost=detail.get("lost", 1)), None
            case "reject":
                return words.MQ_REJECT.format(who=who, reason=detail.get("reason", "")), None
            case "close":
                return words.LEFT.format(protocol="MQTT", client=who), None
        return None


def _sparkplug(record: Record) -> str:
    """A Sparkplug payload in one line; "" for any other."""
    if not record.subject.startswith(f"{NAMESPACE}/") or record.detail.get("cut") or not record.values:
        return ""
    kept = str(record.values[0])
    try:
        return summary(bytes.fromhex(kept) if record.detail.get("binary") else kept.encode())
    except ValueError:
        return ""
