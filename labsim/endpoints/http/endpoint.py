"""The HTTP endpoint of a lab: uvicorn's protocol behind the lab's link, and the service behind that."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from labsim.endpoints.endpoint import Address, Guard, User, unguarded
from labsim.endpoints.http.message import Request, Response, refusal
from labsim.endpoints.http.service import BODY_MOST, Service
from labsim.errors import EndpointError, EvidenceError
from labsim.evidence.event import Sink
from labsim.plant.plant import Plant

_CONNECTIONS = 200
_KEEP_ALIVE_S = 30
_GRACE_S = 1.0
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class HttpEndpoint:
    """A REST server for one lab; see `labsim.endpoints.endpoint.Endpoint`.

    Args:
        plant: The plant whose devices answer here.
        devices: Their paths.
        sink: Where evidence goes.
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        users: Accounts.
        anonymous: Whether somebody without an account is answered.
        guard: What its connections stand behind.

    Raises:
        InputError: a device answers no HTTP, or two answer the same route.
    """

    protocol = "http"

    def __init__(
        self,
        plant: Plant,
        devices: Sequence[str],
        sink: Sink,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Sequence[User] = (),
        anonymous: bool = True,
        guard: Guard = unguarded,
    ) -> None:
        self.host, self.port = host, port
        self._devices, self._users, self._guard = tuple(devices), tuple(users), guard
        self._service = Service(plant, devices, sink, users=users, anonymous=anonymous)
        self._config = Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            interface="asgi3",
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            server_header=False,
            date_header=False,
        )
        self._state = ServerState()
        self._sessions: dict[tuple[str, int], str] = {}
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        self._config.load()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._guard(lambda: H11Protocol(self._config, self._state, {})), self.host, self.port
            )
        except OSError as error:
            raise EndpointError(
                f"http: cannot listen on {self.host}:{self.port} ({error.strerror}). Choose other ports with --port-base."
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_GRACE_S)
        for connection in list(self._state.connections):
            connection.transport.abort()
        await self._server.wait_closed()

    def addresses(self) -> list[Address]:
        """The address of each device's service; known after entering."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        bases = {route.device.path: route.device.interface.rest for route in self._service.routes}
        return [
            Address(
                path,
                self.protocol,
                f"http://{host}:{self.port}{rest.base.replace('{device}', path) if rest is not None else ''}",
                users=self._users,
            )
            for path, rest in bases.items()
        ]

    async def _app(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """One request in ASGI's terms."""
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if body is None:
            return  # the client left before it had sent everything
        request = Request(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body[: BODY_MOST + 1],
            *self._client(scope),
        )
        if len(body) > BODY_MOST:
            response = refusal(413, f"A body has at most {BODY_MOST} bytes.", Connection="close")
        else:
            try:
                response = self._service.answer(request)
            except EvidenceError:  # what is not kept is not answered
                self._hang_up(scope["client"])
                return
        await _write(send, response, head=request.method == "HEAD")

    def _hang_up(self, client: tuple[str, int]) -> None:
        for connection in self._state.connections:
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.abort()

    def _client(self, scope: _Message) -> tuple[str, str]:
        """``ip:port`` and the session of a connection."""
        host, port = scope["client"] or ("", 0)
        session = self._sessions.get((host, port))
        if session is None:
            while len(self._sessions) >= 2 * _CONNECTIONS:
                self._sessions.pop(next(iter(self._sessions)))
            session = self._sessions[host, port] = f"http{next(self._numbers)}"
        return f"{host}:{port}", session


async def _read(receive: _Receive) -> bytes | None:
    """The body, cut soon after the limit; None when the client is gone."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        parts.append(part)
        if not message.get("more_body") or size > BODY_MOST:
            return b"".join(parts)


async def _write(send: _Send, response: Response, *, head: bool) -> None:
    body = response.body
    headers = {"Date": formatdate(usegmt=True), "Cache-Control": "no-store", **response.headers}
    if response.status != 204:
        headers |= {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else body})
