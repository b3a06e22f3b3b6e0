"""The coach: what the plant saw from a client, in plain words, with one sentence of advice for the usual mistakes.

It says what happened and what to look at; never the answer, never praise. Advice is given once per mistake and connection.
"""

from __future__ import annotations

from typing import Any

from labsim.endpoints.fault_table import ENDPOINT_FAULTS
from labsim.evidence.event import PLANT, Record
from labsim.lab import words
from labsim.lab.rogue.table import ROGUE_FAULTS
from labsim.plant import status
from labsim.plant.faults import faults_of
from labsim.plant.plant import Plant
from labsim.sparkplug.summary import summary
from labsim.sparkplug.topic import NAMESPACE
from labsim.text import Text

_TABLES = {"holding": 40001, "input": 30001, "coil": 1, "discrete": 10001}
_QUIET = {"host-start", "host-stop", "check", "file", "submit"}
_POLLS, _POLL_S = 20, 10.0


class Coach:
    """Turns records into feed entries.

    Args:
        plant: Whose devices are talked about.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._said: set[tuple[str, str]] = set()
        self._reads: dict[tuple[str, str], list[float]] = {}
        self._clients: dict[str, str] = {}

    def entry(self, record: Record) -> dict[str, Any] | None:
        """The feed entry of a record; None for what nobody wants to read."""
        if record.app == PLANT or (record.protocol == "lab" and record.kind in _QUIET) or record.detail.get("hidden"):
            return None
        said = self._say(record)
        if said is None:
            return None
        text, advice = said
        failed = record.status != 0 or record.kind in ("reject", "deny", "drop", "timeout", "incident")
        wrote = record.kind in ("write", "publish", "call", "answer", "setting") or (
            record.protocol == "http" and record.detail.get("method") not in ("GET", "HEAD")
        )
        return {
            "seq": record.seq,
            "t": record.t / 1e9,
            "w": record.w,
            "protocol": record.protocol,
            "client": record.client,
            "device": record.device,
            "kind": record.kind,
            "level": "error" if failed else "write" if wrote else "info",
            "text": dict(text),
            "advice": dict(advice) if advice else None,
            "detail": record.detail,
        }

    def _say(self, record: Record) -> tuple[Text, Text | None] | None:
        if record.kind == "reject" and str(record.detail.get("reason", "")).startswith("TLS handshake"):
            protocol = "Modbus" if record.protocol == "modbus" else "MQTT"
            return words.TLS_FAILED.format(protocol=protocol, reason=record.detail["reason"]), None
        match record.protocol:
            case "modbus":
                return self._modbus(record)
            case "opcua":
                return self._opcua(record)
            case "mqtt":
                return self._mqtt(record)
            case "http":
                return self._http(record)
            case "ntp" if record.kind == "request":
                return words.NTP_ASKED.format(client=record.client, device=record.device), None
            case "ntp":
                return None
        return self._lab(record)

    def _once(self, record: Record, mistake: str, advice: Text) -> Text | None:
        """Advice the first time a client makes a mistake."""
        key = (record.client.rpartition(":")[0] + record.app, mistake)
        if key in self._said:
            return None
        self._said.add(key)
        return advice

    # ---- Modbus ----

    def _modbus(self, record: Record) -> tuple[Text, Text | None] | None:
        detail, kind = record.detail, record.kind
        if kind == "open":
            return words.CONNECTED.format(protocol="Modbus", client=record.client), None
        if kind == "close":
            return words.LEFT.format(protocol="Modbus", client=record.client), None
        if kind in ("refuse", "watchdog"):
            return None  # they stand in the journal; a person sees their effect
        if kind == "reject":
            return words.NOT_MODBUS.format(client=record.client), None
        table = str(detail.get("table", ""))
        facts = {
            "device": record.device or "?",
            "unit": detail.get("unit"),
            "fc": f"{detail.get('fc', 0):02d}",
            "table": words.TABLES.get(table, Text.of(table)),
            "address": detail.get("address", 0),
            "count": detail.get("count", 0),
        }
        if record.status == -1 or not record.device:
            return words.NO_UNIT.format(**facts), self._once(record, f"unit{facts['unit']}", words.NO_UNIT_ADVICE)
        sentence = {"read": words.MODBUS_READ, "write": words.MODBUS_WROTE}.get(kind, words.MODBUS_OTHER)
        head = sentence.format(**facts)
        if kind == "poll":
            return _join(words.MODBUS_POLLED.format(**facts), _pace(record)), None
        if record.status:
            meaning = words.EXCEPTIONS.get(record.status, Text.of("?"))
            outcome = words.EXCEPTION.format(code=f"{record.status:02d}", meaning=meaning)
            return _join(head, outcome), self._modbus_advice(record)
        return _join(head, _registers(record)), None

    def _modbus_advice(self, record: Record) -> Text | None:
        detail = record.detail
        address, table, fc = int(detail.get("address", 0)), str(detail.get("table", "")), int(detail.get("fc", 0))
        spec = self._plant.devices[record.device].interface.modbus
        if spec is None:
            return None
        if record.status == 1:
            return self._once(record, f"fc{fc}", words.ADVICE_FUNCTION.format(fc=f"{fc:02d}"))
        if record.status == 3:
            return self._once(record, "count", words.ADVICE_COUNT)
        if record.status != 2:
            return None
        if record.kind == "write":
            return self._once(record, "readonly", words.ADVICE_READ_ONLY)
        first = _TABLES.get(table, 0)
        if first > 1 and address >= first:
            return self._once(
                record,
                "base40001",
                words.ADVICE_40001.format(
                    number=address, first=first, address=address - first, numbering=spec.numbering
                ),
            )
        if spec.numbering and self._starts_at(record.device, table, address - spec.numbering):
            return self._once(
                record,
                "off-by-one",
                words.ADVICE_NUMBERING.format(number=address, first=spec.numbering, address=address - spec.numbering),
            )
        return self._once(record, f"hole{table}{address}", words.ADVICE_HOLE)

    def _starts_at(self, device: str, table: str, address: int) -> bool:
        found = self._plant.devices[device]
        spec = found.interface.modbus
        base = int(found.settings.get("base_register", 0))
        return spec is not None and any(
            r.table == table and r.doc - spec.numbering + base == address for r in spec.registers
        )

    # ---- OPC UA ----

    def _opcua(self, record: Record) -> tuple[Text, Text | None] | None:
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
                return words.UA_BROWSE.format(nodes=_few(detail.get("nodes", []))), None
            case "read":
                names = record.tags or detail.get("nodes", [])
                return words.UA_READ.format(nodes=_few(names)), self._polling(record)
            case "poll":
                names = record.tags or detail.get("nodes", [])
                return _join(words.UA_POLLED.format(nodes=_few(names)), _pace(record)), self._polling(record)
            case "write":
                value = record.values[0] if record.values else ""
                head = words.UA_WROTE.format(
                    node=record.tags[0] if record.tags else detail.get("node", ""), value=value
                )
                return _join(head, Text.of(bad.strip()) if bad else words.GOOD), self._write_advice(record)
            case "subscribe":
                node = record.tags[0] if record.tags else str(detail.get("node", ""))
                head = words.UA_SUBSCRIBE.format(
                    node=node,
                    sampling=f"{detail.get('sampling_ms', 0):g}",
                    publishing=f"{detail.get('publishing_ms', 0):g}",
                )
                return (_join(head, Text.of(bad.strip())) if bad else head), None
            case "unsubscribe":
                return words.UA_UNSUBSCRIBE, None
            case "call":
                head = words.UA_CALL.format(method=detail.get("name") or detail.get("method", ""))
                return _join(head, Text.of(bad.strip()) if bad else words.GOOD), None
            case "acknowledge" | "condition" | "history-read":
                return self._past_and_alarms(record)
        return None

    def _past_and_alarms(self, record: Record) -> tuple[Text, Text | None]:
        detail = record.detail
        if record.kind == "history-read":
            what = str(detail.get("aggregate") or detail.get("what", ""))
            nodes = _few(record.tags or detail.get("nodes", []))
            return words.UA_HISTORY.format(nodes=nodes, what=what, count=sum(detail.get("counts", []))), None
        alarm = str(detail.get("condition", ""))
        if record.kind == "acknowledge":
            head = words.UA_ACKNOWLEDGED.format(alarm=alarm)
        else:
            head = words.UA_ALARM_ACT.format(alarm=alarm, action=detail.get("action", ""))
        unknown = record.status == status.BAD_EVENT_ID_UNKNOWN
        advice = self._once(record, "event-id", words.ADVICE_EVENT_ID) if unknown else None
        return _join(head, Text.of(status.name(record.status)) if record.status else words.GOOD), advice

    def _certificate(self, record: Record) -> tuple[Text, Text | None]:
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

    # ---- MQTT ----

    def _mqtt(self, record: Record) -> tuple[Text, Text | None] | None:
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
                return _join(
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

    # ---- HTTP ----

    def _http(self, record: Record) -> tuple[Text, Text | None]:
        code = int(record.detail.get("code", 0))
        head = words.HTTP_ASKED.format(method=record.detail.get("method", ""), path=record.subject, code=code)
        advice = words.HTTP_ADVICE.get(code)
        return head, self._once(record, f"http{code}", advice) if advice is not None else None

    # ---- the lab itself ----

    def _fault_title(self, record: Record) -> Text:
        """What people call a fault of a tag, a device, an endpoint or a rogue client."""
        name = str(record.detail.get("fault", ""))
        device, _, tag = record.subject.partition(".")
        if device in self._plant.devices:
            known = faults_of(self._plant.devices[device].interface, tag)
        else:
            name = name.partition(".")[2]
            tables = ROGUE_FAULTS if device == "rogue" else ENDPOINT_FAULTS
            known = tables.get(tag.partition(".")[0].partition(":")[0], {})
        return known[name].title if name in known else Text.of(name)

    def _lab(self, record: Record) -> tuple[Text, Text | None] | None:
        detail = record.detail
        match record.kind:
            case "answer":
                return words.ANSWERED.format(task=detail.get("task", "")), None
            case "hint":
                return words.HINTED.format(task=detail.get("task", "")), None
            case "setting":
                if detail.get("by") == "timeline":
                    return None
                return words.SETTING.format(device=record.device, setting=detail.get("setting", "")), None
            case "fault" if record.subject.startswith("link."):
                state = str(detail.get("fault", "")).removeprefix("link.")
                sentence = words.LINK_BEGIN if detail.get("phase") == "begin" else words.LINK_END
                endpoint = record.subject.removeprefix("link.")
                return sentence.format(endpoint=endpoint, state=words.LINK_STATES.get(state, Text.of(state))), None
            case "fault":
                sentence = words.FAULT_BEGIN if detail.get("phase") == "begin" else words.FAULT_END
                return sentence.format(target=record.subject, fault=self._fault_title(record)), None
            case "pause":
                return (words.PAUSED if detail.get("phase") == "begin" else words.RESUMED), None
            case "incident":
                return words.INCIDENT.format(reason=detail.get("reason", "")), None
        return None


def _registers(record: Record) -> Text:
    """The registers as they were on the wire, never the decoded value: decoding is the trainee's work."""
    raw = str(record.detail.get("raw", ""))
    if not raw:
        return words.GOOD
    return Text.of(" ".join(raw[i : i + 4] for i in range(0, min(len(raw), 32), 4)) + (" …" if len(raw) > 32 else ""))


