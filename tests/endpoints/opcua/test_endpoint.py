"""The endpoint over real sockets, with asyncua's client and with raw ones."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies as policies
from cryptography.hazmat.primitives import serialization

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.certificate import Pair, application_uri, make_pair
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.errors import EndpointError, InputError, UnknownNameError
from labsim.evidence.event import Event
from labsim.plant.plant import Plant

FORCE, SETPOINT = "ns=2;s=press1.force", "ns=2;s=press1.setpoint"
OPERATOR = User("operator", "operator123", "Operator")
CLIENT_URI = "urn:test:client"
HELLO = struct.pack("<4sIIIIIIi", b"HELF", 32, 0, 65535, 65535, 0, 0, 0)


def client_of(endpoint: OpcuaEndpoint, user: User | None = None) -> Client:
    """A client that is not yet connected."""
    client = Client(endpoint.addresses()[0].url, timeout=60)
    if user is not None:
        client.set_user(user.name)
        client.set_password(user.password)
    return client


async def refused(work: Any) -> int:
    """The code with which something is refused."""
    with pytest.raises(ua.UaStatusCodeError) as error:
        await work
    return int(error.value.code)


@pytest.fixture(scope="session")
def client_pair() -> Pair:
    """A client's certificate and key."""
    return make_pair(CLIENT_URI, "client")


@pytest.fixture
def client_files(client_pair: Pair, tmp_path: Path) -> tuple[Path, Path]:
    """The pair as asyncua's client wants it."""
    certificate, key = tmp_path / "client.der", tmp_path / "client.pem"
    certificate.write_bytes(client_pair.der)
    key.write_bytes(
        client_pair.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key


async def test_read_browse_and_addresses(plant: Plant, events: list[Event]) -> None:
    """A client finds the namespace by its URI, the tag by its path, and the URL in the address."""
    async with OpcuaEndpoint(plant, ["press1"], events.append) as endpoint:
        (address,) = endpoint.addresses()
        assert (address.device, address.protocol) == ("press1", "opcua")
        async with client_of(endpoint) as client:
            index = await client.get_namespace_index("urn:test:press")
            path = ["4:Machines", "2:press1", "2:Monitoring", "2:Ram", "2:Force"]
            node = await client.nodes.objects.get_child(path)
            assert node == client.get_node(f"ns={index};s=press1.force")
            assert await node.read_value() == 50.0
            unit = await (await node.get_child("0:EngineeringUnits")).read_value()
            assert (unit.DisplayName.Text, unit.UnitId) == ("kN", int.from_bytes(b"B47", "big"))
            serial = client.get_node(f"ns={index};s=press1/Identification/SerialNumber")
            assert await serial.read_value() == plant.devices["press1"].serial
    assert events[0].client.startswith("127.0.0.1:")


@pytest.mark.parametrize("user", [None, OPERATOR])
@pytest.mark.parametrize("mode", [ua.MessageSecurityMode.Sign, ua.MessageSecurityMode.SignAndEncrypt])
@pytest.mark.parametrize(
    "policy",
    [
        policies.SecurityPolicyBasic256Sha256,
        policies.SecurityPolicyAes128Sha256RsaOaep,
        policies.SecurityPolicyAes256Sha256RsaPss,
    ],
)
async def test_secure_sessions(
    plant: Plant, events: list[Event], client_files: Any, client_pair: Pair, policy: Any, mode: Any, user: User | None
) -> None:
    """Every policy and mode reads; the session's evidence names policy, mode, user and certificate."""
    async with OpcuaEndpoint(plant, ["press1"], events.append, users=[OPERATOR]) as endpoint:
        client = client_of(endpoint, user)
        client.application_uri = CLIENT_URI
        await client.set_security(policy, *map(str, client_files), mode=mode)
        async with client:
            assert await client.get_node(FORCE).read_value() == 50.0
    session = next(event for event in events if event.kind == "session")
    assert session.detail["policy"] == policy.URI.rpartition("#")[2]
    assert session.detail["mode"] == {2: "Sign", 3: "SignAndEncrypt"}[int(mode)]
    assert session.detail["identity"] == ("username" if user else "anonymous")
    assert (session.app, session.user) == (CLIENT_URI, user.name if user else "")
    assert session.thumb == client_pair.thumbprint.hex()


async def test_a_channel_is_renewed(plant: Plant, client_files: Any) -> None:
    """A token is renewed while the session goes on, and the new keys are used."""
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None) as endpoint:
        client = client_of(endpoint)
        client.application_uri = CLIENT_URI
        await client.set_security(policies.SecurityPolicyBasic256Sha256, *map(str, client_files))
        async with client:
            for _ in range(3):
                await client.open_secure_channel(renew=True)
                assert await client.get_node(FORCE).read_value() == 50.0


