"""The service: from a request to a response, with its evidence kept before the response leaves; without sockets.

Answers follow RFC 9110: 401 with a challenge, 404, 405 with ``Allow``, 413, 415; what a device answers is its own word.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from labsim.endpoints.endpoint import User
from labsim.endpoints.http.message import Request, Response, refusal
from labsim.endpoints.http.openapi import describe
from labsim.endpoints.http.routes import Route, Routes
from labsim.evidence.event import PAYLOAD_KEPT, Event, Sink
from labsim.plant.plant import Plant
from labsim.plant.rest_spec import Asked

BODY_MOST = 256 * 1024
DESCRIPTION = "/openapi.json"
_CHALLENGE = 'Basic realm="plant", charset="UTF-8"'
_DEEP = 100


class Service:
    """Answers requests for the devices of one endpoint.

    Args:
        plant: Whose devices answer.
        devices: Their paths.
        sink: Where evidence goes.
        users: Accounts (HTTP Basic, RFC 7617).
        anonymous: Whether somebody without an account is answered, where a route asks for no role.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], sink: Sink, *, users: Sequence[User] = (), anonymous: bool = True
    ) -> None:
        self._plant, self._sink, self._anonymous = plant, sink, anonymous
        self._users = {user.name: user for user in users}
        self.routes = Routes([plant.devices[path] for path in devices])

    def answer(self, request: Request) -> Response:
        """The response to a request.

        Raises:
            EvidenceError: it could not be kept; nothing may be answered then.
        """
        method = "GET" if request.method == "HEAD" else request.method
        route, names, verbs = self.routes.find(method, request.path)
        user, refused = self._user(request)
        asked = None
        if refused is not None:
            response = refused
        elif route is None:
            response = self._elsewhere(request, method, verbs)
        else:
            response, asked = self._routed(route, names, request, user)
        self._keep(request, route, user, asked, response)
        return response

    def _user(self, request: Request) -> tuple[User | None, Response | None]:
        """Who asks, or why he is not let in."""
        given = request.headers.get("authorization")
        if given is None:
            allowed = self._anonymous or request.path == DESCRIPTION
            return None, None if allowed else refusal(401, "Log in with your account.", WWW_Authenticate=_CHALLENGE)
        scheme, _, code = given.partition(" ")
        try:
            name, colon, password = base64.b64decode(code.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            name, colon, password = "", "", ""
        user = self._users.get(name)
        known = hmac.compare_digest((user.password if user else "").encode(), password.encode())
        if scheme.lower() != "basic" or not colon or user is None or not known:
            return None, refusal(
                401, "There is no such account, or its password is another.", WWW_Authenticate=_CHALLENGE
            )
        return user, None

    def _elsewhere(self, request: Request, method: str, verbs: list[str]) -> Response:
        """What is answered where no device is asked."""
        if request.path == DESCRIPTION and method == "GET":
            return Response(200, describe(self.routes, secured=bool(self._users)))
        allowed = ", ".join([*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"])
        if verbs and method == "OPTIONS":
            return Response(204, headers={"Allow": allowed})
        if verbs:
            return refusal(405, f"{request.path} takes {' and '.join(verbs)}.", Allow=allowed)
        return refusal(404, f"There is nothing at {request.path}; {DESCRIPTION} lists what there is.")

    def _routed(
        self, route: Route, names: dict[str, str], request: Request, user: User | None
    ) -> tuple[Response, Asked | None]:
        if route.spec.roles and (user is None or user.role not in route.spec.roles):
            if user is None:
                return refusal(401, "Log in with your account.", WWW_Authenticate=_CHALLENGE), None
            return refusal(403, f"{user.name} may not do this."), None
        query, unknown = _query(request.query, route)
        if unknown:
            known = ", ".join(route.spec.query) or "none"
            return refusal(400, f"There is no parameter {unknown!r}; the parameters here: {known}."), None
        body, wrong = _body(route, request)
        if wrong is not None:
            return wrong, None
        asked = Asked(names, query, body, user.name if user is not None else "")
        condition = route.device.condition
        if condition.dead:
            return refusal(504, f"{route.device.path} does not answer."), None
        if self._plant.clock.paused and route.spec.method != "GET":
            return refusal(503, "The plant is paused.", Retry_After="5"), None
        status, data = route.device.ask(route.name, asked)
        return Response(status, data), asked

    def _keep(
        self, request: Request, route: Route | None, user: User | None, asked: Asked | None, response: Response
    ) -> None:
        detail: dict[str, Any] = {"method": request.method, "code": response.status}
        if request.query:
            detail["query"] = request.query[:PAYLOAD_KEPT]
        if asked is not None and route is not None:
            detail |= {"name": route.name, "asked": {"path": asked.path, "query": asked.query, "body": asked.body}}
        elif request.body:
            detail["body"] = request.body[:PAYLOAD_KEPT].decode("utf-8", "replace")
        text = response.body.decode()
        detail["answer"] = response.data if len(text) <= PAYLOAD_KEPT else text[:PAYLOAD_KEPT]
        if len(text) > PAYLOAD_KEPT:
            detail["cut"] = True
        self._sink(
            Event(
                kind="request",
                protocol="http",
                client=request.client,
                session=request.session,
                app=request.headers.get("user-agent", "")[:200],
                user=user.name if user is not None else "",
                device=route.device.path if route is not None else "",
                subject=request.path[:PAYLOAD_KEPT],
                status=0 if response.status < 400 else response.status,
                detail=detail,
            )
        )


def _query(text: str, route: Route) -> tuple[dict[str, str], str]:
    """The parameters of a request, and the first that the route does not know."""
    given = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100)) if text.count("&") < 100 else {"…": ""}
    return given, next((name for name in given if name not in route.spec.query), "")


def _body(route: Route, request: Request) -> tuple[Any, Response | None]:
    """The JSON of a request, or what is wrong with it."""
    if route.fits is None:
        return None, refusal(400, "No body is taken here.") if request.body else None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return None, refusal(415, f"The body has to be application/json, not {kind}.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None, refusal(400, "The body is not JSON in UTF-8.")
    if _depth(body) > _DEEP:
        return None, refusal(400, "The body is nested too deeply.")
    lacks = route.fits(body)
    return body, refusal(422, f"The body does not fit: {lacks}.") if lacks else None


def _depth(data: Any) -> int:
    """How deep JSON is nested, without recursion."""
    deepest, level = 0, [data]
    while level and deepest <= _DEEP:
        deepest += 1
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return deepest