def _pace(record: Record) -> Text:
    """How often a poll asked, and how far apart."""
    facts = record.detail
    shortest, longest = (round(facts.get(key, 0) / 1e6) for key in ("shortest", "longest"))
    sentence = words.POLLS if facts.get("reads", 1) < 2 else words.POLLS_EVERY
    return sentence.format(n=facts.get("reads", 1), shortest=shortest, longest=longest)


def _times(record: Record) -> list[float]:
    """Plant seconds of the latest reads that a record stands for, those of a poll evenly spread."""
    if record.kind != "poll":
        return [record.t / 1e9]
    first, last, reads = (int(record.detail[key]) for key in ("first", "last", "reads"))
    few = min(reads, _POLLS)
    return [(last - (last - first) * back / max(reads - 1, 1)) / 1e9 for back in reversed(range(few))]


def _join(head: Text, tail: Text) -> Text:
    return Text({lang: f"{sentence} → {tail.say(lang)}" for lang, sentence in head.items()})


def _few(names: list[str]) -> str:
    return ", ".join(map(str, names[:3])) + (f" +{len(names) - 3}" if len(names) > 3 else "")


def _sparkplug(record: Record) -> str:
    """A Sparkplug payload in one line; "" for any other."""
    if not record.subject.startswith(f"{NAMESPACE}/") or record.detail.get("cut") or not record.values:
        return ""
    kept = str(record.values[0])
    try:
        return summary(bytes.fromhex(kept) if record.detail.get("binary") else kept.encode())
    except ValueError:
        return ""
