"""The where clause of an event filter (OPC 10000-4 §7.7): checked once, then evaluated on every event, three-valued.

Elements refer only to later ones, so one pass from the last to the first evaluates all of them, whatever a client builds.
"""

from __future__ import annotations

import operator
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core.event import Event
from labsim.endpoints.opcua.core.like import like
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import key_of
from labsim.endpoints.opcua.core.nodes import OBJECT_TYPE, Space
from labsim.endpoints.opcua.core.status import Bad, S

OP = ua.FilterOperator
MOST_ELEMENTS = 100
_MOST_OPERANDS = 1000  # asyncua asks for the events of a type by a list of all its subtypes
_OPERANDS = {
    OP.IsNull: (1, 1), OP.Not: (1, 1), OP.OfType: (1, 1), OP.Between: (3, 3), OP.InList: (2, _MOST_OPERANDS),
    **dict.fromkeys((
        OP.Equals, OP.GreaterThan, OP.LessThan, OP.GreaterThanOrEqual, OP.LessThanOrEqual, OP.Like, OP.And, OP.Or,
        OP.Cast, OP.BitwiseAnd, OP.BitwiseOr,
    ), (2, 2)),
}  # fmt: skip
"""How many operands each operator takes; one that is not here is not supported (InView and RelatedTo ask for queries)."""
_ORDERED: dict[Any, Callable[[Any, Any], Any]] = {
    OP.GreaterThan: operator.gt,
    OP.LessThan: operator.lt,
    OP.GreaterThanOrEqual: operator.ge,
    OP.LessThanOrEqual: operator.le,
}
_TOLD, _TOLD_TEXT = 20, 200
"""So many operands of an element are told, and so much of a text."""
Truth: TypeAlias = "bool | None"
SelectCheck: TypeAlias = Callable[[Any], int]


