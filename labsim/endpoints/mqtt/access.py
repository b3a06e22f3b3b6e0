"""Who may enter a broker, and what each may publish and subscribe to."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.reason import BAD_CREDENTIALS, NOT_AUTHORISED, SUCCESS
from labsim.endpoints.mqtt.topic import covers

Action = Literal["publish", "subscribe", "receive"]
AccessList = Callable[[str, str, Action, str], bool]
"""Whether ``(user, client id, action, topic or filter)`` is allowed."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Topic filters that one user may publish to and subscribe to; None allows everything.

    ``%u`` stands for the user name, ``%c`` for the client id.
    """

    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None


class TopicRights:
    """An access list by user; "" is who came without a name. Whom it does not name may do everything."""

    def __init__(self, rights: Mapping[str, Rights]) -> None:
        self._rights = dict(rights)

    def __call__(self, user: str, client_id: str, action: Action, topic: str) -> bool:
        """See `AccessList`."""
        rights = self._rights.get(user)
        if rights is None:
            return True
        patterns = rights.publish if action == "publish" else rights.subscribe
        return patterns is None or any(_allows(pattern, user, client_id, topic) for pattern in patterns)


def _allows(pattern: str, user: str, client_id: str, topic: str) -> bool:
    for mark, name in (("%u", user), ("%c", client_id)):
        if mark in pattern:
            if not name or any(sign in name for sign in "+#/"):
                return False  # whoever calls himself "#" must not get everything
            pattern = pattern.replace(mark, name)
    return covers(pattern, topic)


class Access:
    """The door of one broker.

    Args:
        users: Accounts. Without any, a name that a client gives proves nothing and is ignored.
        anonymous: Whether a client may come without a name.
        acl: Asked for every topic published to, filter subscribed to and topic received; everything is allowed by default.
        certified: Users that a client certificate whose common name is theirs proves, without a password.
    """

    def __init__(
        self, users: Sequence[User] = (), *, anonymous: bool = True, acl: AccessList | None = None,
        certified: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._certified = frozenset(certified)
        self._passwords = {
            user.name: user.password.encode() for user in users if user.password or user.name not in self._certified
        }
        self._names = frozenset(user.name for user in users) | self._certified
        self._anonymous = anonymous
        self.acl = acl

    def judge(self, name: str | None, password: bytes | None, common_name: str = "") -> tuple[int, str]:
        """The reason code for these credentials, and the user that they prove ("" for anonymous).

        ``common_name`` is that of a client certificate which the TLS layer has verified.
        """
        if common_name in self._certified and name in (None, common_name):
            return SUCCESS, common_name
        if name is None or not self._names:
            return (SUCCESS if self._anonymous else NOT_AUTHORISED), ""
        known = self._passwords.get(name)
        # compared even for an unknown name, so that the time taken does not tell which names exist
        same = hmac.compare_digest(known or b"", password or b"")
        if known is None or not same:
            return BAD_CREDENTIALS, ""
        return SUCCESS, name

    def allows(self, user: str, client_id: str, action: Action, topic: str) -> bool:
        """Whether that is allowed."""
        return self.acl is None or self.acl(user, client_id, action, topic)
