"""Holes that asyncua's own server has, each as one probe against both servers: here it must be closed.

The probe on stock asyncua is expected to fail, strictly: when asyncua closes a hole, that is seen here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, Server, ua
from asyncua.crypto import security_policies as policies
from asyncua.crypto import uacrypto
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.certificate import Pair, key_pem, make_pair
from labsim.endpoints.opcua.core.trust import TrustFolders
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection
from labsim.plant.plant import Plant

S = ua.StatusCodes
OURS, STOCK = "labsim", "asyncua"
URI = "urn:test:stock"
OPEN = pytest.mark.xfail(strict=True, raises=(AssertionError, pytest.fail.Exception), reason="a hole of stock asyncua")
BOTH = [OURS, pytest.param(STOCK, marks=OPEN)]
PASSWORD = b"operator123"
PATIENCE = {OURS: 30.0, STOCK: 1.0}
"""Seconds in which an answer has to come."""
STOCK_URL = [""]


class _Stock(threading.Thread):
    """asyncua's server in a thread of its own, because it takes a second to start."""

    def __init__(self, folder: Path, trusted: Path) -> None:
        super().__init__(daemon=True)
        self._folder, self._trusted = folder, trusted
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.url, self._end = "", asyncio.Event()

    def run(self) -> None:
        self.loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = Server()
        await server.init()
        server.set_endpoint("opc.tcp://127.0.0.1:0")
        await server.set_application_uri(URI)
        pair = make_pair(URI, "stock")
        (self._folder / "own.der").write_bytes(pair.der)
        (self._folder / "own.pem").write_bytes(key_pem(pair.key))
        await server.load_certificate(str(self._folder / "own.der"))
        await server.load_private_key(str(self._folder / "own.pem"))
        store = TrustStore([self._trusted], [])
        await store.load()
        options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
        server.set_certificate_validator(CertificateValidator(options, store))
        await server.start()
        host, port = server.bserver._server.sockets[0].getsockname()[:2]
        self.url = f"opc.tcp://{host}:{port}"
        self.ready.set()
        await self._end.wait()
        await server.stop()

    def stop(self) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self._end.set)
        self.join(10)


@pytest.fixture(scope="module")
def trusted(root: Any) -> Pair:
    """The client that both servers trust."""
    pair: Pair = root.issue("client")
    return pair


@pytest.fixture(scope="module")
def stock(tmp_path_factory: Any, trusted: Pair) -> Iterator[str]:
    """The URL of a stock server that trusts one client."""
    folder = tmp_path_factory.mktemp("stock")
    (folder / "trusted").mkdir()
    (folder / "trusted" / "client.der").write_bytes(trusted.der)
    thread = _Stock(folder, folder / "trusted")
    thread.start()
    assert thread.ready.wait(30)
    yield thread.url
    thread.stop()


@pytest.fixture
async def url(request: Any, plant: Plant, pki: Path, trusted: Pair, operator: User) -> AsyncIterator[str]:
    """The URL of the server that is named."""
    if request.param == STOCK:
        STOCK_URL[0] = request.getfixturevalue("stock")
        yield STOCK_URL[0]
        return
    TrustFolders(pki).add(trusted.certificate)
    async with OpcuaEndpoint(
        plant, ["press1"], lambda _event: None, pki=pki, users=[operator], protection=Protection(listed=True)
    ) as endpoint:
        yield endpoint.addresses()[0].url


both = pytest.mark.parametrize("url", BOTH, indirect=True)


