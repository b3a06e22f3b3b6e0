"""The RoleSet object: which roles there are, and who has them (OPC 10000-18 §4.2, §4.3, §4.4).

It tells; accounts are managed outside of OPC UA, so the methods that would change it are not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.certificate import thumbprint_of
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, Space
from labsim.endpoints.opcua.core.role import ROLES, Roles

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

VT = ua.VariantType
_ROLE_SET = 15606
_IDENTITIES = {
    "Anonymous": 16192, "Observer": 16214, "Operator": 16225, "Engineer": 16236, "SecurityAdmin": 16258,
}  # fmt: skip
_USER_NAME, _THUMBPRINT, _ANONYMOUS = 1, 2, 5
"""IdentityCriteriaType (OPC 10000-18 §4.4.4)."""


def show_roles(space: Space, roles: Roles) -> None:
    """Leave the roles that this core knows, each with its Identities, which only a SecurityAdmin may read."""
    served = set(ROLES.values())
    for target in list(space[_ROLE_SET].targets((HAS_COMPONENT, HAS_PROPERTY))):
        if target not in served:
            space.unlink(_ROLE_SET, target)
    allowed = roles.restrict({"read": ("SecurityAdmin",)})
    for name, role in ROLES.items():
        for target in list(space[role].targets((HAS_COMPONENT, HAS_PROPERTY))):
            if target != _IDENTITIES[name]:
                space.unlink(role, target)
        space.edit(_IDENTITIES[name]).attributes[nodes.ROLE_PERMISSIONS] = allowed


def role_values(server: Server) -> dict[Key, Callable[[], Any]]:
    """The Identities of each role as they are now."""

    def identities(role: str) -> Callable[[], Any]:
        def rules() -> Any:
            found = [
                ua.IdentityMappingRuleType(ua.IdentityCriteriaType(kind), text) for kind, text in _rules(server, role)
            ]
            return ua.Variant(found, VT.ExtensionObject, is_array=True)

        return rules

    return {key: identities(name) for name, key in _IDENTITIES.items()}


def _rules(server: Server, role: str) -> list[tuple[int, str]]:
    """Criteria of who has a role: kind and text."""
    accounts, found = server.accounts, []
    if accounts.anonymous == role:
        found.append((_ANONYMOUS, ""))
    found += [(_USER_NAME, name) for name in accounts.names_of(role)]
    if accounts.certified == role and server.pki.users is not None:
        found += [(_THUMBPRINT, thumbprint_of(one).upper()) for one in server.pki.users.load().trusted]
    return found
