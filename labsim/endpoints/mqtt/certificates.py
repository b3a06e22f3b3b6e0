"""Certificates of one lab's broker: an authority that exists for this attempt only, and what it signed."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.errors import EndpointError

ClientCertificates = Literal["none", "optional", "required"]
AUTHORITY = "ca.crt"
CLIENTS = "clients"
_VALID = datetime.timedelta(days=825)
_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def make_certificates(folder: Path, host: str, clients: Sequence[str] = ()) -> None:
    """Write ``ca.crt``, ``server.crt``, ``server.key`` and, per client, ``clients/<client>.crt`` and ``.key``.

    All are PEM. The authority's key is not kept, so that nobody can add a certificate later. A folder that has them is left
    as it is.

    Args:
        folder: Made when missing.
        host: Address that the broker listens on; its certificate names it, this computer and the loopback addresses.
        clients: Common names.

    Raises:
        EndpointError: the folder cannot be written.
    """
    if (folder / AUTHORITY).exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("labsim MQTT authority")
    own = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    authority = own.add_extension(_usage(signs=True), True).sign(key, hashes.SHA256())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _issue(folder, "server", "labsim MQTT broker", authority, key, _server_names(host))
        (folder / CLIENTS).mkdir(exist_ok=True)
        for client in clients:
            _issue(folder / CLIENTS, client, client, authority, key, None)
        (folder / AUTHORITY).write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise EndpointError(
            f"mqtt: certificates cannot be written to {folder} ({error.strerror}): make it writable."
        ) from error


def server_context(folder: Path, clients: ClientCertificates = "none") -> ssl.SSLContext:
    """The TLS side of the broker whose certificates are in ``folder``: TLS 1.2 or later.

    Raises:
        EndpointError: a file is missing or is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        context.load_verify_locations(folder / AUTHORITY)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(f"mqtt: no usable certificates in {folder} ({error}): remove the folder.") from error
    context.verify_mode = _VERIFY[clients]
    return context


def _issue(
    folder: Path, stem: str, common_name: str, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey,
    server: x509.SubjectAlternativeName | None,
) -> None:  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    use = ExtendedKeyUsageOID.CLIENT_AUTH if server is None else ExtendedKeyUsageOID.SERVER_AUTH
    builder = _builder(_name(common_name), authority.subject, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(signs=False), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
    )  # fmt: skip
    if server is not None:
        builder = builder.add_extension(server, False)
    certificate = builder.sign(signer, hashes.SHA256())
    (folder / f"{stem}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    fd = os.open(folder / f"{stem}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(pem)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # a trainee's clock may lag
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _server_names(host: str) -> x509.SubjectAlternativeName:
    found: dict[str, x509.GeneralName] = {}
    for name in ("localhost", "127.0.0.1", "::1", host, socket.gethostname()):
        try:
            found[name] = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            found[name] = x509.DNSName(name)
    return x509.SubjectAlternativeName(list(found.values()))
