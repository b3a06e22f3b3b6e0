"""A request and a response of HTTP as the service sees them: no sockets, no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: In capitals.
        path: Percent-decoded, without the query.
        query: What stands after ``?``, as it came.
        headers: By name in small letters; of several with one name the last.
        body: As it came.
        client: ``ip:port``.
        session: The connection, unique in the host's epoch.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One response; ``data`` is its JSON, None for no body."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The JSON in UTF-8."""
        return b"" if self.data is None else json.dumps(self.data, ensure_ascii=False).encode() + b"\n"


def refusal(status: int, sentence: str, **headers: str) -> Response:
    """A response that says in one sentence what is wrong."""
    return Response(status, {"error": sentence}, {name.replace("_", "-"): value for name, value in headers.items()})
