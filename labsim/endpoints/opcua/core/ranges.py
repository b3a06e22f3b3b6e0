"""NumericRange: reading and writing a part of an array or text (OPC 10000-4 §7.27)."""

from __future__ import annotations

from typing import Any, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core.status import Bad, S

Span: TypeAlias = tuple[int, int]
_DIGITS = 10
_TEXTS = (ua.VariantType.String, ua.VariantType.ByteString)


def parse_range(text: str) -> list[Span]:
    """``1:3,2`` as [(1, 3), (2, 2)]: first and last index of each dimension.

    Raises:
        Bad: BadIndexRangeInvalid.
    """
    spans = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        if not _index(low) or (colon and not _index(high)):
            raise Bad(S.BadIndexRangeInvalid)
        first, last = int(low), int(high or low)
        if colon and last <= first:
            raise Bad(S.BadIndexRangeInvalid)
        spans.append((first, last))
    return spans


def _index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def depth_of(value: Any) -> int:
    """How many dimensions a value has."""
    depth = 0
    while isinstance(value, (list, tuple)):
        depth += 1
        value = value[0] if value else None
    return depth


def read_range(variant: Any, text: str) -> Any:
    """The part of a Variant: of an array, a matrix, a text, or the texts of an array.

    Raises:
        Bad: BadIndexRangeInvalid or BadIndexRangeNoData.
    """
    spans = parse_range(text)
    depth = depth_of(variant.Value)
    inside_texts = len(spans) == depth + 1 and variant.VariantType in _TEXTS
    if variant.Value is None or (depth and len(spans) != depth and not inside_texts):
        raise Bad(S.BadIndexRangeNoData)
    part = _cut(variant.Value, spans)
    return ua.Variant(part, variant.VariantType, is_array=isinstance(part, list))


def _cut(value: Any, spans: list[Span]) -> Any:
    first, last = spans[0]
    if not isinstance(value, (list, tuple, str, bytes)):
        raise Bad(S.BadIndexRangeNoData)
    part = value[first : last + 1]
    if not part:
        raise Bad(S.BadIndexRangeNoData)
    if isinstance(part, (str, bytes)):
        if len(spans) > 1:
            raise Bad(S.BadIndexRangeNoData)
        return part
    return [_cut(one, spans[1:]) for one in part] if len(spans) > 1 else list(part)


def write_range(old: Any, new: Any, text: str) -> Any:
    """The old Variant with a part replaced; the data must have the shape of the range and lie inside (§5.11.4).

    Raises:
        Bad: BadIndexRangeInvalid, BadIndexRangeNoData or BadIndexRangeDataMismatch.
    """
    spans = parse_range(text)
    if old.Value is None or len(spans) != max(depth_of(old.Value), 1):
        raise Bad(S.BadIndexRangeNoData)
    return ua.Variant(_put(old.Value, new.Value, spans), old.VariantType, is_array=old.is_array)


def _put(old: Any, new: Any, spans: list[Span]) -> Any:
    first, last = spans[0]
    if not isinstance(old, (list, tuple, str, bytes)) or last >= len(old):
        raise Bad(S.BadIndexRangeNoData)
    is_text = isinstance(old, (str, bytes))
    if not isinstance(new, (list, tuple, str, bytes)) or isinstance(new, (str, bytes)) != is_text:
        raise Bad(S.BadIndexRangeDataMismatch)
    if len(new) != last - first + 1:
        raise Bad(S.BadIndexRangeDataMismatch)
    if is_text:
        return old[:first] + new + old[last + 1 :]  # type: ignore[operator]  # both are str or both bytes
    part = [_put(a, b, spans[1:]) for a, b in zip(old[first : last + 1], new, strict=True)] if spans[1:] else list(new)
    return [*old[:first], *part, *old[last + 1 :]]
