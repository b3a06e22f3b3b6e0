"""The catalogue a scenario is judged against: device types and checks that are installed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

import devices
import grader.checks
from grader.catalogue import prose
from labsim.document.faults import explain
from labsim.endpoints.fault_table import ENDPOINT_FAULTS
from labsim.errors import InputError, UnknownNameError
from labsim.lab.rogue.table import DEVICE, INTO, ROGUE_FAULTS, VICTIM, parse_attack
from labsim.plant.fault_spec import FaultSpec
from labsim.plant.fault_table import DEVICE_FAULTS, VALUE_FAULTS
from labsim.plant.faults import faults_of, parse_fault
from labsim.plant.sensor import SensorSpec, sensor_of


def _wrong(spec: FaultSpec, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parameters of a fault that are wrong, with why."""
    for name, value in given.items():
        try:
            spec.parse({name: value})
        except InputError as error:
            yield name, str(error)


class LabCatalogue:
    """`labsim.scenario.Catalogue` over the installed devices and checks; reads interfaces, imports no behaviour."""

    def device_types(self) -> Iterable[str]:
        """Names of all device types."""
        return devices.names()

    def device_tags(self, kind: str) -> Iterable[str]:
        """Tag names of a device type."""
        return devices.interface(kind).tags

    def device_alarms(self, kind: str) -> Iterable[str]:
        """Alarm names of a device type."""
        return devices.interface(kind).alarms

    def device_methods(self, kind: str) -> Iterable[str]:
        """What a device type calls its methods."""
        opcua = devices.interface(kind).opcua
        if opcua is None:
            return []
        commands = (call for states in opcua.states.values() for call in states.calls.values())
        return [*(method.call for method in opcua.methods.values()), *commands]

    def device_settings(self, kind: str) -> Iterable[str]:
        """Setting names of a device type."""
        return devices.interface(kind).settings

    def device_protocols(self, kind: str) -> Iterable[str]:
        """Protocols a device type speaks."""
        return devices.interface(kind).protocols

    def device_ports(self, kind: str) -> Mapping[str, tuple[str, str]]:
        """Ports of a device type: which way, and what passes through."""
        return {name: (port.way, port.carries) for name, port in devices.interface(kind).ports.items()}

    def judge_setting(self, kind: str, setting: str, value: Any) -> str:
        """Why ``value`` cannot be that setting, or "" when it can."""
        settings = devices.interface(kind).settings
        if setting not in settings:
            return str(UnknownNameError("setting", setting, settings))
        try:
            settings[setting].parse(value)
        except ValueError as error:
            return str(error)
        return ""

    def judge_sensor(self, kind: str, tag: str, chain: Any) -> str:
        """Why ``chain`` cannot be stages of the sensor of a tag, or "" when it can."""
        if devices.interface(kind).tags[tag].type in ("bool", "text"):
            return f"it is a {devices.interface(kind).tags[tag].type}, and a sensor gives numbers."
        try:
            sensor_of(devices.interface(kind).sensors, tag, chain)
        except ValidationError as error:
            return " ".join(f"{f.message} {f.hint}".strip() for f in explain(error, chain, SensorSpec))
        return ""

    def device_faults(self, kind: str, tag: str) -> Iterable[str]:
        """Faults of a tag of a device type, or with "" of the device itself."""
        return faults_of(devices.interface(kind), tag)

    def fault_params(self, kind: str, tag: str, fault: str) -> Iterable[str]:
        """What the parameters of one of them are called."""
        return faults_of(devices.interface(kind), tag)[fault].parameters

    def judge_fault(self, kind: str, tag: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why; the name is "" where it is one that lacks."""
        found = list(_wrong(faults_of(devices.interface(kind), tag)[fault], given))
        if not found:
            try:
                parse_fault(devices.interface(kind), tag, fault, given)
            except InputError as error:
                found.append(("", str(error)))
        return found

    def endpoint_faults(self, protocol: str) -> Iterable[str]:
        """Faults of an endpoint of a protocol."""
        return ENDPOINT_FAULTS.get(protocol, {})

    def endpoint_fault_params(self, protocol: str, fault: str) -> Iterable[str]:
        """What the parameters of one of them are called."""
        return ENDPOINT_FAULTS.get(protocol, {})[fault].parameters

    def judge_endpoint_fault(self, protocol: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why."""
        return _wrong(ENDPOINT_FAULTS.get(protocol, {})[fault], given)

    def rogue_faults(self, protocol: str) -> Iterable[str]:
        """What a rogue client may do at an endpoint of a protocol."""
        return ROGUE_FAULTS.get(protocol, {})

    def rogue_fault_params(self, protocol: str, fault: str) -> Mapping[str, str]:
        """What the parameters of one of them are called, and what each names."""
        named = {VICTIM: "tag", INTO: "tag", DEVICE: "device"}
        return {name: named.get(name, "") for name in ROGUE_FAULTS[protocol][fault].parameters}

    def judge_rogue_fault(self, protocol: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why; the name is "" where it is one that lacks."""
        found = list(_wrong(ROGUE_FAULTS[protocol][fault], given))
        if not found:
            try:
                parse_attack(protocol, fault, given)
            except InputError as error:
                found.append(("", str(error)))
        return found

    def fault_schema(self) -> dict[str, Any]:
        """JSON Schema of the names of all faults and of their parameters, as properties of an object."""
        tables = [VALUE_FAULTS, DEVICE_FAULTS, *ENDPOINT_FAULTS.values(), *ROGUE_FAULTS.values()]
        tables += [devices.interface(kind).faults for kind in devices.names()]
        names = sorted({name for table in tables for name in table})
        said: dict[str, dict[str, None]] = {}
        texts: set[str] = set()
        for table in tables:
            for fault, spec in table.items():
                for key, one in spec.parameters.items():
                    unit = f" ({one.unit})" if one.unit else ""
                    said.setdefault(key, {})[f"{fault}: {one.title.say()}{unit}"] = None
                    texts |= {key} if one.of != "number" else set()
        return {"fault": {"enum": names}} | {
            key: {
                "type": "string" if key in texts - {"payload", "password"} else ["number", "string"],
                "description": f"Of faults. {'; '.join(lines)}.",
            }
            for key, lines in sorted(said.items())
        }

    def checks(self) -> Iterable[str]:
        """Names of all checks."""
        return grader.checks.names()

    def check_params(self, check: str) -> type[BaseModel]:
        """The parameter model of a check."""
        return grader.checks.load(check).Params

    def check_about(self, check: str) -> str:
        """What a check judges, as its page in docs/checks.md says it."""
        return prose(grader.checks.load(check))
