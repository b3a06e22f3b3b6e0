"""Certificates: the pair an application has, how it is made, and reading those of others (OPC 10000-6 §6.2)."""

from __future__ import annotations

import base64
import datetime as dt
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha1
from ipaddress import ip_address
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Flaw = Literal["expired", "not-yet-valid", "wrong-uri", "short-key"]
"""What a scenario may make wrong with a server's own certificate."""

_KEY_BITS, _SHORT_BITS = 2048, 1024
_DAY = dt.timedelta(days=1)
_SPANS = {"expired": (-400 * _DAY, -35 * _DAY), "not-yet-valid": (35 * _DAY, 3650 * _DAY)}
_MAX_CHAIN = 10
_making = threading.Lock()
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @cached_property
    def der(self) -> bytes:
        """The certificate as it travels."""
        return der_of(self.certificate)

    @cached_property
    def thumbprint(self) -> bytes:
        """SHA-1 of the certificate; it only names it (OPC 10000-6 §6.7.2.3)."""
        return sha1(self.der, usedforsecurity=False).digest()


def der_of(certificate: x509.Certificate) -> bytes:
    """A certificate as it travels."""
    return certificate.public_bytes(serialization.Encoding.DER)


def thumbprint_of(certificate: x509.Certificate) -> str:
    """SHA-1 of a certificate in lower-case hexadecimal."""
    return sha1(der_of(certificate), usedforsecurity=False).hexdigest()


def common_name(certificate: x509.Certificate) -> str:
    """The common name of its subject; empty when it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def process_key() -> rsa.RSAPrivateKey:
    """A key for all servers of this process that keep nothing: making one takes longer than all the rest of a server."""
    with _making:
        return _process_key()


@cache
def _process_key() -> rsa.RSAPrivateKey:
    return make_key()


def make_key(bits: int = _KEY_BITS) -> rsa.RSAPrivateKey:
    """A new private key."""
    return rsa.generate_private_key(65537, bits)


def make_pair(
    uri: str,
    name: str,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    flaw: Flaw | None = None,
    key: rsa.RSAPrivateKey | None = None,
) -> Pair:
    """A self-signed application instance certificate (OPC 10000-6 §6.2.2) for ``uri``; not one of an authority."""
    key = key if key is not None else make_key(_SHORT_BITS if flaw == "short-key" else _KEY_BITS)
    who = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "labsim")]
    )
    now = dt.datetime.now(dt.UTC)
    begin, end = _SPANS.get(flaw or "", (-_DAY, 3650 * _DAY))
    ids = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(alternative_names(uri + ":other" if flaw == "wrong-uri" else uri, hosts), False)
        .add_extension(ids, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ids), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def make_request(key: rsa.RSAPrivateKey, subject: x509.Name, uri: str, hosts: Sequence[str]) -> bytes:
    """A PKCS #10 request for a certificate of ``key``, as DER (OPC 10000-12 §7.10.10)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.add_extension(alternative_names(uri, hosts), False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def alternative_names(uri: str, hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """The application URI, then the names and addresses of its hosts."""
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *map(_host, dict.fromkeys(hosts))])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def application_uri(certificate: x509.Certificate) -> str | None:
    """The application URI that a certificate names in its SubjectAltName."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), None)


def read_chain(data: bytes) -> list[x509.Certificate]:
    """Certificates that stand one behind the other as DER, the sender's own first (OPC 10000-6 §6.2.6).

    Raises:
        ValueError: there is none, one cannot be read, or there are too many.
    """
    found: list[x509.Certificate] = []
    at = 0
    while at < len(data):
        if len(found) == _MAX_CHAIN:
            raise ValueError("a chain of too many certificates")
        size = _der_size(data, at)
        found.append(_load(data[at : at + size]))
        at += size
    if not found:
        raise ValueError("no certificate")
    return found


def _load(der: bytes) -> x509.Certificate:
    """One certificate, all of whose parts can be read; cryptography reads them only when they are asked for."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        for part in ("subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
            getattr(certificate, part)
        certificate.public_key()
    except Exception as error:  # foreign bytes fail in many types, not all of them ValueErrors
        raise ValueError(f"a certificate that cannot be read: {error}") from error
    return certificate


def _der_size(data: bytes, at: int) -> int:
    """Length of the DER sequence at a place (X.690 §8.1.3)."""
    head = data[at : at + 6]
    if len(head) < 2 or head[0] != 0x30:
        raise ValueError("not a DER sequence")
    wide = head[1] & 0x7F if head[1] & 0x80 else 0
    if wide > 4 or len(head) < 2 + wide:
        raise ValueError("a DER sequence of no plausible length")
    size = 2 + wide + (int.from_bytes(head[2 : 2 + wide], "big") if wide else head[1])
    if at + size > len(data):
        raise ValueError("a DER sequence that ends early")
    return size


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """The certificates of a file, DER or PEM.

    Raises:
        ValueError: it holds none, or what it holds cannot be read.
    """
    blocks = _PEM.findall(data)
    return [_load(base64.b64decode(block)) for block in blocks] if blocks else read_chain(data)


def read_revocation_list(data: bytes) -> x509.CertificateRevocationList:
    """The revocation list of a file, DER or PEM.

    Raises:
        ValueError: it holds none.
    """
    return x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)


def read_private_key(data: bytes) -> rsa.RSAPrivateKey:
    """An RSA key in PEM without password.

    Raises:
        ValueError: it is none.
    """
    try:
        key: Any = serialization.load_pem_private_key(data, None)
    except TypeError as error:  # it is encrypted
        raise ValueError("the key has a password") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key is not of RSA")
    return key


def key_pem(key: rsa.RSAPrivateKey) -> bytes:
    """An RSA key in PEM without password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
