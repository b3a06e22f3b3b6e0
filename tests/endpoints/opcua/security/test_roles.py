"""What each role may do with each node: defaults, the interface's word, the scenario's word."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.role import ROLES, Roles
from labsim.endpoints.opcua.core.users import Accounts
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection, apply_rights
from labsim.errors import UnknownNameError
from labsim.plant.plant import Plant

S, AT = ua.StatusCodes, ua.AttributeIds
SETPOINT, FORCE, ORDER = "press1.setpoint", "press1.force", "press1.order"
RIGHTS = {
    "press1": {"write": ("Operator", "Engineer")},
    SETPOINT: {"write": ("Engineer",)},
    FORCE: {"read": ("Operator", "Engineer")},
    "press1/Production": {"browse": ("Engineer",)},
}


def variable(identifier: str) -> Any:
    """A node id of the press's namespace."""
    return ua.NodeId(identifier, 2)


@pytest.fixture
def as_role(plant: Plant, make_server: Any, connect: Any) -> Any:
    """A client whose anonymous user has a role: ``as_role("Operator", rights)``."""

    def make(role: str, rights: Any = None) -> Any:
        from labsim.endpoints.opcua.mapping import map_devices

        roles = Roles()
        mapped = map_devices(
            plant,
            ["press1"],
            finish=lambda mapped: apply_rights(mapped.space, mapped.devices, plant, roles, rights or {}),
        )
        return connect(
            make_server(space=mapped.space, context=mapped.seat, accounts=Accounts(role), roles=roles)
        ).login()

    return make


def status(peer: Any, identifier: str, attribute: int = AT.Value) -> int:
    """Status of a Read of one attribute."""
    wanted = ua.ReadValueId(variable(identifier), attribute)
    return int(peer.read(wanted).Results[0].StatusCode.value)


def value(peer: Any, identifier: str, attribute: int) -> Any:
    """One attribute."""
    return peer.read(ua.ReadValueId(variable(identifier), attribute)).Results[0].Value.Value


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("Anonymous", True, False),
        ("Observer", True, False),
        ("Operator", True, True),
        ("Engineer", True, True),
        ("SecurityAdmin", True, False),
        ("Nobody", False, False),
    ],
)
def test_defaults(as_role: Any, role: str, reads: bool, writes: bool) -> None:
    """Everybody with a role looks, Operator and Engineer act; UserAccessLevel says it before anybody tries."""
    peer = as_role(role)
    if not reads:
        assert status(peer, SETPOINT) == S.BadNodeIdUnknown
        return
    assert status(peer, SETPOINT) == 0
    code = peer.write("setpoint", ua.Variant(10.0))
    assert code == (0 if writes else S.BadUserAccessDenied)
    assert value(peer, SETPOINT, AT.UserAccessLevel) & 3 == (3 if writes else 1)
    assert value(peer, SETPOINT, AT.AccessLevel) & 3 == 3


@pytest.mark.parametrize(
    ("role", "setpoint", "order", "force", "production"),
    [
        ("Observer", S.BadUserAccessDenied, S.BadUserAccessDenied, S.BadUserAccessDenied, S.BadNodeIdUnknown),
        ("Operator", S.BadUserAccessDenied, 0, 0, S.BadNodeIdUnknown),
        ("Engineer", 0, 0, 0, 0),
    ],
)
def test_rights_by_node(as_role: Any, role: str, setpoint: int, order: int, force: int, production: int) -> None:
    """A device's rights hold for all its tags, a tag's own come before them, and what may not be browsed is not there."""
    peer = as_role(role, RIGHTS)
    assert peer.write("setpoint", ua.Variant(10.0)) == setpoint
    assert peer.write("order", ua.Variant("B-2")) == order
    assert status(peer, FORCE) == force
    assert status(peer, "press1/Production", AT.BrowseName) == production
    assert value(peer, FORCE, AT.UserAccessLevel) & 1 == (not force)
    assert status(peer, f"{FORCE}/EURange") == force  # what belongs to a tag has its rights


def test_a_hidden_node_is_hidden_everywhere(as_role: Any) -> None:
    """Browse, Translate, Read and subscriptions all say that it is not there; compiled reads too."""
    peer = as_role("Operator", {"press1.count": {"browse": ("Engineer",)}})
    asked = ua.BrowseRequest()
    described = ua.BrowseDescription()
    described.NodeId, described.BrowseDirection = variable("press1/Production"), ua.BrowseDirection.Forward
    described.IncludeSubtypes, described.ResultMask = True, 63
    asked.Parameters.NodesToBrowse = [described]
    names = [reference.BrowseName.Name for reference in peer.ask(asked).Results[0].References]
    assert "Total" in names
    assert "Count" not in names
    for _ in range(3):
        assert peer.read("total", "count").Results[1].StatusCode.value == S.BadNodeIdUnknown
    created = ua.CreateSubscriptionRequest()
    created.Parameters.RequestedPublishingInterval, created.Parameters.RequestedLifetimeCount = 1000, 100
    subscription = peer.ask(created).Parameters.SubscriptionId
    items = ua.CreateMonitoredItemsRequest()
    item = ua.MonitoredItemCreateRequest(ua.ReadValueId(variable("press1.count"), AT.Value))
    items.Parameters.SubscriptionId, items.Parameters.ItemsToCreate = subscription, [item]
    assert peer.ask(items).Results[0].StatusCode.value == S.BadNodeIdUnknown


def test_a_compiled_read_asks_for_rights(as_role: Any) -> None:
    """Reads that are planned once are refused like the first."""
    peer = as_role("Observer", RIGHTS)
    for _ in range(3):
        results = peer.read("force", "setpoint").Results
        assert [result.StatusCode.value for result in results] == [S.BadUserAccessDenied, 0]


