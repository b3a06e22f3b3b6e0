"""The catalogue a scenario is judged against: device types and checks that are installed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

import devices
import grader.checks
from labsim.errors import UnknownNameError


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
        return [method.call for method in opcua.methods.values()] if opcua is not None else []

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

    def checks(self) -> Iterable[str]:
        """Names of all checks."""
        return grader.checks.names()

    def check_params(self, check: str) -> type[BaseModel]:
        """The parameter model of a check."""
        return grader.checks.load(check).Params
