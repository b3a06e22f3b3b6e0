"""Authorities that issue certificates with one thing wrong, and clients that show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies as policies
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.certificate import Pair, alternative_names, key_pem
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.endpoints.opcua.protection import Protection
from labsim.evidence.event import Event
from labsim.plant.plant import Plant

CLIENT_URI = "urn:test:client"
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key by name, made once."""
    return rsa.generate_private_key(65537, bits)


class Authority:
    """A certificate authority; without ``issuer`` it signs itself."""

    def __init__(self, name: str, issuer: Authority | None = None, **given: Any) -> None:
        self.pair = (issuer or self).issue(name, ca=True, key=rsa_key(name), usage="issue", **given)

    @property
    def certificate(self) -> x509.Certificate:
        """Its own certificate."""
        return self.pair.certificate

    def issue(
        self,
        name: str,
        uri: str = CLIENT_URI,
        *,
        key: rsa.RSAPrivateKey | None = None,
        ca: bool = False,
        begin: dt.timedelta = -DAY,
        end: dt.timedelta = 365 * DAY,
        usage: str = "sign encrypt",
        purpose: Any = ExtendedKeyUsageOID.CLIENT_AUTH,
        algorithm: hashes.HashAlgorithm | None = None,
        signer: rsa.RSAPrivateKey | None = None,
    ) -> Pair:
        """A certificate with its key; every argument is a way to make it wrong."""
        own = getattr(self, "pair", None)
        key = key or rsa_key("client")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(own.certificate.subject if own else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begin)
            .not_valid_after(NOW + end)
            .add_extension(alternative_names(uri, ["localhost"]), False)
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(
                x509.KeyUsage(
                    "sign" in usage, "sign" in usage, "encrypt" in usage, "encrypt" in usage, False,
                    "issue" in usage, "issue" in usage, False, False,
                ),
                True,
            )
        )  # fmt: skip
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        signing = signer or (own.key if own else key)
        return Pair(builder.sign(signing, algorithm or hashes.SHA256()), key)

    def crl(self, *revoked: x509.Certificate, end: dt.timedelta = 30 * DAY) -> x509.CertificateRevocationList:
        """A revocation list."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(NOW - 2 * DAY)
            .next_update(NOW + end)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(NOW - DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.pair.key, hashes.SHA256())


@pytest.fixture(scope="session")
def new_key() -> Callable[..., rsa.RSAPrivateKey]:
    """A key by name and bits."""
    return rsa_key


@pytest.fixture(scope="session")
def new_authority() -> type[Authority]:
    """Make an authority."""
    return Authority


@pytest.fixture(scope="session")
def root() -> Authority:
    """A self-signed authority."""
    return Authority("Root CA")


@pytest.fixture(scope="session")
def middle(root: Authority) -> Authority:
    """An authority below the root."""
    return Authority("Middle CA", root)


@pytest.fixture(scope="session")
def alone(new_key: Any) -> Pair:
    """A self-signed client certificate."""
    from labsim.endpoints.opcua.core.certificate import make_pair

    return make_pair(CLIENT_URI, "client")


def save_der(path: Path, certificate: x509.Certificate | x509.CertificateRevocationList) -> Path:
    """Write DER; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    return path


@pytest.fixture(scope="session")
def save() -> Callable[..., Path]:
    """Write a certificate or revocation list."""
    return save_der


ADMIN = User("admin", "admin123", "SecurityAdmin")
OPERATOR = User("operator", "operator123", "Operator")
Secure = Callable[..., Any]


@pytest.fixture
def secure(tmp_path: Path) -> Secure:
    """Makes a client with a certificate, not yet connected."""

    async def make(
        endpoint: OpcuaEndpoint, pair: Pair, user: User | None = None, *, mode: Any = None, chain: bytes = b""
    ) -> Client:
        certificate, key = tmp_path / "client-own.der", tmp_path / "client-own.pem"
        certificate.write_bytes(pair.der)
        key.write_bytes(key_pem(pair.key))
        client = Client(endpoint.addresses()[0].url, timeout=60)
        client.application_uri = CLIENT_URI
        if user is not None:
            client.set_user(user.name)
            client.set_password(user.password)
        await client.set_security(
            policies.SecurityPolicyBasic256Sha256,
            str(certificate),
            str(key),
            mode=mode or ua.MessageSecurityMode.SignAndEncrypt,
        )
        return client

    return make


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    """The folder of certificates."""
    return tmp_path / "pki"


@pytest.fixture
def listed(plant: Plant, events: list[Event], pki: Path) -> OpcuaEndpoint:
    """An endpoint that lets in who is on its list, with an administrator and an operator."""
    return OpcuaEndpoint(
        plant, ["press1"], events.append, pki=pki, users=[ADMIN, OPERATOR], protection=Protection(listed=True)
    )


@pytest.fixture(scope="session")
def admin() -> User:
    """An account that may manage certificates."""
    return ADMIN


@pytest.fixture(scope="session")
def operator() -> User:
    """An account that may write."""
    return OPERATOR
