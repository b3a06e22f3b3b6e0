"""Who our OPC UA client is: a certificate of its own, made when it is first needed and kept with the user's data."""

from __future__ import annotations

import datetime
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from labsim.probe.error import ProbeError
from labsim.userdata import data_folder

_DAYS = 5 * 365


@dataclass(frozen=True, slots=True)
class Identity:
    """An application instance: its URI, and the files of its certificate (DER) and private key (PEM)."""

    uri: str
    certificate: Path
    key: Path


def own_uri() -> str:
    """What our client calls itself."""
    return f"urn:{quote(socket.gethostname())}:labsim:client"


def own_identity(folder: Path | None = None) -> Identity:
    """Our identity; made when there is none, when it ran out, or when the computer got another name.

    Args:
        folder: Where certificate and key lie; ``pki`` among the user's data by default.

    Raises:
        ProbeError: the files cannot be read or written.
    """
    folder = folder or data_folder() / "pki"
    found = Identity(own_uri(), folder / "own" / "labsim-client.der", folder / "private" / "labsim-client.pem")
    try:
        if not _is_good(found):
            _make(found)
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise ProbeError(f"{folder} cannot hold our certificate: {why}. Choose another folder with --pki.") from error
    return found


def uri_of(certificate: Path) -> str:
    """The application URI that a certificate carries.

    Raises:
        ProbeError: it cannot be read, or carries none.
    """
    from cryptography import x509

    try:
        data = certificate.read_bytes()
        loaded = x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (OSError, ValueError, IndexError, x509.InvalidVersion, x509.ExtensionNotFound) as error:
        raise ProbeError(
            f"{certificate} is not a certificate of an OPC UA application: it has to be readable and to carry a URI."
        ) from error


def _is_good(identity: Identity) -> bool:
    from cryptography import x509

    if not (identity.key.is_file() and identity.certificate.is_file()):
        return False
    certificate = x509.load_der_x509_certificate(identity.certificate.read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    in_time = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    return in_time and uri_of(identity.certificate) == identity.uri


def _make(identity: Identity) -> None:
    """Key and self-signed certificate of an application instance (OPC 10000-6 §6.2.2)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    machine = socket.gethostname()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"labsim client on {machine}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "labsim"),
        ]
    )
    names = [x509.UniformResourceIdentifier(identity.uri), x509.DNSName(machine.encode("idna").decode())]
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # the server's clock may be behind ours
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    identity.key.parent.mkdir(parents=True, exist_ok=True)
    identity.certificate.parent.mkdir(parents=True, exist_ok=True)
    identity.key.unlink(missing_ok=True)
    # for its owner alone from the first moment; on Windows the user's own folder already is
    with os.fdopen(os.open(identity.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
