"""The namespaces of a server: the devices' own, and those of companion specifications, each with its index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from labsim.plant.companion import COMPANIONS, prefixes_of, split_name
from labsim.plant.interface import OpcuaSpec

OWN, FIRST = 1, 2
"""Index of the server's own namespace, and of the first one after it."""


def _names(spec: OpcuaSpec) -> Iterator[str]:
    """Every name of an interface that may have a prefix."""
    yield from (*spec.nodes, *spec.methods, *spec.enumerations.values(), *spec.structures)
    yield from (*spec.values, *(one.structure for one in spec.values.values()))
    yield from (*spec.states, *(one.type or "" for one in spec.states.values()))
    yield from (spec.base or "", *spec.types, *spec.types.values())
    for method in spec.methods.values():
        yield from (one.type for one in (*method.inputs.values(), *method.outputs.values()))
    for structure in spec.structures.values():
        yield from (one.type for one in structure.fields.values())


def order_of(uris: Iterable[str], order: str) -> list[str]:
    """Namespaces in the order that is drawn from ``order``."""
    return sorted(uris, key=lambda uri: hashlib.sha256(f"{order}/{uri}".encode()).digest())


class Namespaces:
    """URIs from index 2 on.

    Args:
        specs: What the devices want, in their order.
        models: URIs of further models, which come after those of the devices.
        order: What the order is drawn from; empty keeps the devices' namespaces first, then companions.
    """

    def __init__(self, specs: Iterable[OpcuaSpec], models: Iterable[str] = (), order: str = "") -> None:
        own: dict[str, None] = {}
        companions = {"di"}
        for spec in specs:
            own[spec.namespace] = None
            if spec.folder == "Machines":
                companions.add("machinery")
            for place in _names(spec):
                companions |= prefixes_of(place)
        self.uris = [*own, *(uri for prefix, uri in COMPANIONS.items() if prefix in companions and uri not in own)]
        self.uris = list(dict.fromkeys((*self.uris, *models)))
        self.own = frozenset(own)
        if order:
            self.uris = order_of(self.uris, order)

    @property
    def devices(self) -> set[int]:
        """Indexes of the devices' own namespaces."""
        return {self.index(uri) for uri in self.own}

    def index(self, uri: str) -> int:
        """Index of a URI; one that is new comes last."""
        if uri not in self.uris:
            self.uris.append(uri)
        return self.uris.index(uri) + FIRST

    def companion(self, prefix: str) -> int:
        """Index of a companion specification's namespace."""
        return self.index(COMPANIONS[prefix])

    def browse_name(self, name: str, own: int) -> tuple[int, str]:
        """Namespace index and browse name of an element of a browse path; without a prefix it is in ``own``."""
        prefix, plain = split_name(name)
        return (self.companion(prefix) if prefix else own), plain
