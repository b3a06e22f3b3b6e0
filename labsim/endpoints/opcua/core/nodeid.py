"""Node ids as dictionary keys: asyncua's NodeId is a mutable dataclass with a slow hash."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from asyncua import ua

Key: TypeAlias = "int | tuple[int, int | str | bytes | UUID]"
"""A numeric id of namespace 0 as itself, any other as (namespace index, identifier)."""


def key_of(node_id: Any) -> Key:
    """The key of a NodeId; two-byte, four-byte and numeric encodings are one and the same."""
    identifier = node_id.Identifier
    if node_id.NamespaceIndex == 0 and isinstance(identifier, int):
        return int(identifier)
    return (int(node_id.NamespaceIndex), identifier)


@lru_cache(1 << 16)
def node_id(key: Key) -> Any:
    """The NodeId of a key. The object is shared: never change it."""
    return ua.NodeId(key, 0) if isinstance(key, int) else ua.NodeId(key[1], key[0])


@lru_cache(1 << 14)
def text_of(key: Key) -> str:
    """``ns=2;s=mill1.speed``: a key as people and XML write it (OPC 10000-6 §5.3.1.10)."""
    return f"i={key}" if isinstance(key, int) else str(node_id(key).to_string())
