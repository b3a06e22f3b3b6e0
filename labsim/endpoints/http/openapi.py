"""The description of a service as OpenAPI 3.1, made from the interfaces: what Node-RED, Postman and a person read first."""

from __future__ import annotations

from typing import Any

from labsim.endpoints.http.routes import Route, Routes

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def describe(routes: Routes, *, secured: bool) -> dict[str, Any]:
    """The document; ``secured`` when there are accounts."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.spec.method.lower()] = _operation(route)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Services of the plant", "version": "1"},
        "paths": paths,
    }
    if secured:
        document["components"] = {"securitySchemes": {"account": {"type": "http", "scheme": "basic"}}}
    return document


def _operation(route: Route) -> dict[str, Any]:
    spec = route.spec
    operation: dict[str, Any] = {
        "operationId": f"{route.device.path}_{route.name}",
        "summary": spec.title.say("en"),
        "tags": [route.device.path],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in spec.names
        ]
        + [
            {"name": name, "in": "query", "description": about.say("en"), "schema": {"type": "string"}}
            for name, about in spec.query.items()
        ],
        "responses": {
            "200": {"description": "done", "content": {"application/json": {}}},
            "default": {"description": "refused", "content": {"application/json": {"schema": _ERROR}}},
        },
    }
    if spec.about is not None:
        operation["description"] = spec.about.say("en")
    if spec.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": spec.body}}}
    if spec.roles:
        operation["security"] = [{"account": []}]
    return operation
