"""REST routes and the time service in a datasheet."""

from __future__ import annotations

from typing import Any

from labsim.lab.manual.say import Say, table
from labsim.plant.rest_spec import RestSpec, RouteSpec


def rest(spec: RestSpec, say: Say) -> str:
    """The routes, with what they take."""
    rows = [
        (
            f"`{route.method} {spec.base}{route.path}`",
            say(route.title) + (say("stop") + say(route.about) if route.about else ""),
            _takes(route, say),
            ", ".join(route.roles),
        )
        for route in spec.routes.values()
    ]
    head = [say(word) for word in ("route", "meaning", "takes", "roles")]
    return f"## REST\n\n{say('rest')}\n\n{table(head, rows)}"


def time(say: Say) -> str:
    """That it speaks NTP."""
    return f"## NTP\n\n{say('ntp')}"


def _takes(route: RouteSpec, say: Say) -> str:
    parts = [f"`?{name}=`: {say(about)}" for name, about in route.query.items()]
    return "<br>".join([*parts, *_fields(route.body)])


def _fields(schema: dict[str, Any] | None) -> list[str]:
    """The fields of a body, those that may be left out with a question mark."""
    needed = set((schema or {}).get("required", ()))
    properties: dict[str, Any] = (schema or {}).get("properties", {})
    return [f"`{name}{'' if name in needed else '?'}` ({_kind(one)})" for name, one in properties.items()]


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "any")
    named = " | ".join(kind) if isinstance(kind, list) else str(kind)
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{named}, {low} … {high}" if low is not None and high is not None else named
