"""What a device type answers over HTTP: routes with typed parameters, as its interface says them."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labsim.plant.signature import MethodName
from labsim.plant.spec import Name, Spec
from labsim.text import Text

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
RestRole = Literal["Observer", "Operator", "Engineer", "SecurityAdmin"]


class RouteSpec(Spec):
    """One route: a verb on a path, and what it is for.

    ``path`` may hold names in braces, each one segment. ``query`` names the parameters after ``?`` with their meaning.
    ``body`` is the JSON Schema of what is sent; a route without one takes no body. ``roles`` are the only ones that may;
    empty for all.
    """

    method: Verb
    path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.{}~-]+)+$")]
    title: Text
    about: Text | None = None
    query: dict[Name, Text] = Field(default_factory=dict)
    body: dict[str, Any] | None = None
    roles: tuple[RestRole, ...] = ()

    @model_validator(mode="after")
    def _fit(self) -> RouteSpec:
        if self.body is not None and self.method in ("GET", "DELETE"):
            raise ValueError(f"a {self.method} has no body")
        if self.names and len(set(self.names)) < len(self.names):
            raise ValueError("a name stands twice in the path")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.path) if name is not None)


class RestSpec(Spec):
    """The HTTP side of a type: ``base`` before every path (``{device}`` is the device's path), routes by what is asked."""

    base: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.{}~-]+)*$")] = "/{device}"
    routes: Annotated[dict[MethodName, RouteSpec], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a device hears it.

    Attributes:
        path: What stands in the place of the path's names.
        query: Parameters after ``?``; those that were not sent are missing.
        body: The JSON that was sent, which fits the route's schema; None without one.
        user: Who asks; empty for anonymous.
    """

    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    user: str = ""
