"""Trust folders while the server runs: who is moved in gets in, with asyncua's client over real sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies as policies

from labsim.endpoints.opcua.core.certificate import Pair, key_pem, make_pair, thumbprint_of
from labsim.endpoints.opcua.core.trust import TrustFolders, file_name
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection
from labsim.evidence.event import Event
from labsim.plant.plant import Plant

FORCE = "ns=2;s=press1.force"
S = ua.StatusCodes


async def refused(client: Client) -> None:
    """The client does not get in; asyncua tells a cut connection in several ways."""
    with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
        await client.connect()


def certificates(events: list[Event]) -> list[tuple[str, str, int]]:
    """What was told of certificates."""
    return [(e.detail["of"], e.detail["action"], e.status) for e in events if e.kind == "certificate"]


async def test_moving_a_file_lets_in_and_out(
    listed: OpcuaEndpoint, secure: Any, alone: Pair, pki: Path, events: list[Event]
) -> None:
    """Refused, its certificate lies in rejected; moved to trusted it gets in; taken away it is refused again."""
    async with listed:
        await refused(await secure(listed, alone))
        (file,) = (pki / "rejected").iterdir()
        assert file.name == file_name(alone.certificate)
        file.rename(pki / "trusted/certs" / file.name)
        async with await secure(listed, alone) as client:
            assert await client.get_node(FORCE).read_value() == 50.0
        (pki / "trusted/certs" / file.name).unlink()
        await refused(await secure(listed, alone))
    told = certificates(events)
    untrusted = ("client", "rejected", S.BadCertificateUntrusted)
    assert told == [untrusted, ("client", "trusted", 0), untrusted]
    first = next(event for event in events if event.kind == "certificate")
    assert first.detail["thumbprint"] == thumbprint_of(alone.certificate)
    assert first.subject == "O=labsim,CN=client"
    reject = next(event for event in events if event.kind == "reject")
    assert reject.status == S.BadSecurityChecksFailed  # what the stranger was told
    session = next(event for event in events if event.kind == "session")
    assert session.thumb == thumbprint_of(alone.certificate)


async def test_a_chain_with_its_revocation_lists(
    listed: OpcuaEndpoint, secure: Any, root: Any, middle: Any, pki: Path, save: Any, events: list[Event]
) -> None:
    """An authority that is trusted lets its clients in, until one is revoked."""
    client_pair = middle.issue("client")
    async with listed:
        save(pki / "trusted/certs/middle.crt", middle.certificate)
        save(pki / "issuer/certs/root.cer", root.certificate)
        await refused(await secure(listed, client_pair))
        save(pki / "trusted/crl/middle.crl", middle.crl())
        save(pki / "issuer/crl/root.crl", root.crl())
        async with await secure(listed, client_pair) as client:
            assert await client.get_node(FORCE).read_value() == 50.0
        save(pki / "trusted/crl/middle.crl", middle.crl(client_pair.certificate))
        await refused(await secure(listed, client_pair))
    assert certificates(events) == [
        ("client", "rejected", S.BadCertificateRevocationUnknown),
        ("client", "trusted", 0),
        ("client", "rejected", S.BadCertificateRevoked),
    ]


async def test_errors_can_be_suppressed(
    plant: Plant, secure: Any, root: Any, pki: Path, save: Any, events: list[Event]
) -> None:
    """A scenario may overlook a missing revocation list."""
    protection = Protection(listed=True, suppressed=[S.BadCertificateRevocationUnknown])
    save(pki / "trusted/certs/root.der", root.certificate)
    async with (
        OpcuaEndpoint(plant, ["press1"], events.append, pki=pki, protection=protection) as endpoint,
        await secure(endpoint, root.issue("client")) as client,
    ):
        assert await client.get_node(FORCE).read_value() == 50.0


async def test_a_listed_channel_ends_with_its_trust(
    listed: OpcuaEndpoint, secure: Any, alone: Pair, pki: Path, events: list[Event]
) -> None:
    """Who was taken off the list is cut off when the lists are looked at again, and only he; evidence tells why."""
    other = make_pair("urn:test:client", "other")
    async with listed, asyncio.timeout(60):
        trust = TrustFolders(pki)
        trust.add(alone.certificate)
        trust.add(other.certificate)
        client, stays = await secure(listed, alone), await secure(listed, other)
        await client.connect()
        await stays.connect()
        core = listed._core
        core.timers.tick(core.monotonic() + 2)  # the lists as they are now
        assert await client.get_node(FORCE).read_value() == 50.0
        assert trust.remove(thumbprint_of(alone.certificate))
        core.timers.tick(core.monotonic() + 4)
        with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
            await client.get_node(FORCE).read_value()
        assert await stays.get_node(FORCE).read_value() == 50.0
        client.disconnect_socket()
        await stays.disconnect()
    assert certificates(events)[-1] == ("client", "rejected", S.BadCertificateUntrusted)
    cut = [event for event in events if event.kind == "reject"]
    assert [event.thumb for event in cut] == [thumbprint_of(alone.certificate)]


async def test_discovery_needs_no_trust(plant: Plant, pki: Path) -> None:
    """Without security a client may ask for endpoints, and for nothing else, where the policy None is not offered."""
    protection = Protection(security=[(str(policies.SecurityPolicyBasic256Sha256.URI), 3)], listed=True)
    async with OpcuaEndpoint(plant, ["press1"], lambda _event: None, pki=pki, protection=protection) as endpoint:
        client = Client(endpoint.addresses()[0].url, timeout=60)
        (offered,) = await client.connect_and_get_server_endpoints()
        assert offered.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
        with pytest.raises(ua.UaStatusCodeError) as error:
            await Client(endpoint.addresses()[0].url, timeout=60).connect()
        assert error.value.code == S.BadSecurityPolicyRejected


@pytest.mark.parametrize("role", ["Operator", None])
async def test_a_user_with_a_certificate(
    plant: Plant, tmp_path: Path, pki: Path, root: Any, events: list[Event], role: str | None
) -> None:
    """Trusted in the users' folders a person logs in by certificate; untrusted, or where it is not offered, not."""
    user = root.issue("Anna")
    certificate, key = tmp_path / "anna.der", tmp_path / "anna.pem"
    certificate.write_bytes(user.der)
    key.write_bytes(key_pem(user.key))
    protection = Protection(certified=role, suppressed=[S.BadCertificateRevocationUnknown])
    async with OpcuaEndpoint(plant, ["press1"], events.append, pki=pki, protection=protection) as endpoint:

        async def anna() -> Client:
            client = Client(endpoint.addresses()[0].url, timeout=60)
            await client.load_client_certificate(str(certificate))
            await client.load_private_key(str(key))
            return client

        if role is None:
            with pytest.raises(ua.UaError):
                await (await anna()).connect()
            return
        users = TrustFolders(pki / "users")
        users.add(root.certificate, trusted=False)
        with pytest.raises(ua.UaStatusCodeError) as error:
            await (await anna()).connect()
        assert error.value.code == S.BadIdentityTokenRejected
        assert [thumbprint_of(one) for one in users.rejected()] == [thumbprint_of(user.certificate)]
        assert users.accept(thumbprint_of(user.certificate))
        client = await anna()
        await client.connect()
        await client.get_node("ns=2;s=press1.setpoint").write_value(20.0)
        assert users.remove(thumbprint_of(user.certificate))
        endpoint._core.timers.tick(endpoint._core.monotonic() + 2)
        with pytest.raises(ua.UaStatusCodeError) as closed:
            await client.get_node(FORCE).read_value()
        assert closed.value.code == S.BadSessionClosed
        client.disconnect_socket()
    session = next(event for event in events if event.kind == "session")
    assert (session.user, session.detail["identity"], session.detail["role"]) == ("Anna", "x509", "Operator")
    assert session.detail["user_thumbprint"] == thumbprint_of(user.certificate)
    assert ("user", "rejected", S.BadCertificateUntrusted) in certificates(events)


