"""What the loader has to know about device types and checks, without importing one: filled in by `labsim.lab.catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel


class Catalogue(Protocol):
    """Names and shapes of everything a scenario may refer to."""

    def device_types(self) -> Iterable[str]:
        """Names of all device types."""
        ...

    def device_tags(self, kind: str) -> Iterable[str]:
        """Tag names of a device type."""
        ...

    def device_alarms(self, kind: str) -> Iterable[str]:
        """Alarm names of a device type."""
        ...

    def device_methods(self, kind: str) -> Iterable[str]:
        """What a device type calls its methods."""
        ...

    def device_settings(self, kind: str) -> Iterable[str]:
        """Setting names of a device type."""
        ...

    def device_protocols(self, kind: str) -> Iterable[str]:
        """Protocols a device type speaks."""
        ...

    def device_ports(self, kind: str) -> Mapping[str, tuple[str, str]]:
        """Ports of a device type: which way (``in``, ``out``), and what passes through."""
        ...

    def judge_setting(self, kind: str, setting: str, value: Any) -> str:
        """Why ``value`` cannot be that setting, or "" when it can."""
        ...

    def judge_sensor(self, kind: str, tag: str, chain: Any) -> str:
        """Why ``chain`` cannot be stages of the sensor of a tag, or "" when it can."""
        ...

    def device_faults(self, kind: str, tag: str) -> Iterable[str]:
        """Faults of a tag of a device type, or with "" of the device itself."""
        ...

    def fault_params(self, kind: str, tag: str, fault: str) -> Iterable[str]:
        """What the parameters of one of them are called."""
        ...

    def judge_fault(self, kind: str, tag: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why; the name is "" where it is one that lacks."""
        ...

    def endpoint_faults(self, protocol: str) -> Iterable[str]:
        """Faults of an endpoint of a protocol."""
        ...

    def endpoint_fault_params(self, protocol: str, fault: str) -> Iterable[str]:
        """What the parameters of one of them are called."""
        ...

    def judge_endpoint_fault(self, protocol: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why."""
        ...

    def rogue_faults(self, protocol: str) -> Iterable[str]:
        """What a rogue client may do at an endpoint of a protocol."""
        ...

    def rogue_fault_params(self, protocol: str, fault: str) -> Mapping[str, str]:
        """What the parameters of one of them are called, and what each names: ``tag``, ``device``, or "" for nothing."""
        ...

    def judge_rogue_fault(self, protocol: str, fault: str, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """The parameters of one of them that are wrong, with why; the name is "" where it is one that lacks."""
        ...

    def fault_schema(self) -> dict[str, Any]:
        """JSON Schema of the names of all faults and of their parameters, as properties of an object."""
        ...

    def checks(self) -> Iterable[str]:
        """Names of all checks."""
        ...

    def check_params(self, check: str) -> type[BaseModel]:
        """The parameter model of a check. Fields of type `DevicePath`, `TagPath`, … name parts of the plant."""
        ...

    def check_about(self, check: str) -> str:
        """What a check judges, in a paragraph or some."""
        ...
