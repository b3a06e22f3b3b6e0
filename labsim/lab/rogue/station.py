"""Where a rogue client sits: which endpoint it goes to, through which port of ours, as whom, and what it knows of the plant."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from labsim.endpoints.endpoint import Endpoint, User
from labsim.errors import InputError
from labsim.lab.probes import local
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag, Value
from labsim.probe.target import Target
from labsim.scenario.modbus import ModbusSpec
from labsim.scenario.model import Scenario
from labsim.scenario.mqtt import MqttSpec
from labsim.scenario.opcua import OpcuaSpec

Acts = Generator[str, None, None]
"""What an attack does: one act for each turn it is given, told in a word or two. It blocks, so it has a thread."""
DEFAULT_PASSWORDS = ("1111", "admin", "password", "1234", "12345", "operator", "engineer", "USER", "private", "0000")
"""What makers have delivered with; Unitronics' 1111 opened pumping stations in 2023 (CISA AA23-335A)."""


class Hand(Protocol):
    """A client that reads and writes tags."""

    def read(self, tag: Tag) -> float:
        """The value as a client sees it."""
        ...

    def write(self, tag: Tag, value: float) -> None:
        """Write it.

        Raises:
            ProbeError: it was refused, or nobody answered.
        """
        ...


@dataclass
class Station:
    """All that one attack works with.

    Attributes:
        plant: Where tags are looked up; nothing of it is changed but over the wire.
        scenario: What is said about the endpoint, as an insider knows it.
        spec: What the scenario says about the endpoint.
        endpoint: Where it goes.
        certificates: Folder of its own identity.
        parameters: Those of the attack.
        random: What chance draws from.
        name: What it calls itself.
        port: The port of ours that leads to the endpoint.
        utc_ms: UTC by the plant's clock, in milliseconds.
    """

    plant: Plant
    scenario: Scenario
    spec: ModbusSpec | OpcuaSpec | MqttSpec
    endpoint: Endpoint
    certificates: Path
    parameters: dict[str, float | str]
    random: random.Random
    name: str
    port: int
    utc_ms: Callable[[], int]

    def text(self, name: str) -> str:
        """A parameter that is a text; "" when it is not given."""
        return str(self.parameters.get(name, ""))

    def number(self, name: str) -> float:
        """A parameter that is a number."""
        return float(self.parameters.get(name, 0.0))

    def tag(self, name: str) -> Tag:
        """The tag that a parameter names."""
        return tag_of(self.plant, self.text(name))

    def target(self, user: str = "", password: str = "") -> Target:
        """The endpoint, through our port."""
        parts = urlsplit(address_of(self.endpoint))
        return Target(parts.scheme, "127.0.0.1", self.port, user, password, parts.path)

    def account(self) -> tuple[str, str]:
        """User and password that it has: as given, or those of the first account that may write."""
        users = {user.name: user for user in self._users}
        able = [user for user in self._users if user.role not in ("Anonymous", "Observer")]
        name = self.text("user") or next((user.name for user in able), "")
        known = users.get(name, User(name, ""))
        return name, self.text("password") or known.password

    def tried(self) -> str:
        """The user name whose password it tries to find."""
        return self.text("user") or next((user.name for user in self._users), "admin")

    @property
    def _users(self) -> tuple[User, ...]:
        return next((address.users for address in self.endpoint.addresses()), ())


def address_of(endpoint: Endpoint) -> str:
    """The URL a rogue client goes to: the plain one, where there are several."""
    return next(address.url for address in endpoint.addresses())


def server_of(endpoint: Endpoint) -> tuple[str, int]:
    """Host and port of that."""
    parts = urlsplit(address_of(endpoint))
    return local(parts.hostname or ""), parts.port or 0


def tag_of(plant: Plant, path: str) -> Tag:
    """The tag at a path.

    Raises:
        InputError: there is none, or it is a text.
    """
    device, _, name = path.partition(".")
    found = plant.devices[device].tags.get(name) if device in plant.devices else None
    if found is None:
        raise InputError(f"the plant has no tag {path!r}. Write it as device.tag.")
    if found.type == "text":
        raise InputError(f"{path} is a text; a rogue client writes numbers.")
    return found


def typed(tag: Tag, value: float) -> Value:
    """A number as the tag's type holds it."""
    if tag.type == "bool":
        return bool(value)
    return float(value) if tag.type[0] == "f" else round(value)