async def test_a_certificate_of_another_application_is_refused(
    plant: Plant, events: list[Event], client_files: Any
) -> None:
    """The certificate must name the application that shows it (OPC 10000-4 §5.7.2.2)."""
    async with OpcuaEndpoint(plant, ["press1"], events.append) as endpoint:
        client = client_of(endpoint)
        client.application_uri = "urn:somebody:else"
        await client.set_security(policies.SecurityPolicyBasic256Sha256, *map(str, client_files))
        assert await refused(client.connect()) == ua.StatusCodes.BadCertificateUriInvalid
    reject = next(event for event in events if event.kind == "reject")
    assert reject.detail["service"] == "CreateSession"
    assert "urn:somebody:else" in reject.detail["reason"]


async def test_users_and_roles(plant: Plant, events: list[Event]) -> None:
    """A right password writes, a wrong one does not get in, an observer may not write, nobody may come anonymously."""
    viewer = User("viewer", "viewer123", "Observer")
    options: dict[str, Any] = {"users": [OPERATOR, viewer], "anonymous": None}
    async with OpcuaEndpoint(plant, ["press1"], events.append, **options) as endpoint:
        assert (
            await refused(client_of(endpoint, User("operator", "no")).connect()) == ua.StatusCodes.BadUserAccessDenied
        )
        assert await refused(client_of(endpoint).connect()) == ua.StatusCodes.BadIdentityTokenRejected
        async with client_of(endpoint, OPERATOR) as client:
            await client.get_node(SETPOINT).write_value(33.0)
        async with client_of(endpoint, viewer) as client:
            denied = await refused(client.get_node(SETPOINT).write_value(44.0))
            assert denied == ua.StatusCodes.BadUserAccessDenied
    assert plant.store.read(plant.store["press1.setpoint"].row) == 33.0
    writes = [(event.user, event.status) for event in events if event.kind == "write"]
    assert writes == [("operator", 0), ("viewer", ua.StatusCodes.BadUserAccessDenied)]


async def test_a_subscription_hears_of_changes(plant: Plant) -> None:
    """First the present value, then what the plant does."""
    heard: asyncio.Queue[Any] = asyncio.Queue()

    class Handler:
        """Puts values into the queue."""

        def datachange_notification(self, _node: Any, value: Any, _data: Any) -> None:
            """One value."""
            heard.put_nowait(value)

    async with (
        OpcuaEndpoint(plant, ["press1"], lambda _event: None) as endpoint,
        client_of(endpoint) as client,
        asyncio.timeout(60),
    ):
        subscription = await client.create_subscription(50, Handler())
        await subscription.subscribe_data_change(client.get_node(FORCE))
        assert await heard.get() == 50.0
        plant.store.set(plant.store["press1.force"].row, 75.0)
        assert await heard.get() == 75.0
        await subscription.delete()


async def test_two_endpoints_in_one_process(plants: Callable[..., Plant]) -> None:
    """They share the standard nodes and nothing else: values, sessions and events are their own."""
    one, other = plants("press1"), plants("press1", "press2")
    first: list[Event] = []
    second: list[Event] = []
    one.store.set(one.store["press1.force"].row, 11.0)
    async with (
        OpcuaEndpoint(one, ["press1"], first.append) as left,
        OpcuaEndpoint(other, ["press1", "press2"], second.append) as right,
        client_of(left) as a,
        client_of(right) as b,
    ):
        assert await a.get_node(FORCE).read_value() == 11.0
        assert await b.get_node(FORCE).read_value() == 50.0
        assert await b.get_node("ns=2;s=press2.force").read_value() == 50.0
        code = await refused(a.get_node("ns=2;s=press2.force").read_value())
        assert code == ua.StatusCodes.BadNodeIdUnknown
        assert len({address.url for address in right.addresses()}) == 1
    assert {event.session for event in first}.isdisjoint(event.session for event in second)


async def test_a_busy_port_says_what_to_do(plant: Plant) -> None:
    """The error names the address and the option that helps."""
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None) as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        second = OpcuaEndpoint(plant, ["press1"], lambda _event: None, port=port)
        with pytest.raises(EndpointError, match=rf"127\.0\.0\.1:{port}: another program .*--port-base"):
            await second.__aenter__()


