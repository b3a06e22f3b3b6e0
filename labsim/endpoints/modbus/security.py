"""Modbus/TCP Security: certificates of both sides, and the role that a client's certificate carries.

The role is a UTF8String in the extension 1.3.6.1.4.1.50316.802.1 (Modbus/TCP Security R-21, R-22); there may be
one only. What a role may not do is answered with exception 01.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.errors import EndpointError
from labsim.scenario.modbus import ModbusTlsSpec

ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
_UTF8 = 0x0C
_READS = frozenset((1, 2, 3, 4, 7, 8, 11, 12, 17, 20, 24, 43))
_VALID = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files of a server: its certificate and key, and the authority of its clients."""

    certificate: Path
    key: Path
    authority: Path

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, both sides proven.

        Raises:
            EndpointError: a file cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_cert_chain(self.certificate, self.key)
            context.load_verify_locations(self.authority)
        except (OSError, ssl.SSLError) as error:
            raise EndpointError(
                f"Modbus TLS cannot use {self.certificate}, {self.key} and {self.authority} ({error.strerror or error}): "
                "give PEM files of a certificate, its key and the authority of the clients."
            ) from error
        return context


@dataclass(frozen=True, slots=True)
class Proven:
    """What a client's certificate proves: common name, SHA-1 thumbprint in hex, role ("" for none)."""

    name: str = ""
    thumb: str = ""
    role: str = ""


class Roles:
    """What certificates say about roles, and what roles may do."""

    def __init__(self, spec: ModbusTlsSpec) -> None:
        self._by_name = dict(spec.roles)
        self._may: dict[str, frozenset[int] | None] = {
            role: None if codes == "all" else _READS if codes == "read" else frozenset(codes)
            for role, codes in spec.permissions.items()
        }

    def of(self, channel: ssl.SSLObject | None) -> Proven:
        """Who is at the other end of a TLS connection."""
        data = channel.getpeercert(binary_form=True) if channel is not None else None
        if not data:
            return Proven()
        certificate = x509.load_der_x509_certificate(data)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        thumb = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        return Proven(name, thumb, role_of(certificate) or self._by_name.get(name, ""))

    def functions(self, role: str) -> frozenset[int] | None:
        """The function codes of a role; None for all of them."""
        return self._may.get(role, frozenset()) if self._may else None


def role_of(certificate: x509.Certificate) -> str:
    """The role in a certificate's extension; empty when there is none, or none that can be read."""
    try:
        value = certificate.extensions.get_extension_for_oid(ROLE).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    data = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    if len(data) < 2 or data[0] != _UTF8 or data[1] > 0x7F or data[1] != len(data) - 2:
        return ""
    return data[2:].decode("utf-8", "replace")


def make_certificates(folder: Path, hosts: Sequence[str], clients: Mapping[str, str]) -> Files:
    """An authority, a server's certificate and one per client, where ``folder`` does not hold them yet.

    Args:
        folder: Gets ``authority.pem``, ``server.pem``, ``server.key`` and ``NAME.pem``, ``NAME.key`` for each client.
        hosts: Names and addresses of the server.
        clients: Role by common name; "" for a certificate without a role.

    Raises:
        EndpointError: they cannot be written.
    """
    files = Files(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    if all(path.exists() for path in (files.certificate, files.key, files.authority)):
        return files
    authority_key, name = ec.generate_private_key(ec.SECP256R1()), _name("labsim Modbus authority")
    authority = _sign(name, authority_key, name, authority_key, [(x509.BasicConstraints(ca=True, path_length=0), True)])
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _sign(
        _name("labsim Modbus server"),
        server_key,
        name,
        authority_key,
        [
            (x509.SubjectAlternativeName([_host(host) for host in dict.fromkeys(hosts)]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ],
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for client, role in clients.items():
            key = ec.generate_private_key(ec.SECP256R1())
            extensions: list[tuple[x509.ExtensionType, bool]] = [
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
            ]
            if role:
                text = role.encode()
                extensions.append((x509.UnrecognizedExtension(ROLE, bytes((_UTF8, len(text))) + text), False))
            _write(folder / client, _sign(_name(client), key, name, authority_key, extensions), key)
        _write(folder / "server", server, server_key)
        files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise EndpointError(f"{folder} cannot be written to ({error.strerror}): make it writable.") from error
    return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if subject == issuer:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    plain = serialization.NoEncryption()
    path.with_suffix(".pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
