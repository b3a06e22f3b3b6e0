"""The catalogue of faults as a document: what each of the 65 is called here and where it is shown; makes docs/faults.md.

The catalogue was gathered from accidents and from what goes wrong in the field: P are faults of processes and sensors, D of
devices, N of the network and of protocols, C those of somebody who means harm.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import devices
from labsim.endpoints.fault_table import ENDPOINT_FAULTS, LINK_FAULTS
from labsim.lab.rogue.table import ROGUE_FAULTS
from labsim.plant.fault_spec import FaultParameter, FaultSpec
from labsim.plant.fault_table import DEVICE_FAULTS, VALUE_FAULTS

TITLES: dict[str, str] = {
    "P01": "stuck sensor", "P02": "wrong calibration", "P03": "alarm switch dead", "P04": "drift", "P05": "bias", "P06": "noise",
    "P07": "spikes", "P08": "dropout", "P09": "last value held", "P10": "wire break", "P11": "saturation", "P12": "quantised",
    "P13": "lag increased", "P14": "unit changed", "P15": "swapped phases or channels", "P16": "tool wear or break",
    "P17": "bearing damage", "P18": "cavitation, dry run", "P19": "air leak", "P20": "jam", "P21": "hidden micro-stops",
    "P22": "paste volume drifts", "P23": "oven zone at half power", "D01": "word swap after firmware", "D02": "off-by-one map",
    "D03": "register map moved", "D04": "counter rolls over or is reset", "D05": "0 on a communication error",
    "D06": "float32 totaliser stalls", "D07": "16-bit saturation", "D08": "watchdog trip", "D09": "remote bit off",
    "D10": "EEPROM worn out", "D11": "simulation mode left on", "N01": "slow device", "N02": "connection limit",
    "N03": "half-open socket", "N04": "gateway, slave dead", "N05": "clock skew or drift", "N06": "clock jump",
    "N07": "queue overflow", "N08": "stale gateway", "N09": "alarm server stalls", "N10": "alarm flood",
    "N11": "retained stale message",
    "N12": "duplicate client id", "N13": "Sparkplug gap, restart without NBIRTH", "N14": "two edge nodes with one id",
    "N15": "late NDEATH", "N16": "old STATE message", "N17": "expired certificate", "N18": "untrusted certificate",
    "N19": "namespace index moved", "C01": "rogue master writes a setpoint", "C02": "false measurements",
    "C03": "record and play",
    "C04": "operator's HMI taken over", "C05": "default password", "C06": "rogue station, alarms off",
    "C07": "safety logic changed",
    "C08": "credential brute force", "C09": "open broker, spoofed publish", "C10": "register scan", "C11": "energy counter reset",
    "C12": "session flood",
}  # fmt: skip

OTHERWISE: dict[str, str] = {
    "P19": "setting `leaks` of a compressor, which a timeline may change",
    "D08": "no fault to begin: the `watchdogs` of a Modbus endpoint, and of drives and couplers, trip when a client falls silent",
    "D09": "no fault to begin: drives take no reference while bit 10 of the control word is 0",
    "D10": "no fault to begin: registers with `effect: eeprom` wear out, with `wear_limit` in the interface",
    "N07": "no fault to begin: an OPC UA client with too small a queue loses values and gets the Overflow bit; a slow link helps",
}
"""Entries that happen as the plant is used."""


def shown_by() -> dict[str, list[str]]:
    """For each number of the catalogue, how the fault is begun."""
    found: dict[str, list[str]] = {number: [] for number in TITLES}

    def add(table: Mapping[str, FaultSpec], where: str) -> None:
        for name, spec in table.items():
            for number in spec.catalogue.split():
                found[number].append(f"{where} `{name}`")

    add(VALUE_FAULTS, "tag")
    add(DEVICE_FAULTS, "device")
    for kind in devices.names():
        add(devices.interface(kind).faults, f"{kind}")
    for protocol, table in ENDPOINT_FAULTS.items():
        add(table, f"endpoint.{protocol}")
    add(LINK_FAULTS, "link")
    for protocol, table in ROGUE_FAULTS.items():
        add(table, f"rogue.{protocol}")
    for number, how in OTHERWISE.items():
        found[number].append(how)
    return found


def catalogue_table() -> str:
    """The catalogue as a Markdown table."""
    rows = [
        f"| {number} | {title} | {'; '.join(how) or 'not shown yet'} |"
        for (number, title), how in zip(TITLES.items(), shown_by().values(), strict=True)
    ]
    return "\n".join(["| no. | fault | how it is shown |", "| --- | --- | --- |", *rows, ""])


def fault_tables() -> str:
    """Faults of tags, devices, endpoints and rogue clients with their parameters, as Markdown."""
    parts = [
        _table("Faults of a tag", VALUE_FAULTS),
        _table("Faults of any device", DEVICE_FAULTS),
        *(_table(f"Faults of an endpoint: {protocol}", table) for protocol, table in ENDPOINT_FAULTS.items() if table),
    ]
    parts += [_table(f"Rogue clients: {protocol}", table) for protocol, table in ROGUE_FAULTS.items()]
    own = [(kind, devices.interface(kind).faults) for kind in sorted(devices.names())]
    parts += [_table(f"Faults of a {kind}", table) for kind, table in own if table]
    return "\n".join(parts)


def _table(title: str, table: Mapping[str, FaultSpec]) -> str:
    rows = [
        f"| `{name}` | {_plain(spec)} | {'<br>'.join(_parameters(spec))} | {spec.catalogue} |"
        for name, spec in table.items()
    ]
    return "\n".join(
        [f"### {title}", "", "| fault | effect | parameters | no. |", "| --- | --- | --- | --- |", *rows, ""]
    )


def _plain(spec: FaultSpec) -> str:
    return spec.about.say("en") if spec.about else spec.title.say("en")


def _parameters(spec: FaultSpec) -> Iterator[str]:
    for name, one in spec.parameters.items():
        yield f"`{name}`: {one.title.say('en')}{_range(one)}"


def _range(one: FaultParameter) -> str:
    if one.of != "number":
        return ""
    unit = f" {one.unit}" if one.unit else ""
    far = abs(one.range[0]) >= 1e9 or abs(one.range[1]) >= 1e9
    said = [] if far else [f"{one.range[0]:.10g} to {one.range[1]:.10g}{unit}"]
    said += [f"default {one.default:.10g}{unit}"] if one.default is not None else []
    return f" ({', '.join(said)})" if said else ""


def document(text: str) -> str:
    """``docs/faults.md`` with its tables made anew between their marks."""
    for mark, made in (("faults", fault_tables()), ("catalogue", catalogue_table())):
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        head, rest = text.split(begin, 1)
        text = head + begin + "\n" + made + "\n" + end + rest.split(end, 1)[1]
    return text


if __name__ == "__main__":  # python -m labsim.lab.fault_catalogue docs/faults.md
    path = Path(sys.argv[1])
    path.write_text(document(path.read_text(encoding="utf-8")), encoding="utf-8")