def test_devices_must_be_there_and_speak_opc_ua(plant: Plant) -> None:
    """A wrong device path names the near one; a device without OPC UA is said to have none."""
    with pytest.raises(UnknownNameError, match="press1"):
        OpcuaEndpoint(plant, ["pres1"], lambda _event: None)
    silent = plant.devices["press1"].interface.model_copy(update={"opcua": None})
    plant.devices["press1"].interface = silent
    with pytest.raises(InputError, match="does not speak OPC UA"):
        OpcuaEndpoint(plant, ["press1"], lambda _event: None)


async def test_the_certificate_is_kept(plant: Plant, tmp_path: Path) -> None:
    """A folder keeps one certificate over restarts, for the server's own URI; what is not one is refused by name."""
    folder, found = tmp_path / "pki", []
    for _ in range(2):
        async with OpcuaEndpoint(plant, ["press1"], lambda _event: None, pki=folder) as endpoint:
            own = endpoint._pki.own
            found.append(own.der)
            assert application_uri(own.certificate) == endpoint._core.uri
    assert found[0] == found[1] == (folder / "own" / "server-cert.der").read_bytes()
    (folder / "own" / "server-cert.der").write_bytes(b"rubbish")
    with pytest.raises(EndpointError, match="certificate in"):
        await OpcuaEndpoint(plant, ["press1"], lambda _event: None, pki=folder).__aenter__()


async def talk(endpoint: OpcuaEndpoint, *pieces: bytes) -> bytes:
    """Send bytes and read until the server hangs up."""
    port = int(endpoint.addresses()[0].url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",), ua.StatusCodes.BadTcpMessageTypeInvalid),
        ((struct.pack("<4sI", b"HELF", 2**31),), ua.StatusCodes.BadTcpMessageTooLarge),
        ((HELLO, HELLO), ua.StatusCodes.BadTcpMessageTypeInvalid),
        ((HELLO, struct.pack("<4sIIIII", b"MSGF", 24, 0, 0, 1, 1)), ua.StatusCodes.BadTcpSecureChannelUnknown),
        ((HELLO, struct.pack("<4sIIi", b"OPNF", 16, 0, 1000)), ua.StatusCodes.BadSecurityChecksFailed),
        (
            (HELLO, struct.pack("<4sIIi", b"OPNF", 27, 0, 3) + b"xyz" + b"\xff" * 8),
            ua.StatusCodes.BadSecurityPolicyRejected,
        ),
    ],
)
async def test_abuse_is_cut_off_and_told(
    plant: Plant, events: list[Event], pieces: tuple[bytes, ...], code: int
) -> None:
    """What is no OPC UA gets an ERR and an end at once, is evidence, and disturbs nobody else."""
    async with OpcuaEndpoint(plant, ["press1"], events.append) as endpoint, client_of(endpoint) as client:
        answer = await talk(endpoint, *pieces)
        error = answer[28:] if answer.startswith(b"ACK") else answer
        assert error[:4] == b"ERRF"
        assert struct.unpack_from("<I", error, 8)[0] == code
        reject = next(event for event in events if event.kind == "reject")
        assert reject.status == code
        assert await client.get_node(FORCE).read_value() == 50.0


async def test_a_sink_that_raises_cuts_the_client(plant: Plant) -> None:
    """A client whose evidence cannot be kept gets no answer; its connection breaks."""
    from labsim.errors import EvidenceError

    full: list[bool] = []

    def sink(_event: Event) -> None:
        if full:
            raise EvidenceError("the disk is full")

    async with OpcuaEndpoint(plant, ["press1"], sink) as endpoint:
        client = client_of(endpoint)
        await client.connect()
        full.append(True)
        with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
            await client.get_node(FORCE).read_value()
        with contextlib.suppress(ConnectionError, asyncio.TimeoutError, ua.UaError):
            await client.disconnect()


async def test_leaving_hangs_up_on_everybody(plant: Plant, events: list[Event]) -> None:
    """When the endpoint ends, clients get an ERR, not silence, and each connection is told closed."""
    async with OpcuaEndpoint(plant, ["press1"], events.append) as endpoint:
        port = int(endpoint.addresses()[0].url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELLO)
        assert (await reader.readexactly(28))[:3] == b"ACK"
    assert struct.unpack_from("<I", await reader.read(), 8)[0] == ua.StatusCodes.BadShutdown
    writer.close()
    assert [event.kind for event in events] == ["open", "close"]
