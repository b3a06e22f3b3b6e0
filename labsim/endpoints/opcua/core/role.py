"""Roles and what they may do with a node (OPC 10000-3 §4.9, §8.55, OPC 10000-18 §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core.users import Identity

ROLES: dict[str, int] = {
    "Anonymous": 15644, "Observer": 15668, "Operator": 15680, "Engineer": 16036, "SecurityAdmin": 15704,
}  # fmt: skip
"""The well-known roles this core has, with their nodes (OPC 10000-18 §4.3)."""

BROWSE, READ_ROLES, READ, WRITE, READ_HISTORY, RECEIVE_EVENTS, CALL = (1 << bit for bit in (0, 1, 5, 6, 7, 11, 12))
"""Bits of PermissionType (OPC 10000-3 §8.55)."""

OPERATIONS: dict[str, int] = {
    "browse": BROWSE, "permissions": READ_ROLES, "read": READ, "subscribe": READ, "write": WRITE,
    "history": READ_HISTORY, "events": RECEIVE_EVENTS, "call": CALL,
}  # fmt: skip
"""What the services ask for, as the permission it takes."""

Permissions: TypeAlias = Mapping[str, int]
"""Permission bits by role; a role that is not named may nothing."""

_WATCH = BROWSE | READ | READ_HISTORY | RECEIVE_EVENTS
_ACT = _WATCH | WRITE | CALL


@dataclass(slots=True)
class Roles:
    """What each role may do with a node that does not say otherwise (DefaultRolePermissions, OPC 10000-5 §6.3.13)."""

    defaults: Permissions = field(
        default_factory=lambda: {
            "Anonymous": _WATCH,
            "Observer": _WATCH,
            "Operator": _ACT,
            "Engineer": _ACT | READ_ROLES,
            "SecurityAdmin": _WATCH | READ_ROLES,
        }
    )

    def may(self, identity: Identity | None, operation: str, own: Permissions | None = None) -> bool:
        """Whether the user may do it with a node that has its ``own`` permissions, or none."""
        if identity is None:
            return False
        return bool((self.defaults if own is None else own).get(identity.role, 0) & OPERATIONS[operation])

    def restrict(self, allowed: Mapping[str, tuple[str, ...]], base: Permissions | None = None) -> dict[str, int]:
        """Permissions of a node for which ``allowed`` names, by operation, the only roles that may."""
        found = dict(self.defaults if base is None else base)
        for operation, roles in allowed.items():
            bits = OPERATIONS[operation]
            for role in ROLES:
                had = found.get(role, 0)
                found[role] = had | bits if role in roles else had & ~bits
        return found


def describe(permissions: Permissions, role: str | None = None) -> Any:
    """RolePermissionTypes (OPC 10000-3 §5.2.9) of all roles or of one."""
    named = [(one, bits) for one, bits in permissions.items() if one in ROLES and role in (None, one)]
    return [ua.RolePermissionType(ua.NodeId(ROLES[one], 0), ua.PermissionType(bits)) for one, bits in named]