class Where:
    """A checked where clause.

    Args:
        space: Where types are looked up.
        elements: ContentFilterElements.
        check: The status of a SimpleAttributeOperand.

    Attributes:
        results: A ContentFilterElementResult per element.
        bad: Whether one of them is not good.
    """

    def __init__(self, space: Space, elements: Sequence[Any], check: SelectCheck) -> None:
        if len(elements) > MOST_ELEMENTS:
            raise Bad(S.BadEventFilterInvalid, "too many elements in the where clause")
        self._space, self._elements, self._check = space, list(elements), check
        self.results = [self._judge(at, element) for at, element in enumerate(self._elements)]
        self.bad = any(result.StatusCode.value for result in self.results)

    def _judge(self, at: int, element: Any) -> Any:
        """Operator and operands of one element (OPC 10000-4 §7.7.2)."""
        result, operands = ua.ContentFilterElementResult(), element.FilterOperands or []
        kind = element.FilterOperator
        count = _OPERANDS.get(kind)
        if count is None:
            known = isinstance(kind, OP)
            code = S.BadFilterOperatorUnsupported if known else S.BadFilterOperatorInvalid
            result.StatusCode = ua.StatusCode(code)
        elif not count[0] <= len(operands) <= count[1]:
            result.StatusCode = ua.StatusCode(S.BadFilterOperandCountMismatch)
        else:
            codes = [self._operand_code(at, operand) for operand in operands]
            last = operands[-1]
            if kind == OP.OfType and not codes[0]:
                codes[0] = 0 if self._is_type(last) else int(S.BadFilterOperandInvalid)
            if kind == OP.Cast and not codes[1]:
                codes[1] = 0 if _cast_type(last) else int(S.BadFilterOperandInvalid)
            if any(codes):
                result.StatusCode = ua.StatusCode(S.BadFilterOperandInvalid)
                result.OperandStatusCodes = [ua.StatusCode(code) for code in codes]
        return result

    def _operand_code(self, at: int, operand: Any) -> int:
        if isinstance(operand, ua.ElementOperand):
            return 0 if at < operand.Index < len(self._elements) else int(S.BadFilterOperandInvalid)
        if isinstance(operand, ua.SimpleAttributeOperand):
            return self._check(operand)
        return 0 if isinstance(operand, ua.LiteralOperand) else int(S.BadFilterOperandInvalid)

    def _is_type(self, operand: Any) -> bool:
        wanted = _literal(operand)
        node = self._space.get(key_of(wanted)) if isinstance(wanted, ua.NodeId) else None
        return node is not None and node.cls == OBJECT_TYPE

    def told(self) -> list[list[Any]]:
        """Its elements as an observer is told of them: the operator, then its operands.

        ``#2`` stands for the outcome of element 2, a name for a field of the event, anything else for itself; of a long list only
        the first operands are told.
        """
        return [
            [OP(one.FilterOperator).name, *(_told(operand) for operand in one.FilterOperands[:_TOLD])]
            for one in self._elements
        ]

    def passes(self, event: Event, locales: Locales) -> bool:
        """Whether an event is told; what is unknown is not (§7.7.3)."""
        if not self._elements:
            return True
        found: list[Any] = [None] * len(self._elements)
        for at in range(len(self._elements) - 1, -1, -1):
            element = self._elements[at]
            operands = [self._value(one, event, locales, found) for one in element.FilterOperands]
            found[at] = self._evaluate(element.FilterOperator, operands, event)
        return found[0] is True

    @staticmethod
    def _value(operand: Any, event: Event, locales: Locales, found: list[Any]) -> Any:
        if isinstance(operand, ua.ElementOperand):
            return found[operand.Index]
        if isinstance(operand, ua.LiteralOperand):
            return _literal(operand)
        names = tuple((name.NamespaceIndex, name.Name) for name in operand.BrowsePath or ())
        variant = event.field(names, locales)
        return variant.Value if variant is not None else None

    def _evaluate(self, kind: Any, operands: list[Any], event: Event) -> Any:
        """One operator (OPC 10000-4 §7.7.3)."""
        first, rest = operands[0], operands[1:]
        match kind:
            case OP.IsNull:
                return first is None
            case OP.OfType:
                return event.type in self._space.subtypes(key_of(first))
            case OP.Not:
                truth = _truth(first)
                return None if truth is None else not truth
            case OP.And:
                return both(_truth(first), _truth(rest[0]))
            case OP.Or:
                return either(_truth(first), _truth(rest[0]))
            case OP.InList:
                found: Truth = False
                for one in rest:
                    found = either(found, compare(operator.eq, first, one))
                return found
            case OP.Between:
                return both(compare(operator.ge, first, rest[0]), compare(operator.le, first, rest[1]))
            case OP.Equals:
                return compare(operator.eq, first, rest[0])
            case OP.Like:
                return _like(first, rest[0])
            case OP.Cast:
                return _cast(first, _cast_type_of(rest[0]))
            case OP.BitwiseAnd | OP.BitwiseOr:
                return _bitwise(operator.and_ if kind == OP.BitwiseAnd else operator.or_, first, rest[0])
        return compare(_ORDERED[kind], first, rest[0])


def both(one: Truth, other: Truth) -> Truth:
    """And, three-valued."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def either(one: Truth, other: Truth) -> Truth:
    """Or, three-valued."""
    if one is True or other is True:
        return True
    return None if one is None or other is None else False


def _literal(operand: Any) -> Any:
    value = getattr(operand, "Value", None)
    return value.Value if isinstance(value, ua.Variant) else value


def _truth(value: Any) -> Truth:
    """A value as a Boolean; what is none is unknown."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return bool(value)
    return _word(value) if isinstance(value, str) else None


def _word(value: str) -> Truth:
    return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())


def compare(how: Callable[[Any, Any], Any], one: Any, other: Any) -> Truth:
    """A comparison after implicit conversion: unknown when an operand is null, false when they have nothing in common."""
    if one is None or other is None:
        return None
    try:
        left, right = _common(simple(one), simple(other))
        return bool(how(left, right))
    except (TypeError, ValueError, OverflowError):
        return False


