"""How a seat's address space differs from another's, and the models that are laid beside its devices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from labsim.endpoints.opcua.nodeset import NodeSet
from labsim.endpoints.opcua.renumber import IdKind, NodeIds

_KINDS: tuple[IdKind, ...] = ("string", "numeric", "guid")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is laid out, and how.

    Attributes:
        order: What the order of namespaces is drawn from; empty keeps the devices' first.
        ids: Node ids of the devices' nodes; None keeps the speaking ones.
        nodesets: Further models, in an order in which each finds what it builds upon.
    """

    order: str = ""
    ids: NodeIds | None = None
    nodesets: Sequence[NodeSet] = ()


def layout_of(
    seed: str, *, draw_order: bool, ids: IdKind | Literal["drawn"], nodesets: Sequence[NodeSet] = ()
) -> Layout:
    """The layout of a seat: order and ids depend on its seed alone."""
    kind = _KINDS[hashlib.sha256(f"{seed}/kind".encode()).digest()[0] % len(_KINDS)] if ids == "drawn" else ids
    return Layout(f"{seed}/order" if draw_order else "", NodeIds(kind, f"{seed}/ids"), nodesets)
