"""The server's own certificate and its judgement of others (OPC 10000-4 §6.1.3, OPC 10000-12 §7.8)."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labsim.endpoints.opcua.core.status import GOOD, S

_KEY_BITS = 2048
_VALID_DAYS = 3650
CERTIFICATE_FILE, KEY_FILE = "server-cert.der", "server-key.pem"


@dataclass(frozen=True)
class Pair:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @cached_property
    def der(self) -> bytes:
        """The certificate as it travels."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def thumbprint(self) -> bytes:
        """SHA-1 of the certificate; it only names it (OPC 10000-6 §6.7.2.3)."""
        return sha1(self.der, usedforsecurity=False).digest()


def make_pair(uri: str, name: str, hosts: Sequence[str] = ("localhost", "127.0.0.1")) -> Pair:
    """A self-signed application instance certificate (OPC 10000-6 §6.2.2) for ``uri``; not one of an authority."""
    key = rsa.generate_private_key(65537, _KEY_BITS)
    who = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "labsim")]
    )
    now = dt.datetime.now(dt.UTC)
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
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_VALID_DAYS))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), *map(_host, dict.fromkeys(hosts))]), False
        )
        .add_extension(ids, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ids), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


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


class Pki:
    """One server's pair of certificate and key, made when first needed, and who is let in.

    Every client certificate that is in time is accepted.

    Args:
        uri: The server's application URI.
        name: Common name of the certificate.
        folder: Where the pair is kept; None keeps it in memory.
        hosts: Names and addresses the certificate is good for.
    """

    def __init__(self, uri: str, name: str, folder: Path | None = None, hosts: Sequence[str] = ("localhost",)) -> None:
        self.uri, self.name, self.folder, self.hosts = uri, name, folder, tuple(hosts)
        self._pair: Pair | None = None
        self._making = threading.Lock()

    @property
    def own(self) -> Pair:
        """The server's pair; the first call may take a tenth of a second, in which other threads go on.

        Raises:
            OSError: the folder cannot be used.
            ValueError: what it holds is not a certificate or key.
        """
        with self._making:
            if self._pair is None:
                self._pair = self._load() if self.folder is not None else self._make()
            return self._pair

    def prepare(self) -> None:
        """Begin to make the pair in another thread, so that the first secure client need not wait for all of it."""
        threading.Thread(target=lambda: self.own, name="opcua-key", daemon=True).start()

    def _make(self) -> Pair:
        return make_pair(self.uri, self.name, self.hosts)

    def _load(self) -> Pair:
        assert self.folder is not None
        certificate, key = self.folder / CERTIFICATE_FILE, self.folder / KEY_FILE
        if certificate.exists() and key.exists():
            private: Any = serialization.load_pem_private_key(key.read_bytes(), None)
            pair = Pair(x509.load_der_x509_certificate(certificate.read_bytes()), private)
            if application_uri(pair.certificate) == self.uri:  # else no client would take it for this server's
                return pair
        self.folder.mkdir(parents=True, exist_ok=True)
        pair = self._make()
        self._save(pair, certificate, key)
        return pair

    def _save(self, pair: Pair, certificate: Path, key: Path) -> None:
        secret = pair.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secret)
        certificate.write_bytes(pair.der)

    def judge(self, certificate: x509.Certificate) -> int:
        """Good, or the code that refuses a client's certificate (OPC 10000-4 §6.1.3)."""
        now = dt.datetime.now(dt.UTC)
        in_time = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        return GOOD if in_time else int(S.BadCertificateTimeInvalid)
