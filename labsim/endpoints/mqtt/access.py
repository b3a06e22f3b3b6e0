"""Who may enter a broker, and what each may publish and subscribe to."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Literal

from labsim.endpoints.endpoint import User
from labsim.endpoints.mqtt.packet import ACCEPTED, BAD_CREDENTIALS, NOT_AUTHORISED

Action = Literal["publish", "subscribe"]
AccessList = Callable[[str, str, Action, str], bool]
"""Whether ``(user, client id, action, topic or filter)`` is allowed."""


class Access:
    """The door of one broker.

    Args:
        users: Accounts. Without any, a name that a client gives proves nothing and is ignored.
        anonymous: Whether a client may come without a name.
        acl: Asked for every topic published to and filter subscribed to; everything is allowed by default.
    """

    def __init__(self, users: Sequence[User] = (), *, anonymous: bool = True, acl: AccessList | None = None) -> None:
        self._passwords = {user.name: user.password.encode() for user in users}
        self._anonymous = anonymous
        self.acl = acl

    def judge(self, name: str | None, password: bytes | None) -> tuple[int, str]:
        """The CONNACK code for these credentials, and the user that they prove ("" for anonymous)."""
        if name is None or not self._passwords:
            return (ACCEPTED if self._anonymous else NOT_AUTHORISED), ""
        known = self._passwords.get(name)
        # compared even for an unknown name, so that the time taken does not tell which names exist
        same = hmac.compare_digest(known or b"", password or b"")
        if known is None or not same:
            return BAD_CREDENTIALS, ""
        return ACCEPTED, name