class Raw:
    """A client that does each step by itself."""

    def __init__(self, url: str) -> None:
        self.client = Client(url, timeout=60)
        self.client.application_uri = "urn:test:client"
        self.created: Any = None

    async def __aenter__(self) -> Raw:
        await self.client.connect_socket()
        await self.client.send_hello()
        await self.client.open_secure_channel()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.client.disconnect_socket()

    async def create(self, certificate: bytes | None = None) -> Any:
        """CreateSession, with a certificate that is only claimed."""
        asked = ua.CreateSessionParameters()
        asked.ClientNonce, asked.ClientCertificate = b"n" * 32, certificate
        asked.ClientDescription = ua.ApplicationDescription()
        asked.ClientDescription.ApplicationUri = "urn:test:client"
        asked.ClientDescription.ApplicationType = ua.ApplicationType.Client
        asked.EndpointUrl, asked.SessionName, asked.RequestedSessionTimeout = "opc.tcp://x", "raw", 60_000
        self.created = await self.client.uaclient.create_session(asked)
        return self.created

    async def activate(self, token: Any = None, signature: Any = None) -> Any:
        """ActivateSession with an identity."""
        asked = ua.ActivateSessionParameters()
        asked.UserIdentityToken = token or ua.AnonymousIdentityToken(self.policy(ua.UserTokenType.Anonymous))
        asked.ClientSignature = signature or ua.SignatureData()
        return await self.client.uaclient.activate_session(asked)

    def policy(self, kind: Any) -> str:
        """PolicyId of a kind of user token."""
        offered = self.created.ServerEndpoints[0].UserIdentityTokens if self.created else []
        return next((one.PolicyId for one in offered if one.TokenType == kind), "anonymous")

    def secret(self) -> Any:
        """A user name with its password, encrypted for this session."""
        certificate = uacrypto.x509_from_der(self.created.ServerCertificate)
        raw = PASSWORD + self.created.ServerNonce
        clear = len(raw).to_bytes(4, "little") + raw
        encrypted = uacrypto.encrypt_rsa_oaep(certificate.public_key(), clear)
        algorithm = "http://www.w3.org/2001/04/xmlenc#rsa-oaep"
        return ua.UserNameIdentityToken(self.policy(ua.UserTokenType.UserName), "operator", encrypted, algorithm)


@both
async def test_a_plain_password_is_refused(url: str) -> None:
    """Without security a password that is not encrypted is not taken."""
    async with Raw(url) as raw:
        await raw.create()
        token = ua.UserNameIdentityToken(raw.policy(ua.UserTokenType.UserName), "operator", PASSWORD, None)
        with pytest.raises(ua.UaStatusCodeError):
            await raw.activate(token)


@both
async def test_a_recorded_password_cannot_be_played_again(url: str) -> None:
    """The nonce inside the secret is that of one session (OPC 10000-4 §7.40.2.2)."""
    async with Raw(url) as first:
        await first.create()
        recorded = first.secret()
        await first.activate(recorded)
        async with Raw(url) as second:
            await second.create()
            with pytest.raises(ua.UaStatusCodeError):
                await second.activate(recorded)


@both
async def test_a_wrong_password_of_a_great_name(url: str) -> None:
    """Nobody becomes an administrator by calling himself admin."""
    client = Client(url, timeout=60)
    client.set_user("admin")
    client.set_password("whatever")
    with pytest.raises(ua.UaStatusCodeError):
        await client.connect()


@both
@pytest.mark.parametrize("claimed", [True, False])
async def test_an_untrusted_key_with_a_trusted_claim(url: str, claimed: bool, tmp_path: Path, trusted: Pair) -> None:
    """Trust is in the certificate whose key opened the channel, not in one that CreateSession names, or does not."""
    stranger = make_pair("urn:test:client", "stranger")
    (tmp_path / "stranger.der").write_bytes(stranger.der)
    (tmp_path / "stranger.pem").write_bytes(key_pem(stranger.key))
    raw = Raw(url)
    await raw.client.set_security(
        policies.SecurityPolicyBasic256Sha256, str(tmp_path / "stranger.der"), str(tmp_path / "stranger.pem")
    )

    async def get_in() -> None:
        async with raw:
            created = await raw.create(trusted.der if claimed else None)
            signer = raw.client.security_policy.asymmetric_cryptography.Signer
            signature = ua.SignatureData(
                policies.SecurityPolicyBasic256Sha256.AsymmetricSignatureURI,
                signer.signature(created.ServerCertificate + created.ServerNonce),
            )
            await raw.activate(signature=signature)
            await raw.client.nodes.server.read_browse_name()

    with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
        await get_in()


@both
async def test_a_certificate_without_its_key(url: str, tmp_path: Path, trusted: Pair) -> None:
    """Who signs with another key is refused, and hears of it at once."""
    certificate, key = tmp_path / "claimed.der", tmp_path / "other.pem"
    certificate.write_bytes(trusted.der)
    key.write_bytes(key_pem(make_pair("urn:test:client", "client").key))
    client = Client(url, timeout=30)
    client.application_uri = "urn:test:client"

    async def get_in() -> None:
        await client.set_security(policies.SecurityPolicyBasic256Sha256, str(certificate), str(key))
        await client.connect()

    stock = url == STOCK_URL[0]
    try:
        async with asyncio.timeout(PATIENCE[STOCK if stock else OURS]):
            with pytest.raises((ConnectionError, ua.UaError)):
                await get_in()
    except TimeoutError:
        pytest.fail("no answer")
    finally:
        client.disconnect_socket()


