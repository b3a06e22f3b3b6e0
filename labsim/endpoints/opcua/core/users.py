"""Accounts, roles and who may do what (OPC 10000-18 §4)."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

_ROUNDS = 2000  # few, because they run on the event loop; the passwords are told to every trainee anyway


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated user; ``kind`` is anonymous, username or x509."""

    name: str
    role: str
    kind: str


class Accounts:
    """User names with salted hashes of their passwords.

    Args:
        anonymous: The role of a client without a user; None refuses it.
        users: Name, password and role.
    """

    def __init__(self, anonymous: str | None, users: Iterable[tuple[str, str, str]] = ()) -> None:
        self.anonymous = anonymous
        self._accounts: dict[str, tuple[bytes, bytes, str]] = {}
        self._nobody = (os.urandom(8), b"\0" * 32, "")
        for name, password, role in users:
            salt = os.urandom(8)
            self._accounts[name] = (salt, _hash(salt, password.encode()), role)

    def __bool__(self) -> bool:
        """Whether there is any user name."""
        return bool(self._accounts)

    def check(self, name: str, password: bytes) -> Identity | None:
        """The user, or None; an unknown name costs the same time."""
        salt, digest, role = self._accounts.get(name, self._nobody)
        good = hmac.compare_digest(_hash(salt, password), digest)
        return Identity(name, role, "username") if good and name in self._accounts else None


def _hash(salt: bytes, password: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, _ROUNDS)


_WATCH = frozenset(("browse", "read", "subscribe", "history"))
_ACT = _WATCH | {"write", "call"}


@dataclass(slots=True)
class Roles:
    """What each role may do with a node: browse, read, subscribe, history, write, call. An unknown role may nothing."""

    allowed: dict[str, frozenset[str]] = field(
        default_factory=lambda: {
            "Anonymous": _WATCH,
            "Observer": _WATCH,
            "SecurityAdmin": _WATCH,
            "Operator": _ACT,
            "Engineer": _ACT,
        }
    )

    def may(self, identity: Identity | None, operation: str) -> bool:
        """Whether the user may do it."""
        return identity is not None and operation in self.allowed.get(identity.role, ())
