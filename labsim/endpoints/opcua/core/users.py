"""Accounts: who may log in, with which role (OPC 10000-18 §4)."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.x509 import Certificate

from labsim.endpoints.opcua.core.policy import MODE_NONE

_ROUNDS = 2000  # few, because they run on the event loop; the passwords are told to every trainee anyway


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated user.

    Attributes:
        kind: anonymous, username or x509.
        mode: The message security mode it speaks over, 1 to 3.
        thumbprint: SHA-1 of the user's certificate in hexadecimal.
        chain: The user's certificate, and the issuers that came with it.
    """

    name: str
    role: str
    kind: str
    mode: int = MODE_NONE
    thumbprint: str = ""
    chain: tuple[Certificate, ...] = field(default=(), compare=False, repr=False)


class Accounts:
    """User names with salted hashes of their passwords.

    Args:
        anonymous: The role of a client without a user; None refuses it.
        users: Name, password and role.
        certified: The role of a user with a trusted certificate; None refuses it.
    """

    def __init__(
        self, anonymous: str | None, users: Iterable[tuple[str, str, str]] = (), certified: str | None = None
    ) -> None:
        self.anonymous, self.certified = anonymous, certified
        self._accounts: dict[str, tuple[bytes, bytes, str]] = {}
        self._nobody = (os.urandom(8), b"\0" * 32, "")
        for name, password, role in users:
            salt = os.urandom(8)
            self._accounts[name] = (salt, _hash(salt, password.encode()), role)

    def __bool__(self) -> bool:
        """Whether there is any user name."""
        return bool(self._accounts)

    def names_of(self, role: str) -> list[str]:
        """Names of the users with a role."""
        return [name for name, (_, _, given) in self._accounts.items() if given == role]

    def check(self, name: str, password: bytes) -> Identity | None:
        """The user, or None; an unknown name costs the same time."""
        salt, digest, role = self._accounts.get(name, self._nobody)
        good = hmac.compare_digest(_hash(salt, password), digest)
        return Identity(name, role, "username") if good and name in self._accounts else None


def _hash(salt: bytes, password: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, _ROUNDS)