@both
async def test_a_session_cannot_be_guessed(url: str) -> None:
    """No small number is a session's token."""
    async with Raw(url) as victim, Raw(url) as thief:
        await victim.create()
        await victim.activate()
        taken = []
        for guess in range(995, 1060):
            thief.client.uaclient.protocol.authentication_token = ua.NodeId(guess)
            try:
                await thief.activate()
                taken.append(guess)
            except ua.UaStatusCodeError:
                continue
        assert taken == []


@both
async def test_a_wrong_token_is_not_served(url: str) -> None:
    """A channel's session serves only requests with its token (OPC 10000-4 §7.35)."""
    async with Raw(url) as raw:
        await raw.create()
        await raw.activate()
        raw.client.uaclient.protocol.authentication_token = ua.NodeId(4711)
        with pytest.raises(ua.UaStatusCodeError) as error:
            await raw.client.nodes.server.read_browse_name()
        assert error.value.code == S.BadSessionIdInvalid


@both
async def test_another_sessions_subscription_is_out_of_reach(url: str) -> None:
    """A session can neither delete nor change a subscription it does not have."""
    async with Client(url) as owner, Client(url) as other:
        asked = ua.CreateSubscriptionParameters()
        asked.RequestedPublishingInterval, asked.RequestedLifetimeCount = 1000, 1000
        asked.RequestedMaxKeepAliveCount, asked.PublishingEnabled = 100, True
        subscription = await owner.uaclient.create_subscription(asked, callback=lambda _result: None)
        results = await other.uaclient.delete_subscriptions([subscription.SubscriptionId])
        assert [result.value for result in results] == [S.BadSubscriptionIdInvalid]


@both
async def test_nobody_gets_a_kilohertz(url: str) -> None:
    """The publishing interval is revised to what the server can do without harm to others."""
    async with Client(url) as client:
        asked = ua.CreateSubscriptionParameters()
        asked.RequestedPublishingInterval, asked.RequestedLifetimeCount, asked.RequestedMaxKeepAliveCount = 1, 100, 10
        granted = await client.uaclient.create_subscription(asked, callback=lambda _result: None)
        await client.uaclient.delete_subscriptions([granted.SubscriptionId])
        assert granted.RevisedPublishingInterval >= 50


@both
async def test_a_token_does_not_live_for_ever(url: str) -> None:
    """The lifetime of a channel's token is revised to an hour at most."""
    client = Client(url, timeout=60)
    client.secure_channel_timeout = 2**31
    await client.connect_socket()
    try:
        await client.send_hello()
        asked = ua.OpenSecureChannelParameters()
        asked.RequestedLifetime, asked.SecurityMode = 2**31, ua.MessageSecurityMode.None_
        granted = await client.uaclient.open_secure_channel(asked)
        assert granted.SecurityToken.RevisedLifetime <= 3_600_000
    finally:
        client.disconnect_socket()


@both
async def test_operation_limits_are_enforced(url: str) -> None:
    """What MaxNodesPerRead says is the most there can be in one Read."""
    async with Client(url) as client:
        most = await client.get_node(
            ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
        ).read_value()
        asked = ua.ReadParameters()
        asked.NodesToRead = [ua.ReadValueId(ua.NodeId(2259), ua.AttributeIds.Value)] * (most + 1)
        with pytest.raises(ua.UaStatusCodeError) as error:
            await client.uaclient.read(asked)
        assert error.value.code == S.BadTooManyOperations


@both
async def test_what_is_told_about_rights(url: str) -> None:
    """Every node says what the user may do with it (OPC 10000-3 §5.2.10)."""
    async with Client(url) as client:
        shown = await client.nodes.server.read_attribute(ua.AttributeIds.UserRolePermissions, raise_on_bad_status=False)
        assert shown.StatusCode.is_good()
        assert shown.Value.Value


@both
async def test_certificates_can_be_managed(url: str) -> None:
    """The nodes of the ServerConfiguration do something: without right or security they say so."""
    async with Client(url) as client:
        with pytest.raises(ua.UaStatusCodeError) as error:
            await client.get_node("i=12637").call_method(ua.NodeId(12777))
        assert error.value.code == S.BadSecurityModeInsufficient