def test_access_level_and_executable_count(plant: Plant, make_server: Any, connect: Any) -> None:
    """What nobody may read is not read, what cannot be executed is not called, whoever asks."""
    from labsim.endpoints.opcua.core import nodes
    from labsim.endpoints.opcua.mapping import map_devices
    from labsim.endpoints.opcua.template import Template

    def close(template: Template) -> None:
        template.space.edit((2, FORCE)).attributes[nodes.ACCESS_LEVEL] = 0
        template.space.edit(11492).attributes[nodes.EXECUTABLE] = False

    server = make_server(space=map_devices(plant, ["press1"], finish=close).space, accounts=Accounts("Engineer"))
    peer = connect(server).login()
    for _ in range(3):
        assert status(peer, FORCE) == S.BadNotReadable
    assert peer.write("force", ua.Variant(1.0)) == S.BadNotWritable
    asked = ua.CallRequest()
    argument = ua.Variant(1, ua.VariantType.UInt32)
    asked.Parameters.MethodsToCall = [ua.CallMethodRequest(ua.NodeId(2253), ua.NodeId(11492), [argument])]
    assert peer.ask(asked).Results[0].StatusCode.value == S.BadNotExecutable


def test_permissions_can_be_read(as_role: Any) -> None:
    """RolePermissions for those who may see them, UserRolePermissions for everybody (OPC 10000-3 §5.2.9, §5.2.10)."""
    engineer = as_role("Engineer", RIGHTS)
    shown = {one.RoleId.Identifier: int(one.Permissions) for one in value(engineer, SETPOINT, AT.RolePermissions)}
    assert shown[ROLES["Engineer"]] & ua.PermissionType.Write
    assert not shown[ROLES["Operator"]] & ua.PermissionType.Write
    (own,) = value(engineer, SETPOINT, AT.UserRolePermissions)
    assert own.RoleId.Identifier == ROLES["Engineer"]
    assert value(engineer, SETPOINT, AT.AccessRestrictions) == 0
    observer = as_role("Observer", RIGHTS)
    assert status(observer, SETPOINT, AT.RolePermissions) == S.BadUserAccessDenied
    (own,) = value(observer, SETPOINT, AT.UserRolePermissions)
    assert not int(own.Permissions) & ua.PermissionType.Write


def test_the_interface_may_restrict(plant: Plant, as_role: Any) -> None:
    """A device type's own word holds unless the scenario says otherwise for the same node."""
    device = plant.devices["press1"]
    assert device.interface.opcua is not None
    spec = device.interface.opcua.model_copy(update={"roles": {"setpoint": {"write": ("Engineer",)}}})
    device.interface = device.interface.model_copy(update={"opcua": spec})
    assert as_role("Operator").write("setpoint", ua.Variant(1.0)) == S.BadUserAccessDenied
    assert as_role("Engineer").write("setpoint", ua.Variant(1.0)) == 0
    opened = {SETPOINT: {"write": ("Operator",)}}
    assert as_role("Operator", opened).write("setpoint", ua.Variant(1.0)) == 0


def test_rights_name_nodes(plant: Plant) -> None:
    """A name that is no node is refused with the near one."""
    with pytest.raises(UnknownNameError, match=r"press1\.setpoint"):
        OpcuaEndpoint(
            plant, ["press1"], lambda _event: None, protection=Protection(rights={"press1.setpont": {"read": ()}})
        )


async def test_methods_and_roles_over_a_socket(plant: Plant, secure: Any, alone: Any, operator: User) -> None:
    """The role of a user is that of its account, over whatever channel."""
    async with OpcuaEndpoint(
        plant, ["press1"], lambda _event: None, users=[operator], protection=Protection(rights=RIGHTS)
    ) as endpoint:
        async with await secure(endpoint, alone, operator) as client:
            assert await client.get_node(f"ns=2;s={FORCE}").read_value() == 50.0
        async with await secure(endpoint, alone) as client:
            with pytest.raises(ua.UaStatusCodeError) as error:
                await client.get_node(f"ns=2;s={FORCE}").read_value()
            assert error.value.code == S.BadUserAccessDenied


def test_the_roles_and_who_has_them(make_server: Any, connect: Any) -> None:
    """RoleSet has the well-known roles of this server; only a SecurityAdmin reads their identities (OPC 10000-18 §4.3)."""
    users = [("operator", "operator123", "Operator"), ("admin", "admin123", "SecurityAdmin")]
    for role in ("Observer", "SecurityAdmin"):
        peer = connect(make_server(accounts=Accounts(role, users))).login()
        described = ua.BrowseDescription()
        described.NodeId, described.BrowseDirection = ua.NodeId(15606), ua.BrowseDirection.Forward
        described.ReferenceTypeId, described.IncludeSubtypes, described.ResultMask = ua.NodeId(47), True, 63
        asked = ua.BrowseRequest()
        asked.Parameters.NodesToBrowse = [described]
        names = {reference.BrowseName.Name for reference in peer.ask(asked).Results[0].References}
        assert names == {"Anonymous", "Observer", "Operator", "Engineer", "SecurityAdmin"}
        found = peer.read(*(ua.ReadValueId(ua.NodeId(key), AT.Value) for key in (16225, 16258))).Results
        if role == "Observer":
            assert [one.StatusCode.value for one in found] == [S.BadUserAccessDenied] * 2
            continue
        told = [[(int(rule.CriteriaType), rule.Criteria) for rule in one.Value.Value] for one in found]
        assert told == [[(1, "operator")], [(5, ""), (1, "admin")]]
