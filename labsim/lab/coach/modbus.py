"""What the coach says of Modbus requests, and of the mistakes usual with register maps."""

from __future__ import annotations

from labsim.evidence.event import Record
from labsim.lab import words
from labsim.lab.coach.saying import Once, Said, join, pace
from labsim.plant.plant import Plant
from labsim.text import Text

_TABLES = {"holding": 40001, "input": 30001, "coil": 1, "discrete": 10001}


class ModbusCoach:
    """Knows the register maps of a plant."""

    def __init__(self, plant: Plant, once: Once) -> None:
        self._plant = plant
        self._once = once

    def say(self, record: Record) -> Said | None:
        """What is said of a record; None for what nobody wants to read."""
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
            return join(words.MODBUS_POLLED.format(**facts), pace(record)), None
        if record.status:
            meaning = words.EXCEPTIONS.get(record.status, Text.of("?"))
            outcome = words.EXCEPTION.format(code=f"{record.status:02d}", meaning=meaning)
            return join(head, outcome), self._advice(record)
        return join(head, _registers(record)), None

    def _advice(self, record: Record) -> Text | None:
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


def _registers(record: Record) -> Text:
    """The registers as they were on the wire, never the decoded value: decoding is the trainee's work."""
    raw = str(record.detail.get("raw", ""))
    if not raw:
        return words.GOOD
    return Text.of(" ".join(raw[i : i + 4] for i in range(0, min(len(raw), 32), 4)) + (" …" if len(raw) > 32 else ""))
