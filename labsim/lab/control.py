"""The control API: HTTP and server-sent events below a secret base URL, the one way into a running lab.

The base URL holds a random token, so that another user of the same machine cannot reach the lab; it is printed in the ``ready``
line and kept in ``control.json`` of the attempt (readable by its owner only).
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

import devices
from labsim.errors import AttemptError, DiskError, EndpointError, InputError, LabsimError, UnknownNameError
from labsim.lab.lab import Lab
from labsim.lab.manual import manual
from labsim.lab.mimic import mimic_document
from labsim.lab.view import lab_document
from labsim.text import LANGUAGES

_BODY = 64 * 1024
_BEAT_S = 15.0


class _Server(uvicorn.Server):
    """uvicorn inside our own loop: signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Control:
    """Serves one lab; ``async with`` listens and writes ``control.json``.

    Args:
        lab: The lab.
        host: Address to listen on.
        port: Port, 0 for a free one.

    Attributes:
        url: The base URL, known after entering.
    """

    def __init__(self, lab: Lab, host: str, port: int) -> None:
        self._lab, self._host, self._port = lab, host, port
        self._token = secrets.token_urlsafe(18)
        self._file: Path = lab.options.attempt / "control.json"
        self.url = ""

    async def __aenter__(self) -> Self:
        try:
            listener = socket.create_server((self._host, self._port))
        except OSError as error:
            raise EndpointError(
                f"the control API cannot listen on {self._host}:{self._port} ({error.strerror}). "
                "Choose other ports with --port-base."
            ) from None
        port = listener.getsockname()[1]
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host  # noqa: S104 - compared, not bound
        self.url = f"http://{host}:{port}/{self._token}"
        config = uvicorn.Config(self._app(), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=2)
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="control")
        write_private(self._file, json.dumps({"url": self.url, "pid": os.getpid()}))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.unlink(missing_ok=True)
        self._lab.feed.close()
        self._server.should_exit = True
        await self._task

    def _app(self) -> Starlette:
        routes = [
            Route("/lab", self._guarded(self._get_lab)),
            Route("/mimic", self._guarded(self._mimic)),
            Route("/check", self._guarded(self._check), methods=["POST"]),
            Route("/hint", self._guarded(self._hint), methods=["POST"]),
            Route("/answer", self._guarded(self._answer), methods=["POST"]),
            Route("/device", self._guarded(self._device), methods=["POST"]),
            Route("/fault", self._guarded(self._fault), methods=["POST"]),
            Route("/faults", self._guarded(self._faults)),
            Route("/pause", self._guarded(self._pause), methods=["POST"]),
            Route("/resume", self._guarded(self._resume), methods=["POST"]),
            Route("/stop", self._guarded(self._stop), methods=["POST"]),
            Route("/manual", self._guarded(self._manual)),
            Route("/feed", self._feed),
        ]
        return Starlette(routes=[Mount(f"/{self._token}", routes=routes)])

    def _guarded(
        self, handler: Callable[[Request, dict[str, Any]], Awaitable[Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler from ``(request, body)`` to a JSON document; labsim's errors become their sentence and a status."""

        async def run(request: Request) -> Response:
            try:
                return JSONResponse(await handler(request, await _body(request)))
            except UnknownNameError as error:
                return _refusal(404, error)
            except (AttemptError, DiskError) as error:
                return _refusal(409, error)
            except InputError as error:
                return _refusal(400, error)
            except LabsimError as error:
                return _refusal(500, error)

        return run

    async def _get_lab(self, request: Request, _body: dict[str, Any]) -> Any:
        return lab_document(self._lab, self._lang(request.query_params.get("lang")))

    async def _mimic(self, request: Request, _body: dict[str, Any]) -> Any:
        return mimic_document(self._lab, self._lang(request.query_params.get("lang")))

    async def _check(self, _request: Request, body: dict[str, Any]) -> Any:
        return await self._lab.examiner.check(_optional(body, "task"), self._lang(body.get("lang")))

    async def _hint(self, _request: Request, body: dict[str, Any]) -> Any:
        return self._lab.tasks.hint(_text(body, "task"), self._lang(body.get("lang")))

    async def _answer(self, _request: Request, body: dict[str, Any]) -> Any:
        value = body.get("value")
        if not isinstance(value, (str, int, float, bool)):
            raise InputError("'value' must be a text, a number or true/false.")
        return self._lab.tasks.answer(_text(body, "task"), value)

    async def _device(self, _request: Request, body: dict[str, Any]) -> Any:
        return self._lab.settings.change(_text(body, "device"), _text(body, "setting"), body.get("value"))

    async def _fault(self, _request: Request, body: dict[str, Any]) -> Any:
        self._refuse_in_exam("only the scenario lets something fail")
        settings = {name: value for name, value in body.items() if name not in ("target", "fault")}
        return self._lab.instructor.fault(_text(body, "target"), _text(body, "fault"), settings)

    async def _faults(self, request: Request, _body: dict[str, Any]) -> Any:
        self._refuse_in_exam("only the scenario lets something fail")
        target, faults = request.query_params.get("target", ""), self._lab.faults
        if not target:
            return {"targets": faults.targets}
        return {"target": target, "faults": faults.table(target, self._lang(request.query_params.get("lang")))}

    async def _pause(self, _request: Request, _body: dict[str, Any]) -> Any:
        self._refuse_in_exam("the plant is not paused by hand")
        self._lab.instructor.pause()
        return self._stands()

    async def _resume(self, _request: Request, _body: dict[str, Any]) -> Any:
        self._refuse_in_exam("the plant is not paused by hand")
        self._lab.instructor.resume()
        return self._stands()

    def _stands(self) -> dict[str, Any]:
        return {"state": self._lab.state, "t": self._lab.clock.now_ns() / 1e9}

    async def _stop(self, _request: Request, body: dict[str, Any]) -> Any:
        lang = self._lang(body.get("lang"))
        verdict = await self._lab.close("stopped over the control API")
        return verdict if lang == self._lab.options.lang else await self._lab.examiner.told(None, lang)

    async def _manual(self, request: Request, _body: dict[str, Any]) -> Any:
        kind = request.query_params.get("type", "")
        return {"type": kind, "markdown": manual(devices.interface(kind), self._lang(request.query_params.get("lang")))}

    async def _feed(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdigit():
            return _refusal(400, InputError("'since' must be a sequence number."))
        return StreamingResponse(_events(self._lab.feed.listen(int(since))), media_type="text/event-stream")

    def _refuse_in_exam(self, rule: str) -> None:
        """An instructor's acts are nobody's in an exam: the candidate holds the token, and all candidates have the same plant."""
        if self._lab.mode == "exam":
            raise AttemptError(f"in an exam {rule}.")

    def _lang(self, lang: Any) -> str:
        if lang is None:
            return self._lab.options.lang
        if lang not in LANGUAGES:
            raise InputError(f"{lang!r} is not a language of labsim: {', '.join(LANGUAGES)}.")
        return str(lang)


async def _events(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Entries as server-sent events, with a comment line now and then so that a dead face is noticed."""
    waiting: asyncio.Task[dict[str, Any]] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(anext(entries))  # type: ignore[arg-type]  # anext gives a coroutine
            done, _ = await asyncio.wait([waiting], timeout=_BEAT_S)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                entry = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield f"id: {entry['seq']}\ndata: {json.dumps(entry, ensure_ascii=False)}\n\n"
    finally:
        if waiting is not None:
            waiting.cancel()


async def _body(request: Request) -> dict[str, Any]:
    if request.method != "POST":
        return {}
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > _BODY:
            raise InputError("the request is too large.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise InputError("the request body is not JSON.") from None
    if not isinstance(body, dict):
        raise InputError("the request body must be a JSON object.")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise InputError(f"{name!r} is missing.")
    return value


def _optional(body: dict[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)


def _refusal(status: int, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read (on systems with file modes), whole or not at all."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
    part.replace(path)
