"""A host that is nothing but its control API: real HTTP on a free port, a canned lab behind it, and a feed to push into."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import uvicorn
from canned import CannedLab
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = "token"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class FakeHost:
    """``async with FakeHost() as host``: listens; ``vanish`` and ``return_`` take the server away and bring it back.

    Attributes:
        lab: What it says.
        asked: Every request it got, as ``(method, path, body or query)``.
        broken: Paths that answer with this raw JSON text instead.
        since: What each feed connection asked for.
    """

    def __init__(self) -> None:
        self.lab = CannedLab()
        self.asked: list[tuple[str, str, Any]] = []
        self.broken: dict[str, str] = {}
        self.since: list[str] = []
        self.entries: list[str] = []
        self._port = 0
        self._changed = asyncio.Condition()
        self._gone = False

    @property
    def url(self) -> str:
        """The base URL with its token."""
        return f"http://127.0.0.1:{self._port}/{TOKEN}"

    async def __aenter__(self) -> Self:
        await self.return_()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.vanish()

    async def return_(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._gone = False
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(self._app(), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def vanish(self) -> None:
        """Stop listening and drop every connection."""
        async with self._changed:
            self._gone = True
            self._changed.notify_all()
        self._server.should_exit = True
        await self._serving

    async def push(self, *entries: dict[str, Any] | str) -> None:
        """Put entries on the feed; a string goes out as it is."""
        async with self._changed:
            self.entries += [
                entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False) for entry in entries
            ]
            self._changed.notify_all()

    def _app(self) -> Starlette:
        base = f"/{TOKEN}"
        posts = ("check", "hint", "answer", "device", "fault", "pause", "resume", "stop")
        return Starlette(
            routes=[
                Route(f"{base}/lab", self._get),
                Route(f"{base}/manual", self._get),
                Route(f"{base}/mimic", self._get),
                Route(f"{base}/faults", self._get),
                Route(f"{base}/feed", self._feed),
                *(Route(f"{base}/{name}", self._post, methods=["POST"]) for name in posts),
            ]
        )

    async def _get(self, request: Request) -> Response:
        path, query = request.url.path.rpartition("/")[2], dict(request.query_params)
        self.asked.append(("GET", path, query))
        if path in self.broken:
            return Response(self.broken[path], media_type="application/json")
        lang = query.get("lang", "en")
        match path:
            case "lab":
                return JSONResponse(self.lab.lab(lang))
            case "mimic":
                return JSONResponse(self.lab.mimic(lang))
            case "faults":
                return JSONResponse(self.lab.faults(query.get("target"), lang))
        return JSONResponse(self.lab.manual(query["type"], lang))

    async def _post(self, request: Request) -> Response:
        path, body = request.url.path.rpartition("/")[2], await request.json()
        self.asked.append(("POST", path, body))
        if path in self.broken:
            return Response(self.broken[path], media_type="application/json")
        lab = self.lab
        match path:
            case "check":
                return JSONResponse(lab.check(body["task"], body["lang"]))
            case "hint":
                found = lab.hint(body["task"], body["lang"])
                return JSONResponse(found) if found else JSONResponse({"error": "there is no further hint."}, 409)
            case "answer":
                lab.answers[body["task"]] = body["value"]
                return JSONResponse(body)
            case "device":
                if body["setting"] not in lab.settings.get(body["device"], {}):
                    return JSONResponse({"error": f"there is no setting {body['setting']!r}."}, 404)
                lab.settings[body["device"]][body["setting"]] = body["value"]
                return JSONResponse(body)
            case "fault":
                refused = lab.fault(body)
                return JSONResponse({"error": refused}, 400) if refused else JSONResponse({**body, "ended": 1})
            case "pause" | "resume":
                lab.state = "paused" if path == "pause" else "running"
                return JSONResponse({"state": lab.state, "t": lab.t})
        lab.verdict, lab.state = lab.check(None, "en"), "stopped"
        return JSONResponse(lab.verdict)

    async def _feed(self, request: Request) -> Response:
        self.since.append(request.query_params["since"])
        return StreamingResponse(self._lines(int(self.since[-1])), media_type="text/event-stream")

    async def _lines(self, since: int) -> AsyncIterator[str]:
        yield ": hello\n\n"
        sent = 0
        while not self._gone:
            fresh, sent = self.entries[sent:], len(self.entries)
            for data in fresh:
                if _seq(data) >= since:
                    yield f"id: {_seq(data)}\ndata: {data}\n\n"
            async with self._changed:
                while not self._gone and sent == len(self.entries):
                    await self._changed.wait()


def _seq(data: str) -> int:
    try:
        found = json.loads(data)["seq"]
    except (ValueError, KeyError, TypeError):
        return 2**31
    return found if isinstance(found, int) else 2**31


def entry(seq: int, text: str | dict[str, str] = "You read something.", **fields: Any) -> dict[str, Any]:
    """A feed entry in the shape of the contract."""
    return {
        "seq": seq, "t": seq * 1.0, "w": 1_790_000_000_000_000_000 + seq * 10**9, "protocol": "modbus",
        "client": "127.0.0.1:51544", "device": "meter1", "kind": "read", "level": "info",
        "text": {"en": text} if isinstance(text, str) else text, "advice": None, "detail": {}, **fields,
    }  # fmt: skip
