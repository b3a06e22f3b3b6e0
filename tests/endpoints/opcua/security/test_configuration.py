"""ServerConfiguration and TrustList (OPC 10000-12 §7.8, §7.10) with asyncua's client, and certificates that change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary, struct_to_binary
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.certificate import Pair, application_uri, key_pem, make_pair, thumbprint_of
from labsim.endpoints.opcua.core.configuration import APPLICATION_GROUP, RSA_SHA256
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.trust import TrustFolders
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection
from labsim.evidence.event import Event
from labsim.plant.plant import Plant

FORCE = "ns=2;s=press1.force"
S, VT = ua.StatusCodes, ua.VariantType
CONFIGURATION, TRUST_LIST = "i=12637", "i=12642"
CREATE_REQUEST, UPDATE, APPLY, CANCEL, REJECTED = "i=12737", "i=13737", "i=12740", "i=25708", "i=12777"
OPEN, CLOSE, READ, WRITE, GET_POSITION, SET_POSITION = "i=12647", "i=12650", "i=12652", "i=12655", "i=12657", "i=12660"
OPEN_MASKS, CLOSE_UPDATE, ADD, REMOVE = "i=12663", "i=12666", "i=12668", "i=12670"
GROUP, KIND = ua.Variant(ua.NodeId(APPLICATION_GROUP), VT.NodeId), ua.Variant(ua.NodeId(RSA_SHA256), VT.NodeId)


async def call(client: Client, method: str, *arguments: Any, of: str = CONFIGURATION) -> Any:
    """Call a method with Variants."""
    return await client.get_node(of).call_method(client.get_node(method).nodeid, *arguments)


async def code_of(work: Any) -> int:
    """The code something is refused with."""
    with pytest.raises(ua.UaStatusCodeError) as error:
        await work
    return int(error.value.code)


def update(
    certificate: bytes, issuers: list[bytes] | None = None, form: str | None = "", key: bytes = b""
) -> list[Any]:
    """Arguments of UpdateCertificate."""
    return [
        GROUP, KIND, ua.Variant(certificate, VT.ByteString), ua.Variant(issuers or [], VT.ByteString, is_array=True),
        ua.Variant(form, VT.String), ua.Variant(key, VT.ByteString),
    ]  # fmt: skip


def request(subject: str = "", renew: bool = False) -> list[Any]:
    """Arguments of CreateSigningRequest."""
    return [
        GROUP, KIND, ua.Variant(subject, VT.String), ua.Variant(renew, VT.Boolean), ua.Variant(b"\0" * 32, VT.ByteString)
    ]  # fmt: skip


@pytest.fixture
def trusting(listed: OpcuaEndpoint, alone: Pair, pki: Path) -> OpcuaEndpoint:
    """The listed endpoint with the client on its list."""
    TrustFolders(pki).add(alone.certificate)
    return listed


async def test_only_an_administrator_over_encryption(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, operator: User
) -> None:
    """An operator is refused by right, an administrator over a signed channel by security; everybody may look."""
    async with trusting:
        async with await secure(trusting, alone, operator) as client:
            assert await code_of(call(client, REJECTED)) == S.BadUserAccessDenied
            assert await client.get_node("i=12639").read_value() == ["PEM"]
            executable = await client.get_node(REJECTED).read_attribute(ua.AttributeIds.UserExecutable)
            assert executable.Value.Value is False
        async with await secure(trusting, alone, admin, mode=ua.MessageSecurityMode.Sign) as client:
            assert await code_of(call(client, REJECTED)) == S.BadSecurityModeInsufficient
            restrictions = await client.get_node(REJECTED).read_attribute(ua.AttributeIds.AccessRestrictions)
            assert restrictions.Value.Value == 2
        async with await secure(trusting, alone, admin) as client:
            assert await call(client, REJECTED) == []


async def test_a_certificate_from_an_authority_while_a_client_is_connected(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, root: Any, pki: Path, events: list[Event]
) -> None:
    """Request, update, apply: new clients see the new certificate, the old session goes on until it renews its channel."""
    async with trusting:
        async with await secure(trusting, alone, admin) as client, await secure(trusting, alone) as old:
            before = trusting._pki.own
            der = await call(client, CREATE_REQUEST, *request("CN=Press,O=Plant", renew=True))
            asked = x509.load_der_x509_csr(der)
            assert asked.is_signature_valid
            names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            uri = trusting._core.uri
            assert names.get_values_for_type(x509.UniformResourceIdentifier) == [uri]
            issued = root.issue("Press", uri, key=_Public(asked.public_key()), signer=root.pair.key)
            new = issued.certificate.public_bytes(serialization.Encoding.DER)
            issuer = root.certificate.public_bytes(serialization.Encoding.DER)
            assert await call(client, UPDATE, *update(new, [issuer])) is True
            assert trusting._pki.own is before
            await call(client, APPLY)
            assert await code_of(call(client, APPLY)) == S.BadNothingToDo
            assert trusting._pki.own.der == new != before.der
            assert await old.get_node(FORCE).read_value() == 50.0
            endpoints = await Client(trusting.addresses()[0].url, timeout=60).connect_and_get_server_endpoints()
            assert {endpoint.ServerCertificate for endpoint in endpoints} == {new}
            async with await secure(trusting, alone) as fresh:
                assert await fresh.get_node(FORCE).read_value() == 50.0
            with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
                await asyncio.wait_for(old.open_secure_channel(renew=True), 2)
            old.disconnect_socket()
            with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
                await asyncio.wait_for(old.get_node(FORCE).read_value(), 2)
        assert [thumbprint_of(one) for one in TrustFolders(pki).load().issuers] == [thumbprint_of(root.certificate)]
    told = [e for e in events if e.kind == "certificate" and e.detail["of"] == "server"]
    assert [(e.detail["action"], e.detail["thumbprint"], e.user) for e in told] == [
        ("updated", thumbprint_of(issued.certificate), "admin")
    ]
    assert (pki / "own/server-cert.der").read_bytes() == new


async def test_a_session_comes_back_over_the_new_certificate(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, events: list[Event]
) -> None:
    """After a rollover a client that reconnects finds its session again; what it signs is for the new certificate."""
    async with trusting:
        client = await secure(trusting, alone)
        await client.connect()
        token, nonce = client.uaclient.protocol.authentication_token, client._server_nonce
        client.disconnect_socket()
        trusting._pki.replace(make_pair(trusting._core.uri, "new"))
        back = await secure(trusting, alone)
        await back.connect_socket()
        await back.send_hello()
        await back.open_secure_channel()
        back.uaclient.protocol.authentication_token, back._server_nonce = token, nonce
        await back.activate_session(None, None)
        assert await back.get_node(FORCE).read_value() == 50.0
        back.disconnect_socket()
    assert len({event.session for event in events if event.kind == "session"}) == 1


async def test_a_password_for_the_old_certificate(plant: Plant, operator: User) -> None:
    """A session that began before the rollover may still use what it was shown, without security too."""
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None, users=[operator]) as endpoint:
        client = Client(endpoint.addresses()[0].url, timeout=60)
        client.set_user(operator.name)
        client.set_password(operator.password)
        await client.connect_socket()
        await client.send_hello()
        await client.open_secure_channel()
        await client.create_session()
        endpoint._pki.replace(make_pair(endpoint._core.uri, "new"))
        await client.activate_session(operator.name, operator.password)
        await client.get_node("ns=2;s=press1.setpoint").write_value(12.0)
        await client.close_session()
        client.disconnect_socket()


class _Public:
    """A key of which only the public half is known, as an authority has it."""

    def __init__(self, public: Any) -> None:
        self._public = public

    def public_key(self) -> Any:
        """The public half."""
        return self._public


async def test_what_is_no_certificate_for_us(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, root: Any, new_key: Any
) -> None:
    """Rubbish, another's key, another's URI, an old one, a key format nobody knows: each has its code, nothing changes."""
    async with trusting, await secure(trusting, alone, admin) as client:
        own, uri = trusting._pki.own, trusting._core.uri
        other = make_pair(uri, "other")
        foreign = make_pair("urn:another", "another")
        old = make_pair(uri, "old", flaw="expired")
        for arguments, code in (
            (update(b"rubbish"), S.BadCertificateInvalid),
            (update(other.der), S.BadSecurityChecksFailed),
            (update(other.der, [b"rubbish"]), S.BadCertificateInvalid),
            (update(other.der, form="PFX", key=b"x"), S.BadNotSupported),
            (update(other.der, form="PEM", key=b"x"), S.BadCertificateInvalid),
            (update(other.der, form="PEM", key=key_pem(foreign.key)), S.BadSecurityChecksFailed),
            (update(foreign.der, form="PEM", key=key_pem(foreign.key)), S.BadCertificateUriInvalid),
            (update(old.der, form="PEM", key=key_pem(old.key)), S.BadCertificateTimeInvalid),
        ):
            assert await code_of(call(client, UPDATE, *arguments)) == code
        wrong_group = [ua.Variant(ua.NodeId(14088), VT.NodeId), *request()[1:]]
        assert await code_of(call(client, CREATE_REQUEST, *wrong_group)) == S.BadInvalidArgument
        assert await code_of(call(client, CREATE_REQUEST, *request("no name"))) == S.BadInvalidArgument
        assert await code_of(call(client, CANCEL)) == S.BadNothingToDo
        assert await call(client, UPDATE, *update(other.der, form="PEM", key=key_pem(other.key))) is True
        async with await secure(trusting, alone, admin) as second:
            assert await code_of(call(second, APPLY)) == S.BadTransactionPending
        await call(client, CANCEL)
        assert await code_of(call(client, APPLY)) == S.BadNothingToDo
        assert trusting._pki.own is own


async def test_the_trust_list_as_a_file(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, root: Any, pki: Path
) -> None:
    """Opened it is the encoded TrustListDataType; written anew and closed it is in force at once."""
    async with trusting, await secure(trusting, alone, admin) as client:
        number = ua.Variant(await call(client, OPEN, ua.Variant(1, VT.Byte), of=TRUST_LIST), VT.UInt32)
        size = await client.get_node("i=12643").read_value()
        assert await client.get_node("i=12646").read_value() == 1
        assert await code_of(call(client, OPEN, ua.Variant(6, VT.Byte), of=TRUST_LIST)) == S.BadNotWritable
        first = await call(client, READ, number, ua.Variant(100, VT.Int32), of=TRUST_LIST)
        assert await call(client, GET_POSITION, number, of=TRUST_LIST) == 100
        data = first + await call(client, READ, number, ua.Variant(1 << 20, VT.Int32), of=TRUST_LIST)
        assert len(data) == size
        await call(client, SET_POSITION, number, ua.Variant(0, VT.UInt64), of=TRUST_LIST)
        assert await call(client, READ, number, ua.Variant(1 << 20, VT.Int32), of=TRUST_LIST) == data
        assert await code_of(call(client, WRITE, number, ua.Variant(b"x", VT.ByteString), of=TRUST_LIST)) == (
            S.BadInvalidState
        )
        assert await code_of(call(client, CLOSE_UPDATE, number, of=TRUST_LIST)) == S.BadInvalidState
        await call(client, CLOSE, number, of=TRUST_LIST)
        assert await code_of(call(client, CLOSE, number, of=TRUST_LIST)) == S.BadInvalidArgument
        trust = struct_from_binary(ua.TrustListDataType, Buffer(data))
        assert trust.TrustedCertificates == [alone.der]

        der = serialization.Encoding.DER
        trust.TrustedCertificates.append(root.certificate.public_bytes(der))
        trust.TrustedCrls = [root.crl().public_bytes(der)]
        await _write(client, struct_to_binary(trust))
        async with await secure(trusting, root.issue("by the authority")) as other:
            assert await other.get_node(FORCE).read_value() == 50.0

        masks = ua.Variant(int(ua.TrustListMasks.TrustedCrls), VT.UInt32)
        number = ua.Variant(await call(client, OPEN_MASKS, masks, of=TRUST_LIST), VT.UInt32)
        data = await call(client, READ, number, ua.Variant(1 << 20, VT.Int32), of=TRUST_LIST)
        part = struct_from_binary(ua.TrustListDataType, Buffer(data))
        assert (len(part.TrustedCertificates or ()), len(part.TrustedCrls)) == (0, 1)
        await call(client, CLOSE, number, of=TRUST_LIST)
        part.TrustedCrls, part.TrustedCertificates = [], []
        await _write(client, struct_to_binary(part))
        assert len(TrustFolders(pki).load().trusted) == 2  # only the list that was specified is changed
        assert not TrustFolders(pki).load().trusted_crls


async def _write(client: Client, data: bytes) -> None:
    number = ua.Variant(await call(client, OPEN, ua.Variant(6, VT.Byte), of=TRUST_LIST), VT.UInt32)
    assert await code_of(call(client, OPEN, ua.Variant(1, VT.Byte), of=TRUST_LIST)) == S.BadNotReadable
    for at in range(0, len(data), 500):
        await call(client, WRITE, number, ua.Variant(data[at : at + 500], VT.ByteString), of=TRUST_LIST)
    assert await call(client, CLOSE_UPDATE, number, of=TRUST_LIST) is False


async def test_a_list_that_cannot_be_read_changes_nothing(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, pki: Path
) -> None:
    """All or nothing: one bad certificate and the old list stays; a handle of another session is no handle."""
    async with trusting, await secure(trusting, alone, admin) as client:
        for data, code in (
            (b"rubbish", S.BadDecodingError),
            (struct_to_binary(ua.TrustListDataType(15, [b"rubbish"], [], [], [])), S.BadCertificateInvalid),
            (struct_to_binary(ua.TrustListDataType(15, [], [b"rubbish"], [], [])), S.BadCertificateInvalid),
        ):
            number = ua.Variant(await call(client, OPEN, ua.Variant(6, VT.Byte), of=TRUST_LIST), VT.UInt32)
            async with await secure(trusting, alone, admin) as other:
                assert await code_of(call(other, CLOSE, number, of=TRUST_LIST)) == S.BadInvalidArgument
            await call(client, WRITE, number, ua.Variant(data, VT.ByteString), of=TRUST_LIST)
            assert await code_of(call(client, CLOSE_UPDATE, number, of=TRUST_LIST)) == code
        assert list(TrustFolders(pki).load().trusted) == [alone.certificate]
        assert await code_of(call(client, OPEN, ua.Variant(2, VT.Byte), of=TRUST_LIST)) == S.BadInvalidArgument


async def test_adding_and_removing(
    trusting: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, events: list[Event]
) -> None:
    """AddCertificate lets in whom GetRejectedList shows; RemoveCertificate takes it back."""
    newcomer = make_pair("urn:test:client", "newcomer")
    async with trusting, await secure(trusting, alone, admin) as client:
        with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
            await (await secure(trusting, newcomer)).connect()
        changed = await client.get_node("i=12662").read_value()
        rejected = await call(client, REJECTED)
        assert rejected == [newcomer.der] or rejected == newcomer.der
        yes = ua.Variant(True, VT.Boolean)
        await call(client, ADD, ua.Variant(newcomer.der, VT.ByteString), yes, of=TRUST_LIST)
        assert await client.get_node("i=12662").read_value() > changed
        async with await secure(trusting, newcomer) as other:
            assert await other.get_node(FORCE).read_value() == 50.0
        named = ua.Variant(newcomer.thumbprint.hex().upper(), VT.String)
        await call(client, REMOVE, named, yes, of=TRUST_LIST)
        assert await code_of(call(client, REMOVE, named, yes, of=TRUST_LIST)) == S.BadInvalidArgument
        with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
            await (await secure(trusting, newcomer)).connect()
    actions = [e.detail["action"] for e in events if e.kind == "certificate" and "newcomer" in e.subject]
    assert actions == ["rejected", "added", "trusted", "removed", "rejected"]


@pytest.mark.parametrize("flaw", ["expired", "not-yet-valid", "wrong-uri", "short-key"])
async def test_a_server_certificate_with_a_flaw(plant: Plant, flaw: Any) -> None:
    """What the scenario makes wrong is what GetEndpoints shows; it still has the key, so a careless client gets in."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None, protection=Protection(flaw=flaw)) as endpoint:
        endpoints = await Client(endpoint.addresses()[0].url, timeout=60).connect_and_get_server_endpoints()
        shown = x509.load_der_x509_certificate(endpoints[0].ServerCertificate)
        key = shown.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        found = {
            "wrong-uri": application_uri(shown) != endpoint._core.uri,
            "short-key": key.key_size < 2048,
            "expired": shown.not_valid_after_utc < shown.not_valid_before_utc.now(shown.not_valid_after_utc.tzinfo),
            "not-yet-valid": shown.not_valid_before_utc
            > shown.not_valid_before_utc.now(shown.not_valid_after_utc.tzinfo),
        }
        assert [name for name, wrong in found.items() if wrong] == [flaw]
        assert isinstance(shown.signature_hash_algorithm, hashes.SHA256)


async def test_without_a_folder_there_is_no_configuration(plant: Plant) -> None:
    """A server that keeps no certificates shows nothing to manage them with."""
    async with (
        OpcuaEndpoint(plant, ["press1"], lambda _event: None) as endpoint,
        Client(endpoint.addresses()[0].url, timeout=60) as client,
    ):
        children = [await node.read_browse_name() for node in await client.nodes.server.get_children()]
        assert "ServerConfiguration" not in [name.Name for name in children]


def test_servers_that_keep_nothing_share_a_key(tmp_path: Path) -> None:
    """Each has a certificate of its own; one with a folder has a key of its own, and so has one with a flaw."""
    first, second = Pki("urn:test:a", "a"), Pki("urn:test:b", "b")
    kept, flawed = Pki("urn:test:c", "c", tmp_path), Pki("urn:test:d", "d", flaw="short-key")
    assert first.own.key is second.own.key
    assert first.own.der != second.own.der
    keys = {one.own.key.private_numbers().d for one in (first, second, kept, flawed)}
    assert len(keys) == 3