def test_the_rejected_do_not_pile_up(tmp_path: Path, root: Any) -> None:
    """Fifty certificates are kept, one file each however often it is refused; the oldest give way."""
    folders = TrustFolders(tmp_path)
    made = [root.issue(f"client {number}").certificate for number in range(53)]
    for one in made:
        folders.reject(one)
        folders.reject(one)
    kept = {thumbprint_of(one) for one in folders.rejected()}
    assert len(kept) == 50
    assert thumbprint_of(made[-1]) in kept


def test_what_cannot_be_read_is_left_out(tmp_path: Path, alone: Pair, caplog: Any) -> None:
    """Rubbish beside a good file costs a line in the log; PEM and DER are both good, whatever the file is called."""
    from cryptography.hazmat.primitives import serialization

    folders = TrustFolders(tmp_path)
    folders.make()
    place = tmp_path / "trusted/certs"
    (place / "notes.txt").write_bytes(b"rubbish")
    (place / "client.pem").write_bytes(alone.certificate.public_bytes(serialization.Encoding.PEM))
    assert list(folders.load().trusted) == [alone.certificate]
    assert "notes.txt is left out" in caplog.text
    (place / "client.pem").write_bytes(b"changed")
    assert list(folders.load().trusted) == []


def test_names_fit_every_file_system(root: Any) -> None:
    """What a certificate calls itself cannot leave the folder."""
    name = file_name(root.issue('../../etc/passwd:*?"<>|\\').certificate)
    assert not set(name) & set('/\\:*?"<>|')
