"""The routes of the devices at one endpoint: which device is asked what by a verb and a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labsim.endpoints.http.schema import Validate, compile_schema
from labsim.errors import InputError
from labsim.plant.device import Device
from labsim.plant.rest_spec import RouteSpec


@dataclass(frozen=True, slots=True)
class Route:
    """One route of one device.

    Attributes:
        name: What the device is asked.
        path: The whole path, names in braces.
        fits: Says what a body lacks; None where no body is taken.
    """

    device: Device
    name: str
    spec: RouteSpec
    path: str
    fits: Validate | None

    @property
    def segments(self) -> list[str]:
        """The path, cut at its slashes."""
        return self.path.split("/")


class Routes:
    """All routes of an endpoint.

    Args:
        devices: Devices whose interface has ``rest``.

    Raises:
        InputError: two routes cannot be told apart.
    """

    def __init__(self, devices: Sequence[Device]) -> None:
        self._routes = [route for device in devices for route in _routes_of(device)]
        seen: dict[tuple[str, tuple[str, ...]], Route] = {}
        for route in self._routes:
            shape = tuple("{}" if segment.startswith("{") else segment for segment in route.segments)
            other = seen.setdefault((route.spec.method, shape), route)
            if other is not route:
                raise InputError(
                    f"http: {route.spec.method} {route.path} is answered by {other.device.path} and by {route.device.path}; "
                    "put them at endpoints of their own."
                )

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str], list[str]]:
        """The route of a request, what stands for its names, and the verbs that the path takes; a literal goes before a name."""
        segments = path.split("/")
        fitting = [(route, names) for route in self._routes if (names := _match(route.segments, segments)) is not None]
        verbs: list[str] = sorted({route.spec.method for route, _ in fitting})
        chosen = [(route, names) for route, names in fitting if route.spec.method == method]
        if not chosen:
            return None, {}, verbs
        route, names = min(chosen, key=lambda pair: len(pair[1]))
        return route, names, verbs


def _match(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    names: dict[str, str] = {}
    for want, have in zip(pattern, segments, strict=True):
        if want.startswith("{") and want.endswith("}") and have:
            names[want[1:-1]] = have
        elif want != have:
            return None
    return names


def _routes_of(device: Device) -> Iterator[Route]:
    rest = device.interface.rest
    if rest is None:
        raise InputError(f"http: {device.path} is a {device.interface.type}, which answers no HTTP.")
    base = rest.base.replace("{device}", device.path)
    for name, spec in rest.routes.items():
        schema: dict[str, Any] | None = spec.body
        yield Route(device, name, spec, base + spec.path, compile_schema(schema) if schema is not None else None)
