"""The coach: what the plant saw from a client, in plain words, with one sentence of advice for the usual mistakes.

It says what happened and what to look at; never the answer, never praise. Advice is given once per mistake and connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labsim.evidence.event import PLANT, Record
from labsim.lab import words
from labsim.lab.coach.house import HouseCoach
from labsim.lab.coach.modbus import ModbusCoach
from labsim.lab.coach.mqtt import MqttCoach
from labsim.lab.coach.opcua import OpcuaCoach
from labsim.lab.coach.saying import Once, Said
from labsim.plant.plant import Plant

_QUIET = {"host-start", "host-stop", "check", "file", "submit"}


class Coach:
    """Turns records into feed entries.

    Args:
        plant: Whose devices are talked about.
    """

    def __init__(self, plant: Plant) -> None:
        self._once = Once()
        self._voices: dict[str, Callable[[Record], Said | None]] = {
            "modbus": ModbusCoach(plant, self._once).say,
            "opcua": OpcuaCoach(self._once).say,
            "mqtt": MqttCoach(self._once).say,
            "http": self._http,
            "ntp": self._ntp,
            "lab": HouseCoach(plant).say,
        }

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

    def _say(self, record: Record) -> Said | None:
        if record.kind == "reject" and str(record.detail.get("reason", "")).startswith("TLS handshake"):
            protocol = "Modbus" if record.protocol == "modbus" else "MQTT"
            return words.TLS_FAILED.format(protocol=protocol, reason=record.detail["reason"]), None
        return self._voices[record.protocol](record)

    def _http(self, record: Record) -> Said:
        code = int(record.detail.get("code", 0))
        head = words.HTTP_ASKED.format(method=record.detail.get("method", ""), path=record.subject, code=code)
        advice = words.HTTP_ADVICE.get(code)
        return head, self._once(record, f"http{code}", advice) if advice is not None else None

    def _ntp(self, record: Record) -> Said | None:
        if record.kind != "request":
            return None
        return words.NTP_ASKED.format(client=record.client, device=record.device), None
