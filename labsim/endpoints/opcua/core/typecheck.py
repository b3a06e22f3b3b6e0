"""Whether a value fits a Variable: DataType, ValueRank, ArrayDimensions (OPC 10000-3 §5.6.2, OPC 10000-4 §5.11.4)."""

from __future__ import annotations

from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes, values
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import Node, Space
from labsim.endpoints.opcua.core.status import Bad, S

VT = ua.VariantType
_BYTE_STRING = 15
_SIGNED = frozenset((values.SBYTE, values.INT16, values.INT32, values.INT64))
_UNSIGNED = frozenset((values.BYTE, values.UINT16, values.UINT32, values.UINT64))
_ABSTRACT: dict[Key, frozenset[int]] = {26: values.NUMERIC, 27: _SIGNED, 28: _UNSIGNED}


def check_variable(space: Space, node: Node, variant: Any, part: bool = False) -> Any:
    """The Variant as the Variable holds it; ``part`` when it is written with an IndexRange.

    Raises:
        Bad: BadTypeMismatch or BadIndexRangeDataMismatch.
    """
    attributes = node.attributes
    return check_type(
        space, key_of(attributes[nodes.DATA_TYPE_ID]), attributes[nodes.VALUE_RANK],
        attributes.get(nodes.ARRAY_DIMENSIONS), variant, part,
    )  # fmt: skip


def check_type(
    space: Space, data_type: Key, rank: int, dimensions: list[int] | None, variant: Any, part: bool = False
) -> Any:
    """See `check_variable`; also for the arguments of methods. A ByteString is taken as an array of Byte."""
    want, kind = space.builtin(data_type), _builtin(variant)
    if kind == _BYTE_STRING and want == values.BYTE and rank >= 0 and isinstance(variant.Value, bytes):
        variant = ua.Variant(list(variant.Value), VT.Byte, is_array=True)
        kind = values.BYTE
    if want == nodes.ANY:
        allowed = _ABSTRACT.get(data_type)
        if allowed is not None and kind not in allowed:
            raise Bad(S.BadTypeMismatch)
    elif kind != want:
        raise Bad(S.BadTypeMismatch)
    if want == nodes.STRUCTURE and data_type != nodes.STRUCTURE and variant.Value is not None:
        _check_structures(space, data_type, variant.Value)
    _check_shape(rank, dimensions, variant, kind, part)
    return variant


def _builtin(variant: Any) -> int:
    kind = variant.VariantType
    return int(getattr(kind, "value", kind))


def _check_structures(space: Space, data_type: Key, value: Any) -> None:
    for one in value if isinstance(value, (list, tuple)) else [value]:
        declared = getattr(type(one), "data_type", None)
        if declared is not None and key_of(declared) not in space.subtypes(data_type):
            raise Bad(S.BadTypeMismatch)


def _check_shape(rank: int, dimensions: list[int] | None, variant: Any, kind: int, part: bool) -> None:
    shape = list(variant.Dimensions or ())
    depth = len(shape) if len(shape) > 1 else int(bool(variant.is_array))
    if part:
        if (rank == -1) == bool(depth) and kind not in (values.STRING, _BYTE_STRING):
            raise Bad(S.BadTypeMismatch if rank == -1 else S.BadIndexRangeDataMismatch)
        return
    fits = {-3: depth <= 1, -2: True, -1: depth == 0, 0: depth > 0}.get(rank, depth == rank)
    if not fits:
        raise Bad(S.BadTypeMismatch)
    if depth and dimensions and any(dimensions):
        shape = shape or [len(variant.Value or ())]
        if any(most and size > most for most, size in zip(dimensions, shape, strict=False)):
            raise Bad(S.BadTypeMismatch)