def simple(value: Any) -> Any:
    """A value as Python compares it: texts as str, node ids as their keys, status codes as numbers."""
    if isinstance(value, ua.LocalizedText):
        return value.Text or ""
    if isinstance(value, ua.QualifiedName):
        return value.Name or ""
    if isinstance(value, ua.NodeId):
        return ("node", key_of(value))
    return value.value if isinstance(value, ua.StatusCode) else value


def _common(one: Any, other: Any) -> tuple[Any, Any]:
    """Both in the type that ranks higher (OPC 10000-4 §7.7.3)."""
    if isinstance(one, str) and not isinstance(other, str):
        right, left = _common(other, one)
        return left, right
    if not isinstance(other, str) or isinstance(one, str):
        return one, other
    if isinstance(one, bool):
        word = _word(other)
        if word is None:
            raise ValueError(other)
        return one, word
    if isinstance(one, int):
        try:
            return one, int(other)
        except ValueError:
            return one, float(other)
    if isinstance(one, float):
        return one, float(other)
    if isinstance(one, uuid.UUID):
        return one, uuid.UUID(other)
    return one, other


def _like(value: Any, pattern: Any) -> Truth:
    if value is None or pattern is None:
        return None
    value, pattern = simple(value), simple(pattern)
    return like(value, pattern) if isinstance(value, str) and isinstance(pattern, str) else False


def _bitwise(how: Callable[[int, int], int], one: Any, other: Any) -> int | None:
    one, other = simple(one), simple(other)
    whole = (
        isinstance(one, int) and isinstance(other, int) and not isinstance(one, bool) and not isinstance(other, bool)
    )
    return how(one, other) if whole else None


_CASTS: dict[int, Callable[[Any], Any]] = {
    1: lambda value: _word(value) if isinstance(value, str) else bool(value),
    **dict.fromkeys(range(2, 10), lambda value: round(float(value)) if isinstance(value, str) else round(value)),
    10: float,
    11: float,
    12: lambda value: str(value).lower() if isinstance(value, bool) else str(value),
    14: lambda value: uuid.UUID(value) if isinstance(value, str) else value,
    19: int,
    21: lambda value: ua.LocalizedText(str(value)),
}
_SPANS = {2: (-128, 127), 3: (0, 255), 4: (-(2**15), 2**15 - 1), 5: (0, 2**16 - 1), 6: (-(2**31), 2**31 - 1),
          7: (0, 2**32 - 1), 8: (-(2**63), 2**63 - 1), 9: (0, 2**64 - 1)}  # fmt: skip


def _cast_type_of(wanted: Any) -> int:
    return int(wanted.Identifier)


def _cast_type(operand: Any) -> bool:
    wanted = _literal(operand)
    return isinstance(wanted, ua.NodeId) and wanted.NamespaceIndex == 0 and wanted.Identifier in _CASTS


def _told(operand: Any) -> Any:
    if isinstance(operand, ua.ElementOperand):
        return f"#{operand.Index}"
    if isinstance(operand, ua.SimpleAttributeOperand):
        return "/".join(name.Name for name in operand.BrowsePath or ()) or "ConditionId"
    value = _literal(operand)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return (value.to_string() if isinstance(value, ua.NodeId) else str(value))[:_TOLD_TEXT]


def _cast(value: Any, kind: int) -> Any:
    """An explicit conversion; null when it cannot be done (OPC 10000-4 §7.7.3)."""
    value = simple(value)
    if value is None or isinstance(value, (tuple, list)):
        return None
    try:
        found = _CASTS[kind](value)
    except (TypeError, ValueError, OverflowError):
        return None
    low, high = _SPANS.get(kind, (None, None))
    return found if low is None or high is None or low <= found <= high else None
