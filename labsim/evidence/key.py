"""The key that signs evidence: one Ed25519 key (RFC 8032) per user of a machine, or per centre, made when it is first needed.

The private key stays in the user's data folder (`labsim.userdata`); its public half goes into every attempt it signs. A
signature says whose key it was, no more: whoever holds the private key can sign anything, so a centre keeps it to itself and
gives the public half to those who verify.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from labsim.errors import EvidenceError
from labsim.userdata import data_folder

if TYPE_CHECKING:  # cryptography is imported when something is signed: a lab must not wait for it to start
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
PRIVATE, PUBLIC = "evidence-key.pem", "evidence-key.pub.pem"


@dataclass(frozen=True)
class PublicKey:
    """The half that verifies.

    Attributes:
        pem: As a file holds it (SubjectPublicKeyInfo).
        raw: Its 32 bytes.
    """

    pem: bytes
    raw: bytes

    @classmethod
    def read(cls, path: Path) -> PublicKey:
        """The key in a PEM file.

        Raises:
            EvidenceError: the file cannot be read or holds no public Ed25519 key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            pem = path.read_bytes()
            key = load_pem_public_key(pem)
        except OSError as error:
            raise EvidenceError(f"{path} cannot be read ({error.strerror}): name a public key.") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise EvidenceError(f"{path} holds no public key: name the PEM file of an Ed25519 key.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise EvidenceError(f"{path} holds a key of another kind: name the PEM file of an Ed25519 key.")
        return cls.of(key)

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> PublicKey:
        """From the library's own."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return cls(
            key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            key.public_bytes(Encoding.Raw, PublicFormat.Raw),
        )

    @classmethod
    def from_raw(cls, raw: bytes) -> PublicKey:
        """From its 32 bytes.

        Raises:
            ValueError: there are more or less.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return cls.of(Ed25519PublicKey.from_public_bytes(raw))

    @property
    def id(self) -> str:
        """SHA-256 of the 32 bytes, in hex."""
        return hashlib.sha256(self.raw).hexdigest()

    def has_signed(self, data: bytes, signature: str) -> bool:
        """Whether a signature in hex is of this key over ``data``."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(bytes.fromhex(signature), data)
        except (InvalidSignature, ValueError):
            return False
        return True

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(self.raw)


class SigningKey:
    """The half that signs, read from a folder or made there when it is first used.

    Args:
        folder: The user's data folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = data_folder() if folder is None else folder

    @cached_property
    def public(self) -> PublicKey:
        """The other half.

        Raises:
            EvidenceError: the key can neither be read nor made.
        """
        return PublicKey.of(self._private.public_key())

    def sign(self, data: bytes) -> str:
        """The signature over ``data``, in hex.

        Raises:
            EvidenceError: the key can neither be read nor made.
        """
        return self._private.sign(data).hex()

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = self.folder / PRIVATE
        try:
            if not path.exists():
                _make(self.folder)
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise EvidenceError(
                f"{path} can neither be read nor made ({error.strerror}): evidence is not signed until it can."
            ) from error
        except (ValueError, TypeError) as error:
            raise EvidenceError(f"{path} holds no key without a password: take it away, a new one is made.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise EvidenceError(f"{path} holds a key of another kind: take it away, a new one is made.")
        return key


def _make(folder: Path) -> None:
    """A new key in a folder; of two processes that make one at the same time the first wins."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = folder / f"{PRIVATE}.{os.getpid()}.part"
    # Readable by its owner only from the first byte on; Windows keeps others out of the folder itself.
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, folder / PRIVATE)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        part.replace(folder / PRIVATE)
    finally:
        part.unlink(missing_ok=True)
    (folder / PUBLIC).write_bytes(PublicKey.of(key.public_key()).pem)
