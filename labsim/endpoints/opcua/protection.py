"""What a lab may say about the security of its OPC UA endpoint, and which roles may do what with its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.certificate import Flaw
from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.policy import ALL_SECURITY, MODE_NAMES, Security, short_name
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.status import S
from labsim.errors import UnknownNameError
from labsim.plant.plant import Plant

Rights: TypeAlias = Mapping[str, Mapping[Any, tuple[str, ...]]]
"""By node (``mill1``, ``mill1.speed``, ``mill1/Program/Start``) and operation, the only roles that may."""


@dataclass(frozen=True)
class Protection:
    """Security of one endpoint.

    Attributes:
        security: Policies and modes that are offered.
        listed: Only clients that the trust folders let in are; needs a folder.
        suppressed: Errors of a certificate that are overlooked.
        plain_passwords: Also take passwords that the client does not encrypt.
        certified: Role of a user with a trusted certificate; None refuses it. Needs a folder.
        flaw: What is wrong with the server's own certificate.
        rights: What only some roles may do.
        limits: What is granted.
    """

    security: Sequence[Security] = ALL_SECURITY
    listed: bool = False
    suppressed: Sequence[int] = ()
    plain_passwords: bool = False
    certified: str | None = None
    flaw: Flaw | None = None
    rights: Rights = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    @property
    def needs_folder(self) -> bool:
        """Whether certificates have to lie where a person can move them."""
        return self.listed or self.certified is not None


def security_of(offered: Sequence[tuple[str, str]]) -> list[Security]:
    """Policies and modes by their short names, as the core has them."""
    return [(uri, mode) for uri, mode in ALL_SECURITY if (short_name(uri), MODE_NAMES[mode]) in offered]


def codes_of(names: Sequence[str]) -> list[int]:
    """Status codes by their names."""
    return [int(getattr(S, name)) for name in names]


def limits_of(given: Mapping[str, int]) -> Limits:
    """The core's limits from those of a scenario, by the scenario's names for them."""
    limits = Limits()
    fields = {
        "sessions": ("max_sessions",), "unactivated_sessions": ("max_unactivated_sessions",),
        "channels": ("max_connections",), "subscriptions": ("max_subscriptions",), "items": ("max_items",),
        "requests_per_s": ("max_requests_per_s",), "wrong_logins": ("max_wrong_logins",),
        "operations": ("max_nodes_per_read", "max_nodes_per_write", "max_nodes_per_browse", "max_nodes_per_translate",
                       "max_nodes_per_register", "max_calls_per_request", "max_items_per_call"),
    }  # fmt: skip
    for name, value in given.items():
        for one in fields[name]:
            setattr(limits, one, value)
    return limits


def apply_rights(space: Space, devices: Mapping[Key, str], plant: Plant, roles: Roles, rights: Rights) -> None:
    """Give nodes their RolePermissions: what the interfaces say, then what the lab says, for a node and all below it.

    Args:
        space: The nodes, not yet frozen.
        devices: The device that each node belongs to.
        plant: Where the interfaces are.
        roles: What roles may do by default.
        rights: What the lab says; the node nearest to another one decides.

    Raises:
        UnknownNameError: a name in the rights is no node.
    """
    wanted = dict(sorted((interface_rights(plant, set(devices.values())) | dict(rights)).items()))
    names = {str(key[1]): key for key in devices if isinstance(key, tuple)}
    for name in wanted:
        if name not in names:
            raise UnknownNameError("OPC UA node", name, names)
    if not wanted:
        return
    for name, key in names.items():
        above = [
            allowed for place, allowed in wanted.items() if name == place or name.startswith((f"{place}.", f"{place}/"))
        ]
        if above:
            merged = {operation: allowed for one in above for operation, allowed in one.items()}
            space.edit(key).attributes[nodes.ROLE_PERMISSIONS] = roles.restrict(merged)


def interface_rights(plant: Plant, paths: set[str]) -> dict[str, Mapping[Any, tuple[str, ...]]]:
    """What the interfaces of some devices say, by node."""
    found: dict[str, Mapping[Any, tuple[str, ...]]] = {}
    for path in paths:
        interface = plant.devices[path].interface
        for name, allowed in (interface.opcua.roles if interface.opcua is not None else {}).items():
            found[f"{path}.{name}" if name in interface.tags else f"{path}/{name}"] = allowed
    return found
